"""Every notebook is what its text says, and runs from top to bottom on the reference: in a clean kernel, on the CPU,
with tiny settings and offline data."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from autograder.course import ROOT, load_assignment, slugs
from autograder.publish import notebooks, student_zip

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
    monkeypatch.setenv("SUBMISSION", str(assignment.solutions))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    notebook = nbformat.read(path, as_version=4)
    assert notebook.cells[1].source.splitlines()[1].startswith("SMOKE = False"), "the handout says: in the first cell"
    notebook.cells[1].source = notebook.cells[1].source.replace("SMOKE = False", "SMOKE = True", 1)
    client = nbclient.NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()  # a failing cell raises with its traceback
    printed = "".join(str(output) for cell in notebook.cells for output in cell.get("outputs", ()))
    assert "is not there" not in printed, "a figure is missing"
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
from types import SimpleNamespace
drive = types.SimpleNamespace(mount=lambda place: Path(place, "MyDrive").mkdir(parents=True, exist_ok=True))
sys.modules["google.colab"] = types.SimpleNamespace(drive=drive)
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    """A course's repository for students, bare, with the releases of two assignments."""
    work, bare = tmp_path_factory.mktemp("course"), tmp_path_factory.mktemp("home") / "students.git"
    for slug in ("vae_ddpm_cfg", "theory"):
        zipfile.ZipFile(student_zip.release(slug)).extractall(work)
    git = ["git", "-C", str(work), "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "release"]):
        subprocess.run([*git, *command], check=True)
    subprocess.run(["git", "clone", "-q", "--bare", str(work), str(bare)], check=True)
    return bare


def on_colab(cells: list[str], tmp_path: Path, monkeypatch) -> str:
    """What the cells print there, with a Colab made of a fake Drive, in the folder tmp_path."""
    import nbclient
    import nbformat

    (tmp_path / "content").mkdir(exist_ok=True)
    monkeypatch.delenv("SUBMISSION", raising=False)
    cells = [cell.replace("/content", str(tmp_path / "content")) for cell in cells]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in [CLOUD, *cells]])
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    return "".join(str(output) for cell in notebook.cells for output in cell.outputs)


def lead_to(repository: str, monkeypatch) -> None:
    settings = msgspec.structs.replace(notebooks.course(), repository=repository)
    monkeypatch.setattr(notebooks, "course", lambda: settings)


def test_the_second_assignment_comes_into_the_clone_of_the_first(published, tmp_path, monkeypatch):
    lead_to(f"file://{published}", monkeypatch)
    clone = tmp_path / "content" / "drive" / "MyDrive" / "students"
    first, second = notebooks.setup("vae_ddpm_cfg"), notebooks.setup("theory")
    said = on_colab([first, first, "%check Q1.1", "print('folder:', Path.cwd())"], tmp_path, monkeypatch)
    assert said.count("your files:") == 2, "twice does no harm"
    assert f"folder: {(clone / 'vae_ddpm_cfg').resolve()}" in said and "1 to do" in said

    shutil.rmtree(clone / "theory")  # it was not published yet when the first one was cloned
    mine = clone / "vae_ddpm_cfg" / "q1_vae.py"
    mine.write_text("# my answer\n")
    said = on_colab([second, "%check Q1a", "print('folder:', Path.cwd())"], tmp_path, monkeypatch)
    assert f"folder: {(clone / 'theory').resolve()}" in said and "1 to do" in said
    assert mine.read_text() == "# my answer\n"


def test_an_uploaded_zip_is_enough(tmp_path, monkeypatch):
    (tmp_path / "content").mkdir()
    (tmp_path / "content" / "vae_ddpm_cfg.zip").write_bytes(student_zip.release("vae_ddpm_cfg").read_bytes())
    said = on_colab([notebooks.setup("vae_ddpm_cfg"), "print('folder:', Path.cwd())"], tmp_path, monkeypatch)
    assert f"folder: {(tmp_path / 'content' / 'drive' / 'MyDrive' / 'vae_ddpm_cfg').resolve()}" in said


def test_a_repository_that_is_closed_gets_a_sentence(tmp_path, monkeypatch):
    import nbclient

    lead_to(f"file://{tmp_path}/nobody.git", monkeypatch)
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="If the repository is private, .* upload it to"):
        on_colab([notebooks.setup("theory")], tmp_path, monkeypatch)


