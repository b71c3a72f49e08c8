"""The reference of vae_gan_ddpm, and its given code, against independent computations in float64."""

import importlib
import math
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

from autograder.course import load_assignment
from autograder.sandbox.isolation import Limits

ROOT = Path(__file__).resolve().parents[1]
OURS = ("vae", "gan", "ddpm", "networks", "fit", "train_vae", "train_gan", "train_ddpm")


@pytest.fixture
def reference(monkeypatch):
    """reference("vae"): the solutions laid over the given code. Other assignments have a gan.py too."""
    for name in [n for n in sys.modules if n.split(".")[0] in OURS]:
        monkeypatch.delitem(sys.modules, name)
    for room in ("assignment", "solutions"):
        monkeypatch.syspath_prepend(ROOT / room / "vae_gan_ddpm")
    monkeypatch.setattr(sys, "path", sys.path[:])  # fit.py adds to it
    yield importlib.import_module
    for name in [n for n in sys.modules if n.split(".")[0] in OURS]:
        del sys.modules[name]


@pytest.fixture
def float64():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float32)


close = torch.testing.assert_close


# ---------------------------------------------------------------- VAE


def test_gaussian_functions_are_those_of_torch_distributions(reference, float64):
    mean, logvar, x = torch.randn(3, 97, 2, 3, 4).unbind(0)
    ours = reference("vae").DiagonalGaussianDistribution(mean, logvar)
    theirs = Normal(mean, (0.5 * logvar).exp())
    close(ours.nll(x), -Independent(theirs, 3).log_prob(x))
    close(ours.nll(x, dims=[2, 3]), -theirs.log_prob(x).sum(dim=(2, 3)))
    close(ours.mode(), theirs.mode)
    flat = reference("vae").DiagonalGaussianDistribution(mean.flatten(1), logvar.flatten(1))
    standard = Normal(torch.zeros(24), torch.ones(24))
    close(flat.kl(), kl_divergence(Normal(flat.mean, flat.std), standard).sum(dim=1))
    assert reference("vae").DiagonalGaussianDistribution(torch.zeros(3, 5)).kl().abs().max() == 0


def test_a_sample_carries_gradients(reference, float64):
    mean, logvar, noise = torch.randn(3, 5, 4).unbind(0)
    mean.requires_grad_(), logvar.requires_grad_()
    make = lambda m, v: reference("vae").DiagonalGaussianDistribution(m, v).sample(noise)  # noqa: E731
    assert torch.autograd.gradcheck(make, (mean, logvar))


def linear_gaussian(vae, pixels: int = 12, latents: int = 3):
    """A VAE with p(x|z) = N(W z + b, I), and the exact posterior as its encoder."""
    W = torch.linalg.qr(torch.randn(pixels, latents)).Q * torch.tensor([0.5, 1.0, 2.0])
    b, variance = torch.randn(pixels), 1 / (1 + W.square().sum(dim=0))
    model = vae.VAE(z_dim=latents, encoder_features=1, decoder_features=1, input_size=8)
    model.encoder, model.decoder = nn.Flatten(), nn.Sequential(nn.Linear(latents, pixels), nn.Unflatten(1, (3, 2, 2)))
    model.mean, model.logvar = nn.Linear(pixels, latents), nn.Linear(pixels, latents)
    with torch.no_grad():
        model.decoder[0].weight.copy_(W), model.decoder[0].bias.copy_(b)
        model.mean.weight.copy_((W * variance).T), model.mean.bias.copy_(-variance * (b @ W))
        model.logvar.weight.zero_(), model.logvar.bias.copy_(variance.log())
    return model, MultivariateNormal(b, W @ W.T + torch.eye(pixels))


@torch.no_grad()
def test_the_evidence_of_a_linear_gaussian_vae(reference, float64):
    """With the exact posterior, ELBO and importance sampling both are the evidence, without any noise."""
    model, marginal = linear_gaussian(reference("vae"))
    x = torch.randn(7, 3, 2, 2)
    evidence = marginal.log_prob(x.flatten(1))
    for K in (1, 10):
        close(model.log_likelihood(x, K=K), evidence)
    elbo = -torch.stack([nll + kl for _, nll, kl in (model(x) for _ in range(20_000))]).mean(dim=0)
    close(elbo, evidence, atol=0.1, rtol=0)


