"""What keeps a submission away from everything that is not its own: one list of layers.

Run by the sandbox, never by student code. `prepare()` finds out, once and in a trusted process, which
layers this host offers; `Layers.confine()` puts them on a freshly forked process before it loads any
student file. A layer that the host lacks is reported with its reason, never dropped silently.

Landlock and capabilities have no well-kept Python binding, so they are three system calls through ctypes
(numbers: Linux UAPI headers `landlock.h`, `capability.h`); seccomp goes through libseccomp (pyseccomp).
"""

import contextlib
import ctypes
import errno
import os
import platform
import resource
import site
import struct
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FREE_UIDS = range(61_184, 65_520)  # systemd's range for passing users: they belong to nobody for long
LINUX = sys.platform == "linux"

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 4, 36, 38
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
SYS_LANDLOCK_CREATE, SYS_LANDLOCK_ADD_RULE, SYS_LANDLOCK_RESTRICT = 444, 445, 446  # the same on every arch
CLONE_THREAD = 0x0001_0000
CLONE_NEWUSER, CLONE_NEWNET, CLONE_NEWIPC = 0x1000_0000, 0x4000_0000, 0x0800_0000

# Landlock's file system rights, by the ABI that introduced them.
READ_RIGHTS = 0b1101  # execute (to map libraries), read_file, read_dir
ALL_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
FILE_RIGHTS = 0b111 | 1 << 14 | 1 << 15  # those that make sense for something that is not a directory

# What a computation never needs. Threads are allowed (torch), processes are not. Every entry answers EPERM.
FORBIDDEN_CALLS = """
    fork vfork execve execveat socket
    kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_open pidfd_send_signal pidfd_getfd
    ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp
    setpriority ioprio_set sched_setscheduler sched_setparam sched_setattr migrate_pages move_pages
    socketpair memfd_create memfd_secret shmget semget msgget mq_open
    chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes futimesat utimensat
    setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr
    mount umount2 pivot_root chroot unshare setns open_tree move_mount fsopen fsmount mount_setattr
    bpf perf_event_open userfaultfd fanotify_init keyctl add_key request_key io_uring_setup
    open_by_handle_at name_to_handle_at init_module finit_module delete_module
    reboot swapon swapoff sethostname setdomainname settimeofday clock_settime acct quotactl syslog
""".split()  # noqa: SIM905  (a block of names reads better than a list of strings)


@dataclass(frozen=True)
class Limits:
    """What one observation may use. Seconds are seconds of computing: a busy machine costs nobody points."""

    cpu_seconds: int = 5
    wall_seconds: float = 20.0
    memory_mb: int = 1024  # on top of what the sandbox itself has mapped
    file_mb: int = 8  # per file written
    open_files: int = 64  # with file_mb, this bounds what files without a name can hold
    scratch_mb: int = 64  # all files with a name together
    threads: int = 200
    reply_mb: int = 16


@dataclass
class Layers:
    """The layers of this host. `active` and `missing` go into every results.json."""

    active: list[str] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    uid: int | None = None
    own_count: bool = False  # the kernel counts this sandbox's threads apart from everybody else's
    landlock: "Landlock | None" = None
    seccomp: bytes = b""  # the compiled filter

    def descriptors(self) -> list[int]:
        """Open files that `confine` needs."""
        return [self.landlock.ruleset] if self.landlock else []

    def confine(self, scratch: Path, limits: Limits) -> None:
        """Confine the calling process, for good. Call it after the fork and before any student code."""
        os.setsid()  # a group of its own, so that one signal ends it with whatever it started
        os.chdir(scratch)
        set_limits(limits)
        if LINUX:
            with contextlib.suppress(OSError):  # where memory runs out, the observation dies, not the grader
                Path("/proc/self/oom_score_adj").write_text("1000")
        if self.uid is not None:
            os.setgroups([])
            os.setresgid(self.uid, self.uid, self.uid)
            os.setresuid(self.uid, self.uid, self.uid)
        if self.own_count:
            resource.setrlimit(resource.RLIMIT_NPROC, (limits.threads, limits.threads))
        if not LINUX:
            return
        prctl(PR_SET_PDEATHSIG, 9)  # after the change of user, which takes it back
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        prctl(PR_SET_DUMPABLE, 0)
        drop_capabilities()
        if self.landlock:
            self.landlock.restrict()
        if self.seccomp:
            load_seccomp(self.seccomp)


