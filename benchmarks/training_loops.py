"""The training scripts' loops against the usual loop, for every model of the assignments: time and loss curves.

    python benchmarks/training_loops.py --data-root data
    python benchmarks/training_loops.py --only "VAE, MNIST" --seconds 5

    usual      a torchvision-style data set that makes a tensor of a PIL image for each item, a DataLoader, plain Adam,
               loss.item() in each step, float32
    ours       this repository's: the tensors stay in memory and are served by index, fused Adam, no .item(), bf16
               inside the networks where the processor has it, and freed memory is kept (training.tune_cpu)
    compiled   the same with the network compiled, as scripts do by themselves where a run is long enough

All take the assignments' own training steps and get the same batches, the same noise, and the same model from the same
seed; their loss curves are compared and drawn (--picture). They take turns within one run, each in a process of its
own, so that a busy machine slows down all of them: compare the ratio, not the milliseconds. Then the VAE's gain again,
one change after another.
"""

import argparse
import contextlib
import copy
import functools
import importlib
import io
import itertools
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import machine
import torch
import torchvision
import turns
from PIL import Image
from torch import Tensor
from torchvision.transforms import Compose, Normalize, ToTensor

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

import data_loaders  # noqa: E402
import training  # noqa: E402
from data_loaders import ResidentDataset  # noqa: E402

UNET_CLAIM, VAE_CLAIM, LEAST_CLAIM, CURVE_CLAIM = 1.4, 2.5, 1.0, 0.05
Step = Callable[[Tensor, Tensor], Tensor]  # a batch and its labels -> the loss; moves the parameters once

Clock = Callable[[], float]  # seconds
Run = Callable[[int, int], tuple[float, list[float]]]  # steps, number of the turn -> milliseconds a step, losses
DEVICE = torch.device("cpu")  # benchmarks/gpu.py sets another one


@dataclass(frozen=True)
class Way:
    """How a model is trained."""

    resident: bool
    fused: bool
    item: bool
    precision: str
    tuned: bool = False  # training.tune_cpu
    compiled: bool = False


USUAL = Way(resident=False, fused=False, item=True, precision="float32")
OURS = Way(resident=True, fused=True, item=False, precision="auto", tuned=True)
COMPILED = replace(OURS, compiled=True)


@dataclass
class Model:
    """What is trained."""

    name: str
    load: Callable[[], ResidentDataset]  # as the training script holds it
    batch_size: int
    start: Callable[[Way], Step]  # builds the network anew, from a seed
    is_unet: bool = False

    @functools.cached_property
    def data(self) -> ResidentDataset:
        return self.load()

    @functools.cached_property
    def resident(self) -> ResidentDataset:
        return self.data.to(DEVICE)


