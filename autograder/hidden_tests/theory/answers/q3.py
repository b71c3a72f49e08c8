"""Hidden tests of answers.py, question 3: VAE and diffusion."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.distributions import Categorical, MultivariateNormal, Normal, kl_divergence

from autograder.grading.exercise import inputs_survive, number, special, weight

from .common import Derivation, build_chain, build_joint, column, table


def law_of_p(joint: dict) -> MultivariateNormal:
    """The law of (x_0, ..., x_T, z, c); for a chain alone, z and c do not act on x."""
    chain = joint["chain"]
    T = len(chain["betas"])
    a, b, s, k, l = (chain["slopes"], chain["offsets"], chain["variances"], joint["z_slopes"], joint["c_slopes"])
    noise, mean = torch.zeros(T + 3, T + 3, dtype=torch.float64), torch.zeros(T + 3, dtype=torch.float64)
    noise[T + 1, T + 1] = 1.0
    noise[T + 2] = joint["decoder_slope"] * noise[T + 1]
    noise[T + 2, T + 2] = joint["decoder_variance"] ** 0.5
    noise[T, T] = 1.0
    for t in range(T, 0, -1):
        noise[t - 1] = a[t - 1] * noise[t] + k[t - 1] * noise[T + 1] + l[t - 1] * noise[T + 2]
        noise[t - 1, t - 1] += s[t - 1] ** 0.5
        mean[t - 1] = a[t - 1] * mean[t] + b[t - 1]
    return MultivariateNormal(mean, noise @ noise.T)


def law_of_trajectory(x_0: float, betas: Sequence[float]) -> tuple[Tensor, Tensor]:
    """Mean (T + 1,) and covariance (T + 1, T + 1) of (x_0, x_1, ..., x_T) under q; x_0 is fixed."""
    T = len(betas)
    noise, mean = torch.zeros(T + 1, T, dtype=torch.float64), torch.zeros(T + 1, dtype=torch.float64)
    mean[0] = x_0
    for t, beta in enumerate(betas, start=1):
        noise[t] = math.sqrt(1 - beta) * noise[t - 1]
        noise[t, t - 1] += beta**0.5
        mean[t] = math.sqrt(1 - beta) * mean[t - 1]
    return mean, noise @ noise.T


def law_of_q(x_0: float, betas: Sequence[float]) -> MultivariateNormal:
    """The law of (x_1, ..., x_T) given x_0."""
    mean, covariance = law_of_trajectory(x_0, betas)
    return MultivariateNormal(mean[1:], covariance[1:, 1:])


def expected_log_density(p: MultivariateNormal, mean: Tensor, covariance: Tensor) -> Tensor:
    """E[log p(u)] for u with this mean and covariance."""
    return p.log_prob(mean) - 0.5 * torch.trace(p.precision_matrix @ covariance)


def marginal(p: MultivariateNormal, indices: list[int]) -> MultivariateNormal:
    return MultivariateNormal(p.mean[indices], p.covariance_matrix[indices][:, indices])


def alone(chain: dict) -> dict:
    """A chain as a joint in which z and c do not act."""
    zeros = [0.0] * len(chain["betas"])
    return {"chain": chain, "z_slopes": zeros, "c_slopes": zeros, "decoder_slope": 0.0, "decoder_variance": 1.0}


def law_of_x(chain: dict) -> MultivariateNormal:
    return marginal(law_of_p(alone(chain)), list(range(len(chain["betas"]) + 1)))


def elbo_law(x_0: float, chain: dict) -> Tensor:
    law = law_of_trajectory(x_0, chain["betas"])
    return expected_log_density(law_of_x(chain), *law) + law_of_q(x_0, chain["betas"]).entropy()


def step_law(x_0: float, chain: dict, t: int) -> Tensor:
    """E_q[log p(x_{t-1} | x_t)] given x_0."""
    a, b, s = (chain[name][t - 1] for name in ("slopes", "offsets", "variances"))
    mean, covariance = law_of_trajectory(x_0, chain["betas"])
    row = torch.zeros_like(mean)
    row[t - 1], row[t] = 1.0, -a
    error = row @ mean - b
    return -0.5 * math.log(2 * math.pi * s) - (error**2 + row @ covariance @ row) / (2 * s)


def posterior_law(x_0: float, betas: Sequence[float], t: int) -> tuple[Tensor, Tensor, Tensor]:
    """q(x_{t-1} | x_t, x_0), t >= 2, as N(slope x_t + shift, variance)."""
    q = law_of_q(x_0, betas)
    (m_before, m), c = q.mean[t - 2 : t], q.covariance_matrix[t - 2 : t, t - 2 : t]
    slope = c[0, 1] / c[1, 1]
    return slope, m_before - slope * m, c[0, 0] - slope * c[0, 1]


def kl_law_of_step(x_0: float, chain: dict, t: int) -> Tensor:
    """The expected divergence of step t >= 2: minus the posterior's entropy, minus the expected log p."""
    _, _, variance = posterior_law(x_0, chain["betas"], t)
    return -0.5 * torch.log(2 * math.pi * math.e * variance) - step_law(x_0, chain, t)


