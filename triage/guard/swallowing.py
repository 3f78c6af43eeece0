"""Exceptions that are no longer heard, in tests and in the product."""

import ast
from collections.abc import Iterator

from triage.guard.control_flow import placed, quiet_types
from triage.guard.differences import Marked, expressions, new_in
from triage.guard.syntax import Pair, Scope, decorators, imported, scopes, short, terminal, text, value
from triage.model.fix import Weakening


def found(pair: Pair, managers: frozenset[str]) -> Iterator[Weakening]:
    """`managers`: the project's own context managers that swallow."""

    def marks(scope: Scope) -> Marked:
        yield from _marks(scope)
        yield from _managed(scope, managers)

    for new in new_in(pair, marks):
        yield Weakening("exception-swallowed", pair.path, new.line, f"in {new.scope.title}: {short(new.key)}")
    before = imported(pair.before).values()
    for name, full in imported(pair.after).items():
        if full == "contextlib.suppress" and name != "suppress" and full not in before:
            yield Weakening("exception-swallowed", pair.path, 1, f"{full} is imported as `{name}`")


def managers_in(tree: ast.Module) -> set[str]:
    """Context managers that let an exception go no further."""
    found = set()
    for name, scope in scopes(tree).items():
        owner, _, own = name.rpartition(".")
        if any(terminal(each).endswith("contextmanager") for each in decorators(scope.node)):
            tried = (each for each in ast.walk(scope.node) if isinstance(each, (ast.Try, ast.TryStar)))
            found |= {own for each in tried if quiet_types(each) and _yields(each)}
        elif own in ("__exit__", "__aexit__") and any(_is_true_return(each) for each in ast.walk(scope.node)):
            found.add(owner.rpartition(".")[2])
    return found


def _yields(node: ast.Try | ast.TryStar) -> bool:
    return any(isinstance(part, ast.Yield) for each in node.body for part in ast.walk(each))


def _is_true_return(node: ast.AST) -> bool:
    return isinstance(node, ast.Return) and value(node.value) is True


def _managed(scope: Scope, managers: frozenset[str]) -> Marked:
    for each in expressions(scope):
        if isinstance(each, ast.Call) and terminal(each.func) in managers:
            yield text(each), each.lineno


def _marks(scope: Scope) -> Marked:
    yield from _handlers(scope)
    for part in expressions(scope):
        if isinstance(part, ast.Call) and terminal(part.func) == "suppress":
            yield text(part), part.lineno
    if not isinstance(scope.node, ast.Module):
        for decorator in scope.node.decorator_list:
            if terminal(decorator) == "errorhandler":
                yield text(decorator), decorator.lineno


def _handlers(scope: Scope) -> Marked:
    for each in placed(scope):
        node = each.node
        if isinstance(node, (ast.Try, ast.TryStar)):
            yield from ((f"except {name}", node.handlers[0].lineno) for name in quiet_types(node))
            if any(isinstance(part, ast.Return) for part in node.finalbody):
                yield "finally that returns", node.finalbody[0].lineno
        elif isinstance(node, ast.Return) and scope.name.endswith("__exit__") and value(node.value):
            yield "`__exit__` that returns true", node.lineno
