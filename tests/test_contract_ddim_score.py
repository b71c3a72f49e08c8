"""Wrong answers to ddim_score that once kept all of their points, right ones that lost some, and sentences that were
not true: each is graded here by the hidden tests of its exercise."""

import pytest
from contract_cases import Case, failures_of

from autograder.quality.bench import Bench


@pytest.fixture(scope="module")
def bench():
    return Bench("ddim_score")


TRAIN_STEP = "def train_step(model, optimizer, x, schedule, t=None, noise=None):"
DDPM = "def sample_ddpm(model, schedule, shape, noise=None):"
DDIM = "def sample_ddim(model, schedule, shape, n_steps, noise=None):"
LOSS = "def score_matching_loss(model, x_noisy, epsilon, sigma):"
TRAIN = "def train_score_model(model, data, sigma_range, n_steps=3000, batch_size=512, optimizer=None):"
CLIMB = "def deterministic_sampling(model, start_point, sigma_t, step_size, num_steps):"
ANNEALED = "def annealed_langevin_sampling(model, start_point, sigmas, step_size, num_steps):"
LANGEVIN = "def langevin_sampling(model, start_point, sigma_t, step_size, num_steps):"

# The body of a right train_step, up to its step.
PREDICTED = """
            T = len(schedule.ab_t)
            t = torch.randint(0, T, (len(x),), device=x.device) if t is None else t
            noise = torch.randn_like(x) if noise is None else noise
            loss = nn.functional.mse_loss(model(perturb_input(x, t, noise, schedule.ab_t), t / T), noise)
"""

