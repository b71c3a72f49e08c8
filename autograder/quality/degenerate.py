"""A third kind of wrong answer, made by rule around the reference's functions: degenerate and wrapped ones.

A *degenerate* answer is none: zeros, NaN, nothing, an echo of an argument, the right numbers in half precision. Those
that do not look at their arguments at all are *blind*: they must not earn a single test of their exercise.

A *wrapped* answer is the reference but for one habit: it seeds itself, shares noise over the batch, spoils its inputs,
is right for the first row only. It must lose points, like a mutant.

Which of them an exercise can have follows from its signature and from what happens when its hidden tests run: a wrapper
that never had an effect (there was no noise to share) does not apply there, and is not counted. Where one has an effect
that no right answer is asked about, autograder/equivalents/degenerate.toml says why, by patterns:

    ["*"]
    "*: draws more numbers" = "Nobody is promised how many numbers a function draws."
    [theory]
    "radial_collision: ..." = "..."

`python -m autograder accuracy SLUG --degenerate` grades those of one assignment.
"""

import ast
import copy
import functools
import inspect
import random
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import FunctionType
from typing import Any

import numpy
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from autograder.course import EQUIVALENTS, Assignment, load_assignment, read_toml
from autograder.grading.variants import Variant
from autograder.quality.bench import Bench, Fate, Pool, effects
from autograder.quality.mutants import functions


@dataclass(frozen=True)
class Made(Variant):
    """An answer that a rule made. `key` names it in degenerate.toml; blind ones never look at their arguments."""

    key: str = ""
    blind: bool = False


def made_answers(assignment: Assignment, module: str) -> list[Made]:
    """All degenerate and wrapped answers of one student file."""
    source = (assignment.solutions / f"{module}.py").read_text(encoding="utf-8")
    signatures = dict(functions(ast.parse(source)))
    found = []
    for spec in assignment.in_file(f"{module}.py"):
        arguments = signatures[spec.target].args
        every = [a.arg for a in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]]
        parameters = [name for name in every if name != "self"]
        count = len(arguments.defaults)
        optional = every[len(every) - count - len(arguments.kwonlyargs) :]
        for rule in RULES.values():
            chosen = {"": [""], "each": parameters, "optional": optional}[rule.per]
            for parameter in chosen:
                what = f"{rule.name} {parameter}".strip()
                name = re.sub(r"\W", "_", f"made_{spec.target}_{what}")
                owner, _, attribute = spec.target.rpartition(".")
                original = f"inspect.getattr_static({owner}, {attribute!r})" if owner else attribute
                body = (
                    "import inspect\nfrom autograder.quality import degenerate\n\n"
                    f"{name} = degenerate.wrapped({original}, {rule.name!r}, {parameter!r}, {name!r})"
                )
                sentence = f"{spec.target}: {what}"
                found.append(Made(name, spec.id, spec.target, sentence, module, body, 0, sentence, rule.blind))
    return found


def arguments_about(assignment: Assignment) -> dict[str, str]:
    """{pattern of keys: why no test can or should tell}: those of all assignments and this one's own."""
    data = read_toml(EQUIVALENTS / "degenerate.toml")
    return data.get("*", {}) | data.get(assignment.slug, {})


def argument_for(key: str, arguments: dict[str, str]) -> str | None:
    """The pattern that speaks about a key, if any."""
    return next((pattern for pattern in arguments if fnmatchcase(key, pattern)), None)


# ---------------------------------------------------------------- around a function


def wrapped(original: Any, rule: str, parameter: str, name: str) -> Any:
    """The reference's function, method, property or static method with a rule applied."""
    if isinstance(original, property):
        return property(wrapped(original.fget, rule, parameter, name))
    if isinstance(original, staticmethod | classmethod):
        return type(original)(wrapped(original.__func__, rule, parameter, name))

    memory: dict[Any, Any] = {}

    @functools.wraps(original)
    def answer(*args: Any, **kwargs: Any) -> Any:
        call = Call(original, args, kwargs, parameter, memory)
        result = RULES[rule].make(call)
        if call.effect:
            effects.add(name)
        return result

    return answer


