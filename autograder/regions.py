"""The solution regions of a file in solutions/: what of it must never reach a student.

# BEGIN SOLUTION Q1.3: shift by the row maximum, average, shift back.
...
# END SOLUTION
"""

import re

BEGIN = re.compile(r"^(?P<indent>\s*)# BEGIN SOLUTION(?: (?P<id>[\w.]+): (?P<hint>.+))?$")
END = re.compile(r"^\s*# END SOLUTION$")


def regions(source: str) -> list[str]:
    """The lines inside solution regions: what must never reach a student."""
    lines = source.splitlines()
    return [line for first, last, _ in spans(source) for line in lines[first : last - 1]]


def spans(source: str) -> list[tuple[int, int, str]]:
    """(line of the beginning, line of the end, exercise) of every solution region; "" for one without an exercise."""
    found, first, exercise = [], 0, ""
    for position, line in enumerate(source.splitlines(), start=1):
        if begin := BEGIN.match(line):
            first, exercise = position, begin["id"] or ""
        elif END.match(line):
            found.append((first, position, exercise))
    return found
