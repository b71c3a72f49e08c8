"""Say what is wrong, and only what is true: repairs, relations, crashes, and who is told what."""

import ast
import math
from functools import cache
from types import SimpleNamespace

import pytest
import submissions
import torch

from autograder.course import load_assignment, slugs
from autograder.grading.crashes import crash
from autograder.grading.exercise import Exercise, Seen
from autograder.grading.explain import has_one_cause, informative, same_law
from autograder.grading.grade import load_hidden_tests
from autograder.grading.relations import relation, relations, the_one
from autograder.grading.repair import KINDS, worded
from autograder.grading.results import expected_tests
from autograder.grading.variants import Variant, misconceptions
from autograder.quality.bench import Bench
from autograder.quality.explanations import MutatedAlternative, mutated_alternatives, told
from autograder.sandbox.edits import edits
from autograder.sandbox.messages import Failure, Look
from autograder.sandbox.raised import described_error
from autograder.sandbox.workbench import LOOK_SECONDS, Workbench, at_most

# ---------------------------------------------------------------- edits


def repaired(source: str) -> dict[str, set[str]]:
    """{function's source after an edit: kinds of the edits that make it}."""
    tree = ast.parse(source)
    (function,) = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    found: dict[str, set[str]] = {}
    before = ast.unparse(function)
    for edit in edits(function, tree):
        edit.make()
        found.setdefault(ast.unparse(function), set()).add(edit.kind)
        edit.undo()
        assert ast.unparse(function) == before, f"{edit.kind} was not undone"
    return found


@pytest.mark.parametrize(
    "wrong, right, kind",
    [
        ("return x[t]", "return x[t - 1]", "index"),
        ("return x[t - 1]", "return x[t]", "extra"),
        ("return self.alpha[t]", "return self.alpha_bar[t]", "name"),
        ("return x + y", "return x - y", "sign"),
        ("return x - y", "return y - x", "order"),
        ("return x.mean(dim=1)", "return x.sum(dim=1)", "functions"),
        ("return x.sum()", "return x.sum(dim=1)", "dim"),
        ("return x.max(dim=1)", "return x.max(dim=1, keepdim=True)", "keepdim"),
        ("return x * y", "return x ** 0.5 * y", "missing call"),
        ("return x.sqrt() * y", "return x * y", "extra call"),
        ("return x.log()", "return x", "extra call"),
        ("return x / y", "return x / y ** 2", "missing call"),
        ("return x * y", "return x * y.unsqueeze(1)", "shape"),
        ("return x * y", "return x * y.reshape(-1, 1, 1, 1)", "shape"),
        ("return f(x, y)", "return f(y, x)", "arguments"),
        ("return f(x, y)", "return f(x.detach(), y)", "detach"),
        ("return f(x.detach(), y)", "return f(x, y)", "extra call"),
        ("x = x + y", "x = x + y\n    return x", "return"),
        ("x - y", "return x - y", "return"),
        ("for k in x:\n        y = y + k", "for k in x:\n        y = y + k\n    return y", "return"),
        ("for k in range(3):\n        x = x + y\n        return x",
         "for k in range(3):\n        x = x + y\n    return x", "early return"),
        ("return x / 2 * y", "return x / (2 * y)", "brackets"),
        ("x += y\n    return x", "x = x + y\n    return x", "in place"),
        ("return x - y ** 2", "x, y = (y, x)\n    return x - y ** 2", "exchanged"),
        ("return torch.randn(3) + x - y", "return (torch.randn(3) if t is None else t) + x - y", "unused"),
        ("return y.exp() + y.exp() * x", "return y + y * x", "extra call"),
        ("loss = x\n    loss.backward()\n    optimizer.step()\n    return y",
         "optimizer.zero_grad()\n    loss = x\n    loss.backward()\n    optimizer.step()\n    return y",
         "missing statement"),
        ("noise = x\n    return y + noise", "noise = x\n    return y + torch.randn_like(noise)", "fresh"),
        ("noise = x\n    return y + torch.randn_like(y)", "noise = x\n    return y + noise", "not fresh"),
        ("return x + torch.randn(1, 2).expand_as(x)", "return x + torch.randn_like(x)", "random shape"),
        ("return (x - y.mean()).square()", "return ((x - y).square()).mean()", "moved"),
        ("return (x.mean(dim=1) - 1).square()", "return (x - 1).square().mean(dim=1)", "moved"),
        ("return f(x, t)", "return f(x, torch.full((len(x),), t))", "one for each"),
        ("return f(x, y)", "return f(x, None)", "not None"),
        ("return g(x)", "return g(x, y)", "argument"),
        ("return (x, y, t)", "return (-x, -y, t)", "signs"),
        ("return x / y", "return x - torch.as_tensor(y).log()", "operator"),
        ("y = y * (1 - x) / (1 - t)\n    return y", "y = y * (1 - t) / (1 - x)\n    return y", "exchanged"),
        ("z = f(x)\n    return y", "z = y = f(x)\n    return y", "target"),
        ("return x * y", "return x * (1 - t) * y", "missing"),
        ("return f(x, reduction='sum')", "return f(x, reduction='mean')", "functions"),
        ("return x + y * torch.randn_like(x)", "return x + y * (torch.randn_like(x) * (t > 0))", "missing condition"),
        ("z = y + x\n    return z", "x = x.clone()\n    z = y + x\n    return z", "copy"),
    ],
)  # fmt: skip
def test_a_mistake_is_undone(wrong, right, kind):
    head = "class C:\n  def f(self, x, y, t=None):\n    a = self.alpha_bar\n    "
    source = head + wrong.replace("\n    ", "\n    ") + "\n"
    wanted = ast.unparse(next(n for n in ast.walk(ast.parse(head + right)) if isinstance(n, ast.FunctionDef)))
    if kind == "copy" or "x, y = (y, x)" in right:
        first, rest = right.split("\n    ", 1)
        text = f"class C:\n  def f(self, x, y, t=None):\n    {first}\n    a = self.alpha_bar\n    {rest}"
        wanted = ast.unparse(next(n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef)))
    found = repaired(source)
    assert wanted in found, f"not among {len(found)} edits"
    assert kind in found[wanted]


