"""Where student code runs: never in the grader's process.

    grader ──fork──> warden ──fork──> observation, confined, then student code

The grader forks its wardens after importing torch and before it reads a test, a solution or the course secret, so
no process that descends from a warden has ever had one in memory. A warden runs no student code: it takes
a request, forks, confines the child (isolation.py), waits, ends it when its time is over, and hands the reply's bytes
back unread. The grader decodes them (wire.py) and believes nothing.

A look has a process of its own, or one for a *session*: the looks at one file, one after another. A fork is most of
what a look costs, so a grade with sessions takes half the time; the engine repeats a test that fails in one without it.
"""

import builtins
import errno
import gc
import importlib
import os
import pdb
import pickle
import random
import re
import select
import shutil
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import cloudpickle
import numpy
import torch
from torch.overrides import TorchFunctionMode

from autograder import clean, isolation, loader, probes, wire  # noqa: F401  (looks find probes by name)
from autograder.isolation import Layers, Limits

# What a warden imports on a submission's behalf. A list of full names: `import numpy.f2py.__main__` runs a program.
PRELOADED = {
    "numpy", "torch", "torchvision", "torchvision.datasets", "torchvision.transforms", "torchvision.utils",
    "matplotlib", "matplotlib.pyplot", "tqdm", "tqdm.auto", "tqdm.notebook", "PIL", "PIL.Image",
    "scipy", "scipy.special", "scipy.stats", "sympy", "IPython", "IPython.display", "data_loaders",
}  # fmt: skip


@dataclass(frozen=True)
class Failure:
    """Why an observation has no value.

    kind: "exception" (raised by student code, `type` and `message` tell), "time", "memory", "disk", "threads", "crash",
    "exit", "reply" (unreadable or too large) or "sandbox" (our fault).
    """

    kind: str
    message: str
    type: str = ""
    place: str = ""  # "q1_vae.py, line 12, in log_mean_exp"


@dataclass
class Modules:
    """What observations can import: digested files, and what they in turn import from installed libraries."""

    graded: dict[str, bytes] = field(default_factory=dict)
    helpers: dict[str, bytes] = field(default_factory=dict)
    imports: set[str] = field(default_factory=set)
    mentions_gpu: bool = False


@dataclass
class Request:
    """What a warden is asked for. It travels from trusted to trusted side, so pickle is fine here."""

    kind: str  # "digest", "look" or "modules"
    limits: Limits
    data: Any = None
    module: str = ""
    look: bytes = b""
    replacing: bytes = b""
    seed: int = 0
    session: str = ""  # looks of the same session share a process


@dataclass
class Sandbox:
    """A pool of wardens ("lanes"), each serving one observation at a time.

    Args:
        given: the assignment's folder with its given code.
        root: where the shared packages (data_loaders, training) lie.
        lanes: how many observations may run at once.
        without: isolation layers to leave out, by name (benchmarks and tests).
    """

    given: Path
    root: Path
    lanes: int = 1
    limits: Limits = field(default_factory=Limits)
    without: frozenset[str] = frozenset()

    def __enter__(self) -> "Sandbox":
        self.base = Path(tempfile.mkdtemp(prefix="sandbox-"))
        self.base.chmod(0o711)
        self.free: list[Lane] = []
        self.choice = threading.Lock()
        self.available = threading.Semaphore(self.lanes)
        self.all = [Lane(self, self.base / f"lane{index}") for index in range(self.lanes)]
        self.free += self.all
        found = [lane.hello() for lane in self.all]
        missing = {name: reason for layers in found for name, reason in layers.missing.items()}
        self.layers = Layers([name for name in found[0].active if name not in missing], missing)
        isolation.hide_from_same_user()
        isolation.bound_own_memory()
        return self

    def __exit__(self, *exc) -> None:
        for lane in self.all:
            lane.close()
            empty(lane.scratch)
        shutil.rmtree(self.base, ignore_errors=True)

    def digest(self, filename: str, data: bytes, roots: list[str], forbidden: list[str]) -> clean.Digest | Failure:
        """Parse one uploaded file, in the sandbox. Its `code` stays opaque."""
        request = Request("digest", self.limits, data=(filename, data, roots, forbidden), session="digest")
        answer = self._run(request)
        if isinstance(answer, Failure):  # perhaps of an earlier file's making
            answer = self._run(replace(request, session=""))
        if isinstance(answer, Failure):
            return answer
        try:
            code = bytes(answer["code"].numpy())
            lists = ("definitions", "imports", "notes", "forbidden")
            texts = {key: [wire.plain_text(v) for v in answer[key]] for key in lists}
            error = answer["error"] if answer["error"] is None else wire.plain_text(answer["error"])
            return clean.Digest(**texts, error=error, code=code)
        except (KeyError, TypeError, AttributeError):
            return Failure("reply", f"{filename} could not be read")

    def provide(self, modules: "Modules") -> None:
        """Hand the digested files to every warden; from now on observations can import them."""
        with ThreadPoolExecutor(len(self.all)) as pool:
            list(pool.map(lambda lane: lane.ask(Request("modules", self.limits, data=modules)), self.all))

    def look(
        self, module: str, look: bytes, *, replacing: bytes = b"", seed: int, limits: Limits, session: str = ""
    ) -> Any:
        """Run a packed look on the student's module. Returns its value, or a Failure.

        In a session it may find what earlier looks of the same session left behind.
        """
        return self._run(Request("look", limits, None, module, look, replacing, seed, session))

    def _run(self, request: Request) -> Any:
        with self.available:
            with self.choice:  # the lane where this session is, if it is free
                lane = min(self.free, key=lambda lane: lane.session != request.session)
                self.free.remove(lane)
            lane.session = request.session
            try:
                status, reply = lane.ask(request)
            finally:
                self.free.append(lane)
        return read_reply(status, reply, request.limits)


