"""Small changes of a function's syntax tree, made by rule: what turns a right function into a mutant.

Used on both sides of the wall: quality/mutants.py changes the reference with these operators, and proposals.py, beside
student code, the student's own function. Nothing here is an answer.
"""

import ast
from collections.abc import Iterator
from typing import Any

OPERATORS: dict[type, Any] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.MatMult: ast.Mult, ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Div, ast.Mod: ast.FloorDiv, ast.And: ast.Or, ast.Or: ast.And,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
FUNCTIONS = [  # one is taken for the other
    ("sum", "mean"), ("sum", "prod"), ("cumsum", "cumprod"), ("min", "max"), ("minimum", "maximum"), ("any", "all"),
    ("randn", "rand"), ("randn", "zeros"), ("randn_like", "rand_like"), ("randn_like", "zeros_like"),
    ("zeros", "ones"), ("zeros_like", "ones_like"), ("sqrt", "square"), ("rsqrt", "sqrt"), ("exp", "log"),
    ("logsigmoid", "sigmoid"), ("softmax", "sigmoid"), ("tan", "tanh"), ("repeat", "repeat_interleave"),
]  # fmt: skip
TAKEN_FOR: dict[str, list[str]] = {}
for one, other in FUNCTIONS:
    TAKEN_FOR.setdefault(one, []).append(other)
    TAKEN_FOR.setdefault(other, []).append(one)

UNTOUCHED = {"annotation", "returns", "decorator_list", "type_params"}  # fields that no answer depends on
WITHOUT_GRADIENT = ("no_grad", "inference_mode")


def imported(tree: ast.AST) -> set[str]:
    """What names modules in a file: `torch` in `torch.exp(x)` is no argument that the call could be replaced by."""
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return {alias.asname or alias.name.split(".")[0] for node in statements for alias in node.names}


def changes(function: ast.FunctionDef, lines: range, modules: set[str]) -> Iterator[tuple[int, str, str, str]]:
    """(line, text before, text after, source of the changed function): one change at a time, in place and undone."""
    for parent, field, index, node, shown in list(places(function, None)):
        if node.lineno not in lines or node.end_lineno not in lines:
            continue
        before = excerpt(shown)
        if isinstance(node, ast.stmt):
            body = getattr(parent, field)
            for statements, after in statement_changes(node):
                whole = list(body)
                body[index : index + 1] = statements or ([] if len(body) > 1 else [ast.Pass()])
                yield node.lineno, excerpt(node), after, ast.unparse(function)
                body[:] = whole
            continue
        for replacement in expression_changes(node, parent, field, modules):
            put(parent, field, index, replacement)
            # A change of the whole of what is shown is a node of its own; one further down is seen in it.
            after = excerpt(replacement if shown is node else shown)
            yield node.lineno, before, after, ast.unparse(function)
            put(parent, field, index, node)


def put(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def places(parent: ast.AST, shown: ast.AST | None) -> Iterator[tuple]:
    """Every statement and expression below a node, with its place, and what to show of a change there.

    A name or a number says little alone: then the expression that it stands in is shown.
    """
    for field, value in ast.iter_fields(parent):
        if field in UNTOUCHED:
            continue
        for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(node, ast.stmt | ast.expr) and not is_docstring(node):
                small = isinstance(node, ast.Constant | ast.Name | ast.UnaryOp | ast.Slice) and shown is not None
                here = shown if small else node
                if isinstance(node, ast.JoinedStr):  # a message
                    continue
                if isinstance(node, ast.Call) and is_called(node, "tqdm"):  # only what the bar goes through
                    yield node, "args", 0, node.args[0], node.args[0]
                    yield from places(node.args[0], node.args[0])
                    continue
                yield parent, field, index, node, here
                yield from places(node, here if isinstance(node, ast.expr) else None)
            elif (
                isinstance(node, ast.AST) and not is_docstring(node) and not is_strict(node)
            ):  # a keyword, a comprehension, arguments
                yield from places(node, shown)


def is_strict(node: ast.AST) -> bool:
    """zip's `strict` says what to do where lengths differ, which they never do."""
    return isinstance(node, ast.keyword) and node.arg == "strict"


def is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def excerpt(node: ast.AST) -> str:
    """A node in one line; of a statement with a body, its head."""
    return ast.unparse(node).splitlines()[0]


def statement_changes(node: ast.stmt) -> Iterator[tuple[list[ast.stmt], str]]:
    """Statements that a statement may be replaced by, and how that is said."""
    if isinstance(node, ast.With) and any(word in excerpt(node) for word in WITHOUT_GRADIENT):
        yield node.body, "nothing, its body stays"
    elif not isinstance(node, ast.Return | ast.FunctionDef | ast.Pass):
        yield [], "nothing"


def expression_changes(node: ast.expr, parent: ast.AST, field: str, modules: set[str]) -> Iterator[ast.expr]:
    """Expressions that an expression may be replaced by."""
    if isinstance(getattr(node, "ctx", None), ast.Store):
        return
    if field == "test" or isinstance(parent, ast.comprehension) and field == "ifs":
        yield ast.UnaryOp(ast.Not(), node)
    if isinstance(parent, ast.Return | ast.Assign | ast.AugAssign) and is_numeric(node):
        yield minus(node)
    if isinstance(parent, ast.Subscript) and field == "slice" and is_numeric(node):
        yield from shifted(node)
    if isinstance(parent, ast.Slice) and is_numeric(node):
        yield from shifted(node)
    if isinstance(parent, ast.Call) and field == "args" and is_called(parent, "range") and is_numeric(node):
        yield from shifted(node)

    if isinstance(node, ast.Constant):
        of_dim = isinstance(parent, ast.keyword) and parent.arg in ("dim", "start_dim")
        yield from constants(node.value, signed=not isinstance(parent, ast.UnaryOp) and not of_dim)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.BinOp):
        yield from sums_and_products(node)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(OPERATORS[type(node.op)](), node.values)
        yield from (others[0] if len(others := without(node.values, i)) == 1 else ast.BoolOp(node.op, others)
                    for i in range(len(node.values)))  # fmt: skip
    elif isinstance(node, ast.Compare):
        for i, operator in enumerate(node.ops):
            yield ast.Compare(
                node.left, [*node.ops[:i], OPERATORS[type(operator)](), *node.ops[i + 1 :]], node.comparators
            )
    elif isinstance(node, ast.Call):
        yield from calls(node, modules)
    elif isinstance(node, ast.Tuple | ast.List):
        yield from (type(node)(elements, ast.Load()) for elements in swapped(node.elts))


