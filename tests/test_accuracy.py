"""Do the hidden tests tell right from wrong? For every assignment: the reference, the stubs, every misconception, every
alternative. `python -m autograder accuracy SLUG` prints the same for people."""

from pathlib import Path

import pytest
import submissions

from autograder.accuracy import grade_variants, judge, misconceptions_of, write_submission
from autograder.course import load_assignment, slugs
from autograder.farm import grade_apart
from autograder.variants import load_variants, misconceptions

ALTERNATIVES = Path(__file__).parent / "alternatives"


def alternatives_of(slug: str) -> list:
    assignment = load_assignment(slug)
    return [v for module in assignment.modules for v in load_variants(ALTERNATIVES / slug / f"{module}.py", module)]


@pytest.mark.parametrize("slug", slugs())
def test_reference_gets_full_marks(slug, tmp_path):
    assignment = load_assignment(slug)
    verdict = grade_apart(slug, write_submission(assignment, tmp_path / "reference"))
    assert verdict.outputs == []
    assert verdict.score == pytest.approx(assignment.points)


@pytest.mark.parametrize("slug", slugs())
def test_stubs_get_nothing(slug, tmp_path):
    verdict = submissions.grade_files(tmp_path / "stubs", submissions.stubs(slug), slug)
    assert verdict.score == 0
    assert verdict.failed == list(load_assignment(slug).exercises)
    assert all("Not implemented yet" in output for output in verdict.outputs), verdict.outputs


@pytest.mark.parametrize("slug", slugs())
def test_every_misconception_is_caught_alone_and_explained(slug):
    variants = misconceptions_of(load_assignment(slug))
    verdicts = list(grade_variants(slug, [[variant] for variant in variants]))
    problems = [
        f"{v.name}: {judge(v, verdict)}" for v, verdict in zip(variants, verdicts, strict=True) if judge(v, verdict)
    ]
    assert problems == []
    assert len({v.name for v in variants}) == len(variants), "two misconceptions bear the same name"
    exercises = {v.exercise for v in variants}
    assert exercises == set(load_assignment(slug).exercises), "an exercise has no misconception"


@pytest.mark.parametrize("slug", slugs())
def test_right_answers_get_full_marks_however_written(slug):
    """Alternatives for different functions go into one submission: all of them must be right."""
    groups: list[list] = []
    for variant in alternatives_of(slug):
        for group in groups:
            if all(other.target != variant.target or other.module != variant.module for other in group):
                group.append(variant)
                break
        else:
            groups.append([variant])
    assert groups, f"{slug} has no alternatives"
    for group, verdict in zip(groups, grade_variants(slug, groups), strict=True):
        assert verdict.outputs == [], [v.name for v in group]


@pytest.mark.parametrize("slug", slugs())
def test_the_sandbox_gives_the_same_verdicts(slug, tmp_path):
    """The tests above grade in one process; the first misconception of every file also goes through the real grader."""
    assignment = load_assignment(slug)
    for module in assignment.modules:
        first = misconceptions(assignment, module)[0]
        (quick,) = grade_variants(slug, [[first]])
        only = frozenset(spec.id for spec in assignment.in_file(f"{module}.py"))
        real = grade_apart(slug, write_submission(assignment, tmp_path / module, [first]), only=only)
        assert judge(first, real) == ""
        assert (real.lost, real.failed, set(real.explained_by)) == (quick.lost, quick.failed, set(quick.explained_by))
