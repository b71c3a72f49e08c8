"""A class at a time: read, graded, stopped, resumed, compared, reported. Small classes, few exercises."""

import csv
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest
import submissions

from autograder.classroom import batch as batches
from autograder.classroom import gradebook, report, similarity
from autograder.classroom.roster import Entry, Student, content_hash, read_roster
from autograder.course import ROOT, Course, CourseError, Late, grading_files, load_assignment
from autograder.grading import lateness
from autograder.publish import gradescope_zip

SLUG = "theory"
ONLY = frozenset({"Q1a", "Q2.1"})
NAUGHTY = "<script>alert(1)</script>"
WRONG = "\n\ndef softmax_jacobian(*args, **kwargs):\n    return None\n"
METADATA = f"""
submission_101:
  :submitters:
  - :name: Ada Lovelace
    :sid: '0101'
    :email: ada@example.org
  - :name: '=HYPERLINK("http://example.org")'
    :sid: 102
  :created_at: 2026-10-02 22:58:00.000000000 Z
submission_103: !ruby/object:Submission
  :submitters:
  - :name: "{NAUGHTY}"
  :created_at: 2026-10-05 01:00:00.000000000 Z
submission_104:
  :submitters: none
submission_999:
  :submitters: []
"""
COMMAND = """
import sys
from pathlib import Path
from autograder.classroom.batch import batch
folder, output, scheduler = sys.argv[1:]
only = frozenset({"Q1a", "Q2.1"})
sys.exit(batch("theory", Path(folder), Path(output), only=only, workers=2, scheduler=scheduler or None))
"""


def write_class(folder: Path, count: int = 4) -> Path:
    """References and stubs in turn."""
    for index in range(count):
        files = submissions.stubs(SLUG) if index % 2 else submissions.reference(SLUG)
        submissions.write(folder / f"student{index}", files)
    return folder


def run(folder: Path, output: Path, **options) -> tuple[int, str]:
    said: list[str] = []
    status = batches.batch(SLUG, folder, output, only=ONLY, workers=2, say=said.append, **options)
    return status, "\n".join(said)


def start(folder: Path, output: Path, scheduler: str = "") -> psutil.Popen:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", COMMAND, str(folder), str(output), scheduler]

    def listen():  # a job in the background of a shell without job control is started deaf to Ctrl-C
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return psutil.Popen(command, env=environment, preexec_fn=listen, **output)


def wait_for(condition, seconds: float = 300):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def results_in(output: Path) -> dict[str, dict]:
    return {path.stem: json.loads(path.read_text()) for path in output.glob("*.json")}


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """A Gradescope export, graded."""
    room = tmp_path_factory.mktemp("export")
    folder = room / "assignment_export"
    reference, stubs = submissions.reference(SLUG), submissions.stubs(SLUG)
    submissions.write(folder / "submission_101", reference)
    submissions.write(folder / "submission_103", stubs)
    submissions.write(folder / "submission_104", {f"{NAUGHTY.replace('/', '')}.txt": "nothing to grade"})
    (folder / "submission_metadata.yml").write_text(METADATA)
    status, said = run(folder, room / "out")
    return room, status, said


# ---------------------------------------------------------------- what is read


def test_gradescope_export_is_understood(tmp_path):
    pytest.importorskip("yaml")
    for name in ("submission_101", "submission_103", "submission_104"):
        submissions.write(tmp_path / name, {"answers.py": ""})
    (tmp_path / "submission_metadata.yml").write_text(METADATA)
    entries, notes = read_roster(tmp_path)
    assert [entry.id for entry in entries] == ["101", "103", "104"]
    assert entries[0].students[0] == Student("Ada Lovelace", "0101", "ada@example.org")
    assert entries[0].submitted == datetime.fromisoformat("2026-10-02T22:58:00+00:00")
    assert entries[1].students == [Student(NAUGHTY)] and entries[2].students == []
    said = "\n".join(notes)
    assert "3 students, 2 of 3" in said and "submission_999" in said and "1 submissions have no time" in said


