"""What isolation costs: time and memory of one grade with all layers, without each of them, and without any.

    python benchmarks/isolation_cost.py --runs 5

Every grade is a whole process; all variants take turns within one run, so that a busy machine slows down all of them:
compare the ratios. Looks at one file share a process (autograder/sandbox/client.py); "a process for every look" is a
grade with all layers in which none do. "one process" is no grade: the same hidden tests on the same reference without
any sandbox (plain.py), as no submission may ever be run.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import machine
from processes import PLAIN, REPOSITORY, compare, run

LAYERS = ["unprivileged user", "landlock", "seccomp", "network namespace"]


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
        variants = {"all layers": grade, "a process for every look": [*grade, "--without", "shared process"]}
        variants |= {f"without {layer}": [*grade, "--without", layer] for layer in present}
        variants["without any"] = [*grade, *(part for layer in present for part in ("--without", layer))]
        variants["one process"] = [PLAIN, arguments.slug, solutions, Path(folder) / "plain.json"]
        variants["import torch"] = ["-c", "import torch"]
        ratio = compare(
            {name: [arguments.python, *rest] for name, rest in variants.items()}, arguments.runs, base="without any"
        )
    cost = ratio["all layers"]
    print(f"\ncost: all layers of isolation make a grade {cost:.2f} times as long as without any")


if __name__ == "__main__":
    main()