@dataclass
class Call:
    """One call of an answer. A rule runs the original, says what it returns instead, and whether that differs."""

    original: Callable
    args: tuple
    kwargs: dict
    parameter: str
    memory: dict
    effect: bool = False

    def run(self) -> Any:
        return self.original(*self.args, **self.kwargs)

    def instead(self, right: Any, other: Any) -> Any:
        """`other` in the place of `right`."""
        self.effect = self.effect or differs(right, other)
        return other

    def unseen(self) -> Any:
        """What the original returns, without a trace: on copies, and with the generators as they were."""
        states = torch.default_generator.get_state(), numpy.random.get_state(), random.getstate()
        args, kwargs = [copied(v) for v in self.args], {key: copied(v) for key, v in self.kwargs.items()}
        try:
            return mapped(self.original(*args, **kwargs), moved_to_cpu)
        finally:
            torch.default_generator.set_state(states[0])
            numpy.random.set_state(states[1])
            random.setstate(states[2])

    def bound(self) -> dict[str, Any]:
        found = inspect.signature(self.original).bind(*self.args, **self.kwargs)
        return found.arguments

    def tensors(self) -> list[Tensor]:
        return [v for k, v in self.bound().items() if isinstance(v, Tensor) and k != "self"]


def copied(thing: Any) -> Any:
    if isinstance(thing, Tensor):
        return thing.detach().clone().requires_grad_(thing.requires_grad)
    try:
        return copy.deepcopy(thing)
    except Exception:
        return thing


def plain(value: Any) -> Any:
    return value.detach() if isinstance(value, Tensor) else value