@pytest.mark.parametrize("content", ["- a list", "", "just text", "submission_101: [1, 2]", "submission_101: {1: 2}"])
def test_strange_metadata_costs_names_only(tmp_path, content):
    pytest.importorskip("yaml")
    submissions.write(tmp_path / "submission_101", {"answers.py": ""})
    (tmp_path / "submission_metadata.yml").write_text(content)
    entries, _ = read_roster(tmp_path)
    assert entries[0].students == []


def test_metadata_makes_no_objects(tmp_path):
    yaml = pytest.importorskip("yaml")
    submissions.write(tmp_path / "submission_101", {"answers.py": ""})
    loot = tmp_path / "loot"
    (tmp_path / "submission_metadata.yml").write_text(f"submission_101: !!python/object/apply:os.mkdir ['{loot}']")
    with pytest.raises(CourseError):
        read_roster(tmp_path)
    assert not loot.exists() and yaml


def test_plain_folder_zips_and_files_have_safe_distinct_ids(tmp_path):
    submissions.write(
        tmp_path, {"alice/answers.py": "", "alice.py": "", "bob.zip": b"", "c d.ipynb": "", "read.md": ""}
    )
    submissions.write(tmp_path, {".hidden/answers.py": "", "grades.py": "", "Bob.py": ""})
    entries, notes = read_roster(tmp_path)
    ids = [entry.id for entry in entries]
    assert len({id.lower() for id in ids}) == len(ids) == 6
    assert {"alice", "alice.py"} <= set(ids) and "grades" not in ids
    assert all(re.fullmatch(r"[\w.@+-]+", id) for id in ids)
    assert any("read.md" in note for note in notes)
    with pytest.raises(CourseError, match="holds no submission"):
        read_roster(submissions.write(tmp_path / "empty", {"a.txt": ""}))


def test_content_hash_sees_every_byte_that_counts(tmp_path):
    folder = submissions.write(tmp_path / "a", {"answers.py": "x = 1", "deep/b.py": ""})
    first = content_hash(folder)
    submissions.write(folder, {"notes.txt": "no matter"})
    os.mkfifo(folder / "pipe.py")
    assert content_hash(folder) == first
    submissions.write(folder, {"deep/b.py": " "})
    assert content_hash(folder) != first


# ---------------------------------------------------------------- what is graded and written


def test_batch_grades_like_grade(export):
    room, status, said = export
    assert status == 0 and "3 graded" in said
    results = results_in(room / "out")
    assert set(results) == {"101", "103", "104"}
    alone = submissions.grade_files(room / "alone", submissions.reference(SLUG), SLUG, submission_id="101", only=ONLY)
    full = alone.score
    assert {id: r["score"] for id, r in results.items()} == {"101": full, "103": 0, "104": 0} and full > 0
    assert results["101"]["tests"] == alone.results["tests"]
    assert results["101"]["extra_data"]["key"] == alone.results["extra_data"]["key"]
    kinds = {id: {t["extra_data"]["failure"] for t in r["tests"]} for id, r in results.items()}
    assert kinds == {"101": {None}, "103": {"unfinished"}, "104": {"refused"}}
    for result in results.values():
        gradescope_zip.validate(result)


def test_grades_csv_has_a_row_a_student(export):
    room, _, _ = export
    rows = list(csv.DictReader((room / "out" / "grades.csv").open()))
    assert [(row["id"], row["sid"]) for row in rows] == [("101", "0101"), ("101", "102"), ("103", ""), ("104", "")]
    assert rows[1]["name"].startswith("'="), "a spreadsheet would run it"
    assert set(load_assignment(SLUG).exercises) <= set(rows[0])
    assert float(rows[0]["total"]) == float(rows[0]["Q1a"]) + float(rows[0]["Q2.1"]) == float(rows[1]["total"])
    assert "missing" in rows[3]["flags"]


