"""vae_gan_flows: the reference against independent float64 arithmetic, and its experiments from end to end."""

import ast
import json
import math
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

ROOT = Path(__file__).resolve().parents[1]
SOLUTIONS, GIVEN = ROOT / "solutions" / "vae_gan_flows", ROOT / "assignment" / "vae_gan_flows"
NAMES = (
    "q1_solution", "gan", "solution", "model", "dirac", "evaluation", "run_exp", "flow", "train", "train_vae",
)  # fmt: skip


@pytest.fixture(scope="module")
def reference():
    """The solutions laid over the given code, by name; forgotten afterwards."""
    precision = torch.get_float32_matmul_precision()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(GIVEN)
        patch.syspath_prepend(SOLUTIONS)
        for name in NAMES:
            patch.delitem(sys.modules, name, raising=False)
        yield {name: __import__(name) for name in NAMES}
        for name in NAMES:
            sys.modules.pop(name, None)
    torch.set_flush_denormal(False)  # the scripts set both
    torch.set_float32_matmul_precision(precision)


@pytest.fixture
def gan(reference):
    return reference["gan"]


@pytest.fixture
def solution(reference):
    return reference["solution"]


def normals(*shapes, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


def test_question_1_is_the_one_of_vae_ddpm_cfg():
    """Two files for two student names, one answer: everything but the module's docstring is the same."""
    shared = ROOT / "solutions" / "vae_ddpm_cfg" / "q1_vae.py"
    ours, theirs = (ast.parse(path.read_text()).body[1:] for path in (SOLUTIONS / "q1_solution.py", shared))
    assert [ast.dump(node) for node in ours] == [ast.dump(node) for node in theirs]


# --- critics -----------------------------------------------------------------------------------------------


def test_jsd(gan):
    cp, cq = normals((97, 1), (61, 1))
    expected = 0.5 * (cp.sigmoid().log().mean() + (1 - cq.sigmoid()).log().mean()) + math.log(2)
    torch.testing.assert_close(gan.jsd(cp=cp, cq=cq), expected)
    assert gan.jsd(torch.zeros(3), torch.zeros(5)).item() == pytest.approx(0, abs=1e-7)
    assert gan.jsd(torch.full((3, 1), 100.0), torch.full((3, 1), -100.0)).item() == pytest.approx(math.log(2))
    wrong = torch.full((3, 1), -1000.0, requires_grad=True)
    value = gan.jsd(wrong, -wrong)
    assert value.item() == pytest.approx(math.log(2) - 1000)
    value.backward()
    torch.testing.assert_close(wrong.grad, torch.full((3, 1), 1 / 3))


def test_jsd_of_the_best_critic_is_the_divergence(gan):
    """P = N(0, 1), Q = N(1, 1), c = log p/q = 1/2 - x; the divergence by quadrature."""
    x = torch.linspace(-12, 13, 200_001, dtype=torch.float64)
    p, q = (torch.distributions.Normal(mean, 1.0).log_prob(x).exp() for mean in (0.0, 1.0))
    middle = (p + q) / 2
    exact = 0.5 * torch.trapezoid(p * (p / middle).log() + q * (q / middle).log(), x)
    samples_p, samples_q = normals(400_000, 400_000)
    estimate = gan.jsd(0.5 - samples_p, 0.5 - (samples_q + 1))
    assert estimate.item() == pytest.approx(exact.item(), abs=4e-3)


SHAPES = pytest.mark.parametrize("shape", [(6, 1), (5, 3), (4, 2, 3), (3, 2, 4, 3)])


class Net(nn.Module):
    """A smooth critic of one hidden layer."""

    def __init__(self, size: int):
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(size, 8), nn.Softplus(), nn.Linear(8, 1)).double()

    def forward(self, x):
        return self.net(x)


