"""Where a function's session ends, and what keeps its objects usable afterwards."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from triage.rules.source import Module, SourceTree
from triage.rules.syntax import (
    Function,
    assigned,
    calls_within,
    contains,
    dotted,
    is_constant,
    keyword,
    last_line,
    owner,
    terminal,
    text,
    within,
)

_CONTEXTS = frozenset({"app_context", "test_request_context"})
_SCOPES = frozenset({"session_scope", "Session", "SessionLocal"})
_CLOSING = frozenset({"close", "remove", "expunge_all"})


@dataclass(frozen=True, slots=True)
class End:
    """The session of what stands in lines `first` to `last` is gone after `after`; `line` says why."""

    line: int
    first: int
    last: int
    after: int
    what: str


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """`makers`: names of session factories; `committers`: functions and methods that commit.

    `keeps` is True when any session of the project is made with `expire_on_commit=False`.
    """

    makers: frozenset[str]
    committers: frozenset[str]
    removed_with_context: bool
    keeps: bool


def session_facts(tree: SourceTree) -> SessionFacts:
    """The facts of a tree, gathered once."""
    return tree.memo(_gather)


def ends(function: Function, module: Module, facts: SessionFacts) -> Iterator[End]:
    """Every point of a function where a session is closed, in source order."""
    contexts = {name for each in within(function) for name, value in assigned(each) if _is_context(value)}
    for node in within(function):
        if isinstance(node, ast.With | ast.AsyncWith) and _closes_at_exit(node, facts):
            head = text(node.items[0].context_expr)
            yield End(node.lineno, node.lineno, last_line(node), last_line(node), f"with {head}:")
        elif isinstance(node, ast.Call) and (_is_close(node) or _is_pop(node, contexts)):
            final = _finally_around(node, module)
            first = final.lineno if final is not None else function.lineno
            yield End(node.lineno, first, node.lineno, node.lineno, text(node))


def return_follows(end: End, statement: ast.Return | ast.Yield, module: Module) -> bool:
    """A return inside the block or after it; a yield only after it: the block stays open meanwhile."""
    inside = end.first <= statement.lineno <= end.last
    if isinstance(statement, ast.Yield):
        return statement.lineno > end.after
    if inside and end.what.startswith("with "):
        return True
    return statement.lineno > end.after or _returns_through(end, statement, module)


def _returns_through(end: End, statement: ast.Return | ast.Yield, module: Module) -> bool:
    """A `finally` that closes runs between the return and the caller."""
    return any(
        isinstance(each, ast.Try) and any(contains(final, end.line) for final in each.finalbody)
        for each in module.ancestors(statement)
    )


def _finally_around(node: ast.Call, module: Module) -> ast.Try | None:
    for each in module.ancestors(node):
        if isinstance(each, ast.Try) and any(contains(final, node.lineno) for final in each.finalbody):
            return each
    return None


def _is_context(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and terminal(value) in _CONTEXTS


def _closes_at_exit(block: ast.With | ast.AsyncWith, facts: SessionFacts) -> bool:
    for item in block.items:
        call = item.context_expr
        if not isinstance(call, ast.Call):
            continue
        name = terminal(call)
        if name in _CONTEXTS and facts.removed_with_context:
            return True
        if name in _SCOPES or name in facts.makers:
            return True
        if name == "begin" and terminal(owner(call)) in facts.makers:
            return True
    return False


def _is_close(call: ast.Call) -> bool:
    whose = owner(call)
    return terminal(call) in _CLOSING and not call.args and "session" in terminal(whose).lower()


def _is_pop(call: ast.Call, contexts: set[str]) -> bool:
    return terminal(call) == "pop" and dotted(owner(call)) in contexts


def _gather(tree: SourceTree) -> SessionFacts:
    makers: set[str] = set()
    committers: set[str] = set()
    keeps = False
    for module in tree.modules(b"sessionmaker(", b".commit(", b"expire_on_commit"):
        for statement in module.all(ast.Assign):
            for name, value in assigned(statement):
                if isinstance(value, ast.Call) and terminal(value) == "sessionmaker":
                    makers.add(name)
        for function in module.functions:
            if any(terminal(call) == "commit" for call in calls_within(function)):
                committers.add(function.name)
        keeps = keeps or _keeps(module)
    _add_callers(tree, committers)
    removed = tree.mentions(b"flask_sqlalchemy", b"teardown_appcontext")
    return SessionFacts(frozenset(makers), frozenset(committers), removed, keeps)


def _add_callers(tree: SourceTree, committers: set[str]) -> None:
    """Helpers of the tests that call one that commits, a few levels up."""
    names = [name.encode() for name in committers]
    helpers = [
        (function.name, {terminal(call) for call in calls_within(function)})
        for module in (tree.modules(*names, tests=True) if names else ())
        for function in module.functions
        if not function.name.startswith("test")
    ]
    for _ in range(3):
        committers.update(name for name, called in helpers if not called.isdisjoint(committers))


def _keeps(module: Module) -> bool:
    in_calls = any(
        is_constant(keyword(call, "expire_on_commit"), value=False) for call in module.all(ast.Call)
    )
    return in_calls or any(
        isinstance(key, ast.Constant) and key.value == "expire_on_commit"
        for each in module.all(ast.Dict)
        for key in each.keys
    )
