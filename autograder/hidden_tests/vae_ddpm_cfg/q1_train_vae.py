"""Hidden tests of q1_train_vae.py. Instructors read this file; students never see it.

The student may call functions of q1_vae.py, some of them or none: each of the two terms counts as right when it is
the true one or the one that the stand-ins give.
"""

from collections.abc import Callable
from itertools import product

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from autograder.grading.exercise import Exercise, gradients, inputs_survive, leaves, number, special, weight


class Known:
    """Wrong functions in the place of q1_vae's, with coefficients drawn for each test."""

    def __init__(self, case: Exercise):
        a, b, c, d, e, f = (case.number(1, 5) for _ in range(6))

        def likelihood(mu, target):
            return (a * mu.flatten(1) * (target.flatten(1) + b)).sum(dim=1)

        def divergence(mu_q, logvar_q, mu_p, logvar_p):
            return (c * mu_q.square() + d * logvar_q + e * mu_p.square() + f * logvar_p).flatten(1).sum(dim=1)

        self.likelihood, self.divergence = likelihood, divergence
        self.replacing = {"log_likelihood_bernoulli": likelihood, "kl_gaussian_gaussian_analytic": divergence}


class LossFunction(Exercise):
    module = "q1_train_vae"
    about = "This is not KL(q(z|x) || p(z)) - log p(x|z), summed over the batch"

    @number("Q1.6")
    @weight(2)
    def test_negative_elbo(self):
        """It is the negative ELBO, summed over the batch."""
        recon, x, mu, logvar = self.batch(5)
        look = lambda q1: q1.loss_function(recon_x=recon, x=x, mu=mu, logvar=logvar)  # noqa: E731
        self.check_elbo(look, (recon, x, mu, logvar), self.about)

    @number("Q1.6")
    @weight(1)
    @special
    @inputs_survive
    def test_images(self):
        """Images come as (B, 1, 28, 28), a batch of one too; all inputs stay as they are."""
        recon, x, mu, logvar = self.batch(1)
        look = lambda q1: q1.loss_function(recon, x.reshape(1, 1, 28, 28), mu, logvar)  # noqa: E731
        self.check_elbo(look, (recon, x, mu, logvar), "For images of shape (B, 1, 28, 28) it is not the negative ELBO")

    @number("Q1.6")
    @weight(1)
    @special
    def test_gradient(self):
        """Its gradients with respect to the decoder's output, mu and logvar are right."""
        inputs = recon, x, mu, logvar = self.batch(3)

        def look(q1):
            mine = leaves(recon, mu, logvar)
            loss = q1.loss_function(mine[0], x, *mine[1:])
            touched = any(leaf.grad is not None for leaf in mine)
            return {"loss": loss, "touched": touched, "gradients": None if touched else gradients(loss, *mine)}

        def law(found, truth):
            self.assertClose(found["loss"], truth.detach().float(), self.about)
            self.assertFalse(
                found["touched"], "It calls backward() itself: return the loss, the training loop does that"
            )
            expected = tuple(g.float() for g in torch.autograd.grad(truth, wanted, retain_graph=True))
            sentence = "The loss is right, but not its gradient: no item(), detach() or no_grad()"
            self.assertClose(found["gradients"], expected, sentence)

        doubles = tuple(t.double() for t in inputs)
        wanted = leaves(doubles[0], *doubles[2:])
        known = Known(self)
        mixed, right = self.elbos(known, wanted[0], doubles[1], *wanted[1:])
        self.observe_law(look, law, [(known.replacing, mixed), ({}, [right])])

    def batch(self, size: int) -> tuple[Tensor, ...]:
        """recon_x, x, mu, logvar"""
        recon, x = self.rand(size, 784, low=0.02, high=0.98), self.rand(size, 784)
        return recon, x, self.randn(size, 20), self.rand(size, 20, low=-2, high=1)

    def check_elbo(self, look: Callable, inputs: tuple[Tensor, ...], sentence: str) -> None:
        known = Known(self)
        mixed, right = self.elbos(known, *(t.double() for t in inputs))
        law = lambda found, truth: self.assertClose(found, truth.float(), sentence)  # noqa: E731
        self.observe_law(look, law, [(known.replacing, mixed), ({}, [right])])

    @staticmethod
    def elbos(known: Known, recon: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> tuple[list[Tensor], Tensor]:
        """Negative: each term by a stand-in or by the formula; and both by the formula."""
        zero = torch.zeros_like(mu)
        likelihood = (x * recon.log() + (1 - x) * (1 - recon).log()).sum()
        divergence = kl_divergence(Normal(mu, (0.5 * logvar).exp()), Normal(zero, zero + 1)).sum()
        likelihoods = known.likelihood(recon, x).sum(), likelihood
        divergences = known.divergence(mu, logvar, zero, zero).sum(), divergence
        return [kl - log_p for kl, log_p in product(divergences, likelihoods)], divergence - likelihood
