"""Questions 2 and 3 of vae_ddpm_cfg: the reference against mathematics done another way, in float64; the given code.

Statistical tests use 6 standard errors: a false alarm once in 5e8.
"""

import dataclasses
import importlib
import importlib.util
import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "solutions" / "vae_ddpm_cfg"
T = 50


def reference(name: str):
    spec = importlib.util.spec_from_file_location(f"reference_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def float64():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def ddpm(float64):
    return reference("q2_ddpm").DenoiseDiffusion(eps_model=None, n_steps=T, device="cpu")


@pytest.fixture
def cfg(float64):
    return reference("q3_cfg_diffusion").CFGDiffusion(eps_model=None, n_steps=T, device="cpu")


def times(n: int, t: int) -> torch.Tensor:
    return torch.full((n,), t)


# Question 2: DDPM


def test_ddpm_forward_moments_compose_the_single_steps(ddpm):
    """q(x_t | x_0) is t + 1 steps x -> sqrt(1 - beta) x + sqrt(beta) eps, one after the other."""
    x0 = torch.randn(2, 3, 5, 4)
    mean, var = x0, torch.zeros(2, 1, 1, 1)
    for t in range(T):
        mean, var = (1 - ddpm.beta[t]).sqrt() * mean, (1 - ddpm.beta[t]) * var + ddpm.beta[t]
        actual = ddpm.q_xt_x0(x0, times(2, t))
        torch.testing.assert_close(actual, (mean, var), rtol=1e-10, atol=1e-12)


def test_ddpm_times_differ_within_a_batch(ddpm):
    x0, t = torch.randn(97, 1, 3, 5), torch.randint(0, T, (97,))
    eps = torch.randn_like(x0)
    one_by_one = [ddpm.q_sample(x0[i : i + 1], t[i : i + 1], eps[i : i + 1]) for i in range(97)]
    torch.testing.assert_close(ddpm.q_sample(x0, t, eps), torch.cat(one_by_one))


def test_ddpm_reverse_mean_is_the_posterior_mean_of_the_predicted_image(ddpm):
    """Eq. 11 equals eq. 7 at x0 = (x_t - sqrt(1 - alpha_bar) eps) / sqrt(alpha_bar), with alpha_bar_{-1} = 1."""
    xt, eps = torch.randn(2, 1, 3, 5), torch.randn(2, 1, 3, 5)
    ddpm.eps_model = lambda x, t: eps
    for t in range(T):
        alpha_bar, beta = ddpm.alpha_bar[t], ddpm.beta[t]
        previous = ddpm.alpha_bar[t - 1] if t else torch.tensor(1.0)
        x0 = (xt - (1 - alpha_bar).sqrt() * eps) / alpha_bar.sqrt()
        posterior = previous.sqrt() * beta * x0 + (1 - beta).sqrt() * (1 - previous) * xt
        mean, var = ddpm.p_xt_prev_xt(xt, times(2, t))
        torch.testing.assert_close(mean, posterior / (1 - alpha_bar), rtol=1e-8, atol=1e-10)
        torch.testing.assert_close(var.flatten(), beta.expand(2))


def test_ddpm_no_noise_at_time_zero_and_only_there(ddpm):
    ddpm.eps_model = lambda x, t: torch.zeros_like(x)
    xt, t = torch.randn(4, 1, 3, 5), torch.tensor([0, 1, 0, 7])
    mean, _ = ddpm.p_xt_prev_xt(xt, t)
    is_mean = (ddpm.p_sample(xt, t) == mean).flatten(start_dim=1).all(dim=1)
    assert is_mean.tolist() == [True, False, True, False]


class GaussianNoise(nn.Module):
    """The best prediction of the noise for data N(m, s^2): E[eps | x_t] = sqrt(1 - a) (x_t - sqrt(a) m) / Var[x_t]."""

    def __init__(self, alpha_bar: torch.Tensor, m: float, s: float):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))
        self.alpha_bar, self.m, self.s = alpha_bar, m, s

    def forward(self, x, t):
        a = self.alpha_bar[t].reshape(-1, 1, 1, 1)
        return (1 - a).sqrt() * (x - a.sqrt() * self.m) / (a * self.s**2 + 1 - a)