class Lane:
    """The grader's end of one warden."""

    def __init__(self, sandbox: Sandbox, scratch: Path):
        scratch.mkdir(mode=0o700)
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                ours.close()
                Warden(sandbox, scratch, theirs).serve()
                status = 0
            finally:
                os._exit(status)
        theirs.close()
        self.scratch = scratch
        self.socket = ours
        self.session = ""
        self.dead: str | None = None

    def hello(self) -> Layers:
        """Wait until the warden is ready; it says which layers are active."""
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


@dataclass
class Observation:
    """A warden's end of one process with student code."""

    process: int
    channel: socket.socket
    session: str


class Warden:
    """Serves one lane. Trusted: it never runs student code, and reads nothing that student code wrote."""

    def __init__(self, sandbox: Sandbox, scratch: Path, control: socket.socket):
        self.sandbox, self.scratch, self.control = sandbox, scratch, control
        self.modules = Modules()
        self.open: Observation | None = None

    def serve(self) -> None:
        keep_only(self.control.fileno())
        if isolation.LINUX:
            isolation.prctl(isolation.PR_SET_PDEATHSIG, signal.SIGKILL)
            isolation.prctl(isolation.PR_SET_CHILD_SUBREAPER, 1)
        isolation.hide_from_same_user()
        neutral_environment(self.scratch)
        packages = [self.sandbox.root / name for name in ("data_loaders", "training")]
        readable = [path for path in (self.sandbox.given, *packages) if path.exists()]
        self.layers = isolation.prepare(readable, self.scratch, self.sandbox.without)
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
            elif request.kind == "end":
                self.end()
            else:
                status, reply = self.observe(request)
            send(self.control, pickle.dumps(status))
            send(self.control, reply)

    def observe(self, request: Request) -> tuple[dict, bytes]:
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
                ours.close(), theirs.close()
                return {"ended": "sandbox"}, b""
            if child == 0:
                ours.close()
                observation(self, request, theirs.detach())
            theirs.close()
            self.open = Observation(child, ours, request.session)
        reply, ended, exited = self.watch(self.open, outgoing, request.limits)
        answered = ended is None and exited is None
        if answered and request.session:
            return {"ended": "ok"}, reply
        status = self.end(exited)
        return status | {"ended": "ok" if answered else ended or status["ended"]}, reply

    def watch(self, child: Observation, outgoing: bytes, limits: Limits) -> tuple[bytes, str | None, tuple | None]:
        """Send a request, if there is one, and read the reply, until it is whole, or the child has ended, or has gone
        beyond a limit that the kernel does not hold it to.

        Returns: the reply, empty unless whole; the limit, if one was passed; what wait4 says, if it ended by itself.
        """
        started = checked = time.monotonic()
        reply, channel, ended = bytearray(), child.channel, False
        channel.setblocking(False)  # a child that does not read holds up nobody
        while True:
            waiting = ([], [], [], 0.0005) if ended else ([channel], [channel] if outgoing else [], [], 0.1)
            readable, writable, _ = select.select(*waiting)
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
    """Import the installed libraries that a submission imports: once here, instead of in every observation."""
    wanted = imports | {name.split(".")[0] for name in imports}
    for name in sorted(wanted & PRELOADED):
        with suppress(Exception):
            importlib.import_module(name)