WRONG = [
    # -------------------------------------------------------- expected values made of what the code itself did
    *(Case("Q2.5", "deterministic_sampling", f"walks_in_{name}", f"""
        {CLIMB}
            path = [torch.full_like(start_point, {value}) for _ in range(num_steps + 1)]
            for x in path[:-1]:
                model(x, sigma_t)
            return path
    """, 2) for name, value in (("nan", "float('nan')"), ("infinity", "float('inf')"), ("huge_numbers", "1e30"))),
    Case("Q2.6", "langevin_sampling", "walks_in_nan", f"""
        {LANGEVIN}
            return [torch.full_like(start_point, float("nan"))] * (num_steps + 1)
    """, 4),
    Case("Q2.4", "train_score_model", "returns_nan", f"""
        {TRAIN}
            for _ in range(n_steps):
                model(torch.full((batch_size, 2), float("nan")), torch.full((batch_size, 1), float(sigma_range[0])))
            return [float("nan")] * n_steps
    """, 3),
    Case("Q1.4", "sample_ddpm", "starts_from_nan", f"""
        {DDPM}
            x = torch.full(shape, float("nan"))
            for t in reversed(range(len(schedule.ab_t))):
                model(x, torch.full((len(x),), t / len(schedule.ab_t)))
            return x
    """, 5),
    Case("Q1.5", "sample_ddim", "rounds_to_half_precision", f"""
        {DDIM}
            ab, x = schedule.ab_t, torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise
            for t, t_prev in ddim_times(len(ab), n_steps):
                eps = model(x, torch.full((len(x),), t / len(ab), device=x.device)).detach()
                after = ab[t_prev] if t_prev >= 0 else torch.ones_like(ab[0])
                x = after.sqrt() * (x - (1 - ab[t]).sqrt() * eps) / ab[t].sqrt() + (1 - after).sqrt() * eps
            return x.half().float()
    """),
    Case("Q1.5", "sample_ddim", "returns_nothing", f"""
        {DDIM}
            return ()
    """, 5),
    Case("Q1.1", "linear_schedule", "never_changes", """
        def linear_schedule(timesteps, beta1, beta2):
            return Schedule(torch.zeros(timesteps), torch.ones(timesteps), torch.ones(timesteps))
    """, 3),
    Case("Q2.3", "score_matching_loss", "is_zero", f"""
        {LOSS}
            return 0 * model(x_noisy, sigma).sum()
    """, 4),
    # -------------------------------------------------------- seeds
    Case("Q1.3", "train_step", "seeds_every_call", f"""
        {TRAIN_STEP}
            torch.manual_seed(42){PREDICTED}
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss.detach()
    """),
    Case("Q1.5", "sample_ddim", "has_a_generator_of_its_own", f"""
        {DDIM}
            ab, x = schedule.ab_t, noise
            if noise is None:
                x = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(ab.device)
            for t, t_prev in ddim_times(len(ab), n_steps):
                eps = model(x, torch.full((len(x),), t / len(ab), device=x.device)).detach()
                after = ab[t_prev] if t_prev >= 0 else torch.ones_like(ab[0])
                x = after.sqrt() * (x - (1 - ab[t]).sqrt() * eps) / ab[t].sqrt() + (1 - after).sqrt() * eps
            return x
    """),
    Case("Q2.2", "add_noise", "seeds_every_call", """
        def add_noise(x, sigma):
            torch.manual_seed(42)
            epsilon = sigma * torch.randn_like(x)
            return x + epsilon, epsilon
    """),
    Case("Q2.6", "langevin_sampling", "seeds_every_call", f"""
        {LANGEVIN}
            torch.manual_seed(42)
            path = [start_point]
            for _ in range(num_steps):
                x = path[-1]
                noise = (2 * step_size) ** 0.5 * torch.randn_like(x)
                path.append((x + step_size * model(x, sigma_t) + noise).detach())
            return path
    """),
    # -------------------------------------------------------- too tame
    Case("Q1.3", "train_step", "keeps_the_graph", f"""
        {TRAIN_STEP}{PREDICTED}
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss
    """),
    Case("Q1.4", "sample_ddpm", "starts_on_the_cpu", f"""
        {DDPM}
            b_t, a_t, ab_t = schedule
            x = torch.randn(shape) if noise is None else noise
            for t in reversed(range(len(ab_t))):
                eps = model(x, torch.full((len(x),), t / len(ab_t))).detach()
                x = (x - b_t[t] / (1 - ab_t[t]).sqrt() * eps) / a_t[t].sqrt()
                x = x + b_t[t].sqrt() * torch.randn_like(x) if t > 0 else x
            return x
    """),
    Case("Q2.3", "score_matching_loss", "calls_backward", f"""
        {LOSS}
            error = model(x_noisy, sigma) + epsilon / sigma**2
            loss = 0.5 * error.square().sum(dim=1).mean()
            if loss.requires_grad:
                loss.backward(retain_graph=True)
            return loss
    """),
    Case("Q2.4", "train_score_model", "keeps_the_graphs", f"""
        {TRAIN}
            losses = []
            for _ in range(n_steps):
                x = data[torch.randint(0, len(data), (batch_size,))]
                sigma = sigma_range[0] + (sigma_range[1] - sigma_range[0]) * torch.rand(batch_size, 1)
                loss = score_matching_loss(model, *add_noise(x, sigma), sigma)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss)
            return losses
    """),
    Case("Q2.8", "annealed_langevin_sampling", "seeds_every_level", f"""
        {ANNEALED}
            path = [start_point]
            for sigma in sigmas:
                torch.manual_seed(42)
                path += langevin_sampling(
                    model, path[-1], sigma, step_size * (sigma / sigmas[-1]) ** 2, num_steps)[1:]
            return path
    """),
    # -------------------------------------------------------- state, devices, laws of the noise
    Case("Q1.2", "perturb_input", "keeps_what_it_made_first", """
        def perturb_input(x, t, noise, ab_t, kept={}):
            ab = ab_t[t].reshape(-1, 1, 1, 1)
            return kept.setdefault(x.shape, ab.sqrt() * x + (1 - ab).sqrt() * noise)
    """),
    Case("Q1.3", "train_step", "needs_more_than_one_image", f"""
        {TRAIN_STEP}{PREDICTED}
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss.detach() if len(x) > 1 else 2 * loss.detach()
    """),
    *(Case("Q2.2", "add_noise", f"draws_{name}", f"""
        def add_noise(x, sigma):
            epsilon = sigma * {noise}
            return x + epsilon, epsilon
    """) for name, noise in (
        ("uniform_noise", "12**0.5 * (torch.rand_like(x) - 0.5)"),
        ("signs", "torch.randn_like(x).sign()"),
        ("pairs_that_cancel", "torch.cat([z := torch.randn((len(x) + 1) // 2, 2), -z])[:len(x)]"),
    )),
    Case("Q2.6", "langevin_sampling", "forgets_where_it_started", f"""
        {LANGEVIN}
            return [torch.zeros_like(start_point)] * (num_steps + 1)
    """, 4),
    Case("Q2.6", "langevin_sampling", "adds_noise_before_the_score", f"""
        {LANGEVIN}
            path = [start_point]
            for _ in range(num_steps):
                x = path[-1] + (2 * step_size) ** 0.5 * torch.randn_like(start_point)
                path.append((x + step_size * model(x, sigma_t)).detach())
            return path
    """),
]  # fmt: skip


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_a_wrong_answer_loses_points(bench, case):
    failed = failures_of(bench, case.exercise, case.variant(bench))
    assert len(failed) >= case.least, failed


