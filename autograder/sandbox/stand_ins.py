"""What stands in for something else during a look: for earlier exercises (`replaced`), models and helpers (probes).

Imported on both sides of the border, so nothing in this file is secret: no formula of an exercise stands here, only
simple maps that a test can follow. The trainers' probes are deterministic and write down what they were called with.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, _get_current_function_mode_stack
from torch.utils._device import DeviceContext


@contextmanager
def replaced(module: Any, replacing: Mapping[str, Callable], others: Sequence[Any] = ()) -> Iterator[None]:
    """Stand-ins in the place of "function" or "Class.method", for the time of a with block.

    A function is replaced wherever the module or one of `others` holds it; a method also where its class lacks it.
    """
    saved = []
    for name, substitute in replacing.items():
        owner_name, _, attribute = name.rpartition(".")
        owners = [getattr(module, owner_name, None)] if owner_name else [module, *others]
        for owner in owners:
            if hasattr(owner, attribute) or (owner_name and owner is not None):
                saved.append((owner, attribute, vars(owner).get(attribute)))
                setattr(owner, attribute, substitute)
                with suppress(AttributeError):  # no function
                    substitute.__qualname__ = name  # what Python says of a wrong call
    try:
        yield
    finally:
        for owner, attribute, value in reversed(saved):
            if value is None:  # inherited, or not there
                delattr(owner, attribute)
            else:
                setattr(owner, attribute, value)


def called(name: str) -> Callable[[type], type]:
    """A class in the place of another bears that one's name in what Python says of a wrong call."""

    def renamed(kind: type) -> type:
        for attribute, method in list(vars(kind).items()):
            if callable(method) and hasattr(method, "__qualname__"):
                method.__qualname__ = f"{name}.{attribute}"
        return kind

    return renamed


class Args(SimpleNamespace):
    """A trainer's configuration with every key that real classes use, as args.n_steps and as args["n_steps"]."""

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)

    def get(self, name: str, default: Any = None) -> Any:
        return getattr(self, name, default)


def trainer_args(**changes: Any) -> Args:
    """Args for a tiny run; `changes` override."""
    values = {
        "n_steps": 6, "n_samples": 9, "image_size": 8, "image_channels": 1, "n_classes": 10, "cfg_scale": 3.0,
        "device": "cpu", "learning_rate": 1e-3, "batch_size": 4, "epochs": 1, "num_workers": 0, "seed": 0,
        "nb_save": 5, "sample_every": 1, "show_every_n_samples": 10, "p_uncond": 0.15, "fp16_precision": False,
        "data": "digits", "data_root": ".", "dataset": "MNIST", "MNIST_path": ".", "out": ".", "width": 8,
        "log_dir": ".", "save_dir": ".", "checkpoint_path": ".", "resume": False, "max_minutes": 0.0, "max_steps": 0,
    }  # fmt: skip
    return Args(**values | changes)


def build_trainer(module: Any, args: Args, eps_model: nn.Module, diffusion: Any) -> Any:
    """The module's Trainer, around probes.

    Its optimizer is never used here, but the first one that a process makes imports torch._dynamo, which takes a
    second: the wrapper that does so is taken off.
    """
    optimizer = torch.optim.Optimizer
    wrapped = optimizer.add_param_group
    setattr(optimizer, "add_param_group", getattr(wrapped, "__wrapped__", wrapped))  # noqa: B010  (it is a method)
    return module.Trainer(args, eps_model, diffusion)


# ---------------------------------------------------------------- another device

FACTORIES = {
    "randn", "rand", "randint", "randperm", "normal", "zeros", "ones", "full", "empty", "arange", "linspace", "eye",
    "tensor", "as_tensor",
}  # fmt: skip
MOVES = {"cuda", "type_as", "copy_", "__setitem__"}


