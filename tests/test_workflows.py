"""The workflows: every action is pinned by commit, everywhere the same; least permissions; what they call exists."""

import importlib.metadata
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from autograder.course import ROOT, load_assignment

WORKFLOWS = sorted([*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob("assignment/.github/workflows/*.yml")])
ACTIONS = sorted(ROOT.glob(".github/actions/*/action.yml"))


def steps(path: Path) -> list[dict]:
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    jobs = data["jobs"].values() if "jobs" in data else [data["runs"]]
    return [step for job in jobs for step in job["steps"]]


def test_there_are_workflows():
    names = {path.name for path in WORKFLOWS}
    assert names == {"test.yml", "autograder.yml", "release.yml", "site.yml", "accuracy.yml", "check.yml"}


def test_every_action_is_pinned_by_one_commit():
    pins: dict[str, set[str]] = {}
    for path in [*WORKFLOWS, *ACTIONS]:
        for line in path.read_text(encoding="utf-8").splitlines():
            if found := re.search(r"uses: (\S+)(.*)", line):
                if found[1].startswith("./"):
                    assert (ROOT / found[1] / "action.yml").is_file(), line
                    continue
                pinned = re.fullmatch(r"([\w./-]+)@([0-9a-f]{40})", found[1])
                assert pinned, f"{path.name}: {line.strip()} is not pinned by its commit"
                assert re.fullmatch(r" # v\d+\.\d+\.\d+", found[2]), f"{path.name}: say the version: {line.strip()}"
                pins.setdefault(pinned[1], set()).add(pinned[2] + found[2])
    assert {name: len(found) for name, found in pins.items()} == dict.fromkeys(pins, 1), "one action, one commit"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_permissions_are_the_least(path):
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert data["permissions"] == {"contents": "read"}
    for name, job in data["jobs"].items():
        assert "timeout-minutes" in job or name == "deploy", f"{path.name}: {name} could run for six hours"
        allowed = {"pages": "write", "id-token": "write"} if name == "deploy" else None
        assert job.get("permissions") == allowed
    for step in steps(path):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_zips_with_answers_are_kept_by_private_repositories_only():
    for path in WORKFLOWS:
        for step in steps(path):
            if step.get("uses", "").startswith("actions/upload-artifact@"):
                assert "github.event.repository.private" in step["if"], path.name
    (site,) = [step for step in steps(ROOT / ".github/workflows/site.yml") if "upload-pages" in step.get("uses", "")]
    assert site["with"]["path"] == "dist/site"


def test_what_the_steps_call_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)) | {".venv/ready"}
    for path in [*WORKFLOWS, *ACTIONS]:
        for step in steps(path):
            for target in re.findall(r"\bmake ([\w./]+)", step.get("run", "")):
                assert target in targets, f"{path.name}: make {target}"


def test_devcontainers_and_dependabot_are_what_their_readers_take():
    for path in (ROOT / ".devcontainer", ROOT / "assignment" / ".devcontainer"):
        container = json.loads((path / "devcontainer.json").read_text(encoding="utf-8"))
        assert {"name", "image", "postCreateCommand"} <= set(container)
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8"))["updates"]
    assert {update["package-ecosystem"] for update in updates} == {"github-actions", "pip"}


