"""Packs what you upload: your files, checked, in one zip.

    python submit.py                    writes the zip beside your files, with the notebooks in whose cells you answered
    python submit.py my_notebook.ipynb  takes the functions that you wrote in this notebook's cells instead

It says what is missing and what the grader cannot read. An exercise still to do is no obstacle: it gets no points, the
others get theirs. Upload the zip to the programming assignment, and the report to its own.
"""

import argparse
import ast
import difflib
import json
import re
import sys
import zipfile
from pathlib import Path

from student.answers import LARGEST, candidates, contents, read
from student.assignment import MANIFEST, Assignment, StudentError, find_assignment

LEFTOVERS = {"breakpoint", "set_trace", "input"}  # calls that wait for a person


def collect(assignment: Assignment, notebooks: list[Path]) -> tuple[dict[str, Path], list[str]]:
    """The files that go into the zip, by their names there, and the warnings about them.

    Raises:
        StudentError: if there is nothing to hand in, or the grader could not read a file.
    """
    files, warnings, problems = {}, [], []
    for path in notebooks:
        if not path.is_file():
            raise StudentError(f"There is no notebook {path}.")
        files[path.name] = path
    for name in assignment.files:
        path = assignment.folder / name
        if not path.is_file():
            if not notebooks:
                near = difflib.get_close_matches(name, [p.name for p in assignment.folder.glob("*.py")], 1, cutoff=0.8)
                other = near[0] if near and near[0] not in assignment.files else ""
                then = f"is it {other}? Rename it." if other else "its exercises get no points."
                warnings.append(f"{name} is missing: {then}")
        elif notebooks and untouched(path, assignment):
            warnings.append(f"{name} is left out, since nothing is done in it: the notebook's functions count.")
        else:
            files[name] = path
    files |= {name: assignment.folder / name for name in helpers(assignment)}
    if not files:
        raise StudentError(f"None of {', '.join(assignment.files)} is in {assignment.folder}.")
    for name, path in files.items():
        try:
            warnings += look_through(name, path, assignment)
        except StudentError as error:
            problems.append(str(error))
    if problems:
        raise StudentError("\n".join([*problems, "Nothing was written: put this right and call submit.py again."]))
    return files, warnings


def notebooks_with_answers(assignment: Assignment) -> list[Path]:
    """The notebooks whose cells hold what the files leave undone."""
    own = candidates(assignment, assignment.folder)
    try:
        used = read(assignment, contents(own)).used
    except StudentError:
        return []  # collect() says what is wrong
    return [own[name] for name in used if name.endswith(".ipynb")]


def zip_name(assignment: Assignment, name: str, number: str) -> str:
    """The zip's name, as course.toml asks for it: "HW1_[Lastname]_[StudentNumber].zip".

    Raises:
        StudentError: if it asks for something that was not given.
    """
    pattern = assignment.zip_name
    for place, value, option in (("[Lastname]", name, "--name"), ("[StudentNumber]", number, "--number")):
        if place in pattern:
            if not re.fullmatch(r"[\w.-]+", value):
                raise StudentError(f"the zip is called {pattern}: call submit.py {option} YOURS (letters and digits).")
            pattern = pattern.replace(place, value)
    return pattern


def expected_name() -> str:
    """For --help, where there is no assignment's folder perhaps."""
    try:
        return find_assignment(Path.cwd()).zip_name
    except StudentError:
        return "<assignment>-submission.zip"


def untouched(path: Path, assignment: Assignment) -> bool:
    """Whether every exercise of a file is still to do: then it has nothing that a notebook could add to."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return all(f'NotImplementedError("{exercise}:' in text for exercise in assignment.in_file(path.name))


def cells_of(notebook: Path) -> list[str]:
    """The sources of a notebook's code cells.

    Raises:
        StudentError: if it cannot be read.
    """
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError) as error:
        why = type(error).__name__
        raise StudentError(f"{notebook.name} is no notebook that can be read ({why}): save it again.") from None


def helpers(assignment: Assignment) -> list[str]:
    """Modules that the student added beside the assignment's own files."""
    manifest = assignment.folder / MANIFEST
    if not manifest.is_file():
        return []
    given = json.loads(manifest.read_text(encoding="utf-8"))
    added = (path.name for path in sorted(assignment.folder.glob("*.py")))
    return [name for name in added if name not in given and name not in assignment.files]