def test_every_kind_of_edit_has_a_sentence():
    source = (load_assignment("vae_gan_flows").solutions / "gan.py").read_text()
    kinds = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            kinds |= {edit.kind for edit in edits(node, ast.parse(source))}
    assert kinds and kinds <= KINDS.keys()


def workbench(source: str, target: str = "f") -> tuple:
    namespace = type(ast)("answer")
    exec(compile(source, "answer.py", "exec"), vars(namespace))
    return namespace, Workbench(namespace, target, [], lambda name: [(1, source)] if name == "answer.py" else [])


def test_an_edit_is_seen_by_everybody_and_leaves_nothing_behind():
    """Methods with super(), decorators, helpers of the student's: their code is exchanged, not the function."""
    source = (
        "import functools\ndef same(g):\n    @functools.wraps(g)\n    def h(*a): return g(*a)\n    return h\n"
        "def helper(x):\n    return x + 1\n"
        "class A:\n    def f(self, x): return 10\n"
        "class B(A):\n    @same\n    def f(self, x):\n        return super().f(x) + helper(x)\n"
    )
    module, bench = workbench(source, "B.f")
    held = module.B().f
    assert held(3) == 14
    values = set()
    for number in range(len(bench.edits)):
        try:
            with at_most(LOOK_SECONDS), bench.edited([number]):
                values.add(held(3))
        except Exception:
            continue
        assert held(3) == 14
    assert {10 - 4, 10 + 2, 10 + 3} <= values  # in the method, and in the helper


def test_an_edit_that_hangs_is_left():
    module, bench = workbench("def f(n):\n    k = 0\n    while k < n:\n        k += 1\n    return k\n")
    hung = 0
    for number in range(len(bench.edits)):
        try:
            with at_most(0.05), bench.edited([number]):
                module.f(3)
        except Exception:
            pass
        except BaseException:
            hung += 1
    assert hung and module.f(3) == 3


def test_what_the_sandbox_says_of_an_edit_is_cut_and_cleaned():
    entry = {"file": "a.py\x1b[31m", "line": 3, "kind": "no such kind", "words": ["x" * 900], "before": "\n"}
    found = worded([entry | {"after": "b"}])
    assert "\x1b" not in found.edit and len(found.edit) < 400 and found.kinds == (KINDS["statement"],)


# ---------------------------------------------------------------- relations