def moved_to_cpu(value: Any) -> Any:
    """Where new tensors should lie is an argument too, and a blind answer does not look at it."""
    if isinstance(value, Tensor) and value.device.type == "meta":
        return torch.zeros(value.shape, dtype=value.dtype)
    return plain(value)


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """A value with every tensor, array and number in it changed."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(mapped(item, change) for item in value))
    if isinstance(value, tuple | list):
        return type(value)(mapped(item, change) for item in value)
    if isinstance(value, dict):
        return {key: mapped(item, change) for key, item in value.items()}
    if isinstance(value, Tensor | numpy.ndarray | float | int) and not isinstance(value, bool):
        return change(value)
    return value


def full_of(number: float) -> Callable[[Any], Any]:
    def change(value: Any) -> Any:
        if isinstance(value, Tensor):
            return torch.full_like(value, number if value.is_floating_point() else int(number))
        return numpy.full_like(value, number) if isinstance(value, numpy.ndarray) else type(value)(number)

    return change


def floats(change: Callable[[Tensor], Any]) -> Callable[[Any], Any]:
    """A change of floating point tensors only."""
    return lambda v: change(v) if isinstance(v, Tensor) and v.is_floating_point() else v


def garbage(value: Any) -> Any:
    """Other numbers of the same kind."""
    if isinstance(value, Tensor | numpy.ndarray) and "float" not in str(value.dtype):
        return value + 1 if "bool" not in str(value.dtype) else ~value
    return 1.5 * value + 0.7 if not isinstance(value, int) else value + 1


def differs(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return True
    if isinstance(one, Tensor):
        if one.device != other.device:
            return True
        same = one.dtype == other.dtype and one.shape == other.shape and one.requires_grad == other.requires_grad
        if one.device.type == "meta":  # no numbers to compare
            return not same
        return not (same and torch.equal(one.detach().nan_to_num(7.0), other.detach().nan_to_num(7.0)))
    if isinstance(one, numpy.ndarray):
        return not numpy.array_equal(one, other)
    if isinstance(one, tuple | list):
        return len(one) != len(other) or any(map(differs, one, other))
    if isinstance(one, dict):
        return one.keys() != other.keys() or any(differs(one[key], other[key]) for key in one)
    return isinstance(one, float | int | str) and one != other


# ---------------------------------------------------------------- the rules


@dataclass(frozen=True)
class Rule:
    name: str
    make: Callable[[Call], Any]
    blind: bool = False
    per: str = ""  # "each" parameter, each "optional" one, or once


RULES: dict[str, Rule] = {}


def rule(name: str, blind: bool = False, per: str = "") -> Callable:
    def mark(make: Callable[[Call], Any]) -> Callable:
        RULES[name] = Rule(name, make, blind, per)
        return make

    return mark


def instead_of_all(name: str, make: Callable[[Any], Any], blind: bool = True) -> None:
    """A rule for a value that is made from the right one, or from its shape alone where it is blind."""

    def answer(call: Call) -> Any:
        right = call.unseen() if blind else call.run()
        other = make(right)
        # What holds no numbers, such as an optimizer, has no zeros either: there the rule does not apply.
        return call.instead(right, other) if differs(right, other) or not blind else call.run()

    RULES[name] = Rule(name, answer, blind)


# Degenerate: without a look at the arguments.
instead_of_all("returns None", lambda right: None)
instead_of_all("returns nothing", lambda right: ())
instead_of_all("zeros", lambda right: mapped(right, full_of(0)))
instead_of_all("ones", lambda right: mapped(right, full_of(1)))
instead_of_all("minus ones", lambda right: mapped(right, floats(lambda t: torch.full_like(t, -1.0))))
instead_of_all("a constant", lambda right: mapped(right, floats(lambda t: torch.full_like(t, 0.37))))
instead_of_all("NaN", lambda right: mapped(right, lambda v: full_of(numpy.nan)(v) if not integral(v) else v))
instead_of_all("infinity", lambda right: mapped(right, lambda v: full_of(numpy.inf)(v) if not integral(v) else v))
instead_of_all("random numbers", lambda right: mapped(right, floats(torch.randn_like)))
instead_of_all("the number 0", lambda right: 0.0)
instead_of_all("empty tensors", lambda right: mapped(right, lambda v: v[:0] if numpy.ndim(v) else torch.ones(0)))
instead_of_all("zeros in float16", lambda right: mapped(right, floats(lambda t: torch.zeros_like(t).half())))
instead_of_all("zeros in bfloat16", lambda right: mapped(right, floats(lambda t: torch.zeros_like(t).bfloat16())))

# Wrapped: the right value in another form.
instead_of_all("in float16", lambda right: mapped(right, floats(Tensor.half)), blind=False)
instead_of_all("in bfloat16", lambda right: mapped(right, floats(Tensor.bfloat16)), blind=False)
instead_of_all("detached", lambda right: mapped(right, plain), blind=False)
instead_of_all("as Python numbers", lambda right: mapped(right, as_python), blind=False)
instead_of_all(
    "transposed", lambda right: mapped(right, floats(lambda t: t.transpose(0, 1) if t.dim() > 1 else t)), blind=False
)
instead_of_all(
    "with keepdim", lambda right: mapped(right, floats(lambda t: t.unsqueeze(-1) if t.dim() else t)), blind=False
)
instead_of_all("squeezed", lambda right: mapped(right, floats(Tensor.squeeze)), blind=False)
instead_of_all("right for the first row only", lambda right: mapped(right, floats(first_row)), blind=False)
instead_of_all("right but for the last row", lambda right: mapped(right, floats(but_the_last_row)), blind=False)


def integral(value: Any) -> bool:
    return isinstance(value, int) or (isinstance(value, Tensor | numpy.ndarray) and "float" not in str(value.dtype))


def as_python(value: Any) -> Any:
    return value if isinstance(value, float | int) else value.tolist()


def first_row(value: Tensor) -> Tensor:
    return value[:1].expand_as(value) if value.dim() and len(value) else value


def but_the_last_row(value: Tensor) -> Tensor:
    return torch.cat([value[:-1], 1.5 * value[-1:] + 0.7]) if value.dim() and len(value) > 1 else value


@rule("an echo of", blind=True, per="each")
def echo(call: Call) -> Any:
    given, right = call.bound().get(call.parameter), call.unseen()
    if isinstance(given, Tensor) and isinstance(right, Tensor) and given.numel() == right.numel():
        given = given.reshape(right.shape)
    return call.instead(right, given)


@rule("what its last callee returned")
def callee(call: Call) -> Any:
    """The stand-in's own value, where there is one."""
    returned: list[Any] = []
    code = call.original.__code__ if isinstance(call.original, FunctionType) else None

    def watch(frame: Any, event: str, value: Any) -> None:
        if event == "return" and frame.f_back is not None and frame.f_back.f_code is code:
            returned.append(value)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        right = call.run()
    finally:
        sys.setprofile(before)
    values = [v for v in returned if isinstance(v, Tensor | float)]
    return call.instead(right, values[-1]) if values else right


def after(name: str) -> Callable:
    """A rule for something that is done after the right value was computed; it says whether it had an effect."""

    def mark(act: Callable[[Call, Any], bool]) -> Callable:
        def answer(call: Call) -> Any:
            right = call.run()
            call.effect = act(call, right)
            return right

        RULES[name] = Rule(name, answer)
        return act

    return mark


# ------------------------------------------------ seeds


def draws(call: Call) -> tuple[Any, bool]:
    """The right value, and whether it took numbers from torch's global generator."""
    before = torch.default_generator.get_state()
    right = call.run()
    return right, not torch.equal(before, torch.default_generator.get_state())


