"""A new assignment in a minute: `python -m autograder new SLUG` writes everything that the others have, with one worked
example for each exercise, so that it builds, grades and passes its tests at once. `--remove` takes one away as a whole.

What it writes is yours to replace: the example function of every exercise is the mean of squares.
"""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autograder.course import ALTERNATIVES, EQUIVALENTS, HIDDEN_TESTS, MISCONCEPTIONS, ROOT, CourseError, slugs
from autograder.files import write_text

TABLE = re.compile(r"(<!-- assignments -->\n.*?)(\n<!-- end -->)", re.DOTALL)


@dataclass(frozen=True)
class Plan:
    """What a new assignment is to be."""

    slug: str
    title: str
    module: str  # the student's file, without .py
    exercises: list[tuple[str, float]]  # functions and their points

    @property
    def numbered(self) -> list[tuple[str, str, float]]:
        return [(f"Q1.{place}", name, points) for place, (name, points) in enumerate(self.exercises, start=1)]

    @property
    def points(self) -> float:
        return sum(points for _, points in self.exercises)


def plan_of(slug: str, title: str, file: str, exercises: list[str]) -> Plan:
    """A plan from what was typed.

    Args:
        exercises: "function" or "function:points" each.
    Raises:
        CourseError: if a name cannot be used, or points are no number.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", slug):
        raise CourseError(f"{slug!r} cannot name an assignment: take small letters, digits and _, as in my_flows.")
    if slug in slugs() or (ROOT / "solutions" / slug).exists():
        raise CourseError(f"There is an assignment {slug} already.")
    module = file.removesuffix(".py")
    found: dict[str, float] = {}
    for text in exercises:
        name, _, points = text.partition(":")
        try:
            found[name] = float(points or 5)
        except ValueError:
            raise CourseError(f"{text!r}: write function:points, as in log_mean_exp:4.") from None
        if found[name] < 0:
            raise CourseError(f"{text!r}: points are 0 or more.")
    for name in [module, *found]:
        if not re.fullmatch(r"[a-z_][a-z0-9_]*", name):
            raise CourseError(f"{name!r} cannot name a file or a function: take small letters, digits and _.")
    if len(found) < len(exercises):
        raise CourseError("Two exercises have the same function.")
    return Plan(slug, title or slug.replace("_", " ").capitalize(), module, list(found.items()))


def ask(slug: str, answer: Callable[[str], str] = input) -> Plan:
    """A plan from a short dialogue."""
    title = answer(f"Title [{slug.replace('_', ' ').capitalize()}]: ").strip()
    file = answer("The file that students complete [answers.py]: ").strip() or "answers.py"
    exercises = answer("Its functions and their points, as in `log_mean_exp:4 kl:6` [mean_square:5]: ").split()
    return plan_of(slug, title, file, exercises or ["mean_square:5"])


# ---------------------------------------------------------------- writing


def new(plan: Plan) -> list[Path]:
    """Write a new assignment, its stub and its notebook too. Returns what was written or changed."""
    given, solutions = ROOT / "assignment" / plan.slug, ROOT / "solutions" / plan.slug
    files = {
        given / "assignment.toml": settings(plan),
        given / "README.md": handout(plan),
        given / "requirements.txt": REQUIREMENTS,
        given / "public_tests" / "conftest.py": CONFTEST,
        given / "public_tests" / f"test_{plan.module}.py": public_tests(plan),
        solutions / f"{plan.module}.py": solution(plan),
        HIDDEN_TESTS / plan.slug / f"{plan.module}.py": hidden_tests(plan),
        MISCONCEPTIONS / plan.slug / f"{plan.module}.py": wrong_answers(plan),
        ALTERNATIVES / plan.slug / f"{plan.module}.py": right_answers(plan),
        EQUIVALENTS / f"{plan.slug}.toml": no_equivalents(plan),
        ROOT / "notebooks" / plan.slug / f"q1_{plan.module}.md": lab_text(plan),
        ROOT / "course.toml": in_course(listed_with(plan.slug)),
        ROOT / "README.md": in_readme(plan.slug, row(plan)),
    }
    for path, text in files.items():
        write_text(path, text)
    return [*files, *generated(plan.slug)]


def generated(slug: str) -> list[Path]:
    """Stub, the course's lines and notebook, written."""
    from autograder.publish.handout import write_handouts
    from autograder.publish.notebooks import write_notebooks
    from autograder.publish.stubs import write_stubs

    return [ROOT / name for write in (write_stubs, write_handouts, write_notebooks) for name in write(slug)]