class Devices(TorchFunctionMode):
    """Follows tensors that are made without a device (strays): where all else is on a GPU, they would be on the CPU.

    mixed: whether one of them met other tensors, as no GPU allows; numbers () and indices may.
    """

    def __init__(self) -> None:
        super().__init__()
        self.mixed = False

    def __torch_function__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        value, name = function(*args, **kwargs), getattr(function, "__name__", "")
        given = [*args, *kwargs.values()]
        tensors = [v for item in given for v in (item if isinstance(item, tuple | list) else [item])]
        tensors = [v for v in tensors if isinstance(v, Tensor)]
        if name == "__getitem__":  # an index may be on the CPU
            tensors = tensors[:1]
        strays = {is_stray(v) for v in tensors if v.dim()} or {is_stray(v) for v in tensors}
        moved = names_device(name, args, kwargs)
        self.mixed = self.mixed or (not moved and len(strays) == 2)
        made = name in FACTORIES and not tensors and not default_device()
        for result in value if isinstance(value, tuple | list) else [value]:
            if isinstance(result, Tensor):
                vars(result)["stray"] = not moved and (made or strays == {True})
        return value


def names_device(name: str, args: tuple, kwargs: dict) -> bool:
    """Whether a call says on which device its result is."""
    if name == "to":  # x.to(torch.long) says nothing about devices
        return any(isinstance(v, str | int | torch.device | Tensor) for v in [*args[1:], *kwargs.values()])
    return name in MOVES or kwargs.get("device") is not None


def default_device() -> bool:
    """Whether torch.set_default_device, or a with block, says where new tensors are made."""
    return any(isinstance(mode, DeviceContext) for mode in _get_current_function_mode_stack())


def is_stray(tensor: Any) -> bool:
    return getattr(tensor, "stray", False) is True


def ignores_device(run: Callable[[], Any], seen: Callable[[], Sequence[Any]] = tuple) -> bool:
    """Whether `run` mixes tensors made without a device with others, returns one, or hands one over (`seen`)."""
    with Devices() as devices:
        value = run()
        return devices.mixed or is_stray(value) or any(map(is_stray, seen()))


# ---------------------------------------------------------------- DDPM


