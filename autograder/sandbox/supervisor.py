"""The middle of the sandbox: one process for each slot, which forks workers, watches them and clears up after them.

Trusted: it never runs student code, and reads nothing that student code wrote; a reply passes through it as bytes.
"""

import errno
import gc
import importlib
import os
import pickle
import re
import select
import signal
import socket
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import cloudpickle
import torch

from autograder.sandbox import isolation, rules, wire, worker
from autograder.sandbox.isolation import Layers, Limits
from autograder.sandbox.messages import HEADER, Modules, Request, framed, receive, send

# What a supervisor imports on a submission's behalf. A list of full names: `import numpy.f2py.__main__` runs a program.
PRELOADED = {
    "numpy", "torch", "torchvision", "torchvision.datasets", "torchvision.transforms", "torchvision.utils",
    "matplotlib", "matplotlib.pyplot", "tqdm", "tqdm.auto", "tqdm.notebook", "PIL", "PIL.Image",
    "scipy", "scipy.special", "scipy.stats", "sympy", "IPython", "IPython.display", "data_loaders",
}  # fmt: skip


@dataclass
class Worker:
    """A supervisor's end of one process with student code."""

    process: int
    channel: socket.socket
    session: str


class Supervisor:
    """Serves one slot, in a process of its own.

    Args:
        given: the assignment's folder with its given code.
        root: where the shared packages (data_loaders, training) lie.
        scratch: the only folder where student code may write.
        without: isolation layers to leave out.
        control: where requests come from and replies go to.
    """

    def __init__(self, given: Path, root: Path, scratch: Path, without: frozenset[str], control: socket.socket):
        self.given, self.root, self.scratch, self.without, self.control = given, root, scratch, without, control
        self.modules = Modules()
        self.open: Worker | None = None

    def serve(self) -> None:
        isolation.keep_only(self.control.fileno())
        if isolation.LINUX:
            isolation.prctl(isolation.PR_SET_PDEATHSIG, signal.SIGKILL)
            isolation.prctl(isolation.PR_SET_CHILD_SUBREAPER, 1)
        isolation.hide_from_same_user()
        neutral_environment(self.scratch)
        packages = [self.root / name for name in ("data_loaders", "training")]
        readable = [path for path in (self.given, *packages) if path.exists()]
        self.layers = isolation.prepare(readable, self.scratch, self.without)
        send(self.control, pickle.dumps(Layers(self.layers.active, self.layers.missing)))
        warm_up()
        while True:
            try:
                request: Request = pickle.loads(receive(self.control))
            except EOFError:
                return
            status, reply = {"ended": "ok"}, b""
            if request.kind == "modules":
                self.modules = request.data
                preload(self.modules.imports)
                for name in self.modules.forbidden:
                    rules.forbid(name)
            elif request.kind == "end":
                self.end()
            else:
                status, reply = self.answer(request)
            send(self.control, pickle.dumps(status))
            send(self.control, reply)

    def answer(self, request: Request) -> tuple[dict, bytes]:
        """Have a child answer, end it in time, and say how it ended. The child of a session is there already."""
        outgoing = b""
        if self.open and request.session and self.open.session == request.session:
            outgoing = framed(pickle.dumps(request))
        else:
            self.end()
            ours, theirs = socket.socketpair()
            try:
                child = os.fork()
            except OSError:  # no process to be had: this look has no value, the next one may
                ours.close()
                theirs.close()
                return {"ended": "sandbox"}, b""
            if child == 0:
                ours.close()
                worker.serve(request, theirs.detach(), self.layers, self.scratch, self.given, self.root, self.modules)
            theirs.close()
            self.open = Worker(child, ours, request.session)
        reply, ended, exited = self.watch(self.open, outgoing, request.limits)
        answered = ended is None and exited is None
        if answered and request.session:
            return {"ended": "ok"}, reply
        status = self.end(exited)
        return status | {"ended": "ok" if answered else ended or status["ended"]}, reply

    def watch(self, child: Worker, outgoing: bytes, limits: Limits) -> tuple[bytes, str | None, tuple | None]:
        """Send a request, if there is one, and read the reply, until it is whole, or the child has ended, or has gone
        beyond a limit that the kernel does not hold it to.

        Returns: the reply, empty unless whole; the limit, if one was passed; what wait4 says, if it ended by itself.
        """
        started = checked = time.monotonic()
        reply, channel, ended = bytearray(), child.channel, False
        channel.setblocking(False)  # a child that does not read holds up nobody
        while True:
            reading, writing = ([], []) if ended else ([channel], [channel] if outgoing else [])
            readable, writable, _ = select.select(reading, writing, [], 0.0005 if ended else 0.1)
            with suppress(BlockingIOError, ConnectionError):
                outgoing = outgoing[channel.send(outgoing) :] if writable else outgoing
            if readable:
                chunk = b""
                with suppress(ConnectionError):
                    chunk = channel.recv(1 << 20)
                reply += chunk
                ended = not chunk
                size = HEADER.unpack_from(reply)[0] if len(reply) >= HEADER.size else 0
                if size > limits.reply_mb << 20:
                    return b"", "reply", None
                if size and len(reply) >= HEADER.size + size:
                    return bytes(reply[HEADER.size : HEADER.size + size]), None, None
            if ended and (exited := os.wait4(child.process, os.WNOHANG))[0]:
                return b"", None, exited
            now = time.monotonic()
            if now > started + limits.wall_seconds:
                return b"", "time", None
            if now > checked + 0.1:
                checked = now
                if too_full(self.scratch, limits.scratch_mb):
                    return b"", "disk", None
                if threads_of(child.process) > limits.threads:
                    return b"", "threads", None

    def end(self, exited: tuple | None = None) -> dict:
        """End the child that is open, if any, and clear up after it. Returns how it ended."""
        if not self.open:
            return {}
        self.open.channel.close()
        status = reap(self.open.process, exited)
        empty(self.scratch)
        self.open = None
        return status


