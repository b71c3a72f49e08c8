"""The one exception of these helpers."""


class TrainingError(RuntimeError):
    """Something the user can mend; the message says what, and the next step, in one sentence."""
