"""`make pdf`: every LaTeX document of every assignment, into dist/<slug>/.

Documents are the .tex files with a \\documentclass in assignment/<slug>/latex/ (for students) and in solutions/<slug>/
(for TAs); the latter also find the former's macros.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from autograder.course import ROOT, CourseError, load_assignment, slugs

TO_INSTALL = """LaTeX is not installed: there is neither latexmk nor pdflatex. Install it, then run make pdf again.
  Debian, Ubuntu:  sudo apt-get install texlive-latex-recommended texlive-latex-extra lmodern latexmk
  Fedora:          sudo dnf install texlive-scheme-medium latexmk
  macOS:           brew install --cask mactex-no-gui
  Windows:         MiKTeX, from https://miktex.org
Without it: upload the folder assignment/<slug>/latex to an online LaTeX editor."""


def documents(slug: str) -> list[Path]:
    """The main .tex files of one assignment."""
    assignment = load_assignment(slug)
    found = [*(assignment.given / "latex").glob("*.tex"), *assignment.solutions.glob("*.tex")]
    return sorted(path for path in found if r"\documentclass" in path.read_text(encoding="utf-8"))


def typeset(slug: str, document: Path, folder: Path) -> Path:
    """Make one PDF in `folder` and return its path.

    Raises:
        CourseError: if LaTeX stops; the message holds the end of its log.
    """
    target = folder / f"{document.stem}.pdf"
    folder.mkdir(parents=True, exist_ok=True)
    # A trailing separator stands for LaTeX's own folders.
    search = os.pathsep.join([".", str(ROOT / "assignment" / slug / "latex"), ""])
    with tempfile.TemporaryDirectory() as scratch:
        options = ["-interaction=nonstopmode", "-halt-on-error", "-file-line-error", f"-output-directory={scratch}"]
        if shutil.which("latexmk"):
            runs = [["latexmk", "-pdf", *options, document.name]]
        else:
            runs = [["pdflatex", *options, document.name]] * 2  # the second one knows the references
        for run in runs:
            done = subprocess.run(
                run, cwd=document.parent, env=os.environ | {"TEXINPUTS": search}, capture_output=True, text=True
            )
            if done.returncode:
                raise CourseError(f"{document.relative_to(ROOT)} cannot be typeset:\n{done.stdout[-1500:]}")
        shutil.copyfile(Path(scratch) / target.name, target)
    return target


def main() -> int:
    found = [(slug, document) for slug in slugs() for document in documents(slug)]
    if not (shutil.which("latexmk") or shutil.which("pdflatex")):
        print(TO_INSTALL, file=sys.stderr)
        return 1
    try:
        for slug, document in found:
            target = typeset(slug, document, ROOT / "dist" / slug)
            print(f"{document.relative_to(ROOT)} -> {target.relative_to(ROOT)}")
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
