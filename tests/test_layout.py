"""The engine's house: arrows only go down, in no circle; a name means one thing; a zip holds what it needs."""

import ast
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from autograder.course import HIDDEN_TESTS, MISCONCEPTIONS, ROOT, grading_files, load_assignment, slugs
from autograder.publish.gradescope_zip import grader_files

ENGINE = ROOT / "autograder"
LEVELS = {"classroom": 3, "quality": 3, "publish": 3, "grading": 2, "sandbox": 1}  # course, files, regions: 0
CONTENT = {"hidden_tests", "misconceptions", "alternatives", "equivalents"}


def modules() -> dict[str, Path]:
    """{dotted name: file} of the engine, without its content and without the commands."""
    files = [
        p for p in ENGINE.rglob("*.py") if not CONTENT & set(p.parts) and p.name not in ("__main__.py", "conftest.py")
    ]
    return {".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p for p in files}


def arrows(path: Path, names: set[str], lazily: bool = True) -> set[str]:
    """The engine's modules that a file imports; with `lazily`, those too that it imports inside of functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree) if lazily else tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found & names


def folder(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 2 else ""


def test_arrows_only_go_down():
    names = set(modules()) - {"autograder"}
    up = [
        f"{module} imports {other}"
        for module, path in modules().items()
        for other in arrows(path, names)
        if folder(module) != folder(other) and LEVELS.get(folder(module), 0) <= LEVELS.get(folder(other), 0)
    ]
    assert up == []


def test_there_is_no_circle():
    names = set(modules()) - {"autograder"}
    below = {module: arrows(path, names) - {module} for module, path in modules().items()}
    while free := [module for module, others in below.items() if not others & below.keys()]:
        for module in free:
            del below[module]
    assert below == {}, "these import each other in a circle"


def test_what_student_code_shares_a_process_with_is_the_sandbox_alone():
    """Every line of worker.py may run beside student code: it knows no test, no solution, no grade."""
    seen, waiting = set(), ["autograder.sandbox.worker"]
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting += arrows(modules()[module], set(modules()) - {"autograder"})
    assert {folder(module) for module in seen} <= {"sandbox", ""}, seen


def test_a_name_means_one_thing():
    """Public names at the top of a module: nowhere in the engine has a second one the same name."""
    places = defaultdict(set)
    for module, path in modules().items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].add(module)
    assert {name: sorted(where) for name, where in places.items() if len(where) > 1} == {}


@pytest.mark.parametrize("slug", slugs())
def test_a_gradescope_zip_holds_what_a_grade_needs(slug):
    assignment = load_assignment(slug)
    names = {name for name, _, _ in grader_files(assignment)}
    engine = {Path(name).parts[1] for name in names if name.startswith("autograder/") and name.count("/") > 1}
    assert engine == {"grading", "sandbox", "hidden_tests", "misconceptions"}
    top = {name for name in names if name.startswith("autograder/") and name.count("/") == 1}
    assert {Path(name).name for name in top} == {"__init__.py", "__main__.py", "course.py", "files.py", "course.secret"}
    others = set(slugs()) - {slug} - {where.split("/")[0] for where in assignment.same_as.values()}
    assert not [name for name in names if others & set(Path(name).parts)], "another assignment's files"
    assert not [name for name in names if name.endswith((".md", ".tex", ".png", ".ipynb"))]
    private = [
        p for p in grading_files(assignment) if p.is_relative_to(HIDDEN_TESTS) or p.is_relative_to(MISCONCEPTIONS)
    ]
    modes = {name: mode for name, _, mode in grader_files(assignment)}
    assert private and all(modes[p.relative_to(ROOT).as_posix()] == 0o600 for p in private)


def test_what_the_fork_server_preloads_can_be_imported():
    """A preload that fails does so in silence, and every grade then imports torch for itself."""
    done = subprocess.run([sys.executable, "-c", "import autograder.grading.forkserver_preload"], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_the_map_names_every_file():
    """docs/architecture.md is how a newcomer finds the place for a change."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    names = {path.name for path in modules().values()} - {"__init__.py"}
    assert sorted(name for name in names if f"`{name}`" not in page) == []
