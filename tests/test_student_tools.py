"""check.py and submit.py: what they say of files in every state, and what they refuse."""

import ast
import json
import os
import re
import shutil
import signal
import zipfile
from pathlib import Path

import pytest

from autograder.course import ROOT, load_assignment, slugs
from autograder.grading.forkserver import grade_apart
from student import check, submit
from student.assignment import StudentError, find_assignment

SLUG = "vae_ddpm_cfg"


@pytest.fixture
def folder(tmp_path):
    """An assignment's folder, solved."""
    assignment = load_assignment(SLUG)
    target = tmp_path / SLUG
    shutil.copytree(assignment.given, target, ignore=shutil.ignore_patterns("__pycache__", "runs"))
    for name in assignment.files:
        shutil.copy(assignment.solutions / name, target / name)
    return target


@pytest.fixture
def untouched(tmp_path):
    """An assignment's folder, as a student receives it."""
    assignment, target = load_assignment(SLUG), tmp_path / "untouched" / SLUG
    shutil.copytree(assignment.given, target, ignore=shutil.ignore_patterns("__pycache__", "runs"))
    return target


def change(folder, name, before, after):
    text = (folder / name).read_text()
    assert before in text
    (folder / name).write_text(text.replace(before, after))


def states(folder, *only) -> dict[str, str]:
    return {row.exercise: row.state for row in check.check(find_assignment(folder), list(only))}


def test_check_tells_right_wrong_and_to_do(folder):
    change(
        folder,
        "q1_vae.py",
        "def log_likelihood_normal(",
        "def log_likelihood_normal(*a, **k):\n    return 0\n\n\ndef x(",
    )
    (folder / "q2_ddpm.py").write_text((load_assignment(SLUG).given / "q2_ddpm.py").read_text())
    found = states(folder, "Q1", "Q2.1", "q2_trainer_ddpm.py")
    assert found["Q1.1"] == check.RIGHT
    assert found["Q1.2"] == check.WRONG
    assert found["Q2.1"] == check.TODO
    assert "Q3.1" not in found


def test_an_exercise_that_needs_another_one_waits_for_it(folder):
    stub = (load_assignment(SLUG).given / "q2_ddpm.py").read_text()
    solved = (folder / "q2_ddpm.py").read_text()
    start, end = (text.index("def p_xt_prev_xt") for text in (stub, solved))
    (folder / "q2_ddpm.py").write_text(stub[:start] + solved[end:])  # Q2.1 and Q2.2 are to do, the rest is solved
    rows = {row.exercise: row for row in check.check(find_assignment(folder), ["q2_ddpm"])}
    assert rows["Q2.1"].state == rows["Q2.2"].state == check.TODO
    assert rows["Q2.3"].state == rows["Q2.4"].state == check.RIGHT
    assert rows["Q2.5"].state == check.WAITING
    assert rows["Q2.5"].reasons and all("Q2.2 is still to do" in reason for reason in rows["Q2.5"].reasons)


def test_check_sees_the_file_as_it_is_now(folder):
    assert states(folder, "Q1.3") == {"Q1.3": check.RIGHT}
    change(folder, "q1_vae.py", "def log_mean_exp(", "def log_mean_exp(y):\n    return y\n\n\ndef unused(")
    assert states(folder, "Q1.3") == {"Q1.3": check.WRONG}


def test_check_leaves_a_notebooks_modules_and_random_state_alone(folder, monkeypatch):
    import sys

    import torch

    monkeypatch.syspath_prepend(str(folder))
    before = __import__("q1_vae")
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    states(folder, "Q1.3")
    assert torch.rand(1) == expected
    assert sys.modules["q1_vae"] is before
    assert "conftest" not in sys.modules or "public_tests" not in str(sys.modules["conftest"].__file__)


def test_packages_of_an_environment_inside_the_folder_stay(folder, monkeypatch):
    import importlib
    import sys

    packages = folder / ".venv" / "lib" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "installed_here.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(str(packages))
    module = importlib.import_module("installed_here")
    with check.fresh_modules([folder]):
        assert sys.modules["installed_here"] is module


def test_a_failure_is_one_line_with_its_place(folder):
    change(
        folder,
        "q1_vae.py",
        "def log_mean_exp(y: Tensor) -> Tensor:",
        "def log_mean_exp(y):\n    return y.nothing\n\n\ndef z(y):",
    )
    (row,) = check.check(find_assignment(folder), ["Q1.3"])
    assert row.state == check.WRONG
    assert "no attribute 'nothing'" in row.reasons[0]
    assert "(q1_vae.py, line " in row.reasons[0]
    assert all("\n" not in reason for reason in row.reasons)


