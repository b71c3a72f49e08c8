"""Submissions for tests: the reference's files, changed."""

import io
import json
import marshal
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import CodeType

from autograder.course import load_assignment
from autograder.grading.forkserver import Verdict, grade_apart
from autograder.grading.submission import Submission, understand
from autograder.grading.upload import collect
from autograder.sandbox.extract import Extract, extract
from autograder.sandbox.messages import Modules

SLUG = "vae_ddpm_cfg"
TRAINING = """
import matplotlib.pyplot as plt
EPOCHS = 10_000_000
for epoch in range(EPOCHS):
    for step in range(EPOCHS):
        loss = epoch * step
print("done")
"""
COLAB = """# %% [markdown]
# Exported from a notebook
# %%
!pip install -q torch torchvision \\
    matplotlib
%matplotlib inline
%load_ext autoreload
from google.colab import drive
drive.mount('/content/drive')
get_ipython().system('nvidia-smi')
get_ipython().run_line_magic('autoreload', '2')
files = !ls
# In[3]:
"""


def reference(slug: str = SLUG) -> dict[str, str]:
    """The reference's student files: {name: source}."""
    assignment = load_assignment(slug)
    return {name: (assignment.solutions / name).read_text(encoding="utf-8") for name in assignment.files}


def stubs(slug: str = SLUG) -> dict[str, str]:
    assignment = load_assignment(slug)
    return {name: (assignment.given / name).read_text(encoding="utf-8") for name in assignment.files}


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    """Write files into a folder; names may hold subfolders."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def grade_files(folder: Path, files: dict[str, str | bytes], slug: str = SLUG, **options) -> Verdict:
    return grade_apart(slug, write(folder, files), **options)


def edited(name: str, change: Callable[[str], str], slug: str = SLUG) -> dict[str, str]:
    """The reference with one file changed."""
    files = reference(slug)
    changed = change(files[name])
    assert changed != files[name], f"the change does nothing to {name}"
    return files | {name: changed}


def notebook(*cells: str) -> str:
    listed = [{"cell_type": "markdown", "source": ["# Question\n", "def not_code(:"]}]
    listed += [
        {"cell_type": "code", "source": cell.splitlines(keepends=True), "outputs": [], "metadata": {}} for cell in cells
    ]
    return json.dumps({"cells": listed, "nbformat": 4, "nbformat_minor": 5, "metadata": {}})


def zipped(files: dict[str, str | bytes], prefix: str = "") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(prefix + name, content)
    return buffer.getvalue()


# ---------------------------------------------------------------- what would be graded, without grading it


class InThisProcess:
    """Stands for the sandbox where a test asks what is extracted from our own files."""

    slots = 1

    def extract(self, *request) -> Extract:
        return extract(*request)

    def provide(self, modules: Modules) -> None:
        self.modules = modules


def understood(path: Path, slug: str = SLUG) -> tuple[Submission, dict[str, list]]:
    """What is decided about an upload, and {module: what its graded statements do, in their order}."""
    sandbox = InThisProcess()
    submission = understand(collect(path), load_assignment(slug), sandbox)
    return submission, {name: deeds(parts) for name, parts in sandbox.modules.graded.items()}


def deeds(parts: list[bytes]) -> list[tuple]:
    """The code of the statements that graded names need, without the places where it stood; imports in any order."""
    kept = [
        (names, is_import, plain(code)) for part in parts for _, names, is_import, code, *_ in marshal.loads(part)[0]
    ]
    imports = {str(deed) for deed in kept if deed[1]}
    return [*sorted(imports), *(deed for deed in kept if not deed[1])]


def plain(code: CodeType) -> tuple:
    constants = [plain(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts]
    return code.co_name, code.co_code, tuple(constants), code.co_names, code.co_varnames, code.co_freevars
