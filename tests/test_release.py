"""A student's release: no answer is in it; from the zip to a graded submission all works, away from this repository."""

import os
import sys
import venv
import zipfile
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import warm

from autograder.course import ROOT, CourseError, course_secret, load_assignment, slugs
from autograder.grading.forkserver import grade_apart
from autograder.publish import student_zip
from autograder.regions import regions


@pytest.fixture(scope="session")
def python(tmp_path_factory) -> Path:
    """An interpreter with the installed packages, but without this repository."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(folder, symlinks=True)
    packages = [entry for entry in sys.path if entry.endswith("site-packages")]
    (target,) = folder.glob("lib/python*/site-packages")
    (target / "packages.pth").write_text("\n".join(packages))  # a .pth inside of these is not read: no editable install
    return folder / "bin" / "python"


@pytest.fixture(scope="session", params=slugs())
def unzipped(request, tmp_path_factory):
    """(assignment, its release, unzipped)"""
    archive = student_zip.release(request.param)
    folder = tmp_path_factory.mktemp("home")
    zipfile.ZipFile(archive).extractall(folder)
    return load_assignment(request.param), folder / request.param


def run(python: Path, folder: Path, *command: str) -> CompletedProcess:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "OMP_NUM_THREADS": "1", "COLUMNS": "160"}
    return warm.run(list(command), folder, environment, python=str(python))


def test_from_the_zip_to_a_graded_submission(unzipped, python, tmp_path):
    assignment, folder = unzipped
    outside = run(python, tmp_path, "-c", "import student")
    assert "No module named 'student'" in outside.stderr, "the repository is in reach: this test would prove nothing"

    done = run(python, folder, "check.py")
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[-1] == f"{len(assignment.exercises)} to do"
    done = run(python, folder, "submit.py")
    assert done.returncode == 0, done.stderr
    assert all(
        f"still to do: {' '.join(e.id for e in assignment.in_file(f))}." in done.stdout for f in assignment.files
    )

    for name in assignment.files:
        (folder / name).write_bytes((assignment.solutions / name).read_bytes())
    done = run(python, folder, "check.py")
    assert done.returncode == 0, done.stdout + done.stderr
    done = run(python, folder, "submit.py", "--output", str(tmp_path / "mine.zip"))
    assert done.returncode == 0, done.stderr
    assert "note:" not in done.stdout
    assert sorted(zipfile.ZipFile(tmp_path / "mine.zip").namelist()) == sorted(assignment.files)
    verdict = grade_apart(assignment.slug, tmp_path / "mine.zip")
    assert verdict.score == assignment.points, verdict.outputs


def test_training_and_a_notebook_run_there(python, tmp_path):
    """One script and the first cells of one notebook: the other ones differ only in what they train."""
    import nbclient
    import nbformat

    assignment = load_assignment("vae_ddpm_cfg")
    zipfile.ZipFile(student_zip.release(assignment.slug)).extractall(tmp_path)
    folder = tmp_path / assignment.slug
    for name in assignment.files:
        (folder / name).write_bytes((assignment.solutions / name).read_bytes())
    done = run(python, folder, "q1_train_vae.py", "--data", "digits", "--epochs", "1", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert (folder / "runs" / "vae" / "samples.png").exists()

    notebook = nbformat.read(folder / "notebooks" / "q1_vae.ipynb", as_version=4)
    first_check = next(i for i, cell in enumerate(notebook.cells) if cell.source.startswith("%check"))
    notebook.cells = notebook.cells[: first_check + 1]
    nbclient.NotebookClient(notebook, resources={"metadata": {"path": str(folder / "notebooks")}}).execute()
    outputs = [str(output) for cell in notebook.cells for output in cell.get("outputs", ())]
    assert any(f"your files: {folder}" in text for text in outputs)
    assert any("1 right" in text for text in outputs)


def with_line(files: dict[str, bytes], name: str, text: str) -> dict[str, bytes]:
    return files | {name: files.get(name, b"") + f"\n{text}\n".encode()}


def test_planted_leaks_are_caught():
    assignment = load_assignment("vae_ddpm_cfg")
    files = dict(student_zip.student_files(assignment))
    assert student_zip.find_leaks(assignment, files) == []

    answer = next(
        line for line in regions((assignment.solutions / "q1_vae.py").read_text()) if student_zip.telling(line)
    )
    hidden = (ROOT / "autograder" / "hidden_tests" / "vae_ddpm_cfg" / "q2_ddpm.py").read_text()
    misconceptions = (ROOT / "autograder" / "misconceptions" / "vae_ddpm_cfg" / "q1_vae.py").read_text()
    alternatives = assignment.alternatives_file("q1_vae").read_text(encoding="utf-8")
    planted = {
        "an answer in given code": with_line(files, "ddpm_utils/fit.py", answer),
        "an answer, spaced otherwise": with_line(
            files, "README.md", "   " + answer.strip().replace(" ", "  ") + "  # see"
        ),
        "an answer, commented out": with_line(files, "cfg_utils/unet.py", f"#   {answer.strip()}"),
        "a hidden test": files | {"public_tests/test_extra.py": hidden.encode()},
        "a misconception": files | {"notes.txt": misconceptions[:3000].encode()},
        "an alternative": files | {"notes.txt": alternatives[:6000].encode()},
        "the secret": with_line(files, "training/device.py", course_secret().decode()),
        "a solution file": files | {"old/q2.py": (assignment.solutions / "q2_ddpm.py").read_bytes()},
    }
    for what, changed in planted.items():
        leaks = student_zip.find_leaks(assignment, changed)
        (name,) = {leak.partition(", line")[0].partition(":")[0] for leak in leaks} or {None}
        assert name and changed[name] != files.get(name), what


def test_leaks_in_notebooks_are_caught():
    import nbformat

    assignment = load_assignment("vae_ddpm_cfg")
    files = dict(student_zip.student_files(assignment))
    (answer, *_) = [
        line for line in regions((assignment.solutions / "q2_ddpm.py").read_text()) if student_zip.telling(line)
    ]
    notebook = nbformat.reads(files["notebooks/q1_vae.ipynb"].decode(), as_version=4)
    notebook.cells[-1].source += f"\n{answer}"
    (leak,) = student_zip.find_leaks(assignment, {"notebooks/q1_vae.ipynb": nbformat.writes(notebook).encode()})
    assert "a line of solutions/vae_ddpm_cfg/q2_ddpm.py" in leak
    notebook = nbformat.reads(files["notebooks/q1_vae.ipynb"].decode(), as_version=4)
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="83.1")]
    (leak,) = student_zip.find_leaks(assignment, {"notebooks/q1_vae.ipynb": nbformat.writes(notebook).encode()})
    assert leak == "notebooks/q1_vae.ipynb: outputs"


def test_a_leak_stops_the_release_and_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(student_zip, "DIST", tmp_path)
    (tmp_path / "theory.zip").write_bytes(b"the last good one")
    whole = student_zip.student_files

    def with_hidden_test(assignment):
        yield from whole(assignment)
        yield "extra.py", assignment.tests_files("answers")[1].read_bytes()

    monkeypatch.setattr(student_zip, "student_files", with_hidden_test)
    with pytest.raises(CourseError, match=r"extra.py, line \d+: a line of autograder/hidden_tests/theory"):
        student_zip.release("theory")
    assert (tmp_path / "theory.zip").read_bytes() == b"the last good one"


def test_a_stub_changed_by_hand_stops_the_release(monkeypatch):
    monkeypatch.setattr(student_zip, "write_stubs", lambda slug, check: [f"assignment/{slug}/answers.py"])
    with pytest.raises(CourseError, match="make stubs"):
        student_zip.release("theory")