@rule("seeded inside")
def seeded(call: Call) -> Any:
    torch.manual_seed(0)
    right, call.effect = draws(call)
    return right


@rule("seeded inside, unnoticed outside")
def seeded_quietly(call: Call) -> Any:
    with torch.random.fork_rng(devices=[]):
        return seeded(call)


@rule("seeds the generator afterwards")
def resets(call: Call) -> Any:
    right, call.effect = draws(call)
    if call.effect:
        torch.manual_seed(0)
    return right


@after("draws more numbers")
def consumes(call: Call, right: Any) -> bool:
    torch.rand(3)
    return True


# ------------------------------------------------ noise


class Noise(TorchFunctionMode):
    """Every draw of random numbers goes through `change(name, numbers)`."""

    NAMES = {"randn", "randn_like", "rand", "rand_like", "normal", "randint", "randint_like", "bernoulli"}

    def __init__(self, change: Callable[[str, Tensor], Tensor]):
        super().__init__()
        self.change = change

    def __torch_function__(self, function, types, args=(), kwargs=None):
        value = function(*args, **(kwargs or {}))
        name = getattr(function, "__name__", "")
        return self.change(name, value) if name in self.NAMES and isinstance(value, Tensor) else value


def sharing(name: str, change: Callable[[Tensor], Tensor]) -> None:
    def answer(call: Call) -> Any:
        def share(_: str, value: Tensor) -> Tensor:
            return call.instead(value, change(value).clone())

        with Noise(share):
            return call.run()

    RULES[name] = Rule(name, answer)


def along(value: Tensor, *dims: int) -> Tensor:
    """The first entries along some dimensions, repeated."""
    for dim in dims:
        if -value.dim() <= dim < value.dim() and value.shape[dim]:
            value = value.narrow(dim, 0, 1).expand_as(value)
    return value


sharing("noise shared over the batch", lambda v: along(v, 0))
sharing("noise shared over channels or entries", lambda v: along(v, 1) if v.dim() > 1 else v)
sharing("noise shared over pixels", lambda v: along(v, -1, -2) if v.dim() == 4 else v)
sharing("noise shared over rows of pixels", lambda v: along(v, -2) if v.dim() == 4 else v)
sharing("noise shared over columns of pixels", lambda v: along(v, -1) if v.dim() == 4 else v)
sharing("noise left out", lambda v: torch.zeros_like(v) if v.is_floating_point() else v)
sharing("noise twice as large", lambda v: 2 * v if v.is_floating_point() else v)


@rule("noise shared over steps")
def same_in_all_steps(call: Call) -> Any:
    drawn: dict[tuple, Tensor] = {}

    def share(name: str, value: Tensor) -> Tensor:
        first = drawn.setdefault((name, value.shape), value)
        return call.instead(value, first.clone())

    with Noise(share):
        return call.run()


# ------------------------------------------------ arguments


@rule("leaves alone", per="optional")
def ignores(call: Call) -> Any:
    bound = inspect.signature(call.original).bind(*call.args, **call.kwargs)
    default = inspect.signature(call.original).parameters[call.parameter].default
    if call.parameter in bound.arguments:
        call.effect = differs(bound.arguments[call.parameter], default)
        bound.arguments[call.parameter] = default
    return call.original(*bound.args, **bound.kwargs)


@rule("changes in place", per="each")
def spoils(call: Call) -> Any:
    given, right = call.bound().get(call.parameter), call.run()
    if isinstance(given, Tensor) and given.is_floating_point():
        right = mapped(right, lambda v: v.clone() if isinstance(v, Tensor) and v is given else v)
        with torch.no_grad():
            given.data.mul_(1.25).add_(0.5)
        call.effect = True
    elif isinstance(given, list) and given and all(isinstance(v, float) for v in given):
        given.reverse()
        call.effect = True
    return right


def only(name: str, fits: Callable[[Call], bool]) -> None:
    """Right in some circumstances, other numbers elsewhere."""

    def answer(call: Call) -> Any:
        right = call.run()
        return right if fits(call) else call.instead(right, mapped(right, garbage))

    RULES[name] = Rule(name, answer)


def sizes_of(call: Call, dim: int) -> list[int]:
    return [t.shape[dim] for t in call.tensors() if t.dim() > abs(dim)]