class DiffusionBound(Derivation):
    module = "answers"

    def chain(self, steps: int) -> dict:
        return {
            "betas": self.numbers(steps, 0.1, 0.6),
            "slopes": self.numbers(steps, 0.4, 1.2),
            "offsets": self.numbers(steps, -0.5, 0.5),
            "variances": self.numbers(steps, 0.2, 0.8),
        }

    def cases(self, *steps: int) -> list[tuple[float, dict]]:
        return [(self.number(-1.5, 1.5), self.chain(n)) for n in steps]

    def at_each(self, name: str, cases: list, law: Callable, sentence: str, length: int = 1, replacing=None) -> None:
        """The function `name` of (x_0, chain) gives what `law` of (x_0, description of the chain) gives."""

        def look(answers):
            points = [{"x_0": x_0, "chain": build_chain(**chain)} for x_0, chain in cases]
            return table(getattr(answers, name), points, length)

        truth = torch.stack([torch.as_tensor(law(*case)).reshape(length) for case in cases])
        self.either(look, [truth], sentence, replacing or {})

    @number("Q3a1")
    @weight(1)
    def test_evidence(self):
        """It is log p(x_0)."""
        sentence = "This is not log p(x_0): carry mean and variance from x_T down to x_0, every step adds its s_t"
        law = lambda x_0, chain: marginal(law_of_x(chain), [0]).log_prob(torch.tensor([x_0]).double())  # noqa: E731
        self.at_each("log_evidence", self.cases(1, 2, 3, 4, 5, 6, 4, 4), law, sentence)

    @number("Q3a2")
    @weight(1)
    def test_ratio(self):
        """It is log p(x_{0:T}) - log q(x_{1:T} | x_0) of a trajectory."""
        cases = [
            (self.randn(len(chain["betas"]) + 1, dtype=torch.float64), chain)
            for _, chain in self.cases(1, 3, 4, 5, 4, 4)
        ]
        truth = [law_of_x(c).log_prob(x) - law_of_q(float(x[0]), c["betas"]).log_prob(x[1:]) for x, c in cases]

        lists = [x.tolist() for x, _ in cases]

        def look(answers):
            chains = [build_chain(**chain) for _, chain in cases]
            return table(answers.log_ratio, [{"x": x, "chain": c} for x, c in zip(lists, chains, strict=True)])

        sentence = "This is not log p(x_T) + sum_t log p(x_{t-1} | x_t) - log q(x_t | x_{t-1})"
        self.holds(look, column(truth), sentence)

    @number("Q3a3")
    @weight(2)
    def test_elbo(self):
        """It is the expectation of the log-ratio under q, exactly."""
        sentence = "This is not E_q[log p(x_{0:T}) - log q(x_{1:T} | x_0)], the expectation of every term"
        self.at_each("elbo", self.cases(1, 2, 3, 4, 5, 4, 4), elbo_law, sentence)

    @number("Q3a3")
    @weight(1)
    @special
    def test_elbo_is_tight(self):
        """It is log p(x_0) where q is the model's own posterior, and never above it."""
        (x_0, chain), (x_1, other) = self.cases(1, 3)
        # One step back from x_1 ~ N(0, 1) with a = sqrt(1 - beta), s = beta is the forward process read backwards.
        chain |= {"slopes": [math.sqrt(1 - chain["betas"][0])], "offsets": [0.0], "variances": list(chain["betas"])}

        def look(answers):
            points = [{"x_0": x, "chain": build_chain(**c)} for x, c in ((x_0, chain), (x_1, other))]
            return table(answers.elbo, points)

        found = self.observe(look).double()
        bound = [
            marginal(law_of_x(c), [0]).log_prob(torch.tensor([x]).double()) for x, c in ((x_0, chain), (x_1, other))
        ]
        rounding = 1e-4 * (1 + float(bound[1].abs()))
        self.assertClose(found[:1].float(), column(bound[:1]).float(), "Where the bound is tight, it is not log p(x_0)")
        self.assertTrue(float(found[1]) <= float(bound[1]) + rounding, "It exceeds log p(x_0): no lower bound")

    @number("Q3b1")
    @weight(1)
    def test_posterior(self):
        """It is the law of x_{t-1} given x_t and x_0."""
        points = []
        for t, steps in ((2, 2), (2, 4), (3, 4), (4, 4), (3, 5), (5, 6)):
            points.append(
                {"x_t": self.number(-2, 2), "x_0": self.number(-2, 2), "t": t, "betas": self.numbers(steps, 0.1, 0.6)}
            )
        rows = [(*posterior_law(p["x_0"], p["betas"], p["t"]), p["x_t"]) for p in points]
        truth = torch.stack([torch.stack([slope * x_t + shift, variance]) for slope, shift, variance, x_t in rows])
        sentence = "This is not mean and variance of q(x_{t-1} | x_t, x_0): check alpha-bar_{t-1} against alpha-bar_t"
        self.holds(lambda a: table(a.posterior, points, 2), truth, sentence)

    @number("Q3b2")
    @weight(1)
    def test_reconstruction(self):
        """It is E_q[log p(x_0 | x_1)]."""
        sentence = "This is not E_q[log p(x_0 | x_1)], with x_1 ~ N(sqrt(1 - beta_1) x_0, beta_1)"
        self.at_each("reconstruction_term", self.cases(1, 2, 3, 4, 4, 4), lambda x, c: step_law(x, c, 1), sentence)

    @number("Q3b3")
    @weight(1)
    def test_kl_terms(self):
        """They are the expected divergences of t = 2 .. T."""
        law = lambda x_0, chain: torch.stack([kl_law_of_step(x_0, chain, t) for t in range(2, 5)])  # noqa: E731
        sentence = "These are not E_q KL[q(x_{t-1} | x_t, x_0) || p(x_{t-1} | x_t)], t = 2 .. T"

        # With this posterior every divergence is as simple to write down as with the true one.
        k, l, u = self.secrets(3)

        def stand_in(x_t, x_0, t, betas):
            return k * x_t + l * x_0, u * betas[t - 1]

        def law_with_stand_in(x_0, chain):
            terms = []
            for t in range(2, 5):
                a, b, s = (chain[name][t - 1] for name in ("slopes", "offsets", "variances"))
                q = law_of_q(x_0, chain["betas"])
                m, v = q.mean[t - 1], q.covariance_matrix[t - 1, t - 1]
                square = ((k - a) * m + l * x_0 - b) ** 2 + (k - a) ** 2 * v
                variance = u * chain["betas"][t - 1]
                terms.append(0.5 * (math.log(s / variance) + (variance + square) / s - 1))
            return torch.stack(terms)

        cases = self.cases(4, 4, 4, 4)

        def look(answers):
            points = [{"x_0": x_0, "chain": build_chain(**chain)} for x_0, chain in cases]
            return table(answers.kl_terms, points, 3)

        truths = [torch.stack([l(*case) for case in cases]) for l in (law, law_with_stand_in)]
        self.either(look, truths, sentence, {"posterior": stand_in})

    @number("Q3b4")
    @weight(1)
    def test_prior(self):
        """It is KL[q(x_T | x_0) || N(0, 1)]."""

        def law(x_0, chain):
            q = marginal(law_of_q(x_0, chain["betas"]), [len(chain["betas"]) - 1])
            return kl_divergence(q, MultivariateNormal(torch.zeros(1).double(), torch.eye(1).double()))

        sentence = "This is not KL[q(x_T | x_0) || p(x_T)], with x_T ~ N(sqrt(alpha-bar_T) x_0, 1 - alpha-bar_T)"
        self.at_each("prior_term", self.cases(1, 2, 3, 4, 5), law, sentence)


