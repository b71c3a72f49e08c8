"""The reference of ddim_score against the theory, in float64: independent of the hidden tests."""

import importlib
import math
import sys
import types
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]
FIRST_POINT = [-2.5215306282043457, -0.09628406912088394]  # of student 810100123
NAMES = ("mixture", "score_network", "unet", "ddpm_ddim", "score", "train_sprites", "compare_samplers")


@pytest.fixture(scope="module")
def load():
    """load("score"): a module of the reference or of the given code, apart from any of the same name."""
    saved = {name: sys.modules.pop(name, None) for name in NAMES}
    folders = [str(ROOT / "solutions/ddim_score"), str(ROOT / "assignment/ddim_score")]
    sys.path[:0] = folders
    yield importlib.import_module
    sys.path[:] = [entry for entry in sys.path if entry not in folders]
    for name, module in saved.items():
        sys.modules.pop(name, None)
        if module is not None:
            sys.modules[name] = module


@pytest.fixture(scope="module")
def ddpm(load):
    return load("ddpm_ddim")


@pytest.fixture(scope="module")
def score(load):
    return load("score")


@pytest.fixture
def schedule(ddpm):
    """T = 200, down to alpha_bar of 3e-5, in float64."""
    b_t = ddpm.linear_schedule(200, 1e-3, 0.1).b_t.double()
    return ddpm.Schedule(b_t, 1 - b_t, (1 - b_t).cumprod(dim=0))


def noise_model(mean, var, ab_t):
    """The best noise prediction for pixels N(mean, var): E[noise | x_t]."""

    def model(x, t):
        ab = ab_t[(t * len(ab_t)).round().long()].reshape(-1, 1, 1, 1)
        return (1 - ab).sqrt() * (x - ab.sqrt() * mean) / (ab * var + 1 - ab)

    return model


# ---------------------------------------------------------------- question 1


def test_schedule_of_the_paper(ddpm):
    b_t, a_t, ab_t = ddpm.linear_schedule(1000, 1e-4, 0.02)
    assert b_t[0].item() == pytest.approx(1e-4) and b_t[-1].item() == pytest.approx(0.02)
    assert torch.allclose(a_t + b_t, torch.ones(1000))
    assert ab_t[0] == a_t[0] and ab_t[-1].item() == pytest.approx(4.04e-5, rel=0.01)
    assert torch.allclose(ab_t[1:], ab_t[:-1] * a_t[1:]) and bool((ab_t.diff() < 0).all())


def test_steps_of_the_forward_process_compose(ddpm, schedule):
    """t + 1 single steps have the moments of the one step of eq. (4)."""
    torch.manual_seed(0)
    x, t = torch.full((40_000, 1, 1, 1), 1.5, dtype=torch.float64), 20
    step_by_step = x
    for i in range(t + 1):
        noise = torch.randn_like(x)
        step_by_step = schedule.a_t[i].sqrt() * step_by_step + schedule.b_t[i].sqrt() * noise
    at_once = ddpm.perturb_input(x, torch.full((40_000,), t), torch.randn_like(x), schedule.ab_t)
    for found in (step_by_step, at_once):
        var = 1 - schedule.ab_t[t].item()
        assert found.mean().item() == pytest.approx(1.5 * schedule.ab_t[t].sqrt().item(), abs=6 * (var / 40_000) ** 0.5)
        assert found.var().item() == pytest.approx(var, rel=6 * (2 / 40_000) ** 0.5)


def test_loss_of_the_best_model_is_its_variance(ddpm, schedule):
    """E[noise | x_t] leaves the variance ab_t v / (ab_t v + 1 - ab_t): the training loss of the best model."""
    torch.manual_seed(0)
    var, t = 0.5, 30
    x = 0.7 + math.sqrt(var) * torch.randn(50_000, 1, 1, 1, dtype=torch.float64)
    best = noise_model(0.7, var, schedule.ab_t)
    weight = torch.nn.Parameter(torch.ones((), dtype=torch.float64))
    optimizer = torch.optim.SGD([weight], lr=0.0)
    loss = ddpm.train_step(lambda x, t: weight * best(x, t), optimizer, x, schedule, torch.full((50_000,), t))
    ab = schedule.ab_t[t].item()
    assert float(loss) == pytest.approx(ab * var / (ab * var + 1 - ab), rel=0.05)
    assert abs(weight.grad.item()) < 0.03, "and no multiple of it is better"


