"""Definitions out of a messy file: from what a student uploads to the statements that define something.

Runs inside the sandbox only: even parsing a stranger's file is done where it can do no harm. What comes out is
plain data plus compiled code, which the grader hands on to later observations without ever looking inside.

A module as students write it trains, downloads and prints when it is imported. To grade a function we need its
definition, the imports, and those variables that it reads. So `extract` keeps, in their order,

  * imports, functions and classes, and assignments to their attributes (`DenoiseDiffusion.loss = loss`);
  * statements that bind a variable which the graded names read, directly or through other statements;

and leaves the rest out: training loops, prints, global seeds, `set_default_dtype`, argument parsing that nobody
reads, and `if __name__ == "__main__"`. Line numbers stay the student's own.
"""

import ast
import codecs
import json
import marshal
import re
import symtable
import tokenize
import warnings
from dataclasses import dataclass, field
from io import BytesIO

SHELL_LINE = re.compile(r"^(\s*)[!%].*$|^(\s*)\?+\s*[\w.]+\s*$|^(\s*)[\w.]+\?+\s*$")
SHELL_VALUE = re.compile(r"^(\s*[\w., ]+=\s*)[!%].*$")
# Cell magics above a cell that is Python; %%writefile q1_vae.py is how many complete a file in a notebook.
BODY_MAGIC = re.compile(r"\s*%%((time|timeit|capture|prun)\b.*|(writefile|file)\b.*\.py[ \t]*)(\n|$)")


@dataclass
class Extract:
    """What is known of one file. `code` is marshalled [(line, names, is_import, code object, first line, text), ...];
    the text is there of statements that define functions, for grading/repair.py."""

    definitions: list[str] = field(default_factory=list)  # "f", "Class", "Class.method"
    imports: list[str] = field(default_factory=list)  # top-level packages it imports
    notes: list[str] = field(default_factory=list)
    forbidden: list[str] = field(default_factory=list)  # "Class.method: line 12 uses torch.distributions"
    error: str | None = None
    code: bytes = b""


@dataclass
class Cell:
    """A piece of source that is parsed on its own: a whole .py file, or one cell of a notebook."""

    label: str  # shown in messages and tracebacks
    text: str


def extract(filename: str, data: bytes, roots: list[str], forbidden: list[str]) -> Extract:
    """Read a .py or .ipynb file and keep what defines `roots`.

    Args:
        filename: as uploaded; its ending decides how it is read, and messages name it.
        data: the raw bytes.
        roots: names that must be kept with all that they need ("f", "Class"); empty means all.
        forbidden: modules that an answer may not use; where one is used is reported, not judged.
    """
    found = Extract()
    try:
        cells = read_cells(filename, data, found)
        statements = [entry for cell in cells for entry in parse(cell, found, len(cells) > 1)]
    except SyntaxError as error:
        found.error = syntax_error(error, filename)
        return found
    except (ValueError, RecursionError, MemoryError) as error:
        found.error = f"{filename} cannot be read as Python: {error or type(error).__name__}."
        return found
    found.definitions = definitions([statement for statement, _ in statements])
    found.forbidden = [use for module in forbidden for use in uses(module, [s for s, _ in statements])]
    kept = needed(statements, roots)
    found.imports = sorted({name for statement, _ in kept for name in imported_modules(statement)})
    future = any(isinstance(s, ast.ImportFrom) and s.module == "__future__" for s, _ in statements)
    flags = __import__("__future__").annotations.compiler_flag if future else 0
    compiled = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for statement, use in kept:
            if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
                continue
            module = ast.Module([statement], type_ignores=[])
            try:
                code = compile(module, use.label, "exec", flags=flags, dont_inherit=True)
            except SyntaxError as error:  # what only the compiler notices: await outside of an async function
                found.error = syntax_error(error, filename)
                return found
            is_import = isinstance(statement, ast.Import | ast.ImportFrom)
            compiled.append((statement.lineno, sorted(binds(statement)), is_import, code, *use.source))
    found.code = marshal.dumps(compiled)
    return found


def syntax_error(error: SyntaxError, filename: str) -> str:
    where = f"{error.filename or filename}, line {error.lineno}"
    line = (error.text or "").strip()
    return f"{where}: {error.msg}" + (f": {line}" if line else "") + ". Fix this line and upload again."


# ---------------------------------------------------------------- bytes to text


