"""Refusals that a test expects of the database, and the session that they leave to be rolled back."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from triage.rules.source import Module, SourceTree
from triage.rules.syntax import Function, calls_within, contains, dotted, owner, terminal, text, within

_EXPECTING = frozenset({"raises", "assertRaises", "assertRaisesRegex", "suppress"})
_DATABASE = frozenset(
    {"IntegrityError", "StatementError", "DBAPIError", "SQLAlchemyError", "OperationalError", "DataError"}
    | {"FlushError", "ProgrammingError", "InternalError", "DatabaseError", "InterfaceError", "Error"}
    | {"UniqueViolation", "NotNullViolation", "ForeignKeyViolation", "CheckViolation"}
    | {"Exception", "BaseException"}
)
_FLUSHES = ("commit", "flush", "execute", "scalar", "scalars", "bulk_save_objects", "bulk_insert_mappings")
_SESSION = re.compile(r"_*(?:\w+_)?(?:session|sess|ses|dbsession)_?\d*|s|\w*Session", re.ASCII)
_USES = (*_FLUSHES, "query", "add", "add_all", "get", "merge", "delete", "refresh", "expire_all")
_SAVEPOINTS = frozenset({"begin_nested", "begin"})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Expected:
    """`node` is the `with`, the `try` or the statement; `body` what is tried in it."""

    node: ast.stmt
    body: tuple[ast.AST, ...]
    handler: ast.ExceptHandler | None = None


def expected_refusals(function: Function) -> Iterator[Expected]:
    for node in within(function):
        if isinstance(node, ast.With | ast.AsyncWith):
            if any(_expects(item.context_expr) or _flushes(node, item) for item in node.items):
                yield Expected(node, (*node.body, *(item.context_expr for item in node.items)))
        elif isinstance(node, ast.Try):
            for handler in node.handlers:
                if handler.type is None or _is_database(handler.type):
                    yield Expected(node, tuple(node.body), handler)
        elif isinstance(node, ast.Expr):
            call = node.value
            if isinstance(call, ast.Call) and call.args[1:] and _expects(call):
                yield Expected(node, tuple(call.args[1:]))


def other_exceptions(function: Function, line: int) -> str:
    """What a block at the line expects that is no error of a database; empty where there is none."""
    for node in within(function):
        if isinstance(node, ast.With | ast.AsyncWith) and contains(node, line):
            for item in node.items:
                call = item.context_expr
                if isinstance(call, ast.Call) and terminal(call) in _EXPECTING and not _expects(call):
                    return text(call.args[0]) if call.args else "another exception"
    return ""


def _flushes(node: ast.With | ast.AsyncWith, item: ast.withitem) -> bool:
    """Whatever a flush raises breaks its transaction, an exception of own code, too."""
    calls = (each for part in node.body for each in ast.walk(part) if isinstance(each, ast.Call))
    flushes = any(terminal(call) in _FLUSHES[:2] and is_session(owner(call)) for call in calls)
    return terminal(item.context_expr) in _EXPECTING and flushes


def _expects(node: ast.expr) -> bool:
    is_call = isinstance(node, ast.Call) and terminal(node) in _EXPECTING
    return is_call and isinstance(node, ast.Call) and any(_is_database(one) for one in node.args[:1])


def _is_database(node: ast.expr) -> bool:
    return any(terminal(one) in _DATABASE for one in (node.elts if isinstance(node, ast.Tuple) else [node]))


def chosen(function: Function, line: int) -> Expected | None:
    """The one that holds the line; else the first one after it."""
    found = sorted(expected_refusals(function), key=lambda one: one.node.lineno)
    holding = [one for one in found if contains(one.node, line) and not _is_in_handler(one, line)]
    return next(reversed(holding), None) or next((one for one in found if one.node.lineno > line), None)


def _is_in_handler(one: Expected, line: int) -> bool:
    return one.handler is not None and line >= one.handler.lineno


def in_savepoint(one: Expected) -> bool:
    """A savepoint, or a session made for the block alone, rolls itself back."""
    for node in [*one.body, *(each for part in one.body for each in ast.walk(part))]:
        if isinstance(node, ast.Call) and terminal(node) in _SAVEPOINTS:
            return True
        items = node.items if isinstance(node, ast.With | ast.AsyncWith) else []
        if any(is_session(item.optional_vars) for item in items):
            return True
    return False


def rolls_back(nodes: list[ast.stmt]) -> bool:
    names = ("rollback", "remove", "close", "reset")
    return any(terminal(call) in names for node in nodes for call in [*_own(node), *calls_within(node)])


def _own(node: ast.stmt) -> list[ast.Call]:
    return [node.value] if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else []


def is_session(node: ast.expr | None) -> bool:
    return node is not None and bool(dotted(node)) and bool(_SESSION.fullmatch(terminal(node)))


def session_of(one: Expected, function: Function, module: Module, tree: SourceTree) -> str:
    """Source text of the session (`db.session`); empty where nothing tells it."""
    walked = [each for part in one.body for each in ast.walk(part)]
    calls = [each for each in walked if isinstance(each, ast.Call)]
    bound = [each for each in one.body if isinstance(each, ast.Attribute) and each.attr in _FLUSHES]
    receivers = [(each.attr, each.value) for each in bound]
    receivers += [(terminal(each), found) for each in calls if (found := owner(each)) is not None]
    for name, receiver in receivers:
        if name in _FLUSHES and dotted(receiver):
            wrapped = _wrapped(name, dotted(receiver), tree) if not is_session(receiver) else ""
            return wrapped or dotted(receiver)
    for name, receiver in receivers:
        if is_session(receiver):
            return dotted(receiver)
        if dotted(receiver) and (wrapped := _wrapped(name, dotted(receiver), tree)):
            return wrapped
    given = [arg for call in calls for arg in [*call.args, *(each.value for each in call.keywords)]]
    known = [dotted(arg) for arg in given if is_session(arg)]
    return known[0] if known else _around(function, module)


def _around(function: Function, module: Module) -> str:
    """The only session that the function, else its file, speaks of."""
    arguments = [each.arg for each in (*function.args.args, *function.args.kwonlyargs)]
    names = [name for name in arguments if _SESSION.fullmatch(name)]
    if len(names) == 1:
        return names[0]
    for nodes in (list(within(function)), [*module.all(ast.Attribute)]):
        attributes = [node for node in nodes if isinstance(node, ast.Attribute) and is_session(node)]
        found = {dotted(node) for node in attributes if _is_reachable(node, function, module)}
        found |= {each for node in nodes if (each := _used(node)) in module.imports}
        if len(found) == 1:
            return found.pop()
    return ""


def _used(node: ast.AST) -> str:
    """The name on which a session's own method is called: a scoped session, whatever its case."""
    if not isinstance(node, ast.Call | ast.Attribute):
        return ""
    method, held = (terminal(node), owner(node)) if isinstance(node, ast.Call) else (node.attr, node.value)
    return held.id if method in _USES and isinstance(held, ast.Name) and is_session(held) else ""