def test_ddpm_step_is_the_posterior_mean(ddpm, schedule):
    """With the true noise, the mean of a step is that of q(x_{t-1} | x_t, x_0), eq. (7), in float64."""
    torch.manual_seed(1)
    b_t, a_t, ab_t = schedule
    for t in (1, 50, 199):
        x0, eps = torch.randn(2, 3, 4, 4, dtype=torch.float64), torch.randn(2, 3, 4, 4, dtype=torch.float64)
        x_t = ddpm.perturb_input(x0, torch.full((2,), t), eps, ab_t)
        posterior = (ab_t[t - 1].sqrt() * b_t[t] * x0 + a_t[t].sqrt() * (1 - ab_t[t - 1]) * x_t) / (1 - ab_t[t])
        # The reference's own step from t, without noise: a schedule of two times, and the second x that it asks about.
        seen = []
        short = ddpm.Schedule(*(v[[0, t]] for v in (b_t, a_t, ab_t)))
        quiet = short._replace(b_t=torch.zeros(2, dtype=torch.float64))
        ddpm.sample_ddpm(lambda x, _, eps=eps, seen=seen: seen.append(x) or eps, quiet, tuple(x_t.shape), x_t)
        assert torch.allclose(seen[1], posterior, rtol=1e-9, atol=1e-9)


def test_ddpm_and_ddim_agree_in_distribution(ddpm, schedule):
    """For Gaussian pixels with the true noise model, both end at their mean and variance."""
    torch.manual_seed(2)
    mean, var, shape = 1.3, 0.6, (20_000, 1, 1, 1)
    model = noise_model(mean, var, schedule.ab_t)
    noise = torch.randn(shape, dtype=torch.float64)
    for found in (
        ddpm.sample_ddpm(model, schedule, shape, noise),
        ddpm.sample_ddim(model, schedule, shape, 200, noise),
    ):
        assert found.mean().item() == pytest.approx(mean, abs=6 * (var / 20_000) ** 0.5 + 0.01)
        assert found.var().item() == pytest.approx(var, rel=0.1)  # steps of a 200th: 4 % measured


def test_ddim_converges_with_the_number_of_steps(ddpm):
    """The map is affine, x0 = mean + std(v) noise in the limit; its error falls with n_steps, and is small for few."""
    schedule = ddpm.Schedule(*(v.double() for v in ddpm.linear_schedule(1000, 1e-4, 0.02)))
    noise = torch.linspace(-2, 2, 9, dtype=torch.float64).reshape(-1, 1, 1, 1)
    model, exact = noise_model(-0.4, 0.3, schedule.ab_t), -0.4 + math.sqrt(0.3) * noise
    error = {n: (ddpm.sample_ddim(model, schedule, noise.shape, n, noise) - exact).abs().max() for n in (10, 50, 1000)}
    assert error[1000] < 0.02 and error[1000] < error[50] < error[10] < 0.5 and error[50] < 0.1
    for n in (1, 3, 7, 999):  # any number of steps
        assert ddpm.sample_ddim(model, schedule, noise.shape, n, noise).isfinite().all()


def test_ddim_jumps(ddpm):
    assert ddpm.ddim_times(1000, 50)[:2] == [(999, 979), (979, 959)] and ddpm.ddim_times(1000, 50)[-1] == (19, -1)
    for T, n in ((1000, 1000), (1000, 7), (10, 3), (5, 1)):
        jumps = ddpm.ddim_times(T, n)
        assert len(jumps) == n and jumps[0][0] == T - 1 and jumps[-1][1] == -1
        assert all(a > b for a, b in jumps) and all(p[1] == q[0] for p, q in zip(jumps, jumps[1:], strict=False))


def test_unet_takes_times_in_every_form(load):
    unet = load("unet").UNet(channels=3, width=8)
    torch.nn.init.normal_(unet.up1.conv2.weight)
    x = torch.randn(2, 3, 16, 16)
    found = [unet(x, t) for t in (0.5, torch.tensor([0.5]), torch.full((2,), 0.5), torch.full((2, 1, 1, 1), 0.5))]
    assert all(torch.allclose(found[0], other) for other in found) and found[0].shape == x.shape
    assert not torch.allclose(found[0], unet(x, 0.6)), "the time matters"
    assert len((ROOT / "assignment/ddim_score/unet.py").read_text().splitlines()) <= 150


# ---------------------------------------------------------------- the comparison's FID


