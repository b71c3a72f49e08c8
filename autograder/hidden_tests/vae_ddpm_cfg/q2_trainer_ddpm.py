"""Hidden tests of q2_trainer_ddpm.py: the reverse process around a diffusion model that writes down its calls.

The probe's reverse step is a known affine map without noise, so every image can be followed from where it began. Each
test judges one thing from what the student's own loop did: the order of times, say, apart from what is kept. There are
nine images or more: a figure that given code of the original course draws needs as many.
"""

import torch

from autograder.grading.exercise import Exercise, Wrong, difference, inputs_survive, number, weight
from autograder.sandbox import stand_ins

STEPS = 6  # the configured number of reverse steps
NO_STEP = "no reverse step was taken: call self.diffusion.p_sample(x, t) for every time"
NOISE = "the first x is not standard normal noise: draw it with torch.randn, independently for every pixel"


def watched(q2, method, configured=None, **arguments):
    """Run a Trainer's method on the probe. Returns what it gave, and what each reverse step was called with."""
    args = stand_ins.trainer_args(n_steps=STEPS, **(configured or {}))
    eps_model = stand_ins.Ones()
    diffusion = stand_ins.RecordedReverseSteps(eps_model, STEPS)
    result = getattr(stand_ins.build_trainer(q2, args, eps_model, diffusion), method)(**arguments)
    groups = stand_ins.in_parts(diffusion.inputs, arguments.get("n_samples") or args.n_samples, diffusion.times)
    recorded = {name: stand_ins.together(groups, getattr(diffusion, name)) for name in ("times", "inputs", "variances")}
    return {"result": result, "draws": diffusion.draws, **recorded}


def shown(q2, **arguments):
    """What generate_intermediate_samples keeps: the arrays, what kind of objects they are, and the steps' records."""
    seen = watched(q2, "generate_intermediate_samples", **arguments)
    images = [] if seen["result"] is None else list(seen["result"])
    return seen | {"result": None, "images": images, "kinds": [type(image).__name__ for image in images]}


def demand_device(case, method, **arguments):
    """The times are made on args.device."""

    def look(q2):
        eps_model = stand_ins.Ones()
        diffusion = stand_ins.RecordedReverseSteps(eps_model, STEPS)
        trainer = stand_ins.build_trainer(q2, stand_ins.trainer_args(n_steps=STEPS), eps_model, diffusion)
        run = lambda: getattr(trainer, method)(**arguments)  # noqa: E731
        return stand_ins.ignores_device(run, lambda: diffusion.times), len(diffusion.times)

    ignored, steps = case.observe(look)
    case.assertTrue(steps, NO_STEP)
    sentence = "the times, or other tensors, are on the CPU although args.device is another device: device=args.device"
    case.assertIs(ignored, False, sentence)


def demand_own_noise(case, method, **arguments):
    """Every step of a run draws other numbers than the others, seeded or not; calls differ where nobody seeds."""

    def look(q2):
        return tuple(watched(q2, method, set_seed=seed, **arguments)["draws"] for seed in (False, True))

    unseeded, seeded = case.observe(look)
    if not unseeded or not seeded:
        raise Wrong(NO_STEP)
    if repeats(unseeded):
        raise Wrong("every reverse step draws the same noise: the generator is seeded on the way")
    if repeats(seeded):
        sentence = "with set_seed=True every reverse step draws the same noise: seed once, before the loop, "
        raise Wrong(sentence + "and do not hand set_seed on to p_sample")
    case.check_random(lambda q2: watched(q2, method, **arguments)["result"], method)


def repeats(draws):
    return len({tuple(draw.tolist()) for draw in draws}) < len(draws)


def demand_step(case, following, before, t, variance, sentence):
    """`following` is what the probe makes of `before`, plus noise of that variance (0: none) drawn by the student.

    Returns: that noise, standardized, for `demand_own_noises`; None where there is none to judge.
    """
    expected = stand_ins.after_step(before, t)
    if bool((variance == 0).all()):
        case.assertClose(following, expected, sentence)
        return None
    case.assertClose(torch.zeros_like(following), torch.zeros_like(expected), sentence)  # the same shape
    noise = ((following - expected) / variance.sqrt()).double()
    case.assertTrue(bool((noise.abs() < 8).all()), sentence)
    return noise if int(t.flatten()[0]) > 0 else None  # at t = 0 it is kept or left out, both are right


def demand_own_noises(case, noises):
    """The noise that the student's own code added in each step, as `demand_step` found it."""
    drawn = [noise for noise in noises if noise is not None]
    if drawn:
        sentence = "the noise added to the mean of p_xt_prev_xt is not sqrt(var) * randn_like(x), drawn in every step"
        case.assertNoise(torch.stack(drawn), sentence)


