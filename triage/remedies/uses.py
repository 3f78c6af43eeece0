"""Which statements below use what others have bound."""

import ast
from collections.abc import Iterable, Iterator, Sequence

from triage.rules.syntax import dotted, terminal, within
from triage.rules.variables import bindings

_PLAIN = frozenset({"str", "int", "len", "bool", "float", "dict", "repr", "url_for"})


def bound(statements: Iterable[ast.stmt]) -> set[str]:
    """Names and `self.x` that get a value; plain values read off an object do not count."""
    found: set[str] = set()
    for statement in statements:
        for node in (statement, *within(statement)):
            found |= {name for name, value in bindings(node) if not _is_plain(value)}
            found |= set(_attributes(node))
            if isinstance(node, ast.withitem):
                found |= set(_names(node.optional_vars))
    return found


def uses(node: ast.AST, names: set[str]) -> bool:
    return any(
        (isinstance(each, ast.Name) and each.id in names)
        or (isinstance(each, ast.Attribute) and dotted(each) in names)
        for each in ast.walk(node)
    )


def used_through(following: Sequence[ast.stmt], names: set[str]) -> int:
    """How many of these statements there are up to the last use, also of what is made of `names`."""
    count, known = 0, set(names)
    for number, statement in enumerate(following, start=1):
        if uses(statement, known):
            count = number
            known |= bound([statement])
    return count


def _attributes(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Assign) and not _is_plain(node.value):
        for target in node.targets:
            elements = target.elts if isinstance(target, ast.Tuple) else [target]
            yield from (dotted(each) for each in elements if isinstance(each, ast.Attribute) and dotted(each))


def _names(node: ast.expr | None) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id


def _is_plain(value: ast.expr) -> bool:
    if isinstance(value, ast.Attribute):
        return value.attr == "id" or value.attr.endswith("_id")
    return isinstance(value, ast.Constant) or (isinstance(value, ast.Call) and terminal(value) in _PLAIN)