class Page(HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href", "action", "data") or name[:2] == "on"]


def test_report_is_one_page_that_loads_and_runs_nothing(export):
    room, _, _ = export
    text = (room / "out" / "report.html").read_text()
    page = Page(text)
    assert set(page.links) == {"grades.csv", *(f"students/{id}.html" for id in ("101", "103", "104"))}
    assert not {"script", "link", "iframe", "img", "object"} & set(page.tags)
    assert NAUGHTY not in text and "&lt;script&gt;" in text
    assert {"svg", "table"} <= set(page.tags) and "Discrimination" in text and "not implemented yet" in text
    assert "url(" not in text and "@import" not in text


def test_only_what_changed_is_graded_again(export):
    room, _, _ = export
    folder, output = room / "assignment_export", room / "out"
    before = {path.name: path.stat().st_mtime_ns for path in output.glob("*.json")}
    assert "3 are graded already" in run(folder, output)[1]
    submissions.write(folder / "submission_104", submissions.reference(SLUG))
    (output / "103.json").write_text('{"score": 1')  # as a file system may leave it after a power cut
    status, said = run(folder, output)
    assert status == 0 and "1 are graded already" in said
    after = {path.name: path.stat().st_mtime_ns for path in output.glob("*.json")}
    assert {name for name in after if after[name] != before[name]} == {"103.json", "104.json"}
    assert results_in(output)["104"]["score"] == results_in(output)["101"]["score"]


def test_everybody_is_asked_about_other_numbers_as_well(tmp_path):
    folder, output = write_class(tmp_path / "class", 1), tmp_path / "out"
    _, said = run(folder, output, rekey="again")
    assert "1 graded on other numbers (again)" in said
    own, other = (results_in(place)["student0"] for place in (output, output / "rekeyed" / "again"))
    assert own["score"] == other["score"] > 0 and own["extra_data"]["key"] != other["extra_data"]["key"]
    assert other["extra_data"]["submission"] == "student0#again", "what `grade --id` has to be given"
    other["tests"][0]["score"] = 0.0  # as if it had been right by chance
    batches.write_json(output / "rekeyed" / "again" / "student0.json", other)
    assert "1 are graded already" in run(folder, output)[1]
    assert "other numbers, other points: Q1a" in (output / "grades.csv").read_text()
    with pytest.raises(CourseError, match="no plain word"):
        run(folder, output, rekey="../x")


def test_a_late_policy_changes_lines_and_grades_nothing_again(export, monkeypatch):
    room, _, _ = export
    folder, output = room / "assignment_export", room / "out"
    full = results_in(output)["101"]["score"]
    due = {SLUG: datetime.fromisoformat("2026-10-01T00:00:00+00:00")}
    policy = Course("c", "t", "https://example.org/a/b", due=due, late=Late(enabled=True, penalty_per_day=0.1))
    with monkeypatch.context() as patch:
        patch.setattr(lateness, "course", lambda: policy)
        _, said = run(folder, output)
    assert "3 are graded already" in said
    row = next(csv.DictReader((output / "grades.csv").open()))
    assert float(row["late"]) == pytest.approx(-0.2 * full) and "2 days late" in row["flags"]
    assert float(row["total"]) == results_in(output)["101"]["score"] == pytest.approx(0.8 * full)
    run(folder, output)
    assert results_in(output)["101"]["score"] == full


def test_key_depends_on_all_that_grades(tmp_path, monkeypatch):
    folder = submissions.write(tmp_path / "a", submissions.stubs(SLUG))
    keys = {batches.task_key(SLUG, folder, None), batches.task_key(SLUG, folder, ONLY)}
    for change in (
        ("version", lambda library: "other"),
        ("course_secret", lambda: b"other"),
        ("grading_files", lambda assignment: grading_files(assignment)[1:]),  # as if there had been one file more
    ):
        with monkeypatch.context() as patch:
            patch.setattr(batches, *change)
            batches.grading_key.cache_clear()
            keys.add(batches.task_key(SLUG, folder, None))
    batches.grading_key.cache_clear()
    assert len(keys) == 5


def test_only_what_can_change_a_grade_regrades(tmp_path, monkeypatch):
    """A comment in a handout or in course.toml regrades nobody; a changed hidden test, or points, everybody."""
    folder = submissions.write(tmp_path / "a", submissions.stubs(SLUG))

    def key() -> str:
        batches.grading_key.cache_clear()
        return batches.task_key(SLUG, folder, None)

    def with_line(path: Path) -> str:
        original = path.read_bytes()
        try:
            path.write_bytes(original + b"\n# a remark\n")
            return key()
        finally:
            path.write_bytes(original)

    before = key()
    assert with_line(ROOT / "assignment" / SLUG / "README.md") == before
    assert with_line(ROOT / "assignment" / SLUG / "assignment.toml") == before
    assert with_line(ROOT / "course.toml") == before
    assert with_line(load_assignment(SLUG).tests_files("answers")[0]) != before
    points = {SLUG: {"Q1a": 77.0}}
    with monkeypatch.context() as patch:
        patch.setattr("autograder.course.course", lambda: Course("c", "t", "https://example.org/a/b", points=points))
        assert key() != before
    assert key() == before


# ---------------------------------------------------------------- what goes wrong


def task_for(folder: Path) -> batches.Task:
    return batches.Task(SLUG, "x", str(folder), "key", ONLY)


def at_work(grader: int) -> bool:
    """Whether a grader has forked its sandbox."""
    try:
        return bool(psutil.Process(grader).children())
    except psutil.NoSuchProcess:
        return False


def test_a_grade_whose_process_is_killed_is_done_again(tmp_path):
    folder = submissions.write(tmp_path / "a", submissions.reference(SLUG))
    found = []
    thread = threading.Thread(target=lambda: found.append(batches.graded(task_for(folder))))
    known = {process.pid for process in multiprocessing.active_children()}
    thread.start()
    wait_for(lambda: [p for p in multiprocessing.active_children() if p.pid not in known and at_work(p.pid)])
    for process in multiprocessing.active_children():
        process.kill()
    thread.join(60)
    assert found[0]["score"] > 0 and found[0]["extra_data"]["batch_key"] == "key"


def test_a_grade_that_dies_twice_is_reported(tmp_path, monkeypatch):
    tries = []

    def die(*args, **options):
        tries.append(args)
        raise batches.forkserver.GradeDied("no memory")

    monkeypatch.setattr(batches.forkserver, "apart", die)
    results = batches.graded(task_for(tmp_path))
    gradescope_zip.validate(results)
    assert len(tries) == 2 and results["score"] == 0
    assert "no memory" in results["output"] and "batch_key" not in results["extra_data"]


def test_a_grade_whose_sandbox_died_is_done_again(tmp_path, monkeypatch):
    good, bad = ({"tests": [{"extra_data": {"failure": kind}}], "extra_data": {}} for kind in (None, "sandbox"))
    answers = [bad, good, bad, bad]
    monkeypatch.setattr(batches.forkserver, "apart", lambda *args: answers.pop(0))
    assert batches.graded(task_for(tmp_path)) is good and good["extra_data"]["batch_key"] == "key"
    assert batches.graded(task_for(tmp_path)) is bad and "batch_key" not in bad["extra_data"]


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_stopped_in_the_middle_and_resumed(tmp_path, ending):
    folder, output = write_class(tmp_path / "class"), tmp_path / "out"
    process = start(folder, output)
    wait_for(lambda: list(output.glob("*.json")))
    family = process.children(recursive=True)
    process.send_signal(ending)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == (130 if ending == signal.SIGINT else -9), said
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE], "something goes on grading"
    done = results_in(output)
    for result in done.values():
        gradescope_zip.validate(result)
    assert 0 < len(done) < 4
    status, said = run(folder, output)
    assert status == 0 and f"{len(done)} are graded already" in said
    scores = [result["score"] for _, result in sorted(results_in(output).items())]
    assert scores[0] == scores[2] > 0 == scores[1] == scores[3]