@dataclass
class Result:
    """Of one way to train a model."""

    milliseconds: list[float] = field(default_factory=list)  # for one step, in each turn
    losses: list[float] = field(default_factory=list)  # of all steps of all turns

    @property
    def median(self) -> float:
        return statistics.median(self.milliseconds)

    def end(self) -> float:
        """The mean loss of the last third."""
        return statistics.fmean(self.losses[-max(1, len(self.losses) // 3) :])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument(
        "--data-root", default="data", help="folder of MNIST; without it, the embedded digits are taken"
    )
    parser.add_argument("--rounds", type=int, default=5, help="turns of each loop")
    parser.add_argument("--seconds", type=float, default=2.0, help="about how long a turn takes")
    parser.add_argument("--width", type=int, default=32, help="of the U-Nets")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="for all loops")
    parser.add_argument("--only", default="", metavar="NAME", help="models whose names begin like that")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True, help="the U-Nets too")
    parser.add_argument("--picture", default="", metavar="PNG", help="draw the loss curves on top of each other")
    parser.add_argument(
        "--cpu-time", action="store_true", help="the processor's time; with --threads 1, on busy machines"
    )
    arguments = parser.parse_args()
    print(f"{machine.describe()}, torchvision {torchvision.__version__}, {arguments.threads} threads")
    print(f"ours: {training.Precision('cpu')}")
    of = " of the processor" if arguments.cpu_time else ""
    print(
        f"{arguments.rounds} turns of about {arguments.seconds:g} s for each loop; medians of milliseconds a step{of}"
    )
    print("end: the mean loss of the last third; differs: by how much that of ours, and of compiled, differ from it\n")
    head = f"{'model':<28}{'batch':>6}{'steps':>7}{'usual ms':>10}{'ours ms':>9}{'ratio':>7}{'compiled ms':>13}"
    print(f"{head}{'ratio':>7}{'end':>9}{'differs %':>15}", flush=True)
    every = [model for model in models(arguments.data_root, arguments.width) if model.name.startswith(arguments.only)]
    found: dict[str, dict[str, Result]] = {}
    for model in every:
        ways = {"usual": USUAL, "ours": OURS}
        if model.is_unet and arguments.compile and not training.compiling.why_not(DEVICE):
            ways["compiled"] = COMPILED
        with contextlib.ExitStack() as stack:
            runs = {name: stack.enter_context(in_own_process(arguments, model.name, way)) for name, way in ways.items()}
            steps, found[model.name] = take_turns(runs, arguments.rounds, arguments.seconds)
        print(line(model, steps, found[model.name]), flush=True)
    if arguments.picture:
        draw_curves(found, Path(arguments.picture))
    if every and every[0].start is vae:
        one_after_another(arguments, every[0].name)
    print()
    for claim in claims(every, found):
        print(claim)


def line(model: Model, steps: int, results: dict[str, Result]) -> str:
    usual, ours, compiled = results["usual"], results["ours"], results.get("compiled")
    text = f"{model.name:<28}{model.batch_size:6}{steps:7}{usual.median:10.2f}{ours.median:9.2f}"
    text += f"{usual.median / ours.median:7.2f}"
    text += f"{compiled.median:13.2f}{usual.median / compiled.median:7.2f}" if compiled else f"{'':20}"
    return text + f"{usual.end():9.4g}" + f"{' '.join(f'{100 * d:+.1f}' for d in differences(results)):>15}"


def differences(results: dict[str, Result]) -> list[float]:
    """By what share the loss at the end differs from the usual loop's, for each other way."""
    usual = results["usual"].end()
    return [(result.end() - usual) / abs(usual) for name, result in results.items() if name != "usual"]


def claims(models: list[Model], found: dict[str, dict[str, Result]]) -> Iterator[str]:
    """The sentences that the document quotes, each with what was measured."""
    best = {
        name: results["usual"].median / min(result.median for key, result in results.items() if key != "usual")
        for name, results in found.items()
    }
    unets, first = [model for model in models if model.is_unet], [model for model in models if model.start is vae]
    groups = (
        (UNET_CLAIM, f"every U-Net trains at least {UNET_CLAIM} times as fast as with the usual loop", unets),
        (VAE_CLAIM, f"the VAE of question 1 trains at least {VAE_CLAIM} times as fast as with the usual loop", first),
        (LEAST_CLAIM, "no model trains slower than with the usual loop", models),
    )
    for least, text, members in groups:
        if not members:
            continue
        slowest = min(members, key=lambda model: best[model.name])
        verdict = "it holds" if best[slowest.name] >= least else "it DOES NOT HOLD"
        yield f"claim: {text}; measured: {best[slowest.name]:.2f} or more ({slowest.name}); {verdict}"
    largest = max((abs(d) for results in found.values() for d in differences(results)), default=0.0)
    verdict = "it holds" if largest <= CURVE_CLAIM else "it DOES NOT HOLD"
    yield (
        f"claim: loss curves of fast and usual loops end within {CURVE_CLAIM:.0%} of each other; "
        f"measured: {largest:.1%}; {verdict}"
    )


