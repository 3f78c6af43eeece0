"""Outer transactions that sqlite3 begins too late: what their savepoints hold stays in the database."""

import ast
from collections.abc import Iterator

from triage.model.fix import Edit
from triage.remedies.own_transaction import begin_lines
from triage.remedies.session_places import SessionPlace
from triage.remedies.source import open_source
from triage.remedies.spans import lines_after, lines_before
from triage.rules.fixtures import fixture_index
from triage.rules.source import SourceTree
from triage.rules.syntax import Function, dotted, keyword, owner, string, terminal, within

_MODES = (None, "create_savepoint")


def begun_in_time(place: SessionPlace, tree: SourceTree) -> tuple[Edit, ...]:
    """A BEGIN where the session's fixture, or one that it asks for, begins the outer transaction."""
    is_fixed = string(keyword(place.call, "join_transaction_mode")) not in _MODES
    if place.fixture is None or place.is_async or is_fixed or not begin_lines(tree):
        return ()
    index = fixture_index(tree)
    homes = [(place.file, place.function)]
    homes += [(one.file, one.node) for one in index.closure(place.fixture.arguments, place.file)]
    edits: list[Edit] = []
    for file, function in dict.fromkeys(homes):
        source = open_source(tree, file)
        for node, name in _begun(function):
            lines = begin_lines(tree, name)
            if isinstance(node, ast.With):
                edits.append(lines_before(source, node.body[0], lines))
            else:
                edits.append(lines_after(source, node, lines))
    return tuple(edits)


def _begun(function: Function) -> Iterator[tuple[ast.stmt, str]]:
    """Statements that begin a transaction on a connection of the function, with its name."""
    connections = {name for name, call in _bound(function) if terminal(call) == "connect"}
    for node in within(function):
        if isinstance(node, (ast.Assign, ast.Expr)):
            calls = [node.value]
        elif isinstance(node, ast.With):
            calls = [one.context_expr for one in node.items]
        else:
            continue
        for call in calls:
            name = dotted(owner(call)) if isinstance(call, ast.Call) and terminal(call) == "begin" else ""
            if name in connections:
                yield node, name


def _bound(function: Function) -> Iterator[tuple[str, ast.Call]]:
    for node in within(function):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            yield from ((dotted(one), node.value) for one in node.targets)
        for item in node.items if isinstance(node, ast.With) else ():
            if isinstance(item.context_expr, ast.Call) and item.optional_vars is not None:
                yield dotted(item.optional_vars), item.context_expr