class JointBound(Derivation):
    module = "answers"

    def tables(self, rows: int, columns: int) -> dict:
        q = self.rand(rows, columns, low=0.1, high=1, dtype=torch.float64)
        return {"p": self.rand(rows, columns, low=0.02, high=0.3, dtype=torch.float64), "q": q / q.sum()}

    def cases(self) -> list[dict]:
        return [self.tables(2, 2), self.tables(1, 5), self.tables(3, 4), self.tables(4, 1)]

    def edges(self) -> list[dict]:
        """q that is 0 somewhere, and q that is the true posterior."""
        zero, exact = self.tables(3, 3), self.tables(3, 2)
        zero["q"][0, 1] = zero["q"][2, 2] = 0.0
        zero["q"] /= zero["q"].sum()
        exact["q"] = exact["p"] / exact["p"].sum()
        return [zero, exact]

    @number("Q3c1")
    @weight(2)
    def test_bound(self):
        """It is E_q[log p / q]."""
        self.is_bound(self.cases(), "This is not the sum of q log(p / q) over all values of the latent variables")

    @number("Q3c1")
    @weight(1)
    @special
    @inputs_survive
    def test_bound_at_edges(self):
        """Also where q is 0 somewhere; log p(x_0, c) where q is the true posterior; the tables stay as they are."""
        self.is_bound(self.edges(), "It is wrong where an entry of q is 0, or where q is the true posterior")

    @number("Q3c2")
    @weight(2)
    def test_gap(self):
        """It is the divergence between q and the posterior."""
        self.is_gap(self.cases(), "This is not log p(x_0, c) minus the bound: which KL is it, and of what?")

    @number("Q3c2")
    @weight(1)
    @special
    @inputs_survive
    def test_gap_at_edges(self):
        """Also where q is 0 somewhere; and 0 where q is the true posterior; the tables stay as they are."""
        self.is_gap(self.edges(), "It is wrong where an entry of q is 0, or not 0 where q is the true posterior")

    @staticmethod
    def gap(p: Tensor, q: Tensor) -> Tensor:
        return kl_divergence(Categorical(q.flatten()), Categorical(p.flatten() / p.sum()))

    def is_bound(self, cases: list[dict], sentence: str) -> None:
        points = [{name: v.tolist() for name, v in case.items()} for case in cases]
        truth = column([case["p"].sum().log() - self.gap(**case) for case in cases])

        k, l = self.secrets(2)

        def stand_in(p, q):
            return k * p[0][0] + l * q[0][0]

        other = column([case["p"].sum().log() - stand_in(**case) for case in cases])
        self.either(lambda a: table(a.joint_elbo, points), (truth, other), sentence, {"elbo_gap": stand_in})

    def is_gap(self, cases: list[dict], sentence: str) -> None:
        points = [{name: v.tolist() for name, v in case.items()} for case in cases]
        truth = column([self.gap(**case) for case in cases])

        k, l = self.secrets(2)

        def stand_in(p, q):
            return k * p[0][0] + l * q[0][0]

        other = column([case["p"].sum().log() - stand_in(**case) for case in cases])
        self.either(lambda a: table(a.elbo_gap, points), (truth, other), sentence, {"joint_elbo": stand_in})