def demand_times(times, n_steps):
    if not times:
        raise Wrong(NO_STEP)
    if any(t.numel() == 0 or bool((t != t.flatten()[0]).any()) for t in times):
        raise Wrong("within one reverse step all images have the same time")
    if [float(t.flatten()[0]) for t in times] != list(range(n_steps - 1, -1, -1)):
        raise Wrong("p_sample is called once for every time, from n_steps - 1 down to 0")


def demand_times_of_images(times, n_samples):
    if not times:
        raise Wrong(NO_STEP)
    if not all(t.shape == (n_samples,) and t.dtype == torch.int64 for t in times):
        raise Wrong("p_sample wants t as a (B,) tensor of integers (torch.long), one time for each image")


def is_image_batch(images, *shape):
    return isinstance(images, torch.Tensor) and images.shape == shape


class DdpmSample(Exercise):
    module = "q2_trainer_ddpm"

    @number("Q2.6")
    @weight(5)
    def test_times_fall(self):
        """The reverse steps go through every time once, from n_steps - 1 down to 0."""
        seen = self.observe(lambda q2: watched(q2, "sample"))
        demand_times(seen["times"], STEPS)

    @number("Q2.6")
    @weight(1)
    def test_every_image_has_a_time(self):
        """Each reverse step gets the time of every image."""
        seen = self.observe(lambda q2: watched(q2, "sample", {"n_samples": 11}))
        demand_times_of_images(seen["times"], 11)

    @number("Q2.6")
    @weight(6)
    def test_each_step_starts_from_the_last(self):
        """Each reverse step starts from the result of the one before, and the last result is returned."""
        seen = self.observe(lambda q2: watched(q2, "sample"))
        self.assertTrue(seen["inputs"], NO_STEP)
        steps = list(zip(seen["inputs"], seen["times"], seen["variances"], strict=True))
        follows = "a reverse step does not start from what the step before returned"
        following = zip(steps, seen["inputs"][1:], strict=False)
        demand_own_noises(self, [demand_step(self, x, *step, follows) for step, x in following])
        last = "sample does not return the x of the last reverse step"
        self.assertTrue(is_image_batch(seen["result"], *seen["inputs"][-1].shape), last)
        demand_step(self, seen["result"], *steps[-1], last)

    @number("Q2.6")
    @weight(1)
    def test_starts_from_noise(self):
        """Sampling starts from standard normal noise of the configured shape."""
        configured = {"n_samples": 60, "image_channels": 3, "image_size": 9}
        seen = self.observe(lambda q2: watched(q2, "sample", configured, n_steps=2))
        self.assertTrue(seen["inputs"], NO_STEP)
        sentence = "x has the shape (n_samples, image_channels, image_size, image_size), all of self.args"
        self.assertTrue(is_image_batch(seen["inputs"][0], 60, 3, 9, 9), sentence)
        self.assertNoise(seen["inputs"][0], NOISE)

    @number("Q2.6")
    @weight(1)
    def test_n_steps(self):
        """n_steps says how many reverse steps are taken."""
        seen = self.observe(lambda q2: watched(q2, "sample", n_steps=4))
        self.assertEqual(len(seen["times"]), 4, "sample(n_steps=...) takes another number of reverse steps")
        demand_times(seen["times"], 4)
        last = "sample(n_steps=...) does not return the x of the last reverse step"
        self.assertTrue(is_image_batch(seen["result"], *seen["inputs"][-1].shape), last)
        demand_step(self, seen["result"], seen["inputs"][-1], seen["times"][-1], seen["variances"][-1], last)

    @number("Q2.6")
    @weight(1)
    def test_no_graph_is_kept(self):
        """Sampling keeps no gradient graph."""

        def look(q2):
            seen = watched(q2, "sample")
            result = seen["result"]
            return len(seen["times"]), result.requires_grad if isinstance(result, torch.Tensor) else None

        taken, needs_gradient = self.observe(look)
        self.assertTrue(taken, NO_STEP)
        self.assertIsNotNone(needs_gradient, "sample returns no tensor")
        sentence = "the result still holds the graph of every step, which fills the memory: sample without gradients"
        self.assertIs(needs_gradient, False, sentence)

    @number("Q2.6")
    @weight(2)
    def test_every_step_draws_its_own_noise(self):
        """Every step and every call draws noise of its own; with set_seed=True every step still does."""
        demand_own_noise(self, "sample")

    @number("Q2.6")
    @weight(1)
    def test_device(self):
        """It works where args.device is not the CPU."""
        demand_device(self, "sample")


