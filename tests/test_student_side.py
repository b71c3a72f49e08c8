"""What a student holds in hand: public tests, handouts, training scripts, tried as a student would."""

import os
import re
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import warm

from autograder.course import ROOT, Assignment, assignment_entry, load_assignment, slugs


def run(command: list[str], folder: Path, **environment: str) -> CompletedProcess:
    fixed = {"OMP_NUM_THREADS": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # plugins cost time
    return warm.run(command, folder, {**os.environ, **fixed, **environment})


def reference_path(assignment: Assignment) -> str:
    return os.pathsep.join(map(str, (assignment.solutions, assignment.given, ROOT)))


@pytest.mark.parametrize("slug", slugs())
def test_public_tests_pass_on_the_reference(slug, tmp_path):
    assignment = load_assignment(slug)
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", str(assignment.given / "public_tests")]
    done = run(command, tmp_path, SUBMISSION=str(assignment.solutions))
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("slug", slugs())
def test_public_tests_say_what_is_to_do(slug, tmp_path):
    """On untouched stubs nothing passes that names an exercise, and every exercise says that it is to do."""
    assignment = load_assignment(slug)
    command = ["-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", str(assignment.given / "public_tests")]
    done = run(command, tmp_path)
    assert " passed" not in done.stdout.splitlines()[-1], done.stdout[-3000:]
    for name in assignment.exercises:
        assert f"{name} is still to do" in done.stdout, name


@pytest.mark.parametrize("slug", slugs())
def test_the_handout_names_every_exercise_with_its_points(slug):
    """Those of assignment.toml. Where a course sets others, the course's own lines in the handout say so."""
    text = (load_assignment(slug).given / "README.md").read_text(encoding="utf-8")
    for exercise, entry in assignment_entry(slug).exercises.items():
        name, points = re.escape(exercise), f"{entry.points:g}"
        in_table = re.search(rf"\|\s*{name}\b[^|]*\|[^\n]*?\b{points}\b", text)
        in_list = re.search(rf"\*\*{name} \({points}\)\*\*", text)
        assert in_table or in_list, f"{exercise} does not stand there with its {points} points"


SMOKE = {
    "vae_ddpm_cfg": {
        "q1_train_vae.py": ["--epochs", "2"],
        "q2_trainer_ddpm.py": [
            "--width",
            "8",
            "--n-steps",
            "8",
            "--max-steps",
            "3",
            "--n-samples",
            "4",
            "--nb-save",
            "3",
        ],
        "q3_trainer_cfg.py": ["--width", "8", "--n-steps", "8", "--max-steps", "3", "--n-samples", "10"],
    },
    "vae_gan_ddpm": {
        "train_vae.py": ["--max-steps", "3", "--features", "8", "--importance-samples", "4"],
        "train_gan.py": ["--max-steps", "3", "--features", "8"],
        "train_ddpm.py": ["--max-steps", "3", "--width", "8", "--timesteps", "8"],
    },
}
OFFLINE = {"vae_ddpm_cfg": "digits", "vae_gan_ddpm": "digits_rgb"}
SCRIPTS = [(slug, script) for slug, scripts in SMOKE.items() for script in scripts]


def script_path(assignment: Assignment, script: str) -> list[str]:
    """How to start a script so that the reference's files come before the stubs beside it."""
    home = assignment.solutions if (assignment.solutions / script).exists() else assignment.given
    return ["-P", str(home / script)]


@pytest.mark.parametrize("slug, script", SCRIPTS)
def test_training_scripts_run_and_resume(slug, script, tmp_path):
    """A short run on the offline data writes figures, and can be resumed."""
    assignment = load_assignment(slug)
    options = ["--data", OFFLINE[slug], "--device", "cpu", "--out", str(tmp_path / "out"), *SMOKE[slug][script]]
    command = [*script_path(assignment, script), *options]
    for resume in ([], ["--resume"]):
        done = run(command + resume, tmp_path, PYTHONPATH=reference_path(assignment))
        assert done.returncode == 0, done.stderr[-3000:]
    figures = list((tmp_path / "out").glob("*.png"))
    assert figures and all(figure.stat().st_size > 1000 for figure in figures)
    assert (tmp_path / "out" / "history.json").exists() and (tmp_path / "out" / "checkpoint.pt").exists()


@pytest.mark.parametrize("slug, script", SCRIPTS)
def test_training_scripts_refuse_in_one_sentence(slug, script, tmp_path):
    assignment = load_assignment(slug)
    done = run(
        [*script_path(assignment, script), "--data", "no-such-data", "--out", str(tmp_path)],
        tmp_path,
        PYTHONPATH=reference_path(assignment),
    )
    assert done.returncode != 0
    assert "no-such-data" in done.stderr and "digits" in done.stderr
    assert "Traceback" not in done.stderr
