"""Claim: one grade of the reference costs at most 2.5x the time of `python -c "import torch"`.

    python benchmarks/grade_time.py --runs 7

Both are whole processes and take turns within one run, so that a busy machine slows down both; compare the ratio of the
medians, not the seconds. `--python` measures another interpreter (a CPU build of torch, as on Gradescope).
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

REPOSITORY = Path(__file__).resolve().parents[1]
CLAIM = 2.5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--slug", default="vae_ddpm_cfg", help="the assignment whose reference is graded")
    parser.add_argument("--runs", type=int, default=5, help="runs of each, after one to warm up")
    parser.add_argument("--python", default=sys.executable, help="the interpreter")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "results.json"
        solutions = REPOSITORY / "solutions" / arguments.slug
        grade = ["-m", "autograder", "grade", arguments.slug, solutions, "--quiet", "--output", output]
        commands = {"import torch": ["-c", "import torch"], "one grade": grade}
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for number in range(arguments.runs + 1):
            for name, command in commands.items():
                start = time.perf_counter()
                subprocess.run([arguments.python, *map(str, command)], check=True, cwd=REPOSITORY)
                if number:
                    seconds[name].append(time.perf_counter() - start)
        results = json.loads(output.read_text())

    measured = results["extra_data"]["versions"]
    print(f"{machine.processor()}, {os.cpu_count()} cores; Python {measured['python']}, torch {measured['torch']}")
    print(
        f"{arguments.slug}: {len(results['tests'])} tests, {results['score']:g}/{results['extra_data']['max_score']:g}"
    )
    for name, times in seconds.items():
        print(f"  {name:14s} median {statistics.median(times):.2f} s   ({', '.join(f'{t:.2f}' for t in times)})")
    ratio = statistics.median(seconds["one grade"]) / statistics.median(seconds["import torch"])
    print(f"ratio {ratio:.2f}; the claim of at most {CLAIM} {'holds' if ratio <= CLAIM else 'DOES NOT HOLD'}")


if __name__ == "__main__":
    main()
