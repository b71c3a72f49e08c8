"""Every notebook is what its text says, and runs from top to bottom on the reference: in a clean kernel, on the CPU,
with tiny settings and offline data."""

import json
from pathlib import Path

import pytest

from autograder import notebooks
from autograder.course import ROOT, load_assignment, slugs

BUILT = sorted(notebooks.NOTEBOOKS.glob("*/*.ipynb"))


@pytest.mark.parametrize("slug", slugs())
def test_notebooks_are_what_their_texts_say(slug):
    assert notebooks.write_notebooks(slug, check=True) == [], "run make stubs"


@pytest.mark.parametrize("path", BUILT, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_notebook_runs_on_the_reference(path, tmp_path, monkeypatch):
    import nbclient
    import nbformat

    assignment = load_assignment(path.parent.name)
    (tmp_path / "assignment").mkdir()
    folder = tmp_path / "assignment" / assignment.slug
    folder.mkdir()
    for given in assignment.given.iterdir():  # links, so that what training writes stays here
        (folder / given.name).symlink_to(given)
    for name in ("student", "training", "data_loaders"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.setenv("SMOKE", "1")
    monkeypatch.setenv("SUBMISSION", str(assignment.solutions))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()  # a failing cell raises with its traceback
    checks = [cell for cell in notebook.cells if cell.source.startswith("%check")]
    assert checks, "a notebook checks its exercises"
    for cell in checks:
        said = "".join(
            output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in cell.outputs
        )
        assert " right" in said and not any(word in said for word in ("wrong", "to do", "waiting")), said


def test_drift_is_seen(tmp_path, monkeypatch):
    slug = slugs()[0]
    (tmp_path / slug).mkdir()
    monkeypatch.setattr(notebooks, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    source = tmp_path / slug / "lab.md"
    source.write_text("# A lab\n\nText.\n\n```python\nprint(1)\n```\n")
    assert notebooks.write_notebooks(slug) == [f"{slug}/lab.ipynb"]
    assert notebooks.write_notebooks(slug, check=True) == []
    source.write_text(source.read_text() + "\nMore.\n")
    (tmp_path / slug / "stray.ipynb").write_text("{}")
    assert notebooks.write_notebooks(slug, check=True) == [f"{slug}/lab.ipynb", f"{slug}/stray.ipynb"]


def test_every_coding_exercise_is_checked_in_a_notebook():
    for slug in slugs():
        text = "\n".join(source.read_text(encoding="utf-8") for source in notebooks.sources(slug))
        if text:
            checked = {word for line in text.splitlines() if line.startswith("%check ") for word in line.split()[1:]}
            assert checked >= set(load_assignment(slug).exercises), slug


def test_outputs_are_stripped():
    for path in BUILT:
        cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
        assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in cells), path
