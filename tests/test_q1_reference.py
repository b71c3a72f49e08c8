"""Question 1 of vae_ddpm_cfg: the reference against torch.distributions, and its training script from end to end."""

import json
import sys
from pathlib import Path

import pytest
import torch
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence

SOLUTIONS = Path(__file__).resolve().parents[1] / "solutions" / "vae_ddpm_cfg"


@pytest.fixture(scope="module")
def modules():
    """The reference's two modules, imported under their own names and forgotten afterwards."""
    names = ("q1_vae", "q1_train_vae")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so small a run only waits for other threads
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SOLUTIONS)
        for name in names:
            patch.delitem(sys.modules, name, raising=False)
        yield [__import__(name) for name in names]
        for name in names:
            sys.modules.pop(name, None)
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)  # the script sets it


@pytest.fixture(scope="module")
def q1_vae(modules):
    return modules[0]


@pytest.fixture(scope="module")
def q1_train_vae(modules):
    return modules[1]


def normals(shape, n):
    generator = torch.Generator().manual_seed(n)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(n)]


def diagonal(mu, logvar):
    return Independent(Normal(mu, (0.5 * logvar).exp()), mu.ndim - 1)


SHAPES = pytest.mark.parametrize("shape", [(97, 5), (1, 1), (3, 1, 4, 6)])


@SHAPES
def test_log_likelihoods(q1_vae, shape):
    mu, logvar, z = normals(shape, 3)
    mean, x = mu.sigmoid(), (z > 0).double()
    expected = Independent(Bernoulli(mean), len(shape) - 1).log_prob(x)
    torch.testing.assert_close(q1_vae.log_likelihood_bernoulli(mu=mean, target=x), expected)
    expected = diagonal(mu, logvar).log_prob(z)
    torch.testing.assert_close(q1_vae.log_likelihood_normal(mu=mu, logvar=logvar, z=z), expected)


def test_bernoulli_is_finite_with_finite_gradients_where_a_sigmoid_saturates(q1_vae):
    mu = torch.tensor([[0.0, 1.0, 0.0, 1.0]], requires_grad=True)
    value = q1_vae.log_likelihood_bernoulli(mu, torch.tensor([[0.0, 1.0, 1.0, 0.0]]))
    value.sum().backward()
    assert value.isfinite().all() and mu.grad.isfinite().all()
    exact = q1_vae.log_likelihood_bernoulli(torch.tensor([[0.0, 1.0]]), torch.tensor([[0.0, 1.0]]))
    assert exact.item() == 0


@pytest.mark.parametrize("shift", [0.0, 1e4, -1e4])
def test_log_mean_exp(q1_vae, shift):
    (y,) = normals((97, 11), 1)
    expected = y.exp().mean(dim=1).log() + shift
    torch.testing.assert_close(q1_vae.log_mean_exp(y=y + shift), expected)


@SHAPES
def test_kl(q1_vae, shape):
    parameters = normals(shape, 4)
    q, p = diagonal(*parameters[:2]), diagonal(*parameters[2:])
    names = ("mu_q", "logvar_q", "mu_p", "logvar_p")
    arguments = dict(zip(names, parameters, strict=True))
    exact = kl_divergence(q, p)
    torch.testing.assert_close(q1_vae.kl_gaussian_gaussian_analytic(**arguments), exact)

    torch.manual_seed(0)
    n = 2000
    z = q.sample((n,))
    deviation = (q.log_prob(z) - p.log_prob(z)).std(dim=0)
    estimate = q1_vae.kl_gaussian_gaussian_mc(**arguments, num_samples=n)
    assert estimate.shape == exact.shape
    # The seed is fixed, and the estimate's own law is heavier than a normal's: seven standard errors.
    assert ((estimate - exact).abs() < 7 * deviation / n**0.5).all()


def test_monte_carlo_kl_carries_gradients(q1_vae):
    parameters = [parameter.requires_grad_() for parameter in normals((3, 2), 4)]
    q1_vae.kl_gaussian_gaussian_mc(*parameters).sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in parameters)


@pytest.mark.parametrize("shape", [(7, 784), (7, 1, 28, 28)])
def test_loss_function(q1_train_vae, shape):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(shape, generator=generator, dtype=torch.float64)
    recon = torch.rand(7, 784, generator=generator, dtype=torch.float64)
    mu, logvar = normals((7, 20), 2)
    bce = torch.nn.functional.binary_cross_entropy(recon, x.view(7, 784), reduction="sum")
    kl = kl_divergence(diagonal(mu, logvar), diagonal(torch.zeros_like(mu), torch.zeros_like(mu))).sum()
    torch.testing.assert_close(q1_train_vae.loss_function(recon_x=recon, x=x, mu=mu, logvar=logvar), bce + kl)


def test_traversals_move_one_coordinate_and_interpolations_end_at_the_ends(q1_train_vae):
    torch.manual_seed(0)
    model = q1_train_vae.VAE()
    z, other, offsets = torch.randn(20), torch.randn(20), torch.tensor([-2.0, 0.0, 2.0])
    with torch.inference_mode():
        moved = z.clone()
        moved[7] += 2
        expected, plain, end = model.decode(torch.stack([moved, z, other])).view(3, 1, 28, 28)
    images = q1_train_vae.traversals(model, z, offsets)
    assert images.shape == (60, 1, 28, 28)
    torch.testing.assert_close(images[7 * 3 + 2], expected)
    torch.testing.assert_close(images[1::3], plain.expand(20, -1, -1, -1))
    latent, data = q1_train_vae.interpolations(model, z, other, torch.linspace(0, 1, 11))
    for interpolated in (latent, data):  # alpha weighs the first point
        assert interpolated.shape == (11, 1, 28, 28)
        torch.testing.assert_close(interpolated[0], end)
        torch.testing.assert_close(interpolated[-1], plain)
    torch.testing.assert_close(data[5], (plain + end) / 2)


FIGURES = ["loss.png", "samples.png", "traversals.png", "interpolation.png", "reconstructions.png"]


def test_training_stopped_and_resumed_is_the_same_as_in_one_go(q1_train_vae, tmp_path, capsys):
    def run(folder, *more):
        out = tmp_path / folder
        q1_train_vae.main(["--data", "digits", "--device", "cpu", "--out", str(out), *more])
        return out, json.loads((out / "history.json").read_text())

    _, whole = run("whole", "--epochs", "3")
    run("parts", "--epochs", "2")
    out, parts = run("parts", "--epochs", "3", "--resume")
    for name in ("train", "valid"):
        assert len(whole["history"][name]) == 3
        assert whole["history"][name] == parts["history"][name]
    assert whole["history"]["valid"][0] > whole["history"]["valid"][-1]
    assert {path.name for path in out.iterdir()} == {"checkpoint.pt", "history.json", *FIGURES}
    assert "validation loss after 3 epochs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "mnits"], "error: there is no data set 'mnits': choose one of mnist, digits"),
        (["--device", "gpu"], "error: there is no device 'gpu' here: pass --device auto or cpu"),
        (["--batch-size", "0"], "error: the batch size is 0"),
        (["--resume"], "error: .*cannot be read as a checkpoint: delete it, or start without --resume"),
    ],
)
def test_what_the_user_can_mend_is_said_in_one_sentence(q1_train_vae, tmp_path, arguments, message):
    (tmp_path / "checkpoint.pt").write_bytes(b"no checkpoint")
    with pytest.raises(SystemExit, match=message):
        q1_train_vae.main(["--data", "digits", "--epochs", "1", "--out", str(tmp_path), *arguments])