@SHAPES
def test_penalties_by_differences(gan, shape):
    """Each sample's gradient by central differences; between p and p there is only p."""
    p, q = normals(shape, shape)
    critic, step = Net(p[0].numel()), 1e-5
    norms = []
    for sample in p:
        slopes = []
        for entry in torch.eye(sample.numel(), dtype=torch.float64).view(-1, *sample.shape):
            ahead, behind = critic((sample + step * entry).unsqueeze(0)), critic((sample - step * entry).unsqueeze(0))
            slopes.append((ahead - behind).item() / (2 * step))
        norms.append(math.hypot(*slopes))
    norms = torch.tensor(norms, dtype=torch.float64)
    found = gan.ogp(p, critic(p), p, critic(p), critic)
    assert found.item() == pytest.approx((norms - 1).square().mean().item(), rel=1e-6)
    found = gan.r1gp(p, critic(p), q, critic(q), critic)
    assert found.item() == pytest.approx(norms.square().mean().item(), rel=1e-6)


@SHAPES
def test_penalties_train_the_critic(gan, shape):
    p, q = normals(shape, shape)
    critic = Net(p[0].numel())
    parameters = tuple(critic.parameters())

    def penalty(name, *values):
        torch.manual_seed(1)  # the same points between p and q
        state = dict(zip(dict(critic.named_parameters()), values, strict=True))
        call = lambda x: torch.func.functional_call(critic, state, (x,))  # noqa: E731
        return getattr(gan, name)(p, call(p), q, call(q), call)

    for name in ("ogp", "r1gp"):
        assert not p.requires_grad and not q.requires_grad
        # The last bias shifts the critic and has no part in its gradient.
        inputs = [parameter.detach().requires_grad_() for parameter in parameters]
        assert torch.autograd.gradcheck(lambda *values, name=name: penalty(name, *values), inputs)


def test_losses(gan):
    p, q = normals((8, 3), (8, 3))
    critic = Net(3)
    for loss_type, divergence in (("JSD", gan.jsd), ("W1", gan.w1)):
        for reg_type, penalty in ((None, None), ("R1", gan.r1gp), ("GP", gan.ogp)):
            metric, critic_loss = gan.make_losses(loss_type, reg_type, 0.3)
            value = divergence(critic(p), critic(q))
            torch.testing.assert_close(metric(p, q, critic), value)
            torch.manual_seed(2)
            expected = -value + (0.3 * penalty(p, critic(p), q, critic(q), critic) if penalty else 0)
            torch.manual_seed(2)
            torch.testing.assert_close(critic_loss(p, q, critic), expected)
    for names in (("hinge", None), ("jsd", None), ("W1", "gp"), (None, None)):
        with pytest.raises(NotImplementedError):
            gan.make_losses(*names)


def test_moving_average(gan):
    source, target = nn.Linear(3, 2), nn.Linear(3, 2)
    held, before = list(target.parameters()), [p.detach().clone() for p in target.parameters()]
    for _ in range(3):
        gan.apply_exponential_moving_average(source, target, alpha=0.9)
    for old, new, parameter in zip(before, source.parameters(), held, strict=True):
        torch.testing.assert_close(parameter.detach(), 0.729 * old + 0.271 * new.detach())
    assert all(a is b for a, b in zip(held, target.parameters(), strict=True))


# --- the Dirac game: what the theory says --------------------------------------------------------------------


@pytest.fixture(scope="module")
def radius(reference):
    """radius("dirac-jsd-1"): the distance from the equilibrium at each iteration."""
    experiments, paths = reference["run_exp"].experiments(), {}

    def radius(name, seed=20123456, iterations=2500):
        if (name, seed) not in paths:
            paths[name, seed] = reference["dirac"].play(experiments[name], seed, iterations)
        return paths[name, seed][:, :2].norm(dim=1)

    radius.paths = paths
    return radius


@pytest.mark.parametrize("loss", ["jsd", "w1"])
def test_without_a_penalty_the_game_circles(radius, loss):
    r = radius(f"dirac-{loss}-1")
    assert r.min() > 0.85 and r.max() < 1.15, "it comes closer, or goes away"
    assert abs(r[-500:].mean() - r[:500].mean()) < 0.02
    theta, psi, _ = radius.paths[f"dirac-{loss}-1", 20123456].T
    turns = torch.atan2(psi, theta).diff()
    turns = torch.remainder(turns + math.pi, 2 * math.pi) - math.pi
    assert (turns < 0).all() or (turns > 0).all()
    # Near the equilibrium JSD pulls with a quarter of W1's force: the factor 1/2 before the sum, times s(0) = 1/2.
    force = {"jsd": 0.25, "w1": 1.0}[loss]
    assert turns.abs().mean().item() == pytest.approx(0.1 * force, rel=0.1)


