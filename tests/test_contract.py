"""The contract of an answer (grading/compare.py, grading/exercise.py): what earns no point, whoever writes the test."""

import json
import math
import struct
import time
from types import SimpleNamespace

import numpy
import pytest
import torch
from safetensors.torch import save
from torch import nn

from autograder.classroom.gradebook import safe_cell
from autograder.grading.compare import difference, same_outcome, unsound
from autograder.grading.exercise import Exercise, Wrong, inputs_survive, number, students
from autograder.grading.forkserver import apart
from autograder.sandbox import look_tools
from autograder.sandbox.messages import Failure, Look, Modules
from autograder.sandbox.stand_ins import ignores_device
from autograder.sandbox.wire import NO_GRADIENT, decode, encode

ROWS = torch.linspace(-3, 4, 256)


def crossed(value):
    """A value as it comes back from the sandbox."""
    return decode(encode(value))


# ---------------------------------------------------------------- what "equal" means


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: (v, v), lambda v: {"loss": v}, lambda v: v[0]])
def test_half_precision_is_never_an_answer(dtype, wrap):
    assert "too coarse" in difference(crossed(wrap(torch.zeros(256, dtype=dtype))), crossed(wrap(ROWS)))
    assert "too coarse" in difference(crossed(wrap(ROWS.to(dtype))), crossed(wrap(ROWS.to(dtype).float())))
    assert same_outcome(crossed(wrap(ROWS.to(dtype))), crossed(wrap(ROWS))) is False
    assert unsound(crossed(wrap(ROWS.to(dtype))))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_tolerance_is_not_the_students(dtype):
    for expected in (ROWS, ROWS.double()):
        assert difference(ROWS.to(dtype) + 1e-4, expected) is None
        assert difference(ROWS.to(dtype) + 1e-2, expected)
    exact = {"precision": torch.float64}
    assert difference(ROWS.double() + 1e-4, ROWS.double(), **exact)
    assert "too coarse" in difference(ROWS, ROWS.double(), **exact)


def test_numbers_of_every_honest_kind():
    assert difference(2, 2.0) is None
    assert difference(2.0, torch.tensor(2.0)) is None
    assert difference(torch.tensor(2.0), 2) is None
    assert difference(crossed(ROWS.double().numpy()), ROWS) is None
    assert difference(crossed(ROWS.double().numpy()[5]), ROWS[5]) is None
    assert difference(torch.tensor([2.0]), 2.0) is None, "(1,) may stand for ()"
    assert difference(torch.tensor([1, 2]), torch.tensor([1, 2])) is None
    assert difference(crossed(True), True) is None
    assert difference(torch.tensor(True), True) is None


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (torch.tensor([[2.0]]), torch.tensor(2.0)),
        (torch.tensor(2.0), torch.tensor([2.0])),
        (torch.tensor([1, 2]), torch.tensor([1.0, 2.0])),
        (torch.tensor([True, False]), torch.tensor([1.0, 0.0])),
        (True, 1.0),
        (1, True),
        (None, 1.0),
        ("1", 1.0),
        (NO_GRADIENT, torch.ones(2)),
        ((1.0, 2.0), torch.tensor([1.0, 2.0])),
    ],
)
def test_another_kind_is_wrong(actual, expected):
    assert difference(actual, expected)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_never_equal(bad):
    for value in (bad, torch.tensor([1.0, bad]), (1.0, torch.tensor(bad)), {"x": bad}):
        assert difference(value, value), "also where the expected value, made of the student's own, is the same"
        assert unsound(value)
        assert unsound(value, infinite=True) is None
    assert difference(torch.tensor([1.0, bad]), torch.tensor([1.0, bad]), infinite=True) is None
    assert difference(torch.tensor([1.0, 2.0]), torch.tensor([1.0, bad]), infinite=True)
    assert difference(torch.tensor([1.0, 2.0]), torch.tensor([1.0, bad]))


