"""Rubrics, solutions/<slug>/rubric.md: every question of a report has an entry, points add up, nothing goes out."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

import autograder.publish.gradescope_zip
import autograder.publish.student_zip
from autograder.course import ROOT, course_secret, load_assignment

# Those of the assignment theory stand in its worked solutions instead: test_theory.py.
SLUGS = sorted(path.parent.name for path in (ROOT / "solutions").glob("*/rubric.md"))
LARGEST = 150_000  # bytes of a figure

TITLE = re.compile(r"### (?P<id>[QT][\d.]+) \((?P<points>[\d.]+)\) \S.*")
PART = re.compile(r"- (?P<points>[\d.]+): \S.*")
LOSS = re.compile(r"- -(?P<points>[\d.]+): \S.*|- 0: \S.*")
FIGURE = re.compile(r"!\[[^\]]{5,}\]\(([^)]+)\)")


@dataclass
class Entry:
    """One question of a rubric: its points, those of its parts, and what common wrong answers lose."""

    points: float
    parts: list[float]
    losses: list[float]
    model_answer: bool


def entries(rubric: str) -> dict[str, Entry]:
    """{question: its entry}, from a rubric's text.

    Raises:
        ValueError: if a heading, a list of points or a list of wrong answers cannot be read, or a question comes twice.
    """
    found: dict[str, Entry] = {}
    for block in re.split(r"^(?=#{1,3} )", rubric, flags=re.MULTILINE):
        title, _, text = block.partition("\n")
        if not title.startswith("### "):
            continue
        if not (match := TITLE.fullmatch(title)):
            raise ValueError(f"not a question with its points: {title}")
        if match["id"] in found:
            raise ValueError(f"{match['id']} comes twice")
        parts, losses = (
            [read(pattern, item, match["id"]) for item in items(text, heading)]
            for pattern, heading in ((PART, "**Points**"), (LOSS, "**Common wrong answers**"))
        )
        answer = text.partition("**Model answer.**")[2].partition("**Points**")[0]
        found[match["id"]] = Entry(float(match["points"]), parts, losses, model_answer=len(answer.split()) >= 10)
    return found


def items(text: str, heading: str) -> Iterable[str]:
    """The first lines of the list's items under a heading."""
    lines = text.partition(f"{heading}\n")[2].partition("\n\n")[0].splitlines()
    return [line for line in lines if line.startswith("- ")]


def read(pattern: re.Pattern, item: str, question: str) -> float:
    if not (match := pattern.fullmatch(item)):
        raise ValueError(f"{question}: not a number of points and what it is for: {item}")
    return float(match["points"] or 0)


def asked(handout: str) -> tuple[dict[str, float], float]:
    """{question of the report: points} of a handout's table, and the report's points that its first lines announce."""
    table = handout.partition("\n## Points\n")[2].partition("\n## ")[0]
    found = {}
    for questions, points in re.findall(r"\| ([QT]\d[^|]*)\(report[^|]*\) \| ([\d., ]+) ", table):
        found |= zip(re.findall(r"[QT][\d.]*\d", questions), map(float, points.split(", ")), strict=True)
    (total,) = re.findall(r"graded automatically, ([\d.]+) by reading your report", handout)
    return {question: points for question, points in found.items() if points}, float(total)


def handout(slug: str) -> str:
    return (ROOT / "assignment" / slug / "README.md").read_text(encoding="utf-8")


def rubric(slug: str) -> str:
    return (ROOT / "solutions" / slug / "rubric.md").read_text(encoding="utf-8")


def problems(rubric: str, handout: str) -> list[str]:
    """Everything in which a rubric does not fit its handout, or does not add up; empty when all is well."""
    try:
        found = entries(rubric)
    except ValueError as error:
        return [str(error)]
    questions, total = asked(handout)
    wrong = []
    if set(found) != set(questions):
        wrong.append(f"the handout asks for {sorted(questions)}, the rubric has {list(found)}")
    if sum(questions.values()) != total:
        wrong.append(f"the handout's questions have {sum(questions.values()):g} points, it says {total:g}")
    if sum(entry.points for entry in found.values()) != total:
        wrong.append(f"the rubric's questions have {sum(e.points for e in found.values()):g} points, not {total:g}")
    for question, entry in found.items():
        if entry.points != questions.get(question):
            wrong.append(f"{question} has {entry.points:g} points, in the handout {questions.get(question)}")
        if not entry.parts or sum(entry.parts) != entry.points:
            wrong.append(f"the parts of {question} have {sum(entry.parts):g} points, not {entry.points:g}")
        if not entry.losses or max(entry.losses) > entry.points:
            wrong.append(f"{question}: no common wrong answers, or one that loses more than there is")
        if not entry.model_answer:
            wrong.append(f"{question} has no model answer")
    return wrong