def exact_moments(ddpm, m: float, s: float) -> tuple[float, float]:
    """Mean and variance of x_0 after the whole reverse process: every step is linear, so they can be followed."""
    mean, var = 0.0, 1.0
    for t in reversed(range(ddpm.n_steps)):
        a, beta = ddpm.alpha_bar[t].item(), ddpm.beta[t].item()
        slope = (1 - beta / (a * s**2 + 1 - a)) / math.sqrt(1 - beta)
        shift = beta * math.sqrt(a) * m / (a * s**2 + 1 - a) / math.sqrt(1 - beta)
        mean, var = slope * mean + shift, slope**2 * var + (beta if t else 0.0)
    return mean, var


def test_ddpm_sampling_of_gaussian_data(ddpm):
    """With the exact noise model of N(0.5, 0.5^2), the sampler gives the moments that follow from its steps.

    n_steps = 50 keeps alpha_bar_T at 0.6, so these differ from the data's; with 1000 steps they agree.
    """
    m, s, n = 0.5, 0.5, 200_000
    ddpm.eps_model = GaussianNoise(ddpm.alpha_bar, m, s)
    args = SimpleNamespace(n_steps=T, n_samples=n, image_size=1, image_channels=1, device="cpu", learning_rate=1e-3)
    x = reference("q2_trainer_ddpm").Trainer(args, ddpm.eps_model, ddpm).sample()
    mean, var = exact_moments(ddpm, m, s)
    assert x.mean().item() == pytest.approx(mean, abs=6 * math.sqrt(var / n))
    assert x.var().item() == pytest.approx(var, abs=6 * var * math.sqrt(2 / n))


def test_ddpm_thousand_steps_recover_the_data(float64):
    """The moments of the whole process, for T = 1000: those of the data, but for the discretization."""
    ddpm = reference("q2_ddpm").DenoiseDiffusion(eps_model=None, n_steps=1000, device="cpu")
    mean, var = exact_moments(ddpm, 0.5, 0.5)
    assert mean == pytest.approx(0.5, rel=0.01) and var == pytest.approx(0.25, rel=0.02)


def test_ddpm_intermediate_samples_end_where_sample_ends(ddpm):
    """Same seed, same noise: the last array is sample()'s result, and the first the noise, once."""
    ddpm.eps_model = GaussianNoise(ddpm.alpha_bar, 0.5, 0.5)
    args = SimpleNamespace(n_steps=T, n_samples=3, image_size=4, image_channels=2, device="cpu", learning_rate=1e-3)
    trainer = reference("q2_trainer_ddpm").Trainer(args, ddpm.eps_model, ddpm)
    images = trainer.generate_intermediate_samples(3, 4, steps_to_show=[0, 1, T, T + 1], set_seed=True)
    assert [image.shape for image in images] == [(3, 2, 4, 4)] * 3
    torch.manual_seed(42)
    torch.testing.assert_close(torch.from_numpy(images[0]), torch.randn(3, 2, 4, 4))
    torch.testing.assert_close(torch.from_numpy(images[-1]), trainer.sample(set_seed=True))


# Question 3: classifier-free guidance


def levels(*values: float) -> torch.Tensor:
    return torch.tensor(values).reshape(-1, 1, 1, 1)


NOISY, CLEAN = (-6.0, -1.0, 0.5, -3.0), (-5.5, 0.2, 4.0, 3.0)  # pairs of levels, lambda < lambda'


def test_cfg_levels_run_from_end_to_end(cfg):
    lambdas = cfg.get_lambda(torch.arange(T + 1))
    assert lambdas.shape == (T + 1, 1, 1, 1)
    assert lambdas[0].item() == pytest.approx(20, abs=1e-9) and lambdas[T].item() == pytest.approx(-20, abs=1e-9)
    assert (lambdas.flatten().diff() < 0).all()


