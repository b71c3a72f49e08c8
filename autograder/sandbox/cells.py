"""From the bytes of a .py or .ipynb to pieces of Python: one for a .py file, one for each code cell of a notebook.

Pure functions of the standard library, for the sandbox and for the students' own check; IPython is imported only where
a piece is not plain Python. Nothing here may be imported lazily from our own files: a confined worker cannot read them.
"""

import ast
import codecs
import json
import re
import tokenize
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any

# Cell magics above a cell that is Python; %%writefile q1_vae.py is how many complete a file in a notebook.
BODY_MAGIC = re.compile(r"\s*%%(?:(?:time|timeit|capture|prun|memit)\b.*|(?:writefile|file)\b(?P<file>.*))(?:\n|$)")
TIME_MAGIC = re.compile(r"(?m)^([ \t]*)%time[ \t]+(?=\S)")
# Commands that notebooks take without their % too, unless a variable has that name.
BARE_COMMANDS = {
    "pip", "pip3", "conda", "mamba", "uv", "cd", "ls", "mkdir", "rmdir", "rm", "cp", "mv", "cat", "wget", "matplotlib",
    "load_ext", "reload_ext", "autoreload", "run", "env", "pylab", "config", "git", "python",
}  # fmt: skip
SOME_LINES = 60  # that IPython looks at together


@dataclass
class Cell:
    """A piece of source that is parsed on its own."""

    label: str  # shown in messages and tracebacks
    text: str
    writes: str = ""  # the .py file that its %%writefile makes
    adds: bool = False  # to what earlier cells have written


