"""Downloads for the loaders: checked, retried, resumed, and never half a file under the final name."""

import hashlib
import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from tqdm import tqdm

from data_loaders import DataError

CHUNK = 1 << 20


def download(
    url: str | Sequence[str],
    path: str | Path,
    *,
    sha256: str | None = None,
    md5: str | None = None,
    attempts: int = 4,
    pause: float = 1.0,
    timeout: float = 30.0,
    hint: str = "",
) -> Path:
    """Fetch `url` to `path`, unless a file with the right checksum is there already.

    The bytes arrive in `path` + ".part", which takes the final name only when complete and checked. A
    connection that breaks is resumed where it stopped, if the server allows it (and only under a
    checksum, since the file may have changed in between); a later call resumes too.

    Args:
        url: the file's address, or several mirrors of it, taken in turn.
        sha256, md5: hexadecimal checksum of the file; without one, only its announced length is checked.
        attempts: how often to try in all. A refusal (HTTP 4xx) is final for its address.
        pause: seconds before the second attempt, doubled before each further one.
        timeout: seconds without a byte after which an attempt counts as failed.
        hint: appended to the error message: what else the user can do.

    Raises:
        DataError: the file could not be had, or not be written.
    """
    path = Path(path)
    if path.is_file() and (not (sha256 or md5) or has_checksum(path, sha256=sha256, md5=md5)):
        return path
    part = path.with_name(path.name + ".part")
    addresses = [url] if isinstance(url, str) else list(url)
    reason = "no address"
    for attempt in range(attempts):
        if not addresses:
            break
        if attempt:
            time.sleep(pause * 2 ** (attempt - 1))
        address = addresses[attempt % len(addresses)]
        try:
            _receive(address, part, resume=bool(sha256 or md5), timeout=timeout)
            if not has_checksum(part, sha256=sha256, md5=md5):
                part.unlink()
                raise OSError("the checksum is wrong")
            os.replace(part, path)
            return path
        except (OSError, http.client.HTTPException) as error:
            reason = str(getattr(error, "reason", None) or error) or type(error).__name__
            if isinstance(error, urllib.error.HTTPError):
                reason = f"HTTP {error.code} {error.reason}"
                if error.code == 416:  # nothing left to resume: the part is of no use
                    part.unlink(missing_ok=True)
                elif 400 <= error.code < 500 and error.code not in (408, 429):
                    addresses.remove(address)
    home = url if isinstance(url, str) else url[0]
    raise DataError(
        f"could not download {home} ({reason}): check the network and run again, "
        f"or put the file at {path} by hand{', ' + hint if hint else ''}."
    )


def has_checksum(path: Path, *, sha256: str | None = None, md5: str | None = None) -> bool:
    """Whether the file has every checksum that is given."""
    for name, expected in (("sha256", sha256), ("md5", md5)):
        if expected:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, lambda name=name: hashlib.new(name, usedforsecurity=False))
            if digest.hexdigest() != expected.lower():
                return False
    return True


def _receive(address: str, part: Path, resume: bool, timeout: float) -> None:
    """One attempt: append to `part` what it lacks, or write it anew. OSError: the file stays short."""
    have = part.stat().st_size if resume and part.exists() else 0
    headers = {"User-Agent": "generative-models-assignments"} | ({"Range": f"bytes={have}-"} if have else {})
    request = urllib.request.Request(address, headers=headers)
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        content_range = answer.headers.get("Content-Range", "")
        resumed = answer.status == 206 and content_range.startswith(f"bytes {have}-")
        if not resumed:  # the server sends the whole file
            have = 0
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length else None
        bar = tqdm(desc=part.stem, initial=have, total=total, unit="B", unit_scale=True, disable=None)
        with _open(part, "ab" if resumed else "wb") as file, bar:
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                have += len(chunk)
                bar.update(len(chunk))
    if total is not None and have != total:
        raise OSError(f"the connection broke after {have:,} of {total:,} bytes")


def _open(part: Path, mode: str) -> BinaryIO:
    """Open the file, in a folder made if need be; called when bytes arrive: being offline leaves no trace."""
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        return part.open(mode)
    except OSError as error:
        raise DataError(f"cannot write {part} ({error.strerror}): choose another --data-root.") from error