def one_after_another(arguments, name: str) -> None:
    """What each change of the loop gains, on top of those before; for the VAE of question 1."""
    resident, fused = replace(USUAL, resident=True), replace(USUAL, resident=True, fused=True)
    ways = {
        "usual loop, log p(x|z) as a formula": USUAL,
        "+ resident data": resident,
        "+ log p(x|z) by binary_cross_entropy": resident,
        "+ fused Adam": fused,
        "+ no .item() in each step": replace(fused, item=False),
        "+ bf16 in the layers": replace(OURS, tuned=False),
        "+ freed memory is kept": OURS,
    }
    with contextlib.ExitStack() as stack:
        runs = {
            text: stack.enter_context(in_own_process(arguments, name, way, number < 2))
            for number, (text, way) in enumerate(ways.items())
        }
        steps, results = take_turns(runs, arguments.rounds, arguments.seconds)
    print(f"\n{name}, one change after another ({steps} steps)\n")
    print(f"{'':<40}{'ms':>8}{'gain':>7}{'all in all':>12}")
    medians = [result.median for result in results.values()]
    for name, before, now in zip(ways, [medians[0], *medians], medians, strict=False):
        print(f"{name:<40}{now:8.2f}{before / now:7.2f}{medians[0] / now:12.2f}", flush=True)
    print("On a CPU .item() waits for nothing; on a GPU it waits for all that is queued.")