@torch.no_grad()
def test_the_bound_rises_with_K_to_the_evidence(reference, float64):
    model, marginal = linear_gaussian(reference("vae"))
    model.logvar.bias += 0.8
    x = torch.randn(1, 3, 2, 2)
    means = [model.log_likelihood(x.expand(4000, -1, -1, -1), K=K).mean().item() for K in (1, 3, 30)]
    evidence = marginal.log_prob(x.flatten(1)).item()
    assert means[0] < means[1] < means[2] < evidence + 0.01
    _, nll, kl = model(x.expand(4000, -1, -1, -1))
    assert means[0] == pytest.approx(-(nll + kl).mean().item(), abs=0.2)  # K = 1 is the ELBO


@torch.no_grad()
def test_vae_samples_and_interpolations(reference, float64):
    vae = reference("vae")
    model = vae.VAE(z_dim=4, encoder_features=2, decoder_features=2, input_size=16, in_channels=1)
    z_1, z_2 = torch.randn(2, 1, 4).unbind(0)
    line = vae.interpolate(model, z_1, z_2, 5)
    assert line.shape == (5, 1, 16, 16)
    close(line[[0, 2, 4]], model.decode(torch.cat([z_1, (z_1 + z_2) / 2, z_2])).mean)
    close(model.sample(1, noise=z_1), line[:1])
    assert model.sample(3).shape == (3, 1, 16, 16)
    assert torch.equal(model.decode(z_1).var, torch.ones(1, 1, 16, 16))


# ---------------------------------------------------------------- GAN


@pytest.mark.parametrize("size", [0.5, 100.0])
def test_gan_losses_are_the_formulas(reference, float64, size):
    gan = reference("gan")
    critic, real, fake = nn.Conv2d(3, 1, 4), torch.randn(9, 3, 4, 4), torch.randn(9, 3, 4, 4)
    with torch.no_grad():
        critic.weight.mul_(size / critic(real).abs().max())
    D_real, D_fake = torch.sigmoid(critic(real)), torch.sigmoid(critic(fake))
    criterion, exact = gan.make_criterion(), size < 1
    loss_d = gan.discriminator_train(critic, None, criterion, real, fake)
    loss_g = gan.generator_train(critic, None, criterion, fake)
    if exact:
        close(loss_d, -(D_real.log().mean() + (1 - D_fake).log().mean()))
        close(loss_g, -D_fake.log().mean())
    assert loss_d.isfinite() and loss_g.isfinite() and loss_d.shape == loss_g.shape == ()


def test_a_step_of_each_network_leaves_the_other_alone(reference):
    gan, dcgan = reference("gan"), reference("networks.dcgan")
    generator, discriminator = dcgan.Generator(5, 4), dcgan.Discriminator(4)
    optimizer_d, optimizer_g = gan.make_optimizers(discriminator, generator, lr_d=0.01, lr_g=0.02)
    criterion, real = gan.make_criterion(), torch.randn(6, 3, 32, 32)
    fake = generator(torch.randn(6, 5, 1, 1))
    state = lambda network: [p.detach().clone() for p in network.parameters()]  # noqa: E731
    same = lambda a, b: all(torch.equal(x, y) for x, y in zip(a, b, strict=True))  # noqa: E731

    before = state(discriminator), state(generator)
    gan.discriminator_train(discriminator, generator, criterion, real, fake.detach()).backward()
    assert all(p.grad is None for p in generator.parameters())
    optimizer_d.step()
    assert not same(before[0], state(discriminator)) and same(before[1], state(generator))

    before = state(discriminator), state(generator)
    gan.generator_train(discriminator, generator, criterion, fake).backward()
    optimizer_g.step()
    assert same(before[0], state(discriminator)) and not same(before[1], state(generator))


