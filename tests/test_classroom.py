"""Around the grades of a class: what people decide, what is exported, and pages. Nothing is graded here."""

import csv
import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import submissions

from autograder.__main__ import main
from autograder.classroom import decisions, export, gradebook, pages, report, tables
from autograder.classroom.roster import Entry, Student
from autograder.course import Course, CourseError, Late, load_assignment
from autograder.grading import lateness
from autograder.grading.lateness import Extension, LatePolicy
from autograder.grading.results import Report, expected_tests
from autograder.publish import gradescope_zip

SLUG = "theory"
DUE = datetime.fromisoformat("2026-10-02T23:00:00-04:00")
POLICY = LatePolicy(DUE, grace_days=0, penalty_per_day=0.1)
ADA, BOB = Student("Ada Lovelace", "0101", "Ada@Example.org"), Student("=cmd|' /C calc'!A0", "102", "bob@example.org")
NAUGHTY = "<script>alert(1)</script>"


def results(id: str, q1a: float = 3, q21: float = 2, output: str = "Passed.") -> dict:
    tests = []
    for exercise, of, score, most in (("Q1a", "kl_q_p", q1a, 3.0), ("Q2.1", "relu_collision", q21, 2.0)):
        passed = score == most
        tests.append(
            {
                "number": f"{exercise}.1",
                "name": f"{exercise}.1 {of}: t",
                "score": score,
                "max_score": most,
                "status": "passed" if passed else "failed",
                "output": "Passed." if passed else output,
                "tags": [f"answers.{of}"],
                "extra_data": {"failure": None if passed else "wrong value", "explained_by": None, "edit": None},
            }
        )
        tests[-1]["extra_data"] |= {"cause": None, "misconception": None}
    extra = {"assignment": SLUG, "submission": id, "max_score": 5.0, "files": {"answers.py": "answers.py"}}
    return {"score": q1a + q21, "output": "", "tests": tests, "extra_data": extra}


def entry(id: str, *students: Student, hours: float = 0) -> Entry:
    return Entry(id, Path(id), list(students), DUE + timedelta(hours=hours))


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


# ---------------------------------------------------------------- what people decide


def test_an_override_is_a_line_that_survives_and_goes_with_its_table():
    decided = decisions.Decisions(POLICY)
    decided.overrides = {"101": {"Q2.1": decisions.Override("Q2.1", 1.5, "a typo", "TA", "2026-10-09")}}
    ada = entry("7", ADA, hours=30)
    amended = decided.amended(results("7", 3, 0), ada)
    row = gradebook.Row(ada, amended)
    assert row.exercises == {"Q1a": 3, "Q2.1": 1.5} and amended["score"] == pytest.approx(4.5 * 0.8)
    assert len(row.tests) == 2 and [line["number"] for line in row.lines] == ["Q2.1.override", "Late"]
    assert row.lines[0]["output"] == "Q2.1: 1.5 points instead of 0: a typo (TA, 2026-10-09)."
    assert decided.amended(amended, ada) == amended
    gradebook.add_flags([row], [])
    assert any("a typo (TA" in flag for flag in row.flags) and "2 days late" in row.flags
    assert decisions.Decisions().amended(amended, ada) == results("7", 3, 0)


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("student,reason\n7,ill\n", "line 2: give either"),
        ("student,days,due\n7,1,2026-10-09\n", "line 2: give either"),
        ("student,days\n7,soon\n", "line 2: days: 'soon'"),
        ("student,days\n7,-1\n", "line 2: days: '-1'"),
        ("student,due\n\n7,tomorrow\n", "line 3: due: 'tomorrow'"),
        ("student,days\n7,1\n07,2\n", "line 3: 07 has an extension in an earlier line"),
        ("who,days\n7,1\n", "no column student"),
        ("student,days,dya\n7,1,2\n", "'dya' means nothing"),
        ("student,days\n,1\n", "line 2: student is empty"),
    ],
)
def test_an_extension_that_cannot_be_understood_is_told_with_its_line(tmp_path, text, complaint):
    with pytest.raises(CourseError, match=re.escape(complaint)):
        decisions.read_extensions(written(tmp_path / "extensions.csv", text), SLUG, POLICY)


