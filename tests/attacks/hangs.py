"""Does not end: computes, computes in C, sleeps with signals blocked and its reply closed, leaves threads behind."""

import os
import signal
import threading
import time
from contextlib import suppress

import torch


def log_likelihood_bernoulli(mu, target):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass


def log_likelihood_normal(mu, logvar, z):
    return sum(range(10**13))


def log_mean_exp(y):
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))
    for number in range(3, 64):
        with suppress(OSError):
            os.close(number)  # whoever waits for the end of the reply believes that this was it
    while True:
        time.sleep(1000)


def kl_gaussian_gaussian_analytic(mu_q, logvar_q, mu_p, logvar_p):
    """Right, and leaves threads that never end."""
    for _ in range(3):
        threading.Thread(target=time.sleep, args=(1000,), daemon=False).start()
    kl = 0.5 * (logvar_p - logvar_q + (logvar_q.exp() + (mu_q - mu_p) ** 2) / logvar_p.exp() - 1)
    return kl.flatten(1).sum(dim=1)


def kl_gaussian_gaussian_mc(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    assert torch
    reader, writer = os.pipe()
    os.read(reader, 1)
