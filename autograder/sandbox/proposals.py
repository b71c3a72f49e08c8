"""What may be wrong with one statement or expression, and what would then belong in its place: rules, and no answers.

Runs inside the sandbox only, on the syntax tree of the student's own function; edits.py makes edits of what is proposed
here. A proposal's rank says how often students make the mistake.
"""

import ast
import difflib
import os
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from itertools import combinations, permutations
from typing import Any

from autograder.sandbox.operators import (
    OPERATORS,
    TAKEN_FOR,
    WITHOUT_GRADIENT,
    excerpt,
    imported,
    is_docstring,
    swapped,
)

COMMON, USUAL, RARE, LAST, FARTHEST = range(5)  # how often a mistake of a kind is made
Proposal = tuple[int, str, tuple[str, ...], ast.expr]  # rank, kind, words, and what belongs in the place
Statements = tuple[int, str, tuple[str, ...], list[ast.stmt], int]  # the same in the place of so many statements

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

REDUCTIONS = {"sum", "mean", "prod", "max", "min", "logsumexp", "softmax", "log_softmax", "cumsum", "cumprod", "norm",
              "var", "std", "amax", "amin", "cat", "stack", "argmax", "flip"}  # fmt: skip
DIMS = (1, 0, -1, (1, 2, 3), None)
ELEMENTWISE = {"log", "exp", "sqrt", "square", "abs", "sigmoid", "tanh", "clamp", "detach", "unsqueeze", "squeeze"}
KNOWN = REDUCTIONS | ELEMENTWISE | {"range", "len", "zip", "enumerate", "reversed", "list", "tuple", "float", "int",
                                    "sorted", "tqdm", "next", "print", "item", "backward", "step", "zero_grad",
                                    "append", "reshape", "view", "to", "size", "numpy", "cpu"}  # fmt: skip
NOISE = {"noise", "eps", "epsilon", "z", "e"}
OF_TENSORS = {"shape", "device", "dtype", "T", "mT", "data", "grad", "is_cuda", "ndim", "requires_grad"}
TIMES = {
    "t", "i", "k", "n", "s", "step", "time", "idx", "index", "t_index", "timestep", "n_steps", "timesteps", "steps"
}  # fmt: skip


