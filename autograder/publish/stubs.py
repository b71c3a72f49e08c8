"""solutions/<slug>/*.py -> assignment/<slug>/*.py: what a student receives is made from what we solved.

    # BEGIN SOLUTION Q1.3: shift by the row maximum, average, shift back.
    ...
    # END SOLUTION

becomes a TODO with that sentence and `raise NotImplementedError("Q1.3: log_mean_exp")`. A region without an
exercise (an import or a helper that only the solution needs) disappears.
"""

import ast
import re
from pathlib import Path

from autograder.course import Assignment, CourseError, load_assignment
from autograder.regions import BEGIN, END


def stub_of(source: str, filename: str, assignment: Assignment) -> str:
    """The student's version of one solution file.

    Raises:
        CourseError: with file and line, for unbalanced markers, unknown exercises, or a stub that is no Python.
    """
    lines, inside, seen = [], None, []
    for position, line in enumerate(source.splitlines(), start=1):
        begin, end = BEGIN.match(line), END.match(line)
        where = f"solutions/{assignment.slug}/{filename}, line {position}"
        if "BEGIN SOLUTION" in line and not begin:
            raise CourseError(f"{where}: write `# BEGIN SOLUTION Q1.2: what to do`, or `# BEGIN SOLUTION` alone.")
        if begin:
            if inside:
                raise CourseError(f"{where}: a region begins inside another one.")
            inside = begin
            if begin["id"]:
                if begin["id"] not in assignment.exercises:
                    raise CourseError(f"{where}: {begin['id']} is no exercise of assignment.toml.")
                spec = assignment.exercises[begin["id"]]
                seen.append(spec.id)
                lines.append(f"{begin['indent']}# TODO {spec.id}: {begin['hint']}")
                lines.append(f'{begin["indent"]}raise NotImplementedError("{spec.id}: {spec.target}")')
        elif end:
            if not inside:
                raise CourseError(f"{where}: END SOLUTION without a beginning.")
            inside = None
        elif not inside:
            lines.append(line)
    if inside:
        raise CourseError(f"solutions/{assignment.slug}/{filename}: a region has no END SOLUTION.")
    missing = [spec.id for spec in assignment.in_file(filename) if spec.id not in seen]
    if missing:
        raise CourseError(f"solutions/{assignment.slug}/{filename} has no region for {', '.join(missing)}.")
    stub = tidy(lines)
    try:
        ast.parse(stub)
    except SyntaxError as error:
        what = f"the stub of {assignment.slug}/{filename} is no Python"
        raise CourseError(f"{what}: line {error.lineno}: {error.msg}.") from None
    return stub


def tidy(lines: list[str]) -> str:
    """Never more than two blank lines in a row: removed regions leave gaps."""
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines).strip("\n")) + "\n"


def write_stubs(slug: str, check: bool = False) -> list[str]:
    """Write assignment/<slug>/ from solutions/<slug>/, or only compare. Returns what differed."""
    assignment = load_assignment(slug)
    changed = []
    for filename in assignment.files:
        solution, stub = assignment.solutions / filename, assignment.given / filename
        if not solution.exists():
            raise CourseError(f"solutions/{slug}/{filename} is missing: assignment.toml names it.")
        text = stub_of(solution.read_text(encoding="utf-8"), filename, assignment)
        if not stub.exists() or stub.read_text(encoding="utf-8") != text:
            changed.append(place_of(stub))
            if not check:
                stub.write_text(text, encoding="utf-8")
    strays = {path.name for path in assignment.solutions.glob("*.py")} - set(assignment.files)
    if strays:
        raise CourseError(
            f"solutions/{slug} holds {', '.join(sorted(strays))}, which no exercise names: given code "
            f"belongs in assignment/{slug}."
        )
    return changed


def place_of(path: Path) -> str:
    return f"{path.parent.parent.name}/{path.parent.name}/{path.name}"
