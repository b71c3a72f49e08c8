"""Mistakes in what an instructor writes: each is told with the file, the key, and what is allowed."""

import pytest

from autograder import course
from autograder.course import CourseError, repository_address
from autograder.grading import lateness
from autograder.grading.results import expected_tests
from autograder.grading.variants import misconceptions

COURSE = """\
course = "A course"
term = "Fall 2026"
repository = "https://github.com/us/course"
"""
ASSIGNMENT = """\
title = "New"
[exercises]
"Q1.1" = { of = "a.f", points = 2 }
"""


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A repository with one assignment, `new`; write(course=..., assignment=...) spoils it."""
    monkeypatch.setattr(course, "ROOT", tmp_path)
    monkeypatch.setattr(course, "HIDDEN_TESTS", tmp_path / "autograder" / "hidden_tests")
    monkeypatch.setattr(course, "MISCONCEPTIONS", tmp_path / "autograder" / "misconceptions")
    (tmp_path / "assignment" / "new").mkdir(parents=True)
    (tmp_path / "solutions" / "new").mkdir(parents=True)
    (tmp_path / "solutions" / "new" / "a.py").write_text("def f(x):\n    return x\n")

    def write(settings: str = COURSE, assignment: str = ASSIGNMENT, **files: str):
        (tmp_path / "course.toml").write_text(settings)
        (tmp_path / "assignment" / "new" / "assignment.toml").write_text(assignment)
        for room, text in files.items():
            path = tmp_path / "autograder" / room / "new" / "a.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return course.load_assignment("new")

    return write


def told(write, *arguments, **options) -> str:
    with pytest.raises(CourseError) as error:
        write(*arguments, **options)
    return str(error.value)


def test_good_settings_are_accepted(house):
    assert (
        house(COURSE + "hints = 'line'\n[points.new]\n'Q1.1' = 3\n[due]\nnew = 2026-10-02T23:00:00-04:00\n").points == 3
    )
    assert course.course().hints == "line" and course.course().branch == "main"


@pytest.mark.parametrize(
    "text, complaint",
    [
        (COURSE.replace("term", "trem"), "course.toml: trem is no setting; did you mean term?"),
        (
            COURSE + "wallpaper = 'blue'\n",
            "course.toml: wallpaper is no setting; allowed are course, term, repository,",
        ),
        (COURSE.replace('repository = "https://github.com/us/course"', ""), "course.toml: repository is missing."),
        (COURSE.replace('term = "Fall 2026"', ""), "course.toml: term is missing."),
        (COURSE.replace('"Fall 2026"', "2026"), "course.toml: term: 2026 is refused. Expected str, got int."),
        (COURSE.replace('"A course"', '" "'), "course.toml: course is empty."),
        (
            COURSE + "[points.new]\n'Q1.1' = 'five'\n",
            "course.toml: points.new.\"Q1.1\": 'five' is refused. Expected float, got str.",
        ),
        (COURSE + "[points.new]\n'Q1.1' = -5\n", 'course.toml: points.new."Q1.1": -5 is refused. Expected float >= 0'),
        (COURSE + "[points.new]\n'Q1.7' = 5\n", "course.toml sets points for Q1.7, which new does not have."),
        (COURSE + "[points.nwe]\n'Q1.1' = 5\n", "course.toml: points names nwe; there are new."),
        (COURSE + 'assignments = ["newer"]\n', "course.toml: assignments names newer; there are new."),
        (COURSE + 'assignments = "new"\n', "course.toml: assignments: 'new' is refused. Expected array, got str."),
        (COURSE + '[late]\nenabled = "yes"\n', "course.toml: late.enabled: 'yes' is refused. Expected bool, got str."),
        (
            COURSE + "[late]\npenalty_per_dya = 0.1\n",
            "late.penalty_per_dya is no setting; did you mean penalty_per_day?",
        ),
        (COURSE + "[late]\npenalty_per_day = 10\n", "late.penalty_per_day: 10 is refused. Expected float <= 1.0."),
        (
            COURSE + "[due]\nnew = 2026-10-02\n",
            "course.toml: due.new: datetime.date(2026, 10, 2) is refused. Expected datetime",
        ),
        (COURSE + "[due]\nnew = 2026-10-02T23:00:00\n", "course.toml: due.new: "),
        (COURSE + "hints = 'all'\n", "course.toml: hints: 'all' is refused. Invalid enum value 'all'"),
        (COURSE + "x = = 1\n", "course.toml cannot be read: Invalid value (at line 4, column 5): x = = 1."),
    ],
)
def test_mistakes_in_course_toml(house, text, complaint):
    def load() -> None:
        house(text)
        course.slugs()

    assert complaint in told(load)


@pytest.mark.parametrize(
    "text, complaint",
    [
        (ASSIGNMENT.replace('title = "New"', ""), "assignment/new/assignment.toml: title is missing."),
        (
            ASSIGNMENT.replace("points = 2", "points = 'two'"),
            "exercises.\"Q1.1\".points: 'two' is refused. Expected float, got str.",
        ),
        (
            ASSIGNMENT.replace("points = 2", "points = -2"),
            'exercises."Q1.1".points: -2 is refused. Expected float >= 0',
        ),
        (ASSIGNMENT.replace("points", "point"), 'exercises."Q1.1".point is no setting; did you mean points?'),
        (ASSIGNMENT.replace("a.f", "f"), 'exercises."Q1.1".of: \'f\' is refused. Expected "module.function" or'),
        (ASSIGNMENT + '"Q1.1" = { of = "a.g", points = 1 }\n', '"Q1.1" = { of = "a.g", points = 1 }.'),
        (ASSIGNMENT + '"Q1.2" = { of = "a.f", points = 1 }\n', "a.f is graded by two exercises."),
        ('forbidden = "torch.distributions"\n' + ASSIGNMENT, "'torch.distributions' is refused. Expected array"),
        (ASSIGNMENT + "[same_as]\nb = 'theory/answers'\n", "same_as names b, which no exercise is in."),
        ("title = \n", "assignment/new/assignment.toml cannot be read"),
    ],
)
def test_mistakes_in_assignment_toml(house, text, complaint):
    assert complaint in told(house, assignment=text)


@pytest.mark.parametrize(
    "text",
    [
        "https://github.com/us/course",
        "https://github.com/us/course/",
        "http://github.com/us/course.git",
        "git@github.com:us/course.git",
        "ssh://git@github.com/us/course.git/",
        "github.com/us/course",
        "https://GitHub.com/us/course.git",
    ],
)
def test_every_form_of_a_repository_is_understood(text):
    assert repository_address(text) == "https://github.com/us/course"


def test_other_hosts_keep_their_groups():
    assert repository_address("git@gitlab.com:dept/2026/course.git") == "https://gitlab.com/dept/2026/course"
    assert repository_address("https://git.example.org:8443/us/course") == "https://git.example.org/us/course"


@pytest.mark.parametrize(
    "text", ["", "course", "us/course", "https://github.com/us", "C:\\course", "https://github.com/"]
)
def test_what_is_no_repository_is_refused(text):
    with pytest.raises(CourseError, match="course.toml: repository: .* is no address of a repository: write https"):
        repository_address(text)


WRONG = """\
from autograder.grading.variants import wrong


