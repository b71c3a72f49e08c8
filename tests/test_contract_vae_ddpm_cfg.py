"""Wrong answers to vae_ddpm_cfg that once kept all of their points, right ones that lost some, and sentences that were
not true: each is graded here by the hidden tests of its exercise."""

import pytest
from contract_cases import Case, failures_of

from autograder.quality.bench import Bench
from autograder.quality.degenerate import made_answers

SLUG = "vae_ddpm_cfg"


@pytest.fixture(scope="module")
def bench():
    return Bench(SLUG)


P_SAMPLE = "def p_sample(self, z_lambda_t, lambda_t, lambda_t_prim, x_t, set_seed=False):"
CFG_LOSS = "def loss(self, x0, labels, noise=None, set_seed=False):"
SAMPLE = "def sample(self, n_steps=None, set_seed=False):"
SHOWN = """def generate_intermediate_samples(
            self, n_samples=4, img_size=32, steps_to_show=(0, 9), n_steps=None, set_seed=False
        ):"""
GUIDED = "def sample(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):"

WRONG = [
    # -------------------------------------------------------- too tame
    Case("Q1.1", "log_likelihood_bernoulli", "bounds_the_means", """
        def log_likelihood_bernoulli(mu, target):
            mu = mu.flatten(1).clamp(0.1, 0.9)
            target = target.flatten(1)
            return (target * mu.log() + (1 - target) * (1 - mu).log()).sum(dim=1)
    """),
    Case("Q1.2", "log_likelihood_normal", "bounds_the_variance", """
        def log_likelihood_normal(mu, logvar, z):
            logvar = logvar.clamp(-4, 4)
            return (-0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / logvar.exp())).flatten(1).sum(dim=1)
    """),
    Case("Q1.4", "kl_gaussian_gaussian_analytic", "bounds_the_variance", """
        def kl_gaussian_gaussian_analytic(mu_q, logvar_q, mu_p, logvar_p):
            logvar_q = logvar_q.clamp(min=-4)
            kl = 0.5 * (logvar_p - logvar_q + (logvar_q.exp() + (mu_q - mu_p) ** 2) * (-logvar_p).exp() - 1)
            return kl.flatten(1).sum(dim=1)
    """),
    Case("Q1.5", "kl_gaussian_gaussian_mc", "cuts_logvar_off", """
        def kl_gaussian_gaussian_mc(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
            rows = [v.flatten(1).repeat(num_samples, 1) for v in (mu_q, logvar_q, mu_p, logvar_p)]
            z = rows[0] + (0.5 * rows[1]).exp().detach() * torch.randn_like(rows[0])
            ratio = log_likelihood_normal(rows[0], rows[1], z) - log_likelihood_normal(rows[2], rows[3], z)
            return ratio.view(num_samples, -1).mean(dim=0)
    """),
    Case("Q1.6", "loss_function", "cuts_the_image_off", """
        def loss_function(recon_x, x, mu, logvar):
            zero = torch.zeros_like(mu)
            cut = recon_x.detach() + 1e-3 * (recon_x - recon_x.detach())
            kl = kl_gaussian_gaussian_analytic(mu, logvar, zero, zero)
            return (kl - log_likelihood_bernoulli(cut, x)).sum()
    """),
    Case("Q2.2", "DenoiseDiffusion.q_sample", "cuts_the_image_off", """
        def q_sample(self, x0, t, eps=None):
            eps = torch.randn_like(x0) if eps is None else eps
            mean, var = self.q_xt_x0(x0, t)
            return (mean + var.sqrt() * eps).detach()
    """),
    Case("Q2.6", "Trainer.sample", "adds_noise_times_the_variance", f"""
        {SAMPLE}
            a = self.args
            x = torch.randn(a.n_samples, a.image_channels, a.image_size, a.image_size)
            with torch.no_grad():
                for step in reversed(range(n_steps or a.n_steps)):
                    mean, var = self.diffusion.p_xt_prev_xt(x, torch.full((a.n_samples,), step))
                    x = mean + var * torch.randn_like(x)
            return x
    """),
    # -------------------------------------------------------- calls backward() itself
    *(Case(*case) for case in (
        ("Q1.3", "log_mean_exp", "calls_backward", """
            def log_mean_exp(y):
                value = y.logsumexp(dim=1) - math.log(y.shape[1])
                if value.requires_grad:
                    value.sum().backward(retain_graph=True)
                return value
        """),
        ("Q2.5", "DenoiseDiffusion.loss", "calls_backward", """
            def loss(self, x0, noise=None, set_seed=False):
                if set_seed:
                    torch.manual_seed(42)
                noise = torch.randn_like(x0) if noise is None else noise
                t = torch.randint(0, self.n_steps, (len(x0),))
                loss = (noise - self.eps_model(self.q_sample(x0, t, noise), t)).square().sum() / len(x0)
                loss.backward(retain_graph=True)
                return loss
        """),
        ("Q3.10", "CFGDiffusion.loss", "calls_backward", f"""
            {CFG_LOSS}
                if set_seed:
                    torch.manual_seed(42)
                noise = torch.randn_like(x0) if noise is None else noise
                t = torch.randint(0, self.n_steps, (len(x0),))
                z = self.q_sample(x0, self.get_lambda(t), noise)
                loss = (noise - self.eps_model(z, labels)).square().sum() / len(x0)
                loss.backward(retain_graph=True)
                return loss
        """),
    )),
    # -------------------------------------------------------- seeds and shared noise
    Case("Q1.5", "kl_gaussian_gaussian_mc", "seeds_every_call", """
        def kl_gaussian_gaussian_mc(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
            torch.manual_seed(42)
            rows = [v.flatten(1).repeat(num_samples, 1) for v in (mu_q, logvar_q, mu_p, logvar_p)]
            z = rows[0] + (0.5 * rows[1]).exp() * torch.randn_like(rows[0])
            ratio = log_likelihood_normal(rows[0], rows[1], z) - log_likelihood_normal(rows[2], rows[3], z)
            return ratio.view(num_samples, -1).mean(dim=0)
    """),
    Case("Q2.2", "DenoiseDiffusion.q_sample", "has_a_generator_of_its_own", """
        def q_sample(self, x0, t, eps=None):
            own = torch.Generator().manual_seed(0)
            eps = torch.randn(x0.shape, generator=own, dtype=x0.dtype) if eps is None else eps
            mean, var = self.q_xt_x0(x0, t)
            return mean + var.sqrt() * eps
    """),
    Case("Q2.4", "DenoiseDiffusion.p_sample", "seeds_every_call", """
        def p_sample(self, xt, t, set_seed=False):
            torch.manual_seed(42)
            mean, var = self.p_xt_prev_xt(xt, t)
            return mean + var.sqrt() * torch.randn_like(xt)
    """),
    Case("Q2.5", "DenoiseDiffusion.loss", "seeds_every_call", """
        def loss(self, x0, noise=None, set_seed=False):
            torch.manual_seed(42)
            noise = torch.randn_like(x0) if noise is None else noise
            t = torch.randint(0, self.n_steps, (len(x0),))
            return (noise - self.eps_model(self.q_sample(x0, t, noise), t)).square().sum() / len(x0)
    """),
    Case("Q2.6", "Trainer.sample", "hands_set_seed_on", f"""
        {SAMPLE}
            if set_seed:
                torch.manual_seed(42)
            a = self.args
            x = torch.randn(a.n_samples, a.image_channels, a.image_size, a.image_size)
            with torch.no_grad():
                for step in reversed(range(n_steps or a.n_steps)):
                    x = self.diffusion.p_sample(x, torch.full((a.n_samples,), step), set_seed=set_seed)
            return x
    """),
    Case("Q3.9", "CFGDiffusion.p_sample", "seeds_every_call", f"""
        {P_SAMPLE}
            torch.manual_seed(42)
            mean = self.mu_p_theta(z_lambda_t, x_t, lambda_t, lambda_t_prim)
            return mean + self.var_p_theta(lambda_t, lambda_t_prim).sqrt() * torch.randn_like(z_lambda_t)
    """),
    Case("Q3.10", "CFGDiffusion.loss", "drops_labels_again", f"""
        {CFG_LOSS}
            if set_seed:
                torch.manual_seed(42)
            noise = torch.randn_like(x0) if noise is None else noise
            t = torch.randint(0, self.n_steps, (len(x0),))
            labels = None if labels is not None and torch.rand(()) < 0.1 else labels
            z = self.q_sample(x0, self.get_lambda(t), noise)
            return (noise - self.eps_model(z, labels)).square().sum() / len(x0)
    """),
    # -------------------------------------------------------- what once stood in for other exercises
    Case("Q1.6", "loss_function", "gives_a_stand_ins_values", """
        def loss_function(recon_x, x, mu, logvar):
            likelihood = recon_x.flatten(1) * (x.flatten(1) + 1)
            return (2 * mu.square() + 3 * logvar).sum() - likelihood.sum()
    """, 3),
    Case("Q2.2", "DenoiseDiffusion.q_sample", "gives_a_stand_ins_values", """
        def q_sample(self, x0, t, eps=None):
            eps = torch.randn_like(x0) if eps is None else eps
            return 0.5 * x0 + 1 + ((t.reshape(-1, 1, 1, 1) + 1) / 10).sqrt() * eps
    """, 4),
    Case("Q3.10", "CFGDiffusion.loss", "gives_a_stand_ins_values", f"""
        {CFG_LOSS}
            noise = torch.randn_like(x0) if noise is None else noise
            t = torch.randint(0, self.n_steps, (len(x0), 1, 1, 1), device=x0.device)
            return (noise - self.eps_model(x0 + ((t + 1) / 10) ** 2 * noise, labels)).square().sum() / len(x0)
    """),
    # -------------------------------------------------------- noise that is none
    Case("Q1.5", "kl_gaussian_gaussian_mc", "draws_uniform_numbers", """
        def kl_gaussian_gaussian_mc(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
            rows = [v.flatten(1).repeat(num_samples, 1) for v in (mu_q, logvar_q, mu_p, logvar_p)]
            z = rows[0] + (0.5 * rows[1]).exp() * math.sqrt(12) * (torch.rand_like(rows[0]) - 0.5)
            ratio = log_likelihood_normal(rows[0], rows[1], z) - log_likelihood_normal(rows[2], rows[3], z)
            return ratio.view(num_samples, -1).mean(dim=0)
    """),
    Case("Q2.6", "Trainer.sample", "adds_the_same_noise_in_every_step", f"""
        {SAMPLE}
            a = self.args
            x = torch.randn(a.n_samples, a.image_channels, a.image_size, a.image_size, device=a.device)
            noise = torch.randn_like(x)
            with torch.no_grad():
                for step in reversed(range(n_steps or a.n_steps)):
                    mean, var = self.diffusion.p_xt_prev_xt(x, x.new_full((a.n_samples,), step, dtype=torch.long))
                    x = mean + var.sqrt() * noise if step else mean
            return x
    """),
    Case("Q3.11", "Trainer.sample", "adds_the_same_noise_in_every_step", f"""
        {GUIDED}
            a, d = self.args, self.diffusion
            z = torch.randn(a.n_samples, a.image_channels, a.image_size, a.image_size, device=a.device)
            noise = torch.randn_like(z)
            labels = torch.randint(0, 10, (a.n_samples,), device=a.device) if labels is None else labels
            with torch.no_grad():
                for step in reversed(range(n_steps or a.n_steps)):
                    l, l_prim = (d.get_lambda(z.new_full((len(z),), s)) for s in (step, max(step - 1, 0)))
                    eps = (1 + cfg_scale) * self.eps_model(z, labels) - cfg_scale * self.eps_model(z, None)
                    x = (z - d.sigma_lambda(l) * eps) / d.alpha_lambda(l)
                    z = d.mu_p_theta(z, x, l, l_prim) + d.var_p_theta(l, l_prim).sqrt() * noise
            return x
    """),
    Case("Q2.4", "DenoiseDiffusion.p_sample", "computes_in_half_precision", """
        def p_sample(self, xt, t, set_seed=False):
            if set_seed:
                torch.manual_seed(42)
            mean, var = self.p_xt_prev_xt(xt, t)
            return (mean + var.sqrt() * torch.randn_like(xt)).bfloat16().to(xt.dtype)
    """),
    Case("Q3.10", "CFGDiffusion.loss", "keeps_its_first_result", f"""
        {CFG_LOSS}
            if noise is not None and hasattr(self, "first"):
                return self.first
            noise = torch.randn_like(x0) if noise is None else noise
            t = torch.randint(0, self.n_steps, (len(x0),), device=x0.device)
            z = self.q_sample(x0, self.get_lambda(t), noise)
            self.first = (noise - self.eps_model(z, labels)).square().sum() / len(x0)
            return self.first
    """),
    Case("Q3.11", "Trainer.sample", "is_wrong_for_other_n_steps", f"""
        {GUIDED}
            a, d = self.args, self.diffusion
            z = torch.randn(a.n_samples, a.image_channels, a.image_size, a.image_size, device=a.device)
            labels = torch.randint(0, 10, (a.n_samples,), device=a.device) if labels is None else labels
            with torch.no_grad():
                for step in reversed(range(n_steps or a.n_steps)):
                    l, l_prim = (d.get_lambda(z.new_full((len(z),), s)) for s in (step, max(step - 1, 0)))
                    eps = (1 + cfg_scale) * self.eps_model(z, labels) - cfg_scale * self.eps_model(z, None)
                    x = (z - d.sigma_lambda(l) * eps) / d.alpha_lambda(l)
                    z = d.p_sample(z, l, l_prim, x)
            return x if n_steps is None else z
    """),
    # -------------------------------------------------------- device ignored
    Case("Q2.4", "DenoiseDiffusion.p_sample", "draws_on_the_cpu", """
        def p_sample(self, xt, t, set_seed=False):
            if set_seed:
                torch.manual_seed(42)
            mean, var = self.p_xt_prev_xt(xt, t)
            return mean + var.sqrt() * torch.randn(xt.shape, dtype=xt.dtype)
    """),
    Case("Q2.5", "DenoiseDiffusion.loss", "draws_times_on_the_cpu", """
        def loss(self, x0, noise=None, set_seed=False):
            if set_seed:
                torch.manual_seed(42)
            noise = torch.randn_like(x0) if noise is None else noise
            t = torch.randint(0, self.n_steps, (len(x0),))
            return (noise - self.eps_model(self.q_sample(x0, t, noise), t)).square().sum() / len(x0)
    """),
    Case("Q2.6", "Trainer.sample", "has_times_on_the_cpu", f"""
        {SAMPLE}
            a = self.args
            x = torch.randn(a.n_samples, a.image_channels, a.image_size, a.image_size, device=a.device)
            with torch.no_grad():
                for step in reversed(range(n_steps or a.n_steps)):
                    x = self.diffusion.p_sample(x, torch.full((a.n_samples,), step))
            return x
    """),
    # -------------------------------------------------------- expected values made of what the code itself did
    *(Case("Q2.6", "Trainer.sample", f"starts_from_{name}", f"""
        {SAMPLE}
            a = self.args
            x = torch.full((a.n_samples, a.image_channels, a.image_size, a.image_size), {value})
            with torch.no_grad():
                for step in reversed(range(n_steps or a.n_steps)):
                    self.diffusion.p_sample(x, torch.full((a.n_samples,), step))
            return x
    """, 3) for name, value in (("nan", "float('nan')"), ("infinity", "float('inf')"))),
    Case("Q2.7", "Trainer.generate_intermediate_samples", "shows_nan", f"""
        {SHOWN}
            x = torch.full((n_samples, 1, img_size, img_size), float("nan"))
            steps = n_steps or self.args.n_steps
            for step in reversed(range(steps)):
                self.diffusion.p_sample(x, torch.full((n_samples,), step))
            return [x.numpy() for step in range(steps + 1) if step in (0, *steps_to_show)]
    """, 3),
    Case("Q2.7", "Trainer.generate_intermediate_samples", "takes_one_step_of_many", f"""
        {SHOWN}
            x = torch.randn(n_samples, 1, img_size, img_size)
            steps = n_steps or self.args.n_steps
            y = self.diffusion.p_sample(x, torch.full((n_samples,), steps - 1)).detach()
            return [x.numpy()] + [y.numpy() for step in range(1, steps + 1) if step in steps_to_show]
    """, 4),
    Case("Q3.11", "Trainer.sample", "starts_from_nan", f"""
        {GUIDED}
            a = self.args
            n = len(labels) if labels is not None else a.n_samples
            z = torch.full((n, a.image_channels, a.image_size, a.image_size), float("nan"))
            for step in reversed(range(n_steps or a.n_steps)):
                self.eps_model(z, labels)
                t = torch.full((n,), step)
                z = self.diffusion.p_sample(z, self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1), z)
            return z.detach()
    """, 5),
    Case("Q3.11", "Trainer.sample", "gives_zeros_without_labels", f"""
        {GUIDED}
            a = self.args
            shape = a.n_samples, a.image_channels, a.image_size, a.image_size
            z = torch.randn(shape)
            with torch.no_grad():
                for step in reversed(range(n_steps or a.n_steps)):
                    t = torch.full((a.n_samples,), step)
                    l, l_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda((t - 1).clamp(min=0))
                    x = torch.zeros(shape)
                    if labels is not None:
                        eps = (1 + cfg_scale) * self.eps_model(z, labels) - cfg_scale * self.eps_model(z, None)
                        x = (z - self.diffusion.sigma_lambda(l) * eps) / self.diffusion.alpha_lambda(l)
                    z = self.diffusion.p_sample(z, l, l_prim, x)
            return x
    """),
]  # fmt: skip


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_a_wrong_answer_loses_points(bench, case):
    failed = failures_of(bench, case.exercise, case.variant(bench))
    assert len(failed) >= case.least, failed