class DdpmIntermediateSamples(Exercise):
    module = "q2_trainer_ddpm"

    @number("Q2.7")
    @weight(5)
    def test_times_fall(self):
        """The reverse steps go through every time once, from n_steps - 1 down to 0."""
        seen = self.observe(lambda q2: shown(q2, n_samples=9, img_size=6, steps_to_show=[0], n_steps=STEPS))
        demand_times(seen["times"], STEPS)

    @number("Q2.7")
    @weight(1)
    def test_every_image_has_a_time(self):
        """Each reverse step gets the time of every image."""
        seen = self.observe(lambda q2: shown(q2, n_samples=11, img_size=6, steps_to_show=[0], n_steps=STEPS))
        demand_times_of_images(seen["times"], 11)

    @number("Q2.7")
    @weight(6)
    def test_each_image_follows_from_the_last(self):
        """When every step is shown, the images are the noise and then the result of each step, in order."""
        every = list(range(STEPS + 1))
        seen = self.observe(lambda q2: shown(q2, n_samples=9, img_size=6, steps_to_show=every, n_steps=STEPS))
        images, times = seen["images"], seen["times"]
        self.assertTrue(times, NO_STEP)
        sentence = "with every step to show, there is the noise and one array per reverse step"
        self.assertEqual((len(images), len(times)), (STEPS + 1, STEPS), sentence)
        sentence = "the arrays have not the shape (n_samples, image_channels, img_size, img_size) of the call"
        self.assertTrue(all(is_image_batch(image, 9, 1, 6, 6) for image in images), sentence)
        sentence = "an array is not what the reverse step makes of the array before (kept before x was updated?)"
        steps = zip(images[1:], images, times, seen["variances"], strict=False)
        demand_own_noises(self, [demand_step(self, *step, sentence) for step in steps])

    @number("Q2.7")
    @weight(1)
    @inputs_survive
    def test_only_the_steps_to_show(self):
        """Only the noise and the steps in steps_to_show are kept; that list stays as it is."""
        # "Step 2" may count the steps taken, be the time, or be the index of the loop: all three readings are right.
        steps = [0, 2]
        seen = self.observe(lambda q2: shown(q2, n_samples=9, img_size=6, steps_to_show=steps, n_steps=STEPS))
        images, path = seen["images"], seen["inputs"]
        self.assertTrue(images and isinstance(images[0], torch.Tensor), "the list begins with the initial noise")
        self.assertTrue(path, NO_STEP)
        path = [*path, stand_ins.after_step(path[-1], seen["times"][-1])]
        readings = [[0, 2], [0, STEPS - 2, STEPS], [0, 1, 3]]
        for reading in readings:
            right = len(reading) == len(images) and max(reading) < len(path)
            if right and all(is_close(image, path[taken]) for image, taken in zip(images, reading, strict=True)):
                return
        raise Wrong("the list holds the initial noise, then x after each step that steps_to_show names, nothing else")

    @number("Q2.7")
    @weight(1)
    def test_arrays_of_the_asked_shape(self):
        """The images are numpy arrays of n_samples images of img_size, the first of them standard normal noise."""
        seen = self.observe(lambda q2: shown(q2, n_samples=60, img_size=11, steps_to_show=[0, 1], n_steps=2))
        self.assertTrue(seen["images"], "the list is empty")
        self.assertTrue(seen["times"], NO_STEP)
        sentence = "the list holds numpy arrays: images that leave the reverse process go through .cpu().numpy()"
        self.assertEqual(set(seen["kinds"]), {"ndarray"}, sentence)
        sentence = "an array has the shape (n_samples, image_channels, img_size, img_size) of the call"
        self.assertTrue(all(is_image_batch(image, 60, 1, 11, 11) for image in seen["images"]), sentence)
        self.assertNoise(seen["images"][0], NOISE)

    @number("Q2.7")
    @weight(1)
    def test_n_steps(self):
        """n_steps says how many reverse steps are taken."""
        seen = self.observe(lambda q2: shown(q2, n_samples=9, img_size=6, steps_to_show=[0], n_steps=4))
        self.assertEqual(len(seen["times"]), 4, "n_steps=... takes another number of reverse steps")
        demand_times(seen["times"], 4)

    @number("Q2.7")
    @weight(2)
    def test_every_step_draws_its_own_noise(self):
        """Every step and every call draws noise of its own; with set_seed=True every step still does."""
        sizes = {"n_samples": 9, "img_size": 6, "steps_to_show": [0]}
        demand_own_noise(self, "generate_intermediate_samples", **sizes)

    @number("Q2.7")
    @weight(1)
    def test_device(self):
        """It works where args.device is not the CPU."""
        demand_device(self, "generate_intermediate_samples", n_samples=9, img_size=6, steps_to_show=[0])


def is_close(actual, expected):
    return difference(actual, expected) is None
