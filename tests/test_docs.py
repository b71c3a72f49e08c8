"""The pages of this repository: no link leads nowhere, no command is made up, no release link is missing."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.course import ROOT, slugs

_spec = importlib.util.spec_from_file_location("translations", Path(__file__).with_name("test_translations.py"))
markdown = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(markdown)

PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "assignment/*.md", "assignment/*/*.md", "notebooks/*/*.md")
    for path in ROOT.glob(pattern)
)


def target_of(page: Path, link: str) -> tuple[Path, str]:
    name, _, anchor = link.partition("#")
    return (page.parent / name if name else page), anchor


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    prose, _ = markdown.split(page.read_text(encoding="utf-8"))
    for link in markdown.links(prose):
        if re.match(r"(https?|mailto):", link):
            assert re.fullmatch(r"https?://[\w.-]+\.[a-z]+(/[^\s]*)?", link), link
            continue
        if action := re.match(
            r"\.\./\.\./actions/workflows/([\w.]+)", link
        ):  # GitHub's page of a workflow, in any copy
            assert page.name == "README.md" and (ROOT / ".github" / "workflows" / action[1]).is_file(), link
            continue
        target, anchor = target_of(page, link)
        assert target.exists(), f"{link}: there is no {target}"
        if anchor:
            assert anchor in markdown.anchors(markdown.split(target.read_text(encoding="utf-8"))[0]), link


def code_of(page: Path) -> str:
    prose, code = markdown.split(page.read_text(encoding="utf-8"))
    return "\n".join([*code, *re.findall(r"`([^`]+)`", "\n".join(prose))])


def test_every_make_target_and_subcommand_that_is_named_exists():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    described = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    assert targets == described, "make help would not list them"
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split()
    assert set(phony) == targets
    usage = subprocess.run([sys.executable, "-m", "autograder", "--help"], capture_output=True, text=True, cwd=ROOT)
    subcommands = set(re.search(r"\{([\w,]+)\}", usage.stdout)[1].split(","))
    for page in PAGES:
        code = code_of(page)
        for target in re.findall(r"(?:^|&& )make (?:[A-Z]+=\S+ )*([a-z-]+)", code, re.MULTILINE):
            assert target in targets, f"{page.name}: make {target}"
        for command in re.findall(r"-m autograder ([a-z]+)", code):
            assert command in subcommands, f"{page.name}: python -m autograder {command}"


def test_scripts_that_are_named_exist():
    for page in PAGES:
        rooms = [ROOT, page.parent, *(ROOT / "assignment" / slug for slug in slugs()), ROOT / "assignment"]
        for name in re.findall(r"python ((?:[\w/]+/)?\w+\.py)", code_of(page)):
            assert any((room / name).is_file() for room in rooms), f"{page.name}: {name}"


def test_no_page_is_orphaned():
    """Every page of docs/ can be reached from the README."""
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in seen:
            continue
        seen.add(page)
        for link in markdown.links(markdown.split(page.read_text(encoding="utf-8"))[0]):
            if not re.match(r"\w+:|\.\./\.\./actions/", link):
                target, _ = target_of(page, link)
                waiting += [target] if target.suffix == ".md" else []
    assert {path.resolve() for path in (ROOT / "docs").glob("*.md")} <= seen
    assert (ROOT / "CHANGELOG.md").resolve() in seen
