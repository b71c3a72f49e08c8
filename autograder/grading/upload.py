"""What was uploaded, as bytes: a folder, a zip, a zip in a zip, or one file. Trusted: it opens no file's content."""

import io
import os
import stat
import zipfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from autograder.course import CourseError
from autograder.sandbox.text import plain_text

MAX_FILES = 400  # Python files and notebooks; the rest is not even read
MAX_ENTRIES = 20_000
MAX_FOLDER_DEPTH = 20
MAX_NAME = 200  # characters of a path inside a submission
MAX_FILE_BYTES = 32 << 20  # a notebook with many pictures
MAX_TOTAL_BYTES = 96 << 20  # of all that is read or unpacked
MAX_ZIP_DEPTH = 3
IGNORED_FOLDERS = {
    "__MACOSX", "__pycache__", ".ipynb_checkpoints", ".git", ".venv", "venv", "site-packages", "node_modules",
}  # fmt: skip
ENDINGS = (".py", ".ipynb", ".py.txt", ".zip", ".rar", ".7z", ".gz", ".tar", ".tgz", ".xz")
CAREFULLY = 0  # no links, no pipes that make us wait, where the system knows of them
for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
    CAREFULLY |= getattr(os, flag, 0)
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
        self.files[plain_text(path)] = data

    def count(self, data: bytes) -> bool:
        """Whether this, too, is within what a submission may hold."""
        self.total += len(data)
        if self.total > MAX_TOTAL_BYTES:
            self.note(TOO_MUCH)
        return self.total <= MAX_TOTAL_BYTES

    def note(self, text: str) -> None:
        text = plain_text(text)
        if text not in self.notes and len(self.notes) < 20:
            self.notes.append(text)


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
                handle = os.open(path, os.O_RDONLY | CAREFULLY)
                with open(handle, "rb") as file:
                    if stat.S_ISREG(os.fstat(handle).st_mode):
                        collect_file(inside, file.read(MAX_FILE_BYTES + 1), upload, 0)
            except OSError as error:
                upload.note(f"{inside} was not read: {error.strerror} (links are not followed).")
        if entries > MAX_ENTRIES:
            upload.note(TOO_MUCH)
            return


def collect_file(path: str, data: bytes, upload: Upload, depth: int) -> None:
    path = path[:-4] if path.lower().endswith(".py.txt") else path  # what Windows makes of a file that it does not know
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
