"""Do the hidden tests tell right from wrong? For every assignment: the reference, the stubs, every misconception, every
alternative; for one, a sample of the mutants. `make accuracy` measures all of it, and writes docs/accuracy.md."""

import pytest
import submissions

from autograder.course import CourseError, load_assignment, slugs
from autograder.grading.forkserver import grade_apart
from autograder.grading.results import expected_tests
from autograder.grading.variants import Variant, misconceptions
from autograder.quality.alternatives import alternatives_in_groups
from autograder.quality.bench import Bench, Fate, Kill, Pool, effects, grade_variants, write_submission
from autograder.quality.degenerate import arguments_about, made_answers, problems_of
from autograder.quality.false_alarms import poisson_bound
from autograder.quality.measure import Accuracy
from autograder.quality.misconceptions import judge, known_misconceptions, refuse_wrong_reference
from autograder.quality.mutants import Mutant, equivalents, mutants, mutants_of
from autograder.quality.report import page_of


@pytest.mark.parametrize("slug", slugs())
def test_reference_gets_full_marks(slug, tmp_path):
    assignment = load_assignment(slug)
    verdict = grade_apart(slug, write_submission(assignment, tmp_path / "reference"))
    assert verdict.outputs == []
    assert verdict.score == pytest.approx(assignment.points)


@pytest.mark.parametrize("slug", slugs())
def test_stubs_get_nothing(slug, tmp_path):
    verdict = submissions.grade_files(tmp_path / "stubs", submissions.stubs(slug), slug)
    assert verdict.score == 0
    assert verdict.failed == list(load_assignment(slug).exercises)
    assert all("Not implemented yet" in output for output in verdict.outputs), verdict.outputs


FILES = [(slug, module) for slug in slugs() for module in load_assignment(slug).modules]


@pytest.mark.slow
@pytest.mark.parametrize("slug, module", FILES)
def test_every_misconception_is_caught_alone_and_explained(slug, module):
    variants = known_misconceptions(load_assignment(slug), module)
    with Pool(slug, workers=1) as pool:
        verdicts = pool.map("misconceptions", Bench.verdict, [[variant] for variant in variants])
    problems = [
        f"{v.name}: {judge(v, verdict)}" for v, verdict in zip(variants, verdicts, strict=True) if judge(v, verdict)
    ]
    assert problems == []
    assert len({v.name for v in variants}) == len(variants), "two misconceptions bear the same name"
    exercises = {v.exercise for v in variants}
    expected = {spec.id for spec in load_assignment(slug).in_file(f"{module}.py")}
    assert exercises == expected, "an exercise has no misconception"


@pytest.mark.slow
@pytest.mark.parametrize("slug", slugs())
def test_right_answers_get_full_marks_however_written(slug):
    """Alternatives for different functions go into one submission: all of them must be right."""
    groups = alternatives_in_groups(load_assignment(slug))
    assert groups, f"{slug} has no alternatives"
    for group, verdict in zip(groups, grade_variants(slug, groups), strict=True):
        assert verdict.outputs == [], [v.name for v in group]


@pytest.mark.slow
@pytest.mark.parametrize("slug", slugs())
def test_the_sandbox_gives_the_same_verdicts(slug, tmp_path):
    """The tests above grade in one process; the first misconception of every file also goes through the real grader."""
    assignment, bench = load_assignment(slug), Bench(slug)
    for module in assignment.modules:
        first = misconceptions(assignment, module)[0]
        quick = bench.verdict([first])
        only = frozenset(spec.id for spec in assignment.in_file(f"{module}.py"))
        real = grade_apart(slug, write_submission(assignment, tmp_path / module, [first]), only=only)
        assert judge(first, real) == ""
        assert (real.lost, real.failed, set(real.explained_by)) == (quick.lost, quick.failed, set(quick.explained_by))


# ---------------------------------------------------------------- mutants


