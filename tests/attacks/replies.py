"""Answers that are no answers: forged ones on the way back, bombs, lies, and values of every odd kind."""

import json
import os
import struct
from contextlib import suppress

import torch
from torch import Tensor


def log_likelihood_bernoulli(mu, target):
    """A reply of its own, written to whatever is open, and the end before the real one."""
    head = json.dumps({"value": True, "score": 1000}).encode()
    forged = struct.pack("<I", len(head)) + head + struct.pack("<Q", 2) + b"{}"
    for number in range(3, 64):
        with suppress(OSError):
            os.write(number, forged)
    os._exit(0)


def log_likelihood_normal(mu, logvar, z):
    """Twenty megabytes where a few numbers belong."""
    for number in range(3, 64):
        with suppress(OSError):
            for _ in range(20):
                os.write(number, bytes(1 << 20))
    os._exit(0)


class Liar(Tensor):
    """Equal to everything, of every shape, and finite."""

    @classmethod
    def __torch_function__(cls, function, types, arguments=(), options=None):
        return True

    def __eq__(self, other):
        return True

    __hash__ = None


def log_mean_exp(y):
    return torch.zeros(len(y)).as_subclass(Liar)


def kl_gaussian_gaussian_analytic(mu_q, logvar_q, mu_p, logvar_p):
    """Another odd value for every kind of input."""
    kinds = [
        torch.zeros(1).expand(10**12),
        torch.full((len(mu_q),), float("nan")),
        torch.zeros(len(mu_q), dtype=torch.complex64),
        torch.zeros(len(mu_q)).to_sparse(),
        torch.zeros(len(mu_q), device="meta"),
        torch.zeros(10**10, 0),
        {"value": mu_q},
    ]
    return kinds[int(mu_q.abs().sum() * 1000) % len(kinds)]


def kl_gaussian_gaussian_mc(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    nested = []
    for _ in range(100_000):
        nested = [nested]
    return nested