def look_through(name: str, path: Path, assignment: Assignment) -> list[str]:
    """Warnings about one file.

    Raises:
        StudentError: if the grader could not read it, with the line.
    """
    if path.stat().st_size > LARGEST:
        raise StudentError(f"{name} is larger than {LARGEST >> 20} MB: clear the notebook's outputs.")
    if path.suffix == ".ipynb":
        code = cells_of(path)
        targets = {target for file in assignment.files for target in assignment.in_file(file).values()}
        found = [target for target in targets if any(defines(cell, target) for cell in code)]
        return [] if found else [f"No cell of {name} defines a function of an exercise."]
    try:
        tree = ast.parse(path.read_bytes(), filename=name)
    except SyntaxError as error:
        raise StudentError(f"Python cannot read {name}, line {error.lineno}: {error.msg}.") from None
    except ValueError as error:
        raise StudentError(f"Python cannot read {name}: {error}.") from None
    warnings = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in LEFTOVERS:
            warnings.append(
                f"{name}, line {node.lineno}: {ast.unparse(node)} waits for a person; nobody will be there."
            )
    if name in assignment.files:
        text = ast.unparse(tree)
        exercises = assignment.in_file(name)
        if to_do := [e for e in exercises if f"NotImplementedError('{e}:" in text]:
            warnings.append(f"{name}: still to do: {' '.join(to_do)}.")
        warnings += [f"{name} lacks {target}: it gets no points." for target in missing(tree, list(exercises.values()))]
    return warnings


def defines(cell: str, target: str) -> bool:
    """Whether a cell holds "def f", or "class C" and "def f" for C.f."""
    owner, _, function = target.rpartition(".")
    return f"def {function}(" in cell and (not owner or f"class {owner}" in cell)


def missing(tree: ast.Module, targets: list[str]) -> list[str]:
    """Which of "function" or "Class.method" a file neither defines nor imports; when in doubt, none."""
    have: dict[str, ast.AST] = {}
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            have |= {alias.asname or alias.name: node for alias in node.names}
        elif isinstance(node, ast.Assign):
            have |= {ast.unparse(target): node for target in node.targets}
        elif hasattr(node, "name"):
            have[node.name] = node

    def defined(target: str) -> bool:
        owner = have.get(target.rpartition(".")[0])
        if target in have or not isinstance(owner, ast.ClassDef):
            return target in have or owner is not None
        return bool(owner.bases) or any(getattr(inner, "name", "") == target.rpartition(".")[2] for inner in owner.body)

    return [] if "*" in have else [target for target in targets if not defined(target)]


def pack(files: dict[str, Path], target: Path) -> None:
    """Write the zip in one go: an earlier one stays until the new one is whole."""
    partial = target.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in files.items():
            archive.write(path, name)
    partial.replace(target)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="submit.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "notebooks", nargs="*", type=Path, metavar="NOTEBOOK", help="notebooks that hold your functions"
    )
    parser.add_argument(
        "--assignment", type=Path, default=Path.cwd(), help="the assignment's folder (default: this one)"
    )
    parser.add_argument("--output", type=Path, help=f"the zip to write (default: {expected_name()})")
    parser.add_argument("--name", default="", help="your last name, where the zip's name asks for it")
    parser.add_argument("--number", default="", help="your student number, where the zip's name asks for it")
    options = parser.parse_args(arguments)
    try:
        assignment = find_assignment(options.assignment)
        target = options.output or assignment.folder / zip_name(assignment, options.name, options.number)
        files, warnings = collect(assignment, options.notebooks or notebooks_with_answers(assignment))
        pack(files, target)
    except (StudentError, OSError) as error:
        print(f"submit.py: {error}", file=sys.stderr)
        return 2
    for warning in warnings:
        print(f"note: {warning}")
    print(f"{target} holds {', '.join(files)}.")
    print("Upload it to the programming assignment on Gradescope, and your report as a PDF to the report's.")
    return 0
