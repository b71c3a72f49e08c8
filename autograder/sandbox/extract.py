"""Definitions out of a messy file: from what a student uploads to the statements that define something.

In a grade this runs inside the sandbox only: even parsing a stranger's file is done where it can do no harm. What comes
out is plain data plus compiled code, which the grader hands on to later observations without ever looking inside. The
students' own check calls the same functions on the student's machine: they need Python's standard library, no more.

A module as students write it trains, downloads and prints when it is imported. To grade a function we need its
definition, the imports, and those variables that it reads. So `extract` keeps, in their order,

  * imports, functions and classes, and assignments to their attributes (`DenoiseDiffusion.loss = loss`);
  * statements that bind a variable which the graded names read, directly or through other statements;

and leaves the rest out: training loops, prints, global seeds, `set_default_dtype`, argument parsing that nobody
reads, and `if __name__ == "__main__"`. Line numbers stay the student's own.
"""

import __future__

import ast
import marshal
import re
import symtable
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from autograder.sandbox.cells import Cell, cells_of, parsed, read_cells, written_files
from autograder.sandbox.outline import (
    Definition,
    Function,
    and_inside,
    binds,
    bound_by_imports,
    definitions,
    functions_of,
    imported_modules,
    is_future,
    is_setattr,
    parameters,
    star,
    stated_number,
    unfinished,
    uses,
)

UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)  # what parser, symtable and compiler raise
DEFINES = re.compile(r"(?m)^[ \t]*(?:async[ \t]+def|def|class)[ \t]+(\w+)")


@dataclass
class Extract:
    """What is known of one file.

    `code` is marshalled: a list of (line, names, is_import, code object, first line, text) for what the graded names
    need, and another for the file's other definitions. Only what defines functions has a text, for grading/repair.py.

    Names of definitions are "f", "Class" and "Class.method"; "Class.*" where a class may inherit what is not seen here.
    """

    definitions: list[str] = field(default_factory=list)  # as often as it is defined
    unfinished: list[str] = field(default_factory=list)  # those that, in the end, still raise NotImplementedError
    signatures: list[str] = field(default_factory=list)  # "Class.method: self, x, t, noise=..."
    bound: list[str] = field(default_factory=list)  # names that an import binds; "module.*" for a star
    takes: list[str] = field(default_factory=list)  # "module.name" of what it imports from a module
    imports: list[str] = field(default_factory=list)  # modules that the kept statements import
    mentions: list[str] = field(default_factory=list)  # "module: lab.ipynb cell 3, line 1", of every import
    writes: list[str] = field(default_factory=list)  # the .py files that a notebook's %%writefile cells make
    lost: list[str] = field(default_factory=list)  # "log_mean_exp: lab.ipynb cell 4 was left out: ..."
    notes: list[str] = field(default_factory=list)
    forbidden: list[str] = field(default_factory=list)  # "Class.method: line 12 uses torch.distributions"
    student_numbers: list[str] = field(default_factory=list)  # that the file states: STUDENT_NUMBER = "810100123"
    error: str | None = None
    code: bytes = b""


def extract(
    filename: str,
    data: bytes,
    roots: Iterable[str],
    forbidden: Iterable[str] = (),
    member: str = "",
    turns: Mapping[str, int] | None = None,
) -> Extract:
    """Read a .py or .ipynb file and keep what defines `roots`.

    Args:
        filename: as uploaded; its ending decides how it is read, and messages name it.
        data: the raw bytes.
        roots: names that must be kept with all that they need ("f", "Class"); empty means all.
        forbidden: modules that an answer may not use; where one is used is reported, not judged.
        member: of a notebook: only the cells that write this file ("q1_vae.py").
        turns: {name: k} for a file that stands for several modules: of several definitions of a name, the k-th counts.
    """
    found, roots = Extract(), list(roots)
    try:
        cells = read_cells(filename, data, found.notes)
        found.writes = written_files(cells)
        in_notebook = filename.lower().endswith(".ipynb")
        statements = [entry for cell in cells_of(cells, member) for entry in parse(cell, found, in_notebook)]
        statements = part_of(statements, roots, turns) if turns else statements
        outline(found, [(statement, use.label) for statement, use in statements], forbidden)
        graded, others = needed(statements, roots)
        found.imports = sorted({name for statement, _ in graded for name in imported_modules(statement)})
        flags = flags_of([statement for statement, _ in statements], in_notebook)
        found.code = marshal.dumps([list(compiled(part, flags)) for part in (graded, others)])
    except SyntaxError as error:
        found.error = syntax_error(error, filename)
    except UNREADABLE as error:
        found.error = f"{filename} cannot be read as Python: {error or type(error).__name__}."
    return found


