"""Which uploaded file is which student file, by names and by what is defined. Whatever is decided, it is said.

Pure functions of bytes and of what `read` says of them, so that the students' own check decides as the grader does:
`read(source)` is extract() in the sandbox here, and in the student's own process there.
"""

import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from autograder.sandbox.extract import Extract
from autograder.sandbox.text import plain_text

COPY_MARK = re.compile(r"[\s_-]*\(\d+\)$|[\s_-]+copy(\s*\(?\d+\)?)?$", re.IGNORECASE)
MAX_READ = 40  # files that are searched for definitions
TELLING = 3  # so many of the names that only one student file has are no coincidence


@dataclass(frozen=True)
class Source:
    """Where definitions are taken from.

    Args:
        path: in the upload.
        member: of a notebook, the file that its %%writefile cells make; "" for the notebook itself.
        roots: what is wanted, as functions and classes; empty for all that there is.
        turns: (name, k) pairs for a file that holds several modules: the k-th definition of the name is the one.
    """

    path: str
    member: str = ""
    roots: tuple[str, ...] = ()
    turns: tuple[tuple[str, int], ...] = ()


@dataclass
class Matching:
    """What is graded for each student file: one source, and another for what it leaves undone."""

    taken: dict[str, Source] = field(default_factory=dict)
    rest: dict[str, Source] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)  # student file -> why there is none
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.notes.append(plain_text(text))


def match(
    files: Mapping[str, bytes],
    targets: Mapping[str, list[str]],
    given: Mapping[str, bytes],
    read: Callable[[Source], Extract],
) -> Matching:
    """Decide which upload stands for which student file.

    Args:
        files: the upload, {path: bytes}.
        targets: {student file: what is graded in it, as "f" or "Class.method"}, in the assignment's order.
        given: the files as handed out, {name: bytes}.
        read: what a source holds; an Extract with an error where it cannot be read.
    """
    found = Matching()
    for filename in targets:
        if path := by_name(filename, files, given, found):
            found.taken[filename] = Source(path, roots=roots_of(targets[filename]))
    missing = {filename: undone(filename, found, targets, given, files, read) for filename in targets}
    missing = {filename: names for filename, names in missing.items() if names}
    named = {source.path for source in found.taken.values()}
    spare = [path for path in files if path not in named and not is_given(path, files[path], given)]
    offers = dict(offered(spare, read)) if missing else {}
    by_definitions(missing, offers, targets, found, read)
    used = {source.path for source in (*found.taken.values(), *found.rest.values())}
    for path in spare:
        if path.endswith(".ipynb") and path not in used:
            found.note(f"{path} was not graded: the files that were are listed below.")
            found.notes += [n for n in offers.get(Source(path), Extract()).notes if n not in found.notes]
    for filename in [filename for filename in targets if filename not in found.taken]:
        found.refusals[filename] = refusal_of_missing(filename, targets, files, offers)
    return found


def roots_of(names: list[str]) -> tuple[str, ...]:
    """["Trainer.sample", "f"] -> ("Trainer", "f")"""
    return tuple(sorted({name.partition(".")[0] for name in names}))


def by_name(filename: str, files: Mapping[str, bytes], given: Mapping[str, bytes], found: Matching) -> str | None:
    """The upload that bears this name, exactly or nearly; never the untouched stub where there is another."""

    def rank(path: str) -> tuple:
        name = PurePosixPath(path).name
        return (is_stub(filename, files[path], given), name != filename, path.count("/"), path)

    candidates = sorted((path for path in files if plain_name(path) == plain_name(filename)), key=rank)
    if not candidates:
        return None
    first, *others = candidates
    if others:
        found.note(f"{filename}: {first} was graded; not graded: {', '.join(others[:3])}.")
    elif PurePosixPath(first).name != filename:
        found.note(f"{first} was taken for {filename}; use the exact name next time.")
    return first


def is_stub(filename: str, data: bytes, given: Mapping[str, bytes]) -> bool:
    """Whether a file is as it was handed out, but for line ends."""
    return filename in given and unix_bytes(data) == unix_bytes(given[filename])


def is_given(path: str, data: bytes, given: Mapping[str, bytes]) -> bool:
    return is_stub(PurePosixPath(path).name, data, given)