def changes_of(body: str, exercise: str = "Q1.1") -> dict[str, Mutant]:
    """Mutants of a function with this body in its region: {change: mutant}."""
    lines = [f"        {line}" for line in body.splitlines()]
    source = "\n".join(
        [
            "import math",
            "import torch",
            "class C:",
            "    def f(self, x: float = 1, k=2):",
            '        """f(x) = 1 + x."""',
            "        x = x + 3  # given",
            f"        # BEGIN SOLUTION {exercise}: hint",
            *lines,
            "        # END SOLUTION",
        ]
    )
    found = mutants_of(source, "module")
    for mutant in found:
        assert mutant.exercise == exercise and mutant.target == "C.f"
        changed = mutant.applied_to(source + "\n\ndef after():\n    pass\n")
        assert "x: float=1, k=2" in changed and "f(x) = 1 + x" in changed and "x = x + 3" in changed, changed
        assert changed.endswith("def after():\n    pass\n")
    return {mutant.key.removeprefix("C.f: "): mutant for mutant in found}


@pytest.mark.parametrize(
    "body, expected",
    [
        ("return x - k", {"x + k", "k - x", "x", "-k", "-(x - k)"}),
        ("return x * k", {"x / k", "x", "k", "-(x * k)"}),
        ("return 3", {"4", "2", "6", "-3"}),
        ("return 0.5", {"1.5", "1.0", "-0.5"}),
        ("return 0", {"1", "-1"}),
        ("return -x", {"x"}),
        ("return x < k", {"x <= k"}),
        ("return x == k", {"x != k"}),
        ("return x and k", {"x or k", "x", "k"}),
        ("return x if k else 1", {"x if not k else 1", "x if k else 2", "x if k else 0", "x if k else -1"}),
        ("return x.sum(dim=1)", {"x", "x.mean(dim=1)", "x.prod(dim=1)", "x.sum(dim=2)", "x.sum(dim=0)", "x.sum()"}),
        ("return x.max(keepdim=True)", {"x.min(keepdim=True)", "x.max(keepdim=False)", "x.max()"}),
        ("return x.sqrt().exp()", {"x.sqrt()", "x", "x.square()", "x.rsqrt()", "x.sqrt().log()"}),
        ("return math.exp(x)", {"x", "math.log(x)", "-math.exp(x)"}),
        ("return torch.randn(k)", {"k", "torch.rand(k)", "torch.zeros(k)"}),
        ("return g(x, k)", {"g(k, x)", "g(x)"}),
        ("return g(a=x, b=k)", {"g(a=k, b=x)", "g(b=k)", "g(a=x)"}),
        ("return x[k]", {"x[k + 1]", "x[k - 1]"}),
        ("return range(k)", {"range(k + 1)", "range(k - 1)"}),
        ("return x, k", {"(k, x)"}),
        ("if x > 0:\n    k = 1\nreturn k", {"not x > 0", "x >= 0", "nothing"}),
        ("with torch.no_grad():\n    k = x\nreturn k", {"nothing, its body stays"}),
    ],
)
def test_each_kind_of_change(body, expected):
    after = {change.split(" -> ")[1] for change in changes_of(body)}
    assert expected <= after, after


def test_what_is_left_alone():
    """Messages, progress bars, annotations, docstrings, and what lies outside of the region."""
    body = 'def g(y: int = 7) -> int:\n    """y + 1"""\n    raise ValueError(f"{x + 1}")\nreturn list(tqdm(x, total=5))'
    after = {change.split(" -> ")[1] for change in changes_of(body)}
    assert not {a for a in after if any(said in a for said in ("total=6", "total=4", "tqdm()", "f'{x - 1}'", "str"))}
    assert all("y: int" in mutant.body and '"""y + 1"""' in mutant.body for mutant in changes_of(body).values())


def test_a_mutant_keeps_what_stands_around_it():
    """Decorators, a zero-argument super(), indentation; each mutant is another program, and compiles."""
    source = (
        "class A:\n    @property\n    def f(self):\n        # BEGIN SOLUTION Q1.1: hint\n"
        "        return super().f * 2\n        # END SOLUTION\n\n    g = 1\n"
    )
    found = mutants_of(source, "module")
    changed = [mutant.applied_to(source) for mutant in found]
    assert len(set(changed)) == len(found) > 0
    for text in changed:
        assert "    @property\n    def f(self):\n        return" in text and text.endswith("    g = 1\n")
    assert any("super().f / 2" in text for text in changed)