RIGHT = [
    Case("Q1.3", "train_step", "steps_with_a_closure", f"""
        {TRAIN_STEP}{PREDICTED}
            def closure():
                optimizer.zero_grad()
                loss.backward()
                return loss
            return optimizer.step(closure).detach()
    """),
    Case("Q2.4", "train_score_model", "takes_a_permutation", f"""
        {TRAIN}
            losses, (low, high) = [], sigma_range
            for _ in range(n_steps):
                x = data[torch.randperm(len(data))[:batch_size]]
                sigma = torch.empty(len(x), 1).uniform_(low, high) if high > low else low
                noisy, epsilon = add_noise(x, sigma)
                optimizer.zero_grad()
                loss = score_matching_loss(model, noisy, epsilon, sigma)
                loss.backward()
                optimizer.step()
                losses.append(float(loss))
            return losses
    """),
    Case("Q1.3", "train_step", "asks_about_one_image_after_the_other", f"""
        {TRAIN_STEP}
            T = len(schedule.ab_t)
            t = torch.randint(0, T, (len(x),), device=x.device) if t is None else t
            noise = torch.randn(x.shape).to(x) if noise is None else noise
            x_t = perturb_input(x, t, noise, schedule.ab_t)
            loss = sum((model(x_t[i:i + 1], t[i:i + 1] / T) - noise[i:i + 1]).square().sum() for i in range(len(x)))
            loss = loss / noise.numel()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss.item()
    """),
    Case("Q1.4", "sample_ddpm", "reads_the_schedule_as_numbers", f"""
        {DDPM}
            device = "cuda" if torch.cuda.is_available() else "cpu"
            b, a, ab = (v.tolist() for v in schedule)
            x = torch.randn(*shape).to(schedule.b_t.device) if noise is None else noise.clone()
            for t in range(len(b) - 1, -1, -1):
                eps = model(x, torch.full((shape[0],), t / len(b), device=x.device)).detach()
                x = (x - b[t] / (1 - ab[t]) ** 0.5 * eps) / a[t] ** 0.5
                x += b[t] ** 0.5 * torch.randn(shape).to(x.device) if t else 0
            return x
    """),
    Case("Q1.5", "sample_ddim", "asks_whether_there_is_a_gpu", f"""
        {DDIM}
            device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
            ab = schedule.ab_t
            x = torch.randn(shape, device=device) if noise is None else noise
            for t, t_prev in ddim_times(len(ab), n_steps):
                eps = model(x=x, t=torch.full((len(x),), t / len(ab), device=device)).detach()
                after = ab[t_prev] if t_prev >= 0 else torch.tensor(1.0, device=device)
                x = after.sqrt() * (x - (1 - ab[t]).sqrt() * eps) / ab[t].sqrt() + (1 - after).sqrt() * eps
            return x
    """),
    Case("Q2.3", "score_matching_loss", "asks_about_one_point_after_the_other", f"""
        {LOSS}
            sigmas = torch.as_tensor(sigma).expand(len(x_noisy), 1) if isinstance(sigma, torch.Tensor) else (
                torch.full((len(x_noisy), 1), sigma))
            return torch.stack([
                0.5 * (model(x[None], s[None]) + e / s**2).square().sum()
                for x, e, s in zip(x_noisy, epsilon, sigmas)
            ]).mean()
    """),
    Case("Q2.6", "langevin_sampling", "draws_all_noise_at_once", f"""
        {LANGEVIN}
            noise, path = torch.randn(num_steps, *start_point.shape), [start_point.clone()]
            for z in noise:
                path.append((path[-1] + step_size * model(path[-1], sigma_t) + (2 * step_size) ** 0.5 * z).detach())
            return tuple(path)
    """),
    Case("Q2.3", "score_matching_loss", "computes_in_double_precision", f"""
        {LOSS}
            epsilon, sigma = epsilon.double(), torch.as_tensor(sigma).double()
            error = model(x_noisy, sigma).double() + epsilon / sigma**2
            return error.square().sum() / (2 * len(error))
    """),
]  # fmt: skip


