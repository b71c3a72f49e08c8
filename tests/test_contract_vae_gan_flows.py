"""Wrong answers to gan.py and solution.py of vae_gan_flows that once kept all of their points, right ones that lost
some, and sentences that were not true: each is graded here by the hidden tests of its exercise."""

import pytest
from contract_cases import Case, failures_of

from autograder.quality.bench import Bench


@pytest.fixture(scope="module")
def bench():
    return Bench("vae_gan_flows")


OGP = "def ogp(p, cp, q, cq, critic):"
R1GP = "def r1gp(p, cp, q, cq, critic):"
EMA = "def apply_exponential_moving_average(source, target, alpha=0.998):"
MAKE = "def make_train_step(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):"

# A right train_step, up to the average.
STEPS = """
            metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)
            def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
                for _ in range(critic_inner_iters):
                    p = next(train_data_iter)
                    critic_optim.zero_grad()
                    critic_loss(p, generator().detach(), critic).backward()
                    critic_optim.step()
                generator_optim.zero_grad()
                value = metric(p, generator(), critic)
                value.backward()
                generator_optim.step()
"""
PENALTY = """
            e = torch.rand(len(p), *[1] * (p.dim() - 1), device=p.device)
            x = (e * p + (1 - e) * q).detach().requires_grad_()
"""

WRONG = [
    Case("Q2.3", "ogp", "seeds_every_call", f"""
        {OGP}
            torch.manual_seed(42){PENALTY}
            (g,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
            return (g.flatten(1).norm(dim=1) - 1).square().mean()
    """),
    Case("Q2.3", "ogp", "stays_on_the_cpu", f"""
        {OGP}
            e = torch.rand(len(p), *[1] * (p.dim() - 1))
            x = (e * p + (1 - e) * q).detach().requires_grad_()
            (g,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
            return (g.flatten(1).norm(dim=1) - 1).square().mean()
    """),
    Case("Q2.3", "ogp", "leaves_the_critic_in_another_mode", f"""
        {OGP}
            critic.eval(){PENALTY}
            (g,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
            return (g.flatten(1).norm(dim=1) - 1).square().mean()
    """),
    Case("Q2.3", "ogp", "changes_the_outputs_in_place", f"""
        {OGP}{PENALTY}
            (g,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
            cp.detach().mul_(2)
            return (g.flatten(1).norm(dim=1) - 1).square().mean()
    """),
    Case("Q2.4", "r1gp", "leaves_gradients_behind", f"""
        {R1GP}
            x = p.detach().requires_grad_()
            critic(x).sum().backward(create_graph=True)
            return x.grad.flatten(1).square().sum(dim=1).mean()
    """),
    Case("Q2.6", "apply_exponential_moving_average", "takes_zero_for_the_default", f"""
        {EMA}
            alpha = alpha or 0.998
            with torch.no_grad():
                for new, old in zip(source.parameters(), target.parameters()):
                    old.mul_(alpha).add_((1 - alpha) * new)
    """),
    Case("Q2.7", "make_train_step", "takes_zero_for_none", f"""
        {MAKE}{STEPS}
                if alpha_ema:
                    apply_exponential_moving_average(generator, test_generator, alpha_ema)
                return value.detach()
            return train_step
    """),
    Case("Q2.3", "ogp", "draws_two_points", f"""
        {OGP}
            e = 0.5 + 12**-0.5 * torch.randn(len(p), *[1] * (p.dim() - 1), device=p.device).sign()
            x = (e * p + (1 - e) * q).detach().requires_grad_()
            (g,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
            return (g.flatten(1).norm(dim=1) - 1).square().mean()
    """),
    Case("Q2.7", "make_train_step", "seeds_every_step", f"""
        {MAKE}{STEPS.replace("for _ in", "torch.manual_seed(42)" + chr(10) + " " * 16 + "for _ in")}
                if alpha_ema is not None:
                    apply_exponential_moving_average(generator, test_generator, alpha_ema)
                return value.detach()
            return train_step
    """),
    *(Case(exercise, name, "keeps_what_it_made_first", f"""
        def {name}({arguments}, kept={{}}):
            return kept.setdefault({arguments.partition(",")[0]}.shape, {value})
    """) for exercise, name, arguments, value in (
        ("Q3.1", "planar_transformation", "z, u, w, b", "z + u * torch.tanh((z * w).sum(1, keepdim=True) + b)"),
        ("Q3.3", "loss1", "x, logdet", "0.5 * (x.square() + math.log(2 * math.pi)).sum(dim=1) - logdet"),
        ("Q3.4", "loss2", "density, z0, logdet",
         "-0.5 * (z0.square() + math.log(2 * math.pi)).sum(dim=1) - logdet - density.log()"),
    )),
    Case("Q3.4", "loss2", "is_zero", "def loss2(density, z0, logdet):\n    return 0 * (density + logdet)", 3),
    Case("Q2.1", "jsd", "is_empty", "def jsd(cp, cq):\n    return cp.new_zeros(0)", 4),
    Case("Q2.2", "w1", "is_empty", "def w1(cp, cq):\n    return cp.new_zeros(0)", 2),
]  # fmt: skip


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_a_wrong_answer_loses_points(bench, case):
    failed = failures_of(bench, case.exercise, case.variant(bench))
    assert len(failed) >= case.least, failed


