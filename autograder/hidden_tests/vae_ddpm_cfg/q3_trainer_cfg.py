"""Hidden tests of q3_trainer_cfg.py: guided sampling around a network and a diffusion model that are simple known maps.

Neither draws noise, so every quantity follows from the first z. Each test judges one thing from what the student's own
loop did: a wrong order of times costs no points for the guidance, and the other way round. There are nine images or
more: a figure that given code of the original course draws needs as many.
"""

import torch

from autograder.grading.exercise import Exercise, Wrong, inputs_survive, number, weight
from autograder.sandbox import stand_ins

STEPS = 6
NO_STEP = "no reverse step was taken: call self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t) for every time"
NOISE = "the first z is not standard normal noise: draw it with torch.randn, independently for every pixel"


def watched(q3, configured=None, **arguments):
    """Trainer.sample on stand-ins: its result, the reverse steps' arguments, and each z that eps_model saw."""
    args = stand_ins.trainer_args(n_steps=STEPS, **(configured or {}))
    eps_model = stand_ins.LabelOrNot()
    diffusion = stand_ins.RecordedGuidedSteps(eps_model, STEPS)
    trainer = stand_ins.build_trainer(q3, args, eps_model, diffusion)
    result = trainer.sample(**arguments)
    columns = list(zip(*diffusion.steps, strict=True)) or [(), (), (), ()]
    groups = stand_ins.in_parts(columns[0], args.n_samples, columns[1])
    steps = list(zip(*(stand_ins.together(groups, column) for column in columns), strict=True))
    recorded = {"steps": steps, "variances": stand_ins.together(groups, diffusion.variances), "draws": diffusion.draws}
    return {"result": result, "predicted": predictions(eps_model.inputs, groups, args.n_samples), **recorded}


def predictions(inputs, groups, whole):
    """The z that eps_model saw, joined where the steps or the predictions took the images in parts."""
    parts = stand_ins.in_parts(inputs, whole)
    if groups and groups[0][1:2] not in ([], [1]):  # a run for each part
        each = len(inputs) // len(groups[0])
        parts = [list(range(start, len(inputs), each)) for start in range(each)]
    return stand_ins.together(parts, inputs)


def level(t):
    return 3 - 0.5 * t  # of RecordedGuidedSteps, in float32 without rounding


def demand_levels(steps, n_steps):
    """lambda from time n_steps - 1 down to 0 and lambda' one time later; what the last step does is left open."""
    if not steps:
        raise Wrong(NO_STEP)
    # The last reverse step may be skipped, or go to any level: its result is not used.
    if len(steps) not in (n_steps - 1, n_steps):
        raise Wrong("there is one reverse step for every time, from n_steps - 1 down to 0")
    for index, (_, lambda_t, lambda_t_prim, _) in enumerate(steps):
        t = n_steps - 1 - index
        if lambda_t.numel() == 0 or lambda_t_prim.numel() == 0:
            raise Wrong("lambda_t or lambda_t_prim is empty: each has one level for every image")
        if bool((lambda_t != level(t)).any()):
            raise Wrong("lambda_t is get_lambda(t), for t from n_steps - 1 down to 0")
        if t > 0 and bool((lambda_t_prim != level(t - 1)).any()):
            raise Wrong("lambda_t_prim is the next cleaner level, get_lambda(t - 1)")


def estimate(z, lambda_t, labels, w):
    """x_t of the guided prediction, by the probes' own maps."""
    eps = (1 + w) * stand_ins.predicted_noise(z, labels) - w * stand_ins.predicted_noise(z, None)
    return (z - (0.6 - 0.1 * lambda_t) * eps) / (0.7 + 0.05 * lambda_t)


def demand_last(case, seen, n_steps, labels, sentence):
    """The result is the x_t of the last time, with the cfg_scale that is the default."""
    x = seen["steps"][-1][3]
    if len(seen["steps"]) == n_steps - 1 and seen["predicted"]:  # the last reverse step is skipped
        x = estimate(seen["predicted"][-1], level(0), labels, 3.0)
    case.assertClose(seen["result"], x, sentence)


