"""Wrong answers to vae_gan_ddpm that once kept all of their points, right ones that lost some, and sentences that were
not true: each is graded here by the hidden tests of its exercise."""

import pytest
from contract_cases import Case, failures_of

from autograder.quality.bench import Bench


@pytest.fixture(scope="module")
def bench():
    return Bench("vae_gan_ddpm")


SAMPLE = "def sample(self, noise=None):"
PRIOR = "def sample(self, batch_size, noise=None):"
LIKELIHOOD = "def log_likelihood(self, x, K=100):"
D_TRAIN = "def discriminator_train(discriminator, generator, criterion, real_samples, fake_samples):"
G_TRAIN = "def generator_train(discriminator, generator, criterion, fake_samples):"
P_SAMPLE = "def p_sample(schedule, model, x, t, t_index, noise=None):"
LOOP = "def p_sample_loop(schedule, model, shape, noise=None):"
P_LOSSES = "def p_losses(schedule, denoise_model, x_start, t, noise=None):"


def seeded(exercise: str, target: str, head: str, rest: str) -> Case:
    indented = "\n".join(f"    {line}" for line in ["torch.manual_seed(42)", *rest.strip().split("\n")])
    return Case(exercise, target, "seeds_every_call", f"{head}\n{indented}")


MEAN = """
with torch.no_grad():
    beta, std = extract(schedule.betas, t, x), extract(schedule.sqrt_one_minus_alphas_cumprod, t, x)
    mean = extract(schedule.sqrt_recip_alphas, t, x) * (x - beta / std * model(x, t))
"""

