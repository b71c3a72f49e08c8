"""From what was uploaded to the files that are graded.

`collect` (trusted, reads bytes and nothing more) takes a folder, a zip, a zip in a zip, or one file. `understand`
has every file parsed in the sandbox and decides, from names and definitions, which one is which. Whatever it
decides, it says.
"""

import difflib
import io
import os
import re
import stat
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from autograder.course import Assignment, CourseError
from autograder.sandbox.client import Sandbox, wire
from autograder.sandbox.messages import Failure, Modules

MAX_FILES = 400  # Python files and notebooks; the rest is not even read
MAX_ENTRIES = 20_000
MAX_FOLDER_DEPTH = 20
MAX_NAME = 200  # characters of a path inside a submission
MAX_FILE_BYTES = 32 << 20  # a notebook with many pictures
MAX_TOTAL_BYTES = 96 << 20  # of all that is read or unpacked
MAX_ZIP_DEPTH = 3
MAX_HELPERS = 40
MAX_UNREADABLE = 3  # files that end their reader or exhaust its time
IGNORED_FOLDERS = {
    "__MACOSX", "__pycache__", ".ipynb_checkpoints", ".git", ".venv", "venv", "site-packages", "node_modules",
}  # fmt: skip
ENDINGS = (".py", ".ipynb", ".zip", ".rar", ".7z", ".gz", ".tar", ".tgz", ".xz")
COPY_MARK = re.compile(r"[\s_-]*\(\d+\)$|[\s_-]+copy(\s*\(?\d+\)?)?$", re.IGNORECASE)
TOO_MUCH = "The submission is larger than a submission can be; the rest of it was not read."


@dataclass
class Upload:
    """The Python files and notebooks of a submission, as bytes, and what was noticed on the way."""

    files: dict[str, bytes] = field(default_factory=dict)  # path inside the submission, with /
    notes: list[str] = field(default_factory=list)
    total: int = 0  # bytes read so far, those of files that were then left out too

    def add(self, path: str, data: bytes) -> None:
        if len(self.files) >= MAX_FILES:
            self.note(TOO_MUCH)
            return
        self.files[wire.plain_text(path)] = data

    def count(self, data: bytes) -> bool:
        """Whether this, too, is within what a submission may hold."""
        self.total += len(data)
        if self.total > MAX_TOTAL_BYTES:
            self.note(TOO_MUCH)
        return self.total <= MAX_TOTAL_BYTES

    def note(self, text: str) -> None:
        text = wire.plain_text(text)
        if text not in self.notes and len(self.notes) < 20:
            self.notes.append(text)


@dataclass
class Submission:
    """What is graded."""

    taken: dict[str, str] = field(default_factory=dict)  # student file -> path in the upload
    notes: list[str] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)  # "q1_vae.py" or "Q1.3" -> why it gets no points


def collect(path: Path) -> Upload:
    """Read a submission from disk.

    Raises:
        CourseError: if there is nothing at `path`.
    """
    upload = Upload()
    if path.is_dir():
        collect_folder(path, upload)
    elif path.is_file():
        with path.open("rb") as file:
            collect_file(path.name, file.read(MAX_TOTAL_BYTES + 1), upload, 0)
    else:
        raise CourseError(f"There is no submission at {path}: give a folder, a .zip, a .py or an .ipynb.")
    if not upload.files:
        upload.note("The submission holds no Python file and no notebook.")
    return upload


def collect_folder(folder: Path, upload: Upload) -> None:
    entries = 0
    for parent, folders, names in os.walk(folder, followlinks=False):
        depth = len(Path(parent).relative_to(folder).parts)
        folders[:] = sorted(f for f in folders if f not in IGNORED_FOLDERS) if depth < MAX_FOLDER_DEPTH else []
        entries += len(names) + 1
        for name in sorted(names, key=python_first):
            path = Path(parent, name)
            inside = path.relative_to(folder).as_posix() if name.lower().endswith(ENDINGS) else ""
            if not interesting(inside):
                continue
            try:
                handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
                with open(handle, "rb") as file:
                    if stat.S_ISREG(os.fstat(handle).st_mode):
                        collect_file(inside, file.read(MAX_FILE_BYTES + 1), upload, 0)
            except OSError as error:
                upload.note(f"{inside} was not read: {error.strerror} (links are not followed).")
        if entries > MAX_ENTRIES:
            upload.note(TOO_MUCH)
            return


def collect_file(path: str, data: bytes, upload: Upload, depth: int) -> None:
    ending = PurePosixPath(path).suffix.lower()
    if not upload.count(data):
        return
    if ending in (".py", ".ipynb"):
        if len(data) > MAX_FILE_BYTES:
            upload.note(f"{path} was not read: it is larger than {MAX_FILE_BYTES >> 20} MB. Clear its outputs.")
        else:
            upload.add(path, data)
    elif ending == ".zip":
        collect_zip(path, data, upload, depth)
    elif ending in (".rar", ".7z", ".gz", ".tar", ".tgz", ".xz"):
        upload.note(f"{path} was not opened: upload a .zip, or the files themselves.")


