"""Hidden tests of gan.py. Instructors read this file; students never see it.

Networks are affine probes, whose logits, images and gradients can be computed. Expected values are the formulas of the
paper with softplus, - log sigmoid(l) = softplus(-l) and - log(1 - sigmoid(l)) = softplus(l), in float64.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autograder.grading.exercise import NO_GRADIENT, Exercise, Wrong, described, number, weight

Z_DIM = 100  # that of the given generator


class Critic(nn.Module):
    """A discriminator: images (N, C, H, W) -> logits (N, 1, 1, 1), the dot product with `weights` and a shift."""

    def __init__(self, weights: Tensor, shift: float):
        super().__init__()
        self.weights, self.shift = nn.Parameter(weights.clone()), nn.Parameter(torch.tensor(shift))

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.weights).sum(dim=(1, 2, 3), keepdim=True) + self.shift


class Maker(nn.Module):
    """A generator: latents (N, z_dim, 1, 1) -> images (N, C, H, W); bent: through a tanh.

    Like the convolutions of the given one, it takes no other shape.
    """

    def __init__(self, matrix: Tensor, shape: tuple[int, ...], bent: bool = True):
        super().__init__()
        self.matrix, self.shape, self.bent, self.z_dim = nn.Parameter(matrix.clone()), shape, bent, len(matrix)

    def forward(self, z: Tensor) -> Tensor:
        if z.shape[1:] != (self.z_dim, 1, 1):
            raise ValueError(f"latents have the shape (N, {self.z_dim}, 1, 1), not {tuple(z.shape)}")
        images = (z.reshape(-1, self.z_dim) @ self.matrix).reshape(-1, *self.shape)
        return images.tanh() if self.bent else images


def slopes(loss, *parameters: Tensor):
    """Gradients of a loss; for a parameter that none reaches, a word that is no number."""
    if not isinstance(loss, Tensor) or not loss.requires_grad:
        return tuple(NO_GRADIENT for _ in parameters)
    found = torch.autograd.grad(loss, parameters, allow_unused=True)
    return tuple(NO_GRADIENT if g is None else g for g in found)


class GanExercise(Exercise):
    module = "gan"
    shape = (3, 4, 2)

    def critic(self, scale: float = 1.0) -> Critic:
        return Critic(scale * self.randn(*self.shape), self.number(-0.5, 0.5))

    def maker(self) -> Maker:
        return Maker(self.randn(Z_DIM, math.prod(self.shape)) / Z_DIM**0.5, self.shape)

    def latents(self, n: int) -> Tensor:
        return self.randn(n, Z_DIM, 1, 1)


# ---------------------------------------------------------------- optimizers and criterion


class MakeOptimizers(GanExercise):
    @number("Q2.1")
    @weight(2)
    def test_parameters(self):
        """The first optimizer holds the discriminator's parameters and no others, the second the generator's."""
        names, _ = self.optimizers()
        sentence = "An optimizer holds other parameters than those of its network: the discriminator's comes first"
        self.assertEqual(names, (("D.0", "D.1"), ("G.0",)), sentence)

    @number("Q2.1")
    @weight(2)
    def test_learning_rates(self):
        """Each network has its own learning rate."""
        _, settings = self.optimizers()
        rates = tuple(s.get("lr") for s in settings)
        self.assertEqual(rates, (self.lr_d, self.lr_g), "A learning rate is not the one given, lr_d or lr_g")

    @number("Q2.1")
    @weight(2)
    def test_adam(self):
        """Both are Adam with betas (0.5, 0.999), all else as PyTorch has it."""
        _, settings = self.optimizers()
        for found in settings:
            self.assertEqual(found.get("kind"), "Adam", "The optimizers are not torch.optim.Adam")
            self.assertEqual(found.get("betas"), (0.5, 0.999), "The betas are not (0.5, 0.999)")
            self.assertEqual(found.get("rest"), (0.0, False), "weight_decay and amsgrad keep their defaults")

    def optimizers(self):
        self.lr_d, self.lr_g = lr_d, lr_g = self.number(1e-4, 1e-3), self.number(2e-3, 5e-3)
        critic, maker = self.critic(), self.maker()

        def look(gan):
            # The first optimizer that a process makes imports torch._dynamo, a second's work: not needed here.
            base = torch.optim.Optimizer
            base.add_param_group = getattr(base.add_param_group, "__wrapped__", base.add_param_group)
            found = gan.make_optimizers(discriminator=critic, generator=maker, lr_d=lr_d, lr_g=lr_g)
            if not isinstance(found, tuple | list) or not all(hasattr(o, "param_groups") for o in found):
                return found
            known = {id(p): f"D.{i}" for i, p in enumerate(critic.parameters())}
            known |= {id(p): f"G.{i}" for i, p in enumerate(maker.parameters())}
            names, settings = [], []
            for optimizer in found:
                groups = optimizer.param_groups
                names.append(sorted(known.get(id(p), "?") for group in groups for p in group["params"]))
                one = {"kind": type(optimizer).__name__}
                for key in ("lr", "betas"):
                    values = {str(group.get(key)): group.get(key) for group in groups}
                    one[key] = next(iter(values.values())) if len(values) == 1 else None
                one["rest"] = tuple(groups[0].get(key) for key in ("weight_decay", "amsgrad"))
                settings.append(one)
            return names, settings

        found = self.observe(look)
        if not isinstance(found, tuple) or len(found) != 2 or not isinstance(found[0], tuple) or len(found[0]) != 2:
            raise Wrong(f"It returned {described(found)} instead of two optimizers")
        names, settings = found
        # A weight decay of 0 may be an int, a learning rate a tensor.
        plain = [{k: float(v) if isinstance(v, Tensor) else v for k, v in s.items()} for s in settings]
        return names, plain


class MakeCriterion(GanExercise):
    @number("Q2.2")
    @weight(3)
    def test_cross_entropy(self):
        """It is the mean binary cross-entropy of logits, for targets 0 and 1."""
        logits, targets = 2 * self.randn(9, 1, 1, 1), self.randint(0, 2, (9, 1, 1, 1)).float()
        found = self.observe(lambda gan: gan.make_criterion()(logits, targets))
        self.assertClose(found, self.truth(logits, targets), "It is not the mean binary cross-entropy of logits")

    @number("Q2.2")
    @weight(2)
    def test_extreme_logits(self):
        """It is exact for logits of 100 and -100, where a sigmoid is 1 or 0."""
        logits = torch.tensor([100.0, -100.0, 100.0, -100.0]).reshape(4, 1, 1, 1) + self.rand(4, 1, 1, 1)
        targets = torch.tensor([1.0, 1.0, 0.0, 0.0]).reshape(4, 1, 1, 1)

        def look(gan):
            criterion = gan.make_criterion()
            losses = [criterion(logits[i : i + 1], targets[i : i + 1]) for i in range(4)]
            return torch.stack([torch.as_tensor(loss) for loss in losses])

        expected = torch.stack([self.truth(logits[i], targets[i]) for i in range(4)])
        sentence = "It is not exact for logits of 100 or -100: use the loss for logits"
        self.assertClose(self.observe(look), expected, sentence)

    @number("Q2.2")
    @weight(1)
    def test_gradient(self):
        """Its gradient is (sigmoid(l) - y) / N, which does not vanish where the discriminator is wrong."""
        logits = torch.tensor([60.0, -60.0, 1.0]).reshape(3, 1, 1, 1) + self.rand(3, 1, 1, 1)
        targets = torch.tensor([0.0, 1.0, 1.0]).reshape(3, 1, 1, 1)

        def look(gan):
            leaf = logits.clone().requires_grad_()
            return slopes(gan.make_criterion()(leaf, targets), leaf)

        expected = (logits.sigmoid() - targets) / 3
        self.assertClose(self.observe(look), (expected,), "Its gradient by the logits is not (sigmoid(l) - y) / N")

    @staticmethod
    def truth(logits: Tensor, targets: Tensor) -> Tensor:
        l, y = logits.double(), targets.double()
        return (y * F.softplus(-l) + (1 - y) * F.softplus(l)).mean().float()


# ---------------------------------------------------------------- the two losses


class DiscriminatorTrain(GanExercise):
    @number("Q2.3")
    @weight(3)
    def test_loss(self):
        """It is - log D on real images, - log(1 - D) on fake ones, averaged over each."""
        critic, maker = self.critic(0.5), self.maker()
        real, fake = self.randn(7, *self.shape), self.randn(7, *self.shape)

        def look(gan):
            return gan.discriminator_train(
                discriminator=critic, generator=maker, criterion=nn.BCEWithLogitsLoss(), real_samples=real,
                fake_samples=fake,
            )  # fmt: skip

        sentence = "It is not - mean log D(real) - mean log(1 - D(fake)), or half of that"
        self.assertEither(self.observe(look), self.truth(critic, real, fake), sentence)

    @number("Q2.3")
    @weight(1)
    def test_extreme_logits(self):
        """It is exact where the discriminator is very sure, rightly or wrongly."""
        critic, maker = self.critic(), self.maker()
        direction = critic.weights.detach() / critic.weights.detach().square().sum()
        far = 100 + 5 * self.rand(2)
        one, other = (far[0] * direction).unsqueeze(0), (-far[1] * direction).unsqueeze(0)

        def look(gan):
            criterion = nn.BCEWithLogitsLoss()
            return tuple(gan.discriminator_train(critic, maker, criterion, *p) for p in ((one, other), (other, one)))

        right, wrong = self.observe(look)
        sentence = "With logits near 100 and -100 it is not exact, or it is wrong for a batch of one"
        self.assertEither(wrong, self.truth(critic, other, one), sentence)
        truth = self.truth(critic, one, other)  # as good as 0
        self.assertTrue(isinstance(right, Tensor | float) and abs(float(right) - truth.item()) < 1e-6, sentence)

    @number("Q2.3")
    @weight(2)
    def test_gradient(self):
        """The gradient trains the discriminator, through both terms."""
        critic, maker = self.critic(0.5), self.maker()
        real, fake = self.randn(5, *self.shape), self.randn(5, *self.shape)

        def look(gan):
            loss = gan.discriminator_train(critic, maker, nn.BCEWithLogitsLoss(), real, fake)
            return loss, slopes(loss, critic.weights, critic.shift)  # the loss tells apart what leads to one gradient

        _, found = self.observe(look)
        mine = Critic(critic.weights.detach().double(), critic.shift.item())
        expected = slopes(self.truth(mine, real.double(), fake.double()), mine.weights, mine.shift)
        self.assertEither(found, expected, "The gradient of the loss by the discriminator's parameters is wrong")

    @number("Q2.3")
    @weight(2)
    def test_generator_is_left_alone(self):
        """No gradient flows into the generator, though the fake images are its output as it is."""
        critic, maker, z, real = self.critic(0.5), self.maker(), self.latents(5), self.randn(5, *self.shape)

        def look(gan):
            fake = maker(z)
            loss = gan.discriminator_train(critic, maker, nn.BCEWithLogitsLoss(), real, fake)
            return *slopes(loss, maker.matrix), isinstance(loss, Tensor) and loss.requires_grad

        into_generator, trains = self.observe(look)
        none = into_generator is NO_GRADIENT or not bool(into_generator.any())
        self.assertTrue(none, "The discriminator's loss sends gradients into the generator: detach the fake images")
        self.assertTrue(trains, "The loss has no gradient at all: detach the fake images, not the logits")

    def truth(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        return F.softplus(-critic(real).double()).mean() + F.softplus(critic(fake).double()).mean()

    def assertEither(self, found, expected, sentence: str) -> None:
        """The sum of both terms, or half of it."""
        expected = tuple(e.float() for e in expected) if isinstance(expected, tuple) else expected.detach().float()
        half = tuple(e / 2 for e in expected) if isinstance(expected, tuple) else expected / 2
        try:
            self.assertClose(found, half, sentence)
        except Wrong:
            self.assertClose(found, expected, sentence)


class GeneratorTrain(GanExercise):
    @number("Q2.4")
    @weight(3)
    def test_loss(self):
        """It is - log D on fake images, averaged: the non-saturating loss."""
        critic, maker, fake = self.critic(0.5), self.maker(), self.randn(7, *self.shape)

        def look(gan):
            return gan.generator_train(
                discriminator=critic, generator=maker, criterion=nn.BCEWithLogitsLoss(), fake_samples=fake
            )

        self.assertClose(self.observe(look), self.truth(critic, fake).detach(), "It is not - mean log D(fake)")

    @number("Q2.4")
    @weight(2)
    def test_extreme_logits(self):
        """It is exact, and its gradient does not vanish, where the discriminator is sure that the images are fake."""
        critic, maker = self.critic(), self.maker()
        direction = critic.weights.detach() / critic.weights.detach().square().sum()
        fake = (-(100 + 5 * self.rand(1)) * direction).unsqueeze(0)

        def look(gan):
            leaf = fake.clone().requires_grad_()
            loss = gan.generator_train(critic, maker, nn.BCEWithLogitsLoss(), leaf)
            return loss, *slopes(loss, leaf)

        expected = self.truth(critic, fake).detach(), -critic.weights.detach().unsqueeze(0)
        sentence = "For images with D(fake) near 0 the loss or its gradient is wrong: it must not saturate"
        self.assertClose(self.observe(look), expected, sentence)

    @number("Q2.4")
    @weight(3)
    def test_gradient(self):
        """The gradient reaches the generator, through the fake images."""
        critic, maker, z = self.critic(0.5), self.maker(), self.latents(5)

        def look(gan):
            fake = maker(z)
            return slopes(gan.generator_train(critic, maker, nn.BCEWithLogitsLoss(), fake), maker.matrix)

        expected = slopes(self.truth(critic, maker(z)), maker.matrix)
        self.assertClose(
            self.observe(look), expected, "The gradient of the loss by the generator's parameters is wrong"
        )

    def truth(self, critic: Critic, fake: Tensor) -> Tensor:
        return F.softplus(-critic(fake).double()).mean().float()


# ---------------------------------------------------------------- images


class GanSample(GanExercise):
    @number("Q2.5")
    @weight(2)
    def test_given_noise(self):
        """With noise given, it is the generator's image of it."""
        maker, noise = self.maker(), self.latents(5)
        found = self.observe(lambda gan: gan.sample(generator=maker, num_samples=5, noise=noise))
        self.assertClose(found, maker(noise).detach(), "With noise given, it is not generator(noise)")

    @number("Q2.5")
    @weight(2)
    def test_own_noise(self):
        """Without noise given, the latents are standard normal, others for each image."""
        maker = Maker(torch.eye(Z_DIM), (Z_DIM, 1, 1), bent=False)
        samples = self._numbers(self.observe(lambda gan: gan.sample(maker, 500)), "It returns no images")
        self.assertEqual(samples.shape, (500, Z_DIM, 1, 1), "It does not return num_samples images")
        sentence = "Without noise given, the latents (num_samples, z_dim, 1, 1) are not standard normal"
        self.assertMean(samples, 0.0, 1.0, sentence)
        self.assertVariance(samples.reshape(-1, 1), 1.0, sentence)
        together = samples.sum(dim=(1, 2, 3)) / math.sqrt(Z_DIM)
        self.assertVariance(together, 1.0, "The latent dimensions of one image share their noise")

    @number("Q2.5")
    @weight(1)
    def test_number_of_samples(self):
        """It returns as many images as asked for: 1, or 5."""
        maker = self.maker()
        look = lambda gan: tuple(tuple(gan.sample(maker, num_samples=n).shape) for n in (1, 5))  # noqa: E731
        sentence = "It does not return (num_samples, C, H, W)"
        self.assertEqual(self.observe(look), ((1, *self.shape), (5, *self.shape)), sentence)


