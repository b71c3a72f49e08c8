"""Hidden tests of q2_trainer_ddpm.py: the reverse process around a diffusion model that writes down its calls.

The probe's reverse step is a known affine map without noise, so every image can be followed from where it began. Each
test judges one thing from what the student's own loop did: the order of times, say, apart from what is kept.
"""

import torch

from autograder import probes
from autograder.exercise import Exercise, Wrong, number, weight

NOISE = "the first x is not standard normal noise: torch.randn of the images' shape, other noise for every pixel"


def reverse_steps(q2, method, n_steps=6, args_changes=None, **arguments):
    """Run a Trainer's method on the probe. Returns what it gave and what the reverse steps were called with."""
    eps_model = probes.Ones()
    diffusion = probes.RecordedReverseSteps(eps_model, n_steps)
    args = probes.trainer_args(n_steps=n_steps, **(args_changes or {}))
    trainer = probes.build_trainer(q2, args, eps_model, diffusion)
    result = getattr(trainer, method)(**arguments)
    return {"result": result, "times": diffusion.times, "inputs": diffusion.inputs}


def one_time_each(times):
    """The time of every step, where all its images have the same."""
    if any(t.numel() == 0 or bool((t != t.flatten()[0]).any()) for t in times):
        raise Wrong("within one reverse step all images have the same time")
    return [float(t.flatten()[0]) for t in times]


def demand_times(seen, n_steps):
    if not seen["times"]:
        raise Wrong("no reverse step was taken: the loop calls self.diffusion.p_sample(x, t) for every time")
    if one_time_each(seen["times"]) != list(range(n_steps - 1, -1, -1)):
        raise Wrong("p_sample is called once for every time, from n_steps - 1 down to 0")


def demand_noise(case, noise):
    """`noise` (N, C, H, W) is standard normal, and independent from image to image."""
    case.assertMean(noise.reshape(-1, 1), 0.0, 1.0, NOISE)
    case.assertVariance(noise.reshape(-1, 1), 1.0, NOISE)
    case.assertVariance(noise.mean(dim=0).reshape(-1, 1), 1 / len(noise), NOISE)


class DdpmSample(Exercise):
    module = "q2_trainer_ddpm"

    @number("Q2.6")
    @weight(2)
    def test_times_fall(self):
        """The reverse steps go through every time once, from n_steps - 1 down to 0."""
        demand_times(self.observe(lambda q2: reverse_steps(q2, "sample")), 6)

    @number("Q2.6")
    @weight(1)
    def test_time_of_every_image(self):
        """Each reverse step gets the time of every image."""
        seen = self.observe(lambda q2: reverse_steps(q2, "sample"))
        self.assertTrue(seen["times"], "no reverse step was taken: self.diffusion.p_sample(x, t) is not called")
        sentence = "p_sample wants t as a (B,) tensor of integers (torch.long), one time for each image"
        self.assertTrue(all(t.shape == (5,) and t.dtype == torch.int64 for t in seen["times"]), sentence)

    @number("Q2.6")
    @weight(2)
    def test_each_step_starts_from_the_last(self):
        """Each reverse step starts from the result of the one before, and the last result is returned."""
        seen = self.observe(lambda q2: reverse_steps(q2, "sample", args_changes={"image_channels": 3}))
        inputs, times = seen["inputs"], seen["times"]
        self.assertTrue(inputs, "no reverse step was taken: self.diffusion.p_sample(x, t) is not called")
        results = [probes.after_step(x, t) for x, t in zip(inputs, times, strict=True)]
        for result, following in zip(results, inputs[1:], strict=False):
            self.assertClose(following, result, "a reverse step does not start from what the step before returned")
        self.assertClose(seen["result"], results[-1], "the x of the last reverse step is not what sample returns")

    @number("Q2.6")
    @weight(1)
    def test_starts_from_noise(self):
        """Sampling starts from standard normal noise of the configured shape."""
        shape = {"n_samples": 60, "image_channels": 3, "image_size": 9}
        seen = self.observe(lambda q2: reverse_steps(q2, "sample", n_steps=2, args_changes=shape))
        self.assertTrue(seen["inputs"], "no reverse step was taken: self.diffusion.p_sample(x, t) is not called")
        for images in (seen["inputs"][0], seen["result"]):
            right = isinstance(images, torch.Tensor) and images.shape == (60, 3, 9, 9)
            self.assertTrue(right, "images have the shape (n_samples, image_channels, image_size, image_size) of args")
        demand_noise(self, seen["inputs"][0])

    @number("Q2.6")
    @weight(1)
    def test_n_steps(self):
        """n_steps says how many reverse steps are taken."""
        seen = self.observe(lambda q2: reverse_steps(q2, "sample", n_steps=9, n_steps_argument=None) if False else
                            with_n_steps(q2, 9, 4))
        demand_times(seen, 4)

    @number("Q2.6")
    @weight(1)
    def test_no_graph_is_kept(self):
        """Sampling keeps no gradient graph."""

        def look(q2):
            return bool(reverse_steps(q2, "sample")["result"].requires_grad)

        sentence = "the result still holds the graph of every step, which fills the memory: sample without gradients"
        self.assertIs(self.observe(look), False, sentence)
