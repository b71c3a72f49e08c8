"""The Gradescope zip, run for real in Gradescope's layout."""

import json
import zipfile

import pytest
import submissions

from autograder.course import ROOT, CourseError, load_assignment, slugs
from autograder.grading import lateness
from autograder.grading.results import expected_tests
from autograder.publish import gradescope_zip

SLUG = "vae_ddpm_cfg"
WRONG_KL = "\n\ndef kl_gaussian_gaussian_analytic(mu_q, logvar_q, mu_p, logvar_p):\n    return torch.zeros(len(mu_q))\n"


@pytest.fixture(scope="module")
def archive():
    return gradescope_zip.build(SLUG)


def test_zip_holds_one_assignment_and_the_scripts(archive):
    with zipfile.ZipFile(archive) as file:
        names = set(file.namelist())
        modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in file.infolist()}
        run = file.read("run_autograder").decode()
        torch_pin = file.read("requirements-torch.txt").decode()
    assert {"setup.sh", "run_autograder", "requirements.txt", "autograder/course.secret", "course.toml"} <= names
    assert modes["run_autograder"] & 0o111 and modes["setup.sh"] & 0o111
    assert f"autograder grade {SLUG} " in run and "@SLUG@" not in run
    assert "torch==" in torch_pin
    assignment = load_assignment(SLUG)
    for name in assignment.files:
        assert {
            f"solutions/{SLUG}/{name}",
            f"assignment/{SLUG}/{name}",
            f"autograder/hidden_tests/{SLUG}/{name}",
        } <= names
    rooms = {name.split("/")[1] for name in names if name.startswith(("solutions/", "assignment/"))}
    assert rooms == {SLUG}
    assert not [name for name in names if "__pycache__" in name or name.startswith(("tests/", "dist/", ".git"))]


def test_same_sources_give_the_same_zip(archive):
    first = archive.read_bytes()
    assert gradescope_zip.build(SLUG).read_bytes() == first


def test_a_real_upload_through_the_scripts(archive, tmp_path):
    """Six files in a subfolder of a zip, one wrong in one function, one exported from a notebook."""
    files = submissions.edited("q1_vae.py", lambda source: source + WRONG_KL)
    exported = "# %%\n!pip install torch\nfrom google.colab import drive\ndrive.mount('/content/drive')\n# In[2]:\n"
    files["q3_cfg_diffusion.py"] = exported + files["q3_cfg_diffusion.py"] + "\nget_ipython().system('ls')\n"
    upload = tmp_path / "upload"
    upload.mkdir()
    with zipfile.ZipFile(upload / "assignment3.zip", "w") as file:
        for name, source in files.items():
            file.writestr(f"Assignment 3/{name}", source)
    results = gradescope_zip.emulate(archive, upload)
    emulation = results["emulation"]
    assert emulation["exit"] == 0, emulation["stderr"]
    wrong = [test for test in results["tests"] if test["status"] == "failed"]
    assert {test["tags"][0] for test in wrong} == {"q1_vae.kl_gaussian_gaussian_analytic"}
    assert results["score"] == pytest.approx(87 - sum(test["max_score"] for test in wrong))
    assert results["extra_data"]["submission"] == "123456"
    assert "Q1.4" in emulation["stdout"]


def test_results_exist_before_torch_is_imported(archive, tmp_path):
    """A grade that is killed at once has left valid results, all tests at 0."""
    output = tmp_path / "results.json"
    from autograder.grading.grade import in_a_child
    from autograder.grading.results import Report, expected_tests

    assignment = load_assignment(SLUG)
    in_a_child(lambda: Report(assignment, "x", expected_tests(assignment)).write(output))
    found = json.loads(output.read_text())
    gradescope_zip.validate(found)
    assert found["score"] == 0 and len(found["tests"]) == len(expected_tests(assignment))
    assert all("Not run" in test["output"] for test in found["tests"])


@pytest.mark.parametrize(
    "spoil, complaint",
    [
        (lambda r: r.update(score="87"), "score is no number"),
        (lambda r: r.update(tests=[]), "there are no tests"),
        (lambda r: r["tests"][0].update(score=99), "out of range"),
        (lambda r: r["tests"][0].update(visibility="secret"), "visibility is unknown"),
        (lambda r: r.update(score=3.0), "not the sum"),
        (lambda r: r["tests"][0].pop("number"), "number is missing"),
    ],
)
def test_validation_rejects_what_gradescope_would(spoil, complaint):
    from autograder.grading.results import Report, expected_tests

    assignment = load_assignment(SLUG)
    results = Report(assignment, "x", expected_tests(assignment)).to_json()
    gradescope_zip.validate(results)
    spoil(results)
    with pytest.raises(CourseError, match=complaint):
        gradescope_zip.validate(results)