def prepare(readable: list[Path], scratch: Path, without: frozenset[str] = frozenset()) -> Layers:
    """Find out which layers this host offers, and make them ready.

    Args:
        readable: given code that a submission imports; Python and its libraries are added here.
        scratch: the one folder that a submission may write to.
        without: names of layers to leave out (benchmarks and tests only; reported as missing).
    """
    layers = Layers(active=["separate process", "resource limits"])
    paths = [*python_paths(), *readable]

    def layer(name: str, start: Callable[[], Any]) -> None:
        if name in without:
            layers.missing[name] = "switched off"
            return
        try:
            start()
            layers.active.append(name)
        except OSError as error:
            layers.missing[name] = error.strerror or str(error)

    def unprivileged_user() -> None:
        if os.getuid() != 0:
            raise OSError(0, "the grader is not root, so the submission runs as the same user")
        uid = FREE_UIDS[os.getpid() % len(FREE_UIDS)]  # another one for every grade that runs at the same time
        unreadable = first_unreadable(uid, [*paths, Path(os.__file__)])
        if unreadable:
            raise OSError(0, f"{unreadable} is closed to other users")
        os.chown(scratch, uid, uid)
        layers.uid, layers.own_count = uid, True

    def landlock() -> None:
        layers.landlock = Landlock(read=paths, write=[scratch])

    def seccomp() -> None:
        try:
            layers.seccomp = compiled_seccomp()
        except (ImportError, OSError, RuntimeError, AttributeError) as error:
            raise OSError(0, f"libseccomp cannot be loaded ({error})") from error

    def no_network() -> None:
        flags = CLONE_NEWNET | CLONE_NEWIPC | (0 if os.getuid() == 0 else CLONE_NEWUSER)
        call("unshare", libc().unshare(flags))
        layers.own_count |= bool(flags & CLONE_NEWUSER)

    layer("unprivileged user", unprivileged_user)
    if LINUX:
        layers.active += ["no new privileges", "capabilities dropped"]
        layer("landlock", landlock)
        layer("seccomp", seccomp)
        layer("network namespace", no_network)
    else:
        for name in ("landlock", "seccomp", "network namespace"):
            layers.missing[name] = f"{platform.system()} does not have it"
    return layers


def exposed(layers: Layers, private: list[Path]) -> str:
    """Why a submission could read some of these files after all; empty when no layer is lacking that prevents it."""
    if "landlock" in layers.active:
        return ""
    if "unprivileged user" not in layers.active:
        return "a submission can read whatever this user can: tests, solutions, other submissions"
    for path in private:
        if path.exists() and first_unreadable(FREE_UIDS[0], [path]) is None:
            return f"every user of this machine can read {path}: close it with chmod -R go-rwx"
    return ""


def hide_from_same_user() -> None:
    """Keep other processes of this user out of this one's memory (/proc/<pid>/mem, ptrace)."""
    if LINUX:
        prctl(PR_SET_DUMPABLE, 0)


def bound_own_memory(megabytes: int = 1536) -> None:
    """No shape that a submission returns shall talk the grader into a computation that ends it: two small tensors of
    odd shapes, subtracted, may need a terabyte. It is an exception then, and costs one test."""
    if LINUX:
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (mapped_bytes() + (megabytes << 20), hard))


def mapped_bytes() -> int:
    pages, *_ = Path("/proc/self/statm").read_text().split()
    return int(pages) * resource.getpagesize()


def wipe_environment() -> None:
    """Forget the environment that this process was started with, in memory too, where a forked child would find it."""
    for value in getattr(os.environ, "_data", {}).values():
        if len(value) > 7:  # Python shares the shortest ones with everybody
            ctypes.memset(id(value) + bytes.__basicsize__ - 1, 0, len(value))
    os.environ.clear()
    if LINUX:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        start, end = int(fields[47]), int(fields[48])  # env_start and env_end, fields 50 and 51 of proc(5)
        ctypes.memset(start, 0, end - start)


def keep_only(*kept: int) -> None:
    """Close every file but these; input, output and errors lead nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    for descriptor in map(int, os.listdir("/dev/fd")):
        if descriptor > 2 and descriptor not in kept:
            with contextlib.suppress(OSError):  # the listing's own is closed by now
                os.close(descriptor)


def set_limits(limits: Limits) -> None:
    mega = 1 << 20
    memory = limits.memory_mb * mega
    wanted = {
        "RLIMIT_CPU": limits.cpu_seconds,
        "RLIMIT_FSIZE": limits.file_mb * mega,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_CORE": 0,
    }
    if LINUX:
        wanted["RLIMIT_AS"] = mapped_bytes() + memory
    for name, value in wanted.items():
        kind = getattr(resource, name)
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def python_paths() -> list[Path]:
    """Where Python, torch and the shared libraries live: all that an import may read."""
    import torch

    installed = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    found = {Path(p) for p in [*installed, *site.getsitepackages()]}
    found |= {Path(os.__file__).parent, Path(torch.__file__).parents[1], Path(sys.base_prefix) / "lib"}
    found |= {Path(p) for p in ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share")}
    found |= {Path(p) for p in ("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/etc/mime.types")}
    found |= {Path(p) for p in ("/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system", "/dev/urandom")}
    return sorted(p for p in found if p.exists())


def first_unreadable(uid: int, paths: list[Path]) -> Path | None:
    """The first path that a process of this uid cannot open, tried for real in a child."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        path: Path | str = "a new user id"
        try:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            for path in paths:
                os.close(os.open(path, os.O_RDONLY))
        except OSError:
            os.write(writer, os.fsencode(path))
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        found = os.fsdecode(file.read())
    os.waitpid(child, 0)
    return Path(found) if found else None


