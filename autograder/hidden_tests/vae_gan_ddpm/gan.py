"""Hidden tests of gan.py. Instructors read this file; students never see it.

Networks are affine probes, whose logits, images and gradients can be computed. Expected values are the formulas of the
paper with softplus, - log sigmoid(l) = softplus(-l) and - log(1 - sigmoid(l)) = softplus(l), in float64. The losses get
a criterion of ours, which is none that suits a GAN; who writes the right one out is right too.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autograder.grading.exercise import (
    Exercise,
    Wrong,
    described,
    gradients,
    inputs_survive,
    leaves,
    number,
    special,
    weight,
)
from autograder.sandbox.look_tools import uses_its_device


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


class Criterion(nn.Module):
    """A criterion(logits, targets) -> scalar, a mean over all entries, as strict about shapes as PyTorch's."""

    def __init__(self, factors: tuple[float, ...]):
        super().__init__()
        self.factors = factors

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        if input.shape != target.shape:
            raise ValueError(f"Target size ({target.shape}) must be the same as input size ({input.shape})")
        a, b, c, d, e = self.factors
        return (a * input * target + b * input + c * target + d * input.square() + e).mean()


LEFT_BEHIND = {
    "gradients": "backward() is called inside: the training loop does that",
    "frozen": "It leaves a network's parameters without requires_grad: nothing trains them any more",
    "mode": "It leaves a network in evaluation mode",
}


def left_behind(*networks: nn.Module) -> str:
    """What a loss did that is not its business, as a key of LEFT_BEHIND; empty where it did nothing."""
    if any(p.grad is not None for network in networks for p in network.parameters()):
        return "gradients"
    if not all(p.requires_grad for network in networks for p in network.parameters()):
        return "frozen"
    return "" if all(network.training for network in networks) else "mode"


class GanExercise(Exercise):
    module = "gan"
    shape = (3, 4, 2)

    def critic(self, scale: float = 1.0) -> Critic:
        return Critic(scale * self.randn(*self.shape), self.number(-0.5, 0.5))

    def maker(self) -> Maker:
        """Its z_dim is drawn: nothing may depend on that of the given generator, 100."""
        z_dim = int(self.randint(5, 12, (1,)))
        return Maker(self.randn(z_dim, math.prod(self.shape)) / z_dim**0.5, self.shape)

    def criterion(self) -> Criterion:
        ranges = (1.2, 2), (0.3, 0.8), (-2, -1), (0.1, 0.3), (4, 5)  # the last keeps losses away from 0
        return Criterion(tuple(self.number(low, high) for low, high in ranges))

    def latents(self, n: int, maker: Maker) -> Tensor:
        return self.randn(n, maker.z_dim, 1, 1)

    def assertOneOf(self, found, truths: list, sentence: str) -> None:
        """It agrees with one of several right values; the first is that of the usual answer."""
        first: Wrong | None = None
        for truth in truths:
            try:
                return self.assertClose(found, truth, sentence)
            except Wrong as wrong:
                first = first or wrong
        raise first


# ---------------------------------------------------------------- optimizers and criterion


class MakeOptimizers(GanExercise):
    @number("Q2.1")
    @weight(2)
    @inputs_survive
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
            sentence = "weight_decay, amsgrad, eps and maximize keep their defaults"
            self.assertEqual(found.get("rest"), (0.0, False, 1e-8, False), sentence)

    def optimizers(self):
        self.lr_d, self.lr_g = lr_d, lr_g = self.number(1e-4, 1e-3), self.number(2e-3, 5e-3)
        (critic, maker), others = ((self.critic(), self.maker()) for _ in range(2))

        def look(gan):
            # The first optimizer that a process makes imports torch._dynamo, a second's work: not needed here.
            base = torch.optim.Optimizer
            base.add_param_group = getattr(base.add_param_group, "__wrapped__", base.add_param_group)
            gan.make_optimizers(*others, 2 * lr_d, 2 * lr_g)  # each call makes new ones
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
                one["rest"] = tuple(groups[0].get(key) for key in ("weight_decay", "amsgrad", "eps", "maximize"))
                settings.append(one)
            return names, settings

        found = self.observe(look)
        sentence = f"It returned {described(found)} instead of two optimizers"
        names, settings = (self.several(part, 2, sentence) for part in self.several(found, 2, sentence))
        # A weight decay of 0 may be an int, a learning rate a tensor.
        plain = [{k: float(v) if isinstance(v, Tensor) else v for k, v in s.items()} for s in settings]
        return names, plain


