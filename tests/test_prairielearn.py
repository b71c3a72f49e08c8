"""PrairieLearn's external grader: the same zip, called in PrairieLearn's layout, writes PrairieLearn's results."""

import json
import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from autograder.course import load_assignment
from autograder.publish.gradescope_zip import build


@pytest.mark.parametrize("part", [1.0, 0.0])
def test_the_zip_grades_in_prairielearns_layout(part, tmp_path):
    assignment = load_assignment("theory")
    root, grade = tmp_path / "autograder", tmp_path / "grade"
    zipfile.ZipFile(build(assignment.slug)).extractall(root / "source")
    (grade / "data").mkdir(parents=True)
    (grade / "data" / "data.json").write_text('{"submitted_answers": {}}')
    shutil.copytree(assignment.solutions if part else assignment.given, grade / "student", dirs_exist_ok=True)
    environment = os.environ | {
        "AUTOGRADER_ROOT": str(root),
        "PRAIRIELEARN_ROOT": str(grade),
        "SUBMISSION_ID": "",
        "GRADER_PYTHON": sys.executable,
    }
    done = subprocess.run(
        ["bash", str(root / "source" / "run_autograder")], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((grade / "results" / "results.json").read_text(encoding="utf-8"))
    assert results["gradable"] is True
    assert results["score"] == part
    assert sum(test["max_points"] for test in results["tests"]) == pytest.approx(assignment.points)
    assert sum(test["points"] for test in results["tests"]) == pytest.approx(part * assignment.points)
    assert all(set(test) == {"name", "description", "points", "max_points", "output"} for test in results["tests"])
    assert not (root / "results").exists(), "Gradescope's place is not used"


def test_a_container_is_told_the_submissions_id(tmp_path):
    """Dockerfile, Slurm, Kubernetes: no Gradescope tells it."""
    assignment = load_assignment("theory")
    zipfile.ZipFile(build(assignment.slug)).extractall(tmp_path / "source")
    shutil.copytree(assignment.given, tmp_path / "submission")
    (tmp_path / "grade" / "student").mkdir(parents=True)  # a submission in Gradescope's place goes first
    variables = {"AUTOGRADER_ROOT": tmp_path, "PRAIRIELEARN_ROOT": tmp_path / "grade", "GRADER_PYTHON": sys.executable}
    environment = os.environ | {name: str(value) for name, value in variables.items()} | {"SUBMISSION_ID": "4711"}
    subprocess.run(["bash", str(tmp_path / "source" / "run_autograder")], env=environment, check=True)
    results = json.loads((tmp_path / "results" / "results.json").read_text(encoding="utf-8"))
    assert results["extra_data"]["submission"] == "4711"
