"""Every training script at its handout's full settings on a GPU, and what the card could do: docs/benchmarks_gpu.md.

    make bench-gpu                                          about an hour on a recent card
    python benchmarks/gpu.py --data-root path               data of that folder; the page names what is replaced
    python benchmarks/gpu.py --quick --output build/x.md    tiny sizes, on a CPU too: does it all run?

First steps: the usual loop (float32, a DataLoader, plain Adam, .item() in each step) against ours (data on the card,
fused Adam, no synchronization, bf16, channels last) and the same compiled, in turns, with the loss curves compared
(training_loops.py). The arithmetic of a step is counted, and its rate set against that of a large matrix product on the
same card, its practical limit. Then whole trainings, with the seconds to the handout's target. A script that fails or
takes too long is named with its reason, and the others go on.
"""

import argparse
import contextlib
import datetime
import io
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import training_loops as loops
from torch.utils.flop_counter import FlopCounterMode

import data_loaders
import training

REPOSITORY = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Script:
    """A training script at the handout's settings."""

    slug: str
    command: str
    data: str = ""  # its data set, "" when it has none
    offline: str = ""  # what takes its place where the data cannot be had
    target: Callable[[dict], float | None] | None = None  # history -> seconds to the target, None: not reached
    meaning: str = ""  # of the target
    quick: str = ""  # options that make it tiny


def first_epoch(key: str, reached: Callable[[float], bool]) -> Callable[[dict], float | None]:
    """Seconds of training up to the first epoch whose value is good enough."""

    def seconds(history: dict) -> float | None:
        history = history.get("history", history)
        for number, value in enumerate(history[key], start=1):
            if reached(value):
                return sum(history["seconds"][:number])
        return None

    return seconds


TINY_UNET = "--width 8 --n-steps 3 --n-samples 10 --max-steps 3"
SCRIPTS = [
    Script(
        "vae_ddpm_cfg", "q1_train_vae.py", "mnist", "digits",
        first_epoch("valid", lambda loss: loss <= 104), "validation loss 104", "--epochs 1",
    ),
    Script("vae_ddpm_cfg", "q2_trainer_ddpm.py --sample-every 5", "mnist", "digits", quick=TINY_UNET),
    Script("vae_ddpm_cfg", "q3_trainer_cfg.py --sample-every 5", "mnist", "digits", quick=TINY_UNET),
    Script("vae_gan_ddpm", "train_vae.py --sample-every 20", "svhn", "digits_rgb", quick="--max-steps 2 --features 8"),
    Script("vae_gan_ddpm", "train_gan.py --sample-every 30", "svhn", "digits_rgb", quick="--max-steps 2 --features 8"),
    Script(
        "vae_gan_ddpm", "train_ddpm.py --sample-every 20", "svhn", "digits_rgb",
        quick="--max-steps 2 --width 8 --timesteps 12",
    ),
    Script(
        "vae_gan_flows", "train_vae.py", "binarized_mnist", "digits",
        first_epoch("valid", lambda elbo: elbo >= -102), "validation ELBO -102", "--epochs 1 --importance-samples 2",
    ),
    Script(
        "vae_gan_flows", "run_exp.py --config cifar10-jsd-3 --iterations 2000 --no-evaluate", "cifar10", "digits_rgb",
        quick="--iterations 2 --width 16",
    ),
    Script(
        "ddim_score", "train_sprites.py", "sprites", "drawn_sprites",
        quick="--width 8 --epochs 1 --timesteps 4 --ddim-steps 2 --batch-size 2000",
    ),
    Script(
        "ddim_score", "compare_samplers.py --run OUT/train_sprites",
        quick="--steps 2 --timed 2 --count 20 --batch 10",
    ),
]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0] + f" ({Path(__file__).name})",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--data-root", default="data", help="folder of the downloaded data")
    parser.add_argument(
        "--download", action="store_true", help="fetch data that is missing, in the place of offline data"
    )
    parser.add_argument("--device", default="auto", help="auto (the GPU), or cpu with --quick")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each loop")
    parser.add_argument("--minutes", type=float, default=30.0, help="for one script, at most")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: does it all run? Give another --output")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "docs" / "benchmarks_gpu.md", help="the page")
    arguments = parser.parse_args()
    try:
        loops.DEVICE = training.pick_device(arguments.device)
    except training.TrainingError as error:
        sys.exit(f"error: {error}")
    if loops.DEVICE.type != "cuda" and not arguments.quick:
        sys.exit("error: there is no GPU here; --quick shows on a CPU whether all of it runs.")
    started = time.monotonic()
    with contextlib.redirect_stdout(io.StringIO()) as steps, showing(steps):
        step_table(arguments)
    rows = [trained(script, arguments) for script in SCRIPTS]
    write_page(arguments.output, steps.getvalue(), rows, (time.monotonic() - started) / 60)
    print(f"written: {arguments.output}")