class MakeCriterion(GanExercise):
    @number("Q2.2")
    @weight(3)
    def test_cross_entropy(self):
        """It is the mean binary cross-entropy of logits, for targets 0 and 1."""
        logits, targets = 2 * self.randn(9, 1, 1, 1), (torch.arange(9.0) % 2).reshape(9, 1, 1, 1)
        found = self.observe(lambda gan: gan.make_criterion()(logits, targets))
        self.assertClose(found, self.truth(logits, targets), "It is not the mean binary cross-entropy of logits")

    @number("Q2.2")
    @weight(2)
    @special
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
    @special
    def test_gradient(self):
        """Its gradient is (sigmoid(l) - y) / N, which does not vanish where the discriminator is wrong."""
        logits = torch.tensor([60.0, -60.0, 1.0]).reshape(3, 1, 1, 1) + self.rand(3, 1, 1, 1)
        targets = torch.tensor([0.0, 1.0, 1.0]).reshape(3, 1, 1, 1)

        def look(gan):
            (leaf,) = leaves(logits)
            loss = gan.make_criterion()(leaf, targets)
            return loss, *gradients(loss, leaf)

        expected = (logits.sigmoid() - targets) / 3
        sentence = "Its gradient by the logits is not (sigmoid(l) - y) / N"
        self.assertGradients(self.observe(look), self.truth(logits, targets), (expected,), sentence)

    @staticmethod
    def truth(logits: Tensor, targets: Tensor) -> Tensor:
        l, y = logits.double(), targets.double()
        return (y * F.softplus(-l) + (1 - y) * F.softplus(l)).mean().float()


# ---------------------------------------------------------------- the two losses


def cross_entropy(logits: Tensor, target: float) -> Tensor:
    """What the right criterion gives for targets that are all 1 or all 0."""
    return F.softplus(logits if target == 0 else -logits).mean()


class DiscriminatorTrain(GanExercise):
    """The sum of both terms, or half of it; with the criterion that is given, or the right one written out."""

    @number("Q2.3")
    @weight(3)
    @inputs_survive
    def test_loss(self):
        """It is the criterion of real images with target 1, plus that of fake ones with target 0, or half of that."""
        critic, maker, criterion = self.critic(0.5), self.maker(), self.criterion()
        real, fake = self.randn(7, *self.shape), self.randn(7, *self.shape)

        def look(gan):
            loss = gan.discriminator_train(
                discriminator=critic, generator=maker, criterion=criterion, real_samples=real, fake_samples=fake
            )
            return loss, left_behind(critic, maker)

        loss, left = self.several(self.observe(look), 2)
        sentence = "It is not - mean log D(real) - mean log(1 - D(fake)), nor half of that, by means of the criterion"
        self.assertOneOf(loss, self.truths(critic, criterion, real, fake), sentence)
        self.assertEqual(left, "", LEFT_BEHIND.get(left, "It does more than to compute a loss"))

    @number("Q2.3")
    @weight(1)
    @special
    def test_extreme_logits(self):
        """It is exact where the discriminator is very sure, rightly or wrongly; for batches of one."""
        critic, maker, criterion = self.critic(), self.maker(), self.criterion()
        direction = critic.weights.detach() / critic.weights.detach().square().sum()
        far = 100 + 5 * self.rand(2)
        one, other = (far[0] * direction).unsqueeze(0), (-far[1] * direction).unsqueeze(0)
        pairs = (other, one), (one, other)  # wrong about both images, right about both

        def look(gan):
            # 1 beside a loss gives the scale for rounding: that of a discriminator that is right is as good as 0.
            return tuple(1 + gan.discriminator_train(critic, maker, criterion, *pair) for pair in pairs)

        truths = zip(*(self.truths(critic, criterion, *pair) for pair in pairs), strict=True)
        truths = [tuple(1 + value for value in truth) for truth in truths]
        sentence = "With logits near 100 and -100 it is not exact, or it is wrong for a batch of one"
        self.assertOneOf(self.observe(look), truths, sentence)

    @number("Q2.3")
    @weight(2)
    @special
    def test_gradient(self):
        """The gradient trains the discriminator, through both terms."""
        real, fake = self.randn(5, *self.shape), self.randn(5, *self.shape)
        self.gradient(self.critic(0.5), self.maker(), real, lambda maker: fake, fake)

    @number("Q2.3")
    @weight(2)
    @special
    def test_generated_images(self):
        """The gradient is the same where the fake images are the generator's output, with its graph."""
        critic, maker = self.critic(0.5), self.maker()
        z, real = self.latents(5, maker), self.randn(5, *self.shape)
        self.gradient(critic, maker, real, lambda maker: maker(z), maker(z).detach())

    def gradient(self, critic: Critic, maker: Maker, real: Tensor, fakes, fake: Tensor) -> None:
        criterion = self.criterion()

        def look(gan):
            loss = gan.discriminator_train(critic, maker, criterion, real, fakes(maker))
            left = left_behind(critic, maker)
            return left, loss, *(() if left else gradients(loss, critic.weights, critic.shift))

        found = self.observe(look)
        if isinstance(found, tuple) and found and found[0] in LEFT_BEHIND:
            raise Wrong(LEFT_BEHIND[found[0]])
        _, *found = self.several(found, 4)
        first: Wrong | None = None
        for right in (criterion, None):
            mine = Critic(critic.weights.detach().double(), critic.shift.item())
            value = self.loss(mine, right, real.double(), fake.double())
            slopes = torch.autograd.grad(value, (mine.weights, mine.shift))
            for share in (1.0, 0.5):
                expected = [(share * v).detach().float() for v in (value, *slopes)]
                sentence = "The gradient of the loss by the discriminator's parameters is wrong or missing"
                try:
                    return self.assertGradients(tuple(found), expected[0], tuple(expected[1:]), sentence)
                except Wrong as wrong:
                    right_value = first is None or "value is wrong" not in str(wrong)
                    first = wrong if right_value else first
        raise first

    @staticmethod
    def loss(critic: Critic, criterion: Criterion | None, real: Tensor, fake: Tensor) -> Tensor:
        """With a criterion, or (None) with the right one."""
        logits, others = critic(real), critic(fake)
        if criterion is None:
            return cross_entropy(logits, 1) + cross_entropy(others, 0)
        return criterion(logits, torch.ones_like(logits)) + criterion(others, torch.zeros_like(others))

    def truths(self, critic: Critic, criterion: Criterion, real: Tensor, fake: Tensor) -> list[Tensor]:
        critic = Critic(critic.weights.detach().double(), critic.shift.item()).double()
        both = [self.loss(critic, right, real.double(), fake.double()).detach() for right in (criterion, None)]
        return [(share * value).float() for value in both for share in (1.0, 0.5)]


