"""Which submissions look alike, by copydetect: winnowed fingerprints of the code with names and comments taken out.

After Schleimer, Wilkerson and Aiken, "Winnowing" (SIGMOD 2003). Left out are the stubs and the given code, which
everybody received, and the reference and its alternatives: what right answers look like is no sign of copying. Short
exercises have few right answers: a pair is a reason to look, no more.
"""

import importlib.util
import io
import json
import signal
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

THRESHOLD = 0.8  # of the tokens of the file that has fewer of its own
FEWEST_TOKENS = 200  # below that, everybody's code is alike
K, WINDOW = 25, 4  # what is shorter than 25 tokens is noise
LARGEST_FILE = 200_000
SECONDS_PER_FILE = 5
PAIRS_WITH_CODE = 25
PAIRS = 2000


@dataclass
class Side:
    """A file of a pair: its text in pieces, each with whether the other file has the like."""

    id: str
    path: str
    share: float
    pieces: list[tuple[str, bool]]


@dataclass
class Pair:
    file: str
    left: Side
    right: Side

    @property
    def share(self) -> float:
        return max(self.left.share, self.right.share)


def available() -> bool:
    return importlib.util.find_spec("copydetect") is not None


def find(slug: str, submissions: list[tuple[str, str, dict[str, str] | None]]) -> tuple[list[Pair], int]:
    """The pairs that are most alike, and how many files could not be read. Call it in a process of its own.

    Args:
        submissions: (id, path, {student file: path in the submission}) of each; with None in the place of the files
            it is an earlier year's, whose files are found by their names, and is held against this year's only.
    """
    from copydetect import CodeFingerprint, compare_files

    from autograder.course import load_assignment
    from autograder.grading.upload import collect
    from autograder.sandbox import isolation

    isolation.bound_own_memory()
    signal.signal(signal.SIGALRM, give_up)
    assignment = load_assignment(slug)
    given = set()
    own = [assignment.solutions / name for name in assignment.files]
    own += [assignment.alternatives_file(module) for module in assignment.modules]
    for path in [*assignment.given.glob("*.py"), *filter(Path.is_file, own)]:
        given |= CodeFingerprint(path.name, K, 1, fp=io.StringIO(path.read_text(encoding="utf-8"))).hashes
    prints: dict[str, list[tuple[str, str, CodeFingerprint, bool]]] = {}
    skipped = 0
    for id, where, known in submissions:
        upload = collect(Path(where)).files if known != {} else {}
        files = known if known is not None else {Path(p).name: p for p in upload if Path(p).name in assignment.files}
        for name, inside in files.items():
            signal.alarm(SECONDS_PER_FILE)
            try:
                source = code_of_file(inside, upload[inside])
                found = CodeFingerprint("file.py", K, WINDOW, boilerplate=as_array(given), fp=io.StringIO(source))
            except Exception:  # a stranger's file: whatever is wrong with it, it is left out and counted
                skipped += 1
                continue
            finally:
                signal.alarm(0)
            if found.token_coverage >= FEWEST_TOKENS:
                prints.setdefault(name, []).append((id, inside, found, known is None))

    pairs: list[Pair] = []
    for name, entries in prints.items():
        spoiled: set[str] = set()
        for place, (id, inside, one, is_earlier) in enumerate(entries):
            for other_id, other_inside, other, other_is_earlier in entries[:place]:
                common = len(one.hashes & other.hashes)
                if common < 0.5 * THRESHOLD * min(len(one.hashes), len(other.hashes)) or not common:
                    continue  # far below; compare_files is some hundred times as slow
                if (is_earlier and other_is_earlier) or {id, other_id} & spoiled:
                    continue
                signal.alarm(SECONDS_PER_FILE)
                try:
                    _, shares, slices = compare_files(one, other)
                except Exception:  # it costs the later of the two its own row, not the class the table
                    spoiled.add(id)
                    skipped += 1
                    continue
                finally:
                    signal.alarm(0)
                if max(shares) >= THRESHOLD:
                    left = Side(id, inside, min(1.0, float(shares[0])), [(one.raw_code, slices[0])])
                    right = Side(other_id, other_inside, min(1.0, float(shares[1])), [(other.raw_code, slices[1])])
                    pairs.append(Pair(name, left, right))
        pairs = sorted(pairs, key=lambda pair: -pair.share)[:PAIRS]
    for place, pair in enumerate(pairs):
        for side in (pair.left, pair.right):
            ((code, slices),) = side.pieces
            side.pieces = cut(code, slices) if place < PAIRS_WITH_CODE else []
    return pairs, skipped


def give_up(*_):
    raise TimeoutError


def as_array(hashes: set):
    import numpy

    return numpy.array(sorted(hashes))


def code_of_file(path: str, data: bytes) -> str:
    """A file's text; of a notebook, its code cells."""
    if len(data) > 10 * LARGEST_FILE:
        raise ValueError("too large")
    text = data.decode("utf-8-sig", errors="replace")
    if PurePosixPath(path).suffix.lower() == ".ipynb":
        cells = json.loads(text)["cells"]
        text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    if len(text) > LARGEST_FILE:
        raise ValueError("too large")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def cut(code: str, slices) -> list[tuple[str, bool]]:
    pieces, end = [], 0
    for start, stop in sorted((int(a), int(b)) for a, b in zip(*slices, strict=True)):
        start = max(start, end)
        if stop > start:
            pieces += [(code[end:start], False), (code[start:stop], True)]
            end = stop
    return [piece for piece in [*pieces, (code[end:], False)] if piece[0]]