class Names:
    """What a function can name: its arguments and variables, and the attributes that are read from each object."""

    def __init__(self, function: ast.FunctionDef, tree: ast.AST, modules: Iterable[str]):
        arguments = function.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        inside = list(ast.walk(function))
        stored = [n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        self.arguments = [a.arg for a in every if a.arg not in ("self", "cls")]
        self.local = list(dict.fromkeys([*self.arguments, *(name for name in stored if name != "_")]))
        self.imported = imported(tree) | set(modules)
        self.modules = self.imported | {"torch", "math", "np", "F", "nn", "numpy"}
        read = {n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        self.unused = [name for name in self.arguments if name not in read]
        self.optional = [a.arg for a, default in defaults(arguments) if isinstance(default, ast.Constant)
                         and default.value is None]  # fmt: skip
        self.trains = any(isinstance(n, ast.Attribute) and n.attr in ("backward", "zero_grad") for n in inside)
        self.attributes: dict[str, list[str]] = {}
        everything = inside if function is tree else list(ast.walk(tree))
        methods = {id(n.func) for n in everything if isinstance(n, ast.Call)}
        for node in everything:
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and id(node) not in methods:
                known = self.attributes.setdefault(node.value.id, [])
                if node.attr not in known:
                    known.append(node.attr)
        self.inside = inside
        called = {n.func.id for n in inside if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
        owners = {owner for owner, names in self.attributes.items() if set(names) - OF_TENSORS}
        self.sorts = {name: 1 if name in called else 2 if name in owners else 0 for name in self.local}
        self.values = [name for name in self.local if not self.sorts[name]]  # no functions, no objects with attributes

    @cached_property
    def times(self) -> list[str]:
        return [name for name in self.values if name in TIMES]

    @cached_property
    def expressions(self) -> list[ast.expr]:
        """The small expressions that the function is made of: what it computes once, it may need elsewhere."""
        found: dict[str, ast.expr] = {}
        called = {id(node.func) for node in self.inside if isinstance(node, ast.Call)}
        for node in self.inside:
            if not isinstance(node, ast.BinOp | ast.Call | ast.Subscript | ast.Attribute) or id(node) in called:
                continue
            if not isinstance(getattr(node, "ctx", None), ast.Store) and not is_module(node, self):
                text = ast.unparse(node)
                if len(text) <= 30:
                    found.setdefault(text, node)
        return [renamed(found[text], {}) for text in sorted(found, key=len)[:12]]  # copies: no tree may hold itself

    @cached_property
    def siblings(self) -> list[tuple[str, str]]:
        """Pairs of names that differ in one word: logvar_q and logvar_p, z_1 and z_2."""
        return [pair for pair in combinations(self.values, 2) if differing(*pair)[1] and differing(*pair)[2]
                and len(differing(*pair)[0]) >= 2]  # fmt: skip

    @cached_property
    def terms(self) -> list[tuple[int, tuple[type, ...], ast.expr]]:
        """What may be missing as a term, factor or divisor: (rank, operators, it), all made of what is there."""
        every = (ast.Mult, ast.Add, ast.Sub, ast.Div)
        products = (ast.Mult, ast.Div)
        one = ast.Constant(1)
        found: list[tuple[int, tuple[type, ...], ast.expr]] = [(LAST, every, load(name)) for name in self.values]
        found += [(LAST, every, ast.BinOp(load(name), ast.Pow(), ast.Constant(2))) for name in self.values]
        found += [(FARTHEST, every, node) for node in self.expressions]
        found += [(FARTHEST, products, ast.BinOp(one, ast.Sub(), load(name))) for name in self.values]
        found += [(FARTHEST, every[1:3], ast.BinOp(load(a), ast.Sub(), load(b))) for a, b in self.siblings]
        found += [(FARTHEST, every[1:3], self.log(load(name))) for name in self.arguments]
        for name in self.arguments[:4]:
            size = ast.Attribute(load(name), "shape", ast.Load())
            found.append((FARTHEST, products, ast.Subscript(size, ast.Constant(1), ast.Load())))
            found.append((FARTHEST, products, ast.Subscript(size, ast.Constant(0), ast.Load())))
        found.append((FARTHEST, every[1:3], ast.Constant(1.8378770664093453)))  # log(2 pi)
        return found

    def log(self, node: ast.expr) -> ast.expr:
        """The logarithm of what may be a number or a tensor."""
        if "torch" in self.imported:
            return method(method(load("torch"), "as_tensor", node), "log")
        return method(load("math"), "log", node)

    def others(self, name: str) -> list[str]:
        """Those of the same sort, the likest first."""
        sort = self.sorts.get(name, 0)
        return near(name, [other for other in self.local if other != name and self.sorts[other] == sort])

    def other_attributes(self, node: ast.Attribute) -> list[str]:
        if not isinstance(node.value, ast.Name) or node.value.id in self.modules:
            return []
        return near(node.attr, [name for name in self.attributes.get(node.value.id, []) if name != node.attr])


def defaults(arguments: ast.arguments) -> list[tuple[ast.arg, ast.expr | None]]:
    """Arguments that have a default, and it."""
    positional = [*arguments.posonlyargs, *arguments.args]
    found: list[tuple[ast.arg, ast.expr | None]] = []
    if arguments.defaults:
        found += zip(positional[-len(arguments.defaults) :], arguments.defaults, strict=True)
    return found + list(zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True))


def differing(one: str, other: str) -> tuple[str, str, str, str]:
    """("mu_", "q", "p", "") of `mu_q` and `mu_p`."""
    head = os.path.commonprefix([one, other])
    tail = os.path.commonprefix([one[len(head) :][::-1], other[len(head) :][::-1]])[::-1]
    return head, one[len(head) : len(one) - len(tail)], other[len(head) : len(other) - len(tail)], tail


def near(name: str, others: list[str]) -> list[str]:
    """The likest first: `alpha_bar` before `x` where `alpha` stands."""
    return sorted(others, key=lambda other: -resemblance(name, other))


@lru_cache(4096)
def resemblance(name: str, other: str) -> float:
    return difflib.SequenceMatcher(None, name, other).ratio()


def resembles(name: str, other: str) -> bool:
    return max(len(name), len(other)) <= 2 or resemblance(name, other) >= 0.55


# ---------------------------------------------------------------- statements


def statements(node: ast.stmt, parent: ast.AST, function: ast.FunctionDef, names: Names) -> Iterator[Statements]:
    """What may belong in the place of a statement, or of it and those that follow it."""
    if isinstance(node, ast.FunctionDef | ast.Pass | ast.Import | ast.ImportFrom):
        return
    body = next((value for _, value in ast.iter_fields(parent) if isinstance(value, list) and node in value), [])
    at = body.index(node) if body else 0
    ends = bool(body) and body[-1] is node and parent is function
    for rank, kind, words, instead in instead_of(node, function, ends, names):
        yield rank, kind, words, instead, 1
    simple = ast.Expr | ast.Assign | ast.AugAssign
    for to in range(at + 1, len(body)):  # moved down, behind others
        if isinstance(body[to], simple) and isinstance(node, simple):
            rank = USUAL if to == at + 1 else LAST
            yield rank, "sequence", (), [*body[at + 1 : to + 1], node], to + 1 - at
            if to > at + 1:
                yield LAST, "sequence", (), [body[to], *body[at:to]], to + 1 - at
    for name in names.unused:  # how often: `for _ in range(n)` around some statements
        for end in range(at + 1, min(len(body), at + 8) + 1):
            if not isinstance(body[end - 1], ast.Return):
                again = ast.Call(load("range"), [load(name)], [])
                loop = ast.For(ast.Name("_", ast.Store()), again, list(body[at:end]), [])
                yield USUAL, "unused", (name,), [loop], end - at


def instead_of(
    node: ast.stmt, function: ast.FunctionDef, ends: bool, names: Names
) -> Iterator[tuple[int, str, tuple[str, ...], list[ast.stmt]]]:
    """What may belong in the place of one statement; `ends`: the function ends with it."""
    if ends and isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr):
        value = node.value if isinstance(node, ast.Expr) else None
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if value is not None:
            yield COMMON, "return", (), [ast.Return(value)]
        elif isinstance(target, ast.Name):
            yield COMMON, "return", (), [node, ast.Return(load(target.id))]
    if ends and isinstance(node, ast.For | ast.While | ast.With | ast.If):
        stored = [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        for name in dict.fromkeys(reversed(stored)):
            yield COMMON, "return", (), [node, ast.Return(load(name))]
    if isinstance(node, ast.For | ast.While):
        kept = [s for s in node.body if not isinstance(s, ast.Return)]
        returned = [s for s in node.body if isinstance(s, ast.Return)]
        if returned and kept:
            yield COMMON, "early return", (), [with_fields(node, body=kept), returned[0]]
    if isinstance(node, ast.With) and any(word in excerpt(node) for word in WITHOUT_GRADIENT):
        yield COMMON, "no gradient", (), node.body
    if isinstance(node, ast.If):
        yield USUAL, "branch", (), node.body
        if node.orelse:
            yield USUAL, "branch", (), node.orelse
    if isinstance(node, ast.AugAssign):
        yield USUAL, "accumulated", (), [ast.Assign([node.target], node.value)]
        if isinstance(node.target, ast.Name):
            whole = ast.BinOp(load(node.target.id), node.op, node.value)
            yield COMMON, "in place", (), [ast.Assign([node.target], whole)]
        for operator in (ast.Add, ast.Sub, ast.Mult, ast.Div):
            if not isinstance(node.op, operator):
                yield COMMON, "operator", (), [with_fields(node, op=operator())]
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        for name in names.values:
            if name != node.targets[0].id:  # what the code goes on with
                yield USUAL, "target", (node.targets[0].id, name), [
                    ast.Assign([*node.targets, ast.Name(name, ast.Store())], node.value)]  # fmt: skip
        for operator in (ast.Add, ast.Mult):
            yield RARE, "overwritten", (), [ast.AugAssign(node.targets[0], operator(), node.value)]
    if not isinstance(node, ast.Return | ast.FunctionDef):
        yield USUAL, "statement", (), []
    if isinstance(node, ast.Assign | ast.Return | ast.AugAssign | ast.Expr) and node.value is not None:
        read = dict.fromkeys(n.id for n in ast.walk(node.value) if isinstance(n, ast.Name))
        for one, other in combinations([name for name in read if name in names.values], 2):
            swap = renamed(node.value, {one: other, other: one})
            yield (USUAL if resembles(one, other) else RARE), "exchanged", (one, other), [with_fields(node, value=swap)]
    for call in missing_statements(function):
        yield COMMON, "missing statement", (called_name(call),), [ast.Expr(call), node]


def of_whole(
    function: ast.FunctionDef, names: Names
) -> Iterator[tuple[int, str, tuple[str, ...], int, ast.stmt, list[ast.stmt], int]]:
    """What may be wrong with a function as a whole: (rank, kind, words, line, first statement, instead of how many)."""
    body = [statement for statement in function.body if not is_docstring(statement)]
    if not body:
        return
    start, count = body[0], len(body)

    def line(*wanted: str) -> int:
        """Where one of these names is used first."""
        return min((n.lineno for n in names.inside if isinstance(n, ast.Name) and n.id in wanted), default=start.lineno)

    for pairs in exchanges(names.arguments):
        swap = ast.Tuple([ast.Name(name, ast.Store()) for pair in pairs for name in pair], ast.Store())
        values = ast.Tuple([load(name) for pair in pairs for name in reversed(pair)], ast.Load())
        swapped_first = [ast.Assign([swap], values), start]
        yield COMMON, "exchanged", pairs[0], line(*(name for pair in pairs for name in pair)), start, swapped_first, 1
    without = ast.withitem(method(load("torch"), "no_grad"))
    yield USUAL, "needs no gradient", (), start.lineno, start, [ast.With([without], list(body))], count
    for name in names.arguments:
        copy = ast.Assign([ast.Name(name, ast.Store())], method(load(name), "clone"))
        yield USUAL, "copy", (name,), line(name), start, [copy, start], 1
    for name in names.optional:
        for other in names.arguments:
            if other != name:
                drawn = method(load("torch"), "randn_like", load(other))
                given = ast.IfExp(ast.Compare(load(name), [ast.Is()], [ast.Constant(None)]), drawn, load(name))
                first = [ast.Assign([ast.Name(name, ast.Store())], given), start]
                yield USUAL, "default", (name,), line(name), start, first, 1


def exchanges(arguments: list[str]) -> list[list[tuple[str, str]]]:
    """Two arguments, or two families of them, taken for each other: q and p, real and fake."""
    alone: list[list[tuple[str, str]]] = []
    families: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for one, other in combinations(arguments, 2):
        alone.append([(one, other)])
        head, first, second, tail = differing(one, other)
        if first and second and (head or tail):
            families.setdefault((first, second), []).append((one, other))
    return alone + [pairs for pairs in families.values() if len(pairs) > 1]


def renamed(node: Any, other: dict[str, str]) -> Any:
    """A copy of an expression in which some names stand for others."""
    match node:
        case ast.Name(id=name) if name in other:
            return ast.Name(other[name], node.ctx)
        case ast.AST():
            return type(node)(**{field: renamed(value, other) for field, value in ast.iter_fields(node)})
        case list():
            return [renamed(item, other) for item in node]
    return node


def substituted(node: Any, part: ast.AST, by: ast.AST) -> Any:
    """A copy of an expression with one part replaced; what does not hold the part is shared."""
    if node is part:
        return by
    if isinstance(node, list):
        items = [substituted(item, part, by) for item in node]
        return items if any(one is not other for one, other in zip(items, node, strict=True)) else node
    if not isinstance(node, ast.AST):
        return node
    fields = {name: substituted(value, part, by) for name, value in ast.iter_fields(node)}
    same = all(fields[name] is value for name, value in ast.iter_fields(node))
    return node if same else type(node)(**fields)


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
    if isinstance(node, ast.Name) and node.id not in names.modules and (isinstance(parent, ast.Return) or receiver):
        for near_name in names.others(node.id):
            yield USUAL, "name", (node.id,), load(near_name)
    if handed and not isinstance(node, ast.Constant) and not isinstance(parent, ast.keyword) and not of_range:
        yield RARE, "not None", (ast.unparse(node)[:40],), ast.Constant(None)
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
        for said, replacement in missing_calls(node, names):
            later = (handed or receiver and not summed or said in ODD) * (rank < RARE)
            yield rank + later - (summed and "square" in said), "missing call", (said,), replacement
        for factor in (0.5, 2):
            yield (USUAL if whole else RARE), "factor", (), ast.BinOp(ast.Constant(factor), ast.Mult(), node)
        if handed and isinstance(parent, ast.Call):
            for beside in parent.args:
                if beside is not node and isinstance(beside, ast.Name) and beside.id in names.values:
                    size = ast.Call(load("len"), [beside], [])
                    each = [method(load("torch"), "full", ast.Tuple([size], ast.Load()), node)]
                    if isinstance(node, ast.Call):
                        each.append(method(node, "expand", size))
                    yield from ((USUAL if isinstance(node, ast.Call) else RARE, "one for each", (), e) for e in each)
        if isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
            for replacement in reshaped(node):
                yield RARE, "shape", (), replacement
        yield RARE, "factor", (), ast.BinOp(node, ast.Add(), ast.Constant(1))
        yield RARE, "factor", (), ast.BinOp(node, ast.Sub(), ast.Constant(1))
        if handed or whole or operand:
            rank = RARE
            if names.trains and (handed or isinstance(parent, ast.Return)):
                rank = USUAL if handed else COMMON
            yield rank, "detach", (), method(node, "detach")
    if whole or operand or handed or member:
        text = ast.unparse(node)
        for local in names.values:
            if not isinstance(node, ast.Name | ast.Attribute | ast.Constant):
                yield (RARE if handed or member else LAST), "name", (text[:40],), load(local)
        for taken in names.expressions:
            yield FARTHEST, "name", (text[:40],), taken
        if random_like(node):
            yield from random_changes(node, names)
    if whole or operand or member:
        for rank, operators, term in names.terms:
            for operator in operators:
                yield rank, "missing", (), ast.BinOp(node, operator(), term)
        for reduction in ("sum", "mean"):
            for dim in DIMS:
                yield (USUAL if whole else RARE), "reduction", (), with_dim(method(node, reduction), dim)
        yield from moved(node)
    if (whole or member) and not number:
        for above, below in permutations([n for n in names.expressions if isinstance(n, ast.BinOp)][:6], 2):
            yield FARTHEST, "missing", (), ast.BinOp(ast.BinOp(node, ast.Mult(), above), ast.Div(), below)


def random_like(node: ast.expr) -> bool:
    """Whether this is noise: drawn here, or by its name."""
    if isinstance(node, ast.Name):
        return node.id in NOISE
    return isinstance(node, ast.Call) and any(
        isinstance(n, ast.Call) and called_name(n).startswith(("rand", "normal")) for n in ast.walk(node))  # fmt: skip


def random_changes(node: ast.expr, names: Names) -> Iterator[Proposal]:
    """Noise of another shape, drawn anew or not, or only under a condition."""
    if isinstance(node, ast.Name):
        yield USUAL, "fresh", (node.id,), method(load("torch"), "randn_like", node)
    else:
        uniform = any(isinstance(n, ast.Call) and called_name(n) in ("rand", "rand_like") for n in ast.walk(node))
        draw = "rand_like" if uniform else "randn_like"
        yield USUAL, "random shape", (), method(load("torch"), draw, node)
        for other in names.values:
            yield USUAL, "random shape", (), method(load("torch"), draw, load(other))
            if other in NOISE:
                yield COMMON, "not fresh", (other,), load(other)
        draws = ("rand", "randn", "randint")
        for call in [n for n in ast.walk(node) if isinstance(n, ast.Call) and called_name(n) in draws]:
            kept = call.args[:-1] if called_name(call) == "randint" else []
            whole = with_fields(call, args=[*kept, ast.Attribute(node, "shape", ast.Load())])
            yield USUAL, "random shape", (), whole
            for one in [a for a in call.args if isinstance(a, ast.Constant) and a.value == 1]:
                sizes: list[ast.expr] = [load(name) for name in names.values]
                sizes += [ast.Call(load("len"), [load(name)], []) for name in names.arguments[:4]]
                for size in [*sizes, *(n for n in names.expressions if isinstance(n, ast.Attribute))]:
                    yield USUAL, "random shape", (), substituted(node, one, size)
    for time in names.times:
        positive = ast.Compare(load(time), [ast.Gt()], [ast.Constant(0)])
        yield USUAL, "missing condition", (), ast.BinOp(node, ast.Mult(), positive)
        column = method(positive, "reshape", ast.UnaryOp(ast.USub(), ast.Constant(1)), *[ast.Constant(1)] * 3)
        yield USUAL, "missing condition", (), ast.BinOp(node, ast.Mult(), column)


def moved(node: ast.expr) -> Iterator[Proposal]:
    """A call that is made too early, so that it belongs around all of this, or too late, so that it belongs inside."""
    if isinstance(node, ast.BinOp | ast.Call | ast.UnaryOp):
        for call in ast.walk(node):
            if call is not node and (inner := movable(call)) is not None:
                outside = substituted(call, inner, substituted(node, call, inner))
                yield USUAL, "moved", (called_name(call),), outside  # type: ignore[arg-type]
    if (inner := movable(node)) is not None:
        for part in ast.walk(inner):
            is_value = isinstance(part, ast.BinOp | ast.Call | ast.Name | ast.Subscript)
            if is_value and part is not inner and not is_called_itself(part, inner):
                inside = substituted(inner, part, substituted(node, inner, part))
                yield RARE, "moved", (called_name(node),), inside  # type: ignore[arg-type]


def movable(node: ast.AST) -> ast.expr | None:
    """What a call is made of that may belong elsewhere, as `x` of `x.mean(dim=1)`; None of any other expression."""
    if not isinstance(node, ast.Call) or called_name(node) not in REDUCTIONS | ELEMENTWISE:
        return None
    if isinstance(node.func, ast.Attribute) and not isinstance(node.func.value, ast.Name):
        return node.func.value
    if isinstance(node.func, ast.Attribute) and not node.args and isinstance(node.func.value, ast.Name):
        return node.func.value
    return node.args[0] if len(node.args) == 1 and not isinstance(node.args[0], ast.Starred) else None


def is_called_itself(part: ast.AST, whole: ast.AST) -> bool:
    """Whether a part is the name of a function that is called."""
    return any(isinstance(n, ast.Call) and n.func is part for n in ast.walk(whole))


def own_changes(node: ast.expr, names: Names, word: str, in_index: bool) -> Iterator[Proposal]:
    """What may be wrong with an expression itself, wherever it stands."""
    match node:
        case ast.Constant(value=bool(flag)):
            yield COMMON, "keepdim" if word == "keepdim" else "constant", (), ast.Constant(not flag)
        case ast.Constant(value=str(text)) if word == "reduction":
            for other in ("mean", "sum", "none"):
                if other != text:
                    yield COMMON, "functions", (text, other), ast.Constant(other)
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
            if isinstance(op, ast.Div | ast.Mult):  # what is divided by in the logarithm is subtracted as one
                outside = ast.Sub() if isinstance(op, ast.Div) else ast.Add()
                yield USUAL, "operator", (), ast.BinOp(left, outside, names.log(right))
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
            for few in range(2, len(elements)):
                for chosen in combinations(elements, few) if len(elements) <= 4 else ():
                    turned = [ast.UnaryOp(ast.USub(), e) if e in chosen else e for e in elements]
                    yield USUAL, "signs", (), type(node)(turned, ast.Load())
        case ast.Name(id=name) if name not in names.modules:
            for other in names.others(name):
                yield COMMON if resembles(name, other) else RARE, "name", (name,), load(other)
            if name in names.local and name in names.attributes.get("self", []):
                yield USUAL, "name", (name,), ast.Attribute(load("self"), name, ast.Load())
        case ast.Attribute(value=value, attr=attribute):
            for other in names.other_attributes(node):
                rank = COMMON if resembles(attribute, other) else USUAL
                yield rank, "name", (ast.unparse(node),), ast.Attribute(value, other, ast.Load())
            if isinstance(value, ast.Name) and value.id not in names.modules and attribute in names.local:
                yield USUAL, "name", (ast.unparse(node),), load(attribute)
            if isinstance(value, ast.Name) and value.id not in names.modules:
                for other in names.values:
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
    if name not in names.modules and (isinstance(node.func, ast.Name) or is_method and isinstance(owner, ast.Name)):
        given = {ast.unparse(value) for value in [*node.args, *(keyword.value for keyword in node.keywords)]}
        for missing in [value for value in names.values if value not in given and name not in KNOWN]:
            yield USUAL, "argument", (name,), with_fields(node, args=[*node.args, load(missing)])
    for other in CONFUSED.get(name, []):
        func = load(other) if owner is None else ast.Attribute(owner, other, ast.Load())
        yield COMMON, "functions", (name, other), with_fields(node, func=func)
    if owner is not None and name.endswith("_") and is_method and not name.startswith("_"):
        func = ast.Attribute(owner, name[:-1], ast.Load())
        yield USUAL, "in place", (), with_fields(node, func=func)
    if owner is not None and name in ("sum", "mean") and is_method and not node.args and not node.keywords:
        for inner, outer in (("sum", "mean"), ("mean", "sum")):
            rows = method(with_dim(method(method(owner, "flatten", ast.Constant(1)), inner), 1), outer)
            yield USUAL, "dim", (name,), rows
            yield USUAL, "dim", (name,), method(with_dim(method(owner, inner), -1), outer)
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


ODD = ("an absolute value", "a sigmoid", "a reciprocal (1 / ...)")


def missing_calls(node: ast.expr, names: Names) -> Iterator[tuple[str, ast.expr]]:
    """What a student may have left out around a value. Written so that it holds for numbers, too, where it can."""
    yield "a square root", ast.BinOp(node, ast.Pow(), ast.Constant(0.5))
    yield "a square", ast.BinOp(node, ast.Pow(), ast.Constant(2))
    numbers = "torch" not in names.imported  # a file of plain Python
    yield "a logarithm", method(load("math"), "log", node) if numbers else method(node, "log")
    yield "an exponential", method(load("math"), "exp", node) if numbers else method(node, "exp")
    yield "a reciprocal (1 / ...)", ast.BinOp(ast.Constant(1), ast.Div(), node)
    yield "a complement (1 - ...)", ast.BinOp(ast.Constant(1), ast.Sub(), node)
    yield "an absolute value", ast.Call(load("abs"), [node], [])
    if not numbers:
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
