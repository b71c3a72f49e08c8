"""What a course sets in course.toml reaches its students: handouts, notebooks, and the zip."""

import re
import tomllib
import zipfile
from datetime import UTC, datetime, timedelta, timezone

import pytest

from autograder import course as settings
from autograder.course import CourseError
from autograder.publish import handout, notebooks, student_zip

DUE = datetime(2026, 10, 2, 23, tzinfo=timezone(timedelta(hours=-4)))


@pytest.fixture
def configured(monkeypatch):
    """Sets a course's settings."""
    original = settings.read_toml(settings.ROOT / "course.toml")

    def set_to(**changes) -> None:
        for module in (settings, handout, notebooks):
            monkeypatch.setattr(module, "course", lambda: settings.course_of(original | changes))

    return set_to


def test_dates_reach_handouts_in_their_language_and_notebooks(configured):
    assert "Due date: as your course announces it." in handout.course_lines("vae_gan_ddpm")[0]
    late = {"enabled": True, "grace_days": 3, "penalty_per_day": 0.1}
    closes = {"vae_gan_ddpm": datetime(2026, 10, 9, 23, tzinfo=UTC)}
    configured(course="IFT 0000", term="Winter 2027", due={"vae_gan_ddpm": DUE}, closes=closes, late=late)
    (line,) = handout.course_lines("vae_gan_ddpm")
    assert line == (
        "**IFT 0000**, Winter 2027. Due date: 2026-10-02 23:00 (UTC-04:00). "
        "The upload closes on 2026-10-09 23:00 (UTC). "
        "Late work: 3 started day(s) cost nothing; each further one costs 10 % of the score."
    )
    for path in handout.handouts("vae_gan_ddpm"):
        text = path.read_text(encoding="utf-8")
        filled = handout.filled(text, "vae_gan_ddpm", handout.WORDS[handout.language(path)])
        assert "2026-10-02 23:00 (UTC-04:00)" in filled and "IFT 0000" in filled
        assert handout.filled(filled, "vae_gan_ddpm", handout.WORDS[handout.language(path)]) == filled
    assert "Date de remise\u00a0: 2026-10-02" in handout.filled(text, "vae_gan_ddpm", handout.WORDS["fr"])
    assert "2026-10-02 23:00 (UTC-04:00)" in notebooks.notebook_text(notebooks.sources("vae_gan_ddpm")[0])


def test_points_that_differ_are_said(configured):
    configured(points={"vae_ddpm_cfg": {"Q1.1": 5, "Q2.6": 7.5}})
    (_, points) = handout.course_lines("vae_ddpm_cfg")
    assert "Q1.1 5 (instead of 6), Q2.6 7.5 (instead of 5). Graded automatically: 88.5." in points


def test_the_data_of_a_course(configured):
    assert "has not said where they are" in handout.course_lines("ddim_score")[1]
    configured(data={"sprites": {"home": "https://example.org/sprites", "sha256": ["a" * 64, "b" * 64]}})
    assert "`sprites`: https://example.org/sprites (SHA-256 aaa" in handout.course_lines("ddim_score")[1]


def test_the_zip_carries_what_concerns_the_assignment(configured, monkeypatch, tmp_path):
    home = 'https://example.org/"quoted"'
    configured(due={"theory": DUE, "ddim_score": DUE}, data={"sprites": {"home": home, "sha256": []}})
    monkeypatch.setattr(student_zip, "DIST", tmp_path)
    for write in ("write_stubs", "write_handouts", "write_notebooks"):  # drift is another test's matter
        monkeypatch.setattr(student_zip, write, lambda slug, check: [])
    carried = zipfile.ZipFile(student_zip.release("theory")).read("theory/course.toml").decode()
    read = tomllib.loads(carried)
    assert read["due"] == {"theory": DUE} and read["data"]["sprites"]["home"] == home
    assert set(read) == {"course", "term", "submission_name", "due", "data"}, "nothing else is the students' business"


def test_a_handout_that_has_drifted_is_named(configured):
    slug = settings.slugs()[0]
    assert handout.write_handouts(slug, check=True) == [], "run make stubs"
    configured(term="Winter 2031")
    assert handout.write_handouts(slug, check=True) == [f"assignment/{slug}/README.md"]


def test_a_handout_without_a_place_for_the_course_is_refused():
    with pytest.raises(CourseError, match="one line <!-- course"):
        handout.filled("# Title\n", "theory")


