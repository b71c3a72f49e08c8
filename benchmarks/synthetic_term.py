"""Forty made-up students through a term: late work, extensions, slip days, overrides, new points, exports.

    python benchmarks/synthetic_term.py --output runs/term        about three minutes on two cores

Works in a copy of this repository, whose course.toml it changes, by the commands that a teaching team uses. Every
student's numbers are held against a computation of their own; those of five, against numbers found by hand.
"""

import argparse
import csv
import math
import re
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
SLUG, ONLY = "theory", ("Q1a", "Q2.1")  # 3 points and 2
DUE = datetime.fromisoformat("2026-10-02T23:00:00-04:00")
SETTINGS = f"""
[late]
enabled = true
penalty_per_day = 0.1
slip_days = 2

[due]
{SLUG} = {DUE.isoformat()}
"""
WRONG = {2: "relu_collision", 3: "kl_q_p"}  # what kinds 2 and 3 get wrong; kind 0 is right, kind 1 did nothing
HOURS = (0, 1, 25, 80, 0)  # late
OVERRIDES = {2: ("Q2.1", 1.5), 7: ("Q1a", 2.5)}
BY_HAND = {  # student: automatic points, the same when Q2.1 has 4 points, and the total with the report's
    0: (5.0, 7.0, 7.0),  # 3 + 2, in time; 3 + 4; no points in the report
    2: (4.5, 4.5, 5.5),  # 3, and 1.5 by hand; two days late, two slip days; 1 in the report
    3: (1.6, 3.2, 4.7),  # 2; 80 hours late, 48 of them extended: two days, no slip day left, 20 % of 2; then of 4; 1.5
    6: (2.7, 2.7, 5.7),  # 3; an hour late, no slip day left: 10 % of 3; 3
    8: (4.0, 5.6, 9.6),  # 5; four days late, two of them slip days: 20 % of 5; then of 7; 4
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=40)
    parser.add_argument("--output", type=Path, default=Path("runs/term"))
    arguments = parser.parse_args()
    room, count = arguments.output.resolve(), arguments.students
    shutil.rmtree(room, ignore_errors=True)
    house = copy_of_the_repository(room / "repository")
    write_class(room, house, count)
    out = room / "out"
    command = ["batch", SLUG, str(room / "class"), "--output", str(out), *(f"--only={name}" for name in ONLY)]
    command += [f"--{table}={room / table.replace('-', '_')}.csv" for table in ("extensions", "overrides", "slip-days")]

    said = run(house, *command)
    problems = compared("first", out, count, {"Q1a": 3.0, "Q2.1": 2.0})
    again = run(house, *command)
    problems += [] if f"{count} are graded already" in again else ["a second run graded again"]
    problems += compared("again", out, count, {"Q1a": 3.0, "Q2.1": 2.0})  # slip days are spent once
    with (house / "course.toml").open("a") as file:
        file.write(f'\n[points.{SLUG}]\n"Q2.1" = 4\n')
    said = run(house, *command)
    problems += [] if f"{count} graded in" in said else ["changed points graded nobody again"]
    problems += compared("changed", out, count, {"Q1a": 3.0, "Q2.1": 4.0})
    print(run(house, "grades", str(out), f"--report={room / 'written.csv'}", f"--canvas={room / 'canvas_export.csv'}"))
    problems += exports(out, count)
    print("\n".join(problems) or f"all numbers of {count} students are as they must be")
    sys.exit(bool(problems))


def copy_of_the_repository(house: Path) -> Path:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if not name.startswith(("docs/pictures/", "notebooks/")):
            (house / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, house / name)
    settings = (house / "course.toml").read_text(encoding="utf-8")
    settings = re.sub(r"(?ms)^\[(late|due)\]\n.*?(?=^\[|\Z)", "", settings)
    (house / "course.toml").write_text(settings + SETTINGS, encoding="utf-8")
    return house


def run(house: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "autograder", *arguments],
        cwd=house,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        sys.exit(done.stdout)
    return done.stdout


