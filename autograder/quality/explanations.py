"""How often is a wrong answer told what is wrong with it, when nobody foresaw it?

Two sets of wrong answers: every misconception, graded as if nobody knew any ("leave one out": what a student is told
whose mistake nobody wrote down), and mutants of alternatives (a right answer in another style, with one change made by
rule, so that the line of the mistake is known). `python -m autograder accuracy [SLUG] --explain` prints the shares, the
seconds that repairs took, and every explanation, to be read against the code. With `--keep FILE` each is kept as it
comes, so that the measurement can be broken off; `--show 40` shows so many at random beside their code.
"""

import ast
import difflib
import json
import random
import statistics
import textwrap
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from autograder.course import Assignment, load_assignment
from autograder.files import write_text
from autograder.grading.variants import Variant
from autograder.quality.alternatives import alternatives_in_groups
from autograder.quality.bench import Bench, Pool
from autograder.quality.misconceptions import known_misconceptions
from autograder.quality.mutants import compiles
from autograder.sandbox.operators import changes, imported

MUTANTS = 60  # of alternatives, of each assignment
AT_ONCE = 16  # are kept together
SETS = "misconceptions that nobody knows", "mutants of alternatives"
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
    cause: str = ""
    edit: str = ""
    output: str = ""
    seconds: list[float] = field(default_factory=list)  # of each search for a repair
    late: bool = False  # whether one of them ran out of time
    line: bool | None = None  # whether a repair's line is the mutated one
    code: str = ""
    slug: str = ""
    of: str = ""  # one of SETS


def told(bench: Bench, variant: Variant) -> Told:
    """Grade one wrong answer with no misconception known."""
    change = variant.sentence if isinstance(variant, MutatedAlternative) else ""
    one = Told(f"{variant.exercise} {variant.name} {change}".strip(), "", code=variant.body)
    try:
        verdict, budget = bench.explained([variant], None)
    except (Exception, SystemExit):  # it does not even load: students are told the line of a file that cannot be read
        return one
    wrong = [test for test in verdict.results["tests"] if test["status"] == "failed"]
    if not wrong:
        return one
    own = [test for test in wrong if test["number"].startswith(f"{variant.exercise}.")] or wrong
    test = next((t for t in own if t["extra_data"]["explained_by"]), own[0])
    extra = test["extra_data"]
    one.by, one.cause, one.edit = extra["explained_by"], extra["cause"] or "", extra["edit"] or ""
    one.output, one.seconds, one.late = test["output"], budget.spent, budget.late > 0
    if one.by == "repair" and isinstance(variant, MutatedAlternative):
        one.line = any(f"line {number}:" in one.edit for number in variant.mutated)
    return one


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


def print_explanations(chosen: list[str], most: int, only: str, keep: Path | None, page: Path | None) -> None:
    """Measure, print every explanation, and write the tables into a page, if one is named.

    Args:
        most: so many of each set of each assignment, drawn at random.
        only: an exercise, a file or a name of misconceptions.
        keep: a file of JSON lines: what is in it is not measured again.
    """
    kept = read_told(keep)
    if keep:
        keep.parent.mkdir(parents=True, exist_ok=True)
    everything: list[Told] = []
    for slug in chosen:
        assignment = load_assignment(slug)
        known = known_misconceptions(assignment, only)
        random.Random(0).shuffle(known)
        sets: list[list] = [known[:most], [] if only else mutated_alternatives(assignment, min(most, MUTANTS))]
        with Pool(slug) as pool:
            for of, variants in zip(SETS, sets, strict=True):
                found = measured(pool, slug, of, variants, kept, keep)
                everything += found
                if found:
                    print("\n".join(rows(slug, of, found)), flush=True)
    if page:
        text, _, _ = page.read_text(encoding="utf-8").partition(MARK)
        write_text(page, f"{text}{MARK}\n\n{tables(everything)}\n")


MARK = "<!-- written by: python -m autograder accuracy --explain --write docs/feedback.md -->"


