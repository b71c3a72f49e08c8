"""The course and its assignments, as data: course.toml and assignment.toml, checked; every path of an assignment.

Imports nothing heavy, so that every command can say what is wrong before torch is loaded.
"""

import copy
import difflib
import re
import secrets
import tomllib
import typing
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec

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
    def modules(self) -> list[str]:
        return [name.removesuffix(".py") for name in self.files]

    def exercises_meant(self, wanted: Iterable[str]) -> frozenset[str]:
        """The exercises that a person means by "Q1.4", by "Q1" or by a file's name.

        Raises:
            CourseError: if one of them means none.
        """
        meant: set[str] = set()
        for text in wanted:
            name = text.removesuffix(".py").lower()
            starts = re.compile(rf"{re.escape(name)}(?!(?<=\d)\d)")  # Q2 means Q2.1, not Q20
            found = {e.id for e in self.exercises.values() if starts.match(e.id.lower()) or e.module.lower() == name}
            if not found or not name:
                there = f"{', '.join(self.exercises)}; or a file: {', '.join(self.files)}"
                raise CourseError(f"{self.slug} has no exercise {text!r}. There are {there}.")
            meant |= found
        return frozenset(meant)

    def in_file(self, filename: str) -> list[ExerciseSpec]:
        return [e for e in self.exercises.values() if f"{e.module}.py" == filename]


# ---------------------------------------------------------------- the two toml files, as they must look