def test_cfg_levels_are_a_cosine_schedule(cfg):
    """lambda = -2 log tan(angle) means alpha = cos(angle), sigma = sin(angle), with equal steps of the angle."""
    lambdas = cfg.get_lambda(torch.arange(T + 1))
    angle = torch.atan2(cfg.sigma_lambda(lambdas), cfg.alpha_lambda(lambdas)).flatten()
    torch.testing.assert_close(angle.diff(), angle.diff().mean().expand(T))


def test_cfg_alpha_and_sigma(cfg):
    lambdas = cfg.get_lambda(torch.arange(T + 1))
    alpha, sigma = cfg.alpha_lambda(lambdas), cfg.sigma_lambda(lambdas)
    torch.testing.assert_close(alpha**2 + sigma**2, torch.ones_like(alpha))
    torch.testing.assert_close(torch.log(alpha**2 / sigma**2), lambdas)


def test_cfg_sigma_does_not_vanish_in_float32(cfg):
    sigma = cfg.sigma_lambda(levels(20.0).float())
    assert sigma.dtype is torch.float32 and sigma.item() == pytest.approx(math.exp(-10), rel=1e-5)


def test_cfg_forward_step_leads_to_the_forward_marginal(cfg):
    """z' ~ q(z_lambda' | x), then z = (alpha / alpha') z' + sigma_q eps, has the variance of q(z_lambda | x)."""
    noisy, clean = levels(*NOISY), levels(*CLEAN)
    slope = cfg.alpha_lambda(noisy) / cfg.alpha_lambda(clean)
    variance = slope**2 * cfg.sigma_lambda(clean) ** 2 + cfg.sigma_q(noisy, clean) ** 2
    torch.testing.assert_close(variance, cfg.sigma_lambda(noisy) ** 2)


@pytest.mark.parametrize("pair", range(len(NOISY)))
def test_cfg_reverse_step_is_bayes_rule(cfg, pair):
    """q(z' | z, x) is proportional to q(z | z') q(z' | x): mean and variance by summation over a fine grid of z'."""
    noisy, clean = levels(NOISY[pair]), levels(CLEAN[pair])
    z, x = 0.7, -1.3
    alpha, alpha_prim = cfg.alpha_lambda(noisy).item(), cfg.alpha_lambda(clean).item()
    grid = torch.linspace(-12, 12, 240_001)
    prior = torch.distributions.Normal(alpha_prim * x, cfg.sigma_lambda(clean).item()).log_prob(grid)
    step = torch.distributions.Normal(alpha / alpha_prim * grid, cfg.sigma_q(noisy, clean).item())
    weight = torch.softmax(prior + step.log_prob(torch.tensor(z)), dim=0)
    mean = (weight * grid).sum()
    std = (weight * (grid - mean) ** 2).sum().sqrt()
    actual = cfg.mu_p_theta(torch.full((1, 1, 1, 1), z), torch.full((1, 1, 1, 1), x), noisy, clean)
    assert actual.item() == pytest.approx(mean.item(), rel=1e-6)
    assert cfg.sigma_q_x(noisy, clean).item() == pytest.approx(std.item(), rel=1e-6)


def test_cfg_variance_interpolates(cfg):
    noisy, clean = levels(*NOISY), levels(*CLEAN)
    low, high = cfg.sigma_q_x(noisy, clean) ** 2, cfg.sigma_q(noisy, clean) ** 2
    torch.testing.assert_close(cfg.var_p_theta(noisy, clean, v=0.0), low)
    torch.testing.assert_close(cfg.var_p_theta(noisy, clean, v=1.0), high)
    torch.testing.assert_close(cfg.var_p_theta(noisy, clean).log(), 0.7 * low.log() + 0.3 * high.log())


def test_cfg_last_step_onto_its_own_level_is_finite(cfg):
    """The reference's last step has lambda' = lambda: variance 0, z stays."""
    level, z = levels(20.0), torch.randn(1, 1, 3, 5)
    torch.testing.assert_close(cfg.p_sample(z, level, level, torch.zeros_like(z)), z)


