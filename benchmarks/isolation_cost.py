"""What isolation costs: time and memory of one grade with all layers, without each of them, and without any.

    python benchmarks/isolation_cost.py --runs 5

Every grade is a whole process; all variants take turns within one run, so that a busy machine slows down all of them:
compare the ratios of the medians. "one process" is no grade: the same hidden tests on the same reference, in one
interpreter, as plain unittest runs them, which no submission may ever be given. Memory is the largest proportional set
size (PSS) of a process and all its children together, sampled in runs of its own; reading it takes root, and what other
programs on the machine share of the same libraries is counted to them in part.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import machine
import psutil

REPOSITORY = Path(__file__).resolve().parents[1]
LAYERS = ["unprivileged user", "landlock", "seccomp", "network namespace"]
ONE_PROCESS = """
import sys, unittest
from autograder.engine import load_hidden_tests, single_threaded
single_threaded()
from autograder.course import load_assignment
from autograder.exercise import Exercise
classes = load_hidden_tests(load_assignment(sys.argv[1])).values()
cases = [c for c in classes if issubclass(c, Exercise)]
tests = unittest.TestSuite(map(unittest.defaultTestLoader.loadTestsFromTestCase, cases))
sys.exit(not unittest.TextTestRunner(stream=open("/dev/null", "w")).run(tests).wasSuccessful())
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--slug", default="vae_ddpm_cfg", help="the assignment whose reference is graded")
    parser.add_argument("--runs", type=int, default=5, help="runs of each, after one to warm up")
    parser.add_argument("--python", default=sys.executable, help="the interpreter")
    arguments = parser.parse_args()

    print(machine.describe())
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "results.json"
        solutions = REPOSITORY / "solutions" / arguments.slug
        grade = ["-m", "autograder", "grade", arguments.slug, solutions, "--quiet", "--output", output]
        run([arguments.python, *grade])
        extra = json.loads(output.read_text())["extra_data"]
        isolation = extra["isolation"]
        print(f"graded with torch {extra['versions']['torch']}; layers: {', '.join(isolation['active'])}")
        for layer, reason in isolation["missing"].items():
            print(f"missing here: {layer} ({reason})")
        present = [layer for layer in LAYERS if layer in isolation["active"]]
        variants = {"all layers": grade}
        variants |= {f"without {layer}": [*grade, "--without", layer] for layer in present}
        variants["without any"] = [*grade, *(part for layer in present for part in ("--without", layer))]
        variants["one process"] = ["-c", ONE_PROCESS, arguments.slug]
        variants["import torch"] = ["-c", "import torch"]

        seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in variants}
        memory: dict[str, list[float]] = {name: [] for name in variants}
        for _ in range(arguments.runs):
            for name, command in variants.items():
                seconds[name].append(run([arguments.python, *command]))
        for _ in range(2):
            for name, command in variants.items():
                memory[name].append(peak_megabytes([arguments.python, *command]))

    medians = {}
    for name, times in seconds.items():
        medians[name] = [statistics.median(column) for column in zip(*times, strict=True)]
    clock, computing = medians["without any"]
    print(f"\nmedians of {arguments.runs} runs; ratios to a grade without any layer")
    print(f"{'':<28}{'clock s':>9}{'ratio':>7}{'fastest':>9}{'computing s':>13}{'ratio':>7}{'peak MB':>9}")
    for name, (one, other) in medians.items():
        fastest = min(run[0] for run in seconds[name])
        times = f"{one:9.2f}{one / clock:7.2f}{fastest:9.2f}{other:13.2f}{other / computing:7.2f}"
        print(f"{name:<28}{times}{max(memory[name]):9.0f}")


def run(command: list) -> tuple[float, float]:
    """Seconds by the clock, and seconds of computing by the process and all that it waited for."""
    start = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], cwd=REPOSITORY)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command} failed")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime


def peak_megabytes(command: list) -> float:
    """The largest PSS of a process and its descendants, sampled; 0 where we may not read it."""
    process = psutil.Popen([str(part) for part in command], cwd=REPOSITORY)
    peak = 0.0
    while process.poll() is None:
        total = 0
        try:
            for member in [process, *process.children(recursive=True)]:
                try:
                    total += member.memory_full_info().pss
                except (psutil.NoSuchProcess, psutil.ZombieProcess):
                    continue
        except psutil.AccessDenied:
            process.wait()
            return 0.0
        except psutil.NoSuchProcess:
            break
        peak = max(peak, total / 2**20)
        time.sleep(0.02)
    return peak


if __name__ == "__main__":
    main()