# ---------------------------------------------------------------- mathematics

HANDOUTS = sorted(path for slug in settings.slugs() for path in handout.handouts(slug))
SEEDS = {"vae_ddpm_cfg", "vae_gan_ddpm", "vae_gan_flows", "ddim_score", "theory"}
OURS = [path for path in HANDOUTS if path.parent.name in SEEDS]  # a course's own assignments begin with less
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+?)\$", re.DOTALL)


def formulas(text: str) -> list[str]:
    """What stands between dollars, code left out."""
    bare = re.sub(r"^(    .*|```.*?```)$", "", text, flags=re.MULTILINE)
    return ["".join(found) for found in FORMULA.findall(re.sub(r"`[^`\n]*`", "", bare))]


@pytest.mark.parametrize("path", HANDOUTS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_formulas_survive_every_renderer(path):
    """GitHub reads Markdown inside of formulas: backslashes before punctuation vanish, * and some _ make italics."""
    text = path.read_text(encoding="utf-8")
    found = formulas(text)
    assert len(found) > (30 if path in OURS else 0)
    for formula in found:
        assert not re.search(r"\\[^A-Za-z]", formula), formula
        assert "*" not in formula and not re.search(r"[^\w\\]_", formula), formula
        assert "<" not in formula and ">" not in formula, f"write \\lt and \\gt: {formula}"
        assert formula.count("{") == formula.count("}") and formula.count("(") == formula.count(")"), formula
    for line in text.splitlines():
        assert line.count("$$") in (0, 2), f"a displayed formula is one line: {line}"
        if line.startswith("|"):
            assert all("|" not in formula for formula in formulas(line)), line
        for before, after in re.findall(r"(.?)\$[^$]+\$(.?)", line.replace("$$", "")):
            assert before in " (>" or not before or line.strip().startswith("$$"), line
            assert not after.isalnum(), f"GitHub wants no letter behind a formula: {line}"


def test_formulas_in_a_text_from_right_to_left_stay_from_left_to_right():
    """KaTeX, in editors, takes the direction of the text around it; MathJax, on GitHub, does not."""
    (path,) = (path for path in HANDOUTS if handout.language(path) == "fa")
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if line.strip().startswith("$$"):
            assert lines[number - 2].strip() == '<div dir="ltr">' and lines[number + 2].strip() == "</div>", line
        elif not line.startswith("    "):
            alone = re.sub(r'`[^`]*`|<span dir="ltr">\$[^$]+\$</span>', "", line)
            assert "$" not in alone, line


@pytest.mark.parametrize("path", HANDOUTS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_no_formula_is_left_in_ascii(path):
    pictures_code_links = re.compile(r"!\[[^\]]*\]|`[^`\n]*`|^    .*$|\([^)\s]*\)", re.MULTILINE)
    prose = FORMULA.sub("", pictures_code_links.sub("", path.read_text(encoding="utf-8")))
    symbols = r"\b(x|z|p|q|mu|sigma|beta|alpha|theta|psi|phi|eps)_\w"
    for ascii_formula in (symbols, r"\w_\{", r"sqrt\(", r"\|\|", "alpha-bar", ">=", r"\^2"):
        found = re.search(f".*{ascii_formula}.*", prose)
        assert not found, found[0]


TRANSLATED = [path for path in HANDOUTS if path.name != "README.md"]


@pytest.mark.parametrize("path", TRANSLATED, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_translation_has_the_same_formulas(path):
    english, other = (formulas(p.read_text(encoding="utf-8")) for p in (path.with_name("README.md"), path))
    assert [f for f in english if "\\tag" in f] == [f for f in other if "\\tag" in f]
    assert set(english) == set(other)


@pytest.mark.parametrize("path", OURS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_every_handout_shows_what_the_model_is_and_what_a_result_looks_like(path):
    shown = re.findall(r"!\[[^\]]+\]\((figures/[^)]+)\)", path.read_text(encoding="utf-8"))
    assert any(name.endswith(".svg") for name in shown) and (len(shown) > 1)
    assert all((path.parent / name).stat().st_size < 300_000 for name in shown)
    there = {file.relative_to(path.parent).as_posix() for file in (path.parent / "figures").glob("*.*g")}
    assert there <= set(shown), "a figure that no handout shows"