@pytest.mark.parametrize("loss", ["jsd", "w1"])
def test_r1_converges_at_the_rate_of_its_coefficient(radius, loss):
    """R1 damps psi by the factor 1 - 2 reg_cf lr a step, and so the circle by half of its logarithm."""
    weak, strong = radius(f"dirac-{loss}-2"), radius(f"dirac-{loss}-3", iterations=1000)
    assert weak[-1].item() == pytest.approx(math.exp(-0.01 * 0.1 * 2500), rel=0.25)
    assert strong[-1] < 1e-3


@pytest.mark.parametrize("loss", ["jsd", "w1"])
def test_the_one_centred_penalty_does_not_converge(radius, loss):
    r = radius(f"dirac-{loss}-5")
    assert r[-500:].min() > 1


def test_the_average_of_a_circle_is_close_to_its_centre(radius):
    radius("dirac-w1-6")
    average = radius.paths["dirac-w1-6", 20123456][:, 2]
    assert average[-300:].abs().max() < 0.06
    assert average[0].abs() > 0.3


def test_every_student_starts_elsewhere_and_always_there(reference):
    experiment = reference["run_exp"].experiments()["dirac-w1-3"]
    starts = [reference["dirac"].play(experiment, seed, 1)[0] for seed in (1, 2, 1)]
    assert torch.equal(starts[0], starts[2]) and not torch.equal(starts[0], starts[1])


def test_the_configurations(reference):
    experiments = reference["run_exp"].experiments()
    assert len(experiments) == 25 and len(set(experiments.values())) == 25
    assert [name for name in experiments if name.startswith("cifar10")] == [
        "cifar10-jsd-1", "cifar10-jsd-2", "cifar10-jsd-3", "cifar10-w1-2", "cifar10-w1-3",
    ]  # fmt: skip
    for loss in ("jsd", "w1"):
        for number in range(1, 11):
            experiment = experiments[f"dirac-{loss}-{number}"]
            reg = [(None, 1.0), ("R1", 0.01), ("R1", 0.1), ("GP", 0.01), ("GP", 0.1)][(number - 1) % 5]
            assert (experiment.reg_type, experiment.reg_cf) == reg
            assert experiment.loss_type == loss.upper()
            assert experiment.alpha_ema == (0.998 if number > 5 else None)
            assert (experiment.iterations, experiment.critic_inner_iters, experiment.critic_weight_decay) == (
                5000,
                1,
                0,
            )
            assert experiment.lr_generator == experiment.lr_critic == 0.1
    image = experiments["cifar10-w1-3"]
    assert (image.lr_generator, image.lr_critic, image.critic_weight_decay) == (2e-4, 4e-4, 1e-6)
    assert (image.critic_inner_iters, image.alpha_ema, image.iterations) == (2, 0.998, 100_000)
    assert (image.reg_type, image.reg_cf) == ("R1", 1.0) and experiments["cifar10-jsd-2"].spectral_norm


# --- images --------------------------------------------------------------------------------------------------


class Channels(nn.Module):
    """A network in Inception's place: means and deviations of the colours."""

    num_features = 6

    def forward(self, images):
        return torch.cat([images.mean(dim=(2, 3)), images.std(dim=(2, 3))], dim=1)


def images_of(n, seed=0):
    import data_loaders

    pictures = torch.rand(n, 3, 32, 32, generator=torch.Generator().manual_seed(seed))
    return data_loaders.ResidentDataset(pictures, torch.zeros(n, dtype=torch.int64))


def small(reference, out, **changes):
    return reference["run_exp"].Config(
        out=str(out), device="cpu", batch_size=8, z_dim=4, width=4, eval_every=2, eval_samples=16, **changes
    )