class Landlock:
    """A Landlock domain: read `read`, write `write`, no TCP, no signals to and no sockets of outsiders."""

    def __init__(self, read: list[Path], write: list[Path]):
        abi = libc().syscall(SYS_LANDLOCK_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
        if abi < 1:
            raise OSError(errno.ENOSYS, "this kernel has no Landlock")
        self.abi = abi
        rights = ALL_RIGHTS[max(version for version in ALL_RIGHTS if version <= abi)]
        network = 0b11 if abi >= 4 else 0  # bind and connect
        scoped = 0b11 if abi >= 6 else 0  # abstract unix sockets, signals
        attributes = struct.pack("QQQ", rights, network, scoped)[: 8 if abi < 4 else 16 if abi < 6 else 24]
        self.ruleset = call(
            "landlock_create_ruleset",
            libc().syscall(SYS_LANDLOCK_CREATE, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0)),
        )
        for path in read:
            self._allow(path, READ_RIGHTS & rights)
        for path in write:
            self._allow(path, rights)
        self._allow(Path("/dev/null"), (READ_RIGHTS | 0b10) & rights)

    def _allow(self, path: Path, rights: int) -> None:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not path.is_dir():
                rights &= FILE_RIGHTS
            rule = struct.pack("=Qi", rights, handle)
            result = libc().syscall(
                SYS_LANDLOCK_ADD_RULE, ctypes.c_int(self.ruleset), ctypes.c_int(1), rule, ctypes.c_uint32(0)
            )
            call("landlock_add_rule", result)
        finally:
            os.close(handle)

    def restrict(self) -> None:
        result = libc().syscall(SYS_LANDLOCK_RESTRICT, ctypes.c_int(self.ruleset), ctypes.c_uint32(0))
        call("landlock_restrict_self", result)


def compiled_seccomp() -> bytes:
    """The filter: no processes, no programs, no sockets, no signals; the rest as usual. Compiled once, loaded often."""
    from pyseccomp import ALLOW, ERRNO, MASKED_EQ, NE, Arg, SyscallFilter

    rules = SyscallFilter(defaction=ALLOW)

    def deny(name: str, *conditions: Any, code: int = errno.EPERM) -> None:
        # A call that this architecture or this libseccomp does not know cannot be made through it either.
        with contextlib.suppress(OSError, ValueError):
            rules.add_rule(ERRNO(code), name, *conditions)

    for name in FORBIDDEN_CALLS:
        deny(name)
    deny("clone", Arg(0, MASKED_EQ, CLONE_THREAD, 0))
    deny("clone3", code=errno.ENOSYS)  # its flags are out of a filter's reach; libc falls back to clone
    deny("prlimit64", Arg(0, NE, 0))
    deny("sched_setaffinity", Arg(0, NE, 0))
    # The kernel reads these as 32 bits, a filter compares 64: without the mask a high bit would slip through.
    low = 0xFFFF_FFFF
    deny("prctl", Arg(0, MASKED_EQ, low, PR_SET_PDEATHSIG))  # it dies with its supervisor
    for request in (0x5412, 0x541C, 0x8901, 0x8902):  # TIOCSTI, TIOCLINUX: typing into a terminal; FIOSETOWN, SIOCSPGRP
        deny("ioctl", Arg(1, MASKED_EQ, low, request))
    for command in (8, 10, 15):  # F_SETOWN, F_SETSIG, F_SETOWN_EX: signals by way of a pipe
        deny("fcntl", Arg(1, MASKED_EQ, low, command))
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def load_seccomp(program: bytes) -> None:
    """Put the compiled filter on this process: struct sock_fprog of linux/filter.h, 8 bytes an instruction."""
    instructions = ctypes.create_string_buffer(program, len(program))
    fprog = ctypes.create_string_buffer(struct.pack("HP", len(program) // 8, ctypes.addressof(instructions)))
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(fprog))


def drop_capabilities() -> None:
    """Also a root, or the master of a user namespace, can then do nothing that others cannot."""
    header = struct.pack("Ii", 0x2008_0522, 0)
    call("capset", libc().capset(header, struct.pack("6I", *[0] * 6)))


def prctl(option: int, value: int, address: int = 0) -> None:
    call("prctl", libc().prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(address), 0, 0))


def libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def call(name: str, result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result
