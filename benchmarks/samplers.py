"""DDIM with few steps against DDPM with all of them: the same U-Net, the samplers of solutions/ddim_score.

    python benchmarks/samplers.py --timesteps 1000 --ddim-steps 50

Nearly all of the time is the network's, which is asked once a step; so the ratio comes close to that of the steps. The
weights are random, which changes nothing about the time (compare_samplers.py of the assignment measures quality too).
The samplers take turns within one run: compare the ratio, not the milliseconds.
"""

import argparse
import statistics
import time

import machine
import torch
from training_loops import ddim

CLAIM = 0.75  # of the ratio of the steps


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--timesteps", type=int, default=1000, help="T: steps of DDPM")
    parser.add_argument("--ddim-steps", type=int, default=50, help="steps of DDIM")
    parser.add_argument("--images", type=int, default=8, help="drawn at once")
    parser.add_argument("--width", type=int, default=32, help="of the U-Net")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each sampler")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="for both samplers")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)

    config = ddim.train_sprites.Config(timesteps=arguments.timesteps)
    schedule = ddim.train_sprites.make_schedule(config, torch.device("cpu"))
    model = ddim.unet.UNet(3, arguments.width).eval()
    shape = (arguments.images, 3, 16, 16)
    samplers = {
        ("DDPM", arguments.timesteps): lambda: ddim.ddpm_ddim.sample_ddpm(model, schedule, shape),
        ("DDIM", arguments.ddim_steps): lambda: ddim.ddpm_ddim.sample_ddim(
            model, schedule, shape, n_steps=arguments.ddim_steps
        ),
    }
    seconds: dict[tuple, list[float]] = {name: [] for name in samplers}
    samplers["DDIM", arguments.ddim_steps]()  # to warm up
    for _ in range(arguments.rounds):
        for name, sample in samplers.items():
            started = time.perf_counter()
            sample()
            seconds[name].append(time.perf_counter() - started)

    print(f"{machine.describe()}, {arguments.threads} threads")
    network = f"U-Net of width {arguments.width}"
    print(f"{arguments.images} images of 3 x 16 x 16 at once, {network}, {arguments.rounds} turns\n")
    print(f"{'sampler':<9}{'steps':>6}{'ms an image':>13}{'ms a step':>11}{'ratio':>7}")
    medians = [statistics.median(times) for times in seconds.values()]
    for (name, steps), median in zip(seconds, medians, strict=True):
        each = f"{1000 * median / arguments.images:13.1f}{1000 * median / steps:11.2f}"
        print(f"{name:<9}{steps:6}{each}{medians[0] / median:7.1f}")
    ratio, least = medians[0] / medians[1], CLAIM * arguments.timesteps / arguments.ddim_steps
    print(f"\nclaim: DDIM is at least {least:g} times as fast; measured: {ratio:.1f}; ", end="")
    print(f"it {'holds' if ratio >= least else 'DOES NOT HOLD'}")


if __name__ == "__main__":
    main()
