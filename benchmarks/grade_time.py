"""One grade beside `import torch` and beside the same hidden tests without isolation.

    python benchmarks/grade_time.py --runs 7

    import torch       python -c "import torch"
    one grade          python -m autograder grade, of the reference: every look in the sandbox, every layer
    plain pytest       the same hidden tests by pytest, in one process, without isolation
    gradescope-utils   the same hidden tests by its JSONTestRunner, in one process, without isolation (plain.py)

All are whole processes, with one thread each, and take turns within one run, so that a busy machine slows down all:
compare the ratios, not the seconds. Each is timed to its end: to take torch down in order is a third of a second, which
all but the grade spend (autograder/__main__.py). `--python` measures another
interpreter (a CPU build of torch, as on Gradescope).
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import machine
from processes import PLAIN, REPOSITORY, compare, verdict

CLAIM = 1.25


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--slug", default="vae_ddpm_cfg", help="the assignment whose reference is graded")
    parser.add_argument("--runs", type=int, default=5, help="runs of each, after one to warm up")
    parser.add_argument("--python", default=sys.executable, help="the interpreter")
    arguments = parser.parse_args()
    sys.path.insert(0, str(REPOSITORY))
    from autograder.course import load_assignment

    assignment = load_assignment(arguments.slug)
    files = [path for module in assignment.modules for path in assignment.tests_files(module)]
    with tempfile.TemporaryDirectory() as folder:
        graded, plain = Path(folder) / "graded.json", Path(folder) / "plain.json"
        grade = ["-m", "autograder", "grade", arguments.slug, assignment.solutions, "--quiet", "--output", graded]
        variants = {
            "import torch": ["-c", "import torch"],
            "one grade": grade,
            "plain pytest": ["-m", "pytest", "-q", "-p", "no:cacheprovider", *files],
            "gradescope-utils": [PLAIN, arguments.slug, assignment.solutions, plain],
        }
        ratio = compare(
            {name: [arguments.python, *rest] for name, rest in variants.items()}, arguments.runs, base="import torch"
        )
        results, others = json.loads(graded.read_text()), json.loads(plain.read_text())["tests"]

    points, versions = results["extra_data"]["max_score"], results["extra_data"]["versions"]
    count = len(results["tests"])
    assert results["score"] == points, "the grade is wrong, so its time is worth nothing"
    assert [test["status"] for test in others] == ["passed"] * count, "gradescope-utils ran other tests"
    print(f"\n{machine.processor()}, {os.cpu_count()} cores; Python {versions['python']}, torch {versions['torch']}")
    print(f"{arguments.slug}: {count} tests, {results['score']:g}/{points:g} points")
    one, pytest = ratio["one grade"], ratio["plain pytest"]
    print(verdict(f"a grade takes at most {CLAIM} times as long as import torch", f"{one:.2f}", one <= CLAIM))
    print(verdict("a grade takes less time than plain pytest", f"{one / pytest:.2f} of it", one < pytest))


if __name__ == "__main__":
    main()