def test_a_test_that_never_ends_is_ended(folder, monkeypatch):
    monkeypatch.setattr(check, "TEST_SECONDS", 1)
    change(folder, "q1_vae.py", "def log_mean_exp(", "def log_mean_exp(y):\n    while True:\n        pass\n\n\ndef z(")
    (row,) = check.check(find_assignment(folder), ["Q1.3"])
    assert row.state == check.WRONG
    assert "did not finish within 1 seconds" in row.reasons[0]
    assert "(q1_vae.py, line " in row.reasons[0]


def test_the_place_is_the_students_not_a_librarys(folder):
    change(
        folder, "q1_vae.py", "def log_mean_exp(", "def log_mean_exp(y):\n    return torch.load('none.pt')\n\n\ndef z("
    )
    (row,) = check.check(find_assignment(folder), ["Q1.3"])
    assert "none.pt" in row.reasons[0] and "(q1_vae.py, line " in row.reasons[0]


def test_a_syntax_error_is_said(folder):
    (folder / "q1_vae.py").write_text("def broken(:\n")
    (row,) = check.check(find_assignment(folder), ["Q1.3"])
    assert row.reasons == ["q1_vae.py, line 1: invalid syntax: def broken(:. Fix this line."]
    assert "public_tests" not in row.reasons[0], "the place of the sentence is nobody's concern"


@pytest.mark.parametrize("slug", slugs())
def test_every_exercise_has_a_public_test(slug):
    assignment = find_assignment(ROOT / "assignment" / slug)
    rows = {exercise: check.Row(exercise, target) for exercise, target in assignment.exercises.items()}
    collector = check.Collector(rows)
    tests = "\n".join(path.read_text() for path in (assignment.folder / "public_tests").glob("test_*.py"))
    named = {line.split("(")[0].removeprefix("def ") for line in tests.splitlines() if line.startswith("def test_")}
    assert {row.exercise for row in map(collector.row_of, named) if row} == set(assignment.exercises)
    assert all(collector.row_of(name) for name in named), "a public test belongs to no exercise"


def test_unknown_exercises_and_folders_are_refused(folder, tmp_path, capsys):
    with pytest.raises(StudentError, match="There is no exercise Q9"):
        states(folder, "Q9")
    assert check.main(["--assignment", str(tmp_path)]) == 2
    assert "no assignment's folder" in capsys.readouterr().err
    assert check.main(["--assignment", str(folder), "--submission", str(tmp_path / "none")]) == 2


def test_submit_packs_the_files_and_nothing_else(folder, tmp_path, capsys):
    given = {path.name: "" for path in folder.glob("*.py")}
    (folder / "given.json").write_text(json.dumps(given))
    (folder / "my_helper.py").write_text("x = 1\n")
    (folder / "report.pdf").write_bytes(b"")
    assert submit.main(["--assignment", str(folder), "--output", str(tmp_path / "mine.zip")]) == 0
    names = zipfile.ZipFile(tmp_path / "mine.zip").namelist()
    assert sorted(names) == sorted([*load_assignment(SLUG).files, "my_helper.py"])
    assert "note:" not in capsys.readouterr().out


def test_submit_says_what_is_missing(folder, tmp_path, capsys):
    (folder / "q2_ddpm.py").rename(folder / "q2_ddpm (1).py")
    (folder / "q1_train_vae.py").write_text((load_assignment(SLUG).given / "q1_train_vae.py").read_text())
    change(folder, "q1_vae.py", "def log_mean_exp(", "def log_mean(")
    change(folder, "q3_cfg_diffusion.py", "def loss(", "def lost(")
    change(folder, "q3_trainer_cfg.py", "        if set_seed:", "        breakpoint()\n        if set_seed:")
    assert submit.main(["--assignment", str(folder), "--output", str(tmp_path / "mine.zip")]) == 0
    said = capsys.readouterr().out
    assert "q2_ddpm.py is missing: is it q2_ddpm (1).py? Rename it" in said
    assert "q1_train_vae.py: still to do: Q1.6." in said
    assert "q1_vae.py lacks log_mean_exp" in said
    assert "q3_cfg_diffusion.py lacks CFGDiffusion.loss" in said
    assert "breakpoint() waits for a person" in said


def test_submit_refuses_what_the_grader_cannot_read_and_keeps_the_last_zip(folder, tmp_path, capsys):
    target = tmp_path / "mine.zip"
    target.write_bytes(b"the last one")
    (folder / "q1_vae.py").write_text("def f():\n    return (1\n")
    assert submit.main(["--assignment", str(folder), "--output", str(target)]) == 2
    assert "Python cannot read q1_vae.py, line 2" in capsys.readouterr().err
    assert target.read_bytes() == b"the last one"
    (folder / "q1_vae.py").write_bytes(b"x = 1\0\n")
    assert submit.main(["--assignment", str(folder), "--output", str(target)]) == 2