@pytest.mark.parametrize("name", ["cifar10-jsd-1", "cifar10-jsd-2", "cifar10-jsd-3", "cifar10-w1-2", "cifar10-w1-3"])
def test_images_train_in_every_configuration_and_go_on(reference, tmp_path, name):
    run_exp = reference["run_exp"]
    experiment = run_exp.experiments()[name]
    config = small(reference, tmp_path, iterations=2, evaluate=False)
    history = run_exp.run_images(name, experiment, config, data=images_of(40))
    assert history["step"] == [2] and math.isfinite(history["metric"][0])
    config = small(reference, tmp_path, iterations=3, evaluate=False, resume=True)
    history = run_exp.run_images(name, experiment, config, data=images_of(40))
    assert history["step"] == [2, 3]
    found = {path.name for path in (tmp_path / name).iterdir()}
    assert found == {
        "checkpoint.pt", "history.json", "metric_and_fid.png", "samples_000002.png", "samples_000003.png",
    }  # fmt: skip


def test_fid_and_inception_score_over_time(reference, tmp_path):
    pytest.importorskip("torchmetrics")
    run_exp = reference["run_exp"]
    experiment = run_exp.experiments()["cifar10-jsd-3"]
    config = small(reference, tmp_path, iterations=4)
    history = run_exp.run_images("cifar10-jsd-3", experiment, config, data=images_of(40), features=Channels())
    assert history["step"] == [2, 4]
    assert len(history["fid"]) == len(history["inception_score"]) == 2
    assert all(fid > 0 for fid in history["fid"]) and all(score >= 1 for score in history["inception_score"])
    # Real images are close to real images, and generated ones are not.
    evaluator = reference["evaluation"].Evaluator(images_of(500).images, "cpu", Channels())
    real = images_of(500, seed=1).images
    assert evaluator(lambda n: real[:n], 500)["fid"] < 0.01 < history["fid"][-1]


def test_without_torchmetrics_the_next_step_is_said_before_training(reference, monkeypatch):
    import training

    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    monkeypatch.setitem(sys.modules, "torchmetrics.image.fid", None)
    with pytest.raises(training.TrainingError, match="pip install torchmetrics torch-fidelity.*--no-evaluate"):
        reference["evaluation"].Evaluator(images_of(4).images, "cpu")


def test_offline_the_missing_weights_are_said(reference, monkeypatch):
    import training

    fid = pytest.importorskip("torchmetrics.image.fid")

    def offline(*arguments, **options):
        raise OSError("no route to host")

    monkeypatch.setattr(fid, "FrechetInceptionDistance", offline)
    with pytest.raises(training.TrainingError, match="could not be downloaded .*no route.*--no-evaluate"):
        reference["evaluation"].Evaluator(images_of(4).images, "cpu")


def test_run_exp_by_name(reference, tmp_path, capsys):
    run_exp = reference["run_exp"]
    run_exp.main(["--config", "dirac-w1-3", "--iterations", "20", "--out", str(tmp_path)])
    assert {path.name for path in tmp_path.iterdir()} == {"dirac_trajectories.png", "dirac_phase.png"}
    with pytest.raises(SystemExit, match="cifar10-w1-3"):
        run_exp.main(["--config", "list"])


# --- flows ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dimension", [1, 2, 5])
@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_log_determinants_by_jacobians(solution, dimension, scale):
    """Many u, w, b, also where the determinant is negative."""
    z, us, ws, bs = normals((16, dimension), (20, dimension), (20, dimension), (20, 1))
    negative = 0
    for u, w, b in zip(scale * us, ws, bs, strict=True):
        transformation = lambda point, u=u, w=w, b=b: solution.planar_transformation(point.unsqueeze(0), u, w, b)[0]  # noqa: E731
        jacobians = torch.func.vmap(torch.func.jacrev(transformation))(z)
        expected = torch.linalg.slogdet(jacobians)
        negative += int((expected.sign < 0).sum())
        for row in (u, u.unsqueeze(0)):
            found = solution.get_logdet(z, row, w.unsqueeze(0), b)
            torch.testing.assert_close(found, expected.logabsdet, rtol=1e-6, atol=1e-6)
    assert scale < 4 or negative > 20


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_flow_losses(solution, dimension):
    x, logdet, density = normals((97, dimension), 97, 97)
    normal = torch.distributions.MultivariateNormal(torch.zeros(dimension).double(), torch.eye(dimension).double())
    torch.testing.assert_close(solution.loss1(x=x, logdet=logdet), -normal.log_prob(x) - logdet)
    expected = normal.log_prob(x) - logdet - density.abs().log()
    torch.testing.assert_close(solution.loss2(density=density.abs(), z0=x, logdet=logdet), expected)