def outline(found: Extract, statements: list[tuple[ast.stmt, str]], forbidden: Iterable[str]) -> None:
    """All that is said of a file's statements, given with their labels, apart from the code itself."""
    alone = [statement for statement, _ in statements]
    found.definitions = definitions(alone)
    found.unfinished = unfinished(alone)
    found.signatures = [f"{name}: {', '.join(parameters(f))}" for name, f in functions_of(alone).items()]
    found.bound = sorted({name for statement in alone for name in bound_by_imports(statement)})
    froms = [statement for statement in alone if isinstance(statement, ast.ImportFrom)]
    found.takes = sorted({f"{statement.module}.{alias.name}" for statement in froms for alias in statement.names})
    for statement, label in statements:
        found.mentions += [f"{name}: {label}, line {statement.lineno}" for name in sorted(imported_modules(statement))]
    found.student_numbers = list(filter(None, map(stated_number, alone)))
    found.forbidden = [use for module in forbidden for use in uses(module, alone)]


def compiled(kept: "list[tuple[ast.stmt, Use]]", flags: int) -> "Iterable[tuple]":
    """(line, names, is_import, code object, first line, text) of each statement."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for statement, use in kept:
            if not is_future(statement):
                code = compile(ast.Module([statement], []), use.label, "exec", flags=flags, dont_inherit=True)
                is_import = isinstance(statement, ast.Import | ast.ImportFrom)
                yield statement.lineno, sorted(binds(statement)), is_import, code, *use.source


def flags_of(statements: list[ast.stmt], in_notebook: bool) -> int:
    """Annotations stay unevaluated where a file asks for it, and notebooks may `await` outside of functions."""
    future = __future__.annotations.compiler_flag if any(map(is_future, statements)) else 0
    return future | (ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if in_notebook else 0)


def syntax_error(error: SyntaxError, filename: str) -> str:
    where = f"{error.filename or filename}, line {error.lineno}"
    line = (error.text or "").strip()
    return f"{where}: {error.msg}" + (f": {line}" if line else "") + ". Fix this line and upload again."


# ---------------------------------------------------------------- text to statements


@dataclass
class Use:
    """Which global names one top-level statement reads when it runs, and when its functions are called."""

    label: str
    now: set[str]
    later: set[str]
    source: tuple[int, str] = (0, "")


def parse(cell: Cell, found: Extract, in_notebook: bool) -> list[tuple[ast.stmt, Use]]:
    """A cell's statements. Whatever is wrong in a cell of a notebook costs that cell, and is noted."""
    try:
        text, tree = parsed(cell)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tables = symtable.symtable(text, cell.label, "exec").get_children()  # notices `def f(x, x)`
            if in_notebook:  # and the compiler, `return` outside of a function
                module = ast.Module([statement for statement in tree.body if not is_future(statement)], [])
                compile(module, cell.label, "exec", flags=flags_of(tree.body, True), dont_inherit=True)
    except UNREADABLE as error:
        if not in_notebook:
            raise
        line = f" in its line {error.lineno}" if isinstance(error, SyntaxError) else ""
        problem = error.msg if isinstance(error, SyntaxError) else str(error) or type(error).__name__
        note = f"{cell.label} was left out: {problem}{line}."
        found.notes.append(note)
        found.lost += [f"{name}: {note}" for name in dict.fromkeys(DEFINES.findall(cell.text))]
        return []
    scopes = {(table.get_name(), table.get_lineno()): table for table in tables}
    parts, lines = [part for whole in tree.body for part in single_imports(whole)], text.split("\n")
    return [(part, Use(cell.label, *reads(part, scopes), text_of(part, lines))) for part in parts]


def text_of(statement: ast.stmt, lines: list[str]) -> tuple[int, str]:
    """The first line and the text of a statement that defines a function; else (0, "")."""
    if not any(isinstance(node, Function) for node in and_inside(statement)):
        return 0, ""
    first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])
    return first, "\n".join(lines[first - 1 : statement.end_lineno])


