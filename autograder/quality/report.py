"""What autograder/quality/measure.py found, as rows on the terminal and as docs/accuracy.md."""

import datetime
import runpy
import time
from pathlib import Path

from autograder.course import ROOT
from autograder.quality.bench import MEMORY, TEST_SECONDS, WORKERS
from autograder.quality.measure import Accuracy, measure
from autograder.quality.misconceptions import judge

INTRODUCTION = """\
# How well the hidden tests tell right from wrong

A grader errs in two ways: a wrong answer passes, or a right one does not. Both are measured here, on the hidden tests
as they stand. Everything on this page is generated:

```
{command}
```

on {machine}; {versions}; {date}; {minutes:.0f} minutes.

- **Misconceptions** (`autograder/misconceptions/`): wrong answers that somebody foresaw. Each must be *caught* (its
  exercise loses points), *alone* (no other exercise does), and *explained* (the feedback is its own sentence).
- **Mutants** (`autograder/quality/mutants.py`): wrong answers that nobody had to foresee. In every solution region, one
  operator, sign, constant, `dim`, argument, call, index, condition or statement is another. A mutant is *killed* when a
  hidden test fails on it; *equivalent* when none does and `autograder/equivalents/` argues why none should; else it
  *survives*.
- **Degenerate and wrapped answers** (`autograder/quality/degenerate.py`), made by rule for every exercise: zeros, NaN,
  half precision, nothing, an echo of each argument; and the reference but for one habit: seeded inside, noise shared
  over the batch, arguments changed in place, right for the first row only. One *applies* where it behaves otherwise
  than the reference in a hidden test; it is *caught* when a test of its exercise fails. One that does not look at its
  arguments must not pass any test of its exercise. What is left is *argued* in
  `autograder/equivalents/degenerate.toml`, or *open*.
- **Alternatives** (`autograder/alternatives/`): right answers that look different. Each must get full marks.
- **False alarms**: hidden tests that fail on a right answer. Every submission has inputs of its own, so the reference
  is graded with {keys} different keys, and the alternatives with {other_keys} each. "rate below" is the upper bound at
  95 % confidence (for no failure: 3 / runs).
"""

# Findings on the hidden tests of commit 787b2e3, by today's rules, and those of the first run; counted once each.
BEFORE = {
    "vae_ddpm_cfg": ("", "47"),
    "vae_gan_ddpm": ("", "98"),
    "vae_gan_flows": ("", "29"),
    "ddim_score": ("", "57"),
    "theory": ("", "18"),
}
BEFORE_SAYS = """\
A finding is an answer that keeps all its points, or a test that one passes which does not look at its arguments.
*Before*: on the hidden tests as they were (commit 787b2e3) before the engine asked of every answer whether it is the
right kind of thing, finite, there at all, random where it should be, and leaves its inputs alone. *At the first run*:
when these answers were first made, in the middle of the work on them. An empty cell was not counted."""

LIMITS = """\
## What these numbers do not say

- A mutant is one small change of *our* solution. Students also write something else altogether; for that there are the
  misconceptions, and they are as many as we thought of.
- Many mutants are easy prey: {crashed} of the {killed} killed ones do not return a wrong value, they raise an exception
  or run out of time. The share that is killed says less than the list of those that are not.
- An equivalent mutant counts as such because a sentence says so: read them below. Where a sentence is wrong, a hidden
  test is missing.
- A killed mutant is found with the inputs of one key. A test that finds it with these may miss it with others.
- Mutants and misconceptions are graded in one process, with at most {seconds} seconds of computing and {memory} GiB a
  test, not in the sandbox. The repository's tests send some of them through the sandbox too, with the same verdicts.
- Where a test compares a student's value with the reference's own, the reference cannot fail it. So the false alarms of
  rounding show on the alternatives, which are few and written by us.
- The bound holds for the average test. Tests that rest on statistics have a rate by design, at most 1e-6 each, which no
  number of runs that is possible here could confirm.
- Everything runs on a CPU, in the versions named above. That a `device=` is missing shows where a handout names the
  device (tensors of the meta device go in); elsewhere it shows only on a GPU.
"""


def print_accuracy(slugs: list[str], keys: int, page: Path | None) -> int:
    """Measure these assignments, print what was found, write the page if asked to. Returns how many problems."""
    started = time.monotonic()
    measured = []
    for slug in slugs:
        found = measure(slug, keys)
        measured.append(found)
        print("\n".join(summary(found)), flush=True)
    if page:
        command = f"python -m autograder accuracy {' '.join(slugs)} --keys {keys} --write {page}"
        page.write_text(page_of(measured, keys, command, (time.monotonic() - started) / 60), encoding="utf-8")
        print(f"written: {page}")
    return sum(len(found.problems()) for found in measured)


def summary(found: Accuracy) -> list[str]:
    """An assignment in a few lines, then its problems."""
    wrong, caught, alone, explained = counts_of_misconceptions(found)
    killed = sum(kill is not None for _, kill in found.mutants)
    accepted = sum(not said for _, said in found.alternatives)
    lines = [
        f"{found.assignment.slug} ({found.seconds:.0f} s)",
        f"  {wrong} misconceptions: {caught} caught, {alone} alone, {explained} explained",
        f"  {len(found.mutants)} mutants: {killed} killed, {len(found.equivalent())} equivalent by argument, "
        f"{len(found.survivors())} surviving",
        "  {} degenerate and wrapped answers apply: {} caught, {} findings argued, {} open".format(
            *counts_of_made(found)
        ),
        f"  {len(found.alternatives)} alternatives: {accepted} accepted",
        f"  {alarms(found.reference)} on the reference; {alarms(found.others)} on alternatives",
    ]
    return [*lines, *(f"  FAIL {problem}" for problem in found.problems())]


