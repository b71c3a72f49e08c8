"""What a course sets in course.toml reaches its students: handouts, notebooks, and the zip."""

import tomllib
import zipfile
from datetime import UTC, datetime, timedelta, timezone

import pytest

from autograder import course as settings
from autograder import notebooks, release
from autograder.course import CourseError
from autograder.publish import handout

DUE = datetime(2026, 10, 2, 23, tzinfo=timezone(timedelta(hours=-4)))


@pytest.fixture
def configured(monkeypatch):
    """Sets a course's settings."""
    original = settings.course()

    def set_to(**changes) -> None:
        for module in (settings, handout, notebooks):
            monkeypatch.setattr(module, "course", lambda: original | changes)

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
    assert "Date de remise : 2026-10-02" in handout.filled(text, "vae_gan_ddpm", handout.WORDS["fr"])
    assert "2026-10-02 23:00 (UTC-04:00)" in notebooks.build(notebooks.sources("vae_gan_ddpm")[0])


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
    monkeypatch.setattr(release, "DIST", tmp_path)
    for write in ("write_stubs", "write_handouts", "write_notebooks"):  # drift is another test's matter
        monkeypatch.setattr(release, write, lambda slug, check: [])
    carried = zipfile.ZipFile(release.release("theory")).read("theory/course.toml").decode()
    read = tomllib.loads(carried)
    assert read["due"] == {"theory": DUE} and read["data"]["sprites"]["home"] == home
    assert set(read) == {"course", "term", "due", "data"}, "nothing else is the students' business"


def test_a_handout_that_has_drifted_is_named(configured):
    slug = settings.slugs()[0]
    assert handout.write_handouts(slug, check=True) == [], "run make stubs"
    configured(term="Winter 2031")
    assert handout.write_handouts(slug, check=True) == [f"assignment/{slug}/README.md"]


def test_a_handout_without_a_place_for_the_course_is_refused():
    with pytest.raises(CourseError, match="one line <!-- course"):
        handout.filled("# Title\n", "theory")