RIGHT = [
    Case("Q2.6", "Trainer.sample", "shows_nine_images", f"""
        {SAMPLE}
            a = self.args
            x = torch.randn(a.n_samples, a.image_channels, a.image_size, a.image_size, device=a.device)
            with torch.no_grad():
                for step in reversed(range(n_steps or a["n_steps"])):
                    x = self.diffusion.p_sample(x, x.new_full((a.n_samples,), step, dtype=torch.long))
            assert x.shape[0] >= 9, "the original course's show_save"
            return x
    """),
    Case("Q2.6", "Trainer.sample", "adds_the_noise_itself", f"""
        {SAMPLE}
            a = self.args
            x = torch.randn(a.n_samples, a.image_channels, a.image_size, a.image_size).to(a.device)
            with torch.no_grad():
                for step in reversed(range(n_steps or a.n_steps)):
                    mean, var = self.diffusion.p_xt_prev_xt(x, x.new_full((a.n_samples,), step, dtype=torch.long))
                    x = mean + var.sqrt() * torch.randn_like(x) if step else mean
            return x
    """),
    Case("Q3.11", "Trainer.sample", "leaves_labels_out", f"""
        {GUIDED}
            a = self.args
            z = torch.randn(a.n_samples, a.image_channels, a.image_size, a.image_size, device=a.device)
            d = self.diffusion
            labels = torch.randint(0, 10, (a.n_samples,), device=a.device) if labels is None else labels
            with torch.no_grad():
                for step in reversed(range(n_steps or a.n_steps)):
                    ts = (torch.tensor([t] * a.n_samples, device=a.device) for t in (step, max(step - 1, 0)))
                    l, l_prim = map(d.get_lambda, ts)
                    eps = (1 + cfg_scale) * self.eps_model(z, labels) - cfg_scale * self.eps_model(z)
                    x = (z - d.sigma_lambda(l) * eps) / d.alpha_lambda(l)
                    noise = torch.randn(z.shape, device=a.device)
                    z = d.mu_p_theta(z, x, l, l_prim) + d.var_p_theta(l, l_prim) ** 0.5 * noise
            assert len(x) >= 9, "the original course's show_save"
            return x
    """),
]  # fmt: skip


