"""Make a process cheap to fork that many graders are forked from (preload.py).

torch leaves some 70,000 small pages of private memory behind, and every fork copies an entry for each of them.
Collapsed into huge pages of 2 MB they are a few hundred, and a grade costs a quarter to a third less. A single grade
does not do it: there, collapsing costs about what it saves. Linux 6.1 or later; elsewhere it does nothing.
"""

import ctypes
from pathlib import Path

MADV_COLLAPSE = 25
HUGE = 2 << 20


def collapse() -> None:
    """Collapse this process's private memory into huge pages, as far as the kernel can."""
    try:
        madvise = ctypes.CDLL(None).madvise
        lines = Path("/proc/self/maps").read_text().splitlines()
    except (OSError, AttributeError):
        return
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for line in lines:
        span, mode, *_, name = [*line.split(maxsplit=5), ""][:6]
        if mode == "rw-p" and name in ("", "[heap]"):
            low, high = (int(end, 16) for end in span.split("-"))
            low, high = -(-low // HUGE) * HUGE, high // HUGE * HUGE
            if low < high:
                madvise(low, high - low, MADV_COLLAPSE)