def unix_bytes(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").strip()


def plain_name(path: str) -> str:
    """`Q1_VAE.py`, `q1-vae (1).py` and `q1_vae - Copy.py` all mean q1_vae.py."""
    name = PurePosixPath(path)
    stem = COPY_MARK.sub("", name.stem.strip())
    return re.sub(r"[\s-]+", "_", stem).lower() + name.suffix.lower()


def with_imported_names(filename: str, source: Source, matching: Matching, read: Callable[[Source], Extract]) -> Source:
    """The same source, with what the other student files import from this one kept as well."""
    module = filename.removesuffix(".py")
    others = [other for other in matching.taken.values() if other != source]
    taken = {name.rpartition(".")[2] for other in others for name in read(other).takes if name.startswith(f"{module}.")}
    wanted = taken & set(read(source).definitions) - set(source.roots)
    return replace(source, roots=tuple(sorted({*source.roots, *wanted}))) if wanted else source


# ---------------------------------------------------------------- by what is defined


def undone(
    filename: str,
    found: Matching,
    targets: Mapping[str, list[str]],
    given: Mapping[str, bytes],
    files: Mapping[str, bytes],
    read: Callable[[Source], Extract],
) -> list[str]:
    """What is graded in a student file and not yet written there."""
    source = found.taken.get(filename)
    if source is None or is_stub(filename, files[source.path], given):
        return targets[filename]
    extract = read(source)
    written = finished(extract)
    if any(f"{PurePosixPath(path).stem}.*" in extract.bound for path in files):
        return []  # a star from a file of the student's own: only running tells
    return [name for name in targets[filename] if not written & {name, f"{name.partition('.')[0]}.*"}]


def finished(extract: Extract) -> set[str]:
    """What a file defines and does not leave as it was handed out."""
    return {*extract.definitions, *extract.bound} - set(extract.unfinished) if not extract.error else set()


def offered(paths: list[str], read: Callable[[Source], Extract]) -> Iterator[tuple[Source, Extract]]:
    """Everything that may hold definitions: files, and what the cells of a notebook write."""
    for path in paths[:MAX_READ]:
        source = Source(path)
        extract = read(source)
        yield source, extract
        for member in extract.writes[:MAX_READ]:
            source = Source(path, member)
            yield source, read(source)


def by_definitions(
    missing: Mapping[str, list[str]],
    offers: Mapping[Source, Extract],
    targets: Mapping[str, list[str]],
    found: Matching,
    read: Callable[[Source], Extract],
) -> None:
    """For what is not there, or as it was handed out: a notebook, or a .py made from one, that defines the same.

    A definition counts for one student file only, so a file serves several where it holds most of each, never because
    of a name that two of them share.
    """
    owners = Counter(name for names in targets.values() for name in names)
    pairs = sorted(
        ((rank(filename, source, extract, targets), filename, source)
         for filename in missing for source, extract in offers.items()),
        key=lambda pair: pair[0], reverse=True,
    )  # fmt: skip
    used: dict[Source, Counter[str]] = {source: Counter() for source in offers}
    served: set[str] = set()
    for _, filename, source in pairs:
        defined = Counter(offers[source].definitions)
        free = {name for name in defined if defined[name] > used[source][name]}
        own = [name for name in targets[filename] if name in free]
        news = [name for name in missing[filename] if name in free & finished(offers[source])]
        if filename in served or not news or not is_meant(filename, source, own, targets, owners):
            continue
        served.add(filename)
        used[source].update(own)
        replace_or_complete(filename, source, news, missing[filename], targets, found, read)
    share_out(targets, offers, found)


def rank(filename: str, source: Source, extract: Extract, targets: Mapping[str, list[str]]) -> tuple:
    """How well a source fits a student file: its names, its question's names, few others', and how it is called."""
    question = filename.split("_")[0].removesuffix(".py")
    kin = {
        name
        for other, names in targets.items()
        for name in names
        if other.split("_")[0].removesuffix(".py") == question
    }
    foreign = {name for names in targets.values() for name in names} - kin
    names = set(extract.definitions)
    called = plain_name(source.member or source.path)
    own = len(names & set(targets[filename]))
    return called == filename, own, len(kin & names), -len(foreign & names), likeness(called, filename)


def likeness(name: str, filename: str) -> float:
    return difflib.SequenceMatcher(None, PurePosixPath(name).stem, PurePosixPath(filename).stem).ratio()


def is_meant(
    filename: str, source: Source, own: list[str], targets: Mapping[str, list[str]], owners: Mapping[str, int]
) -> bool:
    """Whether what a source defines of a student file's names is enough: most of them, or several that no other has,
    or one where it is called like the file."""
    telling = [name for name in own if owners[name] == 1]
    called = PurePosixPath(plain_name(source.member or source.path)).stem == filename.removesuffix(".py")
    return 2 * len(own) > len(targets[filename]) or len(telling) >= TELLING or (called and len(own) > 0)


def replace_or_complete(
    filename: str,
    source: Source,
    news: list[str],
    wanted: list[str],
    targets: Mapping[str, list[str]],
    found: Matching,
    read: Callable[[Source], Extract],
) -> None:
    """Take a source for a student file that is not there, empty or broken, or for what a file leaves undone."""
    where = source.path + (f" (its cells %%writefile {source.member})" if source.member else "")
    if len(wanted) == len(targets[filename]):
        before = found.taken.get(filename)
        error = read(before).error if before else None
        why = f"cannot be read ({error.rstrip('.')})" if error else "holds nothing new" if before else "is missing"
        found.taken[filename] = Source(source.path, source.member, roots_of(targets[filename]))
        found.note(f"{filename} {why}; {where}, which defines the same, was graded for it.")
        return
    whole = finished(read(source)) | {""}
    classes = {name.partition(".")[0] for name in news if "." in name}
    done = set(targets[filename]) - set(wanted)
    kept = {c for c in classes if any(n.startswith(f"{c}.") and n not in whole for n in done) and c in whole}
    news = [name for name in news if name.partition(".")[0] not in kept]  # a class that would lose a method stays
    if news:
        found.rest[filename] = Source(source.path, source.member, roots_of(news))
        found.note(f"{filename} leaves {', '.join(news)} undone; {where}, which defines that, was graded for it.")


def share_out(targets: Mapping[str, list[str]], offers: Mapping[Source, Extract], found: Matching) -> None:
    """Where one file stands for several student files that share a name, give each its own definition of the name."""
    for offer, extract in offers.items():
        own = {
            filename: (table, source)
            for table in (found.rest, found.taken)
            for filename, source in table.items()
            if (source.path, source.member) == (offer.path, offer.member)
        }
        roots = {filename: own[filename][1].roots for filename in targets if filename in own}
        turns: dict[str, list[tuple[str, int]]] = {filename: [] for filename in roots}
        for name in {root for names in roots.values() for root in names}:
            users = [filename for filename, names in roots.items() if name in names]
            first = extract.definitions.count(name) - len(users)
            for place, filename in enumerate(users):
                turns[filename] += [(name, first + place)] if len(users) > 1 and first >= 0 else []
        for filename, pairs in turns.items():
            if pairs:
                own[filename][0][filename] = replace(own[filename][1], turns=tuple(sorted(pairs)))


def refusal_of_missing(
    filename: str, targets: Mapping[str, list[str]], files: Mapping[str, bytes], offers: Mapping[Source, Extract]
) -> str:
    """Why nothing was graded for a student file, and what to do."""
    module = filename.removesuffix(".py")
    for source, extract in offers.items():
        for mention in extract.mentions:
            if source.path.endswith(".ipynb") and mention.partition(": ")[0] == module:
                place = mention.partition(": ")[2]
                return plain_text(
                    f"{filename} is not in the submission, and {place} imports from it: upload it as well."
                )
    notebooks = {source: extract for source, extract in offers.items() if source.path.endswith(".ipynb")}
    if notebooks:
        source = max(notebooks, key=lambda s: len(set(notebooks[s].definitions) & set(targets[filename])))
        extract = notebooks[source]
        has = [name for name in targets[filename] if name in extract.definitions]
        lacks = [name for name in targets[filename] if name not in has]
        more = f" and {len(lacks) - 3} more" if len(lacks) > 3 else ""
        only = f"defines only {', '.join(has[:3])}, not" if has else "does not define"
        lost = [entry.partition(": ")[2] for entry in extract.lost if entry.partition(":")[0] in roots_of(lacks)]
        reason = extract.error or " ".join(dict.fromkeys(lost)) or ""
        return plain_text(
            f"There is no {filename}, and {source.path} {only} {', '.join(lacks[:3])}{more}. {reason}".strip()
        )
    names = sorted({PurePosixPath(path).name for path in files} - targets.keys())
    near = difflib.get_close_matches(filename, names, n=1)
    hint = f" There is a {near[0]}: rename it if it is the one." if near else ""
    return plain_text(f"{filename} is not in the submission: upload it under this name.{hint}")