def test_frechet_distance(load):
    compare = load("compare_samplers")
    torch.manual_seed(0)
    a, b = (torch.randn(5, 5, dtype=torch.float64) for _ in range(2))
    mean1, mean2, cov1, cov2 = torch.zeros(5).double(), torch.ones(5).double(), a @ a.T, b @ b.T
    assert compare.frechet_distance(mean1, cov1, mean1, cov1) == pytest.approx(0, abs=1e-9)
    scipy_linalg = pytest.importorskip("scipy.linalg")
    root = scipy_linalg.sqrtm((cov1 @ cov2).numpy()).real.trace()
    expected = 5 + float(cov1.trace() + cov2.trace()) - 2 * root
    assert compare.frechet_distance(mean1, cov1, mean2, cov2) == pytest.approx(expected, rel=1e-6)


def test_pytorch_fid_is_optional(load, monkeypatch):
    compare, training = load("compare_samplers"), load("training")
    monkeypatch.setitem(sys.modules, "pytorch_fid.inception", None)
    monkeypatch.setitem(sys.modules, "pytorch_fid", None)
    with pytest.raises(training.TrainingError, match="pip install pytorch-fid, or pass --features small"):
        compare.make_extractor("inception", torch.device("cpu"))


def test_pytorch_fid_gets_images_in_its_range(load, monkeypatch):
    """A stand-in with the package's interface: a list of feature maps (B, 2048, 1, 1), of images in [0, 1]."""

    class InceptionV3(torch.nn.Module):
        BLOCK_INDEX_BY_DIM = {2048: 3}

        def __init__(self, output_blocks):
            super().__init__()
            assert output_blocks == [3]

        def forward(self, x):
            assert x.min() >= 0 and x.max() <= 1
            return [x.mean(dim=(1, 2, 3)).reshape(-1, 1, 1, 1).expand(-1, 2048, 1, 1)]

    monkeypatch.setitem(sys.modules, "pytorch_fid", types.ModuleType("pytorch_fid"))
    module = types.ModuleType("pytorch_fid.inception")
    module.InceptionV3 = InceptionV3
    monkeypatch.setitem(sys.modules, "pytorch_fid.inception", module)
    extractor = load("compare_samplers").make_extractor("inception", torch.device("cpu"))
    assert extractor(2 * torch.rand(5, 3, 16, 16) - 1).shape == (5, 2048)


# ---------------------------------------------------------------- question 2


@pytest.mark.parametrize("student", [810100123, "810100124", "someone"])
def test_true_score_is_the_gradient_of_the_log_density(load, score, student):
    mixture = load("mixture")
    mine = mixture.student_mixture(student, torch.float64)
    torch.manual_seed(0)
    near = mine.means.mean(dim=0) + 6 * torch.randn(200, 2, dtype=torch.float64)
    far = 1000 * torch.randn(20, 2, dtype=torch.float64)
    x = torch.cat([near, far]).requires_grad_()
    (expected,) = torch.autograd.grad(mixture.log_density(x, mine).sum(), x)
    assert torch.allclose(score.score_function_gt(x.detach(), *mine), expected, rtol=1e-9, atol=1e-9)


def test_loss_against_its_closed_form_on_gaussian_data(score):
    """Data N(0, v), model s = -k x: L = 1/2 E|| -k (x + e) + e / sigma^2 ||^2 = k^2 (v + s2) - 2 k + 1 / s2 in 2-D."""
    torch.manual_seed(0)
    v, sigma = 2.0, 1.5
    s2 = sigma**2
    x = math.sqrt(v) * torch.randn(400_000, 2, dtype=torch.float64)
    noisy, epsilon = score.add_noise(x, sigma)
    for k in (0.0, 1 / (v + s2), 0.7):
        loss = float(score.score_matching_loss(lambda x, sigma, k=k: -k * x, noisy, epsilon, sigma))
        assert loss == pytest.approx(k**2 * (v + s2) - 2 * k + 1 / s2, abs=0.01)


def test_training_finds_the_score_of_the_noisy_data(score):
    class Linear(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.k = torch.nn.Parameter(torch.zeros(()))

        def forward(self, x, sigma):
            return -self.k * x

    torch.manual_seed(0)
    for sigma in (1.0, 3.0, 7.0):
        model, data = Linear(), 2 * torch.randn(10_000, 2)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.3 / (4 + sigma**2))
        losses = score.train_score_model(model, data, (sigma, sigma), n_steps=200, optimizer=optimizer)
        assert len(losses) == 200
        assert model.k.item() == pytest.approx(1 / (4 + sigma**2), rel=0.15)