ROWS = torch.tensor([[0.3, 1.7], [2.2, 0.9], [1.1, 3.4], [0.7, 0.2]])


@pytest.mark.parametrize(
    "found, expected, said",
    [
        (-ROWS, ROWS, "negative"),
        (ROWS**2, ROWS, "square of what is right"),
        (ROWS.sqrt(), ROWS, "square root of"),
        (ROWS.exp(), ROWS, "exponential"),
        (ROWS.log(), ROWS, "logarithm of"),
        (2 * ROWS, ROWS, "twice"),
        (ROWS / 2, ROWS, "half of"),
        (4 * ROWS.sum(1), ROWS.sum(1), "4 times"),
        (1.37 * ROWS, ROWS, "constant factor"),
        (ROWS + math.log(2 * math.pi), ROWS, "too large by"),
        (ROWS - 0.123, ROWS, "same amount"),
        (ROWS.T, ROWS, "transposed"),
        (ROWS.flip(0), ROWS, "reverse order"),
        (torch.cat([ROWS[:1], ROWS[:-1]]), ROWS, "too late"),
        (torch.cat([ROWS[1:], ROWS[:1] + 5]), ROWS, "too early"),
        (ROWS[:1].expand(4, 2), ROWS, "it is the same for all of them"),
        (torch.cat([ROWS[:1], ROWS[1:] + torch.rand(3, 2)]), ROWS, "only the first is right"),
        (ROWS, ROWS.sum(1), "sum is missing"),
        (ROWS.sum(1), ROWS.sum(1).mean(), "mean is right"),
        (ROWS.sum(), ROWS.sum(1), "over the batch, too"),
        (ROWS.unsqueeze(1), ROWS, "their shape is not"),
        ((ROWS, -ROWS), (-ROWS, ROWS), "wrong order"),
        (None, ROWS, "Nothing came back"),
    ],
)
def test_a_relation_is_found(found, expected, said):
    sentence = relation(found, expected)
    assert sentence is not None and said in sentence


def test_relations_are_those_that_hold_in_every_test():
    """A factor of 4 has many names where 4 is many sizes; another test, of another size, leaves one."""

    def shown(z):
        return relations(len(z) * z.exp(), z.exp(), Look("m", lambda m: z))

    one, other = shown(torch.rand(4, 7)), shown(torch.rand(5, 8))
    assert the_one(one) == "Everything is right but for one constant factor."
    assert "n times what is right, where n is the number of rows" in the_one(one & other)


def test_what_is_wrong_in_part_is_told_of_that_part():
    few = torch.tensor([1.5, 2.5, -3.5, 0.7, -0.2, 1.1, 2.0])
    assert "Where it is wrong, this is the negative" in relation(torch.cat([few[:3], -few[3:]]), few)
    assert "infinite or NaN" in relation(torch.cat([few[:3], few[3:] * torch.inf]), few)
    assert relation(few * torch.nan, few) is None
    assert "infinite or NaN" in the_one(relations(few * torch.nan, few, elsewhere=True))


@pytest.mark.parametrize(
    "found, expected",
    [
        (ROWS, ROWS),
        (torch.tensor(4.0), torch.tensor(2.0)),  # twice, and the square
        (torch.zeros(4), torch.ones(4)),
        (ROWS + torch.rand(4, 2), ROWS),
        (ROWS * torch.nan, ROWS),
        ("words", ROWS),
        (Failure("exception", "no"), ROWS),
    ],
)
def test_what_is_not_certain_is_not_said(found, expected):
    torch.manual_seed(0)
    assert relation(found, expected) is None


def test_no_relation_tells_the_right_numbers():
    sentences = [relation(way(ROWS), ROWS) for way in (torch.neg, torch.square, lambda e: e + 0.123)]
    assert not any(f"{number:.1f}" in sentence for number in ROWS.flatten().tolist() for sentence in sentences)


# ---------------------------------------------------------------- crashes


def failure_of(code: str, **names) -> Failure:
    """What the sandbox would say of an exception in one line of a student's."""
    from autograder.sandbox.client import exception
    from autograder.sandbox.wire import decode, encode

    source = f"def f({', '.join(names)}):\n    return {code}\n"
    namespace: dict = {"torch": torch, "math": math}
    exec(compile(source, "answer.py", "exec"), namespace)
    try:
        namespace["f"](**names)
    except Exception as error:
        lines = source.splitlines()
        said = described_error(error, [], lambda file, line: lines[line - 1] if file == "answer.py" else None)
        return exception(decode(encode(said)))
    raise AssertionError("it does not raise")


