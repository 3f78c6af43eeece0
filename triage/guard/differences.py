"""Counts what is new in a scope, by its text."""

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from triage.guard.control_flow import placed
from triage.guard.syntax import Pair, Scope

Marked = Iterable[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class New:
    """`key` occurs in the scope more often than before."""

    scope: Scope
    key: str
    line: int


def new_in(pair: Pair, marks: Callable[[Scope], Marked]) -> Iterator[New]:
    """What `marks` finds (a key and a line) in a scope after the change and did not find before."""
    for _, old, new in pair.scopes:
        yield from _surplus(old, new, marks)


def gone_from(pair: Pair, marks: Callable[[Scope], Marked]) -> Iterator[New]:
    """The other way round; lines are those of the text before."""
    for _, old, new in pair.scopes:
        yield from _surplus(new, old, marks)


def expressions(scope: Scope) -> Iterator[ast.AST]:
    """All that is evaluated in a scope, with its decorators; without nested scopes of a module."""
    if not isinstance(scope.node, ast.Module):
        for decorator in scope.node.decorator_list:
            yield from ast.walk(decorator)
        yield from ast.walk(scope.node.args)
    for each in placed(scope):
        if not isinstance(scope.node, ast.Module) or not isinstance(each.node, ast.FunctionDef):
            yield from each.own


def _surplus(old: Scope | None, new: Scope | None, marks: Callable[[Scope], Marked]) -> Iterator[New]:
    if new is None:
        return
    left = Counter(key for key, _ in marks(old)) if old else Counter[str]()
    for key, line in marks(new):
        if left[key] > 0:
            left[key] -= 1
        else:
            yield New(new, key, line)