class GeneratorTrain(GanExercise):
    @number("Q2.4")
    @weight(3)
    @inputs_survive
    def test_loss(self):
        """It is - log D on fake images, averaged: the non-saturating loss."""
        critic, maker, criterion = self.critic(0.5), self.maker(), self.criterion()
        fakes = [self.randn(7, *self.shape) for _ in range(2)]

        def look(gan):
            given = {"discriminator": critic, "generator": maker, "criterion": criterion}
            losses = [gan.generator_train(**given, fake_samples=fake) for fake in fakes]
            return losses, left_behind(critic, maker)

        losses, left = self.several(self.observe(look), 2)
        truths = [
            tuple(self.loss(critic, right, fake).detach().float() for fake in fakes) for right in (criterion, None)
        ]
        self.assertOneOf(losses, truths, "It is not - mean log D(fake), by means of the criterion")
        self.assertEqual(left, "", LEFT_BEHIND.get(left, "It does more than to compute a loss"))

    @number("Q2.4")
    @weight(2)
    @special
    def test_extreme_logits(self):
        """It is exact, and its gradient does not vanish, where the discriminator is sure that the images are fake."""
        critic, maker = self.critic(), self.maker()
        direction = critic.weights.detach() / critic.weights.detach().square().sum()
        self.gradient(critic, maker, (-(100 + 5 * self.rand(1)) * direction).unsqueeze(0), None)

    @number("Q2.4")
    @weight(3)
    @special
    def test_gradient(self):
        """The gradient reaches the generator, through the fake images."""
        maker = self.maker()
        self.gradient(self.critic(0.5), maker, None, self.latents(5, maker))

    def gradient(self, critic: Critic, maker: Maker, images: Tensor | None, z: Tensor | None) -> None:
        """By images that are given, or by the generator's parameters, for images that it makes of z."""
        criterion = self.criterion()

        def look(gan):
            leaf = maker.matrix if images is None else images.clone().requires_grad_()
            loss = gan.generator_train(critic, maker, criterion, maker(z) if images is None else leaf)
            left = left_behind(critic, maker) or ("gradients" if leaf.grad is not None else "")
            return left, loss, *(() if left else gradients(loss, leaf))

        found = self.observe(look)
        if isinstance(found, tuple) and found and found[0] in LEFT_BEHIND:
            raise Wrong(LEFT_BEHIND[found[0]])
        _, *found = self.several(found, 3)
        first: Wrong | None = None
        for right in (criterion, None):
            leaf = maker.matrix if images is None else images.clone().requires_grad_()
            value = self.loss(critic, right, maker(z) if images is None else leaf)
            (slope,) = torch.autograd.grad(value, leaf)
            sentence = "The gradient of the loss by the fake images or the generator is wrong: it must not vanish"
            try:
                return self.assertGradients(tuple(found), value.detach().float(), (slope.float(),), sentence)
            except Wrong as wrong:
                right_value = first is None or "value is wrong" not in str(wrong)
                first = wrong if right_value else first
        raise first

    @staticmethod
    def loss(critic: Critic, criterion: Criterion | None, fake: Tensor) -> Tensor:
        logits = critic(fake)
        return cross_entropy(logits.double(), 1) if criterion is None else criterion(logits, torch.ones_like(logits))