WRONG = [
    # -------------------------------------------------------- answers that travelled inside of looks
    Case("Q1.9", "VAE.forward", "looks_for_probes", """
        def forward(self, x, noise=None):
            q = self.probes.encode(x)
            p = self.probes.decode(q.sample(noise))
            return p.mode(), p.nll(x), q.kl()
    """, 5),
    # -------------------------------------------------------- seeds and gradients
    Case("Q1.1", "DiagonalGaussianDistribution.sample", "cuts_its_own_noise_off", f"""
        {SAMPLE}
            return torch.normal(self.mean, self.std) if noise is None else self.mean + self.std * noise
    """),
    seeded("Q1.1", "DiagonalGaussianDistribution.sample", SAMPLE,
           "return self.mean + self.std * (torch.randn_like(self.mean) if noise is None else noise)"),
    Case("Q1.1", "DiagonalGaussianDistribution.sample", "has_a_generator_of_its_own", f"""
        {SAMPLE}
            own = torch.Generator().manual_seed(0)
            noise = torch.randn(self.mean.shape, generator=own) if noise is None else noise
            return self.mean + self.std * noise
    """),
    seeded("Q1.7", "VAE.sample", PRIOR, """
z = torch.randn(batch_size, self.z_dim, device=self.device) if noise is None else noise
return self.decode(z).mode()"""),
    seeded("Q2.5", "sample", "def sample(generator, num_samples, noise=None):", """
device = next(generator.parameters()).device
return generator(torch.randn(num_samples, generator.z_dim, 1, 1, device=device) if noise is None else noise)"""),
    seeded("Q3.2", "q_sample", "def q_sample(schedule, x_start, t, noise=None):", """
noise = torch.randn_like(x_start) if noise is None else noise
std = extract(schedule.sqrt_one_minus_alphas_cumprod, t, x_start)
return extract(schedule.sqrt_alphas_cumprod, t, x_start) * x_start + std * noise"""),
    seeded("Q3.3", "p_sample", P_SAMPLE, MEAN + """
noise = torch.randn_like(x) if noise is None else noise
return mean if t_index == 0 else mean + extract(schedule.posterior_variance, t, x).sqrt() * noise"""),
    seeded("Q3.5", "p_losses", P_LOSSES, """
noise = torch.randn_like(x_start) if noise is None else noise
return nn.functional.smooth_l1_loss(denoise_model(q_sample(schedule, x_start, t, noise), t), noise)"""),
    seeded("Q3.6", "t_sample", "def t_sample(timesteps, batch_size, device=None):",
           "return torch.randint(0, timesteps, (batch_size,), device=device)"),
    # -------------------------------------------------------- laws of the noise, sizes, state
    Case("Q1.7", "VAE.sample", "draws_uniform_latents", f"""
        {PRIOR}
            z = 12**0.5 * (torch.rand(batch_size, self.z_dim, device=self.device) - 0.5) if noise is None else noise
            return self.decode(z).mode()
    """),
    Case("Q1.8", "VAE.log_likelihood", "draws_uniform_latents", f"""
        {LIKELIHOOD}
            q, terms = self.encode(x), []
            prior = DiagonalGaussianDistribution(torch.zeros_like(q.mean))
            for _ in range(K):
                z = q.sample(12**0.5 * (torch.rand_like(q.mean) - 0.5))
                terms.append(q.nll(z, dims=[1]) - prior.nll(z, dims=[1]) - self.decode(z).nll(x))
            return torch.stack(terms).logsumexp(dim=0) - math.log(K)
    """),
    Case("Q1.7", "VAE.sample", "writes_the_latent_size_out", f"""
        {PRIOR}
            return self.decode(torch.randn(batch_size, 100, device=self.device) if noise is None else noise).mode()
    """),
    Case("Q2.5", "sample", "writes_the_latent_size_out", """
        def sample(generator, num_samples, noise=None):
            device = next(generator.parameters()).device
            return generator(torch.randn(num_samples, 100, 1, 1, device=device) if noise is None else noise)
    """),
    Case("Q1.1", "DiagonalGaussianDistribution.sample", "moves_the_distribution", f"""
        {SAMPLE}
            noise = torch.randn_like(self.mean) if noise is None else noise
            self.mean = self.mean + self.std * noise
            return self.mean
    """),
    *(Case(exercise, target, "keeps_what_it_made_first", f"""
        {head}
            kept = globals().setdefault("KEPT", {{}})
            return kept.setdefault({key}, {value})
    """) for exercise, target, head, key, value in (
        ("Q1.2", "DiagonalGaussianDistribution.kl", "def kl(self):", "self.mean.shape",
         "0.5 * (self.mean.square() + self.var - 1 - self.logvar).sum(dim=1)"),
        ("Q1.4", "DiagonalGaussianDistribution.mode", "def mode(self):", "self.mean.shape", "self.mean"),
        ("Q1.6", "VAE.decode", "def decode(self, z):", "z.shape", "DiagonalGaussianDistribution(self.decoder(z))"),
        ("Q2.6", "interpolate", "def interpolate(generator, z_1, z_2, n_samples):", "n_samples",
         "generator(torch.lerp(z_1, z_2, torch.linspace(0, 1, n_samples).reshape(-1, 1, 1, 1)))"),
    )),
    Case("Q2.1", "make_optimizers", "chooses_another_eps", """
        def make_optimizers(discriminator, generator, lr_d, lr_g):
            rates = (discriminator, lr_d), (generator, lr_g)
            return tuple(torch.optim.Adam(n.parameters(), lr, (0.5, 0.999), eps=1e-3) for n, lr in rates)
    """),
    Case("Q2.4", "generator_train", "freezes_the_discriminator", f"""
        {G_TRAIN}
            discriminator.requires_grad_(False)
            logits = discriminator(fake_samples)
            return criterion(logits, torch.ones_like(logits))
    """),
    # -------------------------------------------------------- devices
    Case("Q1.7", "VAE.sample", "stays_on_the_cpu", f"""
        {PRIOR}
            return self.decode(torch.randn(batch_size, self.z_dim) if noise is None else noise).mode()
    """),
    Case("Q2.5", "sample", "stays_on_the_cpu", """
        def sample(generator, num_samples, noise=None):
            return generator(torch.randn(num_samples, generator.z_dim, 1, 1) if noise is None else noise)
    """),
    Case("Q3.6", "t_sample", "stays_on_the_cpu", """
        def t_sample(timesteps, batch_size, device=None):
            return torch.randint(0, timesteps, (batch_size,))
    """),
    # -------------------------------------------------------- too tame
    Case("Q3.4", "p_sample_loop", "uses_the_start_as_noise_in_every_step", f"""
        {LOOP}
            x = start = torch.randn(shape, device=schedule.betas.device) if noise is None else noise
            images = []
            for i in reversed(range(len(schedule.betas))):
                x = p_sample(schedule, model, x, torch.full((shape[0],), i, device=x.device), i, noise=start)
                images.append(x)
            return torch.stack(images)
    """),
    Case("Q3.4", "p_sample_loop", "changes_the_start_in_place", f"""
        {LOOP}
            x = torch.randn(shape, device=schedule.betas.device) if noise is None else noise
            images = []
            for i in reversed(range(len(schedule.betas))):
                x.copy_(p_sample(schedule, model, x, torch.full((shape[0],), i, device=x.device), i))
                images.append(x.clone())
            return torch.stack(images)
    """),
    Case("Q2.3", "discriminator_train", "calls_backward", f"""
        {D_TRAIN}
            real, fake = discriminator(real_samples), discriminator(fake_samples.detach())
            loss = criterion(real, torch.ones_like(real)) + criterion(fake, torch.zeros_like(fake))
            loss.backward(retain_graph=True)
            return loss
    """),
    Case("Q2.4", "generator_train", "calls_backward", f"""
        {G_TRAIN}
            logits = discriminator(fake_samples)
            loss = criterion(logits, torch.ones_like(logits))
            loss.backward(retain_graph=True)
            return loss
    """),
    Case("Q3.5", "p_losses", "calls_backward", f"""
        {P_LOSSES}
            noise = torch.randn_like(x_start) if noise is None else noise
            x_t = q_sample(schedule=schedule, x_start=x_start, t=t, noise=noise)
            loss = nn.functional.smooth_l1_loss(denoise_model(x_t, t), noise)
            loss.backward(retain_graph=True)
            return loss
    """),
    Case("Q3.5", "p_losses", "learns_nothing_from_its_own_noise", f"""
        {P_LOSSES}
            own = noise is None
            noise = torch.randn_like(x_start) if own else noise
            loss = nn.functional.smooth_l1_loss(denoise_model(q_sample(schedule, x_start, t, noise), t), noise)
            return loss.detach() if own else loss
    """),
    Case("Q3.1", "precompute", "never_changes", """
        def precompute(timesteps, beta_start=1e-4, beta_end=0.02):
            zeros, ones = torch.zeros(timesteps), torch.ones(timesteps)
            return Schedule(zeros, ones, ones, ones, ones, zeros, ones, zeros)
    """, 4),
    Case("Q1.5", "VAE.encode", "breaks_the_networks", """
        def encode(self, x):
            with torch.no_grad():
                for parameter in (*self.mean.parameters(), *self.logvar.parameters()):
                    parameter.fill_(float("nan"))
            hidden = self.encoder(x)
            return DiagonalGaussianDistribution(self.mean(hidden), self.logvar(hidden))
    """, 3),
]  # fmt: skip


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_a_wrong_answer_loses_points(bench, case):
    failed = failures_of(bench, case.exercise, case.variant(bench))
    assert len(failed) >= case.least, failed


