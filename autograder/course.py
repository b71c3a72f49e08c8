"""The course and its assignments, as data: course.toml and assignment/<slug>/assignment.toml.

Imports nothing heavy, so that every command can say what is wrong before torch is loaded.
"""

import secrets
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HIDDEN_TESTS = ROOT / "autograder" / "hidden_tests"
MISCONCEPTIONS = ROOT / "autograder" / "misconceptions"
ALTERNATIVES = ROOT / "autograder" / "alternatives"
EQUIVALENTS = ROOT / "autograder" / "equivalents"
READ_BY_PEOPLE = {".md", ".pdf", ".tex", ".txt", ".png", ".svg", ".ipynb", ".csv"}  # no grade depends on these
NO_CODE = {"__pycache__", "public_tests", "figures", "latex"}
SECRET = ROOT / "autograder" / "course.secret"


class CourseError(Exception):
    """Something that a person must put right; the message says what and how."""


@dataclass(frozen=True)
class ExerciseSpec:
    """One exercise: `of` names what is graded, as `module.function` or `module.Class.method`."""

    id: str
    of: str
    points: float

    @property
    def module(self) -> str:
        return self.of.partition(".")[0]

    @property
    def target(self) -> str:
        return self.of.partition(".")[2]


@dataclass(frozen=True, eq=False)
class Assignment:
    slug: str
    title: str
    exercises: dict[str, ExerciseSpec]
    forbidden: tuple[str, ...] = ()  # modules that an answer may not use: "torch.distributions"
    same_as: dict[str, str] = field(default_factory=dict)  # module -> "slug/module" whose hidden tests it shares

    @cached_property
    def files(self) -> list[str]:
        """The files that a student completes, in the order of their exercises."""
        return list(dict.fromkeys(f"{exercise.module}.py" for exercise in self.exercises.values()))

    @property
    def points(self) -> float:
        return sum(exercise.points for exercise in self.exercises.values())

    @property
    def given(self) -> Path:
        return ROOT / "assignment" / self.slug

    @property
    def solutions(self) -> Path:
        return ROOT / "solutions" / self.slug

    def tests_files(self, module: str) -> list[Path]:
        """The hidden tests of a student file; another assignment's where both share their exercises.

        They are one file, <module>.py, or all files of a folder <module>/, which import from each other relatively.
        """
        place = HIDDEN_TESTS / self.same_as.get(module, f"{self.slug}/{module}")
        return sorted(place.glob("*.py")) if place.is_dir() else [place.with_suffix(".py")]

    def misconceptions_file(self, module: str) -> Path:
        return MISCONCEPTIONS / f"{self.same_as.get(module, f'{self.slug}/{module}')}.py"

    def alternatives_file(self, module: str) -> Path:
        return ALTERNATIVES / self.slug / f"{module}.py"

    @property
    def equivalents_file(self) -> Path:
        return EQUIVALENTS / f"{self.slug}.toml"

    @property
    def notebooks(self) -> Path:
        return ROOT / "notebooks" / self.slug

    @property
    def modules(self) -> list[str]:
        return [name.removesuffix(".py") for name in self.files]

    def in_file(self, filename: str) -> list[ExerciseSpec]:
        return [e for e in self.exercises.values() if f"{e.module}.py" == filename]


def slugs() -> list[str]:
    """Every assignment of this repository, in the order of the course.

    Raises:
        CourseError: if course.toml names an assignment that does not exist.
    """
    found = [path.parent.name for path in (ROOT / "assignment").glob("*/assignment.toml")]
    settings = course()
    for where in ("assignments", "due", "closes", "points"):
        if unknown := set(settings.get(where, ())) - set(found):
            names, there = ", ".join(sorted(unknown)), ", ".join(sorted(found))
            raise CourseError(f"course.toml: {where} names {names}; there are {there}.")
    order = settings.get("assignments", [])
    return sorted(found, key=lambda slug: (order.index(slug) if slug in order else len(order), slug))


def course() -> dict:
    """What an instructor sets in course.toml.

    Raises:
        CourseError: if [late] has a setting that does not exist.
    """
    settings = read_toml(ROOT / "course.toml")
    known = {"enabled", "grace_days", "penalty_per_day"}
    if unknown := set(settings.get("late", ())) - known:
        raise CourseError(f"course.toml: [late] has no {', '.join(sorted(unknown))}, only {', '.join(sorted(known))}.")
    return settings


def load_assignment(slug: str) -> Assignment:
    """Read an assignment's exercises; points in course.toml override those in assignment.toml.

    Raises:
        CourseError: if there is no such assignment, or its description is inconsistent.
    """
    path = ROOT / "assignment" / slug / "assignment.toml"
    if not path.is_file():
        raise CourseError(f"There is no assignment {slug!r}. There are: {', '.join(slugs())}.")
    data = read_toml(path)
    override = course().get("points", {}).get(slug, {})
    unknown = set(override) - set(data["exercises"])
    if unknown:
        raise CourseError(f"course.toml sets points for {', '.join(sorted(unknown))}, which {slug} does not have.")
    exercises = {}
    for name, entry in data["exercises"].items():
        try:
            exercises[name] = ExerciseSpec(name, entry["of"], float(override.get(name, entry["points"])))
        except (KeyError, TypeError, ValueError):
            example = '{ of = "module.function", points = 2 }'
            raise CourseError(f"{path.relative_to(ROOT)}: {name} must look like {example}.") from None
    return Assignment(slug, data["title"], exercises, tuple(data.get("forbidden", ())), data.get("same_as", {}))


def grading_files(assignment: Assignment) -> list[Path]:
    """Every file that a grade of this assignment reads, but for the course secret: the Gradescope zip holds just these,
    and a change of one of them grades a class again."""
    engine = ROOT / "autograder"
    places = [engine / "grading", engine / "sandbox", assignment.given, ROOT / "data_loaders", ROOT / "training"]
    files = [engine / f"{name}.py" for name in ("__init__", "__main__", "course", "files")] + [ROOT / "course.toml"]
    files += [assignment.solutions / name for name in assignment.files]
    for module in assignment.modules:
        files += [*assignment.tests_files(module), assignment.misconceptions_file(module)]
    for place in places:
        files += [p for p in place.rglob("*") if p.suffix not in READ_BY_PEOPLE and not NO_CODE & set(p.parts)]
    return sorted({path for path in files if path.is_file()})


def course_secret() -> bytes:
    """The key of every student's inputs; made at the first use, ignored by git, packed for Gradescope."""
    if not SECRET.exists():
        SECRET.write_text(secrets.token_hex(32) + "\n")
        SECRET.chmod(0o600)
    return SECRET.read_bytes().strip()


def read_toml(path: Path) -> dict:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CourseError(f"{path.name} is missing: it belongs at {path.parent}.") from None
    except tomllib.TOMLDecodeError as error:
        raise CourseError(f"{path.relative_to(ROOT)} cannot be read: {error}.") from None
