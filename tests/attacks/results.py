"""Writes full marks into results.json: now, at its end, from a thread, from a daemon; and replaces the grader."""

import atexit
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

OUTPUT, PROGRAM = "@OUTPUT@", "@PROGRAM@"
FORGED = '{"score": 1000, "tests": []}'
LOOT = []


def forge(*paths):
    for path in paths or (OUTPUT, PROGRAM):
        for act in (
            lambda path=path: Path(path).write_text(FORGED),
            lambda path=path: os.truncate(path, 0),
            lambda path=path: os.unlink(path),
            lambda path=path: os.chmod(path, 0),
            lambda path=path: os.utime(path, (0, 0)),
            lambda path=path: os.replace(own_file(), path),
            lambda path=path: os.symlink(own_file(), path + ".new"),
            lambda path=path: os.mkdir(path + ".folder"),
        ):
            with suppress(OSError):
                act()
                LOOT.append(path)


def own_file():
    with open("forged.json", "w") as file:
        file.write(FORGED)
    return "forged.json"


def later():
    time.sleep(1)
    forge()


def daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            later()
        os._exit(0)
    LOOT.append("fork")


def program():
    subprocess.Popen([sys.executable, "-c", f"open({OUTPUT!r}, 'w').write({FORGED!r})"])
    LOOT.append("subprocess")


def log_mean_exp(y):
    atexit.register(forge)
    threading.Thread(target=later, daemon=False).start()
    forge()
    for act in (daemon, program):
        with suppress(OSError):
            act()
    raise RuntimeError(f"LOOT {len(LOOT)} {sorted(set(LOOT))}")
