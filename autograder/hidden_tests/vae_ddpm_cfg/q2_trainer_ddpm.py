"""Hidden tests of q2_trainer_ddpm.py: the reverse process around a diffusion model that writes down its calls.

The probe's reverse step is a known affine map without noise, so every image can be followed from where it began. Each
test judges one thing from what the student's own loop did: the order of times, say, apart from what is kept.
"""

import torch

from autograder.grading.exercise import Exercise, Wrong, difference, number, weight
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
    return {"result": result, "times": diffusion.times, "inputs": diffusion.inputs}


def shown(q2, **arguments):
    """What generate_intermediate_samples keeps: the arrays, what kind of objects they are, and the steps' times."""
    seen = watched(q2, "generate_intermediate_samples", **arguments)
    images = [] if seen["result"] is None else list(seen["result"])
    return {"images": images, "kinds": [type(image).__name__ for image in images], "times": seen["times"]}


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


def demand_noise(case, noise):
    """`noise` (N, C, H, W) is standard normal, and independent from image to image."""
    case.assertMean(noise.reshape(-1, 1), 0.0, 1.0, NOISE)
    case.assertVariance(noise.reshape(-1, 1), 1.0, NOISE)
    case.assertVariance(noise.double().mean(dim=0).reshape(-1, 1), 1 / len(noise), NOISE)


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
        seen = self.observe(lambda q2: watched(q2, "sample", {"n_samples": 7}))
        demand_times_of_images(seen["times"], 7)

    @number("Q2.6")
    @weight(6)
    def test_each_step_starts_from_the_last(self):
        """Each reverse step starts from the result of the one before, and the last result is returned."""
        seen = self.observe(lambda q2: watched(q2, "sample"))
        self.assertTrue(seen["inputs"], NO_STEP)
        results = [stand_ins.after_step(x, t) for x, t in zip(seen["inputs"], seen["times"], strict=True)]
        for result, following in zip(results, seen["inputs"][1:], strict=False):
            self.assertClose(following, result, "a reverse step does not start from what the step before returned")
        self.assertClose(seen["result"], results[-1], "sample does not return the x of the last reverse step")

    @number("Q2.6")
    @weight(1)
    def test_starts_from_noise(self):
        """Sampling starts from standard normal noise of the configured shape."""
        configured = {"n_samples": 60, "image_channels": 3, "image_size": 9}
        seen = self.observe(lambda q2: watched(q2, "sample", configured, n_steps=2))
        self.assertTrue(seen["inputs"], NO_STEP)
        sentence = "x has the shape (n_samples, image_channels, image_size, image_size), all of self.args"
        self.assertTrue(is_image_batch(seen["inputs"][0], 60, 3, 9, 9), sentence)
        demand_noise(self, seen["inputs"][0])

    @number("Q2.6")
    @weight(1)
    def test_n_steps(self):
        """n_steps says how many reverse steps are taken."""
        seen = self.observe(lambda q2: watched(q2, "sample", n_steps=4))
        self.assertEqual(len(seen["times"]), 4, "sample(n_steps=...) takes another number of reverse steps")
        demand_times(seen["times"], 4)

    @number("Q2.6")
    @weight(1)
    def test_no_graph_is_kept(self):
        """Sampling keeps no gradient graph."""

        def look(q2):
            seen = watched(q2, "sample")
            return len(seen["times"]), bool(seen["result"].requires_grad)

        taken, needs_gradient = self.observe(look)
        self.assertTrue(taken, NO_STEP)
        sentence = "the result still holds the graph of every step, which fills the memory: sample without gradients"
        self.assertIs(needs_gradient, False, sentence)


class DdpmIntermediateSamples(Exercise):
    module = "q2_trainer_ddpm"

    @number("Q2.7")
    @weight(5)
    def test_times_fall(self):
        """The reverse steps go through every time once, from n_steps - 1 down to 0."""
        seen = self.observe(lambda q2: shown(q2, n_samples=3, img_size=6, steps_to_show=[0], n_steps=STEPS))
        demand_times(seen["times"], STEPS)

    @number("Q2.7")
    @weight(1)
    def test_every_image_has_a_time(self):
        """Each reverse step gets the time of every image."""
        seen = self.observe(lambda q2: shown(q2, n_samples=7, img_size=6, steps_to_show=[0], n_steps=STEPS))
        demand_times_of_images(seen["times"], 7)

    @number("Q2.7")
    @weight(6)
    def test_each_image_follows_from_the_last(self):
        """When every step is shown, the images are the noise and then the result of each step, in order."""
        every = list(range(STEPS + 1))
        seen = self.observe(lambda q2: shown(q2, n_samples=3, img_size=6, steps_to_show=every, n_steps=STEPS))
        images, times = seen["images"], seen["times"]
        self.assertTrue(times, NO_STEP)
        self.assertEqual(len(images), STEPS + 1, "with every step to show, there is the noise and one array per step")
        for before, t, after in zip(images, times, images[1:], strict=False):
            sentence = "an array is not what the reverse step makes of the array before (kept before x was updated?)"
            self.assertClose(after, stand_ins.after_step(before, t), sentence)

    @number("Q2.7")
    @weight(1)
    def test_only_the_steps_to_show(self):
        """Only the noise and the steps in steps_to_show are kept."""
        # "Step 2" may count the steps taken, be the time, or be the index of the loop: all three readings are right.
        seen = self.observe(lambda q2: shown(q2, n_samples=3, img_size=6, steps_to_show=[0, 2], n_steps=STEPS))
        images, times = seen["images"], seen["times"]
        self.assertTrue(images and isinstance(images[0], torch.Tensor), "the list begins with the initial noise")
        path = [images[0]]
        for t in times:
            path.append(stand_ins.after_step(path[-1], t))
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
        sentence = "the list holds numpy arrays: images that leave the reverse process go through .cpu().numpy()"
        self.assertEqual(set(seen["kinds"]), {"ndarray"}, sentence)
        sentence = "an array has the shape (n_samples, image_channels, img_size, img_size) of the call"
        self.assertTrue(all(is_image_batch(image, 60, 1, 11, 11) for image in seen["images"]), sentence)
        demand_noise(self, seen["images"][0])

    @number("Q2.7")
    @weight(1)
    def test_n_steps(self):
        """n_steps says how many reverse steps are taken."""
        seen = self.observe(lambda q2: shown(q2, n_samples=3, img_size=6, steps_to_show=[0], n_steps=4))
        self.assertEqual(len(seen["times"]), 4, "n_steps=... takes another number of reverse steps")
        demand_times(seen["times"], 4)


def is_close(actual, expected):
    return difference(actual, expected) is None
