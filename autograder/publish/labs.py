"""A notebook as the site shows it: run from top to bottom on the reference, with its outputs and the students' stubs.

The reference is executed and never shown: a lab imports the student's files, and what stands on the page is the lab's
own cells, what they printed and drew, and, before each `%check`, the stub of its exercise. These are smoke runs (tiny
settings, offline data, CPU). They are kept in build/labs/ under a hash of everything that they depend on.
"""

import ast
import hashlib
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from autograder.course import ROOT, Assignment, CourseError, load_assignment
from autograder.publish.notebooks import notebook_text
from autograder.publish.student_zip import student_files

CACHE = ROOT / "build" / "labs"
SECONDS = 600  # of one cell, on a busy machine
BADGE = re.compile(r"\[!\[(?P<text>[^\]]*)\]\([^)]*\)\]\((?P<link>[^)]*)\)")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
NOTE = """\
> **What you see below** is a smoke run on a CPU: tiny settings and small data that come along, to show what each cell
> does. With `SMOKE = False`, a GPU and the real data, your figures will look better. Where code is asked of you, this
> page shows the stub that you receive."""


def lab(source: Path):
    """The notebook of one text, executed, as the site shows it (an nbformat notebook).

    Raises:
        CourseError: if a cell fails.
    """
    assignment = load_assignment(source.parent.name)
    return dressed(executed(source, assignment), assignment)


def executed(source: Path, assignment: Assignment):
    """The notebook with its outputs, from the cache where nothing that it depends on has changed."""
    import nbformat

    text = notebook_text(source)
    kept = CACHE / f"{assignment.slug}-{source.stem}-{key(text, assignment)}.ipynb"
    if kept.is_file():
        return nbformat.read(kept, as_version=4)
    notebook = run(nbformat.reads(text, as_version=4), assignment, source.stem)
    CACHE.mkdir(parents=True, exist_ok=True)
    for old in CACHE.glob(f"{assignment.slug}-{source.stem}-*.ipynb"):
        old.unlink()
    partial = kept.with_suffix(".partial")
    nbformat.write(notebook, partial)
    os.replace(partial, kept)
    return notebook


def key(text: str, assignment: Assignment) -> str:
    """A hash of the notebook, of all that it may import (given code and the reference), and of torch's version."""
    from importlib.metadata import version

    digest = hashlib.sha256(f"{version('torch')}\n{text}".encode())
    files = [(name, data) for name, data in student_files(assignment) if not name.endswith((".md", ".ipynb"))]
    files += [(f"reference/{name}", (assignment.solutions / name).read_bytes()) for name in assignment.files]
    for name, data in files:
        digest.update(f"\0{name}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()[:16]


def run(notebook, assignment: Assignment, name: str):
    """Execute a notebook in a temporary folder laid out as a student's, with the reference in place of the stubs."""
    import nbclient
    import nbformat

    with tempfile.TemporaryDirectory(prefix="lab-") as home:
        folder = Path(home, assignment.slug)
        for given, data in student_files(assignment):
            (folder / given).parent.mkdir(parents=True, exist_ok=True)
            (folder / given).write_bytes(data)
        for file in assignment.files:
            shutil.copyfile(assignment.solutions / file, folder / file)
        first = notebook.cells[1]
        assert "SMOKE = False" in first.source, "notebooks/setup.py says SMOKE"
        first.source = first.source.replace("SMOKE = False", "SMOKE = True", 1)
        without_sliders = "import sys; sys.modules['ipywidgets'] = None"
        notebook.cells.insert(0, nbformat.v4.new_code_cell(without_sliders))
        client = nbclient.NotebookClient(
            notebook, timeout=SECONDS, resources={"metadata": {"path": str(folder / "notebooks")}}
        )
        environment = {k: v for k, v in os.environ.items() if k != "SUBMISSION"}
        try:
            client.execute(env=environment | {"OMP_NUM_THREADS": "1"})
        except nbclient.exceptions.CellExecutionError as error:
            what = f"notebooks/{assignment.slug}/{name}.md does not run on the reference"
            raise CourseError(f"{what}:\n{COLOURS.sub('', str(error))}") from None
        del notebook.cells[0]
        first.source = first.source.replace("SMOKE = True", "SMOKE = False", 1)
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)  # times
            for output in cell.get("outputs", ()):
                tidy_output(output, home)
    return notebook


def tidy_output(output, home: str) -> None:
    """Leave out where this machine put the lab, and all but the last state of progress bars."""

    def tidy(text: str) -> str:
        text = text.replace(f"{os.path.realpath(home)}/", "").replace(f"{home}/", "")
        return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))

    if "text" in output:
        output.text = tidy(output.text)
    for kind, value in output.get("data", {}).items():
        if kind.startswith("text/") and isinstance(value, str):
            output.data[kind] = tidy(value)


def dressed(notebook, assignment: Assignment):
    """The badge as a link, a note on the run, the first cell folded, the stub of an exercise before its `%check`."""
    import nbformat

    title = notebook.cells[0]
    heading, _, rest = title.source.partition("\n")
    rest = BADGE.sub(lambda match: f"[{match['text']}]({match['link']}){{.colab}}", rest)
    title.source = f"{heading}\n\n{NOTE}\n{rest}"
    cells, shown = [], set()
    for cell in notebook.cells:
        if cell.source.startswith("*Your "):
            continue  # a place to write into, in the notebook
        if "outputs" in cell:  # progress bars and warnings are of the machine that ran it
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
        if cell.metadata.get("cellView") == "form":
            cell.metadata["tags"] = ["hide-input"]
        asked = cell.source.removeprefix("%check ").split() if cell.source.startswith("%check ") else []
        for exercise in asked:
            if exercise in assignment.exercises and exercise not in shown:
                shown.add(exercise)
                cells.append(nbformat.v4.new_markdown_cell(folded_stub(assignment, exercise), id=f"stub-{len(shown)}"))
        cells.append(cell)
    notebook.cells = cells
    return notebook


def folded_stub(assignment: Assignment, exercise: str) -> str:
    """Markdown that unfolds to the stub of one exercise."""
    spec = assignment.exercises[exercise]
    code = definition_text((assignment.given / f"{spec.module}.py").read_text(encoding="utf-8"), spec.target)
    summary = f"<summary>{exercise}: <code>{spec.target}</code> in {spec.module}.py, as you receive it</summary>"
    return f"<details>\n{summary}\n\n```python\n{code}\n```\n\n</details>"


def definition_text(source: str, target: str) -> str:
    """The text of `function` or `Class.method` in a file."""
    node: Any = ast.parse(source)
    for name in target.split("."):
        node = next(n for n in node.body if getattr(n, "name", None) == name)
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    lines = source.splitlines()[first - 1 : node.end_lineno]
    indent = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[indent:] for line in lines)
