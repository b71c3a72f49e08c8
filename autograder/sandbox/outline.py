"""What a file defines, binds, imports and uses, read off its statements. Pure functions of syntax trees."""

import ast
import re
import sys
from collections.abc import Iterable, Iterator

LIBRARIES = {"torch", *sys.stdlib_module_names}  # no class of theirs holds an answer
Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def binds(statement: ast.stmt) -> set[str]:
    """The global names that a top-level statement gives a value."""
    if isinstance(statement, Definition):
        return {statement.name}
    if isinstance(statement, ast.Import):
        return {alias.asname or alias.name.split(".")[0] for alias in statement.names}
    if isinstance(statement, ast.ImportFrom):
        return {alias.asname or alias.name for alias in statement.names} - {"*"}
    names = set()
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        if (
            isinstance(node, ast.stmt)
            and node is not statement
            and isinstance(node, Definition | ast.Import | ast.ImportFrom)
        ):
            names |= binds(node)
            continue
        if isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        stack += list(ast.iter_child_nodes(node))
    return names


def star(statement: ast.ImportFrom) -> bool:
    return statement.names[0].name == "*"


def is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def is_setattr(statement: ast.Expr) -> bool:
    func = getattr(statement.value, "func", None)
    return isinstance(func, ast.Name) and func.id == "setattr"


def directly_inside(statement: ast.AST) -> list[ast.stmt]:
    """The statements of its body, its else and its finally, its handlers and its cases."""
    parts = [statement, *getattr(statement, "handlers", ()), *getattr(statement, "cases", ())]
    return [each for part in parts for name in ("body", "orelse", "finalbody") for each in getattr(part, name, ())]


def and_inside(statement: ast.stmt) -> Iterator[ast.stmt]:
    """A statement and all statements inside it: what ast.walk does for expressions too, in ten times the time."""
    waiting = [statement]
    while waiting:
        yield (node := waiting.pop())
        waiting += directly_inside(node)


def imported_modules(statement: ast.stmt) -> set[str]:
    """Full names of the modules that a statement imports, wherever inside it."""
    names = set()
    for node in and_inside(statement):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return names


def uses(forbidden: str, statements: list[ast.stmt]) -> list[str]:
    """Where functions and methods use a module, directly or through the file's own functions."""
    aliases = {alias for statement in statements for alias in names_of_module(forbidden, statement)}
    bodies: dict[str, ast.AST] = {}
    for statement in statements:
        if isinstance(statement, Function):
            bodies[statement.name] = statement
        elif isinstance(statement, ast.ClassDef):
            for inner in statement.body:
                if isinstance(inner, Function):
                    bodies[f"{statement.name}.{inner.name}"] = inner

    def line_in(name: str, seen: set[str]) -> int | None:
        seen.add(name)
        body = bodies[name]
        local = aliases | {alias for node in ast.walk(body) for alias in names_of_module(forbidden, node)}
        for node in ast.walk(body):
            is_alias = isinstance(node, ast.Name) and node.id in local
            is_module = isinstance(node, ast.Attribute) and dotted(node) == forbidden
            if is_alias or is_module or names_of_module(forbidden, node):
                return getattr(node, "lineno", None)
        called = {n.id for n in ast.walk(body) if isinstance(n, ast.Name)} & bodies.keys()
        return next((line for other in called - seen if (line := line_in(other, seen))), None)

    lines = {name: line_in(name, set()) for name in bodies}
    return [f"{name}: line {line} uses {forbidden}" for name, line in lines.items() if line]


def names_of_module(module: str, node: ast.AST) -> set[str]:
    """The names that an import statement gives to a module or to what it takes from it."""
    parent, _, last = module.rpartition(".")
    if isinstance(node, ast.Import):
        return {alias.asname for alias in node.names if alias.name.startswith(module) and alias.asname}
    if isinstance(node, ast.ImportFrom) and node.module:
        if node.module == module or node.module.startswith(module + "."):
            return {alias.asname or alias.name for alias in node.names}
        if node.module == parent:
            return {alias.asname or alias.name for alias in node.names if alias.name == last}
    return set()