@called("UNet")
class Ones(nn.Module):
    """eps_model(x, t) of a DDPM trainer: predicts 1 in every pixel, times a parameter that stays 1."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return self.one * torch.ones_like(x)


@called("DenoiseDiffusion")
class RecordedReverseSteps:
    """A diffusion_model for DDPM trainers: the mean of a reverse step is a known affine map of x that depends on t.

    p_sample adds no noise, so that a path can be followed; p_xt_prev_xt gives a variance, for code that adds it itself.

    times, inputs: what each step got as t and xt.  variances: that of each step, 0 for p_sample.
    draws: numbers that each step drew from torch's generator: alike where it is seeded again for every step.
    """

    def __init__(self, eps_model: nn.Module, n_steps: int, device: str = "cpu"):
        self.eps_model, self.n_steps, self.device = eps_model, n_steps, device
        self.beta = torch.linspace(0.1, 0.5, n_steps)
        self.alpha = 1 - self.beta
        self.alpha_bar = torch.cumprod(self.alpha, dim=0)
        self.sigma2 = 0.01 + 0.01 * torch.arange(n_steps)
        self.times: list[Tensor] = []
        self.inputs: list[Tensor] = []
        self.variances: list[Tensor] = []
        self.draws: list[Tensor] = []

    def gather(self, c: Tensor, t: Tensor) -> Tensor:
        return c.gather(-1, t).reshape(-1, 1, 1, 1)

    def p_xt_prev_xt(self, xt: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        t = torch.as_tensor(t)
        self.times.append(t.clone())
        self.inputs.append(xt.clone())
        self.draws.append(torch.rand(3))
        scale, shift = affine(t)
        self.variances.append(0.01 + 0.01 * t.reshape(-1, 1, 1, 1).float())
        return scale * xt + shift * self.eps_model(xt, t), self.variances[-1].clone()

    def p_sample(self, xt: Tensor, t: Tensor, set_seed: bool = False) -> Tensor:
        if set_seed:
            torch.manual_seed(42)
        mean, variance = self.p_xt_prev_xt(xt, t)
        self.variances[-1] = torch.zeros_like(variance)
        return mean

    def q_xt_x0(self, x0: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        return -x0, torch.ones(x0.shape[0], 1, 1, 1)

    def q_sample(self, x0: Tensor, t: Tensor, eps: Tensor | None = None) -> Tensor:
        return -x0 + (torch.randn_like(x0) if eps is None else eps)


def affine(t: Tensor) -> tuple[Tensor, Tensor]:
    """Scale and shift of RecordedReverseSteps at times t, (B, 1, 1, 1) each; the steps do not commute."""
    t = t.reshape(-1, 1, 1, 1).float()
    return 1 + 0.3 * torch.cos(t), 0.5 * torch.sin(2 * t + 1)


def after_step(x: Tensor, t: Tensor) -> Tensor:
    """What RecordedReverseSteps makes of x at time t."""
    scale, shift = affine(t)
    return scale * x + shift


def asked_anew(*arguments: Sequence[Any]) -> list[list[Any]]:
    """The calls of a function, as a sequence of values for each argument, without those that repeat the one before."""

    def same(a: Any, b: Any) -> bool:
        if isinstance(a, Tensor) and isinstance(b, Tensor):
            return a.dtype == b.dtype and torch.equal(a, b)
        return type(a) is type(b) and a == b

    count = min(map(len, arguments))
    anew = [i for i in range(count) if i == 0 or not all(same(values[i - 1], values[i]) for values in arguments)]
    return [[values[i] for i in anew] for values in arguments]


def in_parts(images: Sequence[Tensor], whole: int, times: Sequence[Tensor] = ()) -> list[list[int]]:
    """Which calls belong together, where a batch of `whole` images was taken in parts: their indices.

    Either each step goes through the parts, or each part goes through all steps, which begin at the first time. Calls
    for all images stand alone, and so does whatever fits neither: a test says what is wrong with it.
    """
    size = [len(x) if x.dim() else 0 for x in images]
    alone = [[index] for index in range(len(size))]
    if not size or not 0 < size[0] < whole:
        return alone
    time = [t.flatten()[:1].tolist() for t in times] or [[]] * len(size)
    groups: list[list[int]] = []
    held = 0  # by the last of them
    for index in range(len(size)):
        if groups and time[groups[-1][0]] == time[index] and held < whole:
            groups[-1].append(index)
        else:
            groups.append([index])
            held = 0
        held += size[index]
    if any(len(group) == 1 for group in groups):
        begins = [index for index in range(len(size)) if time[index] == time[0]]
        steps = begins[1] if len(begins) > 1 else len(size)
        groups = [list(range(start, len(size), steps)) for start in range(steps)]
    return groups if all(sum(size[i] for i in group) == whole for group in groups) else alone


def together(groups: list[list[int]], records: Sequence[Any]) -> list[Any]:
    """What was written down of each call, as if parts had been taken at once; numbers are those of the first part."""
    joined = []
    for group in groups:
        first = records[group[0]]
        apart = len(group) == 1 or not isinstance(first, Tensor) or first.dim() == 0
        joined.append(first if apart else torch.cat([records[index] for index in group]))
    return joined


# ---------------------------------------------------------------- classifier-free guidance


@called("UNet")
class LabelOrNot(nn.Module):
    """eps_model(z, labels) with one simple map of z for each label, and another one without; `inputs` are the z."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Parameter(torch.ones(()))
        self.inputs: list[Tensor] = []

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        if not self.inputs or not torch.equal(self.inputs[-1], z):  # two predictions for each z
            self.inputs.append(z.clone())
        return self.one * predicted_noise(z, labels)


def predicted_noise(z: Tensor, labels: Tensor | None) -> Tensor:
    if labels is None:
        return 0.5 - 0.2 * z
    return 0.3 * z + 0.2 * (labels.reshape(-1, 1, 1, 1).to(z.dtype) + 1)


