"""The pictures that `make pictures` makes: all there, small, shown somewhere, and they load nothing."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "pictures"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMESPACES = ("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink")  # names, which nothing fetches


def load_script():
    spec = importlib.util.spec_from_file_location("docs_pictures", ROOT / "docs" / "pictures.py")
    sys.path.insert(0, str(ROOT / "docs"))  # where it finds figures.py
    module = sys.modules["docs_pictures"] = importlib.util.module_from_spec(spec)  # dataclasses look it up there
    spec.loader.exec_module(module)
    sys.path.remove(str(ROOT / "docs"))
    return module


script = load_script()
ALL = [*script.PICTURES, *(name for run in script.figures.RUNS_OF.values() for name in run.pictures)]


@pytest.mark.parametrize("name", ALL)
def test_a_picture_is_there_and_small(name):
    assert (FOLDER / name).is_file(), f"make pictures P={name}"
    assert 0 < (FOLDER / name).stat().st_size <= script.LIMIT


def test_all_pictures_together_are_small_and_none_is_left_over():
    files = [path for path in FOLDER.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 3_000_000
    assert {path.name for path in files} == set(ALL), "docs/pictures.py makes others than are here"


def test_no_svg_loads_anything():
    for path in FOLDER.glob("*.svg"):
        text = path.read_text(encoding="utf-8")
        for namespace in NAMESPACES:
            text = text.replace(f'"{namespace}"', "")
        loads = re.findall(
            r"\w+://\S+|@import\b.*|@font-face\b.*|url\((?!#)[^)]*\)|<(?:image|script|foreignObject)\b", text
        )
        assert not loads, f"{path.name} refers to {loads}"


def test_no_picture_shows_a_path_of_the_machine():
    for path in FOLDER.glob("*.svg"):
        words = re.sub(r"<[^>]*>", "", path.read_text(encoding="utf-8"))
        assert not re.findall(r"/(?:home|root|tmp|Users|work|var)/\S*", words), path.name


def test_every_picture_is_shown_and_every_shown_picture_exists():
    shown = set()
    for page in PAGES:
        for match in re.finditer(r"!\[[^\]]*\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"", page.read_text(encoding="utf-8")):
            target = match[1] or match[2]
            if "://" not in target and not target.startswith("../../actions/"):  # a badge
                assert (page.parent / target).is_file(), f"{page.name} shows {target}, which is not there"
                shown.add((page.parent / target).resolve())
    hidden = [name for name in ALL if (FOLDER / name).resolve() not in shown]
    assert not hidden, f"in no README.md or docs/*.md: {hidden}"


@pytest.mark.parametrize("name", script.figures.RUNS_OF)
def test_a_training_is_told_as_it_was_run(name):
    """Its command stands in docs/pictures.md, its script is there, and so are its figures for students."""
    run, slug = script.figures.RUNS_OF[name], name.split("/")[0]
    assert f"    python {run.command}\n" in (ROOT / "docs" / "pictures.md").read_text(encoding="utf-8")
    rooms = [ROOT / room / slug for room in ("solutions", "assignment")]
    assert any((room / run.command.split()[0]).is_file() for room in rooms)
    for figure in run.figures:
        assert (ROOT / "assignment" / slug / "figures" / figure).is_file()