def test_extensions_in_days_times_and_zones(tmp_path):
    text = "student;due;days;assignment\n0101;2026-10-04;;\nb;2026-10-04T10:00;;\nc;;3;\nd;;9;ddim_score\n"
    found = decisions.read_extensions(written(tmp_path / "e.csv", text), SLUG, POLICY)
    assert set(found) == {"101", "b", "c"}
    assert found["101"].end(DUE) == datetime.fromisoformat("2026-10-04T23:59:59-04:00")
    assert found["b"].end(DUE) == datetime.fromisoformat("2026-10-04T14:00:00+00:00")
    assert found["c"].end(DUE) == DUE + timedelta(days=3)
    decided = decisions.Decisions(POLICY, found)
    assert decided.extension_of(entry("x", BOB, ADA)) == found["101"]


@pytest.mark.parametrize(
    "row, complaint",
    [
        ("7,Q99,1,r,w,2026", "no exercise 'Q99'"),
        ("7,Q1a,lots,r,w,2026", "points: 'lots'"),
        ("7,Q1a,nan,r,w,2026", "points: 'nan'"),
        ("7,Q1a,1,,w,2026", "reason is empty"),
        ("7,Q1a,1,r,w,", "when is empty"),
    ],
)
def test_an_override_says_why_who_and_when(tmp_path, row, complaint):
    path = written(tmp_path / "o.csv", f"student,exercise,points,reason,who,when\n{row}\n")
    with pytest.raises(CourseError, match=re.escape(complaint)):
        decisions.read_overrides(path, load_assignment(SLUG))


def test_a_name_that_means_two_students_is_refused_and_one_that_means_nobody_is_said(tmp_path):
    head = "student,exercise,points,reason,who,when\n"
    entries = [entry("101", BOB), entry("8", ADA)]  # Ada's student number is Bob's submission
    path = written(tmp_path / "o.csv", head + "101,Q1a,1,r,w,2026\n")
    with pytest.raises(CourseError, match="may be 101 or 8"):
        decisions.read(tmp_path, load_assignment(SLUG), entries, overrides=path)
    written(tmp_path / "overrides.csv", head + "eve@example.org,Q1a,1,r,w,2026\nADA@example.org,Q1a,1,r,w,2026\n")
    found = decisions.read(tmp_path, load_assignment(SLUG), entries)
    assert [note for note in found.notes if "eve@example.org" in note] and not [n for n in found.notes if "ada@" in n]


def test_slip_days_are_spent_once_and_by_everybody_in_a_group(tmp_path):
    ledger = written(tmp_path / "slip_days.csv", "student,assignment,days\n101,vae_ddpm_cfg,2\n")
    decided = decisions.Decisions(POLICY, {"9": Extension(days=1)})
    late = [entry("7", ADA, hours=70), entry("8", BOB, ADA, hours=70), entry("9", BOB, hours=30), entry("10", hours=-1)]
    for _ in range(2):
        spent = decisions.spend_slip_days(ledger, SLUG, late, decided, 3)
        assert spent == {"7": 1, "8": 1, "9": 1}
    rows = [tuple(row.values()) for _, row in tables.read_table(ledger, {"student"})]
    assert rows[0] == ("101", "vae_ddpm_cfg", "2") and ("102", SLUG, "1") in rows and len(rows) == 5


@pytest.mark.parametrize(
    "submitted, due, penalty",
    [
        ("2026-10-03T02:30:00Z", "2026-10-02T23:00:00-04:00", 0),
        ("2026-10-03T03:30:00Z", "2026-10-02T23:00:00-04:00", 0.1),
        ("2026-10-04T03:30:00+00:00", "2026-10-03T23:00:00-04:00", 0.1),  # Gradescope's own extension counts
        ("2026-10-04T03:30:00Z", None, 0),
    ],
)
def test_the_run_on_gradescope_says_what_the_batch_says(tmp_path, monkeypatch, submitted, due, penalty):
    """From the metadata alone, by the same function."""
    late = Late(enabled=True, penalty_per_day=0.1)
    settings = Course("c", "t", "https://example.org/a/b", late=late, due={SLUG: DUE})
    monkeypatch.setattr(lateness, "course", lambda: settings)
    tests = expected_tests(load_assignment(SLUG))
    for test in tests:
        test.passed()
    graded = Report(load_assignment(SLUG), "7", tests)
    monkeypatch.setattr("autograder.grading.grade.grade", lambda *args, **options: graded)
    metadata = {"id": 7, "created_at": submitted, "assignment": {"due_date": due}, "users": []}
    path, output = written(tmp_path / "metadata.json", json.dumps(metadata)), tmp_path / "results.json"
    output.write_text(json.dumps(graded.to_json()))
    assert main(["grade", SLUG, "7", "--metadata", str(path), "--output", str(output), "--quiet"]) == 0
    found = json.loads(output.read_text())
    assert found["score"] == pytest.approx(40 * (1 - penalty))
    gradescope_zip.validate(found)
    if due and datetime.fromisoformat(due) == DUE:
        batch = lateness.with_late_line(found, datetime.fromisoformat(submitted), lateness.late_policy(SLUG))
        assert batch == found


