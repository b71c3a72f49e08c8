"""The grader's commands: `python -m autograder --help`."""

import argparse
import json
import os
import sys
from pathlib import Path

from autograder.course import ROOT, CourseError, load_assignment, slugs


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m autograder", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)

    command = commands.add_parser("grade", help="grade one submission")
    command.add_argument("slug", metavar="SLUG", help="the assignment: a folder name below assignment/")
    command.add_argument("path", metavar="PATH", type=Path, help="a folder, a .zip, a .py or an .ipynb")
    command.add_argument("--output", type=Path, help="write Gradescope's results.json there")
    command.add_argument("--prairielearn", type=Path, metavar="FILE", help="write PrairieLearn's results.json there")
    command.add_argument("--id", help="the submission's id, which keys its inputs (default: the path's name)")
    command.add_argument("--student", metavar="NUMBER", help="the student's number, in the place of the stated one")
    command.add_argument("--metadata", type=Path, help="Gradescope's submission_metadata.json: id, times")
    command.add_argument("--without", action="append", default=[], metavar="LAYER", help=argparse.SUPPRESS)
    command.add_argument("--quiet", action="store_true", help="no table")
    command.add_argument("--only", action="extend", nargs="+", metavar="WHAT", help="exercises, Q1.4 or Q1, or files")

    command = commands.add_parser("batch", help="grade a class: a folder of submissions, or a Gradescope export")
    command.add_argument("slug", metavar="SLUG", help="the assignment: a folder name below assignment/")
    command.add_argument("folder", metavar="FOLDER", type=Path, help="one submission an entry, or a Gradescope export")
    command.add_argument("--output", type=Path, required=True, metavar="OUT", help="results, grades.csv, report.html")
    command.add_argument("--workers", type=int, metavar="N", help="grades at once (default: one a core)")
    command.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler, tcp://HOST:PORT (docs/batch.md)")
    command.add_argument("--compare", type=Path, metavar="OLD_OUT", help="say whose score differs from an earlier OUT")
    command.add_argument("--only", action="extend", nargs="+", metavar="WHAT", help="exercises, Q1.4 or Q1, or files")
    command.add_argument("--student", action="extend", nargs="+", metavar="ID", help="grade these submissions")
    command.add_argument("--extensions", type=Path, metavar="CSV", help="student, due or days, reason")
    command.add_argument("--overrides", type=Path, metavar="CSV", help="student, exercise, points, reason, who, when")
    command.add_argument("--slip-days", type=Path, metavar="CSV", help="who spent how many; written by this command")
    command.add_argument("--rekey", default="", nargs="?", const="again", metavar="WORD", help="and on other numbers")
    command.add_argument("--earlier", type=Path, action="append", metavar="FOLDER", help="earlier submissions")
    command.add_argument("--anonymous", action="store_true", help="report and pages without names: OUT/anonymous")

    command = commands.add_parser("grades", help="totals with the report's points, for Canvas, Moodle, Gradescope")
    command.add_argument("output", metavar="OUT", type=Path, help="of a batch")
    command.add_argument("--report", type=Path, metavar="CSV", help="Gradescope's Download Grades of the written part")
    command.add_argument("--canvas", type=Path, metavar="CSV", help="Canvas's gradebook export, to be filled in")
    command.add_argument("--name", default="", metavar="COLUMN", help="of the column (default: the assignment's title)")

    command = commands.add_parser("stubs", help="make assignment/ from solutions/, and notebooks; fill handouts in")
    command.add_argument("slugs", nargs="*", metavar="SLUG")
    command.add_argument("--check", action="store_true", help="change nothing; exit 1 where a file has drifted")

    command = commands.add_parser("build", help="make dist/gradescope/SLUG.zip and verify it by running it")
    command.add_argument("slugs", nargs="*", metavar="SLUG")

    command = commands.add_parser("release", help="make dist/student/SLUG.zip, verified to hold no answer")
    command.add_argument("slugs", nargs="*", metavar="SLUG")
    command.add_argument("--list", action="store_true", help="print what each zip holds")

    command = commands.add_parser("site", help="build the course's website, verified to hold no answer: dist/site/")
    command.add_argument("--staff", action="store_true", help="with the pages for TAs and instructors: dist/site-staff")

    command = commands.add_parser("new", help="a new assignment that builds, grades and passes its tests at once")
    command.add_argument("slug", metavar="SLUG", help="its name: a folder below assignment/ and solutions/")
    command.add_argument("--title", default="", help="default: the slug in words")
    command.add_argument("--file", default="answers.py", help="the file that students complete (default: answers.py)")
    command.add_argument(
        "--exercise", action="append", default=[], metavar="FUNCTION:POINTS", help="again and again; else you are asked"
    )
    command.add_argument("--remove", action="store_true", help="take it away, with all that is its own")

    command = commands.add_parser("accuracy", help="how well the hidden tests tell right from wrong, measured")
    command.add_argument("slugs", nargs="*", metavar="SLUG", help="default: every assignment")
    command.add_argument("--only", default="", metavar="WHAT", help="only misconceptions of an exercise, file or name")
    command.add_argument("--degenerate", action="store_true", help="only degenerate and wrapped answers, made by rule")
    command.add_argument("--explain", action="store_true", help="how often a mistake that nobody foresaw is explained")
    command.add_argument("--most", type=int, default=10_000, metavar="N", help="with --explain: so many at random")
    command.add_argument("--keep", type=Path, metavar="FILE", help="with --explain: keep all found; go on from it")
    command.add_argument("--show", type=int, metavar="N", help="with --keep: so many explanations beside their code")
    command.add_argument("--keys", type=int, metavar="N", help="grade the reference with N different inputs")
    command.add_argument("--write", type=Path, metavar="PAGE", help="write a page: docs/accuracy.md, docs/feedback.md")

    options = parser.parse_args(arguments)
    try:
        return globals()[f"run_{options.command}"](options)
    except CourseError as error:
        print(f"{parser.prog} {options.command}: {error}", file=sys.stderr)
        return 2