def test_equal_changes_have_keys_of_their_own():
    keys = [key for key in changes_of("k = x + 1\nreturn g(x + 1)") if key.startswith("x + 1 -> x - 1")]
    assert keys == ["x + 1 -> x - 1", "x + 1 -> x - 1 #2"]


@pytest.mark.parametrize("slug", slugs())
def test_mutants_have_names_and_keys_of_their_own(slug):
    assignment = load_assignment(slug)
    for module in assignment.modules:
        found = mutants(assignment, module)
        assert {m.exercise for m in found} - {""} == {spec.id for spec in assignment.in_file(f"{module}.py")}
        assert len({m.name for m in found}) == len({m.key for m in found}) == len(found)
        arguments = equivalents(assignment, module)
        assert set(arguments) <= {m.key for m in found}, "an argument about a mutant that does not exist"
        assert all(len(argument.split()) >= 4 for argument in arguments.values())


def test_mutants_are_killed_or_argued_about():
    """Every twelfth mutant of one assignment; `make accuracy` grades all of all."""
    assignment = load_assignment("vae_ddpm_cfg")
    bench = Bench("vae_ddpm_cfg")
    sample = [mutant for module in assignment.modules for mutant in mutants(assignment, module)][5::12]
    assert len(sample) > 50
    kills = [(mutant, bench.kill(mutant)) for mutant in sample]
    argued = {module: equivalents(assignment, module) for module in assignment.modules}
    found = Accuracy(assignment, mutants=kills, argued=argued)
    assert [mutant.sentence for mutant in found.survivors()] == []
    own = [mutant.name for mutant, kill in kills if kill and not kill.test.startswith(f"{mutant.exercise}.")]
    assert own == [], "killed by another exercise's test only"


def test_an_argument_about_a_killed_or_unknown_mutant_is_stale():
    mutant, other = list(changes_of("return x - k").values())[:2]
    found = Accuracy(load_assignment("theory"), mutants=[(mutant, None), (other, Kill("Q1.1.1", "value"))])
    assert found.survivors() == [mutant] and len(found.problems()) == 1
    found.argued = {"module": {mutant.key: "It makes no difference."}}
    assert found.survivors() == [] and found.problems() == []
    found.argued = {"module": {other.key: "killed", "C.f: x -> y": "unknown"}}
    assert [entry.split(": ")[-1] for entry in found.stale()] == ["a test kills this mutant", "there is no such mutant"]


def test_a_mutant_that_hangs_is_killed(monkeypatch):
    monkeypatch.setattr("autograder.quality.bench.TEST_SECONDS", 0.5)
    assignment = load_assignment("theory")
    (mutant,) = [m for m in mutants(assignment, "answers") if m.key == "root: low *= 2 -> nothing"]
    assert Bench("theory").kill(mutant).how == "time"


def test_an_answer_is_graded_by_the_tests_that_run_it():
    """A constructor concerns every test of its class, q_sample its own exercise: others' tests put a stand-in there."""
    bench = Bench("vae_ddpm_cfg")

    def raises(target: str) -> Variant:
        body = "def raises(*args, **kwargs):\n    raise ValueError(args)"
        return Variant("raises", "Q2.2", target, "It raises.", "q2_ddpm", body, 1)

    q2 = {spec.id for spec in bench.assignment.in_file("q2_ddpm.py")}
    for target, graded in {"DenoiseDiffusion.__init__": q2, "DenoiseDiffusion.q_sample": {"Q2.2"}}.items():
        assert bench.assignment.exercises["Q2.2"].target == "DenoiseDiffusion.q_sample"
        assert {test.exercise.id for test in bench.tests([raises(target)])} == graded
        assert set(bench.verdict([raises(target)]).failed) == graded
    assert len(bench.tests([])) == len(expected_tests(bench.assignment))