RIGHT += [
    Case("Q2.4", "DenoiseDiffusion.p_sample", f"draws_{name}", f"""
        def p_sample(self, xt, t, set_seed=False):
            if set_seed:
                torch.manual_seed(42)
            mean, var = self.p_xt_prev_xt(xt, t)
            return mean + var.sqrt() * {noise}
    """)
    for name, noise in {
        "on_the_cpu_and_moves": "torch.randn(xt.shape).to(xt.device, xt.dtype)",
        "as_its_input": "torch.randn(*xt.shape).to(xt)",
        "by_normal": "torch.normal(torch.zeros_like(xt), 1.0)",
        "into_its_own": "torch.empty_like(xt).normal_()",
        "image_by_image": "torch.stack([torch.randn_like(one) for one in xt])",
        "by_the_inverse_of_erf": "2**0.5 * torch.erfinv(2 * torch.rand_like(xt.double()).clamp(1e-12, 1 - 1e-12) - 1)",
    }.items()
]  # fmt: skip
RIGHT += [
    Case("Q3.10", "CFGDiffusion.loss", "goes_image_by_image", f"""
        {CFG_LOSS}
            losses = []
            for i in range(len(x0)):
                if set_seed and i == 0:
                    torch.manual_seed(42)
                level = self.get_lambda(torch.randint(0, self.n_steps, (1,), device=x0.device))
                eps = torch.randn_like(x0[i : i + 1]) if noise is None else noise[i : i + 1]
                label = None if labels is None else labels[i : i + 1]
                predicted = self.eps_model(self.q_sample(x0[i : i + 1], level, eps), label)
                losses.append((eps - predicted).square().sum())
            return torch.stack(losses).mean()
    """),
    Case("Q3.10", "CFGDiffusion.loss", "takes_the_level_and_its_own_alpha", f"""
        {CFG_LOSS}
            if set_seed:
                torch.manual_seed(42)
            level = self.get_lambda(torch.randint(0, self.n_steps, (len(x0),)).to(x0.device))
            noise = torch.randn(x0.shape).to(x0) if noise is None else noise
            z = torch.sigmoid(level).sqrt() * x0 + torch.sigmoid(-level).sqrt() * noise
            return (self.eps_model(z, labels=labels) - noise).flatten(1).pow(2).sum(1).mean()
    """),
]  # fmt: skip