def preload(imports: set[str]) -> None:
    """Import the installed libraries that a submission imports: once here, instead of in every worker."""
    wanted = imports | {name.split(".")[0] for name in imports}
    for name in sorted(wanted & PRELOADED):
        with suppress(Exception):
            importlib.import_module(name)


def warm_up() -> None:
    """Do once, here, what every worker would otherwise do first: load code lazily and touch its pages."""
    gc.freeze()  # so that no collection in a child walks, and so copies, what it inherited
    probe = torch.ones(2, 3)
    cloudpickle.loads(wire.pack(lambda module: (probe * 2).sum()))(None)
    wire.encode({"value": probe})


def reap(child: int, exited: tuple | None) -> dict:
    """End the child, unless it has ended, and whatever it left behind. Returns how it ended."""
    if not exited:
        os.kill(child, signal.SIGKILL)
        exited = os.wait4(child, 0)
    _, status, usage = exited
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    reap_orphans()
    code = os.waitstatus_to_exitcode(status)
    ended = "ok" if code == 0 else "signal" if code < 0 else "exit"
    return {"ended": ended, "code": code, "cpu": usage.ru_utime + usage.ru_stime}


def reap_orphans() -> None:
    """Processes that escaped from a worker become the supervisor's children; none of them lives on."""
    for _ in range(1000):
        try:
            children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        except OSError:
            children = []
        for orphan in children:
            with suppress(ProcessLookupError):
                os.kill(int(orphan), signal.SIGKILL)
        try:
            os.waitpid(-1, 0 if children else os.WNOHANG)
        except ChildProcessError:
            return
        if not children:
            return


def neutral_environment(scratch: Path) -> None:
    """Nothing of the grader's environment reaches student code, and no file of the grader's is importable by name."""
    isolation.wipe_environment()
    os.environ.update(
        PATH="/usr/bin:/bin", HOME=str(scratch), TMPDIR=str(scratch), MPLCONFIGDIR=str(scratch), MPLBACKEND="Agg",
        OMP_NUM_THREADS="1", CUDA_VISIBLE_DEVICES="", LANG="C.UTF-8", TQDM_DISABLE="1",
    )  # fmt: skip
    tempfile.tempdir = None
    root = Path(__file__).resolve().parents[2]
    sys.path[:] = [entry for entry in sys.path if entry and Path(entry).resolve() != root]
    sys.argv[:] = ["submission"]


def too_full(folder: Path, megabytes: int) -> bool:
    """More than so many megabytes, or a thousand files, anywhere below a folder; or a place that hides from us."""
    hidden: list[OSError] = []
    total = count = 0
    for parent, folders, files in os.walk(folder, onerror=hidden.append):
        count += len(folders) + len(files)
        if count > 1000:
            return True
        for name in files:
            with suppress(OSError):
                total += os.lstat(os.path.join(parent, name)).st_size
    return total > megabytes << 20 or any(error.errno != errno.ENOENT for error in hidden)


def empty(folder: Path) -> None:
    """Delete what is in a folder. Level by level and by moving up, since a stranger may have nested folders deeper than
    Python's stack and than the longest path."""
    moved = 0
    while entries := list(os.scandir(folder)):
        before = moved
        for entry in entries:
            with suppress(OSError):
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.path)
                    moved += 1
                    continue
                os.chmod(entry.path, 0o700)
                for inner in os.listdir(entry.path):
                    moved += 1
                    os.rename(os.path.join(entry.path, inner), folder / f"moved-{moved}")
                os.rmdir(entry.path)
                moved += 1
        if moved == before:
            return  # what cannot be deleted stays, and costs nobody a grade


def threads_of(process: int) -> int:
    with suppress(OSError):
        found = re.search(r"^Threads:\s*(\d+)", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
        return int(found[1]) if found else 0
    return 0