def alarms(found) -> str:
    return f"{len(found.failures)} false alarms in {found.runs} tests run (rate below {found.bound:.1e})"


def counts_of_misconceptions(found: Accuracy) -> tuple[int, int, int, int]:
    """How many there are, are caught, are caught and alone, are all that and explained."""
    said = [judge(variant, verdict) for variant, verdict in found.misconceptions]
    caught = sum(problem != "not caught" for problem in said)
    alone = sum(problem == "" or problem.startswith("not explained") for problem in said)
    return len(said), caught, alone, said.count("")


def counts_of_made(found: Accuracy) -> tuple[int, int, int, int]:
    """How many degenerate and wrapped answers apply and are caught; how many findings are argued, and open."""
    fates = [fate for _, fate in found.made if fate.applies]
    unsettled, settled = found.made_problems()
    return len(fates), sum(fate.kill is not None for fate in fates), len(settled), len(unsettled)


def page_of(measured: list[Accuracy], keys: int, command: str, minutes: float) -> str:
    """docs/accuracy.md."""
    import platform

    import torch

    processor = runpy.run_path(str(ROOT / "benchmarks" / "machine.py"))["processor"]

    kills = [kill for found in measured for _, kill in found.mutants if kill]
    head = INTRODUCTION.format(
        command=command,
        machine=f"{processor()}, {WORKERS} processes",
        versions=f"Python {platform.python_version()}, torch {torch.__version__}",
        date=datetime.date.today().isoformat(),
        minutes=minutes,
        keys=keys,
        other_keys=-(-keys // 10),
    )
    limits = LIMITS.format(
        crashed=sum(kill.how != "value" for kill in kills),
        killed=len(kills),
        seconds=TEST_SECONDS,
        memory=MEMORY >> 30,
    )
    tables = [table_of_wrong(measured), table_of_made(measured), table_of_right(measured)]
    return "\n".join([head, *tables, limits, *(section(found) for found in measured)])


def table_of_wrong(measured: list[Accuracy]) -> str:
    rows = [
        "## Wrong answers",
        "",
        "| assignment | misconceptions | caught | alone | explained | mutants | killed | equivalent | surviving |",
        "| --- | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for found in measured:
        killed = sum(kill is not None for _, kill in found.mutants)
        counts = (
            *counts_of_misconceptions(found),
            len(found.mutants),
            killed,
            len(found.equivalent()),
            len(found.survivors()),
        )
        rows.append(f"| {found.assignment.slug} | {' | '.join(map(str, counts))} |")
    return "\n".join([*rows, ""])


def table_of_made(measured: list[Accuracy]) -> str:
    rows = [
        "## Degenerate and wrapped answers",
        "",
        "| assignment | made | apply | caught | findings argued | open | findings before | at the first run |",
        "| --- | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for found in measured:
        cells = (len(found.made), *counts_of_made(found), *BEFORE.get(found.assignment.slug, ("", "")))
        rows.append(f"| {found.assignment.slug} | {' | '.join(map(str, cells))} |")
    return "\n".join([*rows, "", BEFORE_SAYS, ""])


def table_of_right(measured: list[Accuracy]) -> str:
    rows = [
        "## Right answers",
        "",
        "| assignment | alternatives accepted | hidden tests | runs on the reference | failed | rate below "
        "| runs on alternatives | failed | rate below |",
        "| --- | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for found in measured:
        accepted = sum(not said for _, said in found.alternatives)
        cells = [found.assignment.slug, f"{accepted} of {len(found.alternatives)}", str(found.reference.tests)]
        for answers in (found.reference, found.others):
            cells += [str(answers.runs), str(len(answers.failures)), f"{answers.bound:.1e}"]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join([*rows, ""])


def section(found: Accuracy) -> str:
    """One assignment: its problems, and the arguments about its equivalent mutants, the same argument once."""
    lines = [f"## {found.assignment.slug}", ""]
    if problems := found.problems():
        lines += ["Problems:", "", *(f"- {code_safe(problem)}" for problem in problems), ""]
    by_argument: dict[str, list] = {}
    for mutant, argument in found.equivalent():
        by_argument.setdefault(argument, []).append(mutant)
    lines += [f"Mutants that no hidden test can or should tell from the reference: {len(found.equivalent())}.", ""]
    for argument, alike in by_argument.items():
        lines += [f"- {argument}", *(f"  - `{m.module}` {code_safe(m.sentence)}" for m in alike)]
    arguments: dict[str, list[str]] = {}
    for key, argument in found.made_problems()[1]:
        arguments.setdefault(argument, []).append(key)
    if arguments:
        lines += ["", "Degenerate and wrapped answers that none can or should tell from a right one:", ""]
        for argument, keys in arguments.items():
            lines += [f"- {argument}", *(f"  - `{key}`" for key in keys)]
    return "\n".join([*lines, ""])


def code_safe(sentence: str) -> str:
    """Code between double quotes as Markdown code."""
    return "".join(f"`{part}`" if i % 2 else part for i, part in enumerate(sentence.split('"')))