@pytest.mark.parametrize("nothing", [(), ((), ()), {}, {"steps": ()}, torch.ones(0, 3), (torch.ones(0), ())])
def test_nothing_is_never_equal(nothing):
    assert difference(nothing, nothing)
    assert unsound(nothing)
    assert not same_outcome(nothing, nothing)


# ---------------------------------------------------------------- what a test's author cannot forget


class Lenient(Exercise):
    """A hidden test whose author forgot everything."""

    __test__ = False

    module = "m"

    def test_anything(self):
        self.found = self.observe(lambda m: m.answer())


class WithNumbers(Exercise):
    __test__ = False

    def test_anything(self): ...


def run(case: Exercise, value) -> None:
    value = crossed(value)
    case.runner = SimpleNamespace(key=b"key", student=lambda look: (value, {}), reference=lambda look: value)
    case.setUp()
    getattr(case, case._testMethodName)()
    case.tearDown()


@pytest.mark.parametrize(
    "value",
    [math.nan, torch.tensor([1.0, math.inf]), (), [[], {}], torch.ones(0), torch.ones(2, dtype=torch.float16)],
)
def test_a_lenient_test_refuses_what_is_unsound(value):
    with pytest.raises(Wrong):
        run(Lenient("test_anything"), value)


@pytest.mark.parametrize("value", [1.0, True, "text", (torch.ones(2), ()), torch.ones(3, dtype=torch.float64)])
def test_a_lenient_test_takes_what_is_sound(value):
    run(Lenient("test_anything"), value)


@pytest.mark.parametrize("value", [math.nan, 1e9, (), torch.full((3,), math.inf), torch.ones(2, dtype=torch.bfloat16)])
def test_an_expected_value_made_of_the_students_own(value):
    case = WithNumbers("test_anything")
    run(case, 1.0)
    with pytest.raises(Wrong, match="The chain does not start from noise"):
        case.plausible(crossed(value), "The chain does not start from noise")
    assert case.plausible(3.0, "") == 3.0


@pytest.mark.parametrize("truth", [math.nan, math.inf])
def test_no_sample_is_in_keeping_with_nan(truth):
    case = WithNumbers("test_anything")
    run(case, 1.0)
    samples = torch.randn(1000, 3)
    for check in (
        lambda: case.assertMean(samples, truth, 1.0, "mean"),
        lambda: case.assertMean(samples, 0.0, truth, "mean"),
        lambda: case.assertVariance(samples, truth, "variance"),
        lambda: case.assertMean(torch.ones(1000, 0), 0.0, 1.0, "empty"),
        lambda: case.assertVariance(torch.ones(1000, 0), 1.0, "empty"),
        lambda: case.assertMean(torch.randn(1000, 3).half(), 0.0, 1.0, "half"),
        lambda: case.assertMean(torch.ones(0, 3), 0.0, 1.0, "empty"),
    ):
        with pytest.raises(Wrong):
            check()


# ---------------------------------------------------------------- random code, and inputs


def look_at(case: Exercise, module: SimpleNamespace) -> None:
    """Run a test whose looks are taken at this module, as the student's and as the reference's."""
    case.runner = SimpleNamespace(
        key=b"key", student=lambda look: crossed(look.function(module)), reference=lambda look: (0, {})
    )
    case.setUp()
    getattr(case, case._testMethodName)()
    case.tearDown()


class Draws(Exercise):
    __test__ = False

    def test_anything(self):
        x = self.randn(3, 4)
        self.check_random(lambda m: m.f(x), "f")


def seeded(x):
    torch.manual_seed(42)
    return x + torch.randn_like(x)


def seeded_generator(x):
    return x + torch.randn(x.shape, generator=torch.Generator().manual_seed(42))


def hidden_seed(x):
    """Other numbers in every call, by a seed of its own for the caller's generator."""
    noise = torch.randn_like(x)
    torch.manual_seed(7)
    return x + noise