@pytest.mark.parametrize("slug", slugs())
def test_the_points_that_are_written_add_up(slug):
    """Rounded for results.json, a test's points must still sum to its exercise's: batch and Gradescope add them."""
    assignment = load_assignment(slug)
    sums: dict[str, float] = {}
    for test in expected_tests(assignment):
        sums[test.exercise.id] = sums.get(test.exercise.id, 0.0) + test.to_json()["max_score"]
    assert sums == pytest.approx({e.id: e.points for e in assignment.exercises.values()}, abs=1e-9)


def test_a_zip_that_is_no_good_leaves_the_last_good_one_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(gradescope_zip, "DIST", tmp_path)
    good = tmp_path / "theory.zip"
    good.write_bytes(b"the last good one")

    def refuse(*_):
        raise CourseError("the reference of theory fails 1 tests")

    monkeypatch.setattr(gradescope_zip, "examined", refuse)
    with pytest.raises(CourseError, match="fails 1 tests"):
        gradescope_zip.verify("theory")
    assert good.read_bytes() == b"the last good one" and list(tmp_path.iterdir()) == [good]
    monkeypatch.setattr(gradescope_zip, "examined", lambda *_: {})
    assert gradescope_zip.verify("theory")["archive"] == good
    assert zipfile.is_zipfile(good) and list(tmp_path.iterdir()) == [good]


def test_gradescope_installs_the_versions_of_the_lock_those_of_what_torch_needs_too():
    lock = (ROOT / "requirements.lock").read_text().splitlines()
    lines = gradescope_zip.pinned(gradescope_zip.NEEDED_PACKAGES).decode().splitlines()
    assert set(lines) <= set(lock)
    names = {line.partition("==")[0] for line in lines}
    assert set(gradescope_zip.NEEDED_PACKAGES) | {"sympy", "networkx", "jinja2", "pillow", "contourpy"} <= names
    assert not [name for name in names if name.startswith(("nvidia", "torch"))]
    assert sum(line.startswith("numpy==") for line in lines) == sum(line.startswith("numpy==") for line in lock)


def test_every_dependency_of_the_grader_is_pinned():
    lock = (ROOT / "requirements.lock").read_text()
    for package in gradescope_zip.NEEDED_PACKAGES + gradescope_zip.TORCH_PACKAGES:
        assert f"\n{package}==" in "\n" + lock, package


def test_metadata_are_read_as_gradescope_documents_them(tmp_path):
    path = tmp_path / "submission_metadata.json"
    path.write_text(json.dumps({"id": 7, "created_at": "2026-10-02T22:58:00-04:00", "assignment": {}}))
    found = lateness.read_metadata(path)
    assert (found.id, found.submitted.isoformat(), found.due) == ("7", "2026-10-02T22:58:00-04:00", None)
    for strange in ("{", "[]", '{"assignment": 3}', '{"created_at": []}'):
        path.write_text(strange)
        assert lateness.read_metadata(path) == lateness.Metadata()


def test_the_stated_student_number_makes_the_mixture_everywhere(tmp_path):
    """From the files themselves, or from --student; where there is none, from the key, so that --id is enough."""

    def graded(name, files, **options):
        options |= {"submission_id": "7", "only": frozenset({"Q2.1"})}
        verdict = submissions.grade_files(tmp_path / name, files, "ddim_score", **options)
        assert verdict.outputs == []
        return verdict.results["extra_data"]

    plain = submissions.reference("ddim_score")
    stated = plain | {
        "score.py": plain["score.py"].replace('STUDENT_NUMBER = ""', "STUDENT_NUMBER: int = 810100123  # mine")
    }
    assert stated != plain
    assert graded("a", stated)["student_number"] == {"used": "810100123", "stated": "810100123"}
    assert graded("b", stated, student_number="5")["student_number"] == {"used": "5", "stated": "810100123"}
    none, again = graded("c", plain), graded("elsewhere", plain)
    assert none["student_number"] == again["student_number"] == {"used": none["key"], "stated": ""}