def is_numeric(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp | ast.Call | ast.Name | ast.Attribute | ast.Subscript)


def is_called(call: ast.Call, name: str) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == name


def minus(node: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.USub(), node)


def shifted(node: ast.expr) -> list[ast.expr]:
    return [ast.BinOp(node, operator, ast.Constant(1)) for operator in (ast.Add(), ast.Sub())]


def constants(value: object, signed: bool) -> list[ast.expr]:
    if isinstance(value, bool):
        return [ast.Constant(not value)]
    if not isinstance(value, int | float | complex):
        return []  # words: what they choose among has other words than a rule could make
    numbers = [value + 1, value - 1] if isinstance(value, int) else [value + 1, 2 * value]
    numbers += [2 * value] if isinstance(value, int) and value else []
    found = [minus(ast.Constant(-n)) if not isinstance(n, complex) and n < 0 else ast.Constant(n)
             for n in dict.fromkeys(numbers) if n != value]  # fmt: skip
    return found + ([minus(ast.Constant(value))] if value and signed else [])


def sums_and_products(node: ast.BinOp) -> Iterator[ast.expr]:
    """The other operator, the operands swapped, one operand alone."""
    yield ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right)
    if isinstance(node.op, ast.Sub | ast.Div | ast.Pow | ast.MatMult):
        yield ast.BinOp(node.right, node.op, node.left)
    yield node.left
    yield minus(node.right) if isinstance(node.op, ast.Sub) else node.right


def calls(node: ast.Call, modules: set[str]) -> Iterator[ast.expr]:
    """Without the call, another function, arguments swapped, an argument dropped."""
    method = isinstance(node.func, ast.Attribute) and root_name(node.func) not in modules | {"self"}
    if method and isinstance(node.func, ast.Attribute):
        yield node.func.value
    elif len(node.args) == 1 and not isinstance(node.args[0], ast.Starred):
        yield node.args[0]
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    for other in TAKEN_FOR.get(name, []):
        func = ast.Attribute(node.func.value, other) if isinstance(node.func, ast.Attribute) else ast.Name(other)
        yield ast.Call(func, node.args, node.keywords)
    for arguments in swapped(node.args):
        yield ast.Call(node.func, arguments, node.keywords)
    for values in swapped([keyword.value for keyword in node.keywords]):
        keywords = [ast.keyword(k.arg, value) for k, value in zip(node.keywords, values, strict=True)]
        yield ast.Call(node.func, node.args, keywords)
    if node.args and (method or len(node.args) > 1):
        yield ast.Call(node.func, node.args[:-1], node.keywords)
    for i, keyword in enumerate(node.keywords):
        if not is_strict(keyword):
            yield ast.Call(node.func, node.args, without(node.keywords, i))


def root_name(node: ast.expr) -> str:
    """`torch` of `torch.linalg.inv`; "" of an expression that begins otherwise."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def swapped(items: list) -> Iterator[list]:
    """Every exchange of two items that are not the same."""
    for i in range(len(items)):
        for j in range(i + 1, len(items)):
            if ast.unparse(items[i]) != ast.unparse(items[j]):
                exchanged = list(items)
                exchanged[i], exchanged[j] = items[j], items[i]
                yield exchanged


def without(items: list, index: int) -> list:
    return [*items[:index], *items[index + 1 :]]