def test_submit_takes_notebooks(folder, tmp_path, capsys):
    source = (folder / "q1_vae.py").read_text()
    notebook = {"cells": [{"cell_type": "code", "source": source.splitlines(keepends=True)}], "nbformat": 4}
    (tmp_path / "mine.ipynb").write_text(json.dumps(notebook))
    (tmp_path / "empty.ipynb").write_text(json.dumps({"cells": []}))
    (tmp_path / "broken.ipynb").write_text("{")
    target = str(tmp_path / "mine.zip")
    (folder / "q1_vae.py").write_text((load_assignment(SLUG).given / "q1_vae.py").read_text())  # nothing done there
    assert submit.main(["--assignment", str(folder), "--output", target, str(tmp_path / "mine.ipynb")]) == 0
    assert "q1_vae.py is left out, since nothing is done in it" in capsys.readouterr().out
    assert "mine.ipynb" in zipfile.ZipFile(target).namelist()
    verdict = grade_apart(SLUG, Path(target))
    assert verdict.lost == {}, verdict.outputs
    (folder / "q1_vae.py").unlink()
    assert submit.main(["--assignment", str(folder), "--output", target, str(tmp_path / "empty.ipynb")]) == 0
    assert "No cell of empty.ipynb defines a function of an exercise." in capsys.readouterr().out
    assert submit.main(["--assignment", str(folder), "--output", target, str(tmp_path / "broken.ipynb")]) == 2
    assert submit.main(["--assignment", str(folder), "--output", target, str(tmp_path / "none.ipynb")]) == 2


# ---------------------------------------------------------------- answers anywhere


def lab(*sources: str) -> str:
    """A notebook with these code cells."""
    return json.dumps({"cells": [{"cell_type": "code", "source": source} for source in sources], "nbformat": 4})


def test_answers_in_a_notebooks_cells_count(untouched):
    folder = untouched
    """Every way in which a notebook may hold them: cells, %%writefile, noise beside, the file untouched or gone."""
    solution = (load_assignment(SLUG).solutions / "q1_vae.py").read_text()
    noise = ["!pip install torch", "%matplotlib inline", "def f(x, x): pass", "print(1/0)"]
    for cells in ([*noise, solution], ["%%writefile q1_vae.py\n" + solution, *noise]):
        (folder / "my_lab.ipynb").write_text(lab(*cells))
        assert set(states(folder, "q1_vae").values()) == {"right"}
        (folder / "q1_vae.py").rename(folder / "q1_vae.txt")
        assert set(states(folder, "q1_vae").values()) == {"right"}, "the file is gone"
        (folder / "q1_vae.txt").rename(folder / "q1_vae.py")
    (folder / "my_lab.ipynb").write_text(lab(solution.replace("return", "return -1 *", 1)))
    rows = check.check(find_assignment(folder), ["Q1.1"])
    assert rows[0].state == "wrong"
    assert re.search(r"log p\(x\) is -?[\d.]+, not -?[\d.]+ at \[0\]\. The example: x = \(1, 0\)", rows[0].reasons[0])


def test_a_function_in_a_cell_completes_a_file(untouched):
    """What the file leaves undone is taken from a notebook of its name, or from the kernel's cells; the rest stays."""
    source = (load_assignment(SLUG).solutions / "q1_vae.py").read_text()
    (function,) = [n for n in ast.parse(source).body if getattr(n, "name", "") == "log_mean_exp"]
    cells = ["import torch\nfrom torch import Tensor", ast.get_source_segment(source, function)]
    rows = check.check(find_assignment(untouched), ["q1_vae"], cells=["%check Q1.3", *cells, "1 / 0"])
    assert {row.exercise: row.state for row in rows}["Q1.3"] == "right"
    (untouched / "q1_vae.ipynb").write_text(lab(*cells))
    found = states(untouched, "q1_vae")
    assert found["Q1.3"] == "right" and found["Q1.1"] == "to do"


def test_a_notebook_can_be_named(folder, tmp_path, capsys):
    solution = (load_assignment(SLUG).solutions / "q1_vae.py").read_text()
    (tmp_path / "elsewhere.ipynb").write_text(lab(solution))
    assert check.main(["--assignment", str(folder), "Q1.3", str(tmp_path / "elsewhere.ipynb")]) == 0
    assert "1 right" in capsys.readouterr().out
    assert check.main(["--assignment", str(folder), str(tmp_path / "none.ipynb")]) == 2
    assert "There is no file" in capsys.readouterr().err


def test_nothing_that_the_check_does_needs_fork_or_alarms(folder, monkeypatch):
    """As on Windows."""
    monkeypatch.delattr(os, "fork")
    monkeypatch.delattr(signal, "SIGALRM")
    (folder / "q1_vae.py").write_bytes((load_assignment(SLUG).solutions / "q1_vae.py").read_bytes())
    assert set(states(folder, "q1_vae").values()) == {"right"}