class VaeAndDiffusion(Derivation):
    module = "answers"

    def joint(self, steps: int) -> dict:
        return {
            "chain": DiffusionBound.chain(self, steps),
            "z_slopes": self.numbers(steps, 0.3, 0.9),
            "c_slopes": self.numbers(steps, -0.5, 0.5),
            "decoder_slope": self.number(0.5, 1.5),
            "decoder_variance": self.number(0.3, 0.8),
            "encoder_c": self.number(0.3, 0.8),
            "encoder_x": self.number(-0.8, -0.3),
            "encoder_variance": self.number(0.2, 0.7),
        }

    def cases(self, *steps: int) -> list[tuple[float, float, dict]]:
        return [(self.number(-1.5, 1.5), self.number(-1.5, 1.5), self.joint(n)) for n in steps]

    @staticmethod
    def encoder(x_0: float, c: float, joint: dict) -> Normal:
        mean = joint["encoder_c"] * c + joint["encoder_x"] * x_0
        variance = torch.tensor(joint["encoder_variance"], dtype=torch.float64)
        return Normal(torch.tensor(mean, dtype=torch.float64), variance.sqrt())

    @staticmethod
    def vae(x_0: float, c: float, joint: dict) -> Tensor:
        q = VaeAndDiffusion.encoder(x_0, c, joint)
        error = (c - joint["decoder_slope"] * q.mean) ** 2 + joint["decoder_slope"] ** 2 * q.variance
        v = joint["decoder_variance"]
        divergence = kl_divergence(q, Normal(torch.zeros(()).double(), torch.ones(()).double()))
        return -0.5 * math.log(2 * math.pi * v) - error / (2 * v) - divergence

    @staticmethod
    def bound(x_0: float, c: float, joint: dict) -> Tensor:
        """E_q[log p(x_{0:T}, c, z)] plus the entropy of q(x_{1:T}, z | c, x_0), from the joint law."""
        betas, q_z = joint["chain"]["betas"], VaeAndDiffusion.encoder(x_0, c, joint)
        T = len(betas)
        mean, covariance = law_of_trajectory(x_0, betas)
        mean = torch.cat([mean, q_z.mean.reshape(1), torch.tensor([c]).double()])
        covariance = torch.nn.functional.pad(covariance, (0, 2, 0, 2))
        covariance[T + 1, T + 1] = q_z.variance
        return expected_log_density(law_of_p(joint), mean, covariance) + law_of_q(x_0, betas).entropy() + q_z.entropy()

    @number("Q3d")
    @weight(1)
    def test_factorization(self):
        """It is the encoder's log-density plus that of the forward process."""
        cases = [
            (self.randn(n + 1, dtype=torch.float64), self.number(-2, 2), self.number(-2, 2), self.joint(n))
            for n in (1, 2, 3, 4, 4)
        ]
        truth = [
            self.encoder(float(x[0]), c, joint).log_prob(torch.tensor(z).double())
            + law_of_q(float(x[0]), joint["chain"]["betas"]).log_prob(x[1:])
            for x, z, c, joint in cases
        ]

        lists = [x.tolist() for x, *_ in cases]

        def look(answers):
            others = [{"z": z, "c": c, "joint": build_joint(**j)} for _, z, c, j in cases]
            return table(answers.log_q, [{"x": x} | other for x, other in zip(lists, others, strict=True)])

        sentence = "This is not log q_psi(z | c, x_0) + sum_{t=1}^T log q(x_t | x_{t-1})"
        self.holds(look, column(truth), sentence)

    @number("Q3e1")
    @weight(1)
    def test_vae_part(self):
        """It is E_q[log p(c | z)] - KL[q(z | c, x_0) || p(z)]."""
        cases = self.cases(2, 2, 3, 3, 3, 3)

        def look(answers):
            return table(answers.vae_part, [{"x_0": x_0, "c": c, "joint": build_joint(**j)} for x_0, c, j in cases])

        sentence = "This is not the VAE's bound: the expected log-likelihood of c, minus the divergence from the prior"
        self.holds(look, column([self.vae(*case) for case in cases]), sentence)

    @number("Q3e2")
    @weight(1)
    def test_ddpm_part(self):
        """With the VAE component it adds up to the bound of (c)."""
        cases = self.cases(1, 2, 3, 4, 3, 3)

        def look(answers):
            return table(answers.ddpm_part, [{"x_0": x_0, "c": c, "joint": build_joint(**j)} for x_0, c, j in cases])

        slope, shift = self.secrets(2)

        # Quadratic in the offsets, with the slope of the true one; without the other terms.
        def stand_in(x_0, chain):
            squares = [b**2 / s for b, s in zip(chain.offsets, chain.variances, strict=True)]
            return slope * x_0 + shift - 0.5 * sum(squares)

        def law_with_stand_in(x_0, c, joint):
            q, chain, total = self.encoder(x_0, c, joint), joint["chain"], slope * x_0 + shift
            for b, s, k, l in zip(
                chain["offsets"], chain["variances"], joint["z_slopes"], joint["c_slopes"], strict=True
            ):
                total -= 0.5 * ((b + k * q.mean + l * c) ** 2 + k**2 * q.variance) / s
            return total

        truths = (
            column([self.bound(*case) - self.vae(*case) for case in cases]),
            column([law_with_stand_in(*case) for case in cases]),
        )
        sentence = "This is not the expected bound of the diffusion, with z from the encoder"
        self.either(look, truths, sentence, {"elbo": stand_in})
