"""Make what lies in assignment/<slug>/figures: results of our own training, and its curves.

    python docs/figures.py --data-root DATA             all of them, two hours on one core; DATA: the loaders' folder
    python docs/figures.py vae_ddpm_cfg/vae             one run
    python docs/figures.py diagrams                     only the diagrams of the models: docs/diagrams.py

The reference solutions are trained, by the commands that curves.json names. What they write stays in runs/figures, so
that a run that is complete is only looked at again. Figures are shipped to students with the handouts that show them;
notebooks draw our curves faintly behind a student's.
"""

import argparse
import json
import os
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pictures

ROOT = Path(__file__).resolve().parents[1]
RUNS = ROOT / "runs" / "figures"


@dataclass(frozen=True)
class Run:
    """A script of an assignment with its settings, its figures (put below each other), and how to read its curves."""

    command: str
    figures: dict[str, tuple[str, ...]]
    data: str = ""  # the data set, where a curve belongs to one
    curves: Callable[[Path], dict[str, list[float]]] | None = None


def history(*keys: str, labels: tuple[str, ...] = ()) -> Callable[[Path], dict[str, list[float]]]:
    """The curves of these names in history.json, under other labels if there are any."""

    def read(out: Path) -> dict[str, list[float]]:
        found = json.loads((out / "history.json").read_text(encoding="utf-8"))
        found = found.get("history", found)
        return {label: found[key] for key, label in zip(keys, labels or keys, strict=True)}

    return read


def averaged(name: str, every: int) -> Callable[[Path], dict[str, list[float]]]:
    """The curves of a file of losses at each step, averaged over so many steps."""

    def read(out: Path) -> dict[str, list[float]]:
        found = json.loads((out / name).read_text(encoding="utf-8"))
        starts = range(0, max(map(len, found.values())), every)
        parts = {label: [values[i : i + every] for i in starts if values[i:]] for label, values in found.items()}
        return {label: [sum(part) / len(part) for part in chunks] for label, chunks in parts.items()}

    return read


SMALL = "--data digits_rgb --batch-size 32 --device cpu"
NARROW = "--width 32 --learning-rate 1e-3 --device cpu"
RUNS_OF = {
    "vae_ddpm_cfg": {
        "vae": Run(
            "q1_train_vae.py --device cpu",
            {"vae_results.png": ("reconstructions.png", "samples.png")},
            "mnist",
            history("train", "valid", labels=("training", "validation")),
        ),
        "ddpm": Run(
            f"q2_trainer_ddpm.py {NARROW} --epochs 7 --sample-every 7",
            {"ddpm_results.png": ("samples_epoch_*.png",)},
            "mnist",
            history("loss"),
        ),
        "cfg": Run(
            f"q3_trainer_cfg.py {NARROW} --n-steps 400 --n-samples 20 --epochs 2",
            {"cfg_results.png": ("guidance.png",)},
            "mnist",
            history("loss"),
        ),
    },
    "vae_gan_ddpm": {
        "vae": Run(
            f"train_vae.py {SMALL} --epochs 30 --sample-every 30",
            {"vae_results.png": ("reconstructions.png",)},
            "digits_rgb",
            history("negative ELBO", "KL divergence"),
        ),
        "gan": Run(
            f"train_gan.py {SMALL} --epochs 40 --features 32 --sample-every 40",
            {"gan_results.png": ("interpolation.png",)},
            "digits_rgb",
            history("discriminator", "generator"),
        ),
        "ddpm": Run(
            f"train_ddpm.py {SMALL} --epochs 80 --width 32 --timesteps 500 --lr 1e-3 --sample-every 80",
            {"ddpm_results.png": ("denoising.png",)},
        ),
    },
    "vae_gan_flows": {
        "flows": Run("train.py --target arcs", {"flow_results.png": ("data_arcs_densities.png",)}),
    },
    "ddim_score": {
        "sprites": Run(
            "train_sprites.py --data drawn_sprites --width 32 --epochs 12 --device cpu",
            {"sprites_results.png": ("samples_ddpm.png", "samples_ddim.png")},
            "drawn_sprites",
            history("training loss"),
        ),
        "score": Run(
            "train_score.py --student 123456789",
            {"score_results.png": ("score_many_sigmas.png",)},
            curves=averaged("losses.json", 50),
        ),
    },
}


def make(slug: str, name: str, data_root: str) -> None:
    """Train the reference on one core, and write its figures and its curves."""
    run = RUNS_OF[slug][name]
    script, *options = shlex.split(run.command)
    solutions, given, out = ROOT / "solutions" / slug, ROOT / "assignment" / slug, RUNS / slug / name
    if not (out / "complete").exists():
        path = solutions / script if (solutions / script).exists() else given / script
        more = ["--data-root", data_root] if "score.py" not in script and script != "train.py" else []
        paths = os.pathsep.join(map(str, (solutions, given, ROOT)))
        # Safe path: not the script's own folder comes first, where the stubs lie, but the solutions.
        pictures.run([path, *options, "--out", out, *more], PYTHONPATH=paths, PYTHONSAFEPATH="1", OMP_NUM_THREADS="1")
        (out / "complete").touch()
    folder = given / "figures"
    folder.mkdir(exist_ok=True)
    for target, patterns in run.figures.items():
        pictures.save_png(folder / target, *(sorted(out.glob(pattern))[-1] for pattern in patterns))
    if run.curves:
        file = folder / "curves.json"
        curves = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        values = {label: [float(f"{v:.4g}") for v in values] for label, values in run.curves(out).items()}
        curves[name] = {"command": f"python {run.command}", "data": run.data, "curves": values}
        file.write_text(json.dumps(dict(sorted(curves.items())), indent=1) + "\n", encoding="utf-8")


def main() -> int:
    known = [f"{slug}/{name}" for slug, runs in RUNS_OF.items() for name in runs]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="FIGURE", help=f"default: all. diagrams {' '.join(known)}")
    parser.add_argument("--data-root", default="data", help="folder of MNIST and binarized MNIST")
    arguments = parser.parse_args()
    names = arguments.names or ["diagrams", *known]
    if unknown := set(names) - {"diagrams", *known}:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are: diagrams {' '.join(known)}")
    for name in names:
        started = time.monotonic()
        if name == "diagrams":
            import diagrams

            diagrams.main()
        else:
            make(*name.split("/"), arguments.data_root)
        print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