def not_the_callers(x):
    generator = torch.Generator()
    generator.seed()
    return x + torch.randn(x.shape, generator=generator)


@pytest.mark.parametrize(
    ("f", "sentence"),
    [
        (lambda x: x, "the same numbers in every call"),
        (seeded, "the same numbers in every call"),
        (seeded_generator, "the same numbers in every call"),
        (hidden_seed, "seeds the global generator|other numbers after the same"),
        (not_the_callers, "other numbers after the same"),
        (lambda x: (), "nothing to look at|other numbers"),
        (lambda x: x + math.nan, "NaN"),
    ],
)
def test_three_questions(f, sentence):
    with pytest.raises(AssertionError, match=sentence):
        look_at(Draws("test_anything"), SimpleNamespace(f=f))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x + torch.randn_like(x),
        lambda x: torch.normal(x, 1.0),
        lambda x: x + torch.as_tensor(numpy.random.randn(*x.shape)),
        lambda x: (x + torch.randn_like(x)).numpy(),
    ],
)
def test_honest_noise_answers_the_three_questions(f):
    look_at(Draws("test_anything"), SimpleNamespace(f=f))


def test_single_numbers_may_be_close_by_chance_so_that_there_are_several():
    one = look_tools.three_questions(lambda: torch.rand(()), 1)
    assert [len(one["unseeded"][0]), len(one["seeded"][1])] == [6, 6] and one["seeded"][0] == one["seeded"][1]
    assert look_tools.three_questions(lambda: torch.rand(7), 1)["unseeded"][0].shape == (7,)


class Inputs(Exercise):
    __test__ = False

    def test_anything(self):
        x, more, levels, network = self.randn(3, 4), [self.randn(1), self.randn(1)], [1.0, 2.0], nn.Linear(1, 1)
        call = lambda m: m.f(x, more, levels=levels, network=network)  # noqa: E731
        self.observe(lambda m: call(m))

    @number("Q1.1")
    @inputs_survive
    def test_that_asks(self):
        self.test_anything()

    @number("Q1.1")
    def test_another(self):
        self.test_anything()

    @number("Q1.2")
    def test_of_an_exercise_without_a_mark(self):
        self.test_anything()


def inputs_of(changed: str) -> SimpleNamespace:
    """A module whose f does this with what it is given."""
    module = SimpleNamespace()
    exec(f"import torch\ndef f(x, more, levels, network):\n    {changed}\n    return more[0].sum()", vars(module))
    return module


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ("x.add_(1)", "x"),
        ("x = x.T; x *= 2", "x"),
        ("x.data[0] = 5", "x"),
        ("x.resize_(0)", "x"),
        ("x.t_()", "x"),
        ("more[0].mul_(2)", "more"),
        ("return more.pop()", "more"),
        ("return x, [x.mul_(2)]", "x"),
        ("levels.reverse()", "levels"),
        ("levels.append(3.0)", "levels"),
        ("network.weight.data.zero_()", "network"),
        ("x.add_(1), levels.pop()", "levels` and `x"),
    ],
)
def test_inputs_survive(changed, name):
    with pytest.raises(Wrong, match=f"changes `{name}` in place"):
        look_at(Inputs("test_anything"), inputs_of(changed))


@pytest.mark.parametrize("kept", ["x = x + 1; x += 1", "levels = sorted(levels)[::-1]", "network(more[0])", "x.mean()"])
def test_what_is_ones_own_may_change(kept):
    look_at(Inputs("test_anything"), inputs_of(kept))


def test_a_change_in_place_costs_the_test_that_asks():
    changes = inputs_of("return x.add_(1)")
    for name in ("test_that_asks", "test_of_an_exercise_without_a_mark"):
        with pytest.raises(Wrong, match="in place"):
            look_at(Inputs(name), changes)
    look_at(Inputs("test_another"), changes)