def single_imports(statement: ast.stmt) -> list[ast.stmt]:
    """`from a import b, c` as two statements, so that one that fails takes no other with it."""
    if not isinstance(statement, ast.Import | ast.ImportFrom) or is_future(statement) or len(statement.names) == 1:
        return [statement]
    parts = [
        ast.Import([a]) if isinstance(statement, ast.Import) else ast.ImportFrom(statement.module, [a], statement.level)
        for a in statement.names
    ]
    return [ast.copy_location(part, statement) for part in parts]


def reads(statement: ast.stmt, scopes: dict) -> tuple[set[str], set[str]]:
    if isinstance(statement, Definition):
        now = set()
        for part in definition_time(statement):
            now |= loaded(part)
        line = min([statement.lineno, *(d.lineno for d in statement.decorator_list)])
        table = scopes.get((statement.name, statement.lineno)) or scopes.get((statement.name, line))
        later = global_names(table) if table else loaded(statement)
        return now, later
    return loaded(statement), set()


def definition_time(statement: Definition) -> list[ast.AST]:
    """The parts of a def or class that run when it is defined."""
    parts: list[ast.AST] = list(statement.decorator_list)
    if isinstance(statement, ast.ClassDef):
        parts += statement.bases + [keyword.value for keyword in statement.keywords]
        for inner in statement.body:
            if isinstance(inner, Definition):
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


def part_of(statements: list[tuple[ast.stmt, Use]], roots: list[str], turns: Mapping[str, int]) -> list:
    """A file that holds several modules, one after another, as one of them sees it: of a name in `turns` its own
    definition, of every other name the last definition before the module's end."""
    bound = [binds(statement) for statement, _ in statements]
    places = {name: [i for i, names in enumerate(bound) if name in names] for name in turns}
    own = {name: places[name][k] for name, k in turns.items() if k < len(places[name])}
    foreign = {i for name, there in places.items() for i in there if own.get(name, i) != i}
    end = max((i for i, names in enumerate(bound) if names & set(roots) and i not in foreign), default=len(bound))
    before = set().union(*bound[: end + 1])
    return [entry for i, entry in enumerate(statements) if i not in foreign and (i <= end or not bound[i] & before)]


def needed(statements: list[tuple[ast.stmt, Use]], roots: list[str]) -> tuple[list, list]:
    """The statements that the graded names need, in their order; and other definitions, with what they need at once."""
    imports = (ast.Import, ast.ImportFrom)
    candidates = [(s, use) for s, use in statements if not is_main_guard(s)]
    defined = {s.name for s, _ in candidates if isinstance(s, Definition)}
    imported_names = {name for s, _ in candidates if isinstance(s, imports) for name in binds(s)}
    bound_by: dict[str, list[int]] = {}
    changed_by: dict[str, list[int]] = {}
    for index, (statement, _) in enumerate(candidates):
        for name in binds(statement):
            bound_by.setdefault(name, []).append(index)
        target = changed_name(statement)
        if target in defined and not is_patch(statement):
            continue  # Model.fit(...) at module level is training, not a definition
        if target and target not in imported_names:
            changed_by.setdefault(target, []).append(index)

    names: set[str] = set()
    kept: set[int] = {i for i, (s, _) in enumerate(candidates) if isinstance(s, ast.ImportFrom) and star(s)}

    def keep(waiting: list[str]) -> None:
        while waiting:
            name = waiting.pop()
            if name in names:
                continue
            names.add(name)
            for index in bound_by.get(name, []) + changed_by.get(name, []):
                kept.add(index)
                waiting += candidates[index][1].now | candidates[index][1].later

    keep(list(roots) if roots else list(bound_by))
    graded = set(kept)
    for index, (statement, use) in enumerate(candidates):  # another file may import it
        if index not in graded and (isinstance(statement, Definition) or is_patch(statement)):
            kept.add(index)
            keep(list(use.now))
    return [candidates[i] for i in sorted(graded)], [candidates[i] for i in sorted(kept - graded)]


def is_patch(statement: ast.stmt) -> bool:
    """`Model.loss = loss`, or the same by setattr."""
    if isinstance(statement, ast.Assign):
        return isinstance(statement.targets[0], ast.Attribute | ast.Subscript)
    return isinstance(statement, ast.Expr) and is_setattr(statement)