def test_false_alarms_are_counted():
    """An answer whose error grows with its input: other keys, other inputs, another verdict."""
    body = "def slips(y):\n    return torch.logsumexp(y, dim=1) - math.log(y.shape[1]) + 1e-3 * (y[0, 0] > 0)"
    slips = Variant("slips", "Q1.3", "log_mean_exp", "Wrong for some inputs.", "q1_vae", body, 1)
    bench = Bench("vae_ddpm_cfg")
    tests, none = bench.false_alarms([], 0)
    assert none == [] and tests == len(expected_tests(load_assignment("vae_ddpm_cfg")))
    failures = [set(bench.false_alarms([slips], key)[1]) for key in range(6)]
    assert len(set(map(frozenset, failures))) > 1
    assert {test.rpartition(".")[0] for found in failures for test in found} <= {"Q1.3", "Q1.5", "Q1.6"}


@pytest.mark.parametrize("count, mean", [(0, 2.9957), (1, 4.7439), (5, 10.5130)])
def test_bound_of_a_rate(count, mean):
    """For no event the rule of three; the others are in every table of Poisson confidence limits."""
    assert poisson_bound(count) == pytest.approx(mean, abs=1e-3)


def test_the_page_says_what_was_measured():
    assignment = load_assignment("theory")
    alive, killed = list(changes_of("return x - k").values())[:2]
    found = Accuracy(assignment, mutants=[(alive, None), (killed, Kill("Q1.1.1", "error"))])
    found.reference.tests, found.reference.runs, found.others.runs = 10, 3000, 100
    page = page_of([found], 300, "the command", 2)
    assert "| theory | 0 | 0 | 0 | 0 | 2 | 1 | 0 | 1 |" in page
    assert "| theory | 0 of 0 | 10 | 3000 | 0 | 1.0e-03 | 100 | 0 | 3.0e-02 |" in page
    assert "1 of the 1 killed" in page and "300 different keys" in page and "30 each" in page
    assert f"mutant {alive.name} survives" in page


def test_a_wrong_solution_is_refused_before_anything_is_measured(monkeypatch):
    wrong = type("Verdict", (), {"outputs": ["It is wrong."], "failed": ["Q1.3"]})()
    monkeypatch.setattr("autograder.quality.misconceptions.grade_variants", lambda slug, variants: iter([wrong]))
    with pytest.raises(CourseError, match="fail their own tests, Q1.3"):
        refuse_wrong_reference("vae_ddpm_cfg")


# ---------------------------------------------------------------- degenerate and wrapped answers


@pytest.mark.parametrize("slug", slugs())
def test_every_exercise_has_answers_made_by_rule(slug):
    assignment = load_assignment(slug)
    made = [answer for module in assignment.modules for answer in made_answers(assignment, module)]
    assert {answer.exercise for answer in made} == set(assignment.exercises)
    assert len({(answer.module, answer.key) for answer in made}) == len(made)
    assert {answer.sentence.partition(": ")[2] for answer in made} >= {"zeros", "NaN", "in float16", "seeded inside"}


BLIND = ["returns None", "zeros in float16", "returns nothing", "NaN", "infinity", "zeros", "ones", "random numbers"]
HABITS = ["in float16", "keeps what it returned first", "right for the first row only", "seeded inside", "detached"]


@pytest.mark.parametrize("slug", slugs())
def test_made_answers_earn_nothing(slug):
    """A fixed sample: of every exercise two answers that ignore its arguments, which must not pass a single test, and
    one with a habit. `make accuracy` grades all of all."""
    assignment = load_assignment(slug)
    made = [answer for module in assignment.modules for answer in made_answers(assignment, module)]
    sample = []
    for index, exercise in enumerate(assignment.exercises):
        chosen = {BLIND[index % len(BLIND)], BLIND[(index + 3) % len(BLIND)], HABITS[index % len(HABITS)]}
        sample += [a for a in made if a.exercise == exercise and a.key.partition(": ")[2] in chosen]
    assert len(sample) == 3 * len(assignment.exercises)
    bench = Bench(slug)
    found = Accuracy(assignment, made=[(a, bench.fate(a)) for a in sample], made_argued=arguments_about(assignment))
    assert found.made_problems()[0] == []
    assert sum(fate.applies for _, fate in found.made) > len(sample) / 2