@called("CFGDiffusion")
class RecordedGuidedSteps:
    """A diffusion_model for guided sampling: every level and the mean of every step is a simple known map.

    p_sample adds no noise, so that a path can be followed; all variances are VARIANCE, for code that adds it itself.

    steps: what each reverse step got, as (z, lambda, lambda', x).  variances: that of each step, 0 for p_sample.
    draws: numbers that each step drew from torch's generator: alike where it is seeded again for every step.
    """

    lambda_min, lambda_max = -20, 20

    def __init__(self, eps_model: nn.Module, n_steps: int, device: str = "cpu"):
        self.eps_model, self.n_steps, self.device = eps_model, n_steps, device
        self.steps: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
        self.variances: list[float] = []
        self.draws: list[Tensor] = []

    def get_exp_ratio(self, l: Tensor, l_prim: Tensor) -> Tensor:
        return torch.exp(l - l_prim)

    def get_lambda(self, t: Tensor) -> Tensor:
        return 3 - 0.5 * torch.as_tensor(t).reshape(-1, 1, 1, 1).float()

    def alpha_lambda(self, lambda_t: Tensor) -> Tensor:
        return 0.7 + 0.05 * lambda_t

    def sigma_lambda(self, lambda_t: Tensor) -> Tensor:
        return 0.6 - 0.1 * lambda_t

    def sigma_q(self, lambda_t: Tensor, lambda_t_prim: Tensor) -> Tensor:
        return torch.full_like(lambda_t, VARIANCE**0.5)

    def sigma_q_x(self, lambda_t: Tensor, lambda_t_prim: Tensor) -> Tensor:
        return torch.full_like(lambda_t, VARIANCE**0.5)

    def var_p_theta(self, lambda_t: Tensor, lambda_t_prim: Tensor, v: float = 0.3) -> Tensor:
        return torch.full_like(lambda_t, VARIANCE)

    def mu_p_theta(self, z_lambda_t: Tensor, x: Tensor, lambda_t: Tensor, lambda_t_prim: Tensor) -> Tensor:
        self.steps.append((z_lambda_t.clone(), lambda_t.clone(), lambda_t_prim.clone(), x.clone()))
        self.variances.append(VARIANCE)
        self.draws.append(torch.rand(3))
        return after_guided_step(z_lambda_t, lambda_t, lambda_t_prim, x)

    def p_sample(
        self, z_lambda_t: Tensor, lambda_t: Tensor, lambda_t_prim: Tensor, x_t: Tensor, set_seed: bool = False
    ) -> Tensor:
        if set_seed:
            torch.manual_seed(42)
        mean = self.mu_p_theta(z_lambda_t, x_t, lambda_t, lambda_t_prim)
        self.variances[-1] = 0.0
        return mean

    def q_sample(self, x: Tensor, lambda_t: Tensor, noise: Tensor) -> Tensor:
        return -x + noise


VARIANCE = 0.04  # of a RecordedGuidedSteps' step


def after_guided_step(z: Tensor, lambda_t: Tensor, lambda_t_prim: Tensor, x: Tensor) -> Tensor:
    """What RecordedGuidedSteps makes of z."""
    return 0.6 * z + 0.3 * x + 0.1 * (lambda_t_prim - 2 * lambda_t)


# ---------------------------------------------------------------- predictions for a loss


@called("UNet")
class Answers(nn.Module):
    """eps_model(z, labels) of a loss: answers[label] in every pixel, without labels answers[-1].

    inputs, labels: what it was asked.  The answer is multiplied by a parameter, 1, so that it has a gradient.
    """

    def __init__(self, answers: list[float]):
        super().__init__()
        self.one = nn.Parameter(torch.ones(()))
        self.answers = torch.tensor(answers)
        self.inputs: list[Tensor] = []
        self.labels: list[Tensor | None] = []

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        self.inputs.append(z.detach().clone())
        self.labels.append(None if labels is None else torch.as_tensor(labels).clone())
        answer = self.answers[-1:] if labels is None else self.answers[labels]
        return self.one * answer.reshape(-1, 1, 1, 1).to(z.dtype).expand(z.shape)

    def seen(self) -> Tensor | None:
        """All z, as if they had come in one batch."""
        alike = len({z.shape[1:] for z in self.inputs}) == 1
        return torch.cat(self.inputs) if alike else None


# ---------------------------------------------------------------- training


class Descent:
    """Plain gradient descent with an optimizer's interface. (The first torch.optim in a process takes a second.)"""

    def __init__(self, parameters: Iterable[Tensor], lr: float = 0.1):
        self.param_groups: list[dict[str, Any]] = [{"params": list(parameters), "lr": lr}]
        self.state: dict = {}

    def zero_grad(self, set_to_none: bool = True) -> None:
        for parameter in self.param_groups[0]["params"]:
            parameter.grad = None

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """As torch's optimizers: a closure computes the loss and its gradients anew, and its value comes back."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self.move()
        return loss

    @torch.no_grad()
    def move(self) -> None:
        for parameter in self.param_groups[0]["params"]:
            if parameter.grad is not None:
                parameter -= self.param_groups[0]["lr"] * parameter.grad