# ---------------------------------------------------------------- images


class GanSample(GanExercise):
    @number("Q2.5")
    @weight(2)
    @inputs_survive
    def test_given_noise(self):
        """With noise given, it is the generator's image of it."""
        maker = self.maker()
        noise = self.latents(5, maker)

        found = self.observe(lambda gan: gan.sample(generator=maker, num_samples=5, noise=noise))
        self.assertClose(found, maker(noise).detach(), "With noise given, it is not generator(noise)")

    @number("Q2.5")
    @weight(2)
    def test_own_noise(self):
        """Without noise given, the latents are standard normal, others for each image; on the generator's device."""
        z_dim = int(self.randint(40, 80, (1,)))
        maker = Maker(1.7 * torch.eye(z_dim), (z_dim, 1, 1), bent=False)

        def look(gan):
            asked = []
            watch = maker.register_forward_pre_hook(lambda _, inputs: asked.append(inputs[0].detach().clone()))
            images = gan.sample(maker, 700)
            watch.remove()

            def run(device, seen):
                far = Maker(maker.matrix, maker.shape, bent=False).to(device)
                far.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
                gan.sample(far, 2)

            return images, asked, uses_its_device(gan, run)

        images, asked, follows = self.several(self.observe(look), 3)
        about = "without noise given, the latents (num_samples, z_dim, 1, 1) must be standard normal"
        z = self.joined(asked, (700, z_dim, 1, 1), "The generator is not asked for one image for each latent")
        self.assertDraws(z, torch.zeros(z_dim, 1, 1), 1.0, about)
        self.assertClose(images, maker(z).detach(), "These are not the generator's images")
        self.check_random(lambda gan: gan.sample(maker, 5), "sample")
        self.assertTrue(follows, "The latents are not drawn on the generator's device")

    @number("Q2.5")
    @weight(1)
    def test_number_of_samples(self):
        """It returns as many images as asked for: 1, or 5."""
        maker = self.maker()

        def look(gan):
            found, asked = [], []
            maker.register_forward_pre_hook(lambda _, inputs: asked.append(inputs[0].detach().clone()))
            for n in (1, 5):
                asked.clear()
                found.append((gan.sample(maker, num_samples=n), [*asked]))
            return found, left_behind(maker) == "gradients"

        found, left = self.several(self.observe(look), 2)
        sentence = "The generator is not asked for one image for each latent"
        for n, one in zip((1, 5), self.several(found, 2), strict=True):
            image, asked = self.several(one, 2)
            z = self.joined(asked, (n, maker.z_dim, 1, 1), sentence)
            self.assertClose(image, maker(self.plausible(z, sentence)).detach(), "These are not the generator's images")
        self.assertFalse(left, LEFT_BEHIND["gradients"])


class GanInterpolate(GanExercise):
    @number("Q2.6")
    @weight(2)
    def test_line(self):
        """The images are those of evenly spaced points on the line between the two latents."""
        sentence = "These are not the images of evenly spaced points on the straight line in the latent space"
        self.line(7, slice(None), sentence)

    @number("Q2.6")
    @weight(1)
    @special
    @inputs_survive
    def test_ends(self):
        """Both ends are included."""
        self.line(5, [0, -1], "The first and the last image are not those of z_1 and z_2")

    @number("Q2.6")
    @weight(1)
    @special
    def test_two_points(self):
        """With n_samples=2, there are just the two ends."""
        self.line(2, slice(None), "With n_samples=2, it does not return the images of z_1 and z_2")

    def line(self, n: int, shown, sentence: str) -> None:
        """From z_1 to z_2 or back."""
        maker = self.maker()
        pairs = [(self.latents(1, maker), self.latents(1, maker)) for _ in range(2)]
        with torch.no_grad():
            steps = torch.linspace(0, 1, n, dtype=torch.float64).reshape(-1, 1, 1, 1)
            expected = [maker((z_1 + steps * (z_2 - z_1)).float()) for z_1, z_2 in pairs]

        def look(gan):
            images = [gan.interpolate(generator=maker, z_1=z_1, z_2=z_2, n_samples=n) for z_1, z_2 in pairs]
            return images, left_behind(maker) == "gradients"

        found, left = self.several(self.observe(look), 2)
        for images, truth in zip(self.several(found, 2), expected, strict=True):
            self.assertLine(images, truth, shown, sentence)
        self.assertFalse(left, LEFT_BEHIND["gradients"])