@contextlib.contextmanager
def showing(text: io.StringIO):
    """What is kept for the page is seen at the end, too, and also when something goes wrong."""
    try:
        yield
    finally:
        sys.stderr.write(text.getvalue())


# ---------------------------------------------------------------- steps


def step_table(arguments) -> None:
    """Print milliseconds, ratios and rates for every model."""
    quick, device = arguments.quick, loops.DEVICE
    rounds, seconds, width, batch = (1, 0.01, 8, 8) if quick else (arguments.rounds, 2.0, 64, 128)
    print(f"{name_of(device)}; ours: {training.Precision(device)}")
    limit = matrix_rate(512 if quick else 8192)
    print(f"limit: {limit / 1e12:.3g} TFLOP/s, a product of large matrices in that precision")
    print(f"{rounds} turns of about {seconds:g} s for each loop; U-Nets of width {width}, batches of {batch}\n")
    print(f"{'model':<28}{'usual ms':>10}{'ours ms':>9}{'ratio':>7}{'compiled ms':>13}{'ratio':>7}", end="")
    print(f"{'GFLOP':>9}{'TFLOP/s':>9}{'of limit':>10}{'differs %':>14}")
    every = loops.models(arguments.data_root, width, batch)
    found = {}
    for model in every:
        if quick:
            model.data, model.batch_size = data_loaders.ResidentDataset(*model.data[:64]), min(model.batch_size, 8)
        ways = {"usual": loops.USUAL, "ours": loops.OURS}
        if model.is_unet and not quick and not training.compiling.why_not(device):
            ways["compiled"] = loops.COMPILED
        runs = {name: loops.runner(model, way, time.perf_counter) for name, way in ways.items()}
        _, results = loops.take_turns(runs, rounds, seconds)
        found[model.name] = results
        flop = flop_of_a_step(model)
        best = min(result.median for name, result in results.items() if name != "usual")
        usual, ours, compiled = results["usual"].median, results["ours"].median, results.get("compiled")
        print(f"{model.name:<28}{usual:10.2f}{ours:9.2f}{usual / ours:7.2f}", end="")
        print(f"{compiled.median:13.2f}{usual / compiled.median:7.2f}" if compiled else f"{'':20}", end="")
        rate = flop / best * 1000
        print(f"{flop / 1e9:9.3g}{rate / 1e12:9.3g}{rate / limit:10.1%}", end="")
        print(f"{' '.join(f'{100 * d:+.1f}' for d in loops.differences(results)):>14}")
    print()
    for claim in loops.claims(every, found):
        print(claim)


def flop_of_a_step(model: loops.Model) -> int:
    """Multiplications and additions of matrix products and convolutions, in one training step."""
    step = loops.stepping(model, loops.OURS)
    x, labels = next(iter(model.resident.batches(model.batch_size)))
    with FlopCounterMode(display=False) as counter:
        step(x, labels)
    return counter.get_total_flops()


def matrix_rate(size: int) -> float:
    """Operations a second in a product of two square matrices, in the precision of training."""
    device = loops.DEVICE
    a = torch.randn(size, size, device=device, dtype=training.Precision(device).dtype)
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(10):
            b = a @ a
        float(b[0, 0])  # waits until all is computed
        seconds.append((time.perf_counter() - started) / 10)
    return 2 * size**3 / min(seconds)