# ---------------------------------------------------------------- late work, comparison, statistics, similarity


def made_up(id: str, *scores: float) -> dict:
    tests = [
        {"number": f"Q1a.{i}", "name": f"Q1a.{i} t", "score": s, "max_score": 4.0, "status": "passed", "output": "o"}
        for i, s in enumerate(scores, 1)
    ]
    return {"score": sum(scores), "tests": tests, "extra_data": {"submission": id, "max_score": 4.0 * len(scores)}}


def test_late_policy_is_a_line_of_its_own():
    due = datetime.fromisoformat("2026-10-02T23:00:00-04:00")
    policy = lateness.LatePolicy(due, grace_days=1, penalty_per_day=0.1)
    submitted = datetime.fromisoformat("2026-10-05T04:00:00+00:00")  # 2 days and an hour, said in another zone
    late = lateness.with_late_line(made_up("7", 4, 2), submitted, policy)
    assert late["score"] == pytest.approx(6 - 0.2 * 6)
    assert late["tests"][-1]["number"] == "Late"
    assert late["tests"][-1]["output"] == (
        "Handed in 2026-10-05 00:00 UTC-04:00, due 2026-10-02 23:00 UTC-04:00, 3 started days late, 1 of grace,"
        " 10% a day: 20% of 6 points."
    )
    assert lateness.with_late_line(late, submitted, policy) == late
    assert lateness.with_late_line(late, submitted, None) == made_up("7", 4, 2)
    assert lateness.with_late_line(late, due, policy)["score"] == 6
    assert gradebook.Row(Entry("7", Path()), late).exercises == {"Q1a": 6}
    hour = lateness.with_late_line(made_up("7", 4, 2), due + timedelta(hours=1), policy)
    assert "1 started day late" in hour["tests"][-1]["output"] and hour["score"] == 6