def remove(slug: str) -> list[Path]:
    """Take an assignment away, with everything that is its own. Returns what was removed or changed.

    Raises:
        CourseError: if there is none, or another one shares its hidden tests.
    """
    from autograder.course import load_assignment

    if slug not in slugs():
        raise CourseError(f"There is no assignment {slug!r}. There are: {', '.join(slugs())}.")
    for other in slugs():
        shared = load_assignment(other).same_as
        if other != slug and (lent := [place for place in shared.values() if place.startswith(f"{slug}/")]):
            raise CourseError(
                f"{other} shares the hidden tests of {', '.join(lent)}: remove {other} first, or copy them to it and "
                f"delete its [same_as]."
            )
    rooms = [ROOT / "assignment", ROOT / "solutions", ROOT / "notebooks", HIDDEN_TESTS, MISCONCEPTIONS, ALTERNATIVES]
    own = [room / slug for room in rooms if (room / slug).exists()]
    own += [path for path in [EQUIVALENTS / f"{slug}.toml"] if path.exists()]
    changed = {
        ROOT / "course.toml": in_course([name for name in slugs() if name != slug]),
        ROOT / "README.md": in_readme(slug, None),
    }
    for path in own:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path, text in changed.items():
        write_text(path, text)
    return [*own, *changed]


def listed_with(slug: str) -> list[str]:
    return [*slugs(), slug]


def in_course(names: list[str]) -> str:
    """course.toml with these assignments, its comments untouched; of one that is gone, its dates and points too."""
    text = (ROOT / "course.toml").read_text(encoding="utf-8")
    line = f"assignments = [{', '.join(f'{chr(34)}{name}{chr(34)}' for name in names)}]"
    text, count = re.subn(r"^assignments = \[[^\]]*\]", line, text, count=1, flags=re.MULTILINE)
    if not count:
        raise CourseError("course.toml has no line `assignments = [...]`: add it.")
    for gone in set(slugs()) - set(names):
        text = re.sub(rf"^{gone} = .*\n", "", text, flags=re.MULTILINE)  # below [due] and [closes]
        text = re.sub(rf"^\[points\.{gone}\]\n(?:(?!\[).*\n)*", "", text, flags=re.MULTILINE)
    return text


def in_readme(slug: str, line: str | None) -> str:
    """README.md with a row for an assignment, or without."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = TABLE.search(text)
    if not found:
        raise CourseError("README.md: the table of assignments stands between <!-- assignments --> and <!-- end -->.")
    rows = [old for old in found[1].splitlines() if f"(assignment/{slug}/README.md)" not in old]
    return text[: found.start(1)] + "\n".join([*rows, *([line] if line else [])]) + text[found.end(1) :]


# ---------------------------------------------------------------- what is written


def row(plan: Plan) -> str:
    return f"|  | [{plan.slug}](assignment/{plan.slug}/README.md) | {plan.title} | {plan.points:g} |  |"


def settings(plan: Plan) -> str:
    lines = [f'"{id}" = {{ of = "{plan.module}.{name}", points = {points:g} }}' for id, name, points in plan.numbered]
    comment = "# The exercises of this assignment: where each is graded, and its points. The one place for both."
    return "\n".join([comment, "", f'title = "{plan.title}"', "", "[exercises]", *lines, ""])


REQUIREMENTS = """\
# Python 3.11 or newer:  python -m venv .venv && .venv/bin/pip install -r requirements.txt
torch>=2.6
numpy>=1.26
matplotlib>=3.8
tqdm>=4.66
rich>=13
pytest>=8.0
"""

CONFTEST = '''\
"""Finds your files; all else is in student/public_tests.py, beside this assignment or at the repository's root."""

import sys
from pathlib import Path

ASSIGNMENT = Path(__file__).resolve().parents[1]
sys.path += [str(ASSIGNMENT), str(ASSIGNMENT.parents[1])]

from student.public_tests import find_files, pytest_runtest_call, student  # noqa: E402

find_files(ASSIGNMENT)
'''


def handout(plan: Plan) -> str:
    from autograder.publish.handout import BEGIN, END

    rows = "\n".join(f"| {id} | `{name}` | {points:g} |" for id, name, points in plan.numbered)
    return f"""\
# {plan.title}

What this assignment is about, in three sentences. Then what one has to know before one begins.

{BEGIN}

{END}

## Set up and check

Python 3.11 or newer:

    python -m venv .venv && .venv/bin/pip install -r requirements.txt
    python check.py                   # every exercise: to do, wrong (and why), or right

`{plan.module}.py` is the file that you complete: each part is marked by a `TODO` and raises `NotImplementedError` with
the exercise's number. The notebook `notebooks/q1_{plan.module}.ipynb` leads through the same exercises.

## Question 1

$$m(x) = \\frac{{1}}{{D}} \\sum_{{i=1}}^{{D}} x_i^2 \\tag{{1}}$$

| exercise | function | points |
| --- | --- | --- |
{rows}

## Submit

`python submit.py` packs `{plan.module}.py` into a zip. Upload that.
"""


def function(name: str, number: str, body: str) -> str:
    return f'''\
