"""How often is a wrong answer told what is wrong with it, when nobody foresaw it?

Two sets of wrong answers: every misconception, graded as if nobody knew any ("leave one out": what a student is told
whose mistake nobody wrote down), and mutants of alternatives (a right answer in another style, with one change made by
rule, so that the line of the mistake is known). `python -m autograder accuracy SLUG --explain` prints the shares, the
seconds that repairs took, and every explanation, to be read against the code.
"""

import ast
import difflib
import random
import statistics
from collections import Counter
from dataclasses import dataclass, field

from autograder.course import Assignment, load_assignment
from autograder.grading.variants import Variant
from autograder.quality.alternatives import alternatives_in_groups
from autograder.quality.bench import Bench, Pool
from autograder.quality.misconceptions import known_misconceptions
from autograder.quality.mutants import compiles
from autograder.sandbox.operators import changes, imported

WAYS = ("repair", "relation", "crash")


@dataclass(frozen=True)
class MutatedAlternative(Variant):
    """A right answer in another style with one change made by rule."""

    mutated: tuple[int, ...] = ()  # lines of the file that it goes into


@dataclass
class Told:
    """What became of one wrong answer."""

    name: str
    by: str | None  # one of WAYS; None where nothing was said; "" where no test failed, so that it is not wrong
    cause: str
    edit: str
    output: str
    seconds: list[float] = field(default_factory=list)  # of each repair
    line: bool | None = None  # whether a repair's line is the mutated one


def told(bench: Bench, variant: Variant) -> Told:
    """Grade one wrong answer with no misconception known."""
    try:
        verdict, seconds = bench.explained([variant], None)
    except (Exception, SystemExit):  # it does not even load: students are told the line of a file that cannot be read
        return Told(variant.name, "", "", "", "")
    wrong = [test for test in verdict.results["tests"] if test["status"] == "failed"]
    if not wrong:
        return Told(variant.name, "", "", "", "")
    test = next((t for t in wrong if t["extra_data"]["explained_by"]), wrong[0])
    extra = test["extra_data"]
    line = None
    if extra["explained_by"] == "repair" and isinstance(variant, MutatedAlternative):
        line = any(f"line {number}:" in extra["edit"] for number in variant.mutated)
    change = variant.sentence if isinstance(variant, MutatedAlternative) else ""
    return Told(
        f"{variant.exercise} {variant.name} {change}".strip(), extra["explained_by"], extra["cause"] or "",
        extra["edit"] or "",
        test["output"], seconds, line,
    )  # fmt: skip


def mutated_alternatives(assignment: Assignment, most: int, seed: int = 0) -> list[MutatedAlternative]:
    """So many mutants of alternatives, drawn at random."""
    found = [
        mutant
        for group in alternatives_in_groups(assignment)
        for variant in group
        for mutant in mutants_of_variant(variant, solution_text(assignment, variant.module))
    ]
    random.Random(seed).shuffle(found)
    return found[:most]


def solution_text(assignment: Assignment, module: str) -> str:
    return (assignment.solutions / f"{module}.py").read_text(encoding="utf-8")


def mutants_of_variant(variant: Variant, source: str) -> list[MutatedAlternative]:
    """All mutants of one alternative, which goes into a file with this source."""
    tree = ast.parse(variant.body)
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef))
    before = ast.unparse(function).splitlines()
    modules = imported(ast.parse(source))
    found: dict[str, MutatedAlternative] = {}
    for number, (_, old, new, body) in enumerate(changes(function, range(1, 10_000), modules)):
        if compiles(body) and body.splitlines() != before:
            steps = difflib.SequenceMatcher(None, before, body.splitlines()).get_opcodes()
            changed = [range(j1, max(j1 + 1, j2)) for tag, _, _, j1, j2 in steps if tag != "equal"]
            lines = {line for part in changed for line in part}
            offset = len(source.split("\n")) + 2  # where applied_to() puts the body
            found[body] = MutatedAlternative(
                variant.name, variant.exercise, variant.target, f"{number}: {old} -> {new}", variant.module, body,
                variant.line, tuple(sorted(line + offset for line in lines)),
            )  # fmt: skip
    return list(found.values())


def print_explanations(slug: str, most: int, only: str = "") -> None:
    """Print both measurements of one assignment."""
    assignment = load_assignment(slug)
    known = known_misconceptions(assignment, only)
    random.Random(0).shuffle(known)
    sets: list[tuple[str, list]] = [("misconceptions that nobody knows", known[:most])]
    if not only:
        sets.append(("mutants of alternatives", mutated_alternatives(assignment, most)))
    with Pool(slug) as pool:
        for what, variants in sets:
            everything = pool.map(what, told, variants)
            print("\n".join(rows(slug, what, everything)), flush=True)


def rows(slug: str, what: str, everything: list[Told]) -> list[str]:
    wrong = [one for one in everything if one.by != ""]
    count = Counter(one.by for one in wrong)
    explained = sum(count[way] for way in WAYS)
    seconds = [sum(one.seconds) for one in wrong if one.seconds]
    lines = [one.line for one in wrong if one.line is not None]
    each = ", ".join(f"{way} {count[way]}" for way in WAYS)
    head = [
        f"{slug}: {what}: {explained} of {len(wrong)} explained ({explained / max(1, len(wrong)):.0%}): {each}",
        f"  seconds of computing for repairs: median {statistics.median(seconds or [0]):.2f}, "
        f"worst {max(seconds, default=0):.2f}",
    ]
    if lines:
        head.append(f"  the line is the mutated one in {sum(lines)} of {len(lines)} repairs")
    said = [f"  {one.name} | {one.by} | {one.cause or one.output} | {one.edit}" for one in wrong]
    return head + said
