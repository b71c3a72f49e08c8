"""Data resident in memory against the usual loop, for every model of the assignments.

    python benchmarks/training_loops.py --data-root data
    python benchmarks/training_loops.py --only "VAE, MNIST" --seconds 5

    usual   a torchvision-style data set that makes a tensor of a PIL image for each item, a DataLoader, plain Adam,
            loss.item() in each step
    ours    this repository's: the tensors stay in memory and are served by index, fused Adam, no .item()

Both loops take the assignments' own training steps, and get the same batches, the same model from the same seed and as
many steps (the first loss is compared). They take turns within one run, so that a busy machine slows down both: compare
the ratio, not the milliseconds. Then the VAE's gain again, one change after another.
"""

import argparse
import contextlib
import importlib
import itertools
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import machine
import torch
import torchvision
from PIL import Image
from torch import Tensor
from torchvision.transforms import Compose, Normalize, ToTensor

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

import data_loaders  # noqa: E402
import training  # noqa: E402
from data_loaders import ResidentDataset  # noqa: E402

CLAIM = 1.5
Step = Callable[[Tensor, Tensor], Tensor]  # a batch and its labels -> the loss; moves the parameters once


@dataclass
class Model:
    """What is trained."""

    name: str
    data: ResidentDataset  # as the training script holds it
    batch_size: int
    start: Callable[[], Step]  # builds the network anew, from a seed


@dataclass(frozen=True)
class Way:
    """How it is trained."""

    resident: bool
    fused: bool
    item: bool


USUAL, OURS = Way(resident=False, fused=False, item=True), Way(resident=True, fused=True, item=False)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument(
        "--data-root", default="data", help="folder of MNIST; without it, the embedded digits are taken"
    )
    parser.add_argument("--rounds", type=int, default=5, help="turns of each loop")
    parser.add_argument("--seconds", type=float, default=1.5, help="about how long a turn takes")
    parser.add_argument("--width", type=int, default=32, help="of the U-Nets")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="for both loops")
    parser.add_argument("--only", default="", metavar="NAME", help="models whose names begin like that")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)  # as all training scripts do

    print(f"{machine.describe()}, torchvision {torchvision.__version__}, {arguments.threads} threads")
    print(f"{arguments.rounds} turns of about {arguments.seconds:g} s for each loop; medians of milliseconds a step\n")
    every = models(arguments.data_root, arguments.width)
    print(f"{'model':<28}{'batch':>6}{'steps':>7}{'usual ms':>10}{'ours ms':>9}{'ratio':>7}", flush=True)
    ratios = {}
    for model in every:
        if not model.name.startswith(arguments.only):
            continue
        ways = {"usual": (USUAL, model.start), "ours": (OURS, model.start)}
        steps, (usual, ours) = milliseconds(model, ways, arguments.rounds, arguments.seconds)
        ratios[model.name] = usual / ours
        note = "   nothing gained: the network dominates" if ratios[model.name] < 1.1 else ""
        note = "   slower" if ratios[model.name] < 0.9 else note
        print(
            f"{model.name:<28}{model.batch_size:6}{steps:7}{usual:10.2f}{ours:9.2f}{usual / ours:7.2f}{note}",
            flush=True,
        )

    first = every[0]
    if first.name in ratios:
        one_after_another(first, arguments.rounds, arguments.seconds)
        holds = ratios[first.name] >= CLAIM
        print(
            f"\nclaim: {first.name}: resident data train it at least {CLAIM} times as fast as the usual loop; ", end=""
        )
        print(f"measured: {ratios[first.name]:.2f}; it {'holds' if holds else 'DOES NOT HOLD'}")


def one_after_another(model: Model, rounds: int, seconds: float) -> None:
    """What each change of the loop gains, on top of those before; for the VAE of question 1."""
    formula = lambda: vae(log_likelihood_by_formula)  # noqa: E731
    ways = {
        "usual loop, log p(x|z) as a formula": (USUAL, formula),
        "+ resident data": (replace(USUAL, resident=True), formula),
        "+ log p(x|z) by binary_cross_entropy": (replace(USUAL, resident=True), model.start),
        "+ fused Adam": (replace(OURS, item=True), model.start),
        "+ no .item() in each step": (OURS, model.start),
    }
    steps, found = milliseconds(model, ways, rounds, seconds)
    print(f"\n{model.name}, one change after another ({steps} steps)\n")
    print(f"{'':<40}{'ms':>8}{'gain':>7}{'all in all':>12}")
    for name, before, now in zip(ways, [found[0], *found], found, strict=False):
        print(f"{name:<40}{now:8.2f}{before / now:7.2f}{found[0] / now:12.2f}", flush=True)
    print("On a CPU .item() waits for nothing; on a GPU it waits for all that is queued.")


# ---------------------------------------------------------------- the loops