@pytest.mark.parametrize(
    "repository",
    [
        "https://github.com/a-course/students-2026",
        "https://github.com/a-course/students-2026.git",
        "https://github.com/a-course/students-2026/",
        "http://www.github.com/a-course/students-2026",
        "github.com/a-course/students-2026.git",
        "git@github.com:a-course/students-2026.git",
        "ssh://git@github.com/a-course/students-2026.git",
        "a-course/students-2026",
    ],
)
def test_every_form_of_an_address_leads_to_the_same_place(repository, monkeypatch):
    lead_to(repository, monkeypatch)
    assert "/github/a-course/students-2026/blob/main/theory/notebooks/lab.ipynb" in notebooks.badge("theory", "lab")
    setup = notebooks.setup("theory")
    assert 'REPOSITORY = "https://github.com/a-course/students-2026"\n' in setup and '"main", "students-2026"' in setup


def test_elsewhere_than_on_github_there_is_no_badge(monkeypatch):
    lead_to("https://git.example.edu/a-course/students.git", monkeypatch)
    assert notebooks.badge("theory", "lab") == ""
    setup = notebooks.setup("theory")
    assert 'REPOSITORY = "https://git.example.edu/a-course/students.git"\n' in setup and '"main", "students"' in setup


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


def test_every_question_of_the_report_has_a_place_for_its_answer():
    import nbformat

    for path in BUILT:
        cells = nbformat.read(path, as_version=4).cells
        asked = [cell for cell in cells if notebooks.ASKS.search(cell.source) and cell.cell_type == "markdown"]
        assert asked, path
        for cell in asked:
            (found,) = notebooks.ASKS.finditer(cell.source)
            place = cells[cells.index(cell) + 1].source
            assert place.startswith("*Your prediction" if found["prediction"] else "*Your answer"), (path, cell.source)


def test_our_curves_are_there_under_the_names_that_notebooks_ask_for():
    asked = re.compile(r'curves\(\s*(?:\{(?P<names>[^}]*)\}|\w[^,]*), "(?P<run>\w+)"')
    for slug in slugs():
        texts = "\n".join(source.read_text(encoding="utf-8") for source in notebooks.sources(slug))
        file = ROOT / "assignment" / slug / "figures" / "curves.json"
        ours = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        calls = list(asked.finditer(texts))
        assert len(calls) == texts.count("curves(") and {call["run"] for call in calls} == set(ours), slug
        for call in calls:
            run = ours[call["run"]]
            assert run["command"].startswith("python ") and run["curves"]
            assert set(re.findall(r'"([\w ]+)":', call["names"] or "")) <= set(run["curves"])
            assert all(len(curve) > 5 for curve in run["curves"].values())


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """What is plotted: the labels of each figure's lines, and its title."""
    import matplotlib.pyplot as plt

    shown = []

    def show():
        axes = plt.gca()
        shown.append(([line.get_label() for line in axes.get_lines()], axes.get_title(), axes.get_xlabel()))
        plt.close()

    monkeypatch.setattr(plt, "show", show)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "figures").mkdir()
    ours = {"vae": {"command": "python train.py", "data": "mnist", "curves": {"loss": [3.0, 2.0], "kl": [1.0, 1.0]}}}
    (tmp_path / "figures" / "curves.json").write_text(json.dumps(ours))
    return shown


def test_our_curve_lies_behind_yours_but_only_where_both_saw_the_same_data(drawn, capsys):
    from student.notebook import curves

    run = lambda data, out="runs/vae": SimpleNamespace(data=data, out=out)  # noqa: E731
    curves({"loss": [4.0, 3.0]}, "vae", run("mnist"), xlabel="epoch")
    curves({"loss": [4.0, 3.0]}, "vae", run("digits"))
    curves({"loss": [4.0]}, "vae", run("mnist", out="runs/smoke-vae"))
    assert drawn[0] == (["loss, ours", "loss"], "", "epoch")
    assert drawn[1][:2] == (["loss"], "")
    assert drawn[2][0] == ["loss"] and "smoke run" in drawn[2][1]
    assert "ours: python train.py" in (said := capsys.readouterr().out) and "it was trained on mnist" in said


@pytest.mark.parametrize("installed", [True, False])
def test_a_slider_or_all_values(installed, monkeypatch):
    from student.notebook import choose

    seen = []
    if not installed:
        monkeypatch.setitem(sys.modules, "ipywidgets", None)
    choose(lambda w: seen.append(w), "w", [0, 1, 3])
    assert seen == ([0] if installed else [0, 1, 3])


def test_outputs_are_stripped():
    for path in BUILT:
        cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
        assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in cells), path