def test_a_change_in_place_is_no_wrong_seed():
    """Every one of the calls that are compared gets the inputs as they were."""
    with pytest.raises(Wrong, match="in place"):
        look_at(Draws("test_anything"), SimpleNamespace(f=lambda x: torch.randn_like(x) + x.mul_(1.25)))


@pytest.mark.parametrize("shared", [(), (0,), (1,), (2,), (3,), (2, 3), (0, 1)])
def test_noise_is_independent_along_every_dimension(shared):
    case = WithNumbers("test_anything")
    run(case, 1.0)
    shape = (6, 8, 7, 9)
    noise = torch.randn([1 if dim in shared else size for dim, size in enumerate(shape)]).expand(shape)
    if shared:
        with pytest.raises(Wrong, match="noise"):
            case.assertNoise(noise, "noise")
    else:
        case.assertNoise(noise, "noise")


NOT_NORMAL = {
    "uniform": lambda *shape: math.sqrt(12) * (torch.rand(shape) - 0.5),
    "signs": lambda *shape: torch.randn(shape).sign(),
    "laplace": lambda *shape: torch.distributions.Laplace(0.0, 0.5**0.5).sample(shape),
    "two uniform ones": lambda *shape: math.sqrt(6) * (torch.rand(shape) + torch.rand(shape) - 1),
}


@pytest.mark.parametrize("law", NOT_NORMAL)
def test_noise_of_the_right_moments_is_not_enough(law):
    case = WithNumbers("test_anything")
    run(case, 1.0)
    noise, mean = NOT_NORMAL[law](6000, 2, 3), torch.zeros(2, 3)
    with pytest.raises(Wrong, match="not normal"):
        case.assertDraws(noise, mean, 1.0, "noise")
    with pytest.raises(Wrong, match="not normal"):
        case.assertNoise(noise, "noise")
    for _ in range(20):
        case.assertDraws(3 + 2 * torch.randn(6000, 2, 3), mean + 3, 4.0, "noise")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_noise_that_was_computed_in_half_precision(dtype):
    """Of random numbers no statistic tells how they were rounded; that all fit into half precision does."""
    with pytest.raises(Wrong, match="too coarse"):
        look_at(Draws("test_anything"), SimpleNamespace(f=lambda x: (x + torch.randn(5, 3, 4)).to(dtype).double()))
    look_at(Draws("test_anything"), SimpleNamespace(f=lambda x: x + torch.randn(5, 3, 4)))


@pytest.mark.parametrize(("normal", "freedom", "exact"), [(5.0, 99, 5.3479), (6.389, 99, 7.1290), (6.0, 299, 6.1907)])
def test_students_t(normal, freedom, exact):
    """Against the exact quantiles of the distribution."""
    assert students(normal, freedom) == pytest.approx(exact, rel=1e-4)


# ---------------------------------------------------------------- the grader's own clock


def forged(entries: int, elements: int) -> bytes:
    """A reply that names one tensor many times."""
    head = json.dumps({"list": [{"tensor": "0"}] * entries}).encode()
    return struct.pack("<I", len(head)) + head + save({"0": torch.zeros(elements)})


@pytest.mark.parametrize(("entries", "elements"), [(40_000, 1), (3, 1_000_000), (1_000, 10_000)])
def test_a_reply_that_names_one_tensor_again_and_again_is_refused(entries, elements):
    with pytest.raises(ValueError, match="too many"):
        decode(forged(entries, elements))


def test_a_reply_may_name_some_tensors_twice():
    assert len(decode(forged(50, 100))) == 50
    assert len(crossed([torch.ones(3)] * 10_000)) == 10_000


