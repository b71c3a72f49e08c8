"""How good are the samples? Frechet distances and classes, by a small classifier that was trained on the same data.

    python benchmarks/sample_quality.py --data-root data               everything; hours on one core, see below
    python benchmarks/sample_quality.py --data-root data --minutes 30  begins nothing new after half an hour
    python benchmarks/sample_quality.py --only colour                  VAE, GAN and DDPM on coloured digits: no download
    python benchmarks/sample_quality.py --quick --output build/x.md    tiny sizes: does it all run?

Work that is done is kept in --runs (checkpoints, results.json) and not done again; a training that was interrupted goes
on. After each piece docs/samples.md and its pictures are written anew, with what was measured and what was not.
"""

import argparse
import contextlib
import io
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import machine
import torch
import training_loops as loops
from torch import Tensor, nn

import data_loaders
import training
from data_loaders import ResidentDataset

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.append(str(REPOSITORY / "docs"))

from figures import save_png  # noqa: E402

EPOCHS, SCALES, DDIM_STEPS, LEGIBLE = (1, 5, 20), (0.0, 1.0, 3.0, 6.0), (10, 50, 100, 1000), 0.9
COLOUR_EPOCHS = (5, 20, 80)
samplers = loops.Modules("ddim_score", "ddpm_ddim", "compare_samplers")


@dataclass(frozen=True)
class Sizes:
    """How much of everything."""

    samples: int  # images for one distance
    batch: int  # of them drawn at once
    classifier_epochs: dict[str, int]
    train_images: int | None = None  # of MNIST; None: all
    timesteps: int = 500  # of the colour DDPM
    guided_steps: int = 100  # of guided sampling: the network reads the level off the image, so any number will do
    width: int = 32  # of the U-Nets


FULL = Sizes(500, 125, {"mnist": 3, "digits_rgb": 40})
QUICK = Sizes(20, 10, {"mnist": 1, "digits_rgb": 1}, train_images=256, timesteps=4, guided_steps=4, width=8)


class Classifier(nn.Module):
    """Images (B, C, 32, 32) in [0, 1] -> logits (B, 10); features (B, 64) come before the last layer."""

    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(64 * 16, 64), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(64, 10)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.body(images))


