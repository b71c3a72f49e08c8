"""Hidden tests of answers.py, question 1: KL divergence of Gaussians."""

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from autograder.grading.exercise import number, special, weight

from .common import Derivation, column, table


def kl_law(points: list[dict], q_first: bool) -> Tensor:
    """(N, 1): KL[q || p], or KL[p || q]."""
    p = Normal(*(torch.tensor([point[name] for point in points]).double() for name in ("mu_1", "sigma_1")))
    q = Normal(*(torch.tensor([point[name] for point in points]).double() for name in ("mu_2", "sigma_2")))
    return (kl_divergence(q, p) if q_first else kl_divergence(p, q)).reshape(-1, 1)


class KLOfGaussians(Derivation):
    module = "answers"

    def gaussians(self, count: int) -> list[dict]:
        mu, sigma = (-1.5, 1.5), (0.5, 2)
        return self.points(count, mu_1=mu, sigma_1=sigma, mu_2=mu, sigma_2=sigma)

    def edges(self) -> list[dict]:
        """Equal means, equal deviations, both."""
        points = self.gaussians(6)
        for point in points[:4]:
            point["mu_2"] = point["mu_1"]
        for point in points[2:]:
            point["sigma_2"] = point["sigma_1"]
        return points

    @number("Q1a")
    @weight(2)
    def test_q_p(self):
        """It is KL[q || p] for any two Gaussians."""
        points = self.gaussians(30)
        sentence = "This is not E_q[log q(x) - log p(x)], with p = N(mu_1, sigma_1^2) and q = N(mu_2, sigma_2^2)"
        self.holds(lambda a: table(a.kl_q_p, points), kl_law(points, q_first=True), sentence)

    @number("Q1a")
    @weight(1)
    @special
    def test_q_p_where_something_is_equal(self):
        """It is 0 where p = q, and right where only the means or only the deviations differ."""
        points = self.edges()
        sentence = "It is wrong where the means are equal, where the deviations are, or where both are (then it is 0)"
        self.holds(lambda a: table(a.kl_q_p, points), kl_law(points, q_first=True), sentence)

    @number("Q1b")
    @weight(1)
    def test_p_q(self):
        """It is KL[p || q] for any two Gaussians."""
        points = self.gaussians(30) + self.edges()
        sentence = "This is not E_p[log p(x) - log q(x)], with p = N(mu_1, sigma_1^2) and q = N(mu_2, sigma_2^2)"

        a, b, c, d = self.secrets(4)

        def stand_in(mu_1, sigma_1, mu_2, sigma_2):
            return a * mu_1 + b * sigma_1 + c * mu_2 + d * sigma_2

        swapped = [
            {"mu_1": p["mu_2"], "sigma_1": p["sigma_2"], "mu_2": p["mu_1"], "sigma_2": p["sigma_1"]} for p in points
        ]
        truths = kl_law(points, q_first=False), column([stand_in(**point) for point in swapped])
        self.either(lambda a: table(a.kl_p_q, points), truths, sentence, {"kl_q_p": stand_in})

    @number("Q1c")
    @weight(1)
    def test_witness(self):
        """The two divergences of the pair differ."""
        found = self.observe(lambda a: table(a.kl_witness, [{}], 4))[0].double()
        self.assertTrue(bool(found.isfinite().all()), "The four numbers are not all finite")
        point = dict(zip(("mu_1", "sigma_1", "mu_2", "sigma_2"), found.tolist(), strict=True))
        positive = point["sigma_1"] > 0 and point["sigma_2"] > 0
        self.assertTrue(positive, "A standard deviation is not positive; the order is mu_1, sigma_1, mu_2, sigma_2")
        one, other = (float(kl_law([point], q_first)) for q_first in (True, False))
        apart = abs(one - other) >= 0.01 * max(one, other) > 0
        sentence = "For this pair KL[q || p] and KL[p || q] are equal, or differ by less than 1 %"
        if point["sigma_1"] == point["sigma_2"]:
            sentence += ": with equal deviations both are (mu_1 - mu_2)^2 / (2 sigma^2), so change a deviation"
        self.assertTrue(apart, sentence)
