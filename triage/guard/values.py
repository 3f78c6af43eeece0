"""Values that assertions rest on: expected ones that were changed, subjects that became constant."""

import ast
from collections.abc import Iterator

from triage.guard.checks import checks
from triage.guard.control_flow import placed
from triage.guard.syntax import (
    FUNCTIONS,
    Pair,
    Scope,
    fixture_call,
    is_literal,
    scopes,
    short,
    terminal,
    text,
)
from triage.model.fix import Weakening

_STANDS_FOR_EXPECTED = ("expect", "want", "should", "golden", "desired")
_DOUBLES = ("SimpleNamespace", "namedtuple", "Mock", "MagicMock", "AsyncMock", "NonCallableMock", "Bunch")


def found(pair: Pair) -> Iterator[Weakening]:
    for name, old, new in pair.both:
        if name:
            yield from _names(pair, old, new)
            yield from _set(pair, old, new)
            yield from _fixture(pair, old, new)
    yield from _module(pair)


def _names(pair: Pair, old: Scope, new: Scope) -> Iterator[Weakening]:
    was, now = _values(old), _values(new)
    asserted = _asserted(new) | _asserted(old)
    for name, values in now.items():
        before = was.get(name, [])
        gone = [each for each in before if text(each) not in set(map(text, values))]
        come = [each for each in values if text(each) not in set(map(text, before))]
        if name not in asserted or not come:
            continue
        say = f"in {new.title}: `{name}` is {short(come[0])} now"
        if (any(map(is_literal, gone)) and (_is_expected(name) or name not in _read_elsewhere(old))) or (
            gone and _is_expected(name)
        ):
            yield Weakening("expected-changed", pair.path, come[0].lineno, say)
        elif any(map(_is_made_up, come)) and not any(map(is_literal, gone)):
            yield Weakening("subject-constant", pair.path, come[0].lineno, say)


def _is_expected(name: str) -> bool:
    return name.lower().startswith(_STANDS_FOR_EXPECTED)


def _is_made_up(node: ast.AST) -> bool:
    return is_literal(node) or isinstance(node, (ast.Lambda, *FUNCTIONS)) or terminal(node) in _DOUBLES


def _values(scope: Scope) -> dict[str, list[ast.expr]]:
    found: dict[str, list[ast.expr]] = {}
    for each in placed(scope):
        if isinstance(each.node, FUNCTIONS) and each.node is not scope.node:
            stand_in = ast.copy_location(ast.Lambda(each.node.args, ast.Constant(each.node.name)), each.node)
            found.setdefault(each.node.name, []).append(stand_in)
        if isinstance(each.node, (ast.Assign, ast.AnnAssign)) and each.node.value is not None:
            targets = each.node.targets if isinstance(each.node, ast.Assign) else [each.node.target]
            for target in targets:
                for name, value in _unpacked(target, each.node.value):
                    found.setdefault(name, []).append(value)
    return found


def _unpacked(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, (ast.Tuple, ast.List)):
        for one, other in zip(target.elts, value.elts, strict=False):
            yield from _unpacked(one, other)


def _asserted(scope: Scope) -> set[str]:
    nodes = [each.node for each in checks(scope, is_test=True)]
    return {part.id for node in nodes for part in ast.walk(node) if isinstance(part, ast.Name)}


def _set(pair: Pair, old: Scope, new: Scope) -> Iterator[Weakening]:
    """`user.name = "Ann"` before `assert user.name == "Ann"`."""
    was = {text(each.node) for each in placed(old)}
    targets = {
        text(one) for each in placed(old) if isinstance(each.node, ast.Assign) for one in each.node.targets
    }
    sides = {text(side) for each in checks(new, is_test=True) for side in each.sides}
    for each in placed(new):
        if isinstance(each.node, ast.Assign) and text(each.node) not in was:
            for target in each.node.targets:
                is_asserted = isinstance(target, (ast.Attribute, ast.Subscript)) and text(target) in sides
                if is_asserted and (text(target) not in targets or _is_made_up(each.node.value)):
                    say = f"in {new.title}: {short(each.node)}, which is asserted"
                    yield Weakening("subject-constant", pair.path, each.node.lineno, say)


def _fixture(pair: Pair, old: Scope, new: Scope) -> Iterator[Weakening]:
    """A fixture that hands out something made up."""
    if not fixture_call(new.node):
        return
    was, now = _handed(old), _handed(new)
    if was and now and not any(map(_is_made_up, was)):
        for each in now:
            if _is_made_up(each):
                say = f"fixture {new.title} hands out {short(each)}"
                yield Weakening("subject-constant", pair.path, each.lineno, say)


def _handed(scope: Scope) -> list[ast.expr]:
    values = _values(scope)
    found = []
    for each in ast.walk(scope.node):
        if isinstance(each, (ast.Return, ast.Yield)) and each.value is not None:
            known = values.get(each.value.id) if isinstance(each.value, ast.Name) else None
            found.append(known[-1] if known else each.value)
    return found


def _module(pair: Pair) -> Iterator[Weakening]:
    """Constants of a test module that only its assertions read; imports that became definitions."""
    old, new = scopes(pair.before)[""], scopes(pair.after)[""]
    was, now = _values(old), _values(new)
    changed = [name for name in now if name in was and text(now[name][-1]) != text(was[name][-1])]
    if not changed:
        return
    inner = [each for name, each in scopes(pair.before).items() if name]
    asserted = {name for each in inner for name in _asserted(each)}
    only = asserted - {name for each in inner for name in _read_elsewhere(each)}
    for name in changed:
        is_expected = name in only or (_is_expected(name) and name in asserted)
        if is_literal(was[name][-1]) and is_expected:
            given = now[name][-1]
            yield Weakening("expected-changed", pair.path, given.lineno, f"`{name}` is {short(given)} now")


def _read_elsewhere(scope: Scope) -> set[str]:
    asserted = {id(part) for each in checks(scope, is_test=True) for part in ast.walk(each.node)}
    return {
        part.id
        for each in placed(scope)
        for part in each.own
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load) and id(part) not in asserted
    }