def beyond_the_deadline() -> list[Failure | str]:
    """Looks at a function that sleeps, with little time and with none; for a process of its own."""
    from autograder.course import ROOT, load_assignment
    from autograder.grading.grade import single_threaded
    from autograder.sandbox.client import Sandbox

    single_threaded()
    look = Look("m", lambda m: m.f())
    outcomes = []
    with Sandbox(load_assignment("theory").given, ROOT) as sandbox:
        code = sandbox.extract("m.py", b"import time\ndef f():\n    time.sleep(3600)\n", ["f"], []).code
        sandbox.provide(Modules({"m": [code]}))
        for seconds in (2.0, -1.0):
            sandbox.deadline = time.monotonic() + seconds
            outcomes += [sandbox.look(look), sandbox.look(look, "m")]
    return outcomes


def test_no_look_outlives_the_whole_grade():
    first, *others = apart(beyond_the_deadline, seconds=120)
    assert first.kind == "time" and first.message.startswith("it did not finish within 1.")  # not within 20 seconds
    assert [failure.message for failure in others] == ["the time of the whole grade is over"] * 3


@pytest.mark.parametrize(
    "name",
    ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20A1", "\ufe66 1", "\u22121"]
    + [" =1+1", "\u200b=1+1", "\ufeff\uff1d1", "\u3000\uff1d1"],
)
def test_no_name_is_a_formula(name):
    assert safe_cell(name) == f"'{name}"


@pytest.mark.parametrize("name", ["", "Ada", "\u9ed2\u6fa4", "a=b", "\u00c5sa", "1-2", " "])
def test_an_ordinary_name_is_left_alone(name):
    assert safe_cell(name) == name


# ---------------------------------------------------------------- devices

X, LEVELS = torch.ones(3, 1, 2, 2), torch.linspace(0, 1, 10)
ON_ITS_DEVICE = {
    "randn_like": lambda: X + torch.randn_like(X),
    "device=": lambda: X + torch.randn(X.shape, device=X.device),
    "drawn on the CPU and moved": lambda: X + torch.randn(X.shape).to(X.device),
    "moved by keyword": lambda: X + torch.rand(X.shape).to(device="cpu", dtype=torch.float32),
    "moved to where another is": lambda: X + torch.randn(X.shape).to(X),
    "type_as": lambda: X + torch.randn(X.shape).type_as(X),
    "filled": lambda: X + torch.empty_like(X).normal_(),
    "a number": lambda: torch.where(X > 0, torch.tensor(2.0) * X, torch.tensor(0.0)),
    "an index": lambda: LEVELS[torch.randint(0, 10, (3,))] + X[torch.randperm(3), 0, 0, 0],
    "written into": lambda: X.clone().index_copy(0, torch.tensor([0], device=X.device), X[:1]),
    "times": lambda: LEVELS.gather(0, torch.randint(0, 10, (3,)).long().to(X.device)),
}
ON_THE_CPU = {
    "noise": lambda: X + torch.randn(X.shape),
    "normal": lambda: X + torch.normal(0.0, 1.0, X.shape),
    "times": lambda: LEVELS.gather(0, torch.randint(0, 10, (3,))),
    "times in another dtype": lambda: LEVELS.gather(0, torch.randint(0, 10, (3,)).to(torch.long)),
    "a repeated number": lambda: LEVELS.gather(0, torch.tensor(3).repeat(3)),
    "one entry of many": lambda: LEVELS.gather(0, torch.arange(10)[3].expand(3)),
    "a list": lambda: X + torch.as_tensor([1.0, 2.0]),
    "a result": lambda: torch.zeros(3),
}


@pytest.mark.parametrize("name", ON_ITS_DEVICE)
def test_code_for_any_device(name):
    assert not ignores_device(ON_ITS_DEVICE[name])


@pytest.mark.parametrize("name", ON_THE_CPU)
def test_code_for_the_cpu(name):
    assert ignores_device(ON_THE_CPU[name])


def test_a_default_device_is_one():
    def inside() -> None:
        with torch.device("cpu"):
            ON_THE_CPU["noise"]()

    assert not ignores_device(inside)
    with torch.device("cpu"):
        assert not ignores_device(ON_THE_CPU["noise"])
    assert ignores_device(ON_THE_CPU["noise"])