def test_there_is_a_rubric_for_every_handout_with_a_report():
    handouts = (ROOT / "assignment").glob("*/README.md")
    with_report = {path.parent.name for path in handouts if "(report)" in path.read_text(encoding="utf-8")}
    assert with_report == {path.parent.name for path in (ROOT / "solutions").glob("*/rubric.md")}


@pytest.mark.parametrize("slug", SLUGS)
def test_every_question_has_an_entry_and_the_points_add_up(slug):
    assert problems(rubric(slug), handout(slug)) == []


def test_a_rubric_that_does_not_fit_is_noticed():
    """One mistake at a time in a good rubric: each is found, and named."""
    good, questions = rubric("vae_ddpm_cfg"), handout("vae_ddpm_cfg")
    part = next(line for line in good.splitlines() if PART.fullmatch(line))
    loss = next(line for line in good.splitlines() if line.startswith("- -"))
    mistakes = {
        "a question is missing": (good[: good.index("### Q1.8")] + good[good.index("### Q1.9") :], "Q1.8"),
        "a question has other points": (good.replace("### Q2.9 (5)", "### Q2.9 (6)"), "Q2.9 has 6"),
        "a part has one point more": (good.replace(part, part.replace("- 2", "- 3", 1), 1), "parts of Q1.6"),
        "a question comes twice": (good + good[good.index("### Q3.14") :], "Q3.14 comes twice"),
        "a question that nobody asked": (good.replace("### Q3.14 (5)", "### Q3.15 (5)"), "Q3.15"),
        "a heading without points": (good.replace("### Q2.9 (5)", "### Q2.9"), "not a question"),
        "a part without points": (good.replace(part, "- the loss is written down", 1), "Q1.6: not a number"),
        "more lost than there is": (good.replace(loss, "- -9: an axis has no name.", 1), "Q1.6: no common"),
        "no model answer": (good.replace("**Model answer.**", "**Answer.**", 1), "Q1.6 has no model"),
    }
    for what, (changed, message) in mistakes.items():
        assert changed != good, what
        assert message in " ".join(problems(changed, questions)), what


@pytest.mark.parametrize("slug", SLUGS)
def test_figures_are_there_small_and_used(slug):
    folder = ROOT / "solutions" / slug
    shown = {(folder / name).resolve() for name in FIGURE.findall(rubric(slug))}
    ours = set(folder.glob("figures/*"))
    rooms = (ROOT / "docs" / "pictures", ROOT / "docs" / "measured", ROOT / "assignment" / slug / "figures")
    public = {path for room in rooms if room.is_dir() for path in room.iterdir()}
    assert ours <= shown <= ours | public
    for path in ours:
        content = path.read_bytes()
        assert content.startswith(b"\x89PNG") and len(content) <= LARGEST, path.name


@pytest.mark.parametrize("slug", SLUGS)
def test_mathematics_is_delimited(slug):
    for paragraph in re.split(r"\n\s*\n", rubric(slug)):
        if not paragraph.startswith("    "):
            assert paragraph.count("$") % 2 == 0, paragraph
            outside = re.sub(r"(\$\$?)[^$]*\1", "", paragraph)
            assert not re.search(r"\\[a-z]{2,}|[a-z]_[{\w]\}", outside), f"mathematics without dollars: {outside}"


@pytest.mark.parametrize("slug", SLUGS)
def test_neither_text_nor_figures_are_released(slug):
    assignment = load_assignment(slug)
    files = dict(autograder.publish.student_zip.student_files(assignment))
    assert autograder.publish.student_zip.find_leaks(assignment, files) == []
    figure = next((ROOT / "solutions").glob("*/figures/*.png"))
    lines = [line for line in rubric(slug).splitlines() if autograder.publish.student_zip.telling(line)]
    planted = {
        "the rubric": {"rubric.md": rubric(slug).encode()},
        "two of its lines in the handout": {"README.md": files["README.md"] + "\n".join(lines[-2:]).encode()},
        "a figure, under another name": {"pictures/samples.png": figure.read_bytes()},
    }
    for what, changed in planted.items():
        (name,) = changed
        leaks = autograder.publish.student_zip.find_leaks(assignment, files | changed)
        assert leaks and all(leak.startswith(name) and "solutions/" in leak for leak in leaks), what


@pytest.mark.parametrize("slug", SLUGS)
def test_the_graders_zip_holds_the_code_of_the_solutions_only(slug):
    course_secret()  # is in the zip: made now where there is none yet
    names = [Path(name) for name, _, _ in autograder.publish.gradescope_zip.grader_files(load_assignment(slug))]
    ours = {name.name for name in names if name.parts[0] == "solutions"}
    assert ours == set(load_assignment(slug).files)