@wrong("Q1.1", "f")
def doubles(x):
    \"\"\"It is twice x.\"\"\"
    return 2 * x
"""


@pytest.mark.parametrize(
    "text, complaint",
    [
        (WRONG.replace('    """It is twice x."""\n', ""), "misconceptions/new/a.py, line 5: doubles needs a docstring"),
        (WRONG.replace('"Q1.1"', '"Q1.9"'), "line 5: doubles is about Q1.9, which is no exercise"),
        (WRONG.replace('"f"', '"g"'), "line 5: doubles takes the place of g, which solutions/new/a.py"),
        (WRONG.replace("def doubles(x)", "def doubles(x"), "misconceptions/new/a.py, line 5:"),
    ],
)
def test_mistakes_in_misconceptions(house, text, complaint):
    assignment = house(misconceptions=text)
    assert complaint in told(lambda: misconceptions(assignment, "a"))


def test_a_good_misconception_is_found(house):
    (found,) = misconceptions(house(misconceptions=WRONG), "a")
    assert (found.name, found.exercise, found.target, found.sentence) == ("doubles", "Q1.1", "f", "It is twice x.")


def test_a_syntax_error_in_a_hidden_test_is_told_with_its_file(house):
    assignment = house(hidden_tests="class F(Exercise:\n    pass\n")
    assert "hidden_tests/new/a.py, line 1:" in told(lambda: expected_tests(assignment))


def test_the_late_policy_needs_a_due_date(house, monkeypatch):
    house(COURSE + "[late]\nenabled = true\n")
    assert "[due] needs new" in told(lambda: lateness.late_policy("new"))
    house()
    assert lateness.late_policy("new") is None
