"""What could be the mistake in a function: small edits that would undo one, made by rule from the function alone.

Runs inside the sandbox only, on the student's own source. An edit is only a guess: what proves it is that the tests
pass with it, which the grader finds out (autograder/grading/repair.py). The order is that of how often students make
the mistake, so that a search that runs out of time has tried what is likely.
"""

import ast
import difflib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from autograder.sandbox.operators import (
    OPERATORS,
    TAKEN_FOR,
    WITHOUT_GRADIENT,
    excerpt,
    imported,
    is_docstring,
    places,
    put,
    swapped,
)

COMMON, USUAL, RARE, LAST = range(4)  # how often a mistake of a kind is made
MOST = 4000  # edits of one exercise: no search goes further

MORE_FUNCTIONS = [
    ("mean", "sum"), ("log", "log1p"), ("exp", "expm1"), ("sigmoid", "logsigmoid"), ("sigmoid", "tanh"), ("sin", "cos"),
    ("softplus", "relu"), ("var", "std"), ("logsumexp", "sum"), ("log_softmax", "softmax"), ("randn_like", "ones_like"),
    ("squeeze", "unsqueeze"), ("cat", "stack"), ("mse_loss", "l1_loss"), ("mse_loss", "smooth_l1_loss"),
    ("l1_loss", "smooth_l1_loss"), ("binary_cross_entropy", "binary_cross_entropy_with_logits"), ("det", "slogdet"),
    ("MSELoss", "L1Loss"), ("BCELoss", "BCEWithLogitsLoss"), ("ceil", "floor"), ("argmax", "argmin"), ("rand", "randn"),
    ("Adam", "SGD"), ("matmul", "mul"), ("tile", "repeat_interleave"), ("expand", "repeat"), ("amax", "amin"),
]  # fmt: skip
CONFUSED: dict[str, list[str]] = {name: list(others) for name, others in TAKEN_FOR.items()}
for one, other in MORE_FUNCTIONS:
    for name, taken in ((one, other), (other, one)):
        if taken not in CONFUSED.setdefault(name, []):
            CONFUSED[name].append(taken)

# Calls that change no shape: a student leaves them out, or writes one too many.
REDUCTIONS = {"sum", "mean", "prod", "max", "min", "logsumexp", "softmax", "log_softmax", "cumsum", "cumprod", "norm",
              "var", "std", "amax", "amin", "cat", "stack", "argmax", "flip"}  # fmt: skip
DIMS = (1, 0, -1, (1, 2, 3), None)
FEW = {"return", "unused", "early return", "in place", "exchanged", "no gradient", "keepdim", "loop", "brackets",
       "order", "functions", "missing statement", "condition", "sequence of values", "arguments",
       "accumulated"}  # fmt: skip
MANY = {"name", "constant", "index"}
TIMES = {
    "t", "i", "k", "n", "s", "step", "time", "idx", "index", "t_index", "timestep", "n_steps", "timesteps", "steps"
}  # fmt: skip