def read_cells(filename: str, data: bytes, found: Extract) -> list[Cell]:
    if not filename.lower().endswith(".ipynb"):
        text = decode_text(filename, data, found)
        return [Cell(filename, text)]
    try:
        notebook = json.loads(decode_text(filename, data, found))
        cells = notebook["cells"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"it is not a notebook in the current format ({type(error).__name__})") from error
    kept = []
    for position, cell in enumerate(cells, start=1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        source = source if isinstance(source, str) else "".join(map(str, source))
        magic = BODY_MAGIC.match(source)
        if not magic and re.match(r"\s*%%\w", source):
            continue
        if magic:
            source = "\n" * magic[0].count("\n") + source[magic.end() :]
        kept.append(Cell(f"{filename} cell {position}", source))
    return kept


def decode_text(filename: str, data: bytes, found: Extract) -> str:
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return unix_lines(data.decode(encoding))
    try:
        encoding, _ = tokenize.detect_encoding(BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        text = data.decode("latin-1")
        found.notes.append(f"{filename} is not UTF-8; it was read as Latin-1.")
    if "\0" in text:
        raise ValueError("it contains null bytes, so it is not a text file")
    return unix_lines(text)


def unix_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")


# ---------------------------------------------------------------- text to statements


@dataclass
class Use:
    """Which global names one top-level statement reads when it runs, and when its functions are called."""

    label: str
    now: set[str]
    later: set[str]
    source: tuple[int, str] = (0, "")


def parse(cell: Cell, found: Extract, in_notebook: bool) -> list[tuple[ast.stmt, Use]]:
    try:
        text, tree = parse_text(cell)
    except SyntaxError as error:
        if not in_notebook:
            raise
        found.notes.append(f"{cell.label} was left out: {error.msg} in its line {error.lineno}.")
        return []
    scopes = {(table.get_name(), table.get_lineno()): table for table in scope_tables(text, cell.label)}
    lines = text.split("\n")
    return [(s, Use(cell.label, *reads(s, scopes), source_of(s, lines))) for s in tree.body]


def source_of(statement: ast.stmt, lines: list[str]) -> tuple[int, str]:
    """The first line and the text of a statement that defines a function; else (0, "")."""
    inner = [n for n in ast.walk(statement) if isinstance(n, ast.FunctionDef)]
    if not inner:
        return 0, ""
    first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])
    return first, "\n".join(lines[first - 1 : statement.end_lineno])


def parse_text(cell: Cell) -> tuple[str, ast.Module]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes and the like are the student's own business
        try:
            return cell.text, ast.parse(cell.text, cell.label)
        except SyntaxError:
            text = without_shell_lines(cell.text)
            if text == cell.text:
                raise
            return text, ast.parse(text, cell.label)


def without_shell_lines(text: str) -> str:
    """`!pip install x`, `%matplotlib inline`, `help?` become `pass`, `files = !ls` becomes None."""
    lines, continued = [], False
    for line in text.split("\n"):
        if continued:
            continued = line.endswith("\\")
            line = ""
        elif match := SHELL_LINE.match(line):
            continued = line.endswith("\\")
            line = (match[1] or match[2] or match[3] or "") + "pass"
        elif match := SHELL_VALUE.match(line):
            line = match[1] + "None"
        lines.append(line)
    return "\n".join(lines)


def scope_tables(text: str, label: str) -> list[symtable.SymbolTable]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return symtable.symtable(text, label, "exec").get_children()


def reads(statement: ast.stmt, scopes: dict) -> tuple[set[str], set[str]]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        now = set()
        for part in definition_time(statement):
            now |= loaded(part)
        line = min([statement.lineno, *(d.lineno for d in statement.decorator_list)])
        table = scopes.get((statement.name, statement.lineno)) or scopes.get((statement.name, line))
        later = global_names(table) if table else loaded(statement)
        return now, later
    return loaded(statement), set()


def definition_time(statement: ast.stmt) -> list[ast.AST]:
    """The parts of a def or class that run when it is defined."""
    parts: list[ast.AST] = list(statement.decorator_list)
    if isinstance(statement, ast.ClassDef):
        parts += statement.bases + [keyword.value for keyword in statement.keywords]
        for inner in statement.body:
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                parts += definition_time(inner)
            else:
                parts.append(inner)
        return parts
    arguments = statement.args
    parts += [d for d in (*arguments.defaults, *arguments.kw_defaults) if d is not None]
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    parts += [a.annotation for a in every if a is not None and a.annotation is not None]
    return parts + ([statement.returns] if statement.returns else [])


def global_names(table: symtable.SymbolTable) -> set[str]:
    names = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}
    for child in table.get_children():
        names |= global_names(child)
    return names