def read_cells(filename: str, data: bytes, notes: list[str]) -> list[Cell]:
    """The pieces of a file, in their order.

    Args:
        notes: takes a sentence where something about the file is odd but readable.
    Raises:
        ValueError: if it is no text, or no notebook.
    """
    text = decode_text(filename, data, notes)
    if not filename.lower().endswith(".ipynb"):
        return [Cell(filename, text)]
    try:
        notebook = json.loads(text)
        sheets = notebook.get("worksheets", [notebook])  # format 3, of 2013, had sheets
        cells = [cell for sheet in sheets for cell in sheet["cells"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it is not a notebook in a format that is known ({type(error).__name__})") from error
    found = [code_cell(f"{filename} cell {position}", cell) for position, cell in enumerate(cells, start=1)]
    return [cell for cell in found if cell]


def code_cell(label: str, cell: object) -> Cell | None:
    if not isinstance(cell, dict) or cell.get("cell_type") != "code":
        return None
    source = cell.get("source", cell.get("input", ""))
    source = source if isinstance(source, str) else "".join(map(str, source)) if isinstance(source, list) else ""
    source = unix_lines(source)
    magic = BODY_MAGIC.match(source)
    if not magic:
        return None if re.match(r"\s*%%\w", source) else Cell(label, source)
    text = "\n" * magic[0].count("\n") + source[magic.end() :]
    if magic["file"] is None:
        return Cell(label, text)
    options = magic["file"].split()
    name = PurePosixPath(" ".join(o for o in options if o not in ("-a", "--append")).strip("\"'")).name
    return Cell(label, text, name, len(set(options) & {"-a", "--append"}) > 0) if name.endswith(".py") else None


def written_files(cells: list[Cell]) -> list[str]:
    """The names of the files that a notebook's %%writefile cells make."""
    return list(dict.fromkeys(cell.writes for cell in cells if cell.writes))


def cells_of(cells: list[Cell], member: str) -> list[Cell]:
    """The cells that make the file `member`; with no member, those that run in the notebook itself."""
    chosen: list[Cell] = []
    for cell in cells:
        if cell.writes == member:
            chosen = [*chosen, cell] if cell.adds or not member else [cell]
    return chosen


def decode_text(filename: str, data: bytes, notes: list[str]) -> str:
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return unix_lines(data.decode(encoding))
    try:
        encoding, _ = tokenize.detect_encoding(BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        text = data.decode("latin-1")
        notes.append(f"{filename} is not UTF-8; it was read as Latin-1.")
    if "\0" in text:
        raise ValueError("it contains null bytes, so it is not a text file")
    return unix_lines(text)


def unix_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")


# ---------------------------------------------------------------- text to a syntax tree


def parsed(cell: Cell) -> tuple[str, ast.Module]:
    """A cell's Python and its syntax tree, with the student's own line numbers.

    Raises:
        SyntaxError: where it is not Python, and not made so by IPython either.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes and the like are the student's own business
        try:
            text, tree = cell.text, ast.parse(cell.text, cell.label)
        except SyntaxError:
            text = python_of(cell.text) or cell.text
            if text == cell.text:
                raise
            tree = ast.parse(text, cell.label)  # what is still wrong is the student's
    return text, WithoutShell().visit(tree) if "get_ipython" in text else tree


def python_of(text: str) -> str | None:
    """What IPython makes of `!pip install x`, `%matplotlib inline`, `help?` or `>>> x = 1`, each line where it was.

    Returns: None where IPython cannot say, or is not installed.
    """
    try:
        from IPython.core.inputtransformer2 import TransformerManager, make_tokens_by_line

        manager: Any = TransformerManager()
        lines = [line + "\n" for line in TIME_MAGIC.sub(r"\1", text).split("\n")]
        length = len(lines)
        for transform in manager.cleanup_transforms:
            lines = transform(lines)
        lines = ["\n"] * (length - len(lines)) + lines  # it leaves out empty lines at the top
        lines = without_magics(manager, lines, make_tokens_by_line)
        for tokens in make_tokens_by_line(lines):
            words = [token for token in tokens if token.string.strip()]
            if len(words) > 1 and words[0].string in BARE_COMMANDS and is_argument(words[1]):
                row, column = words[0].start
                lines[row - 1] = lines[row - 1][:column] + "%" + lines[row - 1][column:]
        return "".join(without_magics(manager, lines, make_tokens_by_line))
    except Exception:  # its own errors, and those of Python's tokenizer: the student's SyntaxError says more
        return None


def without_magics(manager: Any, lines: list[str], tokens_by_line: Callable) -> list[str]:
    """IPython's transformations one after another, with the lines that each has joined given back as empty ones.

    IPython tokenizes all that it is given again after each of them. So it is given some lines at a time, from the
    beginning of a statement at the margin on; a file with many commands then costs no more than its length.
    """
    done: list[str] = []
    size = SOME_LINES
    while True:
        some, whole = lines[:size], size >= len(lines)
        changed, after = manager.do_one_token_transform(some)
        if changed:
            pairs = enumerate(zip(some, after, strict=False))
            first = next((i for i, (old, new) in pairs if old != new), len(after) - 1)
            if not whole and first > size // 2:  # its end may be out of sight
                size *= 2
                continue
            lines = after[: first + 1] + ["\n"] * (len(some) - len(after)) + after[first + 1 :] + lines[size:]
            cut = first + 1 if lines[first][:1].strip() else 0
        elif whole:
            return done + lines
        else:
            starts = [tokens[0].start for tokens in tokens_by_line(some) if tokens and tokens[0].string.strip()]
            cut = max((row - 1 for row, column in starts if column == 0), default=0)
            size = size if cut else 2 * size
        done, lines = done + lines[:cut], lines[cut:]


def is_argument(token: tokenize.TokenInfo) -> bool:
    """Whether a word after the first makes a line a command, which a Python statement cannot be."""
    return token.type in (tokenize.NAME, tokenize.NUMBER) or token.string in ("-", "--", ".", "..", "/", "~")


class WithoutShell(ast.NodeTransformer):
    """`get_ipython().system("...")` and all that is asked of it become None: nothing of it concerns a grade."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        asked = node.func.value if isinstance(node.func, ast.Attribute) else None
        shell = asked.func if isinstance(asked, ast.Call) else None
        is_shell = isinstance(shell, ast.Name) and shell.id == "get_ipython"
        return ast.copy_location(ast.Constant(None), node) if is_shell else node