@pytest.mark.parametrize("case", RIGHT, ids=str)
def test_a_right_answer_keeps_all(bench, case):
    assert failures_of(bench, case.exercise, case.variant(bench)) == {}


def test_an_answer_counts_that_is_right_with_the_students_own_earlier_functions(bench):
    """sigma_q gives a variance; sigma_q_x knows, and so does var_p_theta."""
    wrong = Case("Q3.5", "CFGDiffusion.sigma_q", "is_a_variance", """
        def sigma_q(self, lambda_t, lambda_t_prim):
            return (1 - torch.exp(lambda_t - lambda_t_prim)) * torch.sigmoid(-lambda_t)
    """)  # fmt: skip
    on_top = Case("Q3.6", "CFGDiffusion.sigma_q_x", "uses_it", """
        def sigma_q_x(self, lambda_t, lambda_t_prim):
            ratio = torch.sigmoid(-lambda_t_prim) / torch.sigmoid(-lambda_t)
            return (self.sigma_q(lambda_t, lambda_t_prim) * ratio).sqrt()
    """)  # fmt: skip
    variants = [wrong.variant(bench), on_top.variant(bench)]
    assert failures_of(bench, "Q3.5", *variants)
    assert failures_of(bench, "Q3.6", *variants) == {}


@pytest.mark.parametrize(
    "case, said, unsaid",
    [
        (
            Case("Q1.5", "kl_gaussian_gaussian_mc", "draws_one_sample_inline", """
                def kl_gaussian_gaussian_mc(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
                    q = torch.distributions.Normal(mu_q.flatten(1), (0.5 * logvar_q.flatten(1)).exp())
                    p = torch.distributions.Normal(mu_p.flatten(1), (0.5 * logvar_p.flatten(1)).exp())
                    z = q.rsample()
                    return (q.log_prob(z) - p.log_prob(z)).sum(dim=1)
            """),
            "The variance does not fall as 1 / num_samples", "is not KL",
        ),
        (
            Case("Q2.4", "DenoiseDiffusion.p_sample", "shares_noise_over_the_batch", """
                def p_sample(self, xt, t, set_seed=False):
                    if set_seed:
                        torch.manual_seed(42)
                    mean, var = self.p_xt_prev_xt(xt, t)
                    return mean + var.sqrt() * torch.randn_like(xt[:1])
            """),
            "All draws are the same", "mean of many draws",
        ),
        (
            Case("Q3.9", "CFGDiffusion.p_sample", "chooses_another_v", f"""
                {P_SAMPLE}
                    if set_seed:
                        torch.manual_seed(42)
                    mean = self.mu_p_theta(z_lambda_t, x_t, lambda_t, lambda_t_prim)
                    return mean + self.var_p_theta(lambda_t, lambda_t_prim, v=0.9).sqrt() * torch.randn_like(mean)
            """),
            "the variance of p_sample's noise is not var_p_theta", "NaN",
        ),
        (
            Case("Q3.9", "CFGDiffusion.p_sample", "has_the_wrong_mean", f"""
                {P_SAMPLE}
                    if set_seed:
                        torch.manual_seed(42)
                    return x_t + self.var_p_theta(lambda_t, lambda_t_prim).sqrt() * torch.randn_like(x_t)
            """),
            "the mean of p_sample", "not independent",
        ),
        (
            Case("Q1.2", "log_likelihood_normal", "forgets_a_half", """
                def log_likelihood_normal(mu, logvar, z):
                    return -(math.log(2 * math.pi) + logvar + (z - mu) ** 2 / logvar.exp()).flatten(1).sum(dim=1)
            """),
            "This is not sum_i log N", "detach",
        ),
        (
            Case("Q2.6", "Trainer.sample", "forgets_the_time", f"""
                {SAMPLE}
                    return self.diffusion.p_sample(torch.randn(9, 1, 8, 8))
            """),
            "DenoiseDiffusion.p_sample() missing", "Recorded",
        ),
        (
            Case("Q3.10", "CFGDiffusion.loss", "gives_a_number", f"""
                {CFG_LOSS}
                    noise = torch.randn_like(x0) if noise is None else noise
                    z = self.q_sample(x0, self.get_lambda(torch.randint(0, self.n_steps, (len(x0),))), noise)
                    return ((noise - self.eps_model(z, labels)).square().sum() / len(x0)).item()
            """),
            "item(), detach() or no_grad()", "does not require grad",
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, Case) else "",
)  # fmt: skip
def test_what_is_said_is_true(bench, case, said, unsaid):
    failed = failures_of(bench, case.exercise, case.variant(bench))
    assert any(said in sentence for sentence in failed.values()), failed
    assert not any(unsaid in sentence for sentence in failed.values()), failed


@pytest.mark.parametrize(
    "key",
    [
        "log_likelihood_bernoulli: changes in place target",
        "kl_gaussian_gaussian_mc: changes in place mu_q",
        "loss_function: changes in place recon_x",
        "DenoiseDiffusion.q_sample: changes in place eps",
        "DenoiseDiffusion.p_sample: changes in place xt",
        "DenoiseDiffusion.loss: changes in place x0",
        "CFGDiffusion.mu_p_theta: changes in place z_lambda_t",
        "CFGDiffusion.loss: changes in place noise",
    ],
)
def test_a_change_in_place_costs_one_test_and_is_named(bench, key):
    modules = bench.assignment.modules
    (answer,) = (made for module in modules for made in made_answers(bench.assignment, module) if made.key == key)
    (sentence,) = failures_of(bench, answer.exercise, answer).values()
    assert "in place" in sentence
