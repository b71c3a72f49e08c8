"""A made-up class, graded: is every submission graded as it must be, also after the batch was killed in the middle?

    python benchmarks/synthetic_class.py --submissions 200 --output runs/class

The class: references, untouched stubs, one or two misconceptions each, and five hostile submissions of tests/attacks.
The batch is ended by kill -9 when 40 % is graded, and started again. Then every result is held against what it must be.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import machine

REPOSITORY = Path(__file__).resolve().parents[1]
SLUG, MODULE = "vae_ddpm_cfg", "q1_vae"
ALL_OF_Q1 = {"Q1.1", "Q1.2", "Q1.3", "Q1.4", "Q1.5"}
HOSTILE = {  # which exercises each may and must lose; a set of sets where the time limits decide
    "patches": [{"Q1.3"}],
    "results": [{"Q1.3"}],
    "signals": [{"Q1.3"}],
    "endings": [ALL_OF_Q1],
    "hangs": [ALL_OF_Q1, ALL_OF_Q1 - {"Q1.4"}],
}
RUN = """
import sys
from pathlib import Path
from autograder.classroom.batch import batch
slug, folder, output, only = sys.argv[1:]
sys.exit(batch(slug, Path(folder), Path(output), only=frozenset(only.split(","))))
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--submissions", type=int, default=200)
    parser.add_argument("--output", type=Path, default=Path("runs/class"))
    parser.add_argument("--kill-at", type=float, default=0.4, help="kill -9 when this part is graded; 0 for never")
    arguments = parser.parse_args()
    print(machine.describe())

    folder, output = arguments.output / "submissions", arguments.output / "graded"
    for old in (folder, output):
        shutil.rmtree(old, ignore_errors=True)
    only, expected = write_class(folder, arguments.submissions)
    command = [sys.executable, "-c", RUN, SLUG, str(folder), str(output), ",".join(only)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}

    started = time.perf_counter()
    kept: dict[str, int] = {}
    if arguments.kill_at:
        process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        while process.poll() is None and len(list(output.glob("*.json"))) < arguments.kill_at * len(expected):
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        kept = {path.name: path.stat().st_mtime_ns for path in output.glob("*.json")}
        print(
            f"killed after {time.perf_counter() - started:.1f} s with {len(kept)} of {len(expected)} graded", flush=True
        )
    subprocess.run(command, env=environment, check=True)
    print(f"all in all {time.perf_counter() - started:.1f} s")

    again = [name for name, moment in kept.items() if (output / name).stat().st_mtime_ns != moment]
    problems = [f"{name} was graded again" for name in again]
    for name, (kind, allowed) in sorted(expected.items()):
        results = json.loads((output / f"{name}.json").read_text())
        lost = {test["number"].rpartition(".")[0] for test in results["tests"] if test["status"] != "passed"}
        if lost not in allowed:
            problems.append(f"{name} ({kind}): lost {sorted(lost)}, not {[sorted(a) for a in allowed]}")
    kinds = [kind for kind, _ in expected.values()]
    print(", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds)))
    print("\n".join(problems) or f"all {len(expected)} are graded as they must be; none was graded twice")
    sys.exit(bool(problems))


def write_class(folder: Path, count: int) -> tuple[list[str], dict]:
    """Returns: the exercises to grade, and {id: (kind, the sets of exercises that it may lose)}."""
    sys.path.insert(0, str(REPOSITORY))
    from autograder.course import load_assignment
    from autograder.grading.variants import misconceptions
    from autograder.quality.bench import write_submission

    assignment = load_assignment(SLUG)
    only = [spec.id for spec in assignment.in_file(f"{MODULE}.py")]
    chance = random.Random(0)
    variants = misconceptions(assignment, MODULE)
    expected = {}
    for index in range(count):
        name = f"student_{index:04d}"
        place = folder / name
        if index < len(HOSTILE):
            kind, allowed = list(HOSTILE.items())[index]
            write_submission(assignment, place)
            attack = (REPOSITORY / "tests" / "attacks" / f"{kind}.py").read_text(encoding="utf-8")
            attack = re.sub(r"@[A-Z]+@", str(folder / "student_0005"), attack)  # what it looks for: another's work
            with (place / f"{MODULE}.py").open("a", encoding="utf-8") as file:
                file.write("\n\n" + attack)
            expected[name] = "hostile", allowed
        elif index % 10 == 5:
            write_submission(assignment, place)
            expected[name] = "reference", [set()]
        elif index % 10 == 6:
            place.mkdir(parents=True)
            for file in assignment.files:
                shutil.copy(assignment.given / file, place)
            expected[name] = "stubs", [set(only)]
        else:
            first, second = chance.sample(variants, 2)
            chosen = [first] if index % 2 or first.exercise == second.exercise else [first, second]
            write_submission(assignment, place, chosen)
            expected[name] = "misconceptions", [{variant.exercise for variant in chosen}]
    return only, expected


if __name__ == "__main__":
    main()
