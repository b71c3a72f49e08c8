"""Files that are whole or not there: atomic writes, and zips that are the same for the same content."""

import os
import stat
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

TEMPORARY = ".partial-"  # the beginning of a name that is not yet what it shall be


def write_text(path: Path, text: str) -> None:
    """Replace a file in one step: whoever reads it finds the old text or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=TEMPORARY)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # what is there after a power cut is whole
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def write_zip(path: Path, entries: Iterable[tuple[str, bytes, int]]) -> None:
    """Write (name, bytes, mode) entries as a zip, in one step; the same entries give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data, mode in entries:
            entry = zipfile.ZipInfo(name, date_time=(2020, 1, 1, 0, 0, 0))
            entry.external_attr = (stat.S_IFREG | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    os.replace(partial, path)
