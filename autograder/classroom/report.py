"""report.html: what a lecturer shows of a graded class. One page that loads nothing; every text in it is escaped."""

import math
import statistics
from collections import Counter, defaultdict
from html import escape

from autograder.classroom.gradebook import Row, exercise_of
from autograder.classroom.similarity import Pair
from autograder.course import Assignment

STYLE = """
:root { --ink: #1d2733; --soft: #5d6b7a; --line: #dde3ea; --bar: #3b6ea8; --warm: #c8663c; --back: #fafbfc; }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back); margin: 0 auto;
       max-width: 1100px; padding: 2rem 1.5rem 4rem }
h1 { font-size: 1.7rem; margin: 0 } h2 { font-size: 1.2rem; margin: 2.6rem 0 .6rem }
p { max-width: 75ch } .soft, figcaption { color: var(--soft); font-size: .88rem }
.numbers { display: flex; flex-wrap: wrap; gap: 1rem; margin: 1.4rem 0 }
.numbers div { background: #fff; border: 1px solid var(--line); border-radius: 8px; padding: .6rem 1.1rem }
.numbers b { display: block; font-size: 1.5rem; line-height: 1.2 }
figure { margin: 0 } svg { width: 100%; height: auto; display: block }
svg text { font: 12px system-ui, sans-serif; fill: var(--soft) }
table { border-collapse: collapse; width: 100%; background: #fff; font-size: .92rem }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top }
th { font-weight: 600; color: var(--soft) } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
.bar { background: #e8edf3; height: .8rem; border-radius: 3px; min-width: 7rem; margin-top: .35rem; overflow: hidden }
.bar i { display: block; height: 100%; background: var(--bar) } .low { color: var(--warm); font-weight: 600 }
code, pre { font: 12.5px/1.45 ui-monospace, monospace } td code { overflow-wrap: anywhere }
details { background: #fff; border: 1px solid var(--line); border-radius: 6px; margin: .35rem 0 }
summary { cursor: pointer; padding: .45rem .8rem } .sides { display: grid; grid-template-columns: 1fr 1fr }
.sides pre { margin: 0; padding: .8rem; overflow: auto; max-height: 32rem; border-top: 1px solid var(--line) }
.sides pre + pre { border-left: 1px solid var(--line) } mark { background: #ffe9b8; color: inherit }
@media print { details { break-inside: avoid } body { background: #fff } }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # even a text that slipped through could load or run nothing
KINDS = {
    "wrong value": "returned a wrong value",
    "unfinished": "not implemented yet",
    "exception": "raised an exception",
    "time": "ran out of time",
    "memory": "ran out of memory",
    "threads": "started too many threads",
    "disk": "wrote too much",
    "crash": "crashed the interpreter",
    "exit": "ended the interpreter",
    "reply": "returned what cannot be read",
    "refused": "missing, unreadable or ruled out",
    "not run": "not run, after a time limit",
    "sandbox": "the sandbox failed (ours)",
    "not graded": "the grader died (ours)",
}


def page(assignment: Assignment, rows: list[Row], pairs: list[Pair], notes: list[str]) -> str:
    """The whole page.

    Args:
        rows: one a submission, at least one.
        pairs: similar files, the most alike first.
        notes: what was understood of the input; printed as they are.
    """
    scores = [row.score for row in rows]
    points = rows[0].results["extra_data"]["max_score"]  # of the exercises that were graded
    numbers = {
        "submissions": f"{len(rows)}",
        "mean": f"{statistics.mean(scores):.1f}",
        "median": f"{statistics.median(scores):.1f}",
        "spread (s.d.)": f"{statistics.pstdev(scores):.1f}",
        "full marks": f"{sum(row.score >= points - 1e-6 for row in rows) if points else '–'}",
        "zero": f"{sum(row.score <= 0 for row in rows)}",
    }
    boxes = "".join(f"<div><b>{escape(value)}</b>{escape(name)}</div>" for name, value in numbers.items())
    sections = [
        ("Scores", histogram(scores, points)),
        ("Exercises", exercises(assignment, rows)),
        ("Misconceptions", misconception_table(rows)),
        ("Why tests failed", failures(rows)),
        ("To look at", flags(rows)),
        ("Slowest submissions", slowest(rows)),
        ("Similar submissions", similar(pairs)),
        ("How this was read", "".join(f'<p class="soft">{escape(note)}</p>' for note in notes)),
    ]
    body = "\n".join(f"<section><h2>{escape(title)}</h2>\n{html}</section>" for title, html in sections)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer">
<title>{escape(assignment.title)}</title><style>{STYLE}</style></head><body>
<h1>{escape(assignment.title)}</h1><p class="soft">{escape(assignment.slug)}, {points:g} points</p>
<div class="numbers">{boxes}</div>
{body}
</body></html>
"""