RIGHT = [
    Case("Q2.7", "make_train_step", "steps_with_closures", f"""
        {MAKE}
            metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)
            def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
                for _ in range(critic_inner_iters):
                    p = next(train_data_iter)
                    def closure():
                        critic_optim.zero_grad()
                        loss = critic_loss(p, generator().detach(), critic)
                        loss.backward()
                        return loss
                    critic_optim.step(closure)
                def closure():
                    generator_optim.zero_grad()
                    value = metric(p, generator(), critic)
                    value.backward()
                    return value
                value = generator_optim.step(closure)
                if alpha_ema is not None:
                    apply_exponential_moving_average(generator, test_generator, alpha_ema)
                return value.detach()
            return train_step
    """),
    Case("Q2.7", "make_train_step", "writes_the_losses_out", f"""
        {MAKE}
            def value_of(p, q, critic):
                return jsd(critic(p), critic(q)) if loss_type == "JSD" else w1(critic(p), critic(q))
            penalty = {{"GP": ogp, "R1": r1gp, None: None}}[reg_type]
            def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
                for _ in range(critic_inner_iters):
                    p, q = next(train_data_iter), generator().detach()
                    critic_optim.zero_grad()
                    loss = -value_of(p, q, critic)
                    if penalty:
                        loss = loss + reg_cf * penalty(p, critic(p), q, critic(q), critic)
                    loss.backward()
                    critic_optim.step()
                generator_optim.zero_grad()
                value = value_of(p, generator(), critic)
                value.backward()
                generator_optim.step()
                if alpha_ema is not None:
                    apply_exponential_moving_average(generator, test_generator, alpha_ema)
                return value.item()
            return train_step
    """),
    Case("Q3.2", "get_logdet", "computes_in_double_precision", """
        def get_logdet(z, u, w, b):
            z, u, w, b = (v.double() for v in (z, u.reshape(-1), w.reshape(-1), b))
            return (1 + (1 - torch.tanh(z @ w + b) ** 2) * (u @ w)).abs().log()
    """),
]  # fmt: skip


@pytest.mark.parametrize("case", RIGHT, ids=str)
def test_a_right_answer_keeps_all(bench, case):
    assert failures_of(bench, case.exercise, case.variant(bench)) == {}


@pytest.mark.parametrize(
    "case, said, unsaid",
    [
        (
            Case("Q2.2", "w1", "doubles", "def w1(cp, cq):\n    return 2 * (cp.mean() - cq.mean())"),
            "The value is wrong in this test too", "detach",
        ),
        (
            Case("Q3.3", "loss1", "forgets_a_half", """
                def loss1(x, logdet):
                    return (x.square() + 0.5 * math.log(2 * math.pi)).sum(dim=1) - logdet
            """),
            "The value is wrong in this test too", "detach",
        ),
        (
            Case("Q2.6", "apply_exponential_moving_average", "goes_the_wrong_way_round", f"""
                {EMA}
                    with torch.no_grad():
                        for new, old in zip(source.parameters(), target.parameters()):
                            old.mul_(alpha).sub_((1 - alpha) * new)
            """),
            "target is not 0.5 * target + 0.5 * source", "in place",
        ),
        (
            Case("Q2.1", "jsd", "returns_nothing", "def jsd(cp, cq):\n    F.logsigmoid(cp).mean()"),
            "is a return missing", "unsupported operand",
        ),
        (
            Case("Q2.5", "make_losses", "forgets_the_sign", """
                def make_losses(loss_type, reg_type=None, reg_cf=1.0):
                    if loss_type not in ("JSD", "W1") or reg_type not in ("GP", "R1", None):
                        raise NotImplementedError
                    divergence = jsd if loss_type == "JSD" else w1
                    metric = lambda p, q, critic: divergence(critic(p), critic(q))
                    return metric, metric
            """),
            "wrong in this test too", "A gradient is lost",
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, Case) else "",
)  # fmt: skip
def test_what_is_said_is_true(bench, case, said, unsaid):
    failed = failures_of(bench, case.exercise, case.variant(bench))
    assert any(said in sentence for sentence in failed.values()), failed
    assert not any(unsaid in sentence for sentence in failed.values()), failed