@dataclass
class Edit:
    """One change of a syntax tree that can be made and undone in place.

    kind: one of autograder/grading/repair.py's KINDS; words: what its sentence names, from the student's own line.
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
    undo_at: int | None = None
    whole: list | None = None
    placed: bool = False  # whether the replacement has line numbers

    def likelihood(self) -> tuple[int, int]:
        """What edits are tried in the order of: of equal ranks, those first of whose kind there are few."""
        return self.rank, 0 if self.kind in FEW else 2 if self.kind in MANY else 1

    def make(self) -> None:
        """Put the replacement in its place; where another edit took the place away, nothing happens."""
        if not self.placed:
            for part in self.replacement if isinstance(self.replacement, list) else [self.replacement]:
                if part is not self.node:
                    located(part, self.node)
            self.placed = True
        value = getattr(self.parent, self.name)
        if isinstance(self.replacement, list):
            self.whole = list(value)
            at = next((i for i, statement in enumerate(value) if statement is self.node), None)
            if at is not None:
                end = at + (2 if self.kind == "sequence" else 1)
                value[at:end] = self.replacement or ([] if len(value) > 1 else [ast.Pass()])
        elif isinstance(value, list):
            self.undo_at = next((i for i, entry in enumerate(value) if entry is self.node), None)
            if self.undo_at is not None:
                value[self.undo_at] = self.replacement
        elif value is self.node:
            put(self.parent, self.name, None, self.replacement)
            self.undo_at = -1

    def undo(self) -> None:
        if self.whole is not None:
            getattr(self.parent, self.name)[:] = self.whole
        elif self.undo_at is not None:
            put(self.parent, self.name, None if self.undo_at == -1 else self.undo_at, self.node)
        self.whole = self.undo_at = None

    def texts(self) -> tuple[str, str]:
        """The changed expression or statement before and after, for TAs."""
        before = excerpt(self.shown)
        if isinstance(self.replacement, list):
            return before, "; ".join(map(excerpt, self.replacement)) or "(nothing)"
        self.make()
        after = excerpt(self.replacement if self.shown is self.node else self.shown)
        self.undo()
        return before, after


def edits(function: ast.FunctionDef, tree: ast.AST, helper: bool = False) -> list[Edit]:
    """All edits of one function, the likeliest mistakes first.

    Args:
        function: the definition, part of `tree`.
        tree: the top-level statement, or the file, that it stands in: what else it could have named.
        helper: whether it is a function that the exercise's own function calls: tried after that one.
    """
    names = Names(function, tree)
    found = []
    for parent, name, index, node, shown in list(places(function, None)):
        proposals = statements(node, parent, function) if isinstance(node, ast.stmt) else expressions(
            node, parent, name, index, names)  # fmt: skip
        for rank, kind, words, replacement in proposals:
            found.append(Edit(rank, kind, node.lineno, words, parent, name, node, replacement, shown))
    found += exchanges(function) + everywhere(found)
    for edit in found:
        edit.rank += helper
    return sorted(found, key=Edit.likelihood)[:MOST]


def located(new: ast.AST, node: ast.AST) -> None:
    """Give what is new in a replacement the line numbers of the node that it replaces; below what is old, all is."""
    ast.copy_location(new, node)
    for part in ast.iter_child_nodes(new):
        if not hasattr(part, "lineno"):
            located(part, node)


def exchanges(function: ast.FunctionDef) -> list[Edit]:
    """Two families of arguments taken for each other: q and p, real and fake."""
    arguments = [a.arg for a in function.args.args if a.arg not in ("self", "cls")]
    body = [statement for statement in function.body if not is_docstring(statement)]
    found: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for one, other in combinations(arguments, 2):
        found[one, other, "alone"] = [(one, other)]
        head, first, second, tail = differing(one, other)
        if first and second and (head or tail):
            found.setdefault((first, second), []).append((one, other))
    edits = []
    for pairs in found.values():
        names = [name for pair in pairs for name in pair]
        values = [name for pair in pairs for name in reversed(pair)]
        swap = ast.parse(f"{', '.join(names)} = {', '.join(values)}").body[0]
        if body:
            start = body[0]
            edits.append(
                Edit(COMMON, "exchanged", start.lineno, pairs[0], function, "body", start, [swap, start], start)
            )
    return edits


def differing(one: str, other: str) -> tuple[str, str, str, str]:
    """("mu_", "q", "p", "") of `mu_q` and `mu_p`."""
    head = os.path.commonprefix([one, other])
    tail = os.path.commonprefix([one[len(head) :][::-1], other[len(head) :][::-1]])[::-1]
    return head, one[len(head) : len(one) - len(tail)], other[len(head) : len(other) - len(tail)], tail


SIBLINGS = re.compile(r"_(q|p|1|2|real|fake|t|prim|mean|std)\b")
MADE_TWICE = {"name", "missing call", "functions", "extra call", "constant", "dim", "index", "order", "sign", "factor",
              "operator", "keepdim", "reduction", "extra", "subscript", "shape", "detach"}  # fmt: skip


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


def everywhere(found: list[Edit]) -> list[Edit]:
    groups: dict[tuple[str, ...], list[Edit]] = {}
    for edit in found:
        if edit.kind in MADE_TWICE and edit.rank <= RARE and not isinstance(edit.replacement, list):
            texts = [SIBLINGS.sub("_", ast.unparse(node)) for node in (edit.node, edit.replacement)]
            groups.setdefault((edit.kind, *texts), []).append(edit)
    many: list[Edit] = []
    for alike in groups.values():
        first = alike[0]
        if 2 <= len(alike) <= 6:
            many.append(Everywhere(first.rank + 1, first.kind, first.line, first.words, first.parent, first.name,
                                   first.node, first.replacement, first.shown, parts=alike))  # fmt: skip
    return many


class Names:
    """What a function can name: its arguments and variables, and the attributes that are read from each object."""

    def __init__(self, function: ast.FunctionDef, tree: ast.AST):
        arguments = function.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        stored = [n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        self.local = list(dict.fromkeys([*(a.arg for a in every if a.arg not in ("self", "cls")), *stored]))
        self.modules = imported(tree) | {"torch", "math", "np", "F", "nn", "numpy"}
        read = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        self.unused = [a.arg for a in every if a.arg not in read and a.arg not in ("self", "cls")]
        self.attributes: dict[str, list[str]] = {}
        methods = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and id(node) not in methods:
                known = self.attributes.setdefault(node.value.id, [])
                if node.attr not in known:
                    known.append(node.attr)

    def others(self, name: str) -> list[str]:
        return near(name, [other for other in self.local if other != name])

    def other_attributes(self, node: ast.Attribute) -> list[str]:
        if not isinstance(node.value, ast.Name) or node.value.id in self.modules:
            return []
        return near(node.attr, [name for name in self.attributes.get(node.value.id, []) if name != node.attr])


def near(name: str, others: list[str]) -> list[str]:
    """The likest first: `alpha_bar` before `x` where `alpha` stands."""
    return sorted(others, key=lambda other: -difflib.SequenceMatcher(None, name, other).ratio())


def alike(name: str, other: str) -> bool:
    return max(len(name), len(other)) <= 2 or difflib.SequenceMatcher(None, name, other).ratio() >= 0.6


Proposal = tuple[int, str, tuple[str, ...], ast.AST | list[ast.stmt]]


# ---------------------------------------------------------------- statements


def statements(node: ast.stmt, parent: ast.AST, function: ast.FunctionDef) -> Iterator[Proposal]:
    if isinstance(node, ast.FunctionDef | ast.Pass | ast.Import | ast.ImportFrom):
        return
    body = next((value for _, value in ast.iter_fields(parent) if isinstance(value, list) and node in value), [])
    last = bool(body) and body[-1] is node
    if last and parent is function and isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr):
        value = node.value if isinstance(node, ast.Expr) else None
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if value is not None:
            yield COMMON, "return", (), [ast.Return(value)]
        elif isinstance(target, ast.Name):
            yield COMMON, "return", (), [node, ast.Return(load(target.id))]
    if last and parent is function and isinstance(node, ast.For | ast.While | ast.With | ast.If):
        stored = [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        for name in dict.fromkeys(reversed(stored)):
            yield COMMON, "return", (), [node, ast.Return(load(name))]
    if isinstance(node, ast.For | ast.While):
        kept = [s for s in node.body if not isinstance(s, ast.Return)]
        returned = [s for s in node.body if isinstance(s, ast.Return)]
        if returned and kept:
            loop = with_fields(node, body=kept)
            yield COMMON, "early return", (), [loop, returned[0]]
    if isinstance(node, ast.With) and any(word in excerpt(node) for word in WITHOUT_GRADIENT):
        yield COMMON, "no gradient", (), node.body
    if isinstance(node, ast.If):
        yield USUAL, "branch", (), node.body
        if node.orelse:
            yield USUAL, "branch", (), node.orelse
    if isinstance(node, ast.AugAssign):
        plain = ast.Assign([node.target], node.value)
        yield USUAL, "accumulated", (), [plain]
        read = load(node.target.id) if isinstance(node.target, ast.Name) else None
        if read is not None:
            whole = ast.Assign([node.target], ast.BinOp(read, node.op, node.value))
            yield COMMON, "in place", (), [whole]
        for operator in (ast.Add, ast.Sub, ast.Mult, ast.Div):
            if not isinstance(node.op, operator):
                yield COMMON, "operator", (), [with_fields(node, op=operator())]
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        for operator in (ast.Add, ast.Mult):
            added = ast.AugAssign(node.targets[0], operator(), node.value)
            yield RARE, "overwritten", (), [added]
    if not isinstance(node, ast.Return | ast.FunctionDef):
        yield USUAL, "statement", (), []
    if len(body) > 1 and not last:
        follower = body[body.index(node) + 1]
        if isinstance(follower, ast.Expr | ast.Assign | ast.AugAssign) and isinstance(
            node, ast.Expr | ast.Assign | ast.AugAssign
        ):
            yield USUAL, "sequence", (), [follower, node]
    for call in missing_statements(function):
        yield COMMON, "missing statement", (called_name(call),), [ast.Expr(call), node]


def missing_statements(function: ast.FunctionDef) -> Iterator[ast.Call]:
    """What a training step may lack: its names are the student's own."""
    names = dict.fromkeys(n.id for n in ast.walk(function) if isinstance(n, ast.Name))
    names |= dict.fromkeys(argument.arg for argument in function.args.args)
    for name in names:
        if "optim" in name:
            yield method(load(name), "zero_grad")
            yield method(load(name), "step")
        elif "loss" in name:
            yield method(load(name), "backward")