def test_an_invertible_flow_keeps_its_mass(reference, solution):
    """loss1 of an invertible flow is the negative logarithm of a density that sums to one."""
    torch.manual_seed(0)
    flow = reference["flow"].Flow(2, 6, invertible=True)
    with torch.no_grad():
        flow.u.mul_(30)
        for u, w in zip(flow.u, flow.w, strict=True):
            assert reference["flow"].constrained(u, w) @ w >= -1
        axis = torch.linspace(-14, 14, 700)
        x, logdet = flow(torch.cartesian_prod(axis, axis))
        mass = (-solution.loss1(x, logdet)).exp().sum().item() * float(axis[1] - axis[0]) ** 2
    assert mass == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("name", ["arcs", "sine"])
def test_targets(reference, name):
    target = getattr(reference["flow"], name)
    torch.manual_seed(0)
    points = target.sample(100_000)
    assert points.shape == (100_000, 2) and target.density(points).shape == (100_000,)
    assert -target.density(points).log().mean().item() == pytest.approx(target.entropy, abs=0.02)
    inside = (points.abs() < 1).all(dim=1).float().mean().item()
    axis = torch.linspace(-1, 1, 401)
    assert target.density(torch.cartesian_prod(axis, axis)).mean().item() * 4 == pytest.approx(inside, abs=0.01)
    far = torch.tensor([[50.0, 50.0]], requires_grad=True)
    (gradient,) = torch.autograd.grad(target.density(far).log().sum(), far)
    assert gradient.isfinite().all()


def test_flows_learn_both_ways(reference, tmp_path, capsys):
    out = ["--out", str(tmp_path), "--iterations", "150", "--target", "sine"]
    reference["train"].main(out)
    table = json.loads((tmp_path / "table.json").read_text())
    assert table["samples sine"]["32"] < table["samples sine"]["2"] < 3.2
    assert table["density sine"]["32"] < table["density sine"]["2"]
    assert {path.suffix for path in tmp_path.iterdir()} == {".png", ".json"}
    assert "bound" in capsys.readouterr().out


# --- VAE -----------------------------------------------------------------------------------------------------


class Linear(nn.Module):
    """A VAE whose q(z|x) is the exact posterior: p(x|z) does not depend on z."""

    def encode(self, x):
        return torch.zeros(len(x), 3), torch.zeros(len(x), 3)

    def decode(self, z):
        return torch.full((len(z), 784), 0.25)


def test_elbo_and_importance_sampling_are_exact_where_q_is(reference):
    x = torch.bernoulli(torch.full((4, 1, 28, 28), 0.3), generator=torch.Generator().manual_seed(0))
    ones = x.flatten(1).sum(dim=1)
    expected = ones * math.log(0.25) + (784 - ones) * math.log(0.75)
    torch.testing.assert_close(reference["train_vae"].elbo(Linear(), x), expected)
    torch.testing.assert_close(reference["train_vae"].log_likelihood(Linear(), x, 5), expected)


def test_importance_sampling_lies_above_the_elbo(reference):
    torch.manual_seed(0)
    model = reference["train_vae"].VAE(latent=5)
    x = torch.rand(6, 1, 28, 28).round()
    with torch.inference_mode():
        bound = torch.stack([reference["train_vae"].elbo(model, x) for _ in range(200)]).mean(dim=0)
        estimate = reference["train_vae"].log_likelihood(model, x, 200)
    assert (estimate > bound - 1e-3).all() and (estimate < bound + 5).all()


def test_the_vae_script(reference, tmp_path, capsys):
    arguments = ["--data", "digits", "--device", "cpu", "--out", str(tmp_path), "--importance-samples", "3"]
    reference["train_vae"].main([*arguments, "--epochs", "1"])
    reference["train_vae"].main([*arguments, "--epochs", "2", "--resume"])
    history = json.loads((tmp_path / "history.json").read_text())
    assert len(history["valid"]) == 2 and history["valid"][1] > history["valid"][0] > -784
    assert history["test_log_likelihood"] > history["valid"][1] - 20
    names = {"loss.png", "samples.png", "reconstructions.png", "checkpoint.pt", "history.json"}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert "log p(x) on the test set, K = 3" in capsys.readouterr().out
