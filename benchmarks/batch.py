"""What a submission costs in a batch, beside a loop of single grades and a runner that isolates nothing.

    python benchmarks/batch.py --classes 1 10 100
    python benchmarks/batch.py --classes 1 10 100 1000 --only --ways batch
    python benchmarks/batch.py --classes 100 --only --ways batch --dask 1 2 4

    batch     python -m autograder batch, all cores
    4k pages  the same, with the fork server's memory left in small pages (autograder/grading/hugepages.py)
    loop      python -m autograder grade, one process after another, as a shell loop does it
    plain     the same hidden tests by gradescope-utils' JSONTestRunner, a process a submission, without isolation or
              explanation (plain.py), one after another
    dask N    python -m autograder batch --scheduler, with N workers on this machine, a grade at a time each

Every way grades the same submissions, in turns within one run, so that a busy machine slows down all: compare ratios.
"core s" is the computing that a submission costs on all cores together, whatever else the machine does; the batch's own
start, its report and similarity are part of it.
Memory is the largest proportional set size (PSS) of the whole tree of processes, sampled. The loop and the plain runner
cost the same for every submission, so they are timed on at most --sample of them. Small classes are graded three times.
"""

import argparse
import contextlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import machine
from processes import ENVIRONMENT, PLAIN, REPOSITORY, Run, run, tree_seconds, verdict

QUESTION_1 = [f"Q1.{number}" for number in range(1, 6)]
BATCH = """
import sys
from pathlib import Path
from autograder.grading import forkserver
from autograder.classroom.batch import batch
folder, output, preload, scheduler, *only = sys.argv[1:]
forkserver.fork_server().set_forkserver_preload([preload])
only = frozenset(only) or None
sys.exit(batch("vae_ddpm_cfg", Path(folder), Path(output), only=only, scheduler=scheduler or None))
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
    parser.add_argument("--ways", nargs="*", default=["batch", "4k pages", "loop", "plain"], help="which of them")
    parser.add_argument("--dask", type=int, nargs="*", default=[], metavar="N", help="and with so many Dask workers")
    parser.add_argument("--sample", type=int, default=10, help="submissions that the loop and the plain runner grade")
    arguments = parser.parse_args()

    print(machine.describe())
    print(f"vae_ddpm_cfg, exercises: {' '.join(arguments.only) or 'all'}\n")
    columns = f"{'seconds':>9}{'s each':>8}{'ratio':>7}{'core s each':>13}{'peak MB':>9}"
    print(f"{'class':>6}  {'way':<9}{'timed on':>9}{columns}", flush=True)
    for count in arguments.classes:
        with tempfile.TemporaryDirectory() as room:
            sample = min(count, arguments.sample)
            each = measure_class(Path(room), count, sample, arguments.only, arguments.ways, arguments.dask)
    if not {"batch", "plain"} <= each.keys():
        return
    ratio = each["batch"] / each["plain"]
    claim = f"in a batch of {count}, a submission takes less time than by gradescope-utils without isolation"
    print("\n" + verdict(claim, f"{ratio:.2f} of it", ratio < 1))


def measure_class(
    room: Path, count: int, sample: int, only: list[str], ways: list[str], dask: list[int]
) -> dict[str, float]:
    """Grade one class in every way, print a row for each. Returns seconds a submission."""
    folders = write_class(room / "class", count)
    rounds = 3 if count <= 10 else 1
    preloads = {"batch": "autograder.grading.forkserver_preload", "4k pages": "benchmarks.small_pages"}
    commands = {
        "loop": [["-c", SINGLE, f, room / f"{f.name}.json", *only] for f in folders[:sample]],
        "plain": [[PLAIN, "vae_ddpm_cfg", f, room / f"{f.name}.plain", *only] for f in folders[:sample]],
    }
    taken: dict[str, list[Run]] = {way: [] for way in [*ways, *(f"dask {number}" for number in dask)]}
    for _ in range(rounds):
        for way in taken:
            if way in commands:
                taken[way].append(timed(commands[way]))
                continue
            workers = int(way.removeprefix("dask ")) if way.startswith("dask") else 0
            with cluster(room, workers) if workers else contextlib.nullcontext(("", [])) as (scheduler, processes):
                before = sum(tree_seconds(process.pid) for process in processes)
                preload = preloads.get(way, preloads["batch"])
                one = timed([["-c", BATCH, room / "class", room / way, preload, scheduler, *only]])
                computing = one.computing + sum(tree_seconds(process.pid) for process in processes) - before
                taken[way].append(Run(one.clock, computing, 0 if workers else one.megabytes))
            check(room / way, count)
            shutil.rmtree(room / way)

    numbers = {way: sample if way in commands else count for way in taken}
    seconds = {way: statistics.median(one.clock for one in runs) for way, runs in taken.items()}
    each = {way: seconds[way] / numbers[way] for way in taken}
    for way, runs in taken.items():
        computing = statistics.median(one.computing for one in runs) / numbers[way]
        peak = max(one.megabytes for one in runs)
        row = f"{count:6}  {way:<9}{f'{rounds} x {numbers[way]}':>9}{seconds[way]:9.1f}{each[way]:8.2f}"
        last = f"{peak:9.0f}" if peak else f"{'?':>9}"
        print(f"{row}{each[way] / each[next(iter(each))]:7.2f}{computing:13.2f}{last}", flush=True)
    return each


@contextlib.contextmanager
def cluster(room: Path, workers: int) -> Iterator[tuple[str, list[subprocess.Popen]]]:
    """A Dask scheduler and workers, each a process with one thread: (the scheduler's address, the workers)."""
    file = room / f"scheduler{time.monotonic_ns()}.json"

    def start(program: str, *options: str) -> subprocess.Popen:
        command = [sys.executable, "-m", f"distributed.cli.{program}", "--scheduler-file", file, "--no-dashboard"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen([*command, *options], cwd=room, env=ENVIRONMENT, **quiet)

    processes = [start("dask_scheduler", "--host", "127.0.0.1", "--port", "0")]
    try:
        while not file.exists():
            time.sleep(0.1)
        processes += [start("dask_worker", "--nthreads", "1", "--no-nanny") for _ in range(workers)]
        address = json.loads(file.read_text())["address"]
        wait = f"from distributed import Client; Client({address!r}).wait_for_workers({workers})"
        subprocess.run([sys.executable, "-c", wait], check=True)
        yield address, processes[1:]
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()


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