@pytest.mark.parametrize(
    "code, names, said",
    [
        ("gamma + x", {"x": 1}, "`gamma` has no value"),
        ("1 if x > 0 else 2", {"x": torch.ones(3)}, "one condition is needed"),
        ("noise[0] + 1", {"noise": None}, "noise is None"),
        ("x * a", {"x": torch.ones(5, 3, 4, 4), "a": torch.ones(5)}, "(B, 1, 1, 1)"),
        ("x @ y", {"x": torch.ones(2, 3), "y": torch.ones(2, 3)}, "transposed or reshaped"),
        ("x + 'a'", {"x": torch.ones(2)}, "`str`"),
        ("torch.sqrt(x)", {"x": 2.0}, "torch.tensor(...) makes one"),
        ("math.sqrt(x)", {"x": torch.ones(3)}, "where one number is needed"),
        ("x ^ 2", {"x": torch.ones(3)}, "write `**`"),
        ("x[9]", {"x": torch.ones(3)}, "beyond the end"),
        ("x.sum(dim=3)", {"x": torch.ones(3)}, "fewer dimensions"),
        ("x(2)", {"x": torch.ones(3)}, "is a `*` missing"),
        ("x.backward()", {"x": torch.ones(3)}, "no gradient gets there"),
        ("torch.cat(x)", {"x": 3}, "another kind"),
    ],
)
def test_a_crash_names_its_line_and_its_usual_cause(code, names, said):
    sentence = crash(failure_of(code, **names))
    assert f"`return {code}` (answer.py, line 2)" in sentence and said in sentence


def test_the_shapes_that_met_are_told():
    assert "x (5, 3), a (4,)" in crash(failure_of("x * a", x=torch.ones(5, 3), a=torch.ones(4)))


# ---------------------------------------------------------------- misconceptions that only look like it


def test_a_misconception_that_fails_what_the_student_passes_is_not_said():
    """sigmoid(lambda) where it is large is also what sqrt(sigmoid(lambda)) gives: both are 1."""
    bench = Bench("vae_ddpm_cfg")
    (squared,) = [m for m in misconceptions(bench.assignment, "q3_cfg_diffusion") if m.name == "alpha_is_squared"]
    assert "alpha_is_squared" in bench.verdict([squared]).explained_by
    body = (
        "def partly(self, lambda_t):\n    a = torch.sigmoid(lambda_t)\n"
        "    return a if float(lambda_t.max()) > 15 else a.sqrt() + 1e-3 * (lambda_t < -18)"
    )
    partly = Variant("partly", squared.exercise, squared.target, "", squared.module, body, 1)
    assert "alpha_is_squared" not in bench.verdict([partly]).explained_by


bench_of = cache(Bench)


def answered(slug: str, exercise: str, body: str, unknown: str = "") -> list[dict]:
    """What is said of the tests of an exercise that an answer fails, while one misconception is not known.

    `body` defines a function of any name.
    """
    bench = bench_of(slug)
    spec = bench.assignment.exercises[exercise]
    name = body.split("def ", 1)[1].split("(", 1)[0]
    variant = Variant(name, exercise, spec.target, "", spec.module, body, 1)
    verdict, _ = bench.explained([variant], frozenset({unknown}))
    return [t for t in verdict.results["tests"] if t["status"] == "failed" and t["number"].startswith(f"{exercise}.")]


def test_a_misconception_is_looked_for_without_stand_ins_too():
    """The misconception writes the formula out, this answer calls Q1a, for which the test puts a stand-in."""
    (test,) = answered(
        "theory", "Q1b", "def again(mu_1, sigma_1, mu_2, sigma_2):\n    return kl_q_p(mu_1, sigma_1, mu_2, sigma_2)"
    )
    assert test["extra_data"]["misconception"] == "believes_in_symmetry"