def loaded(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def binds(statement: ast.stmt) -> set[str]:
    """The global names that a top-level statement gives a value."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
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
            and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom)
        ):
            names |= binds(node)
            continue
        if isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        stack += list(ast.iter_child_nodes(node))
    return names


def changed_variable(node: ast.AST) -> str | None:
    """`a` for `a.b[0].c`, `a.b()` and the like."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def changed_name(statement: ast.stmt) -> str | None:
    """The variable whose content a statement changes without binding it: `x.a = 1`, `x[0] = 1`, `x.append(1)`."""
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Attribute | ast.Subscript):
        return changed_variable(statement.targets[0])
    if isinstance(statement, ast.AugAssign):
        return changed_variable(statement.target)
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        call = statement.value
        if isinstance(call.func, ast.Name) and call.func.id == "setattr" and call.args:
            return changed_variable(call.args[0])
        return changed_variable(call.func) if isinstance(call.func, ast.Attribute) else None
    return None


def is_main_guard(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "__name__" in loaded(statement.test)


def needed(statements: list[tuple[ast.stmt, Use]], roots: list[str]) -> list[tuple[ast.stmt, Use]]:
    """The statements that the graded names need, in their order."""
    always = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    imports = (ast.Import, ast.ImportFrom)
    candidates = [(s, use) for s, use in statements if not is_main_guard(s)]
    defined = {s.name for s, _ in candidates if isinstance(s, always)}
    imported_names = {name for s, _ in candidates if isinstance(s, imports) for name in binds(s)}
    bound_by: dict[str, list[int]] = {}
    changed_by: dict[str, list[int]] = {}
    for index, (statement, _) in enumerate(candidates):
        for name in binds(statement):
            bound_by.setdefault(name, []).append(index)
        target = changed_name(statement)
        if target and target not in imported_names:
            changed_by.setdefault(target, []).append(index)
    waiting = list(roots) if roots else list(bound_by)
    names: set[str] = set()
    kept: set[int] = {i for i, (s, _) in enumerate(candidates) if isinstance(s, ast.ImportFrom) and star(s)}
    for index, (statement, use) in enumerate(candidates):
        if isinstance(statement, always):
            kept.add(index)  # a definition costs nothing; what its body reads counts only if it is needed
            waiting += use.now
        elif changed_name(statement) in defined and isinstance(statement, ast.Assign | ast.Expr):
            if isinstance(statement, ast.Expr) and not is_setattr(statement):
                continue  # Model.fit(...) at module level is training, not a definition
            kept.add(index)
            waiting += use.now
    while waiting:
        name = waiting.pop()
        if name in names:
            continue
        names.add(name)
        for index in bound_by.get(name, []) + (changed_by.get(name, []) if name not in defined else []):
            kept.add(index)
            waiting += candidates[index][1].now | candidates[index][1].later
    return [candidates[index] for index in sorted(kept)]


def star(statement: ast.ImportFrom) -> bool:
    return statement.names[0].name == "*"


def is_setattr(statement: ast.Expr) -> bool:
    func = getattr(statement.value, "func", None)
    return isinstance(func, ast.Name) and func.id == "setattr"


def imported_modules(statement: ast.stmt) -> set[str]:
    """Full names of the modules that a statement imports, wherever inside it."""
    names = set()
    for node in ast.walk(statement):
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
        if isinstance(statement, ast.FunctionDef):
            bodies[statement.name] = statement
        elif isinstance(statement, ast.ClassDef):
            for inner in statement.body:
                if isinstance(inner, ast.FunctionDef):
                    bodies[f"{statement.name}.{inner.name}"] = inner

    def line_in(name: str, seen: set[str]) -> int | None:
        seen.add(name)
        body = bodies[name]
        local = aliases | {alias for node in ast.walk(body) for alias in names_of_module(forbidden, node)}
        for node in ast.walk(body):
            if names_of_module(forbidden, node) or (isinstance(node, ast.Name) and node.id in local):
                return node.lineno
            if isinstance(node, ast.Attribute) and dotted(node) == forbidden:
                return node.lineno
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


def definitions(statements: list[ast.stmt]) -> list[str]:
    names = []
    for statement in statements:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            names.append(statement.name)
        elif isinstance(statement, ast.ClassDef):
            methods = [inner.name for inner in statement.body if isinstance(inner, ast.FunctionDef)]
            names += [statement.name, *(f"{statement.name}.{method}" for method in methods)]
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            names += sorted(binds(statement))
            for target in statement.targets if isinstance(statement, ast.Assign) else []:
                if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                    names.append(f"{target.value.id}.{target.attr}")
    return names