class Study:
    """All work on one folder of runs: results by name, one after another."""

    def __init__(self, runs: Path, data_root: str, sizes: Sizes, epochs: tuple[int, ...], colour: tuple[int, ...]):
        self.runs, self.data_root, self.sizes, self.epochs, self.colour = runs, data_root, sizes, epochs, colour
        runs.mkdir(parents=True, exist_ok=True)
        self.file = runs / "results.json"
        self.results = self.saved()

    def saved(self) -> dict[str, dict]:
        return json.loads(self.file.read_text()) if self.file.exists() else {}

    def work(self) -> dict[str, Callable[[], dict]]:
        """{name: what gives its result}, in the order in which it is done: the cheapest and most telling first."""
        todo: dict[str, Callable[[], dict]] = {"colour classifier": lambda: self.trained_classifier("digits_rgb")}
        for epochs in self.colour:
            for kind in ("vae", "gan", "ddpm"):
                todo[f"colour {kind} {epochs}"] = lambda kind=kind, epochs=epochs: self.colour_model(kind, epochs)
        todo["mnist classifier"] = lambda: self.trained_classifier("mnist")
        for epochs in self.epochs:
            todo[f"mnist ddpm {epochs}"] = lambda epochs=epochs: self.trained("ddpm", epochs)
            todo[f"mnist cfg {epochs}"] = lambda epochs=epochs: self.trained("cfg", epochs)
            for steps in DDIM_STEPS[1:2] if epochs != self.epochs[-1] else DDIM_STEPS:
                todo[f"mnist ddim {epochs} {steps}"] = lambda epochs=epochs, steps=steps: self.ddim(epochs, steps)
            for scale in SCALES:
                todo[f"mnist guided {epochs} {scale:g}"] = lambda epochs=epochs, scale=scale: self.guided(epochs, scale)
        todo[f"mnist ancestral {self.epochs[-1]}"] = lambda: self.ancestral(self.epochs[-1])  # a thousand steps
        return todo

    def run(self, only: str, minutes: float, after_each: Callable[[], None]) -> None:
        """Do what is not done yet, and begins with `only`; begin nothing new after so many minutes (0: no limit)."""
        started = time.monotonic()
        for name, function in self.work().items():
            if name in self.results or not name.startswith(only):
                continue
            left = 60 * minutes - (time.monotonic() - started) if minutes else float("inf")
            if left < 0:
                return
            self.seconds_left, since = left, time.process_time()
            print(f"{name} ...", end="", flush=True)
            result = function()
            if not result:
                print(" interrupted: the time is over; the same command goes on")
                return
            result["cpu seconds"] = round(time.process_time() - since)
            self.results = self.saved() | {name: result}  # what a second process has done meanwhile is kept
            part = self.file.with_suffix(".part")
            part.write_text(json.dumps(self.results, indent=1))
            os.replace(part, self.file)
            print(" " + ", ".join(f"{key} {value}" for key, value in result.items()), flush=True)
            after_each()

    # ------------------------------------------------------------ the judge

    def images(self, data: str, split: str) -> ResidentDataset:
        """In [0, 1], 32 x 32."""
        found = data_loaders.load(data, split, root=self.data_root, image_size=32, download=False)
        most = self.sizes.train_images if data == "mnist" else None
        return ResidentDataset(*found[:most]) if most else found

    def classifier(self, data: str) -> Classifier:
        model = Classifier(1 if data == "mnist" else 3)
        saved = training.load_checkpoint(self.runs / f"classifier_{data}.pt")
        if saved is None:
            raise training.TrainingError(f"the classifier of {data} comes first: run without --only.")
        model.load_state_dict(saved["model"])
        return model.eval()

    def trained_classifier(self, data: str) -> dict:
        torch.manual_seed(0)
        train, test, epochs = self.images(data, "train"), self.images(data, "test"), self.sizes.classifier_epochs[data]
        model = Classifier(train.images.shape[1])
        training.Precision("cpu").inside(model.body)
        steps = epochs * len(train.batches(64))
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, fused=True)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
        for _ in range(epochs):
            for x, labels in train.batches(64, shuffle=True):
                shift = tuple(torch.randint(-2, 3, (2,)).tolist())  # a little to the side: features that do not mind
                loss = nn.functional.cross_entropy(model(x.roll(shift, dims=(2, 3))), labels)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                schedule.step()
        model.eval()
        training.save_checkpoint(self.runs / f"classifier_{data}.pt", model=model)
        right = (self.logits(model, test.images).argmax(1) == test.labels).float().mean()
        count = min(self.sizes.samples, len(test))
        real = self.judged(data, test.images[:count], None)
        return {"right": round(float(right), 4), "distance of real test images": real["distance"], "count": count} | {
            "legible": real["legible"]
        }

    @torch.inference_mode()
    def logits(self, model: Classifier, images: Tensor) -> Tensor:
        return torch.cat([model(part) for part in images.split(500)])

    @torch.inference_mode()
    def judged(self, data: str, images: Tensor, asked: Tensor | None) -> dict:
        """Distance to the training images, legible share and, where classes were asked for, the share that is right."""
        model = self.classifier(data)
        moments, distance = samplers.compare_samplers.moments, samplers.compare_samplers.frechet_distance
        real = moments(model.body, self.images(data, "train").images.split(500))
        probability = self.logits(model, images).softmax(1)
        result = {
            "distance": round(distance(*real, *moments(model.body, images.split(500))), 2),
            "legible": round(float((probability.max(1).values > LEGIBLE).float().mean()), 3),
        }
        if asked is not None:
            result["right"] = round(float((probability.argmax(1) == asked).float().mean()), 3)
        return result

    def keep(self, name: str, data: str, images: Tensor, asked: Tensor | None = None) -> dict:
        """The verdict on samples in [0, 1], the first of which are kept for the pictures."""
        (self.runs / "samples").mkdir(exist_ok=True)
        torch.save((images[:100] * 255).round().to(torch.uint8), self.runs / "samples" / f"{name}.pt")
        return self.judged(data, images, asked) | {"count": len(images)}

    def drawn(self, draw: Callable[[int], Tensor]) -> Tensor:
        """Samples in [0, 1], from draw(number) (number, C, H, W) in [-1, 1]."""
        torch.manual_seed(1)
        size, batch = self.sizes.samples, self.sizes.batch
        with torch.inference_mode(), training.Precision("cpu").autocast():
            parts = [draw(min(batch, size - start)).float() for start in range(0, size, batch)]
        return torch.cat(parts).clamp(-1, 1) / 2 + 0.5

    # ------------------------------------------------------------ colour data: VAE, GAN, DDPM

    def colour_model(self, kind: str, epochs: int) -> dict:
        script = getattr(loops.svhn, f"train_{kind}")
        config = script.Config(
            data="digits_rgb",
            device="cpu",
            epochs=epochs,
            batch_size=32,
            resume=True,
            out=str(self.runs / f"colour_{kind}"),
        )
        if kind == "gan":
            config = replace(config, features=32)
        if kind == "ddpm":
            config = replace(config, width=self.sizes.width, timesteps=self.sizes.timesteps, lr=1e-3)
        parts, history = trained_parts(script, config)
        if kind == "vae":
            draw = parts["model"].eval().sample
        elif kind == "gan":
            generator = parts["generator"].eval()
            draw = lambda count: script.sample(generator, num_samples=count)  # noqa: E731
        else:
            parts["average"].apply()
            network, schedule = parts["model"].eval(), script.precompute(config.timesteps)
            draw = lambda count: script.p_sample_loop(schedule, network, shape=(count, 3, 32, 32))[-1]  # noqa: E731
        images = self.drawn(draw)
        losses = {name: round(values[-1], 4) for name, values in history.items()}
        return self.keep(f"colour_{kind}_{epochs}", "digits_rgb", images) | {"checker": checkerboard(images)} | losses

    # ------------------------------------------------------------ MNIST: DDPM and guidance

    def trainer(self, kind: str):
        """The reference's trainer with a new network, which writes no figures."""
        utils = loops.q2_utils if kind == "ddpm" else loops.q3_utils
        args = replace(
            utils.args.Args(), data_root=self.data_root, device="cpu", width=self.sizes.width, learning_rate=1e-3,
            resume=True, out=str(self.runs / f"mnist_{kind}"),
        )  # fmt: skip
        torch.manual_seed(args.seed)
        if kind == "ddpm":
            network = utils.unet.UNet(1, args.width)
            trainer = loops.mnist.q2_trainer_ddpm.Trainer(
                args, network, loops.mnist.q2_ddpm.DenoiseDiffusion(network, args.n_steps, "cpu")
            )
        else:
            network = utils.unet.UNet(1, args.width, args.n_classes)
            trainer = loops.mnist.q3_trainer_cfg.Trainer(
                args, network, loops.mnist.q3_cfg_diffusion.CFGDiffusion(network, args.n_steps, "cpu")
            )
        trainer.save_samples = trainer.save_final_figures = lambda *_: None
        return trainer

    def trained(self, kind: str, epochs: int) -> dict:
        """Train on to that epoch, in pieces of some minutes with a checkpoint after each; {} when the time is over."""
        data = self.images("mnist", "train")
        started = time.monotonic()
        out = self.runs / f"mnist_{kind}"
        while True:
            trainer = self.trainer(kind)
            steps = epochs * len(data.batches(trainer.args.batch_size, drop_last=True))
            saved = training.load_checkpoint(out / "checkpoint.pt")
            if saved and saved["step"] >= steps:
                break
            if time.monotonic() - started > self.seconds_left:
                return {}
            trainer.args = replace(trainer.args, epochs=epochs, max_minutes=15.0)
            with contextlib.redirect_stdout(io.StringIO()):
                loops.mnist_fit.fit.fit(trainer, data)
        training.save_checkpoint(out / f"epoch_{epochs:02}.pt", average=saved["average"])
        return {
            "loss": round(saved["history"]["loss"][-1], 2) if saved["history"]["loss"] else None,
            "steps": saved["step"],
        }

    def network(self, kind: str, epochs: int):
        """The trainer with the averaged weights of that epoch."""
        trainer = self.trainer(kind)
        saved = training.load_checkpoint(self.runs / f"mnist_{kind}" / f"epoch_{epochs:02}.pt")
        average = training.MovingAverage(trainer.eps_model)
        average.load_state_dict(saved["average"])
        average.apply()
        training.Compiler("on" if self.sizes is FULL else "off", "cpu", trainer.eps_model)  # hours of sampling
        trainer.eps_model.eval()
        return trainer

    def ddim(self, epochs: int, steps: int) -> dict:
        trainer = self.network("ddpm", epochs)
        T, module = trainer.args.n_steps, samplers.ddpm_ddim
        schedule = module.Schedule(*module.linear_schedule(timesteps=T, beta1=1e-4, beta2=0.02))
        model = lambda x, t: trainer.eps_model(x, (t * T).round())  # noqa: E731
        draw = lambda count: module.sample_ddim(model, schedule, (count, 1, 32, 32), n_steps=steps)  # noqa: E731
        return self.keep(f"mnist_ddim_{epochs}_{steps}", "mnist", self.drawn(draw))

    def ancestral(self, epochs: int) -> dict:
        trainer = self.network("ddpm", epochs)

        def draw(count: int) -> Tensor:
            trainer.args = replace(trainer.args, n_samples=count)
            return trainer.sample()

        return self.keep(f"mnist_ancestral_{epochs}", "mnist", self.drawn(draw))

    def guided(self, epochs: int, scale: float) -> dict:
        trainer = self.network("cfg", epochs)
        steps = self.sizes.guided_steps
        trainer.diffusion.n_steps = steps
        asked = torch.arange(self.sizes.samples) % 10
        labels = iter(asked.split(self.sizes.batch))

        def draw(count: int) -> Tensor:
            trainer.args = replace(trainer.args, n_samples=count, n_steps=steps)
            return (loops.paired(trainer) if scale else trainer).sample(next(labels), cfg_scale=scale)

        return self.keep(f"mnist_guided_{epochs}_{scale:g}", "mnist", self.drawn(draw), asked)


