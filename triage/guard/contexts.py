"""Contexts pushed for every test: they hide each context that production misses."""

import ast
from collections.abc import Iterator, Mapping

from triage.guard.control_flow import placed
from triage.guard.syntax import (
    FUNCTIONS,
    Pair,
    Scope,
    fixture_call,
    keyword,
    scopes,
    short,
    terminal,
    text,
    value,
)
from triage.model.fix import Weakening

KIND = "autouse-context"
_CONTEXTS = ("app_context", "test_request_context", "request_context")


def found(pair: Pair, context_fixtures: frozenset[str]) -> Iterator[Weakening]:
    """`context_fixtures`: names of the fixtures that enter a context, of all the test files."""
    before = _pushing(pair.before, context_fixtures)
    for said, line in _pushing(pair.after, context_fixtures).items():
        if said not in before:
            yield Weakening(KIND, pair.path, line, f"{said}: a workaround, it hides every missing context")


def context_fixtures(tree: ast.Module) -> set[str]:
    return {
        name.rpartition(".")[2]
        for name, scope in scopes(tree).items()
        if fixture_call(scope.node) and _enters(scope.node)
    }


def _pushing(tree: ast.Module, known: frozenset[str]) -> Mapping[str, int]:
    found = {}
    for name, scope in scopes(tree).items():
        call = fixture_call(scope.node)
        is_for_all = isinstance(call, ast.Call) and value(keyword(call, "autouse")) is True
        if is_for_all and (_enters(scope.node) or known & set(_parameters(scope))):
            found[f"the fixture `{name}` pushes a context for all"] = scope.line
    for step in placed(scopes(tree)[""]):
        if _pushes(step.node):
            found[f"{short(step.node)} at the import"] = step.node.lineno
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and terminal(node.targets[0]) == "pytestmark":
            used = {value(each) for each in ast.walk(node) if isinstance(each, ast.Constant)}
            if "usefixtures" in text(node) and used & known:
                found[short(node)] = node.lineno
    return found


def _parameters(scope: Scope) -> Iterator[str]:
    if isinstance(scope.node, FUNCTIONS):
        yield from (each.arg for each in scope.node.args.args)


def _enters(node: ast.AST) -> bool:
    return any(isinstance(each, ast.Call) and terminal(each.func) in _CONTEXTS for each in ast.walk(node))


def _pushes(node: ast.stmt) -> bool:
    is_push = isinstance(node, ast.Expr) and terminal(node.value) in ("push", "__enter__", "enter_context")
    return is_push and (_enters(node) or "context" in text(node).lower() or "ctx" in text(node).lower())