def draw_curves(found: dict[str, dict[str, Result]], path: Path) -> None:
    """The curves of all ways on top of each other, a panel for each model."""
    from matplotlib.figure import Figure

    columns = 3
    rows = -(-len(found) // columns)
    figure = Figure(figsize=(3.4 * columns, 2.5 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flatten()
    styles = {"usual": ("black", 2.6), "ours": ("tab:orange", 1.2), "compiled": ("tab:blue", 0.7)}
    for axes, (name, results) in zip(panels, found.items(), strict=False):
        for way, result in results.items():
            every = max(1, len(result.losses) // 60)
            chunks = [result.losses[i : i + every] for i in range(0, len(result.losses) - every + 1, every)]
            colour, width = styles[way]
            steps = [every * (i + 0.5) for i in range(len(chunks))]
            axes.plot(steps, [statistics.fmean(chunk) for chunk in chunks], color=colour, linewidth=width, label=way)
        axes.set_title(name, fontsize=9)
        axes.tick_params(labelsize=7)
        axes.grid(alpha=0.3)
        if "likelihood" not in name and min(results["usual"].losses) > 0:
            axes.set_yscale("log")
    for axes in panels[len(found) :]:
        axes.set_visible(False)
    panels[0].legend(fontsize=8)
    figure.supxlabel("training steps (the same batches and noise for all)", fontsize=9)
    figure.supylabel("loss", fontsize=9)
    training.save_figure(figure, path)


# ---------------------------------------------------------------- the loops


def in_own_process(arguments, name: str, way: Way, by_formula: bool = False) -> turns.OwnProcess:
    a = arguments
    return turns.OwnProcess(started, a.data_root, a.width, a.threads, a.cpu_time, name, way, by_formula)


def started(data_root: str, width: int, threads: int, cpu_time: bool, name: str, way: Way, by_formula: bool) -> Run:
    """The model of that name, in a process of this way's own."""
    clock = prepared(threads, way.tuned, cpu_time)
    model = next(model for model in models(data_root, width) if model.name == name)
    if by_formula:
        model = replace(model, start=lambda way: vae(way, log_likelihood_by_formula))
    return runner(model, way, clock)


def prepared(threads: int, tuned: bool, cpu_time: bool) -> Clock:
    """Set up the process of a way; the clock to time it by."""
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # for the usual way too: else it would be as slow as its numbers are small
    if tuned:
        training.tune_cpu()
    return time.process_time if cpu_time else time.perf_counter


def stepping(model: Model, way: Way) -> Step:
    """The model from its seed, to be trained by that way."""
    torch.manual_seed(0)
    with contextlib.nullcontext() if way.fused else plain_adam():
        return model.start(way)


def runner(model: Model, way: Way, clock: Clock) -> Run:
    return functools.partial(run, model, way, stepping(model, way), clock)


def take_turns(runs: dict[str, Run], rounds: int, seconds: float) -> tuple[int, dict[str, Result]]:
    """Train in turns of about so many seconds, each time in another order; the number of steps in a turn, results."""
    results = {name: Result() for name in runs}
    for one in runs.values():  # the first steps are slow: code is loaded, or compiled; they do not count
        one(3, 0)
    milliseconds = [one(8, 0)[0] for one in runs.values()]  # all take the same steps
    steps = max(2, round(1000 * seconds / milliseconds[1]))
    for number in range(1, rounds + 1):
        for name in list(runs)[:: 1 if number % 2 else -1]:
            one, losses = runs[name](steps, number)
            results[name].milliseconds.append(one)
            results[name].losses += losses
    return steps, results


def run(model: Model, way: Way, step: Step, clock: Clock, steps: int, number: int) -> tuple[float, list[float]]:
    """Milliseconds a step of turn `number`, and its losses."""
    batches = iter((resident_batches if way.resident else usual_batches)(model, steps, number))
    torch.manual_seed(number)  # all draw the same noise
    losses = []
    begun = clock()
    for x, labels in batches:
        loss = step(x.to(DEVICE), labels.to(DEVICE))
        losses.append(loss.item() if way.item else loss)
    float(losses[-1])
    return 1000 * (clock() - begun) / steps, [float(loss) for loss in losses]


def resident_batches(model: Model, steps: int, number: int) -> Iterator:
    order = torch.Generator().manual_seed(number)
    passes = itertools.repeat(model.resident.batches(model.batch_size, shuffle=True, generator=order, drop_last=True))
    return itertools.islice(itertools.chain.from_iterable(passes), steps)


def usual_batches(model: Model, steps: int, number: int) -> Iterator:
    """The same batches, by a DataLoader."""
    order, count = torch.Generator().manual_seed(number), len(model.data)
    full = count // model.batch_size * model.batch_size
    passes = -(-steps * model.batch_size // full)
    chosen = torch.cat([torch.randperm(count, generator=order)[:full] for _ in range(passes)])
    sampler = chosen[: steps * model.batch_size].tolist()
    return torch.utils.data.DataLoader(PerItem(model.data), model.batch_size, sampler=sampler)


class PerItem(torch.utils.data.Dataset):
    """As torchvision's data sets do it: bytes, of which each item becomes a PIL image, then a tensor.

    Grey images and their labels are in tensors, as in its MNIST; those with colours in arrays, as in its SVHN.
    """

    def __init__(self, data: ResidentDataset):
        self.labels, self.items = data.labels, data.images
        self.is_image, self.is_grey = data.images.ndim == 4, data.images.shape[1] == 1
        if self.is_image:
            signed = float(data.images.min()) < 0
            images = (data.images + 1) / 2 if signed else data.images
            self.items = (images * 255).round().to(torch.uint8).permute(0, 2, 3, 1).squeeze(3)
            if not self.is_grey:
                self.items, self.labels = self.items.contiguous().numpy(), self.labels.numpy()
            self.transform = Compose([ToTensor(), *([Normalize(0.5, 0.5)] if signed else [])])

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        item, label = self.items[index], int(self.labels[index])
        if not self.is_image:
            return item, label
        return self.transform(Image.fromarray(item.numpy() if self.is_grey else item)), label


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


def models(data_root: str, width: int, unet_batch: int = 32) -> list[Model]:
    """All of them; the VAE of question 1 comes first."""
    grey_name, grey = "MNIST", functools.partial(load, "mnist", data_root)
    try:
        data_loaders.load("mnist", "test", root=data_root, download=False)
    except data_loaders.DataError:
        grey_name, grey = "digits", functools.partial(load, "digits")
    padded, colour, sprites = functools.partial(grey, image_size=32), signed("digits_rgb"), signed("drawn_sprites")
    return [
        Model(f"VAE, {grey_name}", grey, 128, vae),
        Model(f"DDPM, {grey_name}", padded, unet_batch, lambda way: ddpm(way, width), is_unet=True),
        Model(
            f"DDPM with guidance, {grey_name}", padded, unet_batch, lambda way: guided_ddpm(way, width), is_unet=True
        ),
        Model("VAE, colour digits", colour, 128, lambda way: of_script(way, svhn.train_vae)),
        Model("GAN, colour digits", colour, 128, lambda way: of_script(way, svhn.train_gan)),
        Model(
            "DDPM, colour digits",
            colour,
            unet_batch,
            lambda way: of_script(way, svhn.train_ddpm, width=width),
            is_unet=True,
        ),
        Model(f"VAE, binarized {grey_name}", lambda: binarized(grey()), 64, binary_vae),
        Model("planar flow, k = 8", points, 128, planar_flow),
        Model("DDPM, drawn sprites", sprites, unet_batch, lambda way: sprites_ddpm(way, width), is_unet=True),
    ]


def load(name: str, root: str = "data", **options) -> ResidentDataset:
    """Training data, rounded to the 256 values that a PIL image can have."""
    data = data_loaders.load(name, "train", root=root, download=False, **options)
    return ResidentDataset((data.images * 255).round() / 255, data.labels)


def signed(name: str) -> Callable[[], ResidentDataset]:
    """In [-1, 1], as networks of colour images have them."""

    def loaded() -> ResidentDataset:
        data = load(name)
        return ResidentDataset(2 * data.images - 1, data.labels)

    return loaded


def binarized(data: ResidentDataset) -> ResidentDataset:
    return ResidentDataset(data.images.round(), data.labels)


def points() -> ResidentDataset:
    """Of the flow's two arcs."""
    found = planar.flow.data_arcs(200_000)
    return ResidentDataset(found, torch.zeros(len(found)))


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
mnist_fit = Modules("vae_ddpm_cfg", "ddpm_utils.fit")
q2_utils = Modules("vae_ddpm_cfg", "ddpm_utils.unet", "ddpm_utils.args")
q3_utils = Modules("vae_ddpm_cfg", "cfg_utils.unet", "cfg_utils.args", "cfg_utils.paired")
svhn = Modules("vae_gan_ddpm", "fit", "train_vae", "train_gan", "train_ddpm")
planar = Modules("vae_gan_flows", "flow", "train", "train_vae")
ddim = Modules("ddim_score", "train_sprites", "ddpm_ddim", "unet")


def descend(loss: Tensor, optimizer: torch.optim.Optimizer) -> Tensor:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    return loss.detach()


def vae(way: Way, log_likelihood: Callable | None = None) -> Step:
    script = mnist.q1_train_vae
    original = script.log_likelihood_bernoulli
    model = script.VAE().to(DEVICE)
    small_precision(way).inside(model.encoder, model.decoder)
    optimizer = torch.optim.Adam(model.parameters(), lr=script.Config.lr, fused=True)

    def step(x, labels):
        script.log_likelihood_bernoulli = log_likelihood or original
        recon, mu, logvar = model(x)
        loss = script.loss_function(recon, x, mu, logvar) / len(x)
        script.log_likelihood_bernoulli = original
        return descend(loss, optimizer)

    return step


def small_precision(way: Way) -> training.Precision:
    """Of the two small VAEs, as their scripts have it."""
    return training.Precision(DEVICE, way.precision if DEVICE.type == "cpu" else "float32")


def log_likelihood_by_formula(mu: Tensor, target: Tensor) -> Tensor:
    """Equation (11) as it is usually typed."""
    return (target * torch.log(mu + 1e-8) + (1 - target) * torch.log(1 - mu + 1e-8)).sum(dim=1)


def network_of(way: Way, network: torch.nn.Module) -> torch.nn.Module:
    return training.placed(network, DEVICE) if way.resident else network.to(DEVICE)


def ddpm(way: Way, width: int) -> Step:
    args = replace(q2_utils.args.Args(), device=DEVICE, width=width)
    network = network_of(way, q2_utils.unet.UNet(args.image_channels, width))
    diffusion = mnist.q2_ddpm.DenoiseDiffusion(network, args.n_steps, args.device)
    return of_trainer(way, mnist.q2_trainer_ddpm.Trainer(args, network, diffusion))


def guided_ddpm(way: Way, width: int) -> Step:
    args = replace(q3_utils.args.Args(), device=DEVICE, width=width)
    network = network_of(way, q3_utils.unet.UNet(args.image_channels, width, args.n_classes))
    diffusion = mnist.q3_cfg_diffusion.CFGDiffusion(network, args.n_steps, args.device)
    return of_trainer(way, mnist.q3_trainer_cfg.Trainer(args, network, diffusion))


def paired(trainer):
    """As the trainer's own paired(), whose import finds nothing from here."""
    twin = copy.copy(trainer)
    twin.eps_model = q3_utils.paired.PairedPasses(trainer.eps_model)
    return twin


def of_trainer(way: Way, trainer) -> Step:
    precision = training.Precision(trainer.args.device, way.precision)
    training.Compiler("on" if way.compiled else "off", trainer.args.device, trainer.eps_model)
    return lambda x, labels: next(trainer.train_one_epoch([(x, labels)], precision))


def of_script(way: Way, script, **settings) -> Step:
    """The step of a training script whose train() hands it to fit.fit()."""

    class Found(Exception):
        pass

    def take(config, images, parts, step, draw_samples, compiler=None):
        if way.compiled:
            compiler.compile()
        raise Found(step)

    fit, svhn.fit.fit = svhn.fit.fit, take
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            script.train(script.Config(data="digits_rgb", device=str(DEVICE), precision=way.precision, **settings))
    except Found as found:
        step = found.args[0]
        return lambda x, labels: sum(loss.detach() for loss in step(x).values())
    finally:
        svhn.fit.fit = fit


def binary_vae(way: Way) -> Step:
    script = planar.train_vae
    model = script.VAE().to(DEVICE)
    small_precision(way).inside(model.encoder, model.decoder)
    optimizer = torch.optim.Adam(model.parameters(), lr=script.Config.lr, fused=True)
    return lambda x, labels: descend(-script.elbo(model, x).mean(), optimizer)


def planar_flow(way: Way) -> Step:
    """Ours: on one thread, as train.py does it."""
    flow = planar.flow.Flow(2, 8, invertible=True).to(DEVICE)
    optimizer = torch.optim.RMSprop(flow.parameters(), lr=planar.train.Config.lr)

    def step(x, labels):
        with training.one_thread() if way.resident else contextlib.nullcontext():
            return descend(planar.train.likelihood_loss(flow, x), optimizer)

    return step


def sprites_ddpm(way: Way, width: int) -> Step:
    config = ddim.train_sprites.Config()
    schedule = ddim.train_sprites.make_schedule(config, DEVICE)
    network = network_of(way, ddim.unet.UNet(3, width))
    training.Precision(DEVICE, way.precision).inside(network)
    training.Compiler("on" if way.compiled else "off", DEVICE, network)
    optimizer = torch.optim.Adam(network.parameters(), lr=config.lr, fused=True)
    return lambda x, labels: ddim.ddpm_ddim.train_step(network, optimizer, x, schedule)


if __name__ == "__main__":
    main()