def trained_parts(script, config) -> tuple[dict, dict]:
    """What a script of vae_gan_ddpm trains (networks, optimizers), and its history; without its figures."""

    class Done(Exception):
        pass

    def take(config, images, parts, step, draw_samples, compiler=None):
        history = real(config, images, parts, step, lambda path, title: None, compiler)
        raise Done(parts, history)

    real, loops.svhn.fit.fit = loops.svhn.fit.fit, take
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            script.train(config)
    except Done as done:
        return done.args
    finally:
        loops.svhn.fit.fit = real
    raise AssertionError("the script did not call fit.fit")


def checkerboard(images: Tensor) -> float:
    """How far whole images (N, C, H, W) in [0, 1] alternate from pixel to pixel, in thousandths; grain adds nothing."""
    a, b, c, d = (images[..., i::2, j::2] for i in (0, 1) for j in (0, 1))
    return round(1000 * float(((a - b - c + d) / 4).mean(dim=(2, 3)).square().mean().sqrt()), 1)


# ---------------------------------------------------------------- the page


def write_page(study: Study, output: Path, pictures: Path | None = None) -> None:
    """docs/samples.md and its pictures (in that folder, if there is one), from what has been measured so far."""
    made = draw_pictures(study, pictures)
    results, done = study.results, [name for name in study.work() if name in study.results]
    missing = [name for name in study.work() if name not in study.results]
    sizes = study.sizes
    lines = [
        "# How good the samples are",
        "",
        "Written by `python benchmarks/sample_quality.py --data-root path/to/data`: change the script, not this page.",
        machine.describe().splitlines()[0] + ".",
        f"U-Nets of width {sizes.width} with learning rate 1e-3, otherwise the handouts' settings (coloured digits:",
        f"batches of 32, a GAN of 32 features, a DDPM with T = {sizes.timesteps}). The seed of training is 0, that of",
        f"sampling 1; {sizes.samples} samples for each row, by the moving average of the weights where there is one;",
        f"guided ones by {sizes.guided_steps} steps.",
        "",
        "- **distance**: the Frechet distance between the features of real and sampled images, the 64 numbers before",
        "  the last layer of a small classifier that was trained on the same data. As FID, with another network:",
        "  compare only within a table. Other people wrote MNIST's test digits than those for training, to which the",
        "  distance is; so samples can be nearer than real test digits are.",
        f"- **legible**: the share of images to which the classifier gives a class with a probability above {LEGIBLE}.",
        "- **right**: the share of guided samples that the classifier gives the class they were asked for.",
        "- **checker**: how far whole images alternate from pixel to pixel, in thousandths of the range.",
        "",
    ]
    for data, title in (("mnist", "MNIST"), ("colour", "Coloured digits (`digits_rgb`)")):
        rows = [name for name in done if name.startswith(data) and "distance" in results[name]]
        judge = results.get(f"{data} classifier")
        lines += [f"## {title}", ""]
        if judge:
            real = f"{judge['count']} of them have the distance {judge['distance of real test images']:g}"
            lines += [f"The classifier is right on {100 * judge['right']:.1f} % of the test images; {real} and are"]
            lines += [f"legible to {100 * judge['legible']:.0f} %.", ""]
        lines += trainings(results) if data == "mnist" else []
        if rows:
            keys = ["distance", "legible", "right"] if data == "mnist" else ["distance", "legible", "checker"]
            lines += [f"| samples | {' | '.join(keys)} |", "| --- |" + " --- |" * len(keys)]
            for name in rows:
                values = (shown(key, results[name].get(key)) for key in keys)
                lines.append(f"| {described(name)} | {' | '.join(values)} |")
            lines.append("")
        else:
            lines += ["Not measured yet.", ""]
        for path, (group, alt) in made.items():
            if group == data:
                lines += [f"![{alt}]({Path(os.path.relpath(path, output.parent)).as_posix()})", ""]
    if missing:
        lines += [
            "## What has not been run",
            "",
            "The same command goes on with it: " + "; ".join(described(name) for name in missing) + ".",
            "",
        ]
    part = output.with_name(f"{output.name}.part")
    output.parent.mkdir(parents=True, exist_ok=True)
    part.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    os.replace(part, output)