class CfgSample(Exercise):
    module = "q3_trainer_cfg"

    @number("Q3.11")
    @weight(4)
    def test_levels(self):
        """Each reverse step goes from the level of time t to that of t - 1, for t from n_steps - 1 down to 0."""
        labels = self.randint(0, 10, (9,))
        seen = self.observe(lambda q3: watched(q3, labels=labels))
        demand_levels(seen["steps"], STEPS)

    @number("Q3.11")
    @weight(8)
    def test_guidance(self):
        """Every x_t follows from the prediction guided by cfg_scale."""
        labels, w = self.randint(0, 10, (9,)), self.number(1.5, 4.5)
        seen = self.observe(lambda q3: watched(q3, labels=labels, cfg_scale=w))
        self.assertTrue(seen["steps"], NO_STEP)
        for z, lambda_t, _, x in seen["steps"]:
            sentence = (
                "with guidance, x_t handed to p_sample is not (z_t - sigma eps) / alpha for "
                "eps = (1 + w) eps_theta(z_t, labels) - w eps_theta(z_t, None)"
            )
            self.assertClose(x, estimate(z, lambda_t, labels, w), sentence)

    @number("Q3.11")
    @weight(3)
    def test_no_guidance(self):
        """With cfg_scale = 0, every x_t follows from the conditional prediction alone."""
        labels = self.randint(0, 10, (9,))
        seen = self.observe(lambda q3: watched(q3, labels=labels, cfg_scale=0.0))
        self.assertTrue(seen["steps"], NO_STEP)
        for z, lambda_t, _, x in seen["steps"]:
            sentence = "for w = 0, x_t handed to p_sample is not (z_t - sigma eps) / alpha for the conditional eps"
            self.assertClose(x, estimate(z, lambda_t, labels, 0.0), sentence)

    @number("Q3.11")
    @weight(5)
    def test_each_step_starts_from_the_last(self):
        """Each step starts from the z of the step before, and the last x_t is returned."""
        labels = self.randint(0, 10, (9,))
        seen = self.observe(lambda q3: watched(q3, labels=labels))
        steps = seen["steps"]
        self.assertTrue(steps, NO_STEP)
        sentence = "a step does not start from the z that the p_sample before returned"
        drawn = []
        for before, after, variance in zip(steps, steps[1:], seen["variances"], strict=False):
            expected = stand_ins.after_guided_step(*before)
            if variance == 0:
                self.assertClose(after[0], expected, sentence)
            else:  # drawn by the student's code
                self.assertEqual(after[0].shape, expected.shape, sentence)
                drawn.append((after[0] - expected).double() / variance**0.5)
                self.assertTrue(bool((drawn[-1].abs() < 8).all()), sentence)
        if drawn:
            about = "the noise added to the mean is not sqrt(var_p_theta) * randn_like(z), drawn in every step"
            self.assertNoise(torch.stack(drawn), about)
        demand_last(self, seen, STEPS, labels, "sample does not return the x_t of the last time")

    @number("Q3.11")
    @weight(1)
    def test_starts_from_noise(self):
        """Sampling starts from standard normal noise of the configured shape."""
        labels = self.randint(0, 10, (60,))
        configured = {"n_samples": 60, "image_channels": 3, "image_size": 9}
        seen = self.observe(lambda q3: watched(q3, configured, labels=labels, n_steps=2))
        self.assertTrue(seen["predicted"], "eps_model is never called")
        z = seen["predicted"][0]
        sentence = "z has the shape (n_samples, image_channels, image_size, image_size), all of self.args"
        self.assertEqual(z.shape, (60, 3, 9, 9), sentence)
        self.assertNoise(z, NOISE)

    @number("Q3.11")
    @weight(1)
    def test_n_steps(self):
        """n_steps says how many reverse steps are taken."""
        labels = self.randint(0, 10, (9,))
        seen = self.observe(lambda q3: watched(q3, labels=labels, n_steps=4))
        self.assertIn(len(seen["steps"]), (3, 4), "sample(n_steps=...) takes another number of reverse steps")
        demand_levels(seen["steps"], 4)
        demand_last(self, seen, 4, labels, "sample(n_steps=...) does not return the x_t of the last time")

    @number("Q3.11")
    @weight(1)
    def test_without_labels(self):
        """Without labels, every image is one of some class, the same in every step, or of none."""
        seen = self.observe(lambda q3: watched(q3))
        self.assertTrue(seen["steps"], NO_STEP)
        shape = 9, 1, 8, 8
        right = isinstance(seen["result"], torch.Tensor) and seen["result"].shape == shape
        self.assertTrue(right, "sample() without labels does not return images of the configured shape")
        classes = [None, *(torch.full((9,), label) for label in range(10))]
        fits = torch.ones(len(classes), 9, dtype=torch.bool)
        for z, lambda_t, _, x in seen["steps"]:
            self.assertEqual((z.shape, x.shape), (shape, shape), "without labels, x_t has not the shape of z_t")
            truth = torch.stack([estimate(z, lambda_t, labels, 3.0) for labels in classes])
            fits &= ((x - truth).abs() <= 1e-4 * truth.abs().amax()).flatten(2).all(dim=2)
        sentence = (
            "without labels, x_t does not follow from the prediction for one label an image, the same in every step"
        )
        self.assertTrue(bool(fits.any(dim=0).all()), sentence)

    @number("Q3.11")
    @weight(1)
    @inputs_survive
    def test_no_graph_is_kept(self):
        """Sampling keeps no gradient graph, and leaves the labels as they are."""
        labels = self.randint(0, 10, (9,))

        def look(q3):
            seen = watched(q3, labels=labels)
            result = seen["result"]
            return len(seen["steps"]), result.requires_grad if isinstance(result, torch.Tensor) else None

        taken, needs_gradient = self.observe(look)
        self.assertTrue(taken, NO_STEP)
        self.assertIsNotNone(needs_gradient, "sample returns no tensor")
        sentence = "the result still holds the graph of every step, which fills the memory: sample without gradients"
        self.assertIs(needs_gradient, False, sentence)

    @number("Q3.11")
    @weight(2)
    def test_every_step_draws_its_own_noise(self):
        """Every step and every call draws noise of its own; with set_seed=True every step still does."""
        labels = self.randint(0, 10, (9,))

        def look(q3):
            return tuple(watched(q3, labels=labels, set_seed=seed)["draws"] for seed in (False, True))

        unseeded, seeded = self.observe(look)
        self.assertTrue(unseeded and seeded, NO_STEP)
        self.assertFalse(
            repeats(unseeded), "every reverse step draws the same noise: the generator is seeded on the way"
        )
        sentence = "with set_seed=True every reverse step draws the same noise: seed once, before the loop, "
        self.assertFalse(repeats(seeded), sentence + "and do not hand set_seed on to p_sample")
        self.check_random(lambda q3: watched(q3, labels=labels)["result"], "sample")

    @number("Q3.11")
    @weight(1)
    def test_device(self):
        """It works where args.device is not the CPU."""

        labels = self.randint(0, 10, (9,))

        def look(q3):
            eps_model = stand_ins.LabelOrNot()
            diffusion = stand_ins.RecordedGuidedSteps(eps_model, STEPS)
            trainer = stand_ins.build_trainer(q3, stand_ins.trainer_args(n_steps=STEPS), eps_model, diffusion)
            levels = lambda: [level for step in diffusion.steps for level in step[1:3]]  # noqa: E731
            return stand_ins.ignores_device(lambda: trainer.sample(labels), levels), len(diffusion.steps)

        ignored, steps = self.observe(look)
        self.assertTrue(steps, NO_STEP)
        sentence = "the times, or other tensors, are on the CPU although args.device is another device"
        self.assertIs(ignored, False, sentence)


def repeats(draws):
    return len({tuple(draw.tolist()) for draw in draws}) < len(draws)
