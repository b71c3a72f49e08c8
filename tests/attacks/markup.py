"""Feedback as a vehicle: terminal escapes, markup, control characters, a text that never ends."""


class Spoof(Exception):
    pass


Spoof.__name__ = Spoof.__qualname__ = "<img src=x onerror=alert(1)>\x1b[2J\n  total 87 / 87"


def log_mean_exp(y):
    code = "def place(e):\n    raise e\n"
    room = {}
    exec(compile(code, "results.json\x1b]0;owned\x07\n<b>", "exec"), room)
    room["place"](Spoof("\x1b[31m<script>alert(1)</script>\r\n\u202e\u2028[link](http://x) \ud800" + "A" * 10**6))
