"""Formulas of the rubrics' model answers, by numbers. (Where the Dirac games end: test_vae_gan_flows_reference.py.)"""

import importlib
import math
import sys
from collections.abc import Callable
from types import ModuleType

import pytest
import torch
from torch import Tensor

from autograder.course import ROOT


@pytest.fixture
def reference(monkeypatch) -> Callable[[str, str], ModuleType]:
    """reference(slug, module): the solutions laid over the given code; forgotten afterwards."""
    known = set(sys.modules)

    def load(slug: str, module: str) -> ModuleType:
        for room in ("assignment", "solutions"):
            monkeypatch.syspath_prepend(ROOT / room / slug)
        for name in (module, "gan", "solution"):  # two assignments have a gan.py
            monkeypatch.delitem(sys.modules, name, raising=False)
        return importlib.import_module(module)

    yield load
    for name in set(sys.modules) - known:
        if str(ROOT / "assignment") in str(sys.modules[name]) or str(ROOT / "solutions") in str(sys.modules[name]):
            del sys.modules[name]


def test_guidance_is_a_classifiers_gradient_and_tilts_the_density():
    """vae_ddpm_cfg, Q3.12 and Q3.13: in a mixture of three Gaussians, where every score is known."""
    alpha, sigma, w = 0.8, 0.6, 2.5
    means, weights = torch.tensor([-1.0, 0.5, 2.0]).double(), torch.tensor([0.2, 0.5, 0.3]).double()
    z = torch.linspace(-3, 3, 7, dtype=torch.float64).requires_grad_()
    variance = (alpha * 0.3) ** 2 + sigma**2
    log_p = -0.5 * (z[:, None] - alpha * means).square() / variance  # log p(z | c), up to a constant
    log_posterior = torch.log_softmax(log_p + weights.log(), dim=1)[:, 1]

    def noise(log_density: Tensor) -> Tensor:
        return -sigma * torch.autograd.grad(log_density.sum(), z, retain_graph=True)[0]

    conditional, unconditional = noise(log_p[:, 1]), noise(torch.logsumexp(log_p + weights.log(), dim=1))
    guided = (1 + w) * conditional - w * unconditional
    torch.testing.assert_close(guided, conditional + w * noise(log_posterior))  # eps - w sigma grad log p(c | z)
    torch.testing.assert_close(guided, noise(log_p[:, 1] + w * log_posterior))  # of p(z | c) p(c | z)^w
    assert (guided - conditional).abs().max() > 0.1


def test_when_the_reverse_process_shows_something():
    """vae_ddpm_cfg, Q2.9 and Q2.10: alpha-bar after so many reverse steps."""
    alpha_bar = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64), dim=0)
    after = {steps: float(alpha_bar[999 - steps]) for steps in (0, 500, 600, 741, 800)}
    assert after == pytest.approx({0: 4e-5, 500: 0.08, 600: 0.20, 741: 0.50, 800: 0.66}, rel=0.03)
    assert int((alpha_bar < 0.1).nonzero()[0]) == 475


def test_what_detach_does(reference):
    """vae_gan_ddpm, Q2.10: the discriminator's gradients stay, the generator's are new, a second backward() fails."""
    gan = reference("vae_gan_ddpm", "gan")
    dcgan = importlib.import_module("networks.dcgan")
    torch.manual_seed(0)
    generator, discriminator = dcgan.Generator(100, 8), dcgan.Discriminator(8)
    criterion, real, z = gan.make_criterion(), torch.rand(8, 3, 32, 32) * 2 - 1, torch.randn(8, 100, 1, 1)

    def attached(fake: Tensor) -> Tensor:
        on_real, on_fake = discriminator(real), discriminator(fake)
        return criterion(on_real, torch.ones_like(on_real)) + criterion(on_fake, torch.zeros_like(on_fake))

    def gradients(loss: Tensor, network: torch.nn.Module) -> Tensor:
        found = torch.autograd.grad(loss, list(network.parameters()), retain_graph=True)
        return torch.cat([gradient.flatten() for gradient in found])

    fake = generator(z)
    detached = gan.discriminator_train(discriminator, generator, criterion, real_samples=real, fake_samples=fake)
    torch.testing.assert_close(gradients(attached(fake), discriminator), gradients(detached, discriminator))
    wanted = gradients(gan.generator_train(discriminator, generator, criterion, fake_samples=fake), generator)
    assert torch.cosine_similarity(gradients(attached(fake), generator), wanted, dim=0) < -0.9
    attached(fake).backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        gan.generator_train(discriminator, generator, criterion, fake_samples=fake).backward()


@pytest.mark.parametrize(("name", "a", "gamma"), [
    ("dirac-jsd-1", 0.25, 0.0), ("dirac-jsd-2", 0.25, 0.01), ("dirac-jsd-3", 0.25, 0.1),
    ("dirac-w1-1", 1.0, 0.0), ("dirac-w1-2", 1.0, 0.01), ("dirac-w1-3", 1.0, 0.1),
])  # fmt: skip
def test_the_dirac_games_jacobian(reference, name, a, gamma):
    """vae_gan_flows, Q2.8: [[0, a], [-a, -2 gamma]] at the equilibrium, by finite differences of the losses."""
    experiment = reference("vae_gan_flows", "run_exp").experiments()[name]
    dirac, h = importlib.import_module("dirac"), 1e-2
    theta, psi = torch.tensor([h, -h, 0.0, 0.0]), torch.tensor([0.0, 0.0, h, -h])
    pull = torch.stack(dirac.vector_field(experiment, theta, psi))  # (2, points)
    jacobian = (pull[:, 0::2] - pull[:, 1::2]) / (2 * h)
    torch.testing.assert_close(jacobian, torch.tensor([[0.0, a], [-a, -2 * gamma]]), atol=1e-4, rtol=0)
    eigenvalue = torch.linalg.eigvals(jacobian)[0]
    assert complex(eigenvalue).real == pytest.approx(-gamma, abs=1e-4)
    assert abs(complex(eigenvalue).imag) == pytest.approx(math.sqrt(a**2 - gamma**2), abs=1e-4)


def test_the_determinants_of_planar_flows(reference):
    """vae_gan_flows, Q3.6 and Q3.7: against automatic differentiation."""
    flow = reference("vae_gan_flows", "flow")
    torch.manual_seed(0)
    model, z = flow.Flow(5, 4).double(), torch.randn(5, dtype=torch.float64)
    with torch.no_grad():
        model.u.normal_()
        model.b.normal_()
    jacobian = torch.autograd.functional.jacobian(lambda point: model(point[None])[0][0], z)
    total, point = 0.0, z
    for u, w, b in zip(model.u.detach(), model.w.detach(), model.b.detach(), strict=True):
        slope = 1 - torch.tanh(w @ point + b) ** 2
        total, point = total + torch.log(torch.abs(1 + slope * (u @ w))), point + u * torch.tanh(w @ point + b)
    torch.testing.assert_close(torch.linalg.slogdet(jacobian).logabsdet, total.squeeze())