def name_of(device: torch.device) -> str:
    card = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    return f"{card}, Python {platform.python_version()}, torch {torch.__version__}"


# ---------------------------------------------------------------- whole trainings


def trained(script: Script, arguments) -> str:
    """A row of the table: the command, its data, its seconds, and the seconds to the target."""
    name = script.command.split()[0].removesuffix(".py")
    folder = Path(tempfile.gettempdir()) / f"bench-gpu-{os.getpid()}" / script.slug
    out = folder / name
    options, data = shlex.split(script.command.replace("OUT", str(folder))), script.data
    if data:
        data = data if has(data, arguments) and not arguments.quick else script.offline
        options += ["--data", data, "--data-root", arguments.data_root]
    options += [] if name == "compare_samplers" else ["--out", str(out)]
    options += ["--device", str(loops.DEVICE)]
    if name == "compare_samplers" and (arguments.quick or not has_inception()):
        options += ["--features", "small"]
    if arguments.quick:
        options += shlex.split(script.quick)
    solutions, given = REPOSITORY / "solutions" / script.slug, REPOSITORY / "assignment" / script.slug
    path = solutions / options[0] if (solutions / options[0]).exists() else given / options[0]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, (solutions, given, REPOSITORY))), "PYTHONSAFEPATH": "1",
    }  # fmt: skip
    started, outcome = time.monotonic(), ""
    try:
        command = [sys.executable, str(path), *options[1:]]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60 * arguments.minutes)
        if done.returncode:
            outcome = "failed: " + (done.stderr.strip().splitlines() or ["no message"])[-1][-200:]
    except subprocess.TimeoutExpired:
        outcome = f"stopped after {arguments.minutes:g} minutes"
    seconds = time.monotonic() - started
    if not outcome and script.target:
        reached = script.target(json.loads((out / "history.json").read_text()))
        what = "" if data == script.data else f", which is meant for {script.data}"
        outcome = f"{script.meaning}: " + (f"after {reached:.1f} s" if reached is not None else f"not reached{what}")
    if not outcome:
        outcome = last_values(out / "history.json") or "; ".join(
            " ".join(line.split()) for line in done.stdout.splitlines() if line.startswith(("DDPM", "DDIM"))
        )
    row = f"| `{script.slug}` | `{script.command.replace('OUT/', 'runs/')}` | {data} | {seconds:.0f} | {outcome} |"
    print(row, flush=True)
    return row


def last_values(path: Path) -> str:
    """Where the curves of a history ended."""
    if not path.exists():
        return ""
    history = json.loads(path.read_text())
    history = history.get("history", history)
    ends = {name: values[-1] for name, values in history.items() if isinstance(values, list) and values}
    return ", ".join(f"{name} {value:.4g}" for name, value in ends.items() if name != "step")


def has(data: str, arguments) -> bool:
    """Can this data set be had here?"""
    try:
        data_loaders.load(data, "train", root=arguments.data_root, download=arguments.download)
    except data_loaders.DataError:
        return False
    return True


def has_inception() -> bool:
    import importlib.util

    return importlib.util.find_spec("pytorch_fid") is not None


def write_page(output: Path, steps: str, rows: list[str], minutes: float) -> None:
    today = datetime.date.today().isoformat()
    text = f"""# Training on a GPU

Written by `make bench-gpu`: change benchmarks/gpu.py, not this page. {today}; {minutes:.0f} minutes.

## Steps

```
{steps.rstrip()}
```

GFLOP: of one step, forward and backward, in matrix products and convolutions; TFLOP/s: of the fastest way.

## Whole trainings

At the handouts' settings, with start, figures and sampling; seconds to a target are those of training alone.

| assignment | script | data | seconds | |
| --- | --- | --- | --- | --- |
"""
    output.parent.mkdir(parents=True, exist_ok=True)
    part = output.with_name(f"{output.name}.part")
    part.write_text(text + "\n".join(rows) + "\n", encoding="utf-8")
    os.replace(part, output)


if __name__ == "__main__":
    main()