def warm_up() -> None:
    """Do once, here, what every observation would otherwise do first: load code lazily and touch its pages."""
    gc.freeze()  # so that no collection in a child walks, and so copies, what it inherited
    probe = torch.ones(2, 3)
    cloudpickle.loads(wire.pack(lambda module: (probe * 2).sum()))(None)
    wire.encode({"value": probe})
    with on_cpu():
        torch.zeros(1)


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
    """Processes that escaped from an observation become the warden's children; none of them lives on."""
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


# ---------------------------------------------------------------- inside the observation


def observation(warden: Warden, request: Request, channel: int) -> None:
    """The child's whole life. Nothing after `confine` is trusted, and nothing here returns."""
    try:
        keep_only(channel, *warden.layers.descriptors())
        warden.layers.confine(warden.scratch, request.limits)
        for descriptor in warden.layers.descriptors():
            os.close(descriptor)
        student = Student(warden)
        while True:
            answer = wire.encode(digest_file(*request.data) if request.kind == "digest" else student.look(request))
            view = memoryview(framed(answer))
            while view:
                view = view[os.write(channel, view) :]
            if not request.session:
                os._exit(0)
            request = pickle.loads(receive(channel))
    except BaseException:
        os._exit(70)


def digest_file(filename: str, data: bytes, roots: list[str], forbidden: list[str]) -> dict:
    found = asdict(clean.digest(filename, data, roots, forbidden))
    return found | {"code": numpy.frombuffer(found["code"], dtype=numpy.uint8)}


class Student:
    """The submission, imported in an observation."""

    def __init__(self, warden: Warden):
        self.given = loader.Given(warden.sandbox.given, warden.sandbox.root)
        self.modules = warden.modules
        self.submission: loader.Submission | None = None

    def look(self, request: Request) -> dict:
        """The value of one look as plain data, or why it has none."""
        # Unpacked before student code loads, at least the first time. What comes later in the same process cannot be
        # trusted, and need not be.
        look = cloudpickle.loads(request.look)
        replacing = cloudpickle.loads(request.replacing) if request.replacing else {}
        if not self.submission:
            self.submission = loader.install(self.modules.graded, self.modules.helpers, self.given)
            quiet_debuggers()
        try:
            module = __import__(request.module)
            others = [sys.modules[name] for name in self.modules.graded if name in sys.modules]
            random.seed(request.seed)
            numpy.random.seed(request.seed % 2**32)
            torch.manual_seed(request.seed)
            torch.set_default_dtype(torch.float32)
            torch.set_grad_enabled(True)
            with replaced(module, replacing, others), on_cpu() if self.modules.mentions_gpu else nullcontext():
                return {"value": look(module)}
        except BaseException as error:
            return {"error": explain(error, self.submission.failures.get(request.module, []))}


@contextmanager
def replaced(module: Any, replacing: Mapping[str, Any], others: Sequence[Any] = ()) -> Iterator[None]:
    """Stand-ins in the place of "function" or "Class.method", for the time of a with block.

    A function is replaced wherever the module or one of `others` holds it; a method also where its class lacks it.
    """
    saved = []
    for name, substitute in replacing.items():
        owner_name, _, attribute = name.rpartition(".")
        owners = [getattr(module, owner_name, None)] if owner_name else [module, *others]
        for owner in owners:
            if hasattr(owner, attribute) or (owner_name and owner is not None):
                saved.append((owner, attribute, vars(owner).get(attribute)))
                setattr(owner, attribute, substitute)
    try:
        yield
    finally:
        for owner, attribute, value in reversed(saved):
            if value is None:  # inherited, or not there
                delattr(owner, attribute)
            else:
                setattr(owner, attribute, value)


