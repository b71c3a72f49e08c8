"""Sampling as the scripts do it against the usual way, for every diffusion model; then DDIM against DDPM.

    python benchmarks/samplers.py --timesteps 1000 --ddim-steps 50

    usual      without gradients, in float32, one pass through the network for each prediction
    ours       inference mode, bf16 where the processor has it, both passes of guidance in one, freed memory is kept
    compiled   the same with the network compiled, as scripts do by themselves where a run is long enough

Nearly all of the time is the network's, which is asked once a step (twice with guidance); so DDIM's gain comes close to
that of the steps. The weights are random, which changes nothing about the time (benchmarks/sample_quality.py measures
quality). All take turns within one run, each way in a process of its own: compare the ratio, not the milliseconds.
"""

import argparse
import contextlib
import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace

import machine
import torch
import training_loops as loops
import turns
from training_loops import ddim

import training

DDIM_CLAIM, UNET_CLAIM = 0.75, 1.75  # the first one: of the ratio of the steps


@dataclass
class Sampler:
    """Of one model."""

    network: torch.nn.Module
    draw: Callable[[bool, int], object]  # in our way or not, with so many steps


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--timesteps", type=int, default=1000, help="T: steps of DDPM, where it is compared with DDIM")
    parser.add_argument("--ddim-steps", type=int, default=50, help="steps of DDIM")
    parser.add_argument("--images", type=int, default=64, help="drawn at once; 64 as in most figures of the scripts")
    parser.add_argument("--steps", type=int, default=40, help="of each sampler in a turn, where ways are compared")
    parser.add_argument("--width", type=int, default=32, help="of the U-Nets")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="for all")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True, help="measure that too")
    parser.add_argument("--cpu-time", action="store_true", help="the processor's time; with --threads 1, on busy ones")
    arguments = parser.parse_args()
    clock = loops.prepared(arguments.threads, False, arguments.cpu_time)
    torch.manual_seed(0)

    print(f"{machine.describe()}, {arguments.threads} threads")
    print(f"ours: {training.Precision('cpu')}")
    print(f"U-Nets of width {arguments.width}, {arguments.rounds} turns of {arguments.steps} steps, medians\n")
    ratios = compare_ways(arguments)
    ratio = ddim_against_ddpm(arguments, clock)
    print()
    slowest = min(ratios, key=lambda name: ratios[name])
    holds = "it holds" if ratios[slowest] >= UNET_CLAIM else "it DOES NOT HOLD"
    print(f"claim: every U-Net samples at least {UNET_CLAIM:g} times as fast as in the usual way; ", end="")
    print(f"measured: {ratios[slowest]:.2f} or more ({slowest}); {holds}")
    least = DDIM_CLAIM * arguments.timesteps / arguments.ddim_steps
    print(f"claim: DDIM is at least {least:g} times as fast as DDPM; measured: {ratio:.1f}; ", end="")
    print(f"it {'holds' if ratio >= least else 'DOES NOT HOLD'}")


def compare_ways(arguments) -> dict[str, float]:
    """Print the table; by what factor the best of our ways is faster, for each model."""
    ways = ["usual", "ours"]
    if arguments.compile and not training.compiling.why_not("cpu"):
        ways.append("compiled")
    print(f"{'sampler':<22}{'images':>7}{'usual ms a step':>17}{'ours':>8}{'ratio':>7}{'compiled':>10}{'ratio':>7}")
    ratios = {}
    for make, name in NAMES.items():
        times: dict[str, list[float]] = {way: [] for way in ways}
        with contextlib.ExitStack() as stack:
            drawing = {way: stack.enter_context(turns.OwnProcess(started, arguments, make, way)) for way in ways}
            for way in ways:
                drawing[way](2)  # to warm up
            for number in range(arguments.rounds):
                for way in ways[:: 1 if number % 2 else -1]:
                    times[way].append(drawing[way](arguments.steps))
        medians = {way: 1000 * statistics.median(times[way]) / arguments.steps for way in ways}
        ratios[name] = medians["usual"] / min(medians[way] for way in ways[1:])
        text = f"{name:<22}{arguments.images:7}{medians['usual']:17.2f}{medians['ours']:8.2f}"
        text += f"{medians['usual'] / medians['ours']:7.2f}"
        if "compiled" in medians:
            text += f"{medians['compiled']:10.2f}{medians['usual'] / medians['compiled']:7.2f}"
        print(text, flush=True)
    return ratios