# ---------------------------------------------------------------- in and out


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", " =1", "plain", "'quoted", "Łukasz; =1", ""])
def test_cells_come_back_and_run_nothing(tmp_path, cell):
    path = written(tmp_path / "t.csv", tables.table_text([["a", "b"], [cell, 1.5]]))
    (line,) = path.read_text(encoding="utf-8").splitlines()[1:]
    assert not re.match(r'"?\s*[=+\-@]', line)
    assert tables.rows_in(path)[1][0][1] == [cell, "1.5"] or not cell


@pytest.fixture
def graded(tmp_path):
    """What a batch writes, of Ada, Bob, and Eve who is in no report."""
    out = tmp_path / "out"
    out.mkdir()
    rows = [
        gradebook.Row(entry("7", ADA, hours=2), results("7")),
        gradebook.Row(entry("8", BOB), results("8", 3, 0)),
        gradebook.Row(entry("9", Student("Eve", "103", "eve@example.org")), results("9", 0, 2)),
    ]
    for row in rows:
        (out / f"{row.entry.id}.json").write_text(json.dumps(row.results))
    gradebook.write_grades(out / "grades.csv", load_assignment(SLUG), rows, DUE.tzinfo)
    return out


REPORT = """First Name,Last Name,SID,Email,Sections,Total Score,Max Points,Status,Submission ID
Ada,Lovelace,101,ada@example.org,,17.5,20.0,Graded,1
Bob,,102,,,,20.0,Ungraded,2
Zoe,,109,zoe@example.org,,12,20.0,Graded,3
"""
CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,Homework (12),Current Score
,,,,,Manual Posting,
    Points Possible,,,,,5,(read only)
