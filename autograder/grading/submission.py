"""From an upload to what is graded: which file is which, what it defines, and what it is refused for.

The upload's files are parsed in the sandbox; this side sees names and sentences, and hands the code on unread.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from autograder.course import Assignment, ExerciseSpec
from autograder.grading.matching import Source, match, plain_name, roots_of, with_imported_names
from autograder.grading.signatures import given_signatures, misfits, signature_hint
from autograder.grading.upload import Upload
from autograder.sandbox.client import Sandbox
from autograder.sandbox.extract import Extract
from autograder.sandbox.messages import Failure, Modules
from autograder.sandbox.text import plain_text

MAX_HELPERS = 40
MAX_UNREADABLE = 3  # files that end their reader or exhaust its time


@dataclass
class Submission:
    """What is graded."""

    taken: dict[str, str] = field(default_factory=dict)  # student file -> path in the upload
    notes: list[str] = field(default_factory=list)
    student_number: str = ""  # as a graded file states it
    refusals: dict[str, str] = field(default_factory=dict)  # "q1_vae.py" or "Q1.3" -> why it gets no points
    signatures: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)  # module -> misfits() of its file

    def explained(self, sentence: str, exercise: ExerciseSpec, failed: bool) -> str:
        """A failed test's sentence, with what ours takes where the student's function takes something else."""
        differing = {name: pair for found in self.signatures.values() for name, pair in found.items()}
        hint = signature_hint(sentence, exercise.target, differing | self.signatures.get(exercise.module, {}), failed)
        return f"{sentence.rstrip('.')}. {hint}" if hint else sentence


class Reader:
    """Reads sources in the sandbox, each once; the submission's worst files may not keep it for ever."""

    def __init__(self, upload: Upload, assignment: Assignment, sandbox: Sandbox):
        self.upload, self.sandbox, self.forbidden = upload, sandbox, list(assignment.forbidden)
        self.wanted = {plain_name(filename) for filename in assignment.files}
        self.extracts: dict[Source, Extract] = {}
        self.unreadable = 0

    def __call__(self, source: Source) -> Extract:
        if source not in self.extracts:
            self.extracts[source] = self.extracted(source)
        return self.extracts[source]

    def extracted(self, source: Source) -> Extract:
        name = PurePosixPath(source.path).name
        if self.unreadable >= MAX_UNREADABLE and plain_name(source.path) not in self.wanted:
            return Extract(error=f"{name} was not read: too many files of this submission cannot be.")
        data = self.upload.files[source.path]
        found = self.sandbox.extract(name, data, list(source.roots), self.forbidden, source.member, dict(source.turns))
        if isinstance(found, Failure):
            self.unreadable += 1
            return Extract(error=f"{name} cannot be read as Python: {found.message}.")
        return found


def understand(upload: Upload, assignment: Assignment, sandbox: Sandbox) -> Submission:
    """Decide which uploaded file is which student file, extract what they define, and hand them to the sandbox."""
    read = Reader(upload, assignment, sandbox)
    targets = {filename: [spec.target for spec in assignment.in_file(filename)] for filename in assignment.files}
    given = {path.name: path.read_bytes() for path in assignment.given.glob("*.py")}
    likely = {plain_name(name): roots_of(targets[name]) for name in targets}
    with ThreadPoolExecutor(sandbox.slots) as pool:  # those that are sure to be read, at once
        sources = [Source(p, roots=likely[plain_name(p)]) for p in upload.files if plain_name(p) in likely]
        list(pool.map(read, sources))
    matching = match(upload.files, targets, given, read)

    submission = Submission({name: source.path for name, source in matching.taken.items()}, upload.notes)
    submission.notes += [note for note in matching.notes if note not in submission.notes]
    submission.refusals |= matching.refusals
    modules = Modules(forbidden=assignment.forbidden)
    for filename, source in matching.taken.items():
        parts = [
            with_imported_names(filename, part, matching, read)
            for part in (source, matching.rest.get(filename))
            if part
        ]
        if error := read(parts[0]).error:
            submission.refusals[filename] = plain_text(f"{filename} was not graded: {error}")
            continue
        extracts = [read(part) for part in parts]
        for found in extracts:
            submission.notes += [note for note in found.notes if note not in submission.notes]
            modules.imports |= set(found.imports)
            submission.student_number = submission.student_number or "".join(found.student_numbers[-1:])
        modules.graded[filename.removesuffix(".py")] = [found.code for found in extracts if not found.error]
        ours = given_signatures(assignment.given / filename)
        theirs = [entry for found in extracts for entry in found.signatures]
        submission.signatures[filename.removesuffix(".py")] = misfits(theirs, ours)
        refuse_undefined(filename, extracts, upload, assignment, submission)
        refuse_forbidden(filename, extracts[0].forbidden, assignment, submission)
    extract_helpers(upload, assignment, submission, read, modules)
    sandbox.provide(modules)
    return submission