def explain(error: BaseException, failures: list[str]) -> dict:
    """An exception as plain data: its type, its message and the student's line that raised it."""
    place, trace = "", error.__traceback__
    while trace:
        code = trace.tb_frame.f_code
        if not os.path.isabs(code.co_filename) and not code.co_filename.startswith("<"):
            place = f"{code.co_filename}, line {trace.tb_lineno}, in {code.co_name}"
        trace = trace.tb_next
    try:
        message = str(error)
    except BaseException:
        message = "(its message cannot be printed)"
    looked_up = isinstance(error, NameError | AttributeError | ImportError)
    notes = failures if looked_up else []
    return {"type": type(error).__name__, "message": message, "place": place, "notes": notes[:3]}


def quiet_debuggers() -> None:
    """A forgotten breakpoint() or pdb.set_trace() stops nobody here."""
    sys.breakpointhook = lambda *args, **kwargs: None
    pdb.set_trace = lambda *args, **kwargs: None
    builtins.input = no_input


def no_input(*args):
    raise EOFError("input() has nobody to ask here: remove it")


def on_cpu() -> TorchFunctionMode:
    """`.cuda()` and `device="cuda"` mean the CPU here: graders have no GPU, and to ask for one is no mistake."""
    torch.nn.Module.cuda = lambda self, device=None: self
    return OnCPU()


class OnCPU(TorchFunctionMode):
    """Every torch call while this is active, with GPU devices among its arguments replaced."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function is torch.Tensor.cuda:
            return args[0]
        kwargs = {key: self.moved(value) for key, value in (kwargs or {}).items()}
        return function(*map(self.moved, args), **kwargs)

    @staticmethod
    def moved(value: Any) -> Any:
        is_gpu = isinstance(value, str | torch.device) and str(value).startswith("cuda")
        return "cpu" if is_gpu else value


# ---------------------------------------------------------------- reading what came back


def read_reply(status: dict, reply: bytes, limits: Limits) -> Any:
    """The value of an observation, or the Failure that says why there is none."""
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
    try:
        answer = wire.decode(reply)
    except ValueError:
        return Failure("reply", "what it returned cannot be read")
    match answer:
        case {"value": value}:
            return value
        case {"error": {"type": str(kind), "message": str(message), "place": str(place), "notes": tuple(notes)}}:
            return exception(kind, message, place, [str(note) for note in notes])
        case dict() if "code" in answer:
            return answer
    return Failure("reply", "what it returned cannot be read")


def exception(kind: str, message: str, place: str, notes: list[str]) -> Failure:
    kind, message, place = wire.plain_text(kind, 60), wire.plain_text(message), wire.plain_text(place, 120)
    if kind == "MemoryError" or "can't allocate memory" in message or "not enough memory" in message:
        return Failure("memory", "it needs more memory than a grade may use", kind, place)
    if notes:
        message += " (" + wire.plain_text("; ".join(notes)) + ")"
    return Failure("exception", message, kind, place)


# ---------------------------------------------------------------- plumbing


HEADER = struct.Struct("<Q")  # before every message: its length


def framed(data: bytes) -> bytes:
    return HEADER.pack(len(data)) + data


def send(channel: socket.socket, data: bytes) -> None:
    channel.sendall(framed(data))


def receive(channel: socket.socket | int) -> bytes:
    (size,) = HEADER.unpack(receive_exactly(channel, HEADER.size))
    return receive_exactly(channel, size)


def receive_exactly(channel: socket.socket | int, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        most = min(size - len(parts), 1 << 20)
        part = os.read(channel, most) if isinstance(channel, int) else channel.recv(most)
        if not part:
            raise EOFError("the other side is gone")
        parts += part
    return bytes(parts)


def keep_only(*kept: int) -> None:
    """Close every file but these; input, output and errors lead nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    for descriptor in map(int, os.listdir("/dev/fd")):
        if descriptor > 2 and descriptor not in kept:
            with suppress(OSError):  # the listing's own is closed by now
                os.close(descriptor)


def neutral_environment(scratch: Path) -> None:
    """Nothing of the grader's environment reaches student code, and no file of the grader's is importable by name."""
    isolation.wipe_environment()
    os.environ.update(
        PATH="/usr/bin:/bin", HOME=str(scratch), TMPDIR=str(scratch), MPLCONFIGDIR=str(scratch), MPLBACKEND="Agg",
        OMP_NUM_THREADS="1", CUDA_VISIBLE_DEVICES="", LANG="C.UTF-8", TQDM_DISABLE="1",
    )  # fmt: skip
    tempfile.tempdir = None
    root = Path(__file__).resolve().parents[1]
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
