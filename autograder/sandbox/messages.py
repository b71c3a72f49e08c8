"""What the sides of the sandbox say to each other, and how a message is framed. Data only: every side imports this.

client ──Request──> supervisor ──Request──> worker        (trusted to less trusted: pickle)
client <──reply──── supervisor <──reply──── worker        (bytes that only the client reads, by wire.py)
"""

import os
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from autograder.sandbox.isolation import Limits


@dataclass(frozen=True)
class Look:
    """What is to be seen: a function of a module of the student's, and the circumstances in which it is called.

    Args:
        module: the student's file, without .py.
        function: called with the module; what it returns is what was seen.
        replacing: {"function" or "Class.method": stand-in} for earlier exercises.
        seed: of all global generators before the call.
        limits: of the process that takes the look; None: the sandbox's usual ones.
    """

    module: str
    function: Callable[[Any], Any]
    replacing: Mapping[str, Callable] = field(default_factory=dict)
    seed: int = 0
    limits: Limits | None = None


@dataclass(frozen=True)
class Failure:
    """Why a look has no value.

    kind: "exception" (raised by student code, `type` and `message` tell), "time", "memory", "disk", "threads", "crash",
    "exit", "reply" (unreadable or too large) or "sandbox" (our fault).
    """

    kind: str
    message: str
    type: str = ""
    place: str = ""  # "q1_vae.py, line 12, in log_mean_exp"
    line: str = ""  # the text of that line
    shapes: tuple[str, ...] = ()  # "x (4, 3)" of the tensors that it names

    @property
    def unfinished(self) -> bool:
        """A stub's own exception; torch raises the same for an operation that a dtype lacks, as `^` between floats."""
        return self.type == "NotImplementedError" and " not implemented for '" not in self.message


@dataclass
class Modules:
    """What workers can import: extracted files, each in one or more parts, and what they import from libraries."""

    graded: dict[str, list[bytes]] = field(default_factory=dict)
    helpers: dict[str, list[bytes]] = field(default_factory=dict)
    imports: set[str] = field(default_factory=set)
    forbidden: tuple[str, ...] = ()  # packages that an answer may not use: "torch.distributions"


@dataclass(frozen=True)
class Attempts:
    """What a worker shall try on the student's own function (workbench.py), with the look that comes with it.

    Args:
        target: the exercise's "function" or "Class.method".
        others: the targets of the other exercises, which are left alone.
        tries: numbers of edits to make together, for each look to be taken.
        patience: seconds that each of these looks may take.
        describe: do not look, say what the edits of the first try are.
    """

    target: str
    others: tuple[str, ...]
    tries: tuple[tuple[int, ...], ...]
    patience: float = 0.5
    describe: bool = False


@dataclass(frozen=True)
class Request:
    """What a supervisor is asked for. It travels from the trusted side only, so pickle is fine here."""

    kind: str  # "extract", "look", "attempts", "modules" or "end"
    limits: Limits
    data: Any = None
    module: str = ""
    look: bytes = b""
    replacing: bytes = b""
    seed: int = 0
    session: str = ""  # looks of the same session share a process


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