@pytest.mark.parametrize("layout", ["the assignment", "a folder"])
def test_the_check_of_a_students_repository(layout, tmp_path):
    """The workflow's own step, on stubs (green), and with one wrong answer (red); the table is in the summary."""
    from autograder.publish.student_zip import student_files

    assignment = load_assignment("theory")
    folder = tmp_path if layout == "the assignment" else tmp_path / "theory"
    for name, data in student_files(assignment):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    workflow = folder / ".github" / "workflows" / "check.yml"
    assert (folder / ".devcontainer" / "install.sh").is_file() and workflow.is_file(), "a release brings both"
    (command,) = [s["run"] for s in steps(workflow) if s.get("name") == "Check"]
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    summary = tmp_path / "summary.md"
    environment = {"PATH": f"{bin_folder}:/usr/bin:/bin", "GITHUB_STEP_SUMMARY": str(summary), "HOME": str(tmp_path)}

    (bin_folder / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (bin_folder / "python").chmod(0o755)

    def run() -> int:
        return subprocess.run(["bash", "-e", "-c", command], cwd=tmp_path, env=environment, check=False).returncode

    assert run() == 0
    assert summary.read_text().endswith(f"{len(assignment.exercises)} to do.\n\n")
    stub = (folder / "answers.py").read_text(encoding="utf-8")
    wrong = stub.replace('raise NotImplementedError("Q1a: kl_q_p")', "return 0.0")
    assert wrong != stub
    (folder / "answers.py").write_text(wrong, encoding="utf-8")
    summary.unlink()
    assert run() == 1
    row = next(line for line in summary.read_text().splitlines() if line.startswith("| Q1a "))
    assert "| wrong |" in row and row.count("|") == 5


def test_the_release_is_published_once_and_again(tmp_path):
    """.github/publish.sh with a students' repository on this disk, and a gh that writes down what it is asked."""
    students, home = tmp_path / "students.git", tmp_path / "home"
    home.mkdir()
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
    first = tmp_path / "first"
    subprocess.run([*git, "init", "-q", "-b", "main", str(first)], check=True)
    (first / "README.md").write_text("The students' own page.\n")
    (first / "theory").mkdir()
    (first / "theory" / "old.py").write_text("# no longer part of it\n")
    subprocess.run([*git, "-C", str(first), "add", "."], check=True)
    subprocess.run([*git, "-C", str(first), "commit", "-q", "-m", "first"], check=True)
    subprocess.run([*git, "clone", "-q", "--bare", str(first), str(students)], check=True)
    repository = tmp_path / "repository"
    for name in (".github/publish.sh", "assignment/CHANGELOG.md"):
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, repository / name)
    (repository / "course.toml").write_text(f'repository = "{students}"\nbranch = "main"\n')
    (repository / "dist" / "student" / "theory").mkdir(parents=True)
    (repository / "dist" / "student" / "theory" / "answers.py").write_text("# a stub\n")
    (repository / "dist" / "student" / "theory.zip").write_bytes(b"zip")
    calls = tmp_path / "calls"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gh").write_text(f'#!/bin/sh\necho "$@" >> {calls}\n[ "$2" != view ]\n')
    (tmp_path / "bin" / "gh").chmod(0o755)
    environment = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "HOME": str(home), "TAG": "students-1"}
    for _ in range(2):
        subprocess.run(["bash", str(repository / ".github" / "publish.sh")], env=environment, check=True)
    listing = subprocess.run(
        ["git", "-C", str(students), "ls-tree", "-r", "--name-only", "main"], capture_output=True, text=True, check=True
    )
    assert listing.stdout.split() == ["README.md", "theory/answers.py"]
    log = subprocess.run(["git", "-C", str(students), "log", "--format=%s", "main"], capture_output=True, text=True)
    assert log.stdout.split("\n")[:2] == ["Release students-1", "first"], "the second call had nothing to commit"
    assert "release upload students-1 dist/student/theory.zip" in calls.read_text()


def test_the_community_files_are_there_and_say_the_same():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
    for name in (
        "CONTRIBUTING.md",
        "SECURITY.md",
        ".editorconfig",
        ".gitattributes",
        ".github/pull_request_template.md",
    ):
        assert (ROOT / name).stat().st_size > 100, name
    for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"):
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert {"name", "description", "body"} <= set(form), path.name
        assert all(part["type"] in ("markdown", "input", "textarea", "dropdown") for part in form["body"])
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    assert {"ruff", "stubs", "nbstripout", "private-key", "course-secret", "large-file"} == {h["id"] for h in hooks}


def test_the_build_of_torch_is_chosen_by_hand(tmp_path):
    """install.py: what is installed from where, with and without uv."""
    spec = importlib.util.spec_from_file_location("install", ROOT / "install.py")
    install = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(install)
    lock, venv = ROOT / "requirements.lock", tmp_path / "venv"
    for uv in (None, "/usr/bin/uv"):
        whole = install.commands("", lock, venv, uv)
        assert whole[1][-2:] == ["--requirement", str(lock)] and len(whole) == 3
        _, torch, rest, editable = install.commands("cpu", lock, venv, uv)
        assert torch[-4:-2] == ["--index-url", "https://download.pytorch.org/whl/cpu"]
        assert [line.partition("==")[0] for line in torch[-2:]] == ["torch", "torchvision"]
        assert not any(line.startswith(("torch==", "torchvision==", "nvidia-", "triton==")) for line in rest)
        assert any(line.startswith("numpy==") for line in rest) and editable[-1] == str(ROOT)
    assert install.source_of(str(tmp_path)) == ["--no-index", "--find-links", str(tmp_path)]
    assert install.source_of("http://localhost:1/simple") == ["--index-url", "http://localhost:1/simple"]
    with pytest.raises(SystemExit, match="does not pin torch and torchvision: run make lock"):
        install.split_lock("numpy==2.4.6\n")


def test_the_lock_is_complete():
    """install.py resolves nothing again: what a pinned package needs has to be pinned, too."""
    lines = [Requirement(line) for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()]
    pinned = {canonicalize_name(r.name) for r in lines if not r.marker or r.marker.evaluate()}
    missing = set()
    for name in pinned:
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # of another build of torch
        for need in map(Requirement, needs):
            if (not need.marker or need.marker.evaluate({"extra": ""})) and canonicalize_name(need.name) not in pinned:
                missing.add(f"{name} needs {need.name}")
    assert not missing, f"run make lock: {sorted(missing)}"