def test_langevin_has_the_right_stationary_distribution(score):
    """Of N(m, C): mean m, and covariance C but for the finite step."""
    torch.manual_seed(0)
    cov = torch.tensor([[2.0, 0.8], [0.8, 1.0]], dtype=torch.float64)
    mean, precision = torch.tensor([1.0, -2.0], dtype=torch.float64), torch.linalg.inv(cov)
    start = torch.zeros(20_000, 2, dtype=torch.float64)
    path = score.langevin_sampling(lambda x, sigma: -(x - mean) @ precision, start, 1.0, 0.02, 600)
    assert len(path) == 601 and path[0] is start and not start.any()
    assert torch.allclose(path[-1].mean(dim=0), mean, atol=0.07)
    assert torch.allclose(path[-1].T.cov(), cov, atol=0.12)
    still = score.deterministic_sampling(lambda x, sigma: -(x - mean) @ precision, start[:9], 1.0, 0.1, 800)
    assert torch.allclose(still[-1], mean.expand(9, 2), atol=1e-6), "without noise every point ends at the mode"


def test_annealing_recovers_the_weights(load, score):
    """With the true score of the noisy mixture, the annealed points are shared out as the weights say; at a constant
    small sigma they stay where they began."""
    mixture = load("mixture").student_mixture(810100123)
    torch.manual_seed(0)

    def model(x, sigma):
        noisy = mixture.covs + sigma**2 * torch.eye(2)
        return score.score_function_gt(x, mixture.weights, mixture.means, noisy)

    start = mixture.means[:1] + torch.zeros(4000, 2)
    sigmas = [20 * 0.74**i for i in range(10)] + [1.0]
    annealed = score.annealed_langevin_sampling(model, start, sigmas, 0.05, 40)[-1]
    plain = score.langevin_sampling(model, start, 1.0, 0.05, 440)[-1]
    share = [float((torch.cdist(x, mixture.means).argmin(dim=1) == 0).float().mean()) for x in (annealed, plain)]
    assert share[0] == pytest.approx(mixture.weights[0].item(), abs=0.06)
    assert share[1] > 0.97


# ---------------------------------------------------------------- a student's data


def test_the_mixture_follows_from_the_student_number(load):
    mixture = load("mixture")
    torch.manual_seed(5)
    state = torch.get_rng_state()
    one, other = mixture.student_mixture(810100123), mixture.student_mixture(810100124)
    data = mixture.student_data(810100123)
    assert torch.equal(torch.get_rng_state(), state), "no global random state is touched"
    assert not torch.equal(one.means, other.means) and not torch.equal(one.covs, other.covs)
    persian = "".join(chr(0x06F0 + int(digit)) for digit in "810100123")
    for same in ("810100123", " 810100123 ", persian):
        assert all(torch.equal(a, b) for a, b in zip(mixture.student_mixture(same), one, strict=True))
    assert torch.equal(mixture.student_data(persian), data)
    # written down once: the same on every machine
    assert one.means[0].tolist() == pytest.approx([-3.0555115, -4.0542083], abs=1e-5)
    assert data[0].tolist() == pytest.approx(FIRST_POINT, abs=1e-5)


def test_every_mixture_is_a_fair_one(load):
    mixture = load("mixture")
    for number in range(300):
        weights, means, covs = mixture.student_mixture(number, torch.float64)
        assert weights.sum().item() == pytest.approx(1) and weights.min() >= 0.2 and 0.65 <= weights.max() <= 0.8
        assert 12 <= (means[0] - means[1]).norm() <= 18
        assert torch.equal(covs, covs.mT)
        stds = torch.linalg.eigvalsh(covs).sqrt()
        assert stds.min() >= 1 - 1e-9 and stds.max() <= 2.5 + 1e-9
    data = mixture.student_data(7, 40_000).double()
    weights, means, covs = mixture.student_mixture(7, torch.float64)
    mean = weights @ means
    spread = torch.einsum("k,kij->ij", weights, covs + (means - mean)[:, :, None] * (means - mean)[:, None])
    assert torch.allclose(data.mean(dim=0), mean, atol=0.25)
    assert torch.allclose(data.T.cov(), spread, rtol=0.05, atol=0.8)


# ---------------------------------------------------------------- how it is graded


def test_two_flipped_signs_do_not_cancel():
    """A loss with a flipped sign teaches the negative score, which samplers with a flipped sign hide: all caught."""
    from autograder.course import load_assignment
    from autograder.quality.bench import grade_variants
    from autograder.quality.misconceptions import known_misconceptions

    known = {variant.name: variant for variant in known_misconceptions(load_assignment("ddim_score"))}
    chosen = [known["loss_sign_flipped"], known["langevin_downhill"], known["uphill_is_downhill"]]
    (verdict,) = grade_variants("ddim_score", [chosen])
    assert verdict.failed == ["Q2.3", "Q2.5", "Q2.6"]
    assert {variant.name for variant in chosen} <= set(verdict.explained_by)