@torch.no_grad()
def test_gan_samples_and_interpolations(reference):
    gan = reference("gan")
    generator = reference("networks.dcgan").Generator(5, 4).eval()
    z_1, z_2 = torch.randn(2, 1, 5, 1, 1).unbind(0)
    line = gan.interpolate(generator, z_1, z_2, 5)
    close(line[[0, 2, 4]], generator(torch.cat([z_1, (z_1 + z_2) / 2, z_2])))
    close(gan.sample(generator, 1, noise=z_2), line[-1:])
    assert gan.sample(generator, 7).shape == (7, 3, 32, 32)


# ---------------------------------------------------------------- DDPM


@pytest.fixture
def schedule(reference, float64):
    return reference("ddpm").precompute(50, beta_start=0.001, beta_end=0.3)


def times(n: int, t: int) -> torch.Tensor:
    return torch.full((n,), t)


def test_forward_moments_compose_the_single_steps(reference, schedule):
    """q(x_t | x_0) is t + 1 steps x -> sqrt(1 - beta) x + sqrt(beta) noise, one after the other."""
    x0, scale, variance = torch.randn(2, 3, 5, 4), 1.0, 0.0
    zero, one = torch.zeros_like(x0), torch.ones_like(x0)
    for t in range(50):
        beta = schedule.betas[t].item()
        scale, variance = scale * math.sqrt(1 - beta), (1 - beta) * variance + beta
        close(reference("ddpm").q_sample(schedule, x0, times(2, t), noise=zero), scale * x0)
        close(reference("ddpm").q_sample(schedule, zero, times(2, t), noise=one), math.sqrt(variance) * one)


@pytest.mark.parametrize("t", [1, 10, 49])
def test_a_reverse_step_with_the_true_noise_is_bayes_rule(reference, schedule, t):
    """q(x_{t-1} | x_t, x_0) is proportional to q(x_t | x_{t-1}) q(x_{t-1} | x_0): by summation over a grid."""
    ddpm, x0, x = reference("ddpm"), 0.7, -0.4
    bar, beta = schedule.alphas_cumprod[t], schedule.betas[t]
    previous = schedule.alphas_cumprod[t - 1]
    grid = torch.linspace(-8, 8, 400_001)
    prior = Normal(previous.sqrt() * x0, (1 - previous).sqrt()).log_prob(grid)
    step = Normal((1 - beta).sqrt() * grid, beta.sqrt()).log_prob(torch.tensor(x))
    weight = torch.softmax(prior + step, dim=0)
    mean = (weight * grid).sum()
    std = (weight * (grid - mean).square()).sum().sqrt()
    eps = (x - bar.sqrt() * x0) / (1 - bar).sqrt()
    image = torch.full((1, 1, 1, 1), x)
    found = [
        ddpm.p_sample(schedule, lambda x, t: eps.expand_as(x), image, times(1, t), t, noise=torch.full_like(image, n))
        for n in (0.0, 1.0)
    ]
    assert found[0].item() == pytest.approx(mean.item(), rel=1e-6)
    assert (found[1] - found[0]).item() == pytest.approx(std.item(), rel=1e-6)


def test_the_last_step_adds_no_noise(reference, schedule):
    x, model = torch.randn(2, 1, 3, 4), lambda x, t: torch.zeros_like(x)
    found = reference("ddpm").p_sample(schedule, model, x, times(2, 0), 0, noise=torch.ones_like(x))
    close(found, x * schedule.sqrt_recip_alphas[0])


class ExactNoise(nn.Module):
    """The best prediction of the noise for data N(m, s^2)."""

    def __init__(self, schedule, m: float, s: float):
        super().__init__()
        self.schedule, self.m, self.s, self.times = schedule, m, s, []

    def forward(self, x, t):
        self.times += t.unique().tolist()
        bar = self.schedule.alphas_cumprod[t].reshape(-1, 1, 1, 1)
        return (1 - bar).sqrt() * (x - bar.sqrt() * self.m) / (bar * self.s**2 + 1 - bar)