def milliseconds(model: Model, ways: dict[str, tuple[Way, Callable]], rounds: int, seconds: float) -> tuple:
    """The number of steps, and the medians of milliseconds a step for each way, in turns."""
    last = list(ways.values())[-1]
    timed(model, *last, steps=1)  # the first one ever is slow
    steps = 1
    while (trial := timed(model, *last, steps)[0]) * steps < 200:
        steps *= 2
    steps = max(2, round(1000 * seconds / trial))
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        losses = []
        for name, (way, start) in ways.items():
            one, loss = timed(model, way, start, steps)
            times[name].append(one)
            losses.append(loss)
        assert max(losses) - min(losses) <= 1e-3 * abs(losses[0]), f"{model.name}: the loops differ: {losses}"
    return steps, [statistics.median(column) for column in times.values()]


def timed(model: Model, way: Way, start: Callable[[], Step], steps: int) -> tuple[float, float]:
    """Milliseconds a step, and the loss of the first one."""
    torch.manual_seed(0)
    with contextlib.nullcontext() if way.fused else plain_adam():
        step = start()
    batches = iter((resident_batches if way.resident else usual_batches)(model, steps))
    torch.manual_seed(0)  # both loops draw the same noise
    total, first = 0.0, None
    started = time.perf_counter()
    for x, labels in batches:
        loss = step(x, labels)
        first = loss if first is None else first
        total = total + (loss.item() if way.item else loss)
    float(total)
    return 1000 * (time.perf_counter() - started) / steps, float(first)


def resident_batches(model: Model, steps: int) -> Iterator:
    order = torch.Generator().manual_seed(1)
    passes = itertools.repeat(model.data.batches(model.batch_size, shuffle=True, generator=order, drop_last=True))
    return itertools.islice(itertools.chain.from_iterable(passes), steps)


def usual_batches(model: Model, steps: int) -> Iterator:
    """The same batches, by a DataLoader."""
    order, count = torch.Generator().manual_seed(1), len(model.data)
    full = count // model.batch_size * model.batch_size
    passes = -(-steps * model.batch_size // full)
    chosen = torch.cat([torch.randperm(count, generator=order)[:full] for _ in range(passes)])
    sampler = chosen[: steps * model.batch_size].tolist()
    return torch.utils.data.DataLoader(PerItem(model.data), model.batch_size, sampler=sampler)


class PerItem(torch.utils.data.Dataset):
    """As torchvision's data sets do it: an array of bytes, of which each item becomes a PIL image, then a tensor."""

    def __init__(self, data: ResidentDataset):
        self.labels, self.items = data.labels.tolist(), data.images
        self.is_image = data.images.ndim == 4
        if self.is_image:
            signed = float(data.images.min()) < 0
            images = (data.images + 1) / 2 if signed else data.images
            self.items = (images * 255).round().to(torch.uint8).permute(0, 2, 3, 1).squeeze(3).numpy()
            self.transform = Compose([ToTensor(), *([Normalize(0.5, 0.5)] if signed else [])])

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        item = self.items[index]
        return (self.transform(Image.fromarray(item)) if self.is_image else item), self.labels[index]


@contextlib.contextmanager
def plain_adam() -> Iterator[None]:
    """Adam as most scripts have it: whoever asks for fused=True does not get it."""
    adam = torch.optim.Adam
    torch.optim.Adam = lambda *args, fused=None, **options: adam(*args, **options)
    try:
        yield
    finally:
        torch.optim.Adam = adam


# ---------------------------------------------------------------- the models


def models(data_root: str, width: int) -> list[Model]:
    """All of them; the VAE of question 1 comes first."""
    grey_name = "MNIST"
    try:
        grey, padded = load("mnist", data_root), load("mnist", data_root, image_size=32)
    except data_loaders.DataError:
        print(f"no MNIST in {data_root}: the embedded digits are in its place\n")
        grey_name, grey, padded = "digits", load("digits"), load("digits", image_size=32)
    colour, sprites = load("digits_rgb"), load("drawn_sprites")
    colour.images, sprites.images = 2 * colour.images - 1, 2 * sprites.images - 1
    binary = ResidentDataset(grey.images.round(), grey.labels)
    points = planar.flow.data_arcs(200_000)
    return [
        Model(f"VAE, {grey_name}", grey, 128, vae),
        Model(f"DDPM, {grey_name}", padded, 32, lambda: ddpm(width)),
        Model(f"DDPM with guidance, {grey_name}", padded, 32, lambda: guided_ddpm(width)),
        Model("VAE, colour digits", colour, 128, lambda: of_script(svhn.train_vae)),
        Model("GAN, colour digits", colour, 128, lambda: of_script(svhn.train_gan)),
        Model("DDPM, colour digits", colour, 32, lambda: of_script(svhn.train_ddpm, width=width)),
        Model(f"VAE, binarized {grey_name}", binary, 64, binary_vae),
        Model("planar flow, k = 8", ResidentDataset(points, torch.zeros(len(points))), 128, planar_flow),
        Model("DDPM, drawn sprites", sprites, 32, lambda: sprites_ddpm(width)),
    ]


def load(name: str, root: str = "data", **options) -> ResidentDataset:
    """Training data, rounded to the 256 values that a PIL image can have."""
    data = data_loaders.load(name, "train", root=root, download=False, **options)
    return ResidentDataset((data.images * 255).round() / 255, data.labels)


class Modules:
    """Modules of an assignment's reference, imported when they are asked for first, and all of them at once."""

    def __init__(self, slug: str, *names: str):
        self.folders = [str(REPOSITORY / room / slug) for room in ("solutions", "assignment")]
        self.names = names

    def __getattr__(self, name: str):
        sys.path[:0] = self.folders
        try:
            for each in self.names:
                setattr(self, each.rpartition(".")[2], importlib.import_module(each))
        finally:
            for folder in self.folders:
                sys.path.remove(folder)
            for each, module in list(sys.modules.items()):  # other assignments have files of the same names
                if (getattr(module, "__file__", None) or "").startswith(tuple(self.folders)):
                    del sys.modules[each]
        return self.__dict__[name]


mnist = Modules("vae_ddpm_cfg", "q1_train_vae", "q2_ddpm", "q2_trainer_ddpm", "q3_cfg_diffusion", "q3_trainer_cfg")
q2_utils = Modules("vae_ddpm_cfg", "ddpm_utils.unet", "ddpm_utils.args")
q3_utils = Modules("vae_ddpm_cfg", "cfg_utils.unet", "cfg_utils.args")
svhn = Modules("vae_gan_ddpm", "fit", "train_vae", "train_gan", "train_ddpm")
planar = Modules("vae_gan_flows", "flow", "train", "train_vae")
ddim = Modules("ddim_score", "train_sprites", "ddpm_ddim", "unet")


def descend(loss: Tensor, optimizer: torch.optim.Optimizer) -> Tensor:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    return loss.detach()


def vae(log_likelihood: Callable | None = None) -> Step:
    script = mnist.q1_train_vae
    original = script.log_likelihood_bernoulli
    model = script.VAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=script.Config.lr, fused=True)

    def step(x, labels):
        script.log_likelihood_bernoulli = log_likelihood or original
        recon, mu, logvar = model(x)
        loss = script.loss_function(recon, x, mu, logvar) / len(x)
        script.log_likelihood_bernoulli = original
        return descend(loss, optimizer)

    return step