class GanInterpolate(GanExercise):
    @number("Q2.6")
    @weight(2)
    def test_line(self):
        """The images are those of evenly spaced points on the line between the two latents."""
        sentence = "These are not the images of evenly spaced points on the straight line in the latent space"
        self.line(7, slice(None), sentence)

    @number("Q2.6")
    @weight(1)
    def test_ends(self):
        """Both ends are included."""
        self.line(5, [0, -1], "The first and the last image are not those of z_1 and z_2")

    @number("Q2.6")
    @weight(1)
    def test_two_points(self):
        """With n_samples=2, there are just the two ends."""
        self.line(2, slice(None), "With n_samples=2, it does not return the images of z_1 and z_2")

    def line(self, n: int, shown, sentence: str) -> None:
        """From z_1 to z_2 or back."""
        maker, z_1, z_2 = self.maker(), self.latents(1), self.latents(1)
        with torch.no_grad():
            steps = torch.linspace(0, 1, n, dtype=torch.float64).reshape(-1, 1, 1, 1)
            expected = maker((z_1 + steps * (z_2 - z_1)).float())
        look: Callable = lambda gan: gan.interpolate(generator=maker, z_1=z_1, z_2=z_2, n_samples=n)  # noqa: E731
        found = self.observe(look)
        self.assertIsInstance(found, Tensor, "It does not return the images as one tensor")
        self.assertEqual(found.shape, expected.shape, f"With n_samples={n} it has the shape {tuple(found.shape)}")
        back = found.flip(0)
        from_1 = (found - expected).abs().max() <= (back - expected).abs().max()
        self.assertClose((found if from_1 else back)[shown], expected[shown], sentence)