def measured(pool: Pool, slug: str, of: str, variants: list, kept: dict, keep: Path | None) -> list[Told]:
    """What became of each, from the file or found out now."""
    waiting = [v for v in variants if (slug, of, v.body) not in kept]
    for start in range(0, len(waiting), AT_ONCE):
        some = waiting[start : start + AT_ONCE]
        for variant, one in zip(some, pool.map(of, told, some), strict=True):
            one.slug, one.of = slug, of
            kept[slug, of, variant.body] = one
            if keep:
                with keep.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(one)) + "\n")
    return [kept[slug, of, v.body] for v in variants]


def read_told(keep: Path | None) -> dict[tuple[str, str, str], Told]:
    lines = keep.read_text(encoding="utf-8").splitlines() if keep and keep.exists() else []
    everything = [Told(**json.loads(line)) for line in lines]
    return {(one.slug, one.of, one.code): one for one in everything}


def rows(slug: str, of: str, everything: list[Told]) -> list[str]:
    wrong = [one for one in everything if one.by != ""]
    count = Counter(one.by for one in wrong)
    explained = sum(count[way] for way in WAYS)
    seconds = [sum(one.seconds) for one in wrong if one.seconds]
    each = ", ".join(f"{way} {count[way]}" for way in WAYS)
    head = [
        f"{slug}: {of}: {explained} of {len(wrong)} explained ({explained / max(1, len(wrong)):.0%}): {each}",
        f"  seconds of computing for repairs: median {statistics.median(seconds or [0]):.2f}, "
        f"worst {max(seconds, default=0):.2f}; {sum(not one.by and one.late for one in wrong)} ran out of time",
    ]
    if lines := [one.line for one in wrong if one.line is not None]:
        head.append(f"  the line is the mutated one in {sum(lines)} of {len(lines)} repairs")
    said = [f"  {one.name} | {one.by} | {one.cause or one.output} | {one.edit}" for one in wrong]
    return head + said


def tables(everything: list[Told]) -> str:
    """Both sets by assignment, as Markdown."""
    parts = []
    for of in SETS:
        head = ["assignment", "wrong answers", "explained", *WAYS, "out of time", "seconds, median", "worst"]
        if of == SETS[1]:
            head.append("line is the mutated one")
        table = [head, ["---"] * len(head)]
        chosen = [one for one in everything if one.of == of and one.by != ""]
        for slug in [*dict.fromkeys(one.slug for one in chosen), ""]:
            wrong = [one for one in chosen if slug in ("", one.slug)]
            seconds = [sum(one.seconds) for one in wrong if one.seconds] or [0.0]
            count = Counter(one.by for one in wrong)
            lines = [one.line for one in wrong if one.line is not None]
            row = [f"`{slug}`" if slug else "all", str(len(wrong)), share(sum(count[w] for w in WAYS), len(wrong))]
            row += [str(count[way]) for way in WAYS] + [str(sum(not one.by and one.late for one in wrong))]
            row += [f"{statistics.median(seconds):.2f}", f"{max(seconds):.2f}"]
            table.append(row + ([share(sum(lines), len(lines))] if of == SETS[1] else []))
        parts += [f"**{of[:1].upper()}{of[1:]}**", "\n".join(f"| {' | '.join(row)} |" for row in table)]
    return "\n\n".join(parts)


def share(some: int, every: int) -> str:
    return f"{some / every:.0%}" if every else ""


def print_some(keep: Path, count: int, seed: int = 0) -> None:
    """So many explanations of misconceptions at random, each beside the code that it is said of."""
    said = [one for one in read_told(keep).values() if one.by and one.of == SETS[0]]
    for number, one in enumerate(random.Random(seed).sample(said, min(count, len(said))), start=1):
        print(f"\n{number}. {one.slug} {one.name} | {one.by} | {one.cause}\n   {one.edit}")
        print(textwrap.indent(one.code, "     "))
