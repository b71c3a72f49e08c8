"""`python SCRIPT`, `python -m MODULE` and `python -c CODE`, as subprocess.run calls them, without the seconds that each
would spend importing torch: an interpreter that has it, and nothing of this repository, forks for every command.

What a command must not share with others (its environment in memory, its user) is no work for this: call Python itself.
"""

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path


def run(
    arguments: list, cwd: Path, env: dict[str, str], timeout: float = 300, python: str = sys.executable
) -> subprocess.CompletedProcess:
    """What subprocess.run([python, *arguments], capture_output=True, text=True) returns.

    Raises:
        subprocess.TimeoutExpired: after so many seconds; everything that the command started is ended.
    """
    command = [str(argument) for argument in arguments]
    server = interpreter(str(python))
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("out", "err")]
        request = {"arguments": command, "cwd": str(cwd), "env": dict(env), "files": [str(file) for file in files]}
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        if not select.select([server.stdout], [], [], timeout)[0]:
            interpreter.cache_clear()
            os.killpg(server.pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(command, timeout)
        status = int(server.stdout.readline())
        out, err = (file.read_text(encoding="utf-8", errors="replace") for file in files)
    return subprocess.CompletedProcess(command, status, out, err)


@cache
def interpreter(python: str) -> subprocess.Popen:
    """It answers each line of JSON on its input with a line: the exit status."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    server = subprocess.Popen([python, __file__], env=env, start_new_session=True, **pipes)
    atexit.register(server.stdin.close)  # at the end of its input, it ends
    return server


# ---------------------------------------------------------------- in that interpreter


def serve() -> None:
    del sys.path[0]  # this folder
    import matplotlib.pyplot
    import pytest
    import torch
    import torchvision

    assert matplotlib and pytest and torchvision
    assert torch.get_num_threads() == 1, "a process that has run threads must not be forked"
    path = list(sys.path)
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            answers.close()
            os._exit(become(path, **json.loads(line)))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=answers, flush=True)


def become(path: list[str], arguments: list[str], cwd: str, env: dict[str, str], files: list[str]) -> int:
    """Run a command here, as a fresh interpreter would. Returns its exit status."""
    import runpy
    import threading
    import traceback

    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, file in enumerate(files, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), number)
    alone = arguments[0] == "-P"  # nothing of the script's folder
    how, *rest = arguments[alone:]
    script = how not in ("-m", "-c")
    sys.argv = [how, *rest] if script else ["-c" if how == "-c" else "-m", *rest[1:]]
    first = [] if alone else [str(Path(how).resolve().parent) if script else cwd if how == "-m" else ""]
    sys.path[:] = [*first, *filter(None, env.get("PYTHONPATH", "").split(os.pathsep)), *path]
    try:
        if how == "-m":
            runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        elif how == "-c":
            exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__"})
        else:
            runpy.run_path(how, run_name="__main__")
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return status


if __name__ == "__main__":
    serve()
