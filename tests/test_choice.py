"""One exercise, one file, one student: --only and --student."""

import json

import pytest
import submissions

from autograder.__main__ import main
from autograder.classroom.batch import choose_students
from autograder.classroom.roster import Entry
from autograder.course import CourseError, load_assignment

CFG = load_assignment("vae_ddpm_cfg")


@pytest.mark.parametrize(
    "wanted, meant",
    [
        (["Q1.4"], ["Q1.4"]),
        (["q1.4", "Q1.1"], ["Q1.1", "Q1.4"]),
        (["Q3.1"], ["Q3.1"]),  # not Q3.10
        (["Q2"], [f"Q2.{i}" for i in range(1, 8)]),
        (["q2_trainer_ddpm.py"], ["Q2.6", "Q2.7"]),
        (["q1_train_vae"], ["Q1.6"]),
    ],
)
def test_what_is_meant(wanted, meant):
    assert sorted(CFG.exercises_meant(wanted)) == meant


def test_questions_without_dots():
    theory = load_assignment("theory")
    assert theory.exercises_meant(["Q1"]) == {"Q1a", "Q1b", "Q1c"}
    assert {e for e in theory.exercises if e.startswith("Q3a")} == theory.exercises_meant(["Q3a"])


@pytest.mark.parametrize("wanted", ["Q7", "Q1.44", "vae", "", "log_mean_exp("])
def test_what_means_nothing_is_refused(wanted):
    with pytest.raises(CourseError, match="There are Q1.1, Q1.2.*q3_trainer_cfg.py"):
        CFG.exercises_meant([wanted])


@pytest.mark.slow
def test_grade_and_batch_take_it(tmp_path, capsys):
    folder = tmp_path / "class"
    for name in ("ada", "bob"):
        submissions.write(folder / name, submissions.reference("theory"))
    out = tmp_path / "out"
    assert main(["batch", "theory", str(folder), "--output", str(out), "--only", "Q1a", "Q1a", "--student", "ada"]) == 0
    assert not (out / "bob.json").exists()
    assert {t["number"].rpartition(".")[0] for t in json.loads((out / "ada.json").read_text())["tests"]} == {"Q1a"}
    assert [row.split(",")[0] for row in (out / "grades.csv").read_text().splitlines()] == ["id", "ada"]
    assert main(["batch", "theory", str(folder), "--output", str(out), "--only", "Q1a"]) == 0
    assert [row.split(",")[0] for row in (out / "grades.csv").read_text().splitlines()] == ["id", "ada", "bob"]
    assert main(["batch", "theory", str(folder), "--output", str(out)]) == 2
    assert "holds grades of Q1a: give --output another folder" in capsys.readouterr().err
    assert main(["grade", "theory", str(folder / "ada"), "--only", "Q9"]) == 2
    assert "theory has no exercise 'Q9'" in capsys.readouterr().err


def test_an_unknown_student_is_refused(tmp_path):
    entries = [Entry(name, tmp_path) for name in ("ada", "bob")]
    assert [entry.id for entry in choose_students(entries, ["bob"])] == ["bob"]
    with pytest.raises(CourseError, match="There is no submission 'adda' among 2; there is ada."):
        choose_students(entries, ["adda"])