class Late(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Late work: what happens after the due date."""

    enabled: bool = False
    grace_days: Annotated[float, msgspec.Meta(ge=0)] = 0  # started days that cost nothing
    penalty_per_day: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0  # of what the submission scored
    slip_days: Annotated[int, msgspec.Meta(ge=0)] = 0  # that every student has over the term, with `batch --slip-days`


class DataPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where data lie that a course has to bring."""

    home: str = ""
    sha256: list[str] = []


T = TypeVar("T")
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Points = Annotated[float, msgspec.Meta(ge=0)]


class Course(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """course.toml: what an instructor sets."""

    course: str
    term: str
    repository: str  # the students'
    branch: str = "main"
    submission_name: Annotated[str, msgspec.Meta(pattern=r"^$|^[\w.\[\]-]+\.zip$")] = ""  # of what students upload
    assignments: list[str] = []
    due: dict[str, Moment] = {}
    closes: dict[str, Moment] = {}
    points: dict[str, dict[str, Points]] = {}
    late: Late = Late()
    hints: Literal["none", "line", "kind"] = "kind"  # how much of a proven repair a student is told
    data: dict[str, DataPlace] = {}


class ExerciseEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """{ of = "module.function", points = 2 }"""

    of: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*){1,2}$")]
    points: Points


class AssignmentEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """assignment.toml."""

    title: str
    exercises: Annotated[dict[str, ExerciseEntry], msgspec.Meta(min_length=1)]
    forbidden: list[str] = []
    same_as: dict[str, str] = {}
    data_of_the_course: list[str] = []


def checked(kind: type[T], data: dict, name: str) -> T:
    """What a toml file says, as `kind`.

    Raises:
        CourseError: naming the file, the key and what is allowed there.
    """
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        said, place = str(error).partition(" - at `")[::2]
        steps = re.findall(r"\[\.\.\.\]|[^.\[\]$`]+", place.removeprefix("key in "))
        keys, value = exact_place(kind, data, steps)
    if found := re.search(r"unknown field `(.*)`", said):
        allowed = keys_at(kind, steps)
        near = difflib.get_close_matches(found[1], allowed, n=1)
        hint = f"did you mean {near[0]}?" if near else f"allowed are {', '.join(allowed)}."
        raise CourseError(f"{name}: {toml_key([*keys, found[1]])} is no setting; {hint}")
    if found := re.search(r"missing required field `(.*)`", said):
        raise CourseError(f"{name}: {toml_key([*keys, found[1]])} is missing.")
    if "matching regex" in said and "submission_name" in keys:
        said = 'Expected a name that ends in .zip, such as "HW1_[Lastname]_[StudentNumber].zip"'
    if "matching regex" in said:
        said = 'Expected "module.function" or "module.Class.method"'
    shown = "" if isinstance(value, dict) else f"{value!r} is refused. "
    raise CourseError(f"{name}: {toml_key(keys)}: {shown}{said.replace('`', '')}.")


def toml_key(keys: list[str]) -> str:
    """A key as one writes it in a toml file: points.theory."Q1.1"."""
    return ".".join(key if re.fullmatch(r"[\w-]+", key) else f'"{key}"' for key in keys)


def exact_place(kind: type, data: Any, steps: list[str]) -> tuple[list[str], Any]:
    """The keys that lead to what was refused, and its value: msgspec says "[...]" for any key of a table."""
    data = copy.deepcopy(data)
    keys, here = [], data
    for step in steps:
        if step == "[...]":
            entries = dict(enumerate(here)) if isinstance(here, list) else dict(here)
            for key, value in entries.items():
                step = str(key)
                here.clear()
                here.append(value) if isinstance(here, list) else here.update({key: value})
                try:
                    msgspec.convert(data, kind)
                except msgspec.ValidationError:
                    break
            here = value
        else:
            here = here[step]
        keys.append(step)
    return keys, here


def keys_at(kind: Any, steps: list[str]) -> list[str]:
    """The keys that a table has at a place."""
    for step in steps:
        if step == "[...]":
            kind = typing.get_args(typing.get_args(kind)[0] if hasattr(kind, "__metadata__") else kind)[-1]
        else:
            kind = typing.get_type_hints(kind, include_extras=False)[step]
    return list(kind.__struct_fields__)


def slugs() -> list[str]:
    """The assignments of the course, in its order: those that course.toml lists, or all that there are.

    Raises:
        CourseError: if course.toml names an assignment that does not exist.
    """
    found = [path.parent.name for path in (ROOT / "assignment").glob("*/assignment.toml")]
    settings = course()
    for where in ("assignments", "due", "closes", "points"):
        if unknown := set(getattr(settings, where)) - set(found):
            names, there = ", ".join(sorted(unknown)), ", ".join(sorted(found))
            raise CourseError(f"course.toml: {where} names {names}; there are {there}.")
    return settings.assignments or sorted(found)


def course() -> Course:
    """What an instructor sets in course.toml.

    Raises:
        CourseError: if something in it is missing, misspelt or of the wrong kind.
    """
    return course_of(read_toml(ROOT / "course.toml"))


def course_of(data: dict) -> Course:
    """Checked settings, from what a course.toml holds; the repository in its usual form."""
    settings = checked(Course, data, "course.toml")
    for name in ("course", "term"):
        if not getattr(settings, name).strip():
            raise CourseError(f"course.toml: {name} is empty.")
    return msgspec.structs.replace(settings, repository=repository_address(settings.repository))


ADDRESS = re.compile(
    r"(?:(?:https?|ssh|git)://)?(?:[\w.-]+@)?(?P<host>[\w-]+(?:\.[\w-]+)+)(?::\d+(?=/))?[/:]"
    r"(?P<path>[\w.-]+(?:/[\w.-]+)+)/*"
)


def repository_address(address: str) -> str:
    """https://HOST/OWNER/NAME, for every form in which a repository on GitHub, GitLab or another host is written.

    Raises:
        CourseError: if it is none of them.
    """
    found = ADDRESS.fullmatch(address.strip())
    if not found:
        forms = "https://github.com/OWNER/NAME, or git@github.com:OWNER/NAME.git"
        raise CourseError(f"course.toml: repository: {address!r} is no address of a repository: write {forms}.")
    return f"https://{found['host'].lower()}/{found['path'].removesuffix('.git')}"


def load_assignment(slug: str) -> Assignment:
    """Read an assignment's exercises; points in course.toml override those in assignment.toml.

    Raises:
        CourseError: if there is no such assignment, or its description is inconsistent.
    """
    data = assignment_entry(slug)
    override = course().points.get(slug, {})
    if unknown := set(override) - set(data.exercises):
        raise CourseError(f"course.toml sets points for {', '.join(sorted(unknown))}, which {slug} does not have.")
    exercises = {
        name: ExerciseSpec(name, entry.of, float(override.get(name, entry.points)))
        for name, entry in data.exercises.items()
    }
    assignment = Assignment(slug, data.title, exercises, tuple(data.forbidden), data.same_as)
    name = f"assignment/{slug}/assignment.toml"
    graded = [spec.of for spec in exercises.values()]
    if twice := sorted({of for of in graded if graded.count(of) > 1}):
        raise CourseError(f"{name}: {', '.join(twice)} is graded by two exercises.")
    if unknown := set(data.same_as) - set(assignment.modules):
        raise CourseError(f"{name}: same_as names {', '.join(sorted(unknown))}, which no exercise is in.")
    return assignment


def assignment_entry(slug: str) -> AssignmentEntry:
    """What assignment.toml says, checked.

    Raises:
        CourseError: if there is no such assignment, or a setting is missing, misspelt or of the wrong kind.
    """
    path = ROOT / "assignment" / slug / "assignment.toml"
    if not path.is_file():
        raise CourseError(f"There is no assignment {slug!r}. There are: {', '.join(slugs())}.")
    return checked(AssignmentEntry, read_toml(path), f"assignment/{slug}/assignment.toml")


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
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CourseError(f"{path.relative_to(ROOT)} cannot be read: {error}{line_of(path, str(error))}.") from None


def line_of(path: Path, error: str) -> str:
    """The line that a TOML error is about: of an exercise that stands twice, its name."""
    found = re.search(r"at line (\d+)", error)
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return f": {lines[int(found[1]) - 1].strip()}" if found and int(found[1]) <= len(lines) else ""