def collect_zip(path: str, data: bytes, upload: Upload, depth: int) -> None:
    if depth >= MAX_ZIP_DEPTH:
        upload.note(f"{path} lies too deep in other zips; it was not opened.")
        return
    if data.count(b"PK\1\2") > MAX_ENTRIES:
        upload.note(TOO_MUCH)
        return
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = sorted(archive.infolist(), key=lambda m: (m.filename.count("/"), python_first(m.filename)))
    except Exception:  # zipfile raises its own, struct's, and whatever a wrong number leads to
        upload.note(f"{path} is not a zip file that can be opened; zip the files again.")
        return
    prefix = "" if depth == 0 else str(PurePosixPath(path).with_suffix("")) + "/"
    for member in members:
        name = member.filename.replace("\\", "/")
        is_link = stat.S_ISLNK(member.external_attr >> 16)
        if member.is_dir() or is_link or not interesting(name):
            continue
        inside = prefix + "/".join(part for part in name.split("/") if part not in ("", ".", ".."))
        if upload.total > MAX_TOTAL_BYTES:
            return
        limit = MAX_TOTAL_BYTES if name.lower().endswith(".zip") else MAX_FILE_BYTES
        try:
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise NotImplementedError  # the others may ask for gigabytes before the first byte
            with archive.open(member) as file:
                content = file.read(limit + 1)
        except Exception as error:  # zipfile raises zlib's, struct's and its own; encryption is a RuntimeError
            upload.note(f"{inside} could not be unpacked ({type(error).__name__}); zip the files again.")
            continue
        collect_file(inside, content, upload, depth + 1)


def python_first(name: str) -> tuple[bool, str]:
    """The order in which files are read, so that what is graded comes before what may be too much."""
    return not name.lower().endswith(".py"), name


def interesting(path: str) -> bool:
    if not path.lower().endswith(ENDINGS) or len(path) > MAX_NAME:
        return False
    parts = PurePosixPath(path).parts
    return not any(part in IGNORED_FOLDERS for part in parts) and not parts[-1].startswith("._")


# ---------------------------------------------------------------- which file is which


def understand(upload: Upload, assignment: Assignment, sandbox: Sandbox) -> Submission:
    """Decide which uploaded file is which student file, extract what they define, and hand them to the sandbox."""
    submission = Submission(notes=upload.notes)
    extracts: dict[tuple[str, bool], object] = {}
    roots = sorted({spec.target.partition(".")[0] for spec in assignment.exercises.values()})

    def extract(path: str, all_names: bool = False):
        key = path, all_names
        unreadable = sum(isinstance(found, Failure) for found in extracts.values())
        if key not in extracts and unreadable >= MAX_UNREADABLE and path not in submission.taken.values():
            extracts[key] = Failure("reply", "too many files of this submission cannot be read")
        if key not in extracts:
            kept = [] if all_names else roots
            name, data = PurePosixPath(path).name, upload.files[path]
            extracts[key] = sandbox.extract(name, data, kept, list(assignment.forbidden))
        return extracts[key]

    for filename in assignment.files:
        path = by_name(filename, upload, assignment, submission)
        if path:
            submission.taken[filename] = path
    taken = submission.taken
    missing = [
        name for name in assignment.files if name not in taken or is_stub(name, upload.files[taken[name]], assignment)
    ]
    spare = [path for path in upload.files if path not in taken.values()]
    if missing and spare:
        by_definitions(missing, spare, extract, assignment, submission)
    for path in spare:
        if path.endswith(".ipynb") and path not in taken.values():
            submission.notes.append(wire.plain_text(f"{path} was not graded: the files that were are listed below."))

    with ThreadPoolExecutor(sandbox.slots) as pool:
        list(pool.map(extract, dict.fromkeys(submission.taken.values())))
    modules = Modules(mentions_gpu=any(b"cuda" in data for data in upload.files.values()))
    for filename in assignment.files:
        path = submission.taken.get(filename)
        if path is None:
            submission.refusals[filename] = refusal_of_missing(filename, upload, set(assignment.files))
            continue
        found = extract(path)
        if isinstance(found, Failure):
            submission.refusals[filename] = f"{filename} cannot be read as Python: {found.message}."
        elif found.error:
            submission.refusals[filename] = f"{filename} was not graded: {found.error}"
        else:
            submission.notes += [note for note in found.notes if note not in submission.notes]
            modules.graded[filename.removesuffix(".py")] = found.code
            modules.imports |= set(found.imports)
            refuse_undefined(filename, found.definitions, assignment, submission)
            refuse_forbidden(filename, found.forbidden, assignment, submission)
    extract_helpers(upload, assignment, submission, extract, modules)
    sandbox.provide(modules)
    return submission


def by_name(filename: str, upload: Upload, assignment: Assignment, submission: Submission) -> str | None:
    """The upload that bears this name, exactly or nearly; never the untouched stub where there is another."""

    def rank(path: str):
        name = PurePosixPath(path).name
        return (is_stub(filename, upload.files[path], assignment), name != filename, path.count("/"), path)

    candidates = sorted((path for path in upload.files if plain_name(path) == plain_name(filename)), key=rank)
    if not candidates:
        return None
    first, *others = candidates
    if others:
        listed = ", ".join(others[:3])
        submission.notes.append(wire.plain_text(f"{filename}: {first} was graded; not graded: {listed}."))
    elif PurePosixPath(first).name != filename:
        submission.notes.append(wire.plain_text(f"{first} was taken for {filename}; use the exact name next time."))
    return first