def refuse_undefined(
    filename: str, extracts: list[Extract], upload: Upload, assignment: Assignment, submission: Submission
) -> None:
    """A function or method that is not there gets one sentence, and no test is tried on it."""
    defined = {name for found in extracts for name in (*found.definitions, *found.bound)}
    own = {PurePosixPath(path).stem for path in upload.files}
    if any(name.endswith(".*") and name.split(".")[0] in own for name in defined):
        return  # a star from a file of the student's own: only running tells
    lost = {entry.partition(": ")[0]: entry.partition(": ")[2] for found in extracts for entry in found.lost}
    path = submission.taken[filename]
    where = path if path.endswith(".ipynb") else filename
    for spec in assignment.in_file(filename):
        owner, _, name = spec.target.rpartition(".")
        may_inherit = owner in defined and (
            f"{owner}.*" in defined or not any(n.startswith(f"{owner}.") for n in defined)
        )
        if spec.target in defined or may_inherit:
            continue
        if owner and owner not in defined:
            kind = f"class {owner}"
        else:
            kind = f"method {name} in its class {owner}" if owner else f"function {name}"
        advice = lost.get(owner or name) or "keep the given name."
        submission.refusals[spec.id] = plain_text(f"{where} defines no {kind}: {advice}")


def refuse_forbidden(filename: str, uses: list[str], assignment: Assignment, submission: Submission) -> None:
    """An exercise whose answer uses what the assignment rules out gets no points, and is told the line."""
    for spec in assignment.in_file(filename):
        for use in uses:
            name, _, where = use.partition(": ")
            if name == spec.target:
                rule = "which this assignment rules out: write it with basic torch operations."
                submission.refusals[spec.id] = plain_text(f"{filename}, {where}, {rule}")


def extract_helpers(
    upload: Upload, assignment: Assignment, submission: Submission, read: Reader, modules: Modules
) -> None:
    """The student's own modules beside the graded files, under every name by which those may import them."""
    graded = set(submission.taken.values())
    homes = {str(PurePosixPath(path).parent) for path in graded}

    def nearness(path: str) -> tuple:
        return not any(home == "." or path.startswith(f"{home}/") for home in homes), path.count("/"), path

    paths = [path for path in sorted(upload.files, key=nearness) if path not in graded]
    sources = [(path, Source(path)) for path in paths if path.endswith(".py")]
    notebooks = [source for source in read.extracts if source.member]  # what their cells write may be helpers
    sources += [(source.member, source) for source in notebooks if source.member not in assignment.files]
    for path, source in sources[:MAX_HELPERS]:
        parts = PurePosixPath(path).with_suffix("").parts
        if (assignment.given / path).exists() or not all(part.isidentifier() for part in parts[-1:]):
            continue
        found = read(source)
        if found.error:
            continue
        modules.imports |= set(found.imports)
        for start in range(len(parts)):
            name = ".".join(parts[start:])
            if name != "__init__" and all(map(str.isidentifier, parts[start:])) and name not in modules.graded:
                modules.helpers.setdefault(name, [found.code])