def test_sampling_gives_back_gaussian_data(reference, schedule):
    """Every step is linear, so its moments can be followed to the end; and every time is visited once, downwards."""
    m, s, n = 0.5, 0.5, 100_000
    model = ExactNoise(schedule, m, s)
    chain = reference("ddpm").p_sample_loop(schedule, model, (n, 1, 1, 1))
    assert chain.shape == (50, n, 1, 1, 1) and model.times == list(reversed(range(50)))
    mean, variance = 0.0, 1.0
    for t in reversed(range(50)):
        bar, beta = schedule.alphas_cumprod[t].item(), schedule.betas[t].item()
        total = bar * s**2 + 1 - bar
        slope = (1 - beta / total) / math.sqrt(1 - beta)
        mean = slope * mean + beta * math.sqrt(bar) * m / total / math.sqrt(1 - beta)
        variance = slope**2 * variance + schedule.posterior_variance[t].item()
        if t in (30, 0):
            x = chain[49 - t]
            assert x.mean().item() == pytest.approx(mean, abs=6 * math.sqrt(variance / n))
            assert x.var().item() == pytest.approx(variance, abs=6 * variance * math.sqrt(2 / n))
    assert mean == pytest.approx(m, abs=0.02) and variance == pytest.approx(s**2, rel=0.2)  # the data's, but for T = 50


def test_the_loss_is_smooth_l1_of_the_same_noise(reference, schedule):
    x0, noise, t = torch.randn(97, 1, 3, 5), 2 * torch.randn(97, 1, 3, 5), torch.randint(0, 50, (97,))
    model = lambda x, t: 0.5 * x  # noqa: E731
    bar = schedule.alphas_cumprod[t].reshape(-1, 1, 1, 1)
    error = (noise - 0.5 * (bar.sqrt() * x0 + (1 - bar).sqrt() * noise)).abs()
    expected = torch.where(error < 1, 0.5 * error**2, error - 0.5).mean()
    close(reference("ddpm").p_losses(schedule, model, x0, t, noise=noise), expected)


def test_times_are_uniform(reference):
    t = reference("ddpm").t_sample(10, 100_000)
    assert t.dtype == torch.int64 and (t.bincount(minlength=10) - 10_000).abs().max() < 6 * math.sqrt(9000)


def test_thousand_steps_end_in_noise(reference):
    schedule = reference("ddpm").precompute(1000)
    assert all(values.shape == (1000,) and values.isfinite().all() for values in schedule)
    assert schedule.alphas_cumprod[-1] < 1e-4 and schedule.posterior_variance[0] == 0


# ---------------------------------------------------------------- the given code


def test_networks_have_the_shapes_that_they_say(reference):
    dcgan, conv = reference("networks.dcgan"), reference("networks.conv")
    images = dcgan.Generator(7, 4)(torch.randn(2, 7, 1, 1))
    assert images.shape == (2, 3, 32, 32) and images.abs().max() <= 1
    assert dcgan.Discriminator(4)(images).shape == (2, 1, 1, 1)
    hidden = conv.make_encoder(3, 4, 24)(torch.randn(2, 3, 24, 24))
    assert hidden.shape == (2, conv.encoder_outputs(4, 24))
    assert conv.make_decoder(5, 3, 4, 24)(torch.randn(2, 5)).shape == (2, 3, 24, 24)
    with pytest.raises(ValueError, match="multiple of 8"):
        conv.make_encoder(3, 4, 20)
    from training.unet import UNet

    assert UNet(width=8)(torch.randn(2, 3, 32, 32), torch.tensor([0, 999])).shape == (2, 3, 32, 32)


SMALL = {
    "vae": ["--features", "2", "--z-dim", "5", "--importance-samples", "2"],
    "gan": ["--features", "4", "--z-dim", "5"],
    "ddpm": ["--width", "8", "--timesteps", "3"],
}
FIGURES = {
    "vae": {"reconstructions.png", "interpolation.png", "samples.png"},
    "gan": {"interpolation.png", "samples.png"},
    "ddpm": {"denoising.png", "samples.png"},
}