def test_what_only_nan_shows_is_said_as_probable():
    """The ratio is right here, and the subtraction is turned round: NaN as well."""
    body = (
        "def other(self, l, k):\n    return ((self.get_exp_ratio(l, k) - 1) * self.sigma_lambda(l) ** 2).sqrt() + 0 * l"
    )
    tests = answered("vae_ddpm_cfg", "Q3.5", body)
    assert tests and not any("Likely cause: The ratio" in test["output"] for test in tests)
    assert has_one_cause([Seen(None, torch.tensor([1.0, torch.nan]))]) and has_one_cause([Seen(None, None)])
    assert not has_one_cause([Seen(None, torch.full((3,), torch.nan)), Seen(None, Failure("exception", "no"))])


def test_right_numbers_are_no_evidence():
    """Noise shared by the batch is no uniform noise, although both give the right loss for noise that is given."""
    body = (
        "def shares(self, x0, labels, noise=None, set_seed=False):\n"
        "    noise = torch.randn_like(x0[:1]).expand_as(x0) if noise is None else noise\n"
        "    t = torch.randint(0, self.n_steps, (len(x0),))\n"
        "    eps = self.eps_model(self.q_sample(x0, self.get_lambda(t), noise), labels)\n"
        "    return (noise - eps).square().sum(dim=(1, 2, 3)).mean()"
    )
    tests = answered("vae_ddpm_cfg", "Q3.10", body, unknown="cfg_loss_shares_its_noise")
    assert tests and "cfg_loss_draws_uniform_noise" not in {t["extra_data"]["misconception"] for t in tests}


def test_a_device_does_not_fail_for_the_reason_of_a_value():
    """This answer shares its noise, and makes it on the CPU: two mistakes."""
    body = (
        "def shares(self, n_steps=None, set_seed=False):\n"
        "    a = self.args\n"
        "    x = torch.randn(1, a.image_channels, a.image_size, a.image_size).repeat(a.n_samples, 1, 1, 1)\n"
        "    for step in reversed(range(n_steps or a.n_steps)):\n"
        "        x = self.diffusion.p_sample(x, torch.full((a.n_samples,), step))\n"
        "    return x.detach()"
    )
    noise, device = answered("vae_ddpm_cfg", "Q2.6", body)
    assert noise["extra_data"]["misconception"] == "sample_repeats_one_noise"
    assert not device["extra_data"]["misconception"] and "on the CPU" in device["output"]


@pytest.mark.parametrize("slug", slugs())
def test_misconceptions_make_tensors_on_a_device(slug):
    """Else they fail the tests of devices, too, and are not told to students whose code passes these."""
    assignment = load_assignment(slug)
    for variant in [m for module in assignment.modules for m in misconceptions(assignment, module)]:
        for call in [node for node in ast.walk(ast.parse(variant.body)) if isinstance(node, ast.Call)]:
            made = ast.unparse(call.func) in ("torch.randn", "torch.rand", "torch.randint", "torch.full")
            placed = "device" in [keyword.arg for keyword in call.keywords] or "CPU" in variant.sentence
            assert placed or not made, f"{variant.name}: {ast.unparse(call)}"


@pytest.mark.parametrize("slug", slugs())
def test_every_exercise_has_a_test_of_the_value_itself(slug):
    """Else nothing would be told first where it is wrong."""
    assignment = load_assignment(slug)
    classes = load_hidden_tests(assignment)
    plain = {
        test.exercise.id
        for test in expected_tests(assignment)
        if not hasattr(getattr(classes[test.class_name], test.method), "__special__")
    }
    assert plain == set(assignment.exercises)


def test_two_formulas_that_meet_where_inputs_are_special():
    """From an almost clean image, sqrt(1 - ratio) sigma^2 is (1 - ratio) sigma^2; elsewhere it is not."""
    body = "def f(self, l, k):\n    return (1 - self.get_exp_ratio(l, k)).sqrt() * self.sigma_lambda(l) ** 2"
    tests = answered("vae_ddpm_cfg", "Q3.5", body)
    assert tests and "sigma_q_is_a_variance" not in {test["extra_data"]["misconception"] for test in tests}