def histogram(scores: list[float], points: float) -> str:
    bins = [0] * 20
    for score in scores:
        bins[min(19, max(0, int(20 * score / points) if points else 0))] += 1
    highest = max(bins)
    width, height, foot = 1000, 220, 26
    step = width / 20
    parts = []
    for place, count in enumerate(bins):
        tall = (height - 24) * count / highest
        x, y = place * step, height - tall
        parts.append(f'<rect x="{x + 2:.1f}" y="{y:.1f}" width="{step - 4:.1f}" height="{tall:.1f}" fill="#3b6ea8"/>')
        if count:
            parts.append(f'<text x="{x + step / 2:.1f}" y="{y - 5:.1f}" text-anchor="middle">{count}</text>')
    for fifth in range(6):
        anchor = "start" if fifth == 0 else "end" if fifth == 5 else "middle"
        label = f"{points * fifth / 5:g}"
        parts.append(f'<text x="{width * fifth / 5:.0f}" y="{height + 18}" text-anchor="{anchor}">{label}</text>')
    parts.append(f'<line x1="0" y1="{height}" x2="{width}" y2="{height}" stroke="#5d6b7a"/>')
    label = f"Distribution of {len(scores)} scores from 0 to {points:g}"
    drawing = (
        f'<svg viewBox="0 0 {width} {height + foot}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )
    return f"<figure>{drawing}<figcaption>Submissions by points.</figcaption></figure>"


def exercises(assignment: Assignment, rows: list[Row]) -> str:
    graded = [row for row in rows if not row.died]
    body = []
    for name, spec in assignment.exercises.items():
        item = [row.exercises.get(name, 0.0) for row in graded]
        if not any(name in row.exercises for row in graded):
            continue
        rest = [sum(row.exercises.values()) - own for row, own in zip(graded, item, strict=True)]
        mean = statistics.mean(item) / spec.points if spec.points else 0.0
        reached = f"{mean:.0%}" if spec.points else "–"
        relation = correlation(item, rest)
        shown = "–" if relation is None else f"{relation:.2f}"
        low = ' class="n low"' if relation is not None and relation < 0.2 else ' class="n"'
        full = sum(value >= spec.points - 1e-6 for value in item) if spec.points else "–"
        body.append(
            f"<tr><td>{escape(name)}</td><td><code>{escape(spec.of)}</code></td><td class=n>{spec.points:g}</td>"
            f"<td class=n>{reached}</td><td>{bar(mean)}</td><td class=n>{full}</td><td{low}>{shown}</td></tr>"
        )
    head = (
        "<th>Exercise<th>Function<th class=n>Points<th class=n>Mean<th><th class=n>Full marks<th class=n>Discrimination"
    )
    note = (
        "Mean is the difficulty: the part of the points that the class got. Discrimination is the correlation of an "
        "exercise's points with those of all other exercises; below 0.2 it does not tell strong from weak work, "
        "or everybody got the same (–)."
    )
    return f'<table><tr>{head}</tr>{"".join(body)}</table><p class="soft">{note}</p>'


def correlation(one: list[float], other: list[float]) -> float | None:
    """Pearson's; None where either does not vary."""
    if len(one) < 3:
        return None
    mean, other_mean = statistics.mean(one), statistics.mean(other)
    first, second = [a - mean for a in one], [b - other_mean for b in other]
    norm = math.sqrt(sum(a * a for a in first) * sum(b * b for b in second))
    return sum(a * b for a, b in zip(first, second, strict=True)) / norm if norm > 1e-9 else None


def misconception_table(rows: list[Row]) -> str:
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    sentences: dict[tuple[str, str], str] = {}
    for row in rows:
        for test in row.tests:
            name = test.get("extra_data", {}).get("misconception")
            if name:
                key = exercise_of(test), name
                found[key].add(row.entry.id)
                sentences[key] = test["extra_data"].get("cause") or ""
    if not found:
        return '<p class="soft">None was recognised.</p>'
    most = max(map(len, found.values()))
    body = []
    for key, who in sorted(found.items(), key=lambda item: (-len(item[1]), item[0])):
        exercise, name = key
        body.append(
            f"<tr><td class=n>{len(who)}</td><td>{bar(len(who) / most)}</td><td>{escape(exercise)}</td>"
            f"<td>{escape(sentences[key])}<br><code>{escape(name)}</code></td></tr>"
        )
    head = "<th class=n>Students<th><th>Exercise<th>What they were told"
    return f"<table><tr>{head}</tr>{''.join(body)}</table>"


def failures(rows: list[Row]) -> str:
    tests: Counter = Counter()
    who: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for test in row.tests:
            kind = test.get("extra_data", {}).get("failure")
            if kind:
                tests[kind] += 1
                who[kind].add(row.entry.id)
    if not tests:
        return '<p class="soft">No test failed.</p>'
    most = max(tests.values())
    body = "".join(
        f"<tr><td>{escape(KINDS.get(kind, kind))}</td><td class=n>{count}</td><td>{bar(count / most)}</td>"
        f"<td class=n>{len(who[kind])}</td></tr>"
        for kind, count in tests.most_common()
    )
    return f"<table><tr><th>The code<th class=n>Tests<th><th class=n>Submissions</tr>{body}</table>"


def flags(rows: list[Row]) -> str:
    flagged = [row for row in rows if row.flags]
    if not flagged:
        return '<p class="soft">Nothing was flagged.</p>'
    body = "".join(
        f"<tr><td>{who(row)}</td><td class=n>{row.score:g}</td><td>{escape('; '.join(row.flags))}</td></tr>"
        for row in flagged
    )
    table = f"<table><tr><th>Submission<th class=n>Score<th>Flags</tr>{body}</table>"
    opened = " open" if len(flagged) <= 15 else ""
    return f"<details{opened}><summary>{len(flagged)} submissions; flags are no verdicts</summary>{table}</details>"


def slowest(rows: list[Row]) -> str:
    ordered = sorted(rows, key=lambda row: -row.seconds)[:10]
    longest = max(ordered[0].seconds, 1e-9)
    body = "".join(
        f"<tr><td>{who(row)}</td><td class=n>{row.seconds:.1f} s</td><td>{bar(row.seconds / longest)}</td></tr>"
        for row in ordered
    )
    return f"<table><tr><th>Submission<th class=n>Time<th></tr>{body}</table>"


def similar(pairs: list[Pair]) -> str:
    if not pairs:
        return '<p class="soft">No pair is above the threshold, or nothing was compared: see below.</p>'
    note = (
        f"{len(pairs)} pairs of files. The stubs and the given code are left out, names and comments do not count. "
        "Short exercises have few right answers, so a pair is a reason to read both, not a verdict."
    )
    parts = [f"<p>{note}</p>"]
    for pair in pairs:
        left, right = pair.left, pair.right
        if not left.pieces:
            continue
        title = f"{left.id} ({left.share:.0%}) and {right.id} ({right.share:.0%}): {pair.file}"
        columns = "".join(
            f"<pre>{''.join(f'<mark>{escape(t)}</mark>' if same else escape(t) for t, same in side.pieces)}</pre>"
            for side in (left, right)
        )
        parts.append(f'<details><summary>{escape(title)}</summary><div class="sides">{columns}</div></details>')
    rest = [pair for pair in pairs if not pair.left.pieces]
    if rest:
        listed = "".join(
            f"<tr><td>{escape(p.left.id)}</td><td>{escape(p.right.id)}</td><td>{escape(p.file)}</td>"
            f"<td class=n>{p.share:.0%}</td></tr>"
            for p in rest[:200]
        )
        more = f", {len(rest) - 200} of them not listed" if len(rest) > 200 else ""
        parts.append(f"<details><summary>{len(rest)} more pairs{more}</summary><table>{listed}</table></details>")
    return "".join(parts)


def who(row: Row) -> str:
    names = ", ".join(student.name for student in row.entry.students if student.name)
    return escape(f"{names} ({row.entry.id})" if names else row.entry.id)


def bar(share: float) -> str:
    return f'<div class="bar"><i style="width:{100 * min(1, max(0, share)):.0f}%"></i></div>'