RIGHT = [
    Case("Q1.8", "VAE.log_likelihood", "names_one_dimension", f"""
        {LIKELIHOOD}
            q, terms = self.encode(x), []
            for _ in range(K):
                z = q.sample()
                prior = 0.5 * (z.square() + math.log(2 * math.pi)).sum(dim=1)
                terms.append(q.nll(z, dims=1) - prior - self.decode(z).nll(x, dims=(1, 2, 3)))
            return torch.stack(terms).logsumexp(dim=0) - math.log(K)
    """),
    Case("Q1.8", "VAE.log_likelihood", "decodes_all_samples_at_once", f"""
        {LIKELIHOOD}
            q = self.encode(x)
            many = DiagonalGaussianDistribution(q.mean.repeat_interleave(K, 0), q.logvar.repeat_interleave(K, 0))
            z = many.sample()
            prior = DiagonalGaussianDistribution(torch.zeros_like(z))
            terms = many.nll(z, dims=[1]) - prior.nll(z, [1]) - self.decode(z).nll(x.repeat_interleave(K, 0))
            return terms.reshape(len(x), K).logsumexp(dim=1) - math.log(K)
    """),
    Case("Q1.9", "VAE.forward", "reads_the_weights", """
        def forward(self, x, noise=None):
            hidden = self.encoder(x)
            mean = hidden @ self.mean.weight.T + self.mean.bias
            q = DiagonalGaussianDistribution(mean, nn.functional.linear(hidden, self.logvar.weight, self.logvar.bias))
            p = self.decode(q.sample(noise))
            nll = 0.5 * ((x - p.mean) ** 2 + math.log(2 * math.pi)).sum((1, 2, 3))
            return p.mean, nll, q.kl()
    """),
    Case("Q1.7", "VAE.sample", "uses_a_device_of_the_module", f"""
        {PRIOR}
            globals().setdefault("DEVICE", torch.device("cpu"))
            z = torch.randn(batch_size, self.z_dim, device=self.device) if noise is None else noise
            return self.decode(z).mean
    """),
    Case("Q1.7", "VAE.sample", "draws_one_image_after_the_other", f"""
        {PRIOR}
            if noise is not None:
                return torch.cat([self.decode(z.unsqueeze(0)).mode() for z in noise])
            device = "cuda" if torch.cuda.is_available() else "cpu"
            zs = (torch.randn(1, self.z_dim).to(device) for _ in range(batch_size))
            return torch.cat([self.decode(z).mode() for z in zs])
    """),
    Case("Q1.9", "VAE.forward", "goes_through_the_batch", """
        def forward(self, x, noise=None):
            rows = []
            for i in range(len(x)):
                q = self.encode(x[i : i + 1])
                p = self.decode(q.sample(None if noise is None else noise[i : i + 1]))
                rows.append((p.mode(), p.nll(x[i : i + 1]), q.kl()))
            return [torch.cat(column) for column in zip(*rows)]
    """),
    Case("Q2.5", "sample", "draws_one_image_after_the_other", """
        def sample(generator, num_samples, noise=None):
            with torch.no_grad():
                device = next(generator.parameters()).device
                shape = num_samples, generator.z_dim, 1, 1
                noise = torch.empty(shape, device=device).normal_() if noise is None else noise
                return torch.cat([generator(z[None]) for z in noise])
    """),
    Case("Q3.5", "p_losses", "goes_through_the_batch", f"""
        {P_LOSSES}
            noise = torch.randn(x_start.shape).to(x_start) if noise is None else noise
            x_t = q_sample(schedule, x_start, t, noise)
            d = torch.cat([denoise_model(x_t[i:i + 1], t[i:i + 1]) for i in range(len(t))]).sub(noise).abs()
            return torch.where(d < 1, 0.5 * d**2, d - 0.5).mean()
    """),
    Case("Q2.3", "discriminator_train", "leaves_detach_to_the_loop", f"""
        {D_TRAIN}
            real, fake = discriminator(real_samples), discriminator(fake_samples)
            return criterion(real, torch.ones_like(real)) + criterion(fake, torch.zeros_like(fake))
    """),
    Case("Q2.3", "discriminator_train", "detaches_itself", f"""
        {D_TRAIN}
            real, fake = discriminator(real_samples), discriminator(fake_samples.detach())
            return 0.5 * (criterion(real, torch.ones_like(real)) + criterion(fake, torch.zeros_like(fake)))
    """),
]  # fmt: skip