class GuidedGaussianNoise(nn.Module):
    """The exact noise prediction for data N(m_c, s^2), class c having mean m_c, and N(0, s^2) without a class.

    A network reads the noise level off z; this one counts its calls, two for each step.
    """

    def __init__(self, cfg, means: torch.Tensor, s: float):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))
        self.cfg, self.means, self.s, self.calls = cfg, means, s, 0

    def forward(self, z, labels):
        level = self.cfg.get_lambda(times(1, T - 1 - self.calls // 2))
        self.calls += 1
        alpha, sigma = self.cfg.alpha_lambda(level), self.cfg.sigma_lambda(level)
        mean = 0.0 if labels is None else self.means[labels].reshape(-1, 1, 1, 1)
        return sigma * (z - alpha * mean) / (alpha**2 * self.s**2 + sigma**2)


def test_cfg_guided_sampling_of_gaussian_classes(cfg):
    """Guidance between N(m, s^2) and N(0, s^2) is the exact model of N((1 + w) m, s^2): follow its linear steps."""
    w, s, n = 1.5, 0.5, 100_000
    means = torch.tensor([-1.0, 0.4])
    labels = torch.tensor([0, 1]).repeat_interleave(n)
    args = SimpleNamespace(n_steps=T, n_samples=2 * n, image_size=1, image_channels=1, device="cpu", learning_rate=1e-3)
    model = GuidedGaussianNoise(cfg, means, s)
    x = reference("q3_trainer_cfg").Trainer(args, model, cfg).sample(labels, cfg_scale=w)
    assert model.calls == 2 * T

    target, mean, var = (1 + w) * means, torch.zeros(2), 1.0
    for t in reversed(range(T)):
        level, clean = cfg.get_lambda(times(1, t)), cfg.get_lambda(times(1, max(t - 1, 0)))
        alpha, sigma = cfg.alpha_lambda(level).item(), cfg.sigma_lambda(level).item()
        total = alpha**2 * s**2 + sigma**2
        # The predicted image is E[x | z] of N(target, s^2).
        x_slope, x_mean = alpha * s**2 / total, alpha * s**2 / total * mean + sigma**2 / total * target
        x_var = x_slope**2 * var
        ratio, alpha_prim = math.exp((level - clean).item()), cfg.alpha_lambda(clean).item()
        slope = ratio * alpha_prim / alpha + (1 - ratio) * alpha_prim * x_slope
        mean = ratio * alpha_prim / alpha * mean + (1 - ratio) * alpha_prim * x_mean
        var = slope**2 * var + cfg.var_p_theta(level, clean).item()
    actual = x.reshape(2, n)
    assert (actual.mean(dim=1) - x_mean).abs().max().item() < 6 * math.sqrt(x_var / n)
    assert (actual.var(dim=1) - x_var).abs().max().item() < 6 * x_var * math.sqrt(2 / n)
    torch.testing.assert_close(x_mean, target, rtol=0.05, atol=0.05)  # and near the target, even in 50 steps


# The given code: networks, training loop


@pytest.fixture
def given(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "assignment" / "vae_ddpm_cfg")


@pytest.mark.parametrize(("batch", "channels", "height", "width"), [(1, 1, 32, 32), (7, 3, 24, 40)])
def test_networks_keep_the_shape(given, batch, channels, height, width):
    from cfg_utils.unet import UNet as LabelUNet
    from ddpm_utils.unet import UNet

    x = torch.randn(batch, channels, height, width)
    assert UNet(channels, width=8)(x, torch.randint(0, 1000, (batch,))).shape == x.shape
    network = LabelUNet(channels, width=8)
    assert network(x, torch.randint(0, 10, (batch,))).shape == x.shape
    assert network(x, None).shape == x.shape


def test_configurations_are_cheap_and_frozen(given):
    from cfg_utils.args import args as cfg_args
    from ddpm_utils.args import args

    assert (args.n_steps, args.image_size, args.image_channels) == (1000, 32, 1)
    assert cfg_args.n_samples % cfg_args.n_classes == 0
    with pytest.raises(AttributeError):
        args.n_steps = 5


@pytest.mark.parametrize("question", ["ddpm", "cfg"])
def test_training_resumes_as_if_it_had_not_stopped(given, question, tmp_path):
    """3 + 2 steps give the weights of 5 steps, and the figures are there."""
    import data_loaders

    data = data_loaders.load("digits", "train", image_size=16)
    data = data_loaders.ResidentDataset(*data[:256])  # four batches: an epoch ends in between

    def run(out: str, **more):
        from ddpm_utils.fit import fit

        args = importlib.import_module(f"{question}_utils.args").args
        UNet = importlib.import_module(f"{question}_utils.unet").UNet
        args = dataclasses.replace(
            args,
            image_size=16,
            n_steps=3,
            n_samples=10,
            batch_size=64,
            device="cpu",
            out=tmp_path / out,
            **more,
        )
        torch.manual_seed(0)
        model = UNet(1, width=8)
        if question == "ddpm":
            diffusion = reference("q2_ddpm").DenoiseDiffusion(model, args.n_steps, "cpu")
            trainer = reference("q2_trainer_ddpm").Trainer(args, model, diffusion)
        else:
            diffusion = reference("q3_cfg_diffusion").CFGDiffusion(model, args.n_steps, "cpu")
            trainer = reference("q3_trainer_cfg").Trainer(args, model, diffusion)
        fit(trainer, data)
        return model.state_dict()

    straight = run("straight", max_steps=5)
    run("resumed", max_steps=3)
    resumed = run("resumed", max_steps=5, resume=True)
    for name, weight in straight.items():
        torch.testing.assert_close(resumed[name], weight, rtol=0, atol=0)
    assert {path.name for path in (tmp_path / "resumed").iterdir()} == {
        "checkpoint.pt",
        "history.json",
        "loss.png",
        "samples_epoch_000.75.png",
        "samples_epoch_001.png",
        "samples_epoch_001.25.png",
        "intermediate_samples.png" if question == "ddpm" else "guidance.png",
    }


def asked(sampler: str, network, z, labels) -> list[torch.Tensor]:
    """What a sampler gets in three steps; it moves z in place, as some do."""
    answers, z = [], z.clone()
    for _ in range(3):
        if sampler == "labels first":
            pair = [network(z, labels), network(z, None)]
        elif sampler == "labels second":
            pair = [network(z), network(z, labels=labels)][::-1]
        elif sampler == "no guidance":
            pair = [network(z, labels)]
        else:  # asks for each label, then once without
            pair = [network(z, labels), network(z, (labels + 1) % 10), network(z, None)]
        answers += pair
        z.add_(0.1 * pair[0])
    return answers


@pytest.mark.parametrize("log_snr", [-60.0, 0.0, 60.0])
def test_the_guided_unet_has_a_slope_at_every_level_of_noise(given, log_snr):
    """Also in bf16, which soon arrives at alpha = 1, where sqrt(1 - alpha^2) has an infinite one."""
    torch.manual_seed(0)
    network = importlib.import_module("cfg_utils.unet").UNet(1, 8)
    with torch.no_grad():
        network.log_snr[-1].bias.fill_(log_snr)
    z = torch.randn(2, 1, 32, 32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        eps = network(z, torch.tensor([1, 2]))
    (eps.float() - 1).square().sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters() if parameter.grad is not None)
    if log_snr < 0:
        assert torch.allclose(eps.float(), z, atol=1e-3), "nearly all is noise"


@pytest.mark.parametrize(
    "sampler, passes", [("labels first", 3), ("labels second", 4), ("no guidance", 3), ("three times", 9)]
)
def test_paired_passes_answer_as_the_network_does(given, sampler, passes):
    UNet = importlib.import_module("cfg_utils.unet").UNet
    PairedPasses = importlib.import_module("cfg_utils.paired").PairedPasses
    torch.manual_seed(0)
    network, seen = UNet(1, 16).eval(), []
    for parameter in network.parameters():
        parameter.data.add_(0.05 * torch.randn_like(parameter))
    z, labels = torch.randn(4, 1, 16, 16), torch.tensor([3, 1, 4, 1])
    with torch.inference_mode():
        expected = asked(sampler, network, z, labels)
        network.body.register_forward_hook(lambda *_: seen.append(1))
        found = asked(sampler, PairedPasses(network), z, labels)
    for ours, theirs in zip(found, expected, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4)
    assert len(seen) == passes