def test_a_wrong_value_is_told_before_what_is_special():
    """No test of other shapes, of large numbers or of gradients blames these where the formula is wrong."""
    body = "def far(y):\n    return 3 * torch.logsumexp(y, dim=1) ** 2 - y.sum(dim=1) * math.log(y.shape[1] + 2)"
    first, *others = answered("vae_ddpm_cfg", "Q1.3", body)
    assert first["output"].startswith("This is not log(1/K sum_k exp(y_k))")
    assert [test["output"] for test in others] == ["It is wrong in this test, too: look at Q1.3.1 first."] * 3
    overflows = answered("vae_ddpm_cfg", "Q1.3", "def small(y):\n    return y.exp().mean(dim=1).add(1e-30).log()")
    assert overflows[0]["output"].startswith("With numbers like 1000 and -1000")


STEP = """def step(loss_type, critic_inner_iters=1, reg_type=None, reg_cf=1.0, alpha_ema=None):
    metric, critic_loss = make_losses(loss_type, reg_type=reg_type, reg_cf=reg_cf)

    def train_step(train_data_iter, critic, critic_optim, generator, test_generator, generator_optim):
        critic_optim.zero_grad()
        for _ in range(critic_inner_iters):
            p = next(train_data_iter)
            critic_loss(p, generator().detach(), critic).backward()
            critic_optim.step()
        generator_optim.zero_grad()
        value = metric(p, generator(), critic)
        value.backward()
        generator_optim.step()
        if alpha_ema is not None:
            apply_exponential_moving_average(generator, test_generator, alpha_ema)
        return value.detach()

    return train_step"""
AVERAGE = """def average(source, target, alpha=0.998):
    with torch.no_grad():
        for new, old in zip(source.parameters(), target.parameters()):
            old.copy_(alpha**2 * old + (1 - alpha) * new)"""


@pytest.mark.parametrize(
    "slug, exercise, body, said, never",
    [
        ("vae_gan_flows", "Q2.7", STEP, "cleared once", "never cleared"),
        ("vae_gan_flows", "Q3.2", "def f(z, u, w, b):\n    return (u.reshape(-1) @ w.reshape(-1)).expand(len(z))",
         "This is u.w", "the determinant itself"),
        ("vae_gan_flows", "Q2.2", "def f(cp, cq):\n    return (cp.mean() - cq.mean()).abs()",
         "An absolute value is taken", "sign is wrong"),
        ("vae_gan_flows", "Q2.6", AVERAGE, "", "in place"),
        ("vae_gan_ddpm", "Q2.4",
         "def f(discriminator, generator, criterion, fake_samples):\n    d = discriminator(fake_samples)\n"
         "    return criterion(torch.ones_like(d), d)", "arguments are swapped", "Wasserstein"),
        ("vae_ddpm_cfg", "Q3.2", "def f(self, l):\n    return (1 - 1 / (1 + torch.exp(l))).sqrt()",
         "loses its digits", "which is alpha^2"),
        ("vae_ddpm_cfg", "Q1.1", "def f(mu, target):\n    with torch.no_grad():\n"
         "        return (target * mu.log() + (1 - target) * (1 - mu).log()).flatten(1).sum(dim=1)",
         "lost its gradient", "return"),
        ("vae_ddpm_cfg", "Q2.2",
         "def f(self, x0, t, eps=None):\n    eps = torch.randn_like(x0) if eps is None else eps\n"
         "    mean, var = self.q_xt_x0(x0, t)\n    return mean + 0.9 * var.sqrt() * eps", "", "share"),
    ],
)  # fmt: skip
def test_no_false_sentence_is_told(slug, exercise, body, said, never):
    """Answers that once were told something that is not true of them."""
    outputs = [test["output"] for test in answered(slug, exercise, body)]
    assert outputs and any(said in output for output in outputs)
    assert not any(never in output for output in outputs), outputs


class Laws(Exercise):
    """A test of a law, whose student gives what `outcomes` holds, without and with stand-ins."""

    def run_law(self, outcomes: dict[bool, object]) -> str:
        self._testMethodName, self.module = "run_law", "m"
        self.runner = SimpleNamespace(
            key=b"", student_number="", student=lambda look: (outcomes[bool(look.replacing)], {}),
            reference=lambda look: (None, {}),
        )  # fmt: skip
        self.setUp()

        def law(found, truth):
            self.assertEqual(len(found), 3, "It has another shape")
            self.assertTrue(bool(found.isfinite().all()), "It is not finite")
            self.assertClose(found, truth, "It is not right")

        with pytest.raises(AssertionError) as caught:
            self.observe_law(lambda m: m.f(), law, [({"f": len}, [torch.ones(3)]), ({}, [torch.ones(3)])])
        assert self.seen == [self.seen[0]] and self.alone is not None and not self.alone.look.replacing
        return str(caught.value)


