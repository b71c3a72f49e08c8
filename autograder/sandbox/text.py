"""A stranger's text, made harmless before anybody reads it."""

from typing import Any


def plain_text(text: Any, limit: int = 300) -> str:
    """A stranger's text as one harmless line: no control characters, no terminal escapes, not too long."""
    line = " ".join(str(text).split())
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
    return line if len(line) <= limit else line[: limit - 1] + "…"
