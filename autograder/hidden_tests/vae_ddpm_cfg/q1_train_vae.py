"""Hidden tests of q1_train_vae.py. Instructors read this file; students never see it.

The student may call functions of q1_vae.py, some of them or none: each of the two terms counts as right when it is
the true one or the one that the stand-ins give.
"""

from collections.abc import Callable
from itertools import product

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from autograder.grading.exercise import NO_GRADIENT, Exercise, number, weight


def simple_likelihood(mu, target):
    """In the place of log_likelihood_bernoulli."""
    return (mu.flatten(1) * (target.flatten(1) + 1)).sum(dim=1)


def simple_divergence(mu_q, logvar_q, mu_p, logvar_p):
    """In the place of kl_gaussian_gaussian_analytic; the terms tell the arguments apart."""
    return (2 * mu_q.square() + 3 * logvar_q + 5 * mu_p.square() + 7 * logvar_p).flatten(1).sum(dim=1)


STAND_INS = {"log_likelihood_bernoulli": simple_likelihood, "kl_gaussian_gaussian_analytic": simple_divergence}


class LossFunction(Exercise):
    module = "q1_train_vae"

    @number("Q1.6")
    @weight(2)
    def test_negative_elbo(self):
        """It is the negative ELBO, summed over the batch."""
        recon, x, mu, logvar = self.batch(5)
        look = lambda q1: q1.loss_function(recon_x=recon, x=x, mu=mu, logvar=logvar)  # noqa: E731
        self.check_elbo(
            look, (recon, x, mu, logvar), "This is not KL(q(z|x) || p(z)) - log p(x|z), summed over the batch"
        )

    @number("Q1.6")
    @weight(1)
    def test_images(self):
        """Images come as (B, 1, 28, 28), a batch of one too."""
        recon, x, mu, logvar = self.batch(1)
        look = lambda q1: q1.loss_function(recon, x.reshape(1, 1, 28, 28), mu, logvar)  # noqa: E731
        self.check_elbo(look, (recon, x, mu, logvar), "For images of shape (B, 1, 28, 28) it is not the negative ELBO")

    @number("Q1.6")
    @weight(1)
    def test_gradient(self):
        """The gradient reaches the decoder's output, mu and logvar."""
        recon, x, mu, logvar = self.batch(3)

        def look(q1):
            inputs = tuple(t.clone().requires_grad_() for t in (recon, mu, logvar))
            loss = q1.loss_function(inputs[0], x, *inputs[1:])
            if not isinstance(loss, torch.Tensor) or not loss.requires_grad:
                return NO_GRADIENT
            return torch.autograd.grad(loss.sum(), inputs, allow_unused=True)

        found = self.observe(look, replacing=STAND_INS)
        reached = isinstance(found, tuple) and all(isinstance(g, Tensor) and bool(g.isfinite().all()) for g in found)
        self.assertTrue(reached, "No gradient reaches recon_x, mu or logvar: no item(), detach() or no_grad()")

    def batch(self, size: int) -> tuple[Tensor, ...]:
        """recon_x, x, mu, logvar"""
        recon, x = self.rand(size, 784, low=0.1, high=0.9), self.rand(size, 784)
        return recon, x, self.randn(size, 20), self.rand(size, 20, low=-2, high=1)

    def check_elbo(self, look: Callable, inputs: tuple[Tensor, ...], sentence: str) -> None:
        """Each term by a stand-in or by the formula; last, all by the student's own functions, if they are right."""
        recon, x, mu, logvar = (t.double() for t in inputs)
        zero = torch.zeros_like(mu)
        likelihood = (x * recon.log() + (1 - x) * (1 - recon).log()).sum()
        divergence = kl_divergence(Normal(mu, (0.5 * logvar).exp()), Normal(zero, zero + 1)).sum()
        likelihoods = simple_likelihood(recon, x).sum(), likelihood
        divergences = simple_divergence(mu, logvar, zero, zero).sum(), divergence
        mixed = [kl - log_p for kl, log_p in product(divergences, likelihoods)]
        self.observe_law(
            look,
            lambda found, truth: self.assertClose(found, truth.float(), sentence),
            [(STAND_INS, mixed), ({}, [divergence - likelihood])],
        )