def trainings(results: dict[str, dict]) -> list[str]:
    """What the MNIST models cost, and how far their losses fell."""
    lines = []
    for kind, model in (("ddpm", "the DDPM"), ("cfg", "the DDPM with labels")):
        steps, minutes = [], 0.0
        for name, result in results.items():
            if name.startswith(f"mnist {kind} ") and "loss" in result:
                minutes += result["cpu seconds"] / 60
                steps.append(f"{name.split()[-1]} ({minutes:.0f} min; {result['loss']:.1f})")
        if steps:
            lines += [f"Training {model} on one core, to epoch (so many minutes; loss): {', '.join(steps)}.", ""]
    return lines


def described(name: str) -> str:
    """mnist guided 5 3 -> words."""
    data, kind, *numbers = name.split()
    after = f"after {numbers[0]} epoch{'s' if numbers[0] != '1' else ''}" if numbers else ""
    words = {
        "classifier": f"the classifier of {data}",
        "vae": f"VAE {after}",
        "gan": f"GAN {after}",
        "ddpm": f"DDPM {after}" if data == "colour" else f"training of the DDPM to epoch {numbers and numbers[0]}",
        "cfg": f"training with labels to epoch {numbers and numbers[0]}",
        "ancestral": f"DDPM {after}, 1000 steps",
        "ddim": f"DDPM {after}, DDIM with {numbers and numbers[-1]} steps",
        "guided": f"guidance {after}, w = {numbers and numbers[-1]}",
    }
    return words[kind]


