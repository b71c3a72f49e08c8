"""Your answers, wherever they stand: in the .py files, in a notebook's cells, in %%writefile cells.

They are read as the grader reads them, by the grader's own code, so that what counts here counts there.
"""

import importlib.abc
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

from autograder.grading.matching import Source, finished, match, roots_of, with_imported_names
from autograder.sandbox.extract import Extract, extract
from autograder.sandbox.importer import UploadedModules
from student.assignment import Assignment, StudentError

LARGEST = 32 << 20  # bytes of one file that the grader reads
CELLS = "the cells of this notebook.ipynb"  # what `%check` finds in the kernel


class CannotRead(ImportError):
    """A file of yours that the grader could not read either; the message says why."""


@dataclass
class Answers:
    """What was found for each of the assignment's files."""

    code: dict[str, list[bytes]] = field(default_factory=dict)  # module -> extracted code
    problems: dict[str, str] = field(default_factory=dict)  # module -> why there is none
    notes: list[str] = field(default_factory=list)
    used: list[str] = field(default_factory=list)  # the files in which they stand
    labels: set[str] = field(default_factory=set)  # beginnings of places in a traceback: "q1_vae.py", "lab.ipynb"


def candidates(assignment: Assignment, folder: Path) -> dict[str, Path]:
    """The files in which answers may stand: those to complete, modules beside them, and notebooks."""
    own = [folder / name for name in assignment.files]
    notebooks = [*sorted(folder.glob("*.ipynb")), *sorted((folder / "notebooks").glob("*.ipynb"))]
    added = [path for path in sorted(folder.glob("*.py")) if path.name not in assignment.given_names(folder)]
    files = dict.fromkeys(path for path in [*own, *added, *notebooks] if path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in files}


def contents(files: Mapping[str, Path]) -> dict[str, bytes]:
    """The files' bytes.

    Raises:
        StudentError: if one is larger than the grader reads.
    """
    for name, path in files.items():
        if path.stat().st_size > LARGEST:
            raise StudentError(f"{name} is larger than {LARGEST >> 20} MB: clear the notebook's outputs.")
    return {name: path.read_bytes() for name, path in files.items()}


def notebook_of(cells: list[str]) -> bytes:
    """What was run in a kernel, as a notebook's bytes."""
    return json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells]}).encode()


def read(assignment: Assignment, files: Mapping[str, bytes], cells: Sequence[str] = ()) -> Answers:
    """Decide which file stands for which of the assignment's, and take their definitions out of them.

    Args:
        files: where answers may stand.
        cells: that were run in a kernel; what they define counts where the files leave it undone.
    """
    extracts: dict[Source, Extract] = {}
    files = {**files, CELLS: notebook_of(list(cells))}

    def read_source(source: Source) -> Extract:
        if source not in extracts:
            name, data = PurePosixPath(source.path).name, files[source.path]
            extracts[source] = extract(name, data, list(source.roots), [], source.member, dict(source.turns))
        return extracts[source]

    targets = {name: list(assignment.in_file(name).values()) for name in assignment.files}
    matching = match({name: files[name] for name in files if name != CELLS}, targets, {}, read_source)
    in_cells = finished(read_source(Source(CELLS)))
    # A notebook that nothing was taken from is no news here.
    notes = [note.replace(" was graded", " counts") for note in matching.notes if " was not graded" not in note]
    found = Answers(notes=notes)
    for filename in targets:
        module, source = filename.removesuffix(".py"), matching.taken.get(filename)
        done = finished(read_source(source)) if source else set()
        news = [name for name in targets[filename] if name in in_cells - done]
        if source is None and news:
            source = Source(CELLS, roots=roots_of(news))
        if source is None:
            found.problems[module] = matching.refusals[filename].replace("in the submission", "in this folder")
            continue
        completing = Source(CELLS, roots=roots_of(news)) if news and source.path != CELLS else None
        handed_out = filename in files and source.path not in (filename, CELLS)
        base = Source(filename, roots=roots_of(targets[filename])) if handed_out else None  # what is still to do
        parts = [part for part in (base, source, matching.rest.get(filename), completing) if part]
        parts = [with_imported_names(filename, part, matching, read_source) for part in parts]
        if error := read_source(source).error:
            found.problems[module] = error.replace(" Fix this line and upload again.", " Fix this line.")
            continue
        found.code[module] = [read_source(part).code for part in parts if not read_source(part).error]
        found.used += [part.path for part in parts if part.path not in found.used]
        found.labels |= {PurePosixPath(part.path).name for part in parts}
        found.notes += [n for part in parts for n in read_source(part).notes if n not in found.notes]
    return found


class Problems(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """In the place of files that cannot be read: importing one says why."""

    def __init__(self, problems: Mapping[str, str]):
        self.problems = problems

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname in self.problems else None

    def exec_module(self, module: ModuleType) -> None:
        raise CannotRead(self.problems[module.__name__])


@contextmanager
def importable(answers: Answers) -> Iterator[UploadedModules]:
    """For a with block, `import q1_vae` gives these answers."""
    modules = UploadedModules(answers.code)
    finders = [Problems(answers.problems), modules]
    sys.meta_path[:0] = finders
    try:
        yield modules
    finally:
        for finder in finders:
            sys.meta_path.remove(finder)
