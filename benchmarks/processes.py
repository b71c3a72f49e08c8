"""Whole processes that take turns: their time, their computing and their memory, as one table.

Memory is the largest proportional set size (PSS) of a process and all that descend from it, sampled. Reading that of
other users' processes takes root; what other programs on the machine share of the same libraries is in part theirs.
"""

import os
import statistics
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).resolve().parents[1]
PLAIN = Path(__file__).with_name("plain.py")
# One thread each, as a grade has: small operations are the faster for it, those of the others too.
ENVIRONMENT = os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}


@dataclass(frozen=True)
class Run:
    """One process from start to end."""

    clock: float  # seconds
    computing: float  # seconds of processor, its own and its children's: see `run`
    megabytes: float  # peak of the tree's PSS; 0 where it was not sampled, or may not be read


def run(command: list, every: float = 0.0, check: bool = True) -> Run:
    """Run a command in the repository's folder, its output thrown away; sample memory `every` so many seconds.

    Seconds of processor are those of the children that it waited for; where memory is sampled, those of the others too,
    such as a fork server and what that has forked, but for the last moment.
    Ends the benchmark if the command fails, unless check is False.
    """
    parts = [str(part) for part in command]
    errors = None if check else subprocess.DEVNULL
    start = sampled = time.perf_counter()
    peak = computed = 0.0
    process = subprocess.Popen(parts, cwd=REPOSITORY, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=errors)
    while True:
        ended, status, usage = os.wait4(process.pid, os.WNOHANG if every else 0)
        if ended:
            break
        if time.perf_counter() > sampled + every:
            peak = max(peak, tree_megabytes(process.pid))
            computed = max(computed, tree_seconds(process.pid))
            sampled = time.perf_counter()
        time.sleep(0.01)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if check and process.returncode:
        sys.exit(f"this failed: {' '.join(parts)}")
    return Run(seconds, max(usage.ru_utime + usage.ru_stime, computed), peak)


def tree_megabytes(process: int) -> float:
    """PSS of a process and its descendants, those left out that have just ended or that we may not read."""
    tree, total = [process], 0
    with suppress(psutil.NoSuchProcess):
        tree += [child.pid for child in psutil.Process(process).children(recursive=True)]
    for member in tree:
        with suppress(OSError):
            lines = Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def tree_seconds(process: int) -> float:
    """Seconds of processor that a process and its descendants have used, with those that have ended."""
    total = 0.0
    with suppress(psutil.NoSuchProcess):
        for member in [psutil.Process(process), *psutil.Process(process).children(recursive=True)]:
            with suppress(psutil.Error):
                times = member.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
    return total


def compare(variants: dict[str, list], runs: int, base: str) -> dict[str, float]:
    """Run all variants in turns, print a table of medians with ratios to the variant `base`.

    A round to warm up comes first. Memory is sampled in two more rounds, since that takes time of its own.
    Returns {name: ratio of the medians by the clock}.
    """
    taken: dict[str, list[Run]] = {name: [] for name in variants}
    for number in range(runs + 1):
        for name, command in variants.items():
            one = run(command)
            if number:
                taken[name].append(one)
    memory = dict.fromkeys(variants, 0.0)
    for _ in range(2):
        for name, command in variants.items():
            memory[name] = max(memory[name], run(command, every=0.02).megabytes)

    columns = {
        name: (
            statistics.median(one.clock for one in times),
            min(one.clock for one in times),
            statistics.median(one.computing for one in times),
        )
        for name, times in taken.items()
    }
    print(f"{runs} runs of each, in turn; ratios to: {base}\n")
    print(
        f"{'':<30}{'median s':>9}{'ratio':>7}{'fastest s':>11}{'ratio':>7}{'computing s':>13}{'ratio':>7}{'peak MB':>9}"
    )
    for name, values in columns.items():
        cells = [(value, value / other) for value, other in zip(values, columns[base], strict=True)]
        (clock, a), (fastest, b), (computing, c) = cells
        peak = f"{memory[name]:9.0f}" if memory[name] else f"{'?':>9}"
        print(f"{name:<30}{clock:9.2f}{a:7.2f}{fastest:11.2f}{b:7.2f}{computing:13.2f}{c:7.2f}{peak}")
    return {name: values[0] / columns[base][0] for name, values in columns.items()}


def verdict(claim: str, measured: str, holds: bool) -> str:
    """The line in which a benchmark says whether what we claim is so."""
    return f"claim: {claim}; measured: {measured}; it {'holds' if holds else 'DOES NOT HOLD'}"