def shown(key: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{100 * value:.0f} %" if key in ("legible", "right") else f"{value:.4g}"


def draw_pictures(study: Study, folder: Path | None) -> dict[Path, tuple[str, str]]:
    """Small multiples, what each model draws after so many epochs; {path: (data, what it shows)} of those there are.

    Into that folder; None: where handouts and docs show them.
    """
    last = study.epochs[-1]
    pictures = {
        "assignment/vae_gan_ddpm/figures/epochs.png": (
            "colour",
            "Coloured digits: model, epochs of training",
            {f"{kind.upper()}, {e}": f"colour_{kind}_{e}" for kind in ("vae", "gan", "ddpm") for e in study.colour},
        ),
        "assignment/vae_ddpm_cfg/figures/epochs.png": (
            "mnist",
            "MNIST: model, epochs of training (DDPM: by DDIM, 50 steps; guided: w = 3, classes 0 to 9)",
            {f"DDPM, {e}": f"mnist_ddim_{e}_50" for e in study.epochs}
            | {f"guided, {e}": f"mnist_guided_{e}_3" for e in study.epochs},
        ),
        "docs/measured/guidance.png": (
            "mnist",
            f"Guidance after {last} epochs, by its strength; classes 0 to 9",
            {f"w = {w:g}": f"mnist_guided_{last}_{w:g}" for w in SCALES},
        ),
        "docs/measured/ddim.png": (
            "mnist",
            f"One DDPM after {last} epochs: DDIM with so many steps, from the same noise",
            {f"{n} steps": f"mnist_ddim_{last}_{n}" for n in DDIM_STEPS},
        ),
    }
    made, columns = {}, 10
    for name, (data, title, rows) in pictures.items():
        kept = {label: study.runs / "samples" / f"{row}.pt" for label, row in rows.items()}
        there = {label: torch.load(path)[:columns].float() / 255 for label, path in kept.items() if path.exists()}
        if there:
            path = folder / name.replace("/", "-") if folder else REPOSITORY / name
            training.save_grid(torch.cat(list(there.values())), path, columns, title=title, row_labels=list(there))
            save_png(path, path)  # smaller
            made[path] = (data, title)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", default="data", help="folder of MNIST")
    parser.add_argument("--runs", type=Path, default=REPOSITORY / "runs" / "samples", help="where work is kept")
    parser.add_argument("--only", default="", help="what begins like that: colour, mnist, mnist ddpm, ...")
    parser.add_argument("--minutes", type=float, default=0.0, help="begin nothing new after so many; 0: no limit")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--quick", action="store_true", help="tiny sizes: does it all run? Give another --output")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "docs" / "samples.md", help="the page")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    training.tune_cpu()
    sizes = QUICK if arguments.quick else FULL
    study = Study(
        arguments.runs, arguments.data_root, sizes, (1, 2) if arguments.quick else EPOCHS,
        (1, 2) if arguments.quick else COLOUR_EPOCHS,
    )  # fmt: skip
    pictures = arguments.output.parent if arguments.quick else None
    study.run(arguments.only, arguments.minutes, lambda: write_page(study, arguments.output, pictures))
    write_page(study, arguments.output, pictures)
    print(f"written: {arguments.output}")


if __name__ == "__main__":
    main()
