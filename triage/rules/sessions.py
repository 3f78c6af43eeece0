"""Where a function's session ends, and what keeps its objects usable afterwards."""

import ast
import re
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
_SCOPES = re.compile(
    r"_*(?:get_|make_|new_|open_|create_|async_?|db_|scoped_)*"
    r"(?:session_?(?:maker|factory|local|scope|context|manager)?|maker)",
    re.IGNORECASE,
)
_CONNECTIONS = re.compile(r"engine|conn", re.IGNORECASE)
_CLOSING = frozenset({"close", "remove", "expunge_all"})


@dataclass(frozen=True, slots=True)
class End:
    """The session of what stands in lines `first` to `last` is gone after `after`; `line` says why."""

    line: int
    first: int
    last: int
    after: int
    what: str
    is_block: bool = False


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
    values = [pair for each in within(function) for pair in assigned(each)]
    contexts = {name for name, value in values if _is_context(value)}
    sessions = {name for name, value in values if _opens(value, facts)}
    for node in within(function):
        if isinstance(node, ast.With | ast.AsyncWith) and _closes_at_exit(node, facts):
            head = text(node.items[0].context_expr)
            final_line = last_line(node)
            yield End(node.lineno, node.lineno, final_line, final_line, f"with {head}:", is_block=True)
        elif isinstance(node, ast.Call) and (_is_close(node, sessions) or _is_pop(node, contexts)):
            final = _finally_around(node, module)
            first = final.lineno if final is not None else function.lineno
            yield End(node.lineno, first, node.lineno, node.lineno, text(node))


def return_follows(end: End, statement: ast.Return | ast.Yield, module: Module) -> bool:
    """A return inside the block or after it; a yield only after it: the block stays open meanwhile."""
    inside = end.first <= statement.lineno <= end.last
    if isinstance(statement, ast.Yield):
        return statement.lineno > end.after
    if inside and end.is_block:
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
        wrapped = call.args[0] if name == "closing" and call.args else call
        if _opens(wrapped, facts) or (name == "begin" and _is_maker(owner(call), facts)):
            return True
    return False


def _opens(value: ast.expr, facts: SessionFacts) -> bool:
    """A call that makes a session: `Session(engine)`, `self.maker()`."""
    return isinstance(value, ast.Call) and (
        terminal(value) in facts.makers or bool(_SCOPES.fullmatch(terminal(value)))
    )


def _is_maker(whose: ast.expr | None, facts: SessionFacts) -> bool:
    """`SessionLocal` of `SessionLocal.begin()`; `session.begin()` closes nothing."""
    name = terminal(whose)
    is_named = name.lower() not in ("session", "_session", "db_session") and bool(_SCOPES.fullmatch(name))
    return not isinstance(whose, ast.Call) and (name in facts.makers or is_named)


def commit_lines(function: Function, first: int, last: int, facts: SessionFacts) -> list[int]:
    """Lines from `first` to `last` where a commit happens; a block that commits does so at its end."""
    found = []
    for node in within(function):
        if isinstance(node, ast.Call) and first <= node.lineno <= last:
            found += [node.lineno] if terminal(node) in facts.committers | {"commit"} else []
        elif isinstance(node, ast.With | ast.AsyncWith) and contains(node, first):
            calls = [each.context_expr for each in node.items]
            found += [last_line(node)] if any(_commits_at_exit(each, facts) for each in calls) else []
    return found


def _commits_at_exit(call: ast.expr, facts: SessionFacts) -> bool:
    if not isinstance(call, ast.Call):
        return False
    is_begin = terminal(call) == "begin" and not _CONNECTIONS.search(terminal(owner(call)))
    return is_begin or terminal(call) in facts.committers


def _is_close(call: ast.Call, sessions: set[str]) -> bool:
    whose = owner(call)
    is_session = "session" in terminal(whose).lower() or dotted(whose) in sessions
    return terminal(call) in _CLOSING and not call.args and is_session


def _is_pop(call: ast.Call, contexts: set[str]) -> bool:
    return terminal(call) == "pop" and dotted(owner(call)) in contexts


def _gather(tree: SourceTree) -> SessionFacts:
    makers: set[str] = set()
    committers: set[str] = set()
    keeps = False
    for module in tree.modules(b"sessionmaker(", b".commit(", b"expire_on_commit"):
        for statement in module.all(ast.Assign):
            if isinstance(statement.value, ast.Call) and terminal(statement.value) == "sessionmaker":
                makers.update(name for each in statement.targets if (name := terminal(each)))
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