def with_fields(node: ast.AST, **changes: object) -> Any:
    """A copy of one node, sharing what is below it."""
    fields = dict(ast.iter_fields(node)) | changes
    return type(node)(**fields)


def load(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


# ---------------------------------------------------------------- expressions


def expressions(node: ast.expr, parent: ast.AST, name: str, index: int | None, names: Names) -> Iterator[Proposal]:
    if isinstance(getattr(node, "ctx", None), ast.Store) or isinstance(parent, ast.arguments):
        return
    is_function = isinstance(parent, ast.Call) and name == "func"
    in_index = isinstance(parent, ast.Subscript) and name == "slice" or isinstance(parent, ast.Slice)
    of_range = isinstance(parent, ast.Call) and name == "args" and called_name(parent) == "range"
    whole = isinstance(parent, ast.Return | ast.Assign | ast.AugAssign)
    operand = isinstance(parent, ast.BinOp)
    handed = isinstance(parent, ast.Call) and name == "args" or isinstance(parent, ast.keyword)
    receiver = isinstance(parent, ast.Attribute) and not is_module(node, names)
    member = isinstance(parent, ast.Tuple | ast.List) and not in_index
    number = isinstance(node, ast.Constant) and isinstance(node.value, int | float)
    word = isinstance(parent, ast.keyword) and parent.arg or ""
    value = not is_function and not is_module(node, names) and isinstance(
        node, ast.BinOp | ast.Call | ast.Name | ast.Attribute | ast.Subscript | ast.UnaryOp | ast.Constant
    )  # fmt: skip

    yield from own_changes(node, names, word, in_index or of_range)
    if in_index or of_range:
        if value and not isinstance(node, ast.UnaryOp) or number:
            for by in (ast.Add(), ast.Sub()):
                yield COMMON, "index", (), ast.BinOp(node, by, ast.Constant(1))
    elif isinstance(node, ast.Name) and node.id in TIMES and (handed or operand):
        for by in (ast.Sub(), ast.Add()):
            yield USUAL, "index", (), ast.BinOp(node, by, ast.Constant(1))
    if not value or word in ("dim", "keepdim", "device", "dtype", "axis"):
        return
    negative = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
    if (whole or operand or handed or receiver or member) and not (negative or in_index or of_range):
        yield COMMON if whole else USUAL, "sign", (), ast.UnaryOp(ast.USub(), node)
    if in_index or of_range or number and not operand:
        return
    if whole or operand or handed or member or receiver:
        rank = USUAL if not number else RARE
        summed = isinstance(parent, ast.Attribute) and parent.attr in ("sum", "mean")
        for said, replacement in missing_calls(node):
            later = (handed or receiver and not summed) * (rank < RARE)
            yield rank + later - (summed and "square" in said), "missing call", (said,), replacement
        for factor in (0.5, 2):
            yield (USUAL if whole else RARE), "factor", (), ast.BinOp(ast.Constant(factor), ast.Mult(), node)
        if isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
            for replacement in reshaped(node):
                yield RARE, "shape", (), replacement
        yield RARE, "factor", (), ast.BinOp(node, ast.Add(), ast.Constant(1))
        yield RARE, "factor", (), ast.BinOp(node, ast.Sub(), ast.Constant(1))
        if handed or whole or operand:
            yield (USUAL if handed else RARE), "detach", (), method(node, "detach")
    if whole or operand:
        for other in names.local:
            for operator in (ast.Mult, ast.Add, ast.Sub, ast.Div):
                yield LAST, "missing", (), ast.BinOp(node, operator(), load(other))
            for product in (ast.Mult, ast.Div):
                square = ast.BinOp(load(other), ast.Pow(), ast.Constant(2))
                yield LAST, "missing", (), ast.BinOp(node, product(), square)
        for reduction in ("sum", "mean"):
            for dim in DIMS:
                yield (USUAL if whole else RARE), "reduction", (), with_dim(method(node, reduction), dim)


def own_changes(node: ast.expr, names: Names, word: str, in_index: bool) -> Iterator[Proposal]:
    """What may be wrong with an expression itself, wherever it stands."""
    match node:
        case ast.Constant(value=bool(flag)):
            yield COMMON, "keepdim" if word == "keepdim" else "constant", (), ast.Constant(not flag)
        case ast.Constant() if word in ("dim", "axis"):
            return  # that is an edit of the call
        case ast.Constant(value=int() | float() as number):
            half = number / 2 if number % 2 or isinstance(number, float) else number // 2
            for changed in dict.fromkeys((2 * number, half, number + 1, number - 1, 1, 0, -1, 2, 0.5, 3, -number)):
                if changed != number:
                    usual = changed in (2 * number, half, number + 1, number - 1, -number)
                    kind = "index" if in_index else "constant"
                    yield COMMON if usual else USUAL, kind, (f"{number:g}",), literal(changed)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            if word not in ("dim", "axis"):
                yield COMMON, "index" if in_index else "sign", (), operand
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield COMMON, "condition", (), operand
        case ast.BinOp(left=left, op=op, right=right):
            yield COMMON, "sign" if isinstance(op, ast.Add | ast.Sub) else "operator", (), ast.BinOp(
                left, OPERATORS.get(type(op), ast.Mult)(), right)  # fmt: skip
            if isinstance(op, ast.Sub | ast.Div | ast.Pow | ast.MatMult):
                yield COMMON, "order", (), ast.BinOp(right, op, left)
            yield COMMON, "extra", (ast.unparse(right)[:40],), left
            alone = ast.UnaryOp(ast.USub(), right) if isinstance(op, ast.Sub) else right
            yield COMMON, "extra", (ast.unparse(left)[:40],), alone
            for kind_of in (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow):
                if not isinstance(op, kind_of | OPERATORS.get(type(op), ast.Mult)):
                    yield USUAL, "operator", (), ast.BinOp(left, kind_of(), right)
            yield from regrouped(node)
        case ast.BoolOp(op=op, values=values):
            yield COMMON, "condition", (), ast.BoolOp(OPERATORS[type(op)](), values)
            yield from ((COMMON, "condition", (), one) for one in values)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            same = ast.Is, ast.IsNot
            for compares in same if isinstance(op, same) else (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq):
                if not isinstance(op, compares):
                    yield COMMON, "condition", (), ast.Compare(left, [compares()], [right])
        case ast.IfExp(body=body, orelse=orelse):
            yield COMMON, "condition", (), with_fields(node, body=orelse, orelse=body)
            yield USUAL, "branch", (), body
            yield USUAL, "branch", (), orelse
        case ast.Call():
            yield from call_changes(node, names)
        case ast.Tuple(elts=elements) | ast.List(elts=elements) if isinstance(node.ctx, ast.Load):
            for exchanged in swapped(elements):
                yield COMMON, "sequence of values", (), type(node)(exchanged, ast.Load())
            for element in elements:
                rest = [other for other in elements if other is not element]
                yield RARE, "extra", (ast.unparse(element)[:40],), with_fields(node, elts=rest)
            if len(elements) == 1:
                yield USUAL, "extra", (), elements[0]
        case ast.Name(id=name) if name not in names.modules:
            for other in names.others(name):
                yield COMMON if alike(name, other) else RARE, "name", (name,), load(other)
            if name in names.local:
                for owner in ("self",):
                    if name in names.attributes.get(owner, []):
                        yield USUAL, "name", (name,), ast.Attribute(load(owner), name, ast.Load())
        case ast.Attribute(value=value, attr=attribute):
            for other in names.other_attributes(node):
                rank = COMMON if alike(attribute, other) else USUAL
                yield rank, "name", (ast.unparse(node),), ast.Attribute(value, other, ast.Load())
            if isinstance(value, ast.Name) and value.id not in names.modules and attribute in names.local:
                yield USUAL, "name", (ast.unparse(node),), load(attribute)
            if isinstance(value, ast.Name) and value.id not in names.modules:
                for other in names.local:
                    yield RARE, "name", (ast.unparse(node),), load(other)
        case ast.Subscript(value=value, ctx=ast.Load()):
            yield USUAL, "subscript", (ast.unparse(node)[:40],), value


def call_changes(node: ast.Call, names: Names) -> Iterator[Proposal]:
    """Without the call, another function, arguments swapped, dropped or added, another dim."""
    name = called_name(node) or ast.unparse(node.func)[:40]
    owner = node.func.value if isinstance(node.func, ast.Attribute) else None
    is_method = owner is not None and not is_module(node.func, names)
    if owner is not None and is_method and not (isinstance(owner, ast.Name) and owner.id == "self"):
        yield COMMON, "extra call", (name,), owner
    elif len(node.args) >= 1 and not isinstance(node.args[0], ast.Starred):
        yield COMMON if len(node.args) == 1 else RARE, "extra call", (name,), node.args[0]
    for unused in names.unused:
        handed_on = [*node.keywords, ast.keyword(unused, load(unused))]
        yield COMMON, "unused", (unused,), with_fields(node, keywords=handed_on)
        if name.startswith(("rand", "normal")):
            absent = ast.Compare(load(unused), [ast.Is()], [ast.Constant(None)])
            yield COMMON, "unused", (unused,), ast.IfExp(absent, node, load(unused))
            yield COMMON, "unused", (unused,), load(unused)
    for other in CONFUSED.get(name, []):
        func = load(other) if owner is None else ast.Attribute(owner, other, ast.Load())
        yield COMMON, "functions", (name, other), with_fields(node, func=func)
    for arguments in swapped(node.args):
        yield COMMON, "arguments", (name,), with_fields(node, args=arguments)
    for values in swapped([keyword.value for keyword in node.keywords]):
        keywords = [ast.keyword(k.arg, v) for k, v in zip(node.keywords, values, strict=True)]
        yield COMMON, "arguments", (name,), with_fields(node, keywords=keywords)
    for i, keyword in enumerate(node.keywords):
        kind = keyword.arg if keyword.arg in ("dim", "keepdim") else "argument"
        yield USUAL, kind, (name,), with_fields(node, keywords=[*node.keywords[:i], *node.keywords[i + 1 :]])
        if keyword.arg == "dim":
            for dim in DIMS:
                if ast.unparse(literal(dim)) != ast.unparse(keyword.value):
                    changed = [k if k is not keyword else ast.keyword("dim", literal(dim)) for k in node.keywords]
                    yield COMMON, "dim", (name,), with_fields(node, keywords=changed)
    if node.args and (is_method or len(node.args) > 1):
        yield USUAL, "argument", (name,), with_fields(node, args=node.args[:-1])
    if name in REDUCTIONS:
        has_dim = any(k.arg in ("dim", "axis") for k in node.keywords) or len(node.args) > (0 if is_method else 1)
        if not has_dim:
            for dim in DIMS[:-1]:
                yield COMMON, "dim", (name,), with_dim(node, dim)
        else:
            if is_method and node.args or not is_method and len(node.args) > 1:
                at = 0 if is_method else 1
                for dim in DIMS[:-1]:
                    replaced = [*node.args[:at], literal(dim), *node.args[at + 1 :]]
                    yield COMMON, "dim", (name,), with_fields(node, args=replaced)
            if not any(k.arg == "keepdim" for k in node.keywords):
                keywords = [*node.keywords, ast.keyword("keepdim", ast.Constant(True))]
                yield COMMON, "keepdim", (name,), with_fields(node, keywords=keywords)
    if name == "range" and len(node.args) == 1:
        yield COMMON, "index", (), with_fields(node, args=[ast.Constant(1), node.args[0]])
    if name == "range":
        yield COMMON, "loop", (), ast.Call(load("reversed"), [node], [])
        if len(node.args) >= 2:
            first, last, *step = node.args
            yield USUAL, "index", (), with_fields(node, args=[minus_one(first), minus_one(last), *step])
            yield USUAL, "index", (), with_fields(node, args=[plus_one(first), plus_one(last), *step])
    if name in ("var", "std"):
        keywords = [*node.keywords, ast.keyword("unbiased", ast.Constant(False))]
        yield COMMON, "argument", (name,), with_fields(node, keywords=keywords)
    if name.startswith("autograd") or name == "grad":
        keywords = [*node.keywords, ast.keyword("create_graph", ast.Constant(True))]
        yield COMMON, "argument", (name,), with_fields(node, keywords=keywords)


def regrouped(node: ast.BinOp) -> Iterator[Proposal]:
    """Brackets around the wrong pair: `a / b * c` for `a / (b * c)`, `1 - a * b` for `(1 - a) * b`."""
    if isinstance(node.left, ast.BinOp):
        inner = node.left
        regroup = ast.BinOp(inner.left, inner.op, ast.BinOp(inner.right, node.op, node.right))
        yield COMMON, "brackets", (), regroup
    if isinstance(node.right, ast.BinOp):
        inner = node.right
        regroup = ast.BinOp(ast.BinOp(node.left, node.op, inner.left), inner.op, inner.right)
        yield COMMON, "brackets", (), regroup


def missing_calls(node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """What a student may have left out around a value. Written so that it holds for numbers, too, where it can."""
    yield "a square root", ast.BinOp(node, ast.Pow(), ast.Constant(0.5))
    yield "a square", ast.BinOp(node, ast.Pow(), ast.Constant(2))
    yield "a logarithm", method(node, "log")
    yield "an exponential", method(node, "exp")
    yield "a reciprocal (1 / ...)", ast.BinOp(ast.Constant(1), ast.Div(), node)
    yield "a complement (1 - ...)", ast.BinOp(ast.Constant(1), ast.Sub(), node)
    yield "an absolute value", ast.Call(load("abs"), [node], [])
    yield "a sigmoid", method(node, "sigmoid")


def reshaped(node: ast.expr) -> Iterator[ast.expr]:
    minus = ast.UnaryOp(ast.USub(), ast.Constant(1))
    for dim in (1, 0, -1):
        yield method(node, "unsqueeze", literal(dim))
    yield method(node, "reshape", minus, ast.Constant(1), ast.Constant(1), ast.Constant(1))
    yield method(node, "flatten", ast.Constant(1))
    yield method(node, "squeeze", literal(-1))
    yield method(node, "squeeze")
    yield ast.Attribute(node, "mT", ast.Load())


def method(node: ast.expr, name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Attribute(node, name, ast.Load()), list(arguments), [])


def with_dim(call: ast.Call, dim: int | tuple | None) -> ast.Call:
    if dim is None:
        return call
    return ast.Call(call.func, call.args, [*call.keywords, ast.keyword("dim", literal(dim))])


def literal(value: object) -> ast.expr:
    return ast.parse(repr(value), mode="eval").body


def plus_one(node: ast.expr) -> ast.expr:
    return ast.BinOp(node, ast.Add(), ast.Constant(1))


def minus_one(node: ast.expr) -> ast.expr:
    return ast.BinOp(node, ast.Sub(), ast.Constant(1))


def called_name(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def is_module(node: ast.expr, names: Names) -> bool:
    """`torch`, `torch.nn.functional`: what a function comes from, and no value."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id in names.modules
