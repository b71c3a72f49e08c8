"""Who handed in what: a folder of submissions, or a Gradescope export, as a list of entries.

Gradescope's "Export submissions" holds folders submission_<id> and submission_metadata.yml, with Ruby symbols as
keys:

    submission_1234:
      :submitters:
      - :name: A Student
        :sid: "100"
        :email: student@example.org
      :created_at: 2026-10-02 22:58:00 Z

That format is not documented, so whatever is missing or of another kind is left out and counted, never guessed.
"""

import hashlib
import os
import re
import stat
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from autograder.course import CourseError
from autograder.grading.lateness import moment

METADATA = ("submission_metadata.yml", "submission_metadata.yaml")
ACCEPTED = (".zip", ".py", ".ipynb")
READ = (*ACCEPTED, ".pyi")  # what of a folder can change a grade


@dataclass(frozen=True)
class Student:
    name: str = ""
    sid: str = ""
    email: str = ""


@dataclass
class Entry:
    """One submission; several students where a group handed in."""

    id: str  # keys the inputs of its tests, and names its file in the output
    path: Path
    students: list[Student] = field(default_factory=list)
    submitted: datetime | None = None


def read_roster(folder: Path) -> tuple[list[Entry], list[str]]:
    """The submissions in a folder, by id, and what was understood of it, in sentences.

    Raises:
        CourseError: if there is no such folder, or nothing in it to grade.
    """
    if not folder.is_dir():
        raise CourseError(f"There is no folder {folder}: give one that holds a submission an entry.")
    names = sorted(os.listdir(folder))
    metadata_file = next((name for name in METADATA if name in names), None)
    paths = [folder / name for name in names if not name.startswith((".", "__")) and name not in METADATA]
    taken = [path for path in paths if not path.is_symlink() and (path.is_dir() or path.suffix.lower() in ACCEPTED)]
    notes = [f"not a submission, left out: {shown(p.name)}" for p in paths if p not in taken]
    if not taken:
        raise CourseError(f"{folder} holds no submission: no folder, .zip, .py or .ipynb.")
    entries = [Entry(id, path) for id, path in zip(ids_of(taken), taken, strict=True)]
    notes.insert(0, f"{len(entries)} submissions in {folder}")
    if metadata_file:
        notes += add_metadata(entries, folder / metadata_file)
    return entries, notes


def ids_of(paths: list[Path]) -> list[str]:
    """Ids that are safe as file names and all different. Gradescope's folders get the number that keys the same inputs
    as on Gradescope."""
    stems = [re.sub(r"^submission_(\d+)$", r"\1", path.name if path.is_dir() else path.stem) for path in paths]
    found, taken = [], set()
    for path, stem in zip(paths, stems, strict=True):
        name = stem if stems.count(stem) == 1 else path.name
        id = re.sub(r"[^\w.@+-]", "_", name, flags=re.ASCII)[:80].lstrip(".-+@") or "_"
        if id != name or id.lower() in taken or id in ("grades", "report", "compare"):
            id = f"{id}-{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:8]}"
        taken.add(id.lower())
        found.append(id)
    return found


def add_metadata(entries: list[Entry], path: Path) -> list[str]:
    """Put names and times into entries; returns what was understood."""
    table = read_yaml(path)
    if not isinstance(table, dict):
        return [f"{path.name} was not understood: it is no table of submissions; names and times are unknown"]
    rows = {str(key).lstrip(":"): plain_keys(value) for key, value in table.items() if isinstance(value, dict)}
    known = 0
    for entry in entries:
        row = rows.pop(entry.path.name, None)
        if row is None:
            continue
        people = row.get("submitters")
        people = [plain_keys(p) for p in people if isinstance(p, dict)] if isinstance(people, list) else []
        entry.students = [Student(*(text(p.get(key)) for key in ("name", "sid", "email"))) for p in people]
        entry.submitted = time_of(row.get("created_at"))
        known += bool(entry.students)
    students = sum(len(entry.students) for entry in entries)
    untimed = sum(entry.submitted is None for entry in entries)
    notes = [f"{path.name}: {students} students, {known} of {len(entries)} submissions have names"]
    notes += [f"{untimed} submissions have no time of submission"] if untimed else []
    notes += [f"in {path.name}, but not in the folder: {shown(', '.join(sorted(rows)[:5]))}"] if rows else []
    return notes


def read_yaml(path: Path) -> object:
    """Plain YAML. Tags (Ruby's classes) are passed over: nothing but text, numbers, times, lists and tables is made.

    Raises:
        CourseError: if PyYAML is missing, or the file is not YAML.
    """
    try:
        import yaml
    except ImportError:
        raise CourseError("A Gradescope export needs PyYAML: pip install pyyaml (or the extra `batch`).") from None

    class Loader(yaml.SafeLoader):
        pass

    def untagged(loader, suffix, node):
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return loader.construct_scalar(node)

    Loader.add_multi_constructor("!", untagged)
    try:
        return yaml.load(path.read_bytes(), Loader)  # a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
        raise CourseError(f"{path.name} cannot be read as YAML: {shown(str(error))}.") from None


def plain_keys(row: dict) -> dict:
    return {str(key).strip(":"): value for key, value in row.items()}


def text(value: object) -> str:
    return shown(str(value)) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def shown(value: str) -> str:
    """One line that can be printed."""
    return "".join(c if c.isprintable() else " " for c in value)[:300].strip()


def time_of(value: object) -> datetime | None:
    """A time of the metadata, which may be an ActiveSupport::TimeWithZone."""
    if isinstance(value, dict):
        row = plain_keys(value)
        value = row.get("utc") or row.get("time")
    return moment(value)


def content_hash(path: Path) -> str:
    """A hash of all bytes of a submission that can change its grade."""
    digest = hashlib.sha256()
    for name, file in [("", path)] if path.is_file() else readable_files(path):
        try:
            handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            continue
        with open(handle, "rb") as stream:
            if stat.S_ISREG(os.fstat(handle).st_mode):
                digest.update(os.fsencode(name) + b"\0" + hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def readable_files(folder: Path) -> list[tuple[str, Path]]:
    found = []
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in names:
            if name.lower().endswith(READ):
                path = Path(parent, name)
                found.append((path.relative_to(folder).as_posix(), path))
    return sorted(found)


def plain_number(value: str) -> str:
    """An email, id or student number as it is compared: no case, no zeros in front, digits of any script."""
    text = unicodedata.normalize("NFKC", value).strip().casefold()
    digits = "".join(str(unicodedata.digit(c, c)) for c in text)
    return digits.lstrip("0") or "0" if digits.isdigit() else digits