def test_the_case_that_got_furthest_is_told():
    """Code that fails with stand-ins, or gives another shape, and is almost right without; and the other way round."""
    almost, other = torch.full((3,), 1.5), torch.ones(2)
    for outcomes in (
        {True: other, False: almost},
        {True: almost, False: other},
        {True: Failure("x", "y"), False: almost},
    ):
        assert Laws("run_law").run_law(outcomes).startswith("It is not right")
    assert Laws("run_law").run_law({True: other, False: Failure("exception", "no")}) == "It has another shape"


def test_rows_that_share_their_noise_are_told_before_their_mean():
    case, alike = Exercise(), torch.randn(1, 3).expand(500, 3)
    for check in (lambda: case.assertMean(alike, 7.0, 1.0, "The mean"), lambda: case.assertVariance(alike, 1.0, "It")):
        with pytest.raises(AssertionError, match="All draws are the same"):
            check()
    shared = torch.randn(500, 1).expand(500, 3) + 5
    with pytest.raises(AssertionError, match="Entries of one draw share their noise"):
        case.assertDraws(shared, torch.zeros(3), 1.0, "about")


def test_no_nan_of_a_stand_in_is_the_students():
    """var_p_theta at another v than 0.3: the stand-in knows it, so that the variance is what is told."""
    body = (
        "def other(self, z, l, k, x, set_seed=False):\n"
        "    return self.mu_p_theta(z, x, l, k) + self.var_p_theta(l, k, 0.7).sqrt() * torch.randn_like(z)"
    )
    outputs = [test["output"] for test in answered("vae_ddpm_cfg", "Q3.9", body)]
    assert outputs and all("variance" in output and "NaN" not in output for output in outputs)


def test_a_few_whole_numbers_are_no_evidence():
    look = Look("m", lambda m: 0)
    assert not informative([Seen(look, (torch.tensor(2.0), 1))])
    assert informative([Seen(look, torch.tensor([0.3, 1.2, 5.7]))])


def test_one_law_in_another_order():
    torch.manual_seed(0)
    a, b = torch.randn(4000, 3), torch.randn(4000, 3)
    assert same_law(a, b) and not same_law(a, 1.5 * b) and not same_law(a, b + 0.5) and not same_law(a[:50], b[:50])


# ---------------------------------------------------------------- a whole grade


def explained(tmp_path, change, name="q1_vae.py", only="Q1.4"):
    files = submissions.edited(name, change)
    verdict = submissions.grade_files(tmp_path / "s", files, only=frozenset({only}))
    return [test for test in verdict.results["tests"] if test["status"] == "failed"], verdict.results


def test_students_read_line_and_kind_and_tas_the_edit(tmp_path):
    tests, results = explained(tmp_path, lambda s: s.replace("logvar_p - logvar_q", "logvar_p + logvar_q"))
    first, *others = tests
    lines = submissions.reference()["q1_vae.py"].splitlines()
    line = 1 + next(number for number, text in enumerate(lines) if "logvar_p - l" in text)
    assert {test["extra_data"]["explained_by"] for test in tests} == {"repair"}
    assert f"Look at q1_vae.py, line {line}: a sign is wrong" in first["output"]
    assert "logvar_p + logvar_q -> logvar_p - logvar_q" in first["extra_data"]["edit"]
    assert not any("->" in test["output"] or "logvar_p - logvar_q" in test["output"] for test in tests)
    assert [test["output"] for test in others] == [f"Fails for the same reason as {first['number']}."] * len(others)
    assert all(test["extra_data"]["cause"] == first["extra_data"]["cause"] for test in others)
    assert max(results["extra_data"]["repair_seconds"]) < 5


