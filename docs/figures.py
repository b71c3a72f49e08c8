"""The reference solutions, trained: figures of the handouts and of docs/pictures.md, and curves. make pictures P=...

RUNS_OF names them and has their commands. What these write stays in runs/figures, so that a complete run is only
looked at again. Figures are shipped to students with the handouts that show them; notebooks draw our curves faintly
behind a student's.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUNS = ROOT / "runs" / "figures"
Figures = dict[str, tuple[str, ...]]  # a picture: what the script draws, put below each other; patterns


class PictureError(Exception):
    """A picture that could not be made; the message says why, and what to install."""


@dataclass(frozen=True)
class Run:
    """A script of an assignment with its settings, what becomes of its figures, and how to read its curves."""

    command: str
    figures: Figures = field(default_factory=dict)  # in assignment/<slug>/figures, for students
    pictures: Figures = field(default_factory=dict)  # in docs/pictures
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


SMALL = "--data digits_rgb --batch-size 32 --device cpu --epochs 80 --sample-every 80"
NARROW = "--width 32 --learning-rate 1e-3 --device cpu"
RUNS_OF = {
    "vae_ddpm_cfg/vae": Run(
        "q1_train_vae.py --device cpu",
        {"vae_results.png": ("reconstructions.png", "samples.png")},
        data="mnist",
        curves=history("train", "valid", labels=("training", "validation")),
    ),
    "vae_ddpm_cfg/ddpm": Run(
        f"q2_trainer_ddpm.py {NARROW}",
        {"ddpm_results.png": ("samples_epoch_*.png",)},
        data="mnist",
        curves=history("loss"),
    ),
    "vae_ddpm_cfg/cfg": Run(
        f"q3_trainer_cfg.py {NARROW}",
        {"cfg_results.png": ("guidance.png",)},
        data="mnist",
        curves=history("loss"),
    ),
    "vae_gan_ddpm/vae": Run(
        f"train_vae.py {SMALL}",
        {"vae_results.png": ("reconstructions.png",)},
        {"colour_vae_interpolation.png": ("interpolation.png", "reconstructions.png")},
        data="digits_rgb",
        curves=history("negative ELBO", "KL divergence"),
    ),
    "vae_gan_ddpm/gan": Run(
        f"train_gan.py {SMALL} --features 32",
        {"gan_results.png": ("interpolation.png",)},
        {"colour_gan_samples.png": ("samples.png",)},
        data="digits_rgb",
        curves=history("discriminator", "generator"),
    ),
    "vae_gan_ddpm/ddpm": Run(
        f"train_ddpm.py {SMALL} --width 32 --timesteps 500 --lr 1e-3",
        {"ddpm_results.png": ("denoising.png",)},
        {"colour_ddpm_samples.png": ("samples.png",)},
    ),
    "vae_gan_flows/flows": Run(
        "train.py --target arcs",
        {"flow_results.png": ("data_arcs_densities.png",)},
        {"flow_samples.png": ("density_arcs_samples.png",)},
    ),
    "vae_gan_flows/dirac": Run(
        "run_exp.py --config dirac-jsd --seed 1",
        pictures={
            "dirac_gan_trajectories.png": ("dirac_trajectories.png",),
            "dirac_gan_phase.png": ("dirac_phase.png",),
        },
    ),
    "ddim_score/sprites": Run(
        "train_sprites.py --data drawn_sprites --width 32 --epochs 12 --device cpu",
        {"sprites_results.png": ("samples_ddpm.png", "samples_ddim.png")},
        data="drawn_sprites",
        curves=history("training loss"),
    ),
    "ddim_score/score": Run(
        "train_score.py --student 123456789",
        {"score_results.png": ("score_many_sigmas.png",)},
        {"score_samplers.png": ("scatter.png",)},
        curves=averaged("losses.json", 50),
    ),
}


def make(name: str, data_root: str) -> list[Path]:
    """Train the reference on one core; write its figures, which are returned, and its curves.

    Raises:
        PictureError: the script failed; the message is what it said.
    """
    chosen, slug = RUNS_OF[name], name.split("/")[0]
    script, *options = shlex.split(chosen.command)
    solutions, given, out = ROOT / "solutions" / slug, ROOT / "assignment" / slug, RUNS / name
    if not (out / "complete").exists():
        path = solutions / script if (solutions / script).exists() else given / script
        more = ["--data-root", data_root] if chosen.data == "mnist" else []
        paths = os.pathsep.join(map(str, (solutions, given, ROOT)))
        # Safe path: not the script's own folder comes first, where the stubs lie, but the solutions.
        run([path, *options, "--out", out, *more], PYTHONPATH=paths, PYTHONSAFEPATH="1", OMP_NUM_THREADS="1")
        (out / "complete").touch()
    made = []
    for folder, targets in ((given / "figures", chosen.figures), (ROOT / "docs" / "pictures", chosen.pictures)):
        for target, patterns in targets.items():
            folder.mkdir(exist_ok=True)
            save_png(folder / target, *(sorted(out.glob(pattern))[-1] for pattern in patterns))
            made.append(folder / target)
    if chosen.curves:
        file = given / "figures" / "curves.json"
        curves = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        values = {label: [float(f"{v:.4g}") for v in values] for label, values in chosen.curves(out).items()}
        command = {"command": f"python {chosen.command}", "data": chosen.data, "curves": values}
        curves[name.split("/")[1]] = command
        file.write_text(json.dumps(dict(sorted(curves.items())), indent=1) + "\n", encoding="utf-8")
    return made


# ---------------------------------------------------------------- helpers, of pictures.py too


def run(arguments: list, status: int = 0, cwd: Path = ROOT, **environment: str) -> str:
    """What a Python command prints, in colours, without this machine's paths."""
    environment = {"PYTHONPATH": str(ROOT), "FORCE_COLOR": "1", "COLUMNS": "110"} | environment
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=os.environ | environment)
    if done.returncode != status:
        raise PictureError(
            f"{shlex.join(command[1:])} ended with {done.returncode}:\n{done.stdout}{done.stderr[-2000:]}"
        )
    return re.sub(r"(?<![\w.])/(?:[\w.+-]+/)+", ".../", done.stdout.replace(f"{ROOT}/", ""))


def save_png(path: Path, *figures: Path) -> None:
    """Figures below each other, at most 1300 pixels wide, in few colours."""
    from PIL import Image

    images = [Image.open(figure).convert("RGB") for figure in figures]
    whole = Image.new("RGB", (max(i.width for i in images), sum(i.height for i in images)), "white")
    for number, image in enumerate(images):
        whole.paste(image, ((whole.width - image.width) // 2, sum(i.height for i in images[:number])))
    whole.thumbnail((1300, 10_000), Image.Resampling.LANCZOS)
    few = whole.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)  # keeps small coloured things
    few.save(path, optimize=True)