@pytest.mark.parametrize("name", ["vae", "gan", "ddpm"])
def test_training_resumes_as_if_it_had_not_stopped(reference, name, tmp_path, monkeypatch):
    """Two epochs in one run, and in two: the same weights; and the report's figures are there."""
    script, fit = reference(f"train_{name}"), reference("fit")
    few = lambda config, split, device: load(config, split, device)[:40]  # noqa: E731
    load = fit.load_images
    monkeypatch.setattr(fit, "load_images", few)
    options = ["--data", "digits_rgb", "--batch-size", "20", "--device", "cpu", *SMALL[name]]

    def run(out: str, *more: str):
        fit.run(script.train, script.Config, "", [*options, "--out", str(tmp_path / out), *more])
        return torch.load(tmp_path / out / "checkpoint.pt", weights_only=True)

    straight = run("straight", "--epochs", "2")
    run("resumed", "--epochs", "1")
    resumed = run("resumed", "--epochs", "2", "--resume")
    network = "generator" if name == "gan" else "model"
    for key, values in straight[network].items():
        close(resumed[network][key], values, rtol=0, atol=0)
    assert straight["history"] == resumed["history"]
    files = {path.name for path in (tmp_path / "resumed").iterdir()}
    common = {"checkpoint.pt", "history.json", "loss.png", "samples_epoch_001.png", "samples_epoch_002.png"}
    assert files == common | FIGURES[name]


def test_a_stub_says_what_is_still_to_do(reference, tmp_path, monkeypatch):
    fit = reference("fit")

    def train(config):
        raise NotImplementedError("Q1.9: VAE.forward")

    with pytest.raises(SystemExit, match="still to do: Q1.9"):
        fit.run(train, reference("train_vae").Config, "", ["--out", str(tmp_path)])


# ---------------------------------------------------------------- submissions as they arrive


def graded(folder: Path, limits: Limits | None = None, **changed: tuple[str, str]):
    """The verdict on the reference with one piece of text replaced by another in some files: on their exercises, and on
    the last of each other file."""
    from autograder.grading.forkserver import grade_apart

    exercises = load_assignment("vae_gan_ddpm").exercises
    last = {spec.module: name for name, spec in exercises.items()}.values()
    only = frozenset({*last, *(name for name, spec in exercises.items() if spec.module in changed)})
    for name in ("vae", "gan", "ddpm"):
        source = (ROOT / "solutions" / "vae_gan_ddpm" / f"{name}.py").read_text()
        old, new = changed.get(name, ("", ""))
        assert old in source
        (folder / f"{name}.py").write_text(source.replace(old, new, 1) if old else source)
    return grade_apart("vae_gan_ddpm", folder, limits=limits, only=only)


KL = "return 0.5 * (self.mean.square() + self.var - 1 - self.logvar).flatten(1).sum(dim=1)"


@pytest.mark.slow
def test_torch_distributions_costs_its_exercise_and_the_line_is_told(tmp_path):
    normal = "torch.distributions.Normal"
    verdict = graded(tmp_path, vae=(KL, f"return {normal}(self.mean, self.std).entropy().sum(1)"))
    assert verdict.lost == {"Q1.2": pytest.approx(3)}
    assert all("vae.py, line" in output and "torch.distributions" in output for output in verdict.outputs)


@pytest.mark.slow
@pytest.mark.parametrize("act", ["import os; os._exit(0)", "while True: pass"])
def test_what_one_method_does_costs_no_other(tmp_path, act):
    limits = Limits(cpu_seconds=2)  # of all looks at a file together, where they share a process
    assert graded(tmp_path, limits, vae=(KL, act)).lost == {"Q1.2": pytest.approx(3)}


@pytest.mark.slow
def test_files_exported_from_notebooks_are_graded_as_if_they_were_clean(tmp_path):
    top = "!pip install einops\nfrom google.colab import drive\ndrive.mount('/content/drive')\nimport torch\n"
    start = "schedule = precompute(1000)\nprint(schedule)\n\n\n"
    last = "return generator((1 - a) * z_1 + a * z_2)\n"
    training = "\n\nD = nn.Linear(2, 2).cuda()\nfor x, _ in train_loader:\n    D(x.cuda()).sum().backward()\n"
    verdict = graded(
        tmp_path,
        vae=("import torch\n", top),
        gan=(last, last + training),
        ddpm=("def q_sample", f"{start}def q_sample"),
    )
    assert verdict.lost == {}
