"""The grader's side of the sandbox: a pool of slots that are asked for looks, and what came back, read with distrust.

    grader ──fork──> supervisor ──fork──> worker, confined, then student code

The grader forks its supervisors after importing torch and before it reads a test, a solution or the course secret, so
no process that descends from one has ever had one in memory. A supervisor runs no student code: it takes a request,
forks, has the child confine itself (isolation.py), waits, ends it when its time is over, and hands the reply's bytes
back unread. This side decodes them (wire.py) and believes nothing.

A look has a worker of its own, or one for a *session*: the looks at one file, one after another. A fork is most of
what a look costs, so a grade with sessions takes half the time; a test that fails in one is repeated without it.
"""

import math
import os
import pickle
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from autograder.sandbox import isolation, wire
from autograder.sandbox.extract import Extract
from autograder.sandbox.isolation import Layers, Limits
from autograder.sandbox.messages import Attempts, Failure, Look, Modules, Request, receive, send
from autograder.sandbox.supervisor import Supervisor, empty

UNREADABLE = Failure("reply", "what it returned cannot be read")


@dataclass
class Sandbox:
    """A pool of slots, each with a supervisor that serves one request at a time.

    Args:
        given: the assignment's folder with its given code.
        root: where the shared packages (data_loaders, training) lie.
        slots: how many looks may be taken at once.
        limits: of a process, where a look has none of its own.
        without: isolation layers to leave out, by name (benchmarks and tests).
        deadline: when everything has to be over, as time.monotonic() tells it: nothing runs longer than until then.
    """

    given: Path
    root: Path
    slots: int = 1
    limits: Limits = field(default_factory=Limits)
    without: frozenset[str] = frozenset()
    deadline: float = math.inf

    def __enter__(self) -> "Sandbox":
        self.base = Path(tempfile.mkdtemp(prefix="sandbox-"))
        self.base.chmod(0o711)
        self.free: list[Slot] = []
        self.choice = threading.Lock()
        self.taken: Counter[str] = Counter()  # looks: how many, and how many ran out of time
        self.available = threading.Semaphore(self.slots)
        self.all = [Slot(self, self.base / f"slot{index}") for index in range(self.slots)]
        self.free += self.all
        found = [slot.hello() for slot in self.all]
        missing = {name: reason for layers in found for name, reason in layers.missing.items()}
        self.layers = Layers([name for name in found[0].active if name not in missing], missing)
        isolation.hide_from_same_user()
        isolation.bound_own_memory()
        return self

    def __exit__(self, *exc: object) -> None:
        for slot in self.all:
            slot.close()
            empty(slot.scratch)
        shutil.rmtree(self.base, ignore_errors=True)

    def extract(self, filename: str, data: bytes, *wanted: Any) -> Extract | Failure:
        """Parse one uploaded file, in the sandbox. Its `code` stays opaque; `wanted` as extract() has it."""
        request = Request("extract", self.limits, data=(filename, data, *wanted), session="extract")
        answer = self._run(request)
        if isinstance(answer, Failure):  # perhaps of an earlier file's making
            answer = self._run(replace(request, session=""))
        if isinstance(answer, Failure):
            return answer
        try:
            code = bytes(answer["code"].numpy())
            lists = [each.name for each in fields(Extract) if each.name not in ("error", "code")]
            texts = {name: [wire.plain_text(text) for text in answer[name]] for name in lists}
            error = answer["error"] if answer["error"] is None else wire.plain_text(answer["error"])
            return Extract(**texts, error=error, code=code)
        except (KeyError, TypeError, AttributeError):
            return Failure("reply", f"{filename} could not be read")

    def provide(self, modules: Modules) -> None:
        """Hand the extracted files to every supervisor; from now on workers can import them."""
        with ThreadPoolExecutor(len(self.all)) as pool:
            list(pool.map(lambda slot: slot.ask(Request("modules", self.limits, data=modules)), self.all))

    def look(self, look: Look, session: str = "") -> Any:
        """Take a look at the student's module. Returns its value, or a Failure.

        In a session it may find what earlier looks of the same session left behind. Limits are a process's own, so a
        look with other limits than the usual ones is never part of one.
        """
        packed = wire.pack(look.function), wire.pack(dict(look.replacing)) if look.replacing else b""
        limits, session = (self.limits, session) if look.limits is None else (look.limits, "")
        outcome = self._run(Request("look", limits, None, look.module, *packed, look.seed, session))
        with self.choice:
            self.taken["taken"] += 1
            self.taken["out of time"] += isinstance(outcome, Failure) and outcome.kind == "time"
        return outcome

    def attempts(self, look: Look, wanted: Attempts, session: str, seconds: float) -> Any:
        """Looks with edits of the student's function made, all in one process (workbench.py).

        Returns: the kind of every edit there is, an outcome for each try, and the seconds of computing; or what the
            edits are, if that is `wanted`; or a Failure.
        """
        limits = replace(self.limits, wall_seconds=seconds)
        packed = wire.pack(look.function), wire.pack(dict(look.replacing)) if look.replacing else b""
        answer = self._run(Request("attempts", limits, wanted, look.module, *packed, look.seed, session))
        try:
            if isinstance(answer, Failure):
                return answer
            if wanted.describe:
                return list(answer["edits"])
            kinds, seconds = [str(kind) for kind in answer["kinds"]], float(answer["seconds"])
            return kinds, [read_answer(bytes(o.numpy())) for o in answer["outcomes"]], seconds
        except (KeyError, TypeError, AttributeError, ValueError):
            return UNREADABLE

    def _run(self, request: Request) -> Any:
        with self.available:
            left = self.deadline - time.monotonic()
            if left <= 0:
                return Failure("time", "the time of the whole grade is over")
            if left < request.limits.wall_seconds:
                request = replace(request, limits=replace(request.limits, wall_seconds=left))
            with self.choice:  # the slot where this session is, if it is free
                slot = min(self.free, key=lambda slot: slot.session != request.session)
                self.free.remove(slot)
            slot.session = request.session
            try:
                status, reply = slot.ask(request)
            finally:
                self.free.append(slot)
        return read_reply(status, reply, request.limits)