@pytest.mark.parametrize(
    "hints, told, untold",
    [("none", [], ["Look at", "sign"]), ("line", ["Look at", "line"], ["sign"]), ("kind", ["line", "sign"], [])],
)
def test_how_much_of_a_repair_is_told(hints, told, untold):
    """Whatever students are told, TAs get the edit."""
    bench = Bench("vae_ddpm_cfg")
    body = "def wrong_sign(y):\n    return torch.logsumexp(y, dim=1) + torch.tensor(float(y.shape[1])).log()"
    wrong = Variant("wrong_sign", "Q1.3", "log_mean_exp", "", "q1_vae", body, 1)
    verdict, budget = bench.explained([wrong], None, hints)
    first = next(test for test in verdict.results["tests"] if test["status"] == "failed")
    assert first["extra_data"]["explained_by"] == "repair" and "->" in first["extra_data"]["edit"]
    assert len(budget.spent) == 1
    assert all(words in first["output"] for words in told) and "->" not in first["output"]
    assert not any(words in first["output"] for words in untold)


def test_one_of_two_mistakes_is_mended_and_the_other_has_its_own_cause():
    """A factor 1/2, and times that stay on the CPU: what is said of the one is proven by the tests that it is about."""
    bench = Bench("vae_ddpm_cfg")
    body = (
        "def halved(self, x0, noise=None, set_seed=False):\n    if set_seed:\n        torch.manual_seed(42)\n"
        "    noise = torch.randn_like(x0) if noise is None else noise\n"
        "    t = torch.randint(0, self.n_steps, (x0.shape[0],))\n"
        "    predicted = self.eps_model(self.q_sample(x0, t, noise), t)\n"
        "    return 0.5 * (noise - predicted).square().sum(dim=(1, 2, 3)).mean()"
    )
    wrong = Variant("halved", "Q2.5", "DenoiseDiffusion.loss", "", "q2_ddpm", body, 1)
    verdict, _ = bench.explained([wrong], None)
    first, *_ = tests = [test for test in verdict.results["tests"] if test["status"] == "failed"]
    *passing, device = (test["number"] for test in tests)
    assert "`0.5` does not belong here" in first["extra_data"]["cause"]
    assert f"{' and '.join(passing)} pass, and {device} gets further, to another mistake" in first["output"]


def test_an_exception_is_not_mended_by_going_around_it():
    """Without the square root that raises, one of the tests passes; but it is the name that is missing."""
    body = (
        "def unimported(model, start_point, sigma_t, step_size, num_steps):\n    path = [start_point]\n"
        "    for _ in range(num_steps):\n        x = path[-1]\n        noise = torch.randn_like(x)\n"
        "        path.append(x + step_size * model(x, sigma_t) + maths.sqrt(2 * step_size) * noise)\n    return path"
    )
    tests = answered("ddim_score", "Q2.6", body)
    assert tests and {test["extra_data"]["explained_by"] for test in tests} == {"crash"}


def test_a_right_answer_costs_nothing_more(tmp_path):
    verdict = submissions.grade_files(tmp_path / "s", submissions.reference(), only=frozenset({"Q1.4"}))
    assert "repair_seconds" not in verdict.results["extra_data"]


def test_a_syntax_error_stands_once(tmp_path):
    tests, _ = explained(tmp_path, lambda s: s + "\ndef f(:\n", only="Q1.4")
    assert "line" in tests[0]["output"] and "def f(:" in tests[0]["output"]
    assert all(test["output"] == f"Fails for the same reason as {tests[0]['number']}." for test in tests[1:])


def test_a_crash_in_the_sandbox(tmp_path):
    tests, _ = explained(tmp_path, lambda s: s.replace("kl = 0.5", "kl = hald"))
    assert tests[0]["extra_data"]["explained_by"] in ("crash", "repair")


# ---------------------------------------------------------------- the measurement


def test_mutants_of_alternatives_know_their_line():
    assignment = load_assignment("vae_ddpm_cfg")
    sample = mutated_alternatives(assignment, 400)
    mutant = next(m for m in sample if isinstance(m, MutatedAlternative) and m.mutated)
    source = (assignment.solutions / f"{mutant.module}.py").read_text(encoding="utf-8")
    lines = mutant.applied_to(source).splitlines()
    assert lines[mutant.mutated[0] - 1] in mutant.body.splitlines()


def test_a_misconception_is_explained_without_being_known():
    bench = Bench("vae_ddpm_cfg")
    (known,) = [m for m in misconceptions(bench.assignment, "q1_vae") if m.name == "kl_mean_over_dimensions"]
    one = told(bench, known)
    assert one.by == "repair" and "`mean` and `sum` are confused" in one.cause
