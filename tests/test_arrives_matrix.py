"""Eighteen ways in which a right submission arrives, for each of the five assignments: full marks in each.

What is extracted is compared in full with the reference's own; the real grader then grades one exercise of each file.
"""

import ast
import itertools
import json
from collections.abc import Callable
from pathlib import PurePosixPath

import pytest
import submissions
from submissions import COLAB, TRAINING, notebook, reference, stubs, zipped

from autograder.course import load_assignment, slugs
from autograder.grading.forkserver import grade_apart

BAD = "def scratch(x, x):\n    return x"
Files = dict[str, str | bytes]


def renamed(change: Callable[[str], str]) -> Callable[[str], Files]:
    return lambda slug: {change(name): source for name, source in reference(slug).items()}


def encoded(change: Callable[[str], bytes]) -> Callable[[str], Files]:
    return lambda slug: {name: change(source) for name, source in reference(slug).items()}


def cells_of(source: str) -> list[str]:
    """A file as people spread it over cells: a definition or a run of other statements in each."""
    lines, starts = source.split("\n"), [0]
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            first = min([statement.lineno, *(d.lineno for d in statement.decorator_list)]) - 1
            starts += [first, statement.end_lineno]
    bounds = [*dict.fromkeys(starts), len(lines)]
    return ["\n".join(lines[a:b]) for a, b in zip(bounds, bounds[1:], strict=False)]


def notebooks(slug: str) -> Files:
    return {
        f"My {PurePosixPath(name).stem}.ipynb": notebook("!nvidia-smi", *cells_of(source), TRAINING)
        for name, source in reference(slug).items()
    }


def with_scratch_cells(slug: str) -> Files:
    """Between every two cells one that is wrong, or that IPython alone understands."""
    noise = [
        BAD,
        "pip install einops",
        "!pip install x \\\n  y\nz = (7\n      % 0.5)",
        "x = = 1",
        "return 3",
        "torch?",
        "await g()",
    ]
    files: Files = {}
    for name, source in reference(slug).items():
        cells = [cell for i, each in enumerate(cells_of(source)) for cell in (each, noise[i % len(noise)])]
        files[f"{PurePosixPath(name).stem}.ipynb"] = notebook(*cells)
    return files


def one_notebook(slug: str) -> Files:
    return {"everything.ipynb": notebook("# my homework", *(c for s in reference(slug).values() for c in cells_of(s)))}


def written_by_a_notebook(slug: str) -> Files:
    cells = [f"%%writefile {name}\n{source}" for name, source in reference(slug).items()]
    return {"everything.ipynb": notebook("!mkdir results", *cells, "!python train.py", TRAINING)}


def old_notebooks(slug: str) -> Files:
    """nbformat 3, of 2013: sheets, and `input` for `source`."""
    cells = {name: [{"cell_type": "code", "input": source, "outputs": []}] for name, source in reference(slug).items()}
    return {f"{name[:-3]}.ipynb": json.dumps({"nbformat": 3, "worksheets": [{"cells": cells[name]}]}) for name in cells}


def exported(slug: str) -> Files:
    """Downloaded from Colab as .py, with the training, the seeds and the shell lines that were in the notebook."""
    files: Files = {}
    for name, source in reference(slug).items():
        future = "from __future__ import annotations\n" if "from __future__" in source else ""
        files[name] = (
            future + COLAB + source.replace(future, "") + TRAINING + "pip install wandb\nmodel = Net().cuda()\n"
        )
    return files