def dotted(node: ast.AST) -> str:
    """`torch.distributions` for that attribute chain."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def blocks(statements: Iterable[ast.stmt]) -> Iterable[ast.stmt]:
    """Statements and those inside their `if`, `try` and `with`."""
    for statement in statements:
        yield statement
        for name in ("body", "orelse", "finalbody"):
            if not isinstance(statement, Definition):
                yield from blocks(getattr(statement, name, ()))
        for handler in getattr(statement, "handlers", ()):
            yield from blocks(handler.body)


def definitions(statements: list[ast.stmt]) -> list[str]:
    """Every name that is given a meaning here, in order and as often as it is."""
    names: list[str] = []
    froms = [s for s in statements if isinstance(s, ast.ImportFrom)]
    foreign = {name for s in froms if str(s.module).split(".")[0] not in LIBRARIES for name in binds(s)}
    for statement in blocks(statements):
        if isinstance(statement, Function):
            names.append(statement.name)
        elif isinstance(statement, ast.ClassDef):
            names += [statement.name, *(f"{statement.name}.{name}" for name in members(statement))]
            for base in [base.id for base in statement.bases if isinstance(base, ast.Name)]:
                inherited = [name.partition(".")[2] for name in names if name.startswith(f"{base}.")]
                names += [f"{statement.name}.{name}" for name in inherited if base != statement.name]
                names += [f"{statement.name}.*"] if base in foreign else []
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            names += sorted(binds(statement)) + patched(statement)
        else:
            names += patched(statement)
    return names


def patched(statement: ast.stmt) -> list[str]:
    """`["Model.loss"]` for `Model.loss = loss` and `setattr(Model, "loss", loss)`."""
    pairs: list[tuple[ast.expr, object]] = []
    if isinstance(statement, ast.Assign):
        pairs = [(target.value, target.attr) for target in statement.targets if isinstance(target, ast.Attribute)]
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call) and is_setattr(statement):
        owner, name, *_ = [*statement.value.args, ast.Constant(None), ast.Constant(None)]
        pairs = [(owner, getattr(name, "value", None))]
    return [f"{owner.id}.{name}" for owner, name in pairs if isinstance(owner, ast.Name)]


def members(statement: ast.ClassDef) -> list[str]:
    """What a class's body defines: methods, and names that are assigned to."""
    names: list[str] = []
    for inner in blocks(statement.body):
        names += sorted(binds(inner)) if isinstance(inner, Definition | ast.Assign | ast.AnnAssign) else []
    return names


def functions_of(statements: list[ast.stmt]) -> dict[str, Function]:
    """Functions and methods by name, the last of each name."""
    found: dict[str, Function] = {}
    for statement in blocks(statements):
        if isinstance(statement, Function):
            found[statement.name] = statement
        elif isinstance(statement, ast.ClassDef):
            inner = [each for each in blocks(statement.body) if isinstance(each, Function)]
            found |= {f"{statement.name}.{each.name}": each for each in inner}
    return found


def unfinished(statements: list[ast.stmt]) -> list[str]:
    """Functions and methods that are still to be written: as handed out, they raise NotImplementedError."""
    last = {name: is_unwritten(function) for name, function in functions_of(statements).items()}
    finished = {name for statement in statements for name in patched(statement)}
    return sorted(name for name, is_open in last.items() if is_open and name not in finished)


STUB = re.compile(r"Q[\w.]+: ")  # how the message of a stub's exception begins


def is_unwritten(function: Function) -> bool:
    """Whether it raises NotImplementedError come what may, or, in a loop say, as the stub does; an answer that refuses
    an argument raises with words of its own."""
    waiting = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, Definition):
            continue
        if isinstance(node, ast.Raise) and isinstance(name := getattr(node.exc, "func", node.exc), ast.Name):
            said = getattr(node.exc, "args", None) or [None]
            as_handed_out = isinstance(said[0], ast.Constant) and STUB.match(str(said[0].value))
            if name.id == "NotImplementedError" and (node in function.body or as_handed_out):
                return True
        waiting += directly_inside(node)
    return False


def parameters(function: Function) -> list[str]:
    """`["self", "x", "/", "*", "noise=..."]`: names, and which have a default."""
    given = function.args
    plain = [argument.arg for argument in (*given.posonlyargs, *given.args)]
    first = len(plain) - len(given.defaults)
    listed = [name if place < first else f"{name}=..." for place, name in enumerate(plain)]
    if given.posonlyargs:
        listed.insert(len(given.posonlyargs), "/")
    if given.vararg or given.kwonlyargs:
        listed.append(f"*{given.vararg.arg}" if given.vararg else "*")
    for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        listed.append(argument.arg if default is None else f"{argument.arg}=...")
    return listed + ([f"**{given.kwarg.arg}"] if given.kwarg else [])


def bound_by_imports(statement: ast.stmt) -> set[str]:
    """The names that a top-level import binds; "module.*" where it takes all."""
    if isinstance(statement, ast.ImportFrom) and star(statement):
        return {f"{statement.module}.*"}
    return binds(statement) if isinstance(statement, ast.Import | ast.ImportFrom) else set()


def stated_number(statement: ast.stmt) -> str:
    """The student number that `STUDENT_NUMBER = "810100123"` states; "" where a statement is another."""
    if not isinstance(statement, ast.Assign | ast.AnnAssign) or "STUDENT_NUMBER" not in binds(statement):
        return ""
    value = getattr(statement.value, "value", None)  # of a literal; what has to be run first states nothing
    return str(value).strip()[:40] if isinstance(value, str | int) and not isinstance(value, bool) else ""