def _is_reachable(node: ast.Attribute, function: Function, module: Module) -> bool:
    root = dotted(node).partition(".")[0]
    local = {each.arg for each in function.args.args}
    local |= {each.id for each in within(function) if isinstance(each, ast.Name)}
    defined = {name for each in module.tree.body for name in _bound(each)}
    return root in local | defined | set(module.imports) and root[:1].islower()


def _bound(node: ast.stmt) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [each.id for each in targets if isinstance(each, ast.Name)]


def _wrapped(name: str, receiver: str, tree: SourceTree) -> str:
    """The session behind a project's own object: its method of that name uses `self....session`."""
    found: set[str] = set()
    for module in tree.modules(f"def {name}(".encode()):
        for function in module.functions:
            if function.name == name and isinstance(module.parents.get(function), ast.ClassDef):
                found |= {
                    dotted(held)
                    for call in calls_within(function)
                    if (held := owner(call)) is not None and is_session(held)
                }
    own = {each for each in found if each.startswith("self.")}
    return receiver + own.pop().removeprefix("self") if len(own) == 1 else ""


def is_awaited(one: Expected) -> bool:
    return any(isinstance(each, ast.Await) for part in one.body for each in ast.walk(part))


def function_at(module: Module, line: int) -> Function | None:
    """The innermost function around a line; decorators do not count."""
    found = [each for each in module.functions if contains_body(each, line)]
    return max(found, key=lambda each: each.lineno, default=None)


def contains_body(function: Function, line: int) -> bool:
    return function.lineno <= line <= (function.end_lineno or function.lineno)


def function_of(test: str, tree: SourceTree) -> tuple[Module, Function] | None:
    """Behind a node id."""
    file, *names = test.partition("[")[0].split("::")
    module = tree.module(file)
    for function in module.functions if module is not None and names else ():
        around = module.parents.get(function) if module is not None else None
        name = around.name if isinstance(around, ast.ClassDef) else ""
        if module is not None and function.name == names[-1] and name == (names[-2] if names[1:] else ""):
            return module, function
    return None
