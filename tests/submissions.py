"""Submissions for tests: the reference's files, changed."""

from collections.abc import Callable
from pathlib import Path

from autograder.course import load_assignment
from autograder.grading.forkserver import Verdict, grade_apart

SLUG = "vae_ddpm_cfg"


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
