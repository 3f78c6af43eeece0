"""A fixture that returns becomes one that yields: its `return` statements, and its annotation."""

import ast
from collections.abc import Iterable, Iterator

import libcst as cst

from triage.model.fix import Edit
from triage.remedies.blocks import (
    indent,
    inserted,
    last_line,
    line_text,
    own_lines,
    siblings,
    spot,
)
from triage.remedies.imports import import_edits, top_level_names
from triage.remedies.source import SourceFile
from triage.rules.fixtures import Fixture
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import SCOPES, Function, arguments, assigned, dotted, terminal, within

_RETURN = len("return")
_ENDINGS = frozenset({"skip", "fail", "exit", "xfail"})
_HANDED = frozenset({"Iterator", "AsyncIterator", "Generator", "AsyncGenerator", "Iterable", "AsyncIterable"})


def returns(function: Function) -> list[ast.Return]:
    return [each for each in within(function) if isinstance(each, ast.Return)]


def yields(function: Function) -> list[ast.Yield | ast.YieldFrom]:
    return [each for each in within(function) if isinstance(each, ast.Yield | ast.YieldFrom)]


def statement_of(module: Module, node: ast.AST) -> ast.stmt:
    """The statement that an expression belongs to."""
    return next(each for each in (node, *module.ancestors(node)) if isinstance(each, ast.stmt))


def yielding(source: SourceFile, module: Module, function: Function) -> Iterator[Edit]:
    """Every `return` as `yield`; one that something follows keeps a bare `return` below it."""
    for each in returns(function):
        yield from _yielded(source, module, function, each)
    yield from annotation(source, function)


def _yielded(source: SourceFile, module: Module, function: Function, node: ast.Return) -> Iterator[Edit]:
    start, stop = spot(source, node)
    if is_last(module, function, node):
        yield Edit(source.file, start, start + _RETURN, "yield")
        return
    line = line_text(source, node.lineno)
    white = indent(source, node.lineno)
    head = source.text[source.offset(node.lineno, 0) : start]
    if head.strip():  # `if known: return known`
        colon = source.offset(node.lineno, 0) + len(head.rstrip())
        white += source.unit if not line.startswith("\t") else "\t"
        lead = f"{source.newline}{white}"
        yield Edit(source.file, colon, start + _RETURN, f"{lead}yield")
        yield Edit(source.file, stop, stop, f"{lead}return")
        return
    own_lines(source, node)
    yield Edit(source.file, start, start + _RETURN, "yield")
    yield inserted(source, last_line(node), f"{white}return")


def is_last(module: Module, function: Function, node: ast.stmt) -> bool:
    """Nothing of the function runs after `node`, but what closes the blocks around it."""
    at: ast.stmt = node
    while at is not function:
        if siblings(module, at)[-1] is not at:
            return False
        parent = module.parents[at]
        if isinstance(parent, ast.For | ast.AsyncFor | ast.While):
            return False
        if isinstance(parent, ast.Try) and at in parent.body and parent.orelse:
            return False
        if isinstance(parent, ast.ExceptHandler | ast.match_case):
            parent = module.parents[parent]
        if not isinstance(parent, ast.stmt):
            return False
        at = parent
    return True


def falls_through(body: list[ast.stmt]) -> bool:
    """Whether the end of these statements can be reached."""
    last = body[-1]
    if isinstance(last, ast.Return | ast.Raise):
        return False
    if isinstance(last, ast.If):
        return not last.orelse or falls_through(last.body) or falls_through(last.orelse)
    if isinstance(last, ast.With | ast.AsyncWith):
        return falls_through(last.body)
    if isinstance(last, ast.Try):
        bodies = [last.orelse or last.body, *(each.body for each in last.handlers)]
        ended = bool(last.finalbody) and not falls_through(last.finalbody)
        return not ended and any(falls_through(each) for each in bodies)
    return not (isinstance(last, ast.Expr) and terminal(last.value) in _ENDINGS)


def annotation(source: SourceFile, function: Function) -> Iterator[Edit]:
    """`-> Tenant` becomes `-> Iterator[Tenant]`, with the import in the way of the file."""
    node = function.returns
    if node is None or terminal(node.value if isinstance(node, ast.Subscript) else node) in _HANDED:
        return
    name, module = _iterator(source, is_async=isinstance(function, ast.AsyncFunctionDef))
    rest = (", None" if name.endswith("AsyncGenerator") else ", None, None") if "Generator" in name else ""
    start, stop = spot(source, node)
    yield Edit(source.file, start, start, f"{name}[")
    yield Edit(source.file, stop, stop, f"{rest}]")
    if module:
        yield from import_edits(source, module, name)


def _iterator(source: SourceFile, *, is_async: bool) -> tuple[str, str]:
    """How the file names what a generator hands out, and where to import it from (empty: known)."""
    known = top_level_names(source)
    prefix = "Async" if is_async else ""
    for name in (f"{prefix}Iterator", f"{prefix}Generator"):
        if name in known:
            return name, ""
    modules = _imported(source)
    for module, alias in modules:
        if module == "typing" and alias:
            return f"{alias}.{prefix}Iterator", ""
    from_typing = ("typing", "") in modules and ("collections.abc", "") not in modules
    return f"{prefix}Iterator", "typing" if from_typing else "collections.abc"


def _imported(source: SourceFile) -> list[tuple[str, str]]:
    """Modules with the name under which they are known; an empty one for `from x import y`."""
    found: list[tuple[str, str]] = []
    for statement in source.module.body:
        for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
            if isinstance(small, cst.ImportFrom) and small.module is not None and not small.relative:
                found.append((cst.Module([]).code_for_node(small.module), ""))
            elif isinstance(small, cst.Import):
                found += [
                    (one.evaluated_name, one.evaluated_alias or one.evaluated_name) for one in small.names
                ]
    return found


def called_directly(tree: SourceTree, fixture: Fixture) -> str | None:
    """Where the fixture's function is called as a plain one, or wrapped again: `file:line`."""
    name = fixture.node.name
    for module in tree.modules(name.encode()):
        for node in module.all(ast.Call):
            plain = dotted(node.func) == name and _is_function(module, node, fixture)
            if plain or dotted(node.func) == f"{name}.__wrapped__":
                return f"{module.path}:{node.lineno}"
    return None


def _is_function(module: Module, call: ast.Call, fixture: Fixture) -> bool:
    """No argument or variable of the same name stands between: that would be what the fixture hands out."""
    inner: Iterable[ast.AST] = module.ancestors(call)
    for each in inner:
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            bound = {name for node in within(each) for name, _ in assigned(node)}
            nested = {node.name for node in within(each) if isinstance(node, SCOPES)}
            if fixture.node.name in {*arguments(each), *bound, *nested}:
                return False
    if module.path == fixture.file:
        around = module.parents.get(fixture.node)
        return isinstance(around, ast.Module)
    return fixture.node.name in module.imports
