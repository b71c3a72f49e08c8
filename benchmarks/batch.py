"""Throughput and memory of a batch, side by side with a loop of single grades and with a runner that isolates nothing.

    python benchmarks/batch.py --classes 10 50
    python benchmarks/batch.py --classes 10 50 200 --only Q1.1 Q1.2

    batch     python -m autograder batch, all cores
    loop      python -m autograder grade, one process after another, as a shell loop does it
    plain     gradescope-utils' JSONTestRunner, a process a submission: one assertion each for Q1.1 and Q1.2 in the
              submission's own process, without isolation or explanation: the least that any grader can do

Every way grades the same submissions, in turns within one run, so that a busy machine slows down all: compare ratios.
Memory is the largest proportional set size (PSS) of the whole tree of processes, sampled. The loop and the plain runner
cost the same for every submission, so they are timed on at most --sample of them.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import machine
import psutil

REPOSITORY = Path(__file__).resolve().parents[1]
# One file of vae_ddpm_cfg as gradescope-utils grades it: assertions on the imported student module.
PLAIN = """
import json, sys, unittest
sys.path[:0] = [sys.argv[1], sys.argv[2]]
import torch
torch.set_num_threads(1)
from gradescope_utils.autograder_utils.decorators import number, weight
from gradescope_utils.autograder_utils.json_test_runner import JSONTestRunner
import q1_vae


class Tests(unittest.TestCase):
    @weight(6)
    @number("Q1.1")
    def test_bernoulli(self):
        mu, x = torch.rand(5, 7), torch.rand(5, 7).round()
        expected = torch.distributions.Bernoulli(mu).log_prob(x).sum(dim=1)
        self.assertTrue(torch.allclose(q1_vae.log_likelihood_bernoulli(mu, x), expected, atol=1e-4))

    @weight(6)
    @number("Q1.2")
    def test_normal(self):
        mu, logvar, z = torch.randn(3, 5, 7)
        expected = torch.distributions.Normal(mu, (logvar / 2).exp()).log_prob(z).sum(dim=1)
        self.assertTrue(torch.allclose(q1_vae.log_likelihood_normal(mu, logvar, z), expected, atol=1e-4))


result = JSONTestRunner(stream=open(sys.argv[3], "w"), visibility="visible")
result.run(unittest.defaultTestLoader.loadTestsFromTestCase(Tests))
"""
BATCH = """
import sys
from pathlib import Path
from autograder.batch import batch
folder, output, *only = sys.argv[1:]
sys.exit(batch("vae_ddpm_cfg", Path(folder), Path(output), only=frozenset(only) or None))
"""
SINGLE = """
import sys
from pathlib import Path
from autograder.engine import grade
path, output, *only = sys.argv[1:]
grade("vae_ddpm_cfg", Path(path), output=Path(output), only=frozenset(only) or None)
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--classes", type=int, nargs="+", default=[10, 50], help="sizes of the class; 200 takes long")
    parser.add_argument("--only", nargs="*", default=["Q1.1", "Q1.2"], help="exercises of vae_ddpm_cfg; none for all")
    parser.add_argument("--sample", type=int, default=10, help="submissions for the loop and for the plain runner")
    arguments = parser.parse_args()

    print(machine.describe())
    print(f"exercises: {' '.join(arguments.only) or 'all'}\n")
    print(f"{'class':>6} {'way':<7}{'timed on':>9}{'seconds':>9}{'s each':>8}{'ratio':>7}{'peak MB':>9}", flush=True)
    for count in arguments.classes:
        with tempfile.TemporaryDirectory() as room:
            room = Path(room)
            folders = write_class(room / "class", count)
            sample = folders[: arguments.sample]
            one_batch = [[sys.executable, "-c", BATCH, room / "class", room / "out", *arguments.only]]
            loop = [[sys.executable, "-c", SINGLE, f, room / f"{f.name}.json", *arguments.only] for f in sample]
            given = REPOSITORY / "assignment" / "vae_ddpm_cfg"
            plain = [[sys.executable, "-c", PLAIN, f, given, room / f"{f.name}.plain"] for f in sample]
            first = None
            for way, commands in {"batch": one_batch, "loop": loop, "plain": plain}.items():
                timed = count if way == "batch" else len(sample)
                seconds, peak = measure(commands)
                each = seconds / timed
                first = first or each
                print(f"{count:6} {way:<7}{timed:9}{seconds:9.1f}{each:8.2f}{each / first:7.2f}{peak:9.0f}", flush=True)
            check(room / "out", count)


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


def measure(commands: list[list]) -> tuple[float, float]:
    """Seconds for all commands in turn, and the largest PSS in MB of a tree of processes."""
    started, peak = time.perf_counter(), 0.0
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    for command in commands:
        process = psutil.Popen(
            [str(part) for part in command], cwd=REPOSITORY, env=environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while process.poll() is None:
            peak = max(peak, tree_megabytes(process))
            time.sleep(0.25 if len(commands) == 1 else 0.1)
    return time.perf_counter() - started, peak


def tree_megabytes(process: psutil.Process) -> float:
    """PSS of a process and its descendants; 0 where we may not read it."""
    total = 0
    try:
        members = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    for member in members:
        try:
            total += member.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
            continue
    return total / 2**20


if __name__ == "__main__":
    main()
