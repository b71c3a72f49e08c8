"""CSV files, in and out: read with one clear sentence for what is wrong, written so that no spreadsheet runs a cell."""

import csv
import io
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from autograder.course import CourseError

Cell = str | float | None
FORMULA = tuple("=+-@\N{MINUS SIGN}")


def read_table(path: Path, needed: set[str], more: set[str] | None = None) -> list[tuple[int, dict[str, str]]]:
    """(line, row) of a CSV with a header, whose names are compared in lower case; empty rows are left out.

    Args:
        needed: columns that must be there.
        more: columns that may be; with None, any.
    Raises:
        CourseError: if the file is not there, is no UTF-8, or a column is missing or unknown.
    """
    header, rows = rows_in(path)
    names = [name.strip().lower() for name in header]
    if missing := sorted(needed - set(names)):
        raise CourseError(f"{path.name} has no column {missing[0]}: its header is {', '.join(names) or 'empty'}.")
    if more is not None and (unknown := [name for name in names if name and name not in needed | more]):
        allowed = ", ".join(sorted(needed | more))
        raise CourseError(f"{path.name}: the column {unknown[0]!r} means nothing here; there are {allowed}.")
    return [(place, dict(zip(names, (cell.strip() for cell in row), strict=False))) for place, row in rows]


def rows_in(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header, and (line, cells) of every row that is not empty, as long as the header.

    Raises:
        CourseError: if the file is not there or cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise CourseError(f"There is no file {path}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{path.name} cannot be read as UTF-8 text ({error}): save it as CSV UTF-8.") from None
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    rows: list[tuple[int, list[str]]] = []
    try:
        header = next(reader, [])
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((reader.line_num, [*row, *[""] * (len(header) - len(row))][: len(header)]))
    except csv.Error as error:
        raise CourseError(f"{path.name}, line {reader.line_num}: {error}.") from None
    return header, [(place, [plain_cell(cell) for cell in row]) for place, row in rows]


def table_text(rows: Iterable[Iterable[Cell]]) -> str:
    """Rows as CSV: text in quotes (a semicolon in it splits no cell elsewhere), numbers bare, None empty."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    for row in rows:
        writer.writerow([safe_cell(cell) if isinstance(cell, str) else plain_float(cell) for cell in row])
    return file.getvalue()


def plain_float(value: float | None) -> float | int | str:
    if value is None:
        return ""
    return int(value) if value == int(value) else round(value, 4)


def safe_cell(value: str) -> str:
    """A spreadsheet takes what begins with one of these for a formula, and names are strangers' words.

    Also in their full-width and small forms, and behind spaces and characters that have no width.
    """
    visible = (c for c in value if not c.isspace() and unicodedata.category(c) != "Cf")
    first = unicodedata.normalize("NFKC", next(visible, ""))[:1]
    return f"'{value}" if first in FORMULA or value.startswith(("\t", "\r", "\n")) else value


def plain_cell(value: str) -> str:
    """What safe_cell() was given."""
    return value[1:] if value.startswith("'") and safe_cell(value[1:]) == value else value