def started(arguments, make: Callable[..., Sampler], way: str) -> Callable[[int], float]:
    """A function that draws the images by so many steps, in this process, and returns how many seconds that took."""
    is_ours = way != "usual"
    clock = loops.prepared(arguments.threads, is_ours, arguments.cpu_time)
    torch.manual_seed(0)
    sampler = make(arguments.width, arguments.images)
    if way == "compiled":
        training.Compiler("on", "cpu", sampler.network)
    precision = training.Precision("cpu", "auto" if is_ours else "float32")

    def drawing(steps: int) -> float:
        mode = torch.inference_mode() if is_ours else torch.no_grad()
        begun = clock()
        with mode, precision.autocast():
            sampler.draw(is_ours, steps)
        return clock() - begun

    return drawing


def of_ddpm(width: int, images: int) -> Sampler:
    args = replace(loops.q2_utils.args.Args(), device="cpu", width=width, n_samples=images)
    network = loops.q2_utils.unet.UNet(1, width).eval()
    diffusion = loops.mnist.q2_ddpm.DenoiseDiffusion(network, args.n_steps, "cpu")
    trainer = loops.mnist.q2_trainer_ddpm.Trainer(args, network, diffusion)
    return Sampler(network, lambda ours, steps: plain(trainer, ours)(n_steps=steps))


def of_guidance(width: int, images: int) -> Sampler:
    args = replace(loops.q3_utils.args.Args(), device="cpu", width=width, n_samples=images)
    network = loops.q3_utils.unet.UNet(1, width, args.n_classes).eval()
    diffusion = loops.mnist.q3_cfg_diffusion.CFGDiffusion(network, args.n_steps, "cpu")
    trainer = loops.mnist.q3_trainer_cfg.Trainer(args, network, diffusion)
    labels = torch.arange(images) % args.n_classes
    draw = lambda ours, steps: plain(loops.paired(trainer) if ours else trainer, ours)(labels, n_steps=steps)  # noqa: E731
    return Sampler(network, draw)


def plain(trainer, is_ours: bool) -> Callable:
    """Its sample(), without the inference mode that the stub gives it where this is measured."""
    method = type(trainer).sample
    return (method if is_ours else method.__wrapped__).__get__(trainer)


def of_colour_ddpm(width: int, images: int) -> Sampler:
    script = loops.svhn.train_ddpm
    network = script.UNet(3, width).eval()

    def draw(is_ours: bool, steps: int) -> None:
        script.p_sample_loop(script.precompute(steps), network, (images, 3, 32, 32))

    return Sampler(network, draw)


def of_sprites(width: int, images: int) -> Sampler:
    network = ddim.unet.UNet(3, width).eval()

    def draw(is_ours: bool, steps: int) -> None:
        config = ddim.train_sprites.Config(timesteps=steps)
        schedule = ddim.train_sprites.make_schedule(config, torch.device("cpu"))
        ddim.ddpm_ddim.sample_ddpm(network, schedule, (images, 3, 16, 16))

    return Sampler(network, draw)


NAMES = {
    of_ddpm: "DDPM, 32 x 32 grey",
    of_guidance: "guidance, 32 x 32",
    of_colour_ddpm: "DDPM, 32 x 32 colour",
    of_sprites: "DDPM, 16 x 16 sprites",
}


def ddim_against_ddpm(arguments, clock: loops.Clock) -> float:
    """Print the table; the ratio."""
    config = ddim.train_sprites.Config(timesteps=arguments.timesteps)
    schedule = ddim.train_sprites.make_schedule(config, torch.device("cpu"))
    model = ddim.unet.UNet(3, arguments.width).eval()
    shape = (8, 3, 16, 16)
    ways = {
        ("DDPM", arguments.timesteps): lambda: ddim.ddpm_ddim.sample_ddpm(model, schedule, shape),
        ("DDIM", arguments.ddim_steps): lambda: ddim.ddpm_ddim.sample_ddim(
            model, schedule, shape, n_steps=arguments.ddim_steps
        ),
    }
    seconds: dict[tuple, list[float]] = {name: [] for name in ways}
    with torch.inference_mode():
        ways["DDIM", arguments.ddim_steps]()  # to warm up
        for _ in range(min(arguments.rounds, 3)):
            for name, sample in ways.items():
                started = clock()
                sample()
                seconds[name].append(clock() - started)
    print(f"\n{shape[0]} images of 3 x 16 x 16 at once, float32, {len(next(iter(seconds.values())))} turns\n")
    print(f"{'sampler':<9}{'steps':>6}{'ms an image':>13}{'ms a step':>11}{'ratio':>7}")
    medians = [statistics.median(times) for times in seconds.values()]
    for (name, steps), median in zip(seconds, medians, strict=True):
        each = f"{1000 * median / shape[0]:13.1f}{1000 * median / steps:11.2f}"
        print(f"{name:<9}{steps:6}{each}{medians[0] / median:7.1f}")
    return medians[0] / medians[1]


if __name__ == "__main__":
    main()