def write_class(room: Path, house: Path, count: int) -> None:
    """A Gradescope export, what people decided, the report's points, and Canvas's gradebook."""
    right = (house / "solutions" / SLUG / "answers.py").read_text(encoding="utf-8")
    stubs = (house / "assignment" / SLUG / "answers.py").read_text(encoding="utf-8")
    metadata = []
    for i in range(count):
        folder = room / "class" / f"submission_{1000 + i}"
        folder.mkdir(parents=True)
        wrong = f"\n\ndef {WRONG.get(i % 4)}(*args):\n    return None\n" if i % 4 in WRONG else ""
        (folder / "answers.py").write_text(stubs if i % 4 == 1 else right + wrong, encoding="utf-8")
        when = (DUE + timedelta(hours=HOURS[i % 5])).astimezone(datetime.fromisoformat("2026-01-01T00:00+03:30").tzinfo)
        metadata.append(
            f"submission_{1000 + i}:\n  :submitters:\n  - :name: Student {i}\n    :sid: '{700 + i}'\n"
            f"    :email: s{i}@example.org\n  :created_at: '{when.isoformat()}'\n"
        )
    (room / "class" / "submission_metadata.yml").write_text("".join(metadata))
    students = range(count)
    table(room / "extensions.csv", "student,days,reason", [(700 + i, 2, "ill") for i in students if i % 10 == 3])
    why = ("a typo in the handout", "TA", "2026-10-09")
    rows = [(f"s{i}@example.org", exercise, points, *why) for i, (exercise, points) in OVERRIDES.items()]
    table(room / "overrides.csv", "student,exercise,points,reason,who,when", rows)
    spent = [(700 + i, "vae_ddpm_cfg", 2) for i in students if i % 3 == 0]
    table(room / "slip_days.csv", "student,assignment,days", spent)
    written = []
    for i in students:
        status = "Missing" if i == count - 1 else "Ungraded" if i == count - 2 else "Graded"
        written.append(("Student", i, 700 + i, f"S{i}@Example.org", i / 2 if status == "Graded" else "", 20.0, status))
    table(room / "written.csv", "First Name,Last Name,SID,Email,Total Score,Max Points,Status", written)
    canvas = [("    Points Possible", "", "", "", "", 50, "(read only)")]
    canvas += [(f"{i}, Student", 9000 + i, 700 + i, f"s{i}", "A", 40, 80) for i in reversed(students)]
    head = "Student,ID,SIS User ID,SIS Login ID,Section,Homework 1 (77),Final Score"
    table(room / "canvas_export.csv", head, canvas)


def table(path: Path, head: str, rows: list) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head.split(","), *rows])


def expected(i: int, points: dict[str, float]) -> float:
    """A student's automatic points, computed another way than the grader does."""
    own = {"Q1a": points["Q1a"] * (i % 4 in (0, 2)), "Q2.1": points["Q2.1"] * (i % 4 in (0, 3))}
    own |= {exercise: given for j, (exercise, given) in OVERRIDES.items() if j == i}
    hours = HOURS[i % 5] - (48 if i % 10 == 3 else 0)
    days = max(0, math.ceil(hours / 24) - (0 if i % 3 == 0 else 2))
    return round(sum(own.values()) * (1 - 0.1 * days), 4)


def compared(what: str, out: Path, count: int, points: dict[str, float]) -> list[str]:
    with (out / "grades.csv").open(newline="") as file:
        totals = {int(row["sid"]) - 700: float(row["total"]) for row in csv.DictReader(file)}
    problems = [] if len(totals) == count else [f"{what}: {len(totals)} rows"]
    for i, total in totals.items():
        if abs(total - expected(i, points)) > 1e-3:
            problems.append(f"{what}: student {i} has {total}, not {expected(i, points)}")
        if i in BY_HAND and abs(total - BY_HAND[i][points["Q2.1"] == 4]) > 1e-3:
            problems.append(f"{what}: student {i} has {total}, by hand {BY_HAND[i]}")
    return problems


def exports(out: Path, count: int) -> list[str]:
    with (out / "export" / "canvas.csv").open(newline="") as file:
        header, possible, *rows = list(csv.reader(file))
    problems = [] if (possible[0].strip(), possible[-1]) == ("Points Possible", "27") else [f"canvas: {possible}"]
    columns = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    problems += [] if header[:5] == columns and len(header) == 6 else [f"canvas: {header}"]
    column = {int(row[2]) - 700: row[-1] for row in rows}
    for i in range(count):
        report = 0 if i == count - 1 else i / 2
        total = expected(i, {"Q1a": 3.0, "Q2.1": 4.0}) + report
        if (column[i] == "") != (i == count - 2) or (column[i] and abs(float(column[i]) - total) > 1e-3):
            problems.append(f"canvas: student {i} has {column[i]!r}, not {total}")
        if i in BY_HAND and abs(float(column[i]) - BY_HAND[i][2]) > 1e-3:
            problems.append(f"canvas: student {i} has {column[i]}, by hand {BY_HAND[i][2]}")
    return problems


if __name__ == "__main__":
    main()