class Slot:
    """The grader's end of one supervisor."""

    def __init__(self, sandbox: Sandbox, scratch: Path):
        scratch.mkdir(mode=0o700)
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                ours.close()
                Supervisor(sandbox.given, sandbox.root, scratch, sandbox.without, theirs).serve()
                status = 0
            finally:
                os._exit(status)
        theirs.close()
        self.scratch = scratch
        self.socket = ours
        self.session = ""
        self.dead: str | None = None

    def hello(self) -> Layers:
        """Wait until the supervisor is ready; it says which layers are active."""
        try:
            return pickle.loads(receive(self.socket))
        except EOFError:
            raise RuntimeError("the sandbox could not be started; the lines above say why") from None

    def ask(self, request: Request) -> tuple[dict, bytes]:
        if self.dead:
            return {"ended": "sandbox"}, b""
        self.socket.settimeout(request.limits.wall_seconds + 60)
        try:
            send(self.socket, pickle.dumps(request))
            return pickle.loads(receive(self.socket)), receive(self.socket)
        except (OSError, EOFError) as error:
            self.dead = str(error)
            return {"ended": "sandbox"}, b""

    def close(self) -> None:
        self.ask(Request("end", Limits()))
        self.socket.close()
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


# ---------------------------------------------------------------- reading what came back


def read_reply(status: dict, reply: bytes, limits: Limits) -> Any:
    """The value of a look, or the Failure that says why there is none."""
    match status["ended"]:
        case "sandbox":
            return Failure("sandbox", "the sandbox was ended while your code ran")
        case "time":
            return Failure("time", f"it did not finish within {limits.wall_seconds:g} seconds")
        case "threads":
            return Failure("threads", f"it started more than {limits.threads} threads")
        case "disk":
            return Failure("disk", f"it wrote more than {limits.scratch_mb} MB of files")
        case "reply":
            return Failure("reply", f"it returned more than {limits.reply_mb} MB")
        case "signal" if status["cpu"] >= limits.cpu_seconds - 0.5:
            return Failure("time", f"it did not finish within {limits.cpu_seconds} seconds of computing")
        case "signal":
            name = signal.Signals(-status["code"]).name
            return Failure("crash", f"it ended the Python process ({name})")
        case "exit" if status["code"] != 70 or not reply:
            return Failure("exit", f"it ended the Python process (exit status {status['code']})")
    if not reply:
        return Failure("exit", "it ended the Python process before anything was returned")
    return read_answer(reply)


def read_answer(reply: bytes) -> Any:
    """What a worker wrote: a value, a Failure, or the answer to another question than a look."""
    try:
        answer = wire.decode(reply)
    except ValueError:
        return UNREADABLE
    match answer:
        case {"value": value}:
            return value
        case {"error": dict() as error}:
            return exception(error)
        case dict() if answer.keys() & {"code", "edits", "outcomes"}:
            return answer
    return UNREADABLE


def exception(error: dict) -> Failure:
    """What sandbox/raised.py said of an exception, as text that can be shown."""
    kind, message, place, line = (wire.plain_text(error.get(key, ""), size) for key, size in EXCEPTION.items())
    lists = [value if isinstance(value := error.get(key), tuple) else () for key in ("notes", "shapes")]
    notes, shapes = ([wire.plain_text(text, 300) for text in texts[:6]] for texts in lists)
    if kind == "MemoryError" or "can't allocate memory" in message or "not enough memory" in message:
        return Failure("memory", "it needs more memory than a grade may use", kind, place, line, tuple(shapes))
    if notes:
        message += " (" + "; ".join(notes) + ")"
    return Failure("exception", message, kind, place, line, tuple(shapes))


EXCEPTION = {"type": 60, "message": 300, "place": 120, "line": 100}  # and how much of each is shown