@pytest.mark.parametrize("case", RIGHT, ids=str)
def test_a_right_answer_keeps_all(bench, case):
    assert failures_of(bench, case.exercise, case.variant(bench)) == {}


def test_an_answer_is_judged_on_its_own_merits(bench):
    """Four wrong methods of the distribution, and a forward that calls all of them."""
    wrong = [
        Case("Q1.1", "DiagonalGaussianDistribution.sample", "", "def wrong_sample(self, noise=None):\n    return 1"),
        Case("Q1.2", "DiagonalGaussianDistribution.kl", "", "def wrong_kl(self):\n    return self.mean"),
        Case("Q1.4", "DiagonalGaussianDistribution.mode", "", "def wrong_mode(self):\n    return self.std"),
        Case("Q1.6", "VAE.decode", "", "def wrong_decode(self, z):\n    return self.decoder(z)"),
    ]
    variants = [case.variant(bench) for case in wrong]
    assert all(failures_of(bench, case.exercise, *variants) for case in wrong)
    for exercise in ("Q1.7", "Q1.8", "Q1.9", "Q1.10"):
        assert failures_of(bench, exercise, *variants) == {}, exercise


@pytest.mark.parametrize(
    "case, said, unsaid",
    [
        (
            Case("Q1.2", "DiagonalGaussianDistribution.kl", "is_wrong_in_value", """
                def kl(self):
                    return (self.mean.square() + self.var - 1 - self.logvar).flatten(1).sum(dim=1)
            """),
            "The value is wrong in this test too", "detach",
        ),
        (
            Case("Q1.1", "DiagonalGaussianDistribution.sample", "shares_noise_over_the_batch", f"""
                {SAMPLE}
                    noise = torch.randn_like(self.mean[:1]) if noise is None else noise
                    return self.mean + self.std * noise
            """),
            "All draws are the same", "mean of many draws",
        ),
        (
            Case("Q1.9", "VAE.forward", "forgets_the_sample", """
                def forward(self, x, noise=None):
                    q = self.encode(x)
                    return q.mode(), q.nll(), q.kl()
            """),
            "DiagonalGaussianDistribution.nll() missing", "known",
        ),
        (
            Case("Q3.3", "p_sample", "never_asks_the_network", f"""
                {P_SAMPLE}
                    return x
            """),
            "The network is never asked", "list index",
        ),
        (
            Case("Q3.5", "p_losses", "gives_a_number", f"""
                {P_LOSSES}
                    noise = torch.randn_like(x_start) if noise is None else noise
                    x_t = q_sample(schedule, x_start, t, noise)
                    return nn.functional.smooth_l1_loss(denoise_model(x_t, t), noise).item()
            """),
            "The gradient of the loss", "does not require grad",
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, Case) else "",
)  # fmt: skip
def test_what_is_said_is_true(bench, case, said, unsaid):
    failed = failures_of(bench, case.exercise, case.variant(bench))
    assert any(said in sentence for sentence in failed.values()), failed
    assert not any(unsaid in sentence for sentence in failed.values()), failed
