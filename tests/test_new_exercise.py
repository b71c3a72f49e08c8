"""docs/new_exercise.md, followed to the letter in a copy of this repository."""

import os
import re
import shutil
from subprocess import CompletedProcess

import pytest
import warm

from autograder.course import ROOT

BLOCK = re.compile(r"(?s)^(?P<text>.*?)^(?P<fence>`{3,4})(?P<kind>\w+)\n(?P<body>.*?)^(?P=fence)$", re.MULTILINE)
PLACE = re.compile(
    r"(?P<how>At the end of|In) `(?P<path>[\w/.]+\.\w+)`(?:, below the (?:line|item) of (?P<id>Q[\d.]+\d))?"
)


def paste(folder, text: str, body: str, last: str) -> str:
    """Do what the text before a block says; returns the file that was changed."""
    place = PLACE.search(text)
    path = folder / (place["path"] if place else last)
    source = path.read_text()
    if place is None:
        assert "above `import torch`" in text, text
        changed = source.replace("import torch\n", f"{body}\nimport torch\n", 1)
    elif place["how"] == "In":
        (line,) = [line for line in source.splitlines() if re.match(rf'("|- \*\*){re.escape(place["id"])}\b', line)]
        start = source.index(line) + len(line) + 1
        while source[start : start + 2] == "  ":  # an item of several lines
            start = source.index("\n", start) + 1
        changed = source[:start] + body + source[start:]
    else:
        changed = source.rstrip("\n") + "\n" + body
    assert changed != source, text
    path.write_text(changed)
    return path.relative_to(folder).as_posix()


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copy") / "repository"
    ignore = shutil.ignore_patterns(".git", ".venv", "dist", "runs", "data", "__pycache__", "*.egg-info")
    shutil.copytree(ROOT, folder, ignore=ignore)
    page, last = (folder / "docs" / "new_exercise.md").read_text(), ""
    pasted = []
    for block in BLOCK.finditer(page):
        if block["kind"] != "sh":
            text = block["text"].strip().split("\n\n")
            last = paste(folder, "\n\n".join(text[-2:]), block["body"], last)
            pasted.append(last)
    assert len(pasted) == 9, pasted
    return folder


def run(folder, *command: str) -> CompletedProcess:
    return warm.run(["-m", *command], folder, os.environ | {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"})


def test_the_page_leads_to_an_exercise_that_works(followed):
    done = run(followed, "autograder", "stubs")
    assert "assignment/vae_gan_flows/solution.py written" in done.stdout, done.stdout + done.stderr
    assert "notebooks/vae_gan_flows/q3_flows.ipynb written" in done.stdout
    done = run(followed, "autograder", "accuracy", "vae_gan_flows", "--only", "Q3.11")
    assert done.returncode == 0, done.stdout + done.stderr
    done = run(followed, "autograder", "grade", "vae_gan_flows", "solutions/vae_gan_flows")
    assert "total 36 / 36" in done.stdout, done.stdout + done.stderr
    done = run(followed, "autograder", "grade", "vae_gan_flows", "assignment/vae_gan_flows")
    assert "total 0 / 36" in done.stdout
    assert "Q3.11" in done.stdout


def test_the_copys_own_tests_accept_it(followed):
    """Those that `make test` would run and that a new exercise can break."""
    run(followed, "autograder", "stubs")
    files = ["test_stubs", "test_student_tools", "test_student_side", "test_notebooks", "test_accuracy"]
    names = "drift or public or handout or checked or alternatives or full_marks or nothing or texts_say or leak"
    paths = [f"tests/{file}.py" for file in files]
    done = run(
        followed, "pytest", "-q", "-x", *paths, "-k", f"({names}) and not (theory or ddim or vae_ddpm or vae_gan_ddpm)"
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
