"""What could be the mistake in a function: small edits that would undo one, made by rule from the function alone.

Runs inside the sandbox only, on the student's own source. An edit is only a guess: what proves it is that the tests
pass with it, which the grader finds out (autograder/grading/repair.py). The order is that of how often students make
the mistake, so that a search that runs out of time has tried what is likely. The rules are in proposals.py.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from autograder.sandbox.operators import excerpt, places, put
from autograder.sandbox.proposals import RARE, Names, expressions, of_whole, statements

MOST = 8000  # edits of one exercise: no search goes further
STEP = 40  # places that a kind of the next rank stands behind
SIBLINGS = re.compile(r"_(q|p|1|2|real|fake|t|prim|mean|std)\b")
MADE_TWICE = {"name", "missing call", "functions", "extra call", "constant", "dim", "index", "order", "sign", "factor",
              "operator", "keepdim", "reduction", "extra", "subscript", "shape", "detach"}  # fmt: skip


@dataclass
class Edit:
    """One change of a syntax tree that can be made and undone in place.

    kind: one of autograder/grading/repair.py's KINDS; words: what its sentence names, from the student's own line;
    count: how many statements from `node` on a list of statements replaces.
    """

    rank: int
    kind: str
    line: int
    words: tuple[str, ...]
    parent: ast.AST
    name: str  # the parent's field
    node: ast.AST
    replacement: ast.AST | list[ast.stmt]
    shown: ast.AST = field(repr=False)
    count: int = 1
    place: float = 0.0  # in the order in which edits are tried
    undo_at: int | None = None
    whole: list | None = None
    placed: bool = False  # whether the replacement has line numbers

    def make(self) -> None:
        """Put the replacement in its place; where another edit took the place away, nothing happens."""
        self.locate()
        value = getattr(self.parent, self.name)
        if isinstance(self.replacement, list):
            self.whole = list(value)
            at = next((i for i, statement in enumerate(value) if statement is self.node), None)
            if at is not None:
                value[at : at + self.count] = self.replacement or ([] if len(value) > 1 else [ast.Pass()])
        elif isinstance(value, list):
            self.undo_at = next((i for i, entry in enumerate(value) if entry is self.node), None)
            if self.undo_at is not None:
                value[self.undo_at] = self.replacement
        elif value is self.node:
            put(self.parent, self.name, None, self.replacement)
            self.undo_at = -1

    def locate(self) -> None:
        """Give what is new line numbers: once, and only where the edit is tried."""
        if not self.placed:
            for part in self.replacement if isinstance(self.replacement, list) else [self.replacement]:
                if part is not self.node:
                    located(part, self.node)
            self.placed = True

    def undo(self) -> None:
        if self.whole is not None:
            getattr(self.parent, self.name)[:] = self.whole
        elif self.undo_at is not None:
            put(self.parent, self.name, None if self.undo_at == -1 else self.undo_at, self.node)
        self.whole = self.undo_at = None

    def texts(self) -> tuple[str, str]:
        """The changed expression or statement before and after, for TAs."""
        before = excerpt(self.shown)
        self.locate()
        if isinstance(self.replacement, list):
            return before, "; ".join(map(excerpt, self.replacement)) or "(nothing)"
        self.make()
        after = excerpt(self.replacement if self.shown is self.node else self.shown)
        self.undo()
        return before, after


@dataclass
class Everywhere(Edit):
    """The same edit wherever the same thing stands, so that a mistake that was made twice is one."""

    parts: list[Edit] = field(default_factory=list)

    def make(self) -> None:
        for part in self.parts:
            part.make()

    def undo(self) -> None:
        for part in reversed(self.parts):
            part.undo()

    def texts(self) -> tuple[str, str]:
        texts = [part.texts() for part in self.parts]
        return "; ".join(before for before, _ in texts), "; ".join(after for _, after in texts)


def edits(
    function: ast.FunctionDef, tree: ast.AST, helper: bool = False, modules: Iterable[str] = ("torch", "math")
) -> list[Edit]:
    """All edits of one function, the likeliest mistakes first.

    Args:
        function: the definition, part of `tree`.
        tree: the top-level statement, or the file, that it stands in: what else it could have named.
        helper: whether it is a function that the exercise's own function calls: tried after that one.
        modules: names of the modules that it can use.
    """
    names = Names(function, tree, modules)
    found: list[Edit] = []
    for parent, name, index, node, shown in list(places(function, None)):
        if isinstance(node, ast.stmt):
            for rank, kind, words, instead, count in statements(node, parent, function, names):
                found.append(Edit(rank, kind, node.lineno, words, parent, name, node, instead, shown, count))
        else:
            for rank, kind, words, replacement in expressions(node, parent, name, index, names):
                found.append(Edit(rank, kind, node.lineno, words, parent, name, node, replacement, shown))
    for rank, kind, words, line, start, instead, count in of_whole(function, names):
        found.append(Edit(rank, kind, line, words, function, "body", start, instead, start, count))
    found += everywhere(found)
    return in_order(found, helper)[:MOST]


def in_order(found: list[Edit], helper: bool) -> list[Edit]:
    """The likeliest mistakes first, and of each kind some: none waits for all of another kind that has many edits.

    Of one kind, those come first that are the first of their kind at their place, such as the most similar name.
    """
    at: Counter[tuple] = Counter()
    order = []
    for edit in found:
        key = id(edit.node), edit.kind, edit.rank
        order.append((at[key], edit))
        at[key] += 1
    places: Counter[tuple] = Counter()
    for _, edit in sorted(order, key=lambda entry: entry[0]):
        edit.place = STEP * (edit.rank + helper) + places[edit.rank, edit.kind]
        places[edit.rank, edit.kind] += 1
    return sorted(found, key=lambda edit: edit.place)


def located(new: ast.AST, node: ast.AST) -> None:
    """Give what is new in a replacement the line numbers of the node that it replaces; below what is old, all is."""
    ast.copy_location(new, node)
    for part in ast.iter_child_nodes(new):
        if not hasattr(part, "lineno"):
            located(part, node)


def everywhere(found: list[Edit]) -> list[Edit]:
    """Edits that make the same change in two to six places at once."""
    texts: dict[int, str] = {}
    groups: dict[tuple, list[Edit]] = {}
    for edit in found:
        if edit.kind in MADE_TWICE and edit.rank <= RARE and not isinstance(edit.replacement, list):
            text = texts.get(id(edit.node))
            if text is None:
                text = texts[id(edit.node)] = SIBLINGS.sub("_", ast.unparse(edit.node))
            groups.setdefault((edit.kind, text, form(edit.replacement, edit.node)), []).append(edit)
    many: list[Edit] = []
    for alike in groups.values():
        first = alike[0]
        if 2 <= len(alike) <= 6:
            many.append(Everywhere(first.rank + 1, first.kind, first.line, first.words, first.parent, first.name,
                                   first.node, first.replacement, first.shown, parts=alike))  # fmt: skip
    return many


def form(new: object, node: ast.AST) -> object:
    """What a replacement looks like but for the node that it replaces: the same for the same change elsewhere."""
    if new is node:
        return "_"
    match new:
        case ast.Name(id=name) | ast.arg(arg=name):
            return SIBLINGS.sub("_", name)
        case ast.Constant(value=value):
            return repr(value)
        case ast.AST():
            parts = [form(getattr(new, name, None), node) for name in new._fields if name not in ("ctx", "kind")]
            return type(new).__name__, *parts
        case list():
            return tuple(form(part, node) for part in new)
    return new