def {name}(x: Tensor) -> Tensor:
    """The mean square of each example, equation (1) of the handout. (An example: replace it by your exercise.)

        m(x) = 1/D sum_i x_i^2

    Args:
        x: (B, D).

    Returns:
        (B,): one number for each example. The pitfall: the sum is not the mean.
    """
{body.replace("@ID@", number)}'''


def solution(plan: Plan) -> str:
    body = """\
    # BEGIN SOLUTION @ID@: square, then average over all dimensions but the batch.
    return x.square().mean(dim=1)
    # END SOLUTION
"""
    head = f'"""{plan.title}. You complete this file; the notebook, the public tests and the grader read it."""'
    functions = [function(name, number, body) for number, name, _ in plan.numbered]
    return "\n\n".join([f"{head}\n\nfrom torch import Tensor\n", *functions])


def class_name(function: str) -> str:
    return "".join(word.capitalize() for word in function.split("_"))


def public_tests(plan: Plan) -> str:
    tests = [
        f'''\
def test_{id.lower().replace(".", "_")}_{name}(student):
    x = torch.tensor([[1.0, 2.0], [0.0, 4.0]])
    assert torch.allclose(student("{plan.module}").{name}(x), torch.tensor([2.5, 8.0]).to(x))
'''
        for id, name, _ in plan.numbered
    ]
    head = (
        f'"""Public tests of {plan.module}.py: small examples that can be redone by hand. The grader looks at more."""'
    )
    return "\n\n".join([f"{head}\n\nimport torch\n", *tests])


def hidden_tests(plan: Plan) -> str:
    module = plan.module
    classes = [
        f'''\
class {class_name(name)}(Exercise):
    module = "{module}"

    @number("{id}")
    @weight(3)
    def test_values(self):
        """{name} is the mean of squares, one for each example."""
        x = self.randn(97, 5)
        found = self.observe(lambda {module}: {module}.{name}(x=x))
        expected = torch.linalg.vector_norm(x.double(), dim=1) ** 2 / x.shape[1]
        self.assertClose(found, expected.float(), "This is not 1/D sum_i x_i^2, one number for each example")

    @number("{id}")
    @weight(1)
    def test_other_sizes(self):
        """A batch of one, and more dimensions."""
        x, wide = self.randn(1, 3), self.randn(4, 31)
        self.check(lambda {module}: ({module}.{name}(x), {module}.{name}(wide)), "It is right for one size only")
'''
        for id, name, _ in plan.numbered
    ]
    head = f'"""Hidden tests of {module}.py. Instructors read this file; students never see it."""'
    imports = "import torch\n\nfrom autograder.grading.exercise import Exercise, number, weight\n"
    return "\n\n".join([f"{head}\n\n{imports}", *classes])


def wrong_answers(plan: Plan) -> str:
    wrong = [
        f'''\
@wrong("{id}", "{name}")
def {name}_sums(x):
    """This is the sum of the squares: divide by the number of dimensions."""
    return x.square().sum(dim=1)


@wrong("{id}", "{name}")
def {name}_averages_over_the_batch(x):
    """The average is taken over the batch: average over the dimensions of each example."""
    return x.square().mean(dim=0)
'''
        for id, name, _ in plan.numbered
    ]
    head = f'"""What students get wrong in {plan.module}.py, each with the sentence that explains it."""'
    return "\n\n".join([f"{head}\n\nfrom autograder.grading.variants import wrong\n", *wrong])


def right_answers(plan: Plan) -> str:
    right = [
        f'''\
@right("{id}", "{name}")
def {name}_by_a_product(x):
    """A product, and a division by hand."""
    return (x * x).sum(-1) / x.shape[-1]
'''
        for id, name, _ in plan.numbered
    ]
    head = f'"""Right answers to {plan.module}.py that look different from the reference."""'
    return "\n\n".join([f"{head}\n\nfrom autograder.grading.variants import right\n", *right])


def no_equivalents(plan: Plan) -> str:
    comment = (
        "# Mutants that no hidden test can or should notice, each with the reason: see autograder/quality/mutants.py."
    )
    return f"{comment}\n\n[{plan.module}]\n"


def lab_text(plan: Plan) -> str:
    cells = [f"## {id}: `{name}`\n\nWhat it is, and what it is for.\n\n```python\n%check {id}\n```\n"
             for id, name, _ in plan.numbered]  # fmt: skip
    report = "**For the report (T1.1):** a question that makes one think about what was computed.\n"
    head = f"""\
# {plan.title}

You complete `{plan.module}.py`, in an editor or in Colab's file pane; this notebook imports it, reloads it whenever
you save it, and checks each exercise.

## The idea

$$m(x) = \\frac{{1}}{{D}} \\sum_{{i=1}}^{{D}} x_i^2 \\tag{{1}}$$

{report}"""
    return "\n".join([head, *cells])