def run_grade(options: argparse.Namespace) -> int:
    from autograder.files import write_text
    from autograder.grading import lateness
    from autograder.grading.grade import grade
    from autograder.grading.prairielearn import prairielearn
    from autograder.grading.results import table

    about = lateness.read_metadata(options.metadata)
    policy = lateness.late_policy(options.slug, about.due) if about.due else None
    report = grade(
        options.slug,
        options.path,
        output=options.output,
        submission_id=options.id or about.id,
        student_number=options.student,
        only=load_assignment(options.slug).exercises_meant(options.only) if options.only else None,
        without=frozenset(options.without),
    )
    late = lateness.with_late_line(report.to_json(), about.submitted, policy)
    if options.output and "late" in late["extra_data"]:
        write_text(options.output, json.dumps(late, indent=1, allow_nan=False))
    if options.prairielearn:
        write_text(options.prairielearn, json.dumps(prairielearn(report), indent=1, allow_nan=False))
    if not options.quiet:
        print(table(report))
        print("".join(f"\n  {test['output']}\n" for test in late["tests"] if test["number"] == lateness.LATE), end="")
    return 0


def run_batch(options: argparse.Namespace) -> int:
    from autograder.classroom.batch import batch

    return batch(
        options.slug,
        options.folder,
        options.output,
        workers=options.workers,
        scheduler=options.scheduler,
        compare=options.compare,
        only=load_assignment(options.slug).exercises_meant(options.only) if options.only else None,
        students=options.student,
        extensions=options.extensions,
        overrides=options.overrides,
        slip_days=options.slip_days,
        rekey=options.rekey,
        earlier=options.earlier,
        anonymous=options.anonymous,
    )


def run_grades(options: argparse.Namespace) -> int:
    from autograder.classroom.export import export

    export(options.output, report=options.report, canvas=options.canvas, name=options.name)
    return 0


def run_build(options: argparse.Namespace) -> int:
    from autograder.publish.gradescope_zip import print_table

    print_table(options.slugs or slugs())
    return 0


def run_release(options: argparse.Namespace) -> int:
    from autograder.publish.student_zip import print_releases

    print_releases(options.slugs or slugs(), options.list)
    return 0


def run_site(options: argparse.Namespace) -> int:
    from autograder.publish.site import make_site

    make_site(options.staff)
    return 0


def run_new(options: argparse.Namespace) -> int:
    from autograder.publish import scaffold

    if options.remove:
        changed = scaffold.remove(options.slug)
        print("\n".join(f"{path.relative_to(ROOT)} {'changed' if path.exists() else 'removed'}" for path in changed))
        return 0
    if options.exercise or not sys.stdin.isatty():
        exercises = options.exercise or ["mean_square:5"]
        plan = scaffold.plan_of(options.slug, options.title, options.file, exercises)
    else:
        plan = scaffold.ask(options.slug)
    for path in scaffold.new(plan):
        print(f"{path.relative_to(ROOT)} written")
    print(f"\nNow: make grade A={plan.slug} S=solutions/{plan.slug}, then replace the examples (docs/new_exercise.md).")
    return 0


def run_accuracy(options: argparse.Namespace) -> int:
    from autograder.quality.measure import KEYS
    from autograder.quality.misconceptions import print_misconceptions

    chosen = options.slugs or slugs()
    if options.explain:
        from autograder.quality.explanations import print_explanations, print_some

        if options.keep and options.show:
            print_some(options.keep, options.show)
        else:
            print_explanations(chosen, options.most, options.only, options.keep, options.write)
        return 0
    if options.degenerate:
        from autograder.quality.degenerate import print_degenerate

        return 1 if sum(print_degenerate(slug, options.only) for slug in chosen) else 0
    if options.only:
        return 1 if sum(print_misconceptions(slug, options.only) for slug in chosen) else 0
    from autograder.quality.report import print_accuracy

    return 1 if print_accuracy(chosen, options.keys or KEYS, options.write) else 0


def run_stubs(options: argparse.Namespace) -> int:
    from autograder.publish.handout import write_handouts
    from autograder.publish.notebooks import write_notebooks
    from autograder.publish.stubs import write_stubs

    chosen = options.slugs or slugs()
    drifted = [
        name
        for slug in chosen
        for write in (write_stubs, write_handouts, write_notebooks)
        for name in write(slug, options.check)
    ]
    for name in drifted:
        print(f"{name} {'differs from its source: run make stubs' if options.check else 'written'}")
    if not drifted:
        print("every stub, handout and notebook is what its source says")
    return 1 if options.check and drifted else 0


if __name__ == "__main__":
    status = main()
    if sys.argv[1] == "grade":  # all is written; to take torch down in order would cost a third of a second
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)