@pytest.mark.parametrize("rule", ["zeros", "returns None"])
@pytest.mark.parametrize("slug", slugs())
def test_a_submission_that_ignores_its_inputs_earns_nothing(slug, rule):
    """Every function of all files returns zeros of the right shape, or None: not one test passes. (What is no number,
    such as an optimizer, has no zeros, and what returns None is right in that: there the right answer stays.)"""
    assignment = load_assignment(slug)
    made = [answer for module in assignment.modules for answer in made_answers(assignment, module)]
    chosen = [answer for answer in made if answer.key.endswith(f": {rule}")]
    assert {answer.exercise for answer in chosen} == set(assignment.exercises)
    bench = Bench(slug)
    effects.difference_update(answer.name for answer in chosen)
    tests = bench.tests([])
    with bench.runner(chosen) as runner:
        failed = {kill.test for kill in bench.failures(tests, runner)}
    changed = {answer.exercise for answer in chosen if answer.name in effects}
    assert len(changed) > len(assignment.exercises) / 2
    assert {test.number for test in tests if test.exercise.id in changed} - failed == set()


def test_the_sample_fails_where_a_comparison_is_left_out(monkeypatch):
    assignment = load_assignment("ddim_score")
    (zeros,) = [a for a in made_answers(assignment, "ddpm_ddim") if a.key == "linear_schedule: zeros"]
    bench = Bench("ddim_score")
    assert problems_of(zeros, bench.fate(zeros)) == []
    monkeypatch.setattr("autograder.grading.exercise.difference", lambda *args, **kwargs: None)
    assert problems_of(zeros, bench.fate(zeros)) == ["linear_schedule: zeros earns Q1.1.1"]


@pytest.mark.parametrize(
    ("rule", "applies", "caught"),
    [
        ("zeros", True, True),
        ("in bfloat16", True, True),
        ("an echo of x0", True, True),
        ("changes in place x0", True, True),
        ("changes in place eps", True, True),
        ("leaves alone eps", True, True),
        ("noise shared over the batch", True, True),
        ("noise shared over pixels", True, True),
        ("seeded inside", True, True),
        ("transposed", True, True),
        ("right for the first row only", True, True),
        ("leaves networks in eval mode", False, False),
    ],
)
def test_made_answers_behave_as_they_are_called(rule, applies, caught):
    """On q_sample, which calls no network and draws noise where none is given."""
    assignment = load_assignment("vae_ddpm_cfg")
    key = f"DenoiseDiffusion.q_sample: {rule}"
    (answer,) = [answer for answer in made_answers(assignment, "q2_ddpm") if answer.key == key]
    fate = Bench("vae_ddpm_cfg").fate(answer)
    assert (fate.applies, fate.kill is not None) == (applies, caught)


def test_a_finding_needs_an_argument():
    assignment = load_assignment("theory")
    answer = made_answers(assignment, "answers")[0]
    kept, lost = Fate(True, None, ("Q1.1",)), Fate(True, Kill("Q1.1", "value"), ("Q1.2",))
    assert problems_of(answer, Fate(False, None, ("Q1.1",))) == []
    assert problems_of(answer, kept) == [answer.key]
    assert problems_of(answer, lost) == [f"{answer.key} earns Q1.2"]
    found = Accuracy(assignment, made=[(answer, kept), (answer, lost)], made_argued={"*earns*": "It is so."})
    assert found.made_problems() == ([answer.key], [(f"{answer.key} earns Q1.2", "It is so.")])
    assert found.problems() == [f"degenerate or wrapped answer: {answer.key}"]
