"""`python -m autograder new` in a copy of this repository: the new assignment works at once, and goes without trace."""

import os
import shutil

import pytest
import warm

from autograder.course import ROOT, CourseError, course_of, read_toml
from autograder.publish import scaffold
from autograder.publish.scaffold import ask, plan_of


def run(folder, *command: str, status: int = 0) -> str:
    environment = os.environ | {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
    done = warm.run(["-m", *command], folder, environment, timeout=600)
    assert done.returncode == status, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def everything(folder) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copy") / "repository"
    ignore = shutil.ignore_patterns(
        ".git", ".venv", ".*_cache", "dist", "build", "runs", "data", "__pycache__", "*.egg-info"
    )
    shutil.copytree(ROOT, folder, ignore=ignore)
    run(folder, "autograder", "stubs")  # makes the course secret's like, if anything does
    return folder


@pytest.mark.slow
def test_a_new_assignment_works_at_once_and_goes_without_a_trace(copy):
    before = everything(copy)
    said = run(copy, "autograder", "new", "my_flows", "--title", "My flows", "--file", "flows.py",
               "--exercise", "mean_square:4", "--exercise", "energy:2")  # fmt: skip
    assert "solutions/my_flows/flows.py written" in said
    assert "every stub, handout and notebook is what its source says" in run(copy, "autograder", "stubs", "--check")
    run(copy, "ruff", "check")
    assert "total 6 / 6" in run(copy, "autograder", "grade", "my_flows", "solutions/my_flows")
    assert "total 0 / 6" in run(copy, "autograder", "grade", "my_flows", "assignment/my_flows")
    said = run(copy, "autograder", "accuracy", "my_flows", "--keys", "5")
    assert "4 caught, 4 alone, 4 explained" in said and "0 surviving" in said and "2 accepted" in said
    assert "no answer found" in run(copy, "autograder", "release", "my_flows")
    files = [f"tests/test_{name}.py" for name in ("student_side", "handouts", "layout", "notebooks", "docs")]
    assert " passed" in run(copy, "pytest", "-q", "-k", "my_flows or checked_in or README", *files)

    assert "already" in run(copy, "autograder", "new", "my_flows", status=2)
    run(copy, "autograder", "new", "my_flows", "--remove")
    for left in ("dist", ".pytest_cache", ".ruff_cache", "autograder/course.secret"):
        path = copy / left
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    before.pop("autograder/course.secret", None)
    assert everything(copy) == before


def test_an_assignment_whose_tests_another_shares_is_not_removed():
    with pytest.raises(CourseError, match="vae_gan_flows shares the hidden tests of vae_ddpm_cfg/q1_vae"):
        scaffold.remove("vae_ddpm_cfg")
    with pytest.raises(CourseError, match="There is no assignment 'flow'. There are: vae_ddpm_cfg"):
        scaffold.remove("flow")


def test_what_was_removed_leaves_course_toml_too(monkeypatch, tmp_path):
    text = (ROOT / "course.toml").read_text()
    text = text.replace("[due]\n", "[due]\ntheory = 2026-10-02T23:00:00-04:00\n")
    (tmp_path / "course.toml").write_text(
        text + '\n[points.theory]\n"Q1.1" = 3\n"Q1.2" = 3\n\n[points.ddim_score]\n"Q1.1" = 2\n'
    )
    monkeypatch.setattr(scaffold, "ROOT", tmp_path)
    changed = scaffold.in_course(["vae_ddpm_cfg", "ddim_score"])
    assert "theory" not in changed
    (tmp_path / "course.toml").write_text(changed)
    settings = course_of(read_toml(tmp_path / "course.toml"))
    assert settings.points == {"ddim_score": {"Q1.1": 2}} and settings.due == {}


@pytest.mark.parametrize(
    "slug, file, exercises, complaint",
    [
        ("My-Flows", "a.py", ["f"], "'My-Flows' cannot name an assignment: take small letters"),
        ("theory", "a.py", ["f"], "There is an assignment theory already"),
        ("flows", "a b.py", ["f"], "'a b' cannot name a file or a function"),
        ("flows", "a.py", ["f:x"], "'f:x': write function:points"),
        ("flows", "a.py", ["f:-1"], "'f:-1': points are 0 or more"),
        ("flows", "a.py", ["f:1", "f:2"], "Two exercises have the same function"),
    ],
)
def test_names_that_cannot_be_used_are_refused(slug, file, exercises, complaint):
    with pytest.raises(CourseError, match=complaint):
        plan_of(slug, "", file, exercises)


def test_the_dialogue():
    answers = iter(["Flows, again", "", "log_det:4 loss:2.5"])
    plan = ask("flows", lambda question: next(answers))
    assert (plan.title, plan.module, plan.exercises) == ("Flows, again", "answers", [("log_det", 4.0), ("loss", 2.5)])