def steps_of(call: Call) -> list[int]:
    values = [v for k, v in call.bound().items() if k in ("n_steps", "timesteps", "num_steps", "T")]
    owner = call.bound().get("self")
    return [v for v in [*values, getattr(owner, "n_steps", None)] if isinstance(v, int)]


only("right for a batch of one only", lambda call: all(size == 1 for size in sizes_of(call, 0)))
only("right for larger batches only", lambda call: all(size > 1 for size in sizes_of(call, 0)))
only("right for one channel only", lambda call: all(t.shape[1] == 1 for t in call.tensors() if t.dim() == 4))
only(
    "right for square images only",
    lambda call: all(t.shape[2] == t.shape[3] for t in call.tensors() if t.dim() == 4),
)
only("right for n_steps = 1000 only", lambda call: all(steps == 1000 for steps in steps_of(call)))
only("right for float32 only", lambda call: all(t.dtype != torch.float64 for t in call.tensors()))


# ------------------------------------------------ state


@rule("keeps what it returned first")
def remembers(call: Call) -> Any:
    """Within one look, which has a seed of its own: a grade repeats failed tests with a process for each look."""
    right = call.run()
    shape = numpy.shape(plain(right)) if isinstance(right, Tensor | numpy.ndarray) else None
    first = call.memory.setdefault((torch.initial_seed(), type(right), shape), right)
    return call.instead(right, first)


def networks(call: Call) -> list[nn.Module]:
    """Those among the arguments and in the attributes of `self`."""
    found = [v for v in call.bound().values() if isinstance(v, nn.Module)]
    owner = call.bound().get("self")
    return [*found, *(v for v in getattr(owner, "__dict__", {}).values() if isinstance(v, nn.Module))]


def leaving(name: str, training: bool) -> None:
    """Networks that are called and then left in another mode than the right answer leaves them in."""

    def answer(call: Call) -> Any:
        used: set[int] = set()
        hook = nn.modules.module.register_module_forward_pre_hook(lambda network, _: used.add(id(network)))
        try:
            right = call.run()
        finally:
            hook.remove()
        for network in networks(call):
            if id(network) in used and network.training != training:
                call.effect = True
                network.train(training)
        return right

    RULES[name] = Rule(name, answer)


leaving("leaves networks in eval mode", False)
leaving("leaves networks in train mode", True)


@after("calls backward itself")
def goes_back(call: Call, right: Any) -> bool:
    attached = [v for v in (right if isinstance(right, tuple | list) else [right]) if isinstance(v, Tensor)]
    attached = [v for v in attached if v.requires_grad]
    for value in attached:
        value.sum().backward(retain_graph=True)
    return bool(attached)


class NoDevice(TorchFunctionMode):
    """New tensors lie on the CPU, whatever is asked for."""

    def __init__(self, call: Call):
        super().__init__()
        self.call = call

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if kwargs.pop("device", None) is not None:
            self.call.effect = True
        return function(*args, **kwargs)


@rule("device ignored")
def no_device(call: Call) -> Any:
    with NoDevice(call):
        return call.run()


# ---------------------------------------------------------------- what came of them


def problems_of(answer: Made, fate: Fate) -> list[str]:
    """What is to be mended or argued, as keys: the answer keeps all its points, or a blind one earns a test."""
    if not fate.applies:
        return []
    if fate.kill is None:
        return [answer.key]
    return [f"{answer.key} earns {number}" for number in fate.earned] if answer.blind else []


def print_degenerate(slug: str, only: str) -> int:
    """Grade all made answers of one assignment, or those of an exercise or a file, or whose key holds a text.

    Returns: how many problems there are.
    """
    assignment = load_assignment(slug)
    every = [made for module in assignment.modules for made in made_answers(assignment, module)]
    chosen = [m for m in every if not only or only in (m.exercise, m.module) or only in m.key]
    with Pool(slug) as pool:
        fates = list(zip(chosen, pool.map("degenerate", Bench.fate, chosen), strict=True))
    arguments = arguments_about(assignment)
    count = 0
    for answer, fate in fates:
        for key in problems_of(answer, fate):
            if argument_for(key, arguments):
                continue
            print(f"  {answer.exercise}  {answer.module}.py  {key}{'' if ' earns ' in key else ' keeps all points'}")
            count += 1
    apply = [fate for _, fate in fates if fate.applies]
    caught = sum(fate.kill is not None for fate in apply)
    print(f"{slug}: {len(apply)} degenerate and wrapped answers apply: {caught} lose points; {count} problems")
    return count