def test_watch_says_what_a_save_changed(untouched, monkeypatch, capsys):
    folder = untouched
    solution, waited = load_assignment(SLUG).solutions / "q1_vae.py", []

    def wait(seconds):
        waited.append(seconds)
        if len(waited) == 2:
            (folder / "q1_vae.py").write_bytes(solution.read_bytes())

    monkeypatch.setattr(check.time, "sleep", wait)
    assert check.watch(find_assignment(folder), ["q1_vae", "Q2.1"], None, [], rounds=1) == 0
    first, later = capsys.readouterr().out.split("q1_vae.py saved")
    assert first.count("to do") == 7 and "right" not in first.split("to do,")[0]
    assert len(re.findall(r"Q1\.\d +\w+ +right", later)) == 5 and "Q2.1" not in later, "only what changed"
    assert "1 to do, 5 right" in later


def test_reasons_are_short(folder):
    """Four digits, one sentence, an example; no traceback, no restated task."""
    (folder / "q1_vae.py").write_text(
        (load_assignment(SLUG).solutions / "q1_vae.py").read_text().replace("return", "return 0.3333333333 *")
    )
    for row in check.check(find_assignment(folder), ["q1_vae"]):
        for reason in row.reasons:
            assert not re.search(r"\d\.\d{5,}", reason), reason
            assert len(reason) < 300 and "\n" not in reason


def test_submit_takes_the_notebook_that_holds_answers(untouched, tmp_path, capsys):
    folder = untouched
    (folder / "given.json").write_text(json.dumps({path.name: "" for path in folder.glob("*.py")}))
    (folder / "my_lab.ipynb").write_text(lab((load_assignment(SLUG).solutions / "q1_vae.py").read_text()))
    (folder / "scratch.ipynb").write_text(lab("x = 1"))
    assert submit.main(["--assignment", str(folder), "--output", str(tmp_path / "mine.zip")]) == 0
    names = zipfile.ZipFile(tmp_path / "mine.zip").namelist()
    assert "my_lab.ipynb" in names and "scratch.ipynb" not in names and "q1_vae.py" not in names


def test_the_zip_is_called_as_the_course_asks(folder, tmp_path, capsys):
    (folder / "course.toml").write_text('submission_name = "HW1_[Lastname]_[StudentNumber].zip"\n')
    assert submit.main(["--assignment", str(folder)]) == 2
    assert (
        "the zip is called HW1_[Lastname]_[StudentNumber].zip: call submit.py --name YOURS" in capsys.readouterr().err
    )
    assert submit.main(["--assignment", str(folder), "--name", "Doe", "--number", "810100123"]) == 0
    assert (folder / "HW1_Doe_810100123.zip").is_file()


def test_one_notebook_for_everything_beside_touched_stubs(untouched, tmp_path):
    """Two questions have a class Trainer, one of whose stubs raises in a loop; each file gets its own."""
    assignment = load_assignment(SLUG)
    (untouched / "my_answers.ipynb").write_text(
        lab(*((assignment.solutions / f).read_text() for f in assignment.files))
    )
    assert set(states(untouched).values()) == {"right"}
    with (untouched / "q2_trainer_ddpm.py").open("a") as file:
        file.write("# a comment\n")
    assert set(states(untouched).values()) == {"right"}
    upload = tmp_path / "upload"
    upload.mkdir()
    for name in (*assignment.files, "my_answers.ipynb"):
        shutil.copy(untouched / name, upload / name)
    verdict = grade_apart(SLUG, upload)
    assert verdict.lost == {} and verdict.score == assignment.points


def test_what_a_file_holds_goes_before_a_cell(untouched, tmp_path):
    """submit.py packs both, and the grader takes from the notebook what the file leaves undone."""
    solution = (load_assignment(SLUG).solutions / "q1_vae.py").read_text()
    stub, start = (untouched / "q1_vae.py").read_text(), "def log_mean_exp("
    (untouched / "q1_vae.py").write_text(solution[: solution.index(start)] + stub[stub.index(start) :])
    (untouched / "q1_vae.ipynb").write_text(lab(solution))
    assert set(states(untouched, "q1_vae").values()) == {"right"}
    assert submit.main(["--assignment", str(untouched), "--output", str(tmp_path / "mine.zip")]) == 0
    assert {"q1_vae.py", "q1_vae.ipynb"} <= set(zipfile.ZipFile(tmp_path / "mine.zip").namelist())
    verdict = grade_apart(SLUG, tmp_path / "mine.zip", only=frozenset({"Q1.1", "Q1.3", "Q1.4"}))
    assert verdict.lost == {}