def is_stub(filename: str, data: bytes, assignment: Assignment) -> bool:
    """Whether a file is the stub as it was handed out, but for line ends."""
    stub = assignment.given / filename
    return stub.exists() and data.replace(b"\r\n", b"\n").strip() == stub.read_bytes().strip()


def plain_name(path: str) -> str:
    """`Q1_VAE.py`, `q1-vae (1).py` and `q1_vae - Copy.py` all mean q1_vae.py."""
    name = PurePosixPath(path)
    stem = COPY_MARK.sub("", name.stem.strip())
    return re.sub(r"[\s-]+", "_", stem).lower() + name.suffix.lower()


def by_definitions(missing, spare, extract, assignment, submission) -> None:
    """For files that are not there, or as they were handed out: the notebook, or the .py made from one, that defines
    the same things."""
    defined: dict[str, set[str]] = {}
    for path in spare[:MAX_HELPERS]:
        found = extract(path)
        defined[path] = set() if isinstance(found, Failure) or found.error else set(found.definitions)
    graded = {e.id: (e.module, e.target) for e in assignment.exercises.values()}
    for filename in missing:
        module = filename.removesuffix(".py")
        question = module.split("_")[0]
        own = {target for name, target in graded.values() if name == module}
        kin = {target for name, target in graded.values() if name.split("_")[0] == question}
        foreign = {target for name, target in graded.values()} - kin

        def rank(path: str, own=own, kin=kin, foreign=foreign, module=module):
            names = defined[path]
            likeness = difflib.SequenceMatcher(None, plain_name(path), module).ratio()
            return (len(own & names), len(kin & names), -len(foreign & names), likeness)

        best = max(defined, key=rank)
        if own & defined[best]:
            why = "holds nothing new" if filename in submission.taken else "is missing"
            submission.taken[filename] = best
            note = f"{filename} {why}; {best}, which defines the same, was graded for it."
            submission.notes.append(wire.plain_text(note))


def refusal_of_missing(filename: str, upload: Upload, wanted: set[str]) -> str:
    names = sorted({PurePosixPath(path).name for path in upload.files} - wanted)
    near = difflib.get_close_matches(filename, names, n=1)
    hint = f" There is a {near[0]}: rename it if it is the one." if near else ""
    return wire.plain_text(f"{filename} is not in the submission: upload it under this name.{hint}")


def refuse_undefined(filename: str, definitions: list[str], assignment: Assignment, submission: Submission) -> None:
    """A function or method that is not there gets one sentence, and no test is tried on it."""
    stars = submission.taken[filename].endswith(".ipynb")
    for spec in assignment.in_file(filename):
        owner, _, name = spec.target.rpartition(".")
        if spec.target in definitions or (owner and owner in definitions and inherited(owner, definitions)):
            continue
        where = submission.taken[filename] if stars else filename
        if owner and owner not in definitions:
            submission.refusals[spec.id] = wire.plain_text(f"{where} defines no class {owner}: keep the given name.")
        else:
            kind = f"method {name} in its class {owner}" if owner else f"function {name}"
            submission.refusals[spec.id] = wire.plain_text(f"{where} defines no {kind}: keep the given name.")


def refuse_forbidden(filename: str, uses: list[str], assignment: Assignment, submission: Submission) -> None:
    """An exercise whose answer uses what the assignment rules out gets no points, and is told the line."""
    for spec in assignment.in_file(filename):
        for use in uses:
            name, _, where = use.partition(": ")
            if name == spec.target:
                rule = "which this assignment rules out: write it with basic torch operations."
                submission.refusals[spec.id] = wire.plain_text(f"{filename}, {where}, {rule}")


def inherited(owner: str, definitions: list[str]) -> bool:
    """A class without methods of its own may inherit them; then only running tells."""
    return not any(name.startswith(owner + ".") for name in definitions)


def extract_helpers(upload, assignment, submission, extract, modules: Modules) -> None:
    """The student's own modules beside the graded files, under the names by which those import them."""
    graded_paths = set(submission.taken.values())
    homes = {str(PurePosixPath(path).parent) for path in graded_paths} or {"."}
    home = min(homes, key=len)
    for path in sorted(upload.files):
        if path in graded_paths or not path.endswith(".py") or len(modules.helpers) >= MAX_HELPERS:
            continue
        relative = PurePosixPath(path)
        if home != ".":
            if not path.startswith(home + "/"):
                continue
            relative = relative.relative_to(home)
        name = ".".join(relative.with_suffix("").parts)
        if not all(part.isidentifier() for part in name.split(".")) or (assignment.given / relative).exists():
            continue
        found = extract(path, all_names=True)
        if not isinstance(found, Failure) and not found.error:
            modules.helpers[name] = found.code
            modules.imports |= set(found.imports)