@pytest.mark.parametrize("case", RIGHT, ids=str)
def test_a_right_answer_keeps_all(bench, case):
    assert failures_of(bench, case.exercise, case.variant(bench)) == {}


def test_annealing_is_judged_on_its_own_merits(bench):
    wrong = Case("Q2.6", "langevin_sampling", "", """
        def langevin_sampling(model, start_point, sigma_t, step_size, num_steps):
            return [start_point]
    """).variant(bench)  # fmt: skip
    assert failures_of(bench, "Q2.6", wrong)
    assert failures_of(bench, "Q2.8", wrong) == {}


@pytest.mark.parametrize(
    "case, said, unsaid",
    [
        (
            Case("Q2.3", "score_matching_loss", "forgets_the_half", f"""
                {LOSS}
                    return (model(x_noisy, sigma) + epsilon / sigma**2).square().sum(dim=1).mean()
            """),
            "The value is wrong in this test too", "wrong gradient, or none",
        ),
        (
            Case("Q2.3", "score_matching_loss", "never_asks_the_model", f"""
                {LOSS}
                    return 0.5 * (x_noisy + epsilon / sigma**2).square().sum(dim=1).mean()
            """),
            "The model is not asked about", "list index",
        ),
        (
            Case("Q1.2", "perturb_input", "changes_the_noise", """
                def perturb_input(x, t, noise, ab_t):
                    ab = ab_t[t].reshape(-1, 1, 1, 1)
                    noise *= (1 - ab).sqrt()
                    return ab.sqrt() * x + noise
            """),
            "It changes `noise` in place", "`x`",
        ),
        (
            Case("Q2.8", "annealed_langevin_sampling", "empties_the_levels", f"""
                {ANNEALED}
                    path, last = [start_point], sigmas[-1]
                    while sigmas:
                        sigma = sigmas.pop(0)
                        step = step_size * (sigma / last) ** 2
                        path += langevin_sampling(model, path[-1], sigma, step, num_steps)[1:]
                    return path
            """),
            "It changes `sigmas` in place", "start_point",
        ),
        (
            Case("Q2.2", "add_noise", "returns_nothing", "def add_noise(x, sigma):\n    x + sigma"),
            "It does not return two tensors", "NoneType",
        ),
        (
            Case("Q2.6", "langevin_sampling", "shares_noise_among_points", f"""
                {LANGEVIN}
                    path = [start_point]
                    for _ in range(num_steps):
                        x, z = path[-1], torch.randn(1, 2)
                        path.append((x + step_size * model(x, sigma_t) + (2 * step_size) ** 0.5 * z).detach())
                    return path
            """),
            "All draws are the same", "mean of many draws",
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, Case) else "",
)  # fmt: skip
def test_what_is_said_is_true(bench, case, said, unsaid):
    failed = failures_of(bench, case.exercise, case.variant(bench))
    assert any(said in sentence for sentence in failed.values()), failed
    assert not any(unsaid in sentence for sentence in failed.values()), failed