def log_likelihood_by_formula(mu: Tensor, target: Tensor) -> Tensor:
    """Equation (11) as it is usually typed."""
    return (target * torch.log(mu + 1e-8) + (1 - target) * torch.log(1 - mu + 1e-8)).sum(dim=1)


def ddpm(width: int) -> Step:
    args = replace(q2_utils.args.Args(), device="cpu", width=width)
    network = q2_utils.unet.UNet(args.image_channels, width)
    diffusion = mnist.q2_ddpm.DenoiseDiffusion(network, args.n_steps, args.device)
    return of_trainer(mnist.q2_trainer_ddpm.Trainer(args, network, diffusion))


def guided_ddpm(width: int) -> Step:
    args = replace(q3_utils.args.Args(), device="cpu", width=width)
    network = q3_utils.unet.UNet(args.image_channels, width, args.n_classes)
    diffusion = mnist.q3_cfg_diffusion.CFGDiffusion(network, args.n_steps, args.device)
    return of_trainer(mnist.q3_trainer_cfg.Trainer(args, network, diffusion))


def of_trainer(trainer) -> Step:
    precision = training.Precision(trainer.args.device)
    return lambda x, labels: next(trainer.train_one_epoch([(x, labels)], precision))


def of_script(script, **settings) -> Step:
    """The step of a training script whose train() hands it to fit.fit()."""

    class Found(Exception):
        pass

    def take(config, images, parts, step, draw_samples):
        raise Found(step)

    fit, svhn.fit.fit = svhn.fit.fit, take
    try:
        script.train(script.Config(data="digits_rgb", device="cpu", **settings))
    except Found as found:
        step = found.args[0]
        return lambda x, labels: sum(loss.detach() for loss in step(x).values())
    finally:
        svhn.fit.fit = fit


def binary_vae() -> Step:
    script = planar.train_vae
    model = script.VAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=script.Config.lr, fused=True)
    return lambda x, labels: descend(-script.elbo(model, x).mean(), optimizer)


def planar_flow() -> Step:
    flow = planar.flow.Flow(2, 8, invertible=True)
    optimizer = torch.optim.RMSprop(flow.parameters(), lr=planar.train.Config.lr)
    return lambda x, labels: descend(planar.train.likelihood_loss(flow, x), optimizer)


def sprites_ddpm(width: int) -> Step:
    config = ddim.train_sprites.Config()
    schedule = ddim.train_sprites.make_schedule(config, torch.device("cpu"))
    network = ddim.unet.UNet(3, width)
    optimizer = torch.optim.Adam(network.parameters(), lr=config.lr, fused=True)
    return lambda x, labels: ddim.ddpm_ddim.train_step(network, optimizer, x, schedule)


if __name__ == "__main__":
    main()