@pytest.mark.parametrize(
    "extension, slip_days, score",
    [
        (lateness.Extension(days=1), 0, 9),  # 2 started days after the extended date, 1 of grace
        (lateness.Extension(days=3), 0, 10),
        (lateness.Extension(due=datetime.fromisoformat("2026-10-05T03:00:00+00:00")), 0, 10),  # 1 day, of grace
        (lateness.Extension(due=datetime.fromisoformat("2026-09-01T00:00:00+00:00")), 0, 8),  # never before the others
        (None, 1, 9),
        (lateness.Extension(days=1), 1, 10),
    ],
)
def test_extensions_and_slip_days(extension, slip_days, score):
    policy = lateness.LatePolicy(datetime.fromisoformat("2026-10-02T23:00:00-04:00"), 1, 0.1)
    submitted = datetime.fromisoformat("2026-10-05T04:00:00+00:00")
    late = lateness.with_late_line(made_up("7", 6, 4), submitted, policy, extension, slip_days)
    assert late["score"] == pytest.approx(score)


def test_compare_says_whose_score_changed_by_which_test(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
    batches.write_json(old / "a.json", made_up("a", 4, 4))
    batches.write_json(old / "b.json", made_up("b", 4, 4))
    rows = [
        gradebook.Row(Entry("a", Path(), [Student("Ada")]), made_up("a", 4, 1)),
        gradebook.Row(Entry("b", Path()), made_up("b", 4, 4)),
        gradebook.Row(Entry("c", Path()), made_up("c", 4, 4)),
    ]
    said: list[str] = []
    gradebook.compare(old, new, rows, said.append)
    table = list(csv.DictReader((new / "compare.csv").open()))
    assert [(r["id"], r["test"], r["old score"], r["new score"]) for r in table] == [
        ("a", "Q1a.2 t", "4", "1"),
        ("c", "", "", ""),
    ]
    assert any("a Ada: 8 -> 5" in line for line in said) and "1 of 3 scores differ" in said[-1]


def test_discrimination():
    assert report.correlation([0, 1, 2], [0, 2, 4]) == pytest.approx(1)
    assert report.correlation([0, 1, 2], [4, 2, 0]) == pytest.approx(-1)
    assert report.correlation([1, 1, 1], [0, 1, 2]) is None


@pytest.mark.skipif(not similarity.available(), reason="copydetect is not installed")
def test_similarity_sees_renamed_copies_and_neither_stubs_nor_right_answers(tmp_path, monkeypatch):
    """Also of an earlier year; and a file that cannot be compared costs its own row."""
    own = "\n".join(
        f"def own_{i}(a, b):\n    total = {i}\n    for k in range(a):\n        if k % {i + 2}:\n"
        f"            total += b[k] * {i} - k\n        else:\n            b = [total, *b, len(b)]\n"
        f"    return [total, a ** {i}, sorted(b)]\n"
        for i in range(12)
    )
    renamed = re.sub(r"\btotal\b|\bk\b", "something_else", own)
    reference, stubs = submissions.reference(SLUG)["answers.py"], submissions.stubs(SLUG)["answers.py"]
    classroom = {"a": own, "b": renamed, "c": stubs, "d": stubs, "e": "(" * 9, "f": reference, "g": reference}
    for name, source in classroom.items():
        submissions.write(tmp_path / name, {"answers.py": source})
    work = [(name, str(tmp_path / name), {"answers.py": "answers.py"}) for name in classroom]
    pairs, skipped = batches.forkserver.apart(similarity.find, SLUG, work)
    assert [{pair.left.id, pair.right.id} for pair in pairs] == [{"a", "b"}] and skipped == 0
    assert "".join(text for text, _ in pairs[0].left.pieces) in classroom.values()

    for name in ("x", "y"):
        submissions.write(tmp_path / "old" / name, {"deep/answers.py": own})
    old = [(f"old/{name}", str(tmp_path / "old" / name), None) for name in ("x", "y")]
    pairs, _ = batches.forkserver.apart(similarity.find, SLUG, [work[0], *old])
    assert [{pair.left.id, pair.right.id} for pair in pairs] == [{"a", "old/x"}, {"a", "old/y"}]


@pytest.mark.skipif(not similarity.available(), reason="copydetect is not installed")
def test_a_file_that_cannot_be_compared_costs_its_own_row(tmp_path, monkeypatch):
    import copydetect

    own = "\n".join(f"def own_{i}(a, b):\n    return [a ** {i}, b[{i}], *range(a), len(b) - {i}]\n" for i in range(40))
    for name in ("a", "b", "c"):
        submissions.write(tmp_path / name, {"answers.py": own + "# c" * (name == "c")})
    compare = copydetect.compare_files

    def spoiled(one, other):
        if one.raw_code.endswith("# c"):
            raise IndexError
        return compare(one, other)

    monkeypatch.setattr(copydetect, "compare_files", spoiled)
    monkeypatch.setattr("autograder.sandbox.isolation.bound_own_memory", lambda: None)
    work = [(name, str(tmp_path / name), {"answers.py": "answers.py"}) for name in ("a", "b", "c")]
    pairs, skipped = similarity.find(SLUG, work)
    assert [{pair.left.id, pair.right.id} for pair in pairs] == [{"a", "b"}] and skipped == 1


# ---------------------------------------------------------------- a cluster


@pytest.mark.skipif(not find_spec("distributed"), reason="distributed is not installed: pip install distributed")
def test_a_cluster_grades_on_when_a_worker_is_killed(tmp_path):
    """A real scheduler and two worker processes, one of which is ended in the middle of a grade."""
    folder, output, file = write_class(tmp_path / "class", 6), tmp_path / "out", tmp_path / "scheduler.json"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "10s"}
    processes = []

    def dask(program: str, *arguments: str) -> psutil.Popen:
        log = (tmp_path / f"{program}{len(processes)}.log").open("w")
        command = [sys.executable, "-m", f"distributed.cli.{program}", "--scheduler-file", str(file), *arguments]
        processes.append(psutil.Popen(command, env=environment, cwd=tmp_path, stdout=log, stderr=log))
        return processes[-1]

    try:
        dask("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        wait_for(file.exists)
        workers = [dask("dask_worker", "--nthreads", "1", "--no-nanny", "--no-dashboard") for _ in range(2)]
        address = json.loads(file.read_text())["address"]
        batch = start(folder, output, address)
        wait_for(
            lambda: batch.poll() is not None or all(len(worker.children()) >= 2 for worker in workers)
        )  # a fork server, at least
        wait_for(lambda: batch.poll() is not None or list(output.glob("*.json")))
        assert batch.poll() is None, batch.stdout.read()
        workers[0].kill()
        said, _ = batch.communicate(timeout=120)
        assert batch.returncode == 0, said
    finally:
        for process in processes:
            family = process.children(recursive=True) if process.is_running() else []
            for member in [process, *family]:
                if member.is_running():
                    member.kill()
            process.wait()
    scores = [result["score"] for _, result in sorted(results_in(output).items())]
    assert scores[0] == scores[2] == scores[4] > 0 == scores[1] == scores[3] == scores[5]


def test_a_worker_with_another_repository_refuses(tmp_path):
    with pytest.raises(CourseError, match="another submission, repository"):
        batches.graded_on_worker(task_for(tmp_path))