"Lovelace, Ada",1,101,ada,A,3,90
"Bob",2,,bob,A,4,80
"Student, Test",3,,,A,,
"Nobody",4,500,nobody,A,2,10
"""


def test_one_total_and_what_canvas_moodle_and_gradescope_import(graded, tmp_path):
    said: list[str] = []
    canvas, report_file = written(tmp_path / "canvas.csv", CANVAS), written(tmp_path / "written.csv", REPORT)
    folder = export.export(graded, report=report_file, canvas=canvas, name="Homework", say=said.append)

    def read(name: str) -> list[dict]:
        with (folder / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    totals = {row["sid"]: (row["automatic"], row["report"], row["total"], row["of"]) for row in read("total.csv")}
    assert totals["0101"] == ("5", "17.5", "22.5", "25") and totals["102"] == ("3", "", "", "25")
    assert totals["103"] == ("2", "", "2", "25") and totals["109"] == ("", "12", "12", "25")
    rows = read("canvas.csv")
    assert list(rows[0]) == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Homework (12)"]
    assert rows[0]["Student"].strip() == "Points Possible" and rows[0]["Homework (12)"] == "25"
    assert [row["Homework (12)"] for row in rows[1:]] == ["22.5", "", "", ""], "blank cells leave Canvas's as they are"
    assert "  Eve is not in canvas.csv" in said and any("not graded yet" in line for line in said)
    moodle = {row["ID number"]: row for row in read("moodle.csv")}
    assert moodle["0101"]["Homework"] == "22.5"
    assert moodle["0101"]["Homework (feedback)"] == "automatic 5 of 5; report 17.5 of 20"
    assert moodle["102"]["Full name"].startswith("'=")
    scope = {row["SID"]: row for row in read("gradescope.csv")}
    assert scope["0101"]["1: Q1a kl_q_p (3.0 pts)"] == "3" and scope["0101"]["3: Report (20.0 pts)"] == "17.5"
    assert (scope["0101"]["Last Name"], scope["0101"]["Max Points"]) == ("Lovelace", "25")


def test_what_cannot_be_merged_is_told(graded, tmp_path):
    twice = written(tmp_path / "w.csv", REPORT + "A,L,0101,,,1,20,Graded,9\n")
    with pytest.raises(CourseError, match="w.csv, line 5: Ada Lovelace stands there twice"):
        export.export(graded, report=twice, say=print)
    with pytest.raises(CourseError, match="no export of Canvas"):
        export.export(graded, canvas=written(tmp_path / "c.csv", "Name,Points\nAda,1\n"), say=print)
    with pytest.raises(CourseError, match="grade the class first"):
        export.export(tmp_path / "nothing")


# ---------------------------------------------------------------- pages


@pytest.fixture
def room(tmp_path):
    """Two submissions, one of which is late, wrong and naughty."""
    sentence = f"answers.py, line 3: {NAUGHTY} is no number."
    code = f"# Ada Lovelace, 0101\ndef relu_collision(a, b, c):\n    return '{NAUGHTY}'\n"
    wrong = results("7", 0, 1, sentence)
    wrong["tests"][0]["output"] = "The values differ."
    wrong["extra_data"]["student_number"] = {"used": "999", "stated": "999"}
    submissions.write(tmp_path / "7", {"answers.py": code})
    rows = [
        gradebook.Row(entry("7", ADA), wrong, other_numbers=[results("7#again", 3, 1)]),
        gradebook.Row(entry("8", BOB), results("8")),
    ]
    gradebook.add_flags(rows, [])
    texts = {"7": {"answers.py": code}, "8": {}}
    return tmp_path, rows, texts


def test_a_students_page_has_code_marks_feedback_and_the_command(room):
    folder, rows, texts = room
    labels = pages.Labels(rows)
    pages.write_pages(folder, load_assignment(SLUG), rows, labels, texts)
    page = (folder / "7.html").read_text(encoding="utf-8")
    assert NAUGHTY not in page and "&lt;script&gt;" in page and "<script" not in page
    hits = re.findall(r'class="hit"><i>(\d+)</i>.*?<b>(.*?)</b>', page, flags=re.DOTALL)
    assert hits == [("3", "Q2.1.1")], "Q1a names no line, and its function is not there"
    assert "python -m autograder grade theory 7 --id 7 --student 999" in page
    assert "Ada Lovelace (7)" in page and "Q1a 0 -&gt; 3" in page
    assert "states the student number 999, which is not the roster&#39;s" in page
    assert "full marks" not in (folder / "8.html").read_text() and "5</b>of 5" in (folder / "8.html").read_text()


def test_anonymous_pages_name_nobody(room):
    folder, rows, texts = room
    labels = pages.Labels(rows, hidden=True)
    pages.write_pages(folder / "students", load_assignment(SLUG), rows, labels, texts)
    text = report.page(load_assignment(SLUG), rows, [], ["3 submissions in /home/ada"], labels)
    every = text + "".join(path.read_text(encoding="utf-8") for path in (folder / "students").glob("*.html"))
    assert sorted(path.name for path in (folder / "students").iterdir()) == ["1.html", "2.html"]
    for private in ("Ada", "Lovelace", "0101", "999", "example.org", "cmd|", "/home/ada"):
        assert private not in every, private
    for link in re.findall(r'href="(students/[^"]+)"', text):
        assert (folder / link).exists()


def test_an_exercise_without_points_is_no_full_marks(monkeypatch):
    rows = [gradebook.Row(entry(id), results(id, 0, 2)) for id in ("7", "8", "9")]
    assignment = load_assignment(SLUG)
    spec = assignment.exercises["Q1a"]
    monkeypatch.setitem(assignment.exercises, "Q1a", type(spec)(spec.id, spec.of, 0.0))
    first, second = report.items(assignment, rows)
    assert (first.full, first.difficulty, second.full, second.difficulty) == (None, None, 3, 1.0)
    none = report.page(assignment, rows, [], [], pages.Labels(rows))
    assert none.count("<td class=n>–</td>") >= 2


def test_causes_are_counted_by_submission():
    rows = [gradebook.Row(entry(id), results(id, 0, 2)) for id in ("7", "8", "9")]
    for row in rows[:2]:
        found = {"explained_by": "repair", "cause": f"line {row.entry.id}: a wrong sign", "edit": "a + b -> a - b"}
        row.tests[0]["extra_data"] |= found
    rows[2].tests[0]["extra_data"] |= {"explained_by": "misconception", "misconception": "swaps", "cause": "q is p."}
    first, second = report.causes(rows)
    assert (first.exercise, first.way, first.who) == ("Q1a", "repair", {"7", "8"}) and second.name == "swaps"
