"""What a submission costs in a batch, beside a loop of single grades and a runner that isolates nothing.

    python benchmarks/batch.py --classes 1 10 100
    python benchmarks/batch.py --classes 10 50 200 --only

    batch     python -m autograder batch, all cores
    4k pages  the same, with the fork server's memory left in small pages (autograder/grading/hugepages.py)
    loop      python -m autograder grade, one process after another, as a shell loop does it
    plain     the same hidden tests by gradescope-utils' JSONTestRunner, a process a submission, without isolation or
              explanation (plain.py), one after another

Every way grades the same submissions, in turns within one run, so that a busy machine slows down all: compare ratios.
Memory is the largest proportional set size (PSS) of the whole tree of processes, sampled. The loop and the plain runner
cost the same for every submission, so they are timed on at most --sample of them. Small classes are graded three times.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import machine
from processes import PLAIN, REPOSITORY, Run, run, verdict

QUESTION_1 = [f"Q1.{number}" for number in range(1, 6)]
BATCH = """
import sys
from pathlib import Path
from autograder.grading import forkserver
from autograder.classroom.batch import batch
folder, output, preload, *only = sys.argv[1:]
forkserver.fork_server().set_forkserver_preload([preload])
sys.exit(batch("vae_ddpm_cfg", Path(folder), Path(output), only=frozenset(only) or None))
"""
SINGLE = """
import sys
from pathlib import Path
from autograder.grading.grade import grade
path, output, *only = sys.argv[1:]
grade("vae_ddpm_cfg", Path(path), output=Path(output), only=frozenset(only) or None)
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--classes", type=int, nargs="+", default=[1, 10, 100], help="sizes of the class")
    parser.add_argument("--only", nargs="*", default=QUESTION_1, help="exercises of vae_ddpm_cfg; none for all")
    parser.add_argument("--sample", type=int, default=10, help="submissions that the loop and the plain runner grade")
    arguments = parser.parse_args()

    print(machine.describe())
    print(f"vae_ddpm_cfg, exercises: {' '.join(arguments.only) or 'all'}\n")
    print(f"{'class':>6}  {'way':<9}{'timed on':>9}{'seconds':>9}{'s each':>8}{'ratio':>7}{'peak MB':>9}", flush=True)
    for count in arguments.classes:
        with tempfile.TemporaryDirectory() as room:
            each = measure_class(Path(room), count, min(count, arguments.sample), arguments.only)
    ratio = each["batch"] / each["plain"]
    claim = f"in a batch of {count}, a submission takes less time than by gradescope-utils without isolation"
    print("\n" + verdict(claim, f"{ratio:.2f} of it", ratio < 1))


def measure_class(room: Path, count: int, sample: int, only: list[str]) -> dict[str, float]:
    """Grade one class in every way, print a row for each. Returns seconds a submission."""
    folders = write_class(room / "class", count)
    rounds = 3 if count <= 10 else 1
    taken: dict[str, list[Run]] = {"batch": [], "4k pages": [], "loop": [], "plain": []}
    for _ in range(rounds):
        ways = ("batch", "autograder.grading.forkserver_preload"), ("4k pages", "benchmarks.small_pages")
        for way, preload in ways:
            taken[way].append(timed([["-c", BATCH, room / "class", room / way, preload, *only]]))
            check(room / way, count)
            shutil.rmtree(room / way)
        taken["loop"].append(timed([["-c", SINGLE, f, room / f"{f.name}.json", *only] for f in folders[:sample]]))
        plain = [[PLAIN, "vae_ddpm_cfg", f, room / f"{f.name}.plain", *only] for f in folders[:sample]]
        taken["plain"].append(timed(plain))

    numbers = {"batch": count, "4k pages": count, "loop": sample, "plain": sample}
    seconds = {way: statistics.median(one.clock for one in runs) for way, runs in taken.items()}
    each = {way: seconds[way] / numbers[way] for way in taken}
    for way, runs in taken.items():
        peak = max(one.megabytes for one in runs)
        row = f"{count:6}  {way:<9}{f'{rounds} x {numbers[way]}':>9}{seconds[way]:9.1f}{each[way]:8.2f}"
        print(f"{row}{each[way] / each['batch']:7.2f}{peak:9.0f}", flush=True)
    return each


def timed(commands: list[list]) -> Run:
    """All commands one after another."""
    runs = [run([sys.executable, *command], every=0.25) for command in commands]
    return Run(sum(one.clock for one in runs), sum(one.computing for one in runs), max(one.megabytes for one in runs))


def write_class(folder: Path, count: int) -> list[Path]:
    """References, with every third an untouched stub."""
    assignment, solutions = (REPOSITORY / room / "vae_ddpm_cfg" for room in ("assignment", "solutions"))
    folders = []
    for index in range(count):
        place = folder / f"student{index:04d}"
        place.mkdir(parents=True)
        for source in solutions.glob("*.py"):
            shutil.copy((assignment if index % 3 == 2 else solutions) / source.name, place)
        folders.append(place)
    return folders


def check(output: Path, count: int) -> None:
    """A fast grade that is wrong is worth nothing."""
    results = [json.loads(path.read_text()) for path in sorted(output.glob("*.json"))]
    assert len(results) == count
    full = results[0]["extra_data"]["max_score"]
    assert all(r["score"] == (0 if i % 3 == 2 else full) for i, r in enumerate(results)), "graded wrongly"


if __name__ == "__main__":
    main()
