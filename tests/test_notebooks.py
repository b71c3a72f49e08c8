"""Every notebook is what its text says, and runs from top to bottom on the reference: in a clean kernel, on the CPU,
with tiny settings and offline data."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from autograder import notebooks, release
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


CLOUD = """
import sys, types
from pathlib import Path
drive = types.SimpleNamespace(mount=lambda place: Path(place, "MyDrive").mkdir(parents=True, exist_ok=True))
sys.modules["google.colab"] = types.SimpleNamespace(drive=drive)
"""


@pytest.mark.parametrize("arrival", ["cloned", "uploaded"])
def test_the_first_cell_sets_up_on_colab(arrival, tmp_path, tmp_path_factory, monkeypatch):
    """With a Colab made of a fake Drive and a students' repository on this disk."""
    import nbclient
    import nbformat

    slug, content = "vae_ddpm_cfg", tmp_path / "content"
    content.mkdir()
    archive = release.release(slug)
    students = tmp_path_factory.mktemp("home") / "students"
    zipfile.ZipFile(archive).extractall(students)
    git = ["git", "-C", str(students), "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "release"]):
        subprocess.run([*git, *command], check=True)
    if arrival == "uploaded":
        (content / f"{slug}.zip").write_bytes(archive.read_bytes())
        shutil.rmtree(students)
    text = notebooks.setup(slug).replace(notebooks.course()["repository"], str(students))
    text = text.replace("/content", str(content))
    monkeypatch.delenv("SUBMISSION", raising=False)
    cells = [CLOUD, text, text, "%check Q1.1", "print('folder:', Path.cwd())"]  # twice: that does no harm
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = "".join(str(output) for cell in notebook.cells for output in cell.outputs)
    expected = content / "drive" / "MyDrive" / ("students" if arrival == "cloned" else ".") / slug
    assert f"folder: {expected.resolve()}" in said
    assert said.count("your files:") == 2
    assert "1 to do" in said


def test_the_first_cell_says_what_is_missing_elsewhere(tmp_path):
    (tmp_path / "setup.py").write_text(notebooks.setup("vae_ddpm_cfg"))
    done = subprocess.run([sys.executable, "setup.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert "No folder vae_ddpm_cfg with q1_vae.py here: unzip vae_ddpm_cfg.zip" in done.stderr


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