def half_and_half(slug: str) -> Files:
    """The second half of each file's exercises is done in a notebook beside it."""
    files: Files = {}
    for name, source in reference(slug).items():
        targets = [spec.target for spec in load_assignment(slug).in_file(name)]
        tree = ast.parse(source)
        owners = {
            f"{c.name}.{f.name}": f
            for c in tree.body
            if isinstance(c, ast.ClassDef)
            for f in c.body
            if isinstance(f, ast.FunctionDef)
        }
        owners |= {f.name: f for f in tree.body if isinstance(f, ast.FunctionDef)}
        for target in targets[len(targets) // 2 :]:
            owners[target].body = ast.parse("raise NotImplementedError('to do')").body
        files[name] = ast.unparse(tree)
        files[f"{name[:-3]} (rest).ipynb"] = notebook(*cells_of(source))
    return files


WAYS: dict[str, Callable[[str], Files]] = {
    "files": reference,
    "files in a subfolder": renamed("My Homework/code/{}".format),
    "files beside the stubs": lambda slug: stubs(slug) | renamed("mine/{}".format)(slug),
    "a zip": lambda slug: {"hw.zip": zipped(reference(slug), "assignment/")},
    "a zip from Windows": lambda slug: {"hw.zip": zipped(reference(slug), "work\\code\\")},
    "a zip in a zip": lambda slug: {"outer.zip": zipped({"inner.zip": zipped(reference(slug))})},
    "copies from the downloads folder": renamed(lambda name: f"{name[:-3]} (1).py"),
    "names of a learning platform": renamed("doe_jane_12345_{}".format),
    "other letters and dashes": renamed(lambda name: f"{name[:-3].upper().replace('_', '-')} - Copy.py"),
    "text files": renamed("{}.txt".format),
    "a byte-order mark and Windows line ends": encoded(lambda s: b"\xef\xbb\xbf" + s.replace("\n", "\r\n").encode()),
    "UTF-16": encoded(lambda source: source.encode("utf-16")),
    "exported from Colab": exported,
    "a notebook for each file": notebooks,
    "notebooks with wrong cells": with_scratch_cells,
    "notebooks beside the stubs": lambda slug: stubs(slug) | notebooks(slug),
    "notebooks of 2013": old_notebooks,
    "one notebook": one_notebook,
    "files written by a notebook": written_by_a_notebook,
    "half of it in a notebook": half_and_half,
}


@pytest.mark.parametrize("slug", slugs())
@pytest.mark.parametrize("way", WAYS)
def test_what_is_graded_is_what_the_student_wrote(way, slug, tmp_path):
    """Statement by statement the reference's own code, and nobody is refused anything."""
    assignment = load_assignment(slug)
    submission, found = submissions.understood(submissions.write(tmp_path / "upload", WAYS[way](slug)), slug)
    assert submission.refusals == {}, submission.notes
    assert set(submission.taken) == set(assignment.files)
    _, clean = submissions.understood(submissions.write(tmp_path / "clean", reference(slug)), slug)
    for spec in assignment.exercises.values():
        name = spec.target.partition(".")[0]
        assert last(found[spec.module], name) == last(clean[spec.module], name), spec.of
    if way not in ("one notebook", "half of it in a notebook"):  # which hold more than one file's statements
        assert found == clean


def last(deeds: list, name: str) -> tuple:
    """What the last statement that binds a name does."""
    return [deed for deed in deeds if isinstance(deed, tuple) and name in deed[0]][-1]


def graded_pairs() -> list[tuple[str, str]]:
    """Each way with one assignment, since what is graded is the same in all, as the test above has shown; where it is
    more than that, with all of them."""
    turns = zip(WAYS, itertools.cycle(slugs()), strict=False)
    return sorted({*turns, *itertools.product(("one notebook", "half of it in a notebook"), slugs())})


@pytest.mark.slow
@pytest.mark.parametrize("way, slug", graded_pairs())
def test_full_marks_however_it_arrives(way, slug, tmp_path):
    assignment = load_assignment(slug)
    only = frozenset(assignment.in_file(filename)[-1].id for filename in assignment.files)
    verdict = grade_apart(slug, submissions.write(tmp_path / "upload", WAYS[way](slug)), only=only)
    assert verdict.outputs == [], verdict.notes
    assert verdict.score == pytest.approx(sum(assignment.exercises[each].points for each in only))
