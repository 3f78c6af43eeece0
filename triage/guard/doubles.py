"""Doubles put in place of the code under test."""

import ast
from collections.abc import Iterator

from triage.guard.control_flow import placed
from triage.guard.differences import Marked, expressions, new_in
from triage.guard.syntax import FUNCTIONS, Pair, Scope, classes, imported, short, terminal, text, value
from triage.model.fix import Weakening

_MOCKS = frozenset(
    {"Mock", "MagicMock", "AsyncMock", "NonCallableMock", "PropertyMock", "create_autospec", "sentinel"}
    | {"SimpleNamespace", "mocker"}
)
_FAKES = ("fake", "stub", "dummy", "mock")
_PATCHES = ("setattr", "setitem", "delattr", "delitem")
_COPIES = ("list", "dict", "set", "copy", "copy.copy", "deepcopy", "copy.deepcopy")


def found(pair: Pair) -> Iterator[Weakening]:
    """In test files; what a test did before by hand it may do by `monkeypatch` now."""
    news = list(new_in(pair, _marks))
    assigned = {text(each) for each in ast.walk(pair.before) if news and isinstance(each, ast.Assign)}
    for new in news:
        if new.key not in assigned and not _is_itself(new.key):
            yield Weakening("double-added", pair.path, new.line, f"in {new.scope.title}: {short(new.key)}")
    yield from _shadowed(pair)
    before = {name for name, _ in classes(pair.before)}
    for name, node in classes(pair.after):
        if name not in before and name.lower().lstrip("_").startswith(_FAKES):
            yield Weakening("double-added", pair.path, node.lineno, f"class `{name}`")


def _marks(scope: Scope) -> Marked:
    for each in expressions(scope):
        if isinstance(each, ast.Call) and (key := _double(each)):
            yield key, each.lineno
    local = {each.name for each in ast.walk(scope.node) if isinstance(each, FUNCTIONS)}
    for step in placed(scope):
        node = step.node
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
            is_double = isinstance(node.value, ast.Lambda) or (
                isinstance(node.value, ast.Name) and node.value.id in local
            )
            if is_double:
                yield text(node), node.lineno


def _is_itself(key: str) -> bool:
    """`cache.SEEN = cache.SEEN.copy()` only has it put back."""
    target, _, given = key.partition(" = ")
    copies = (target, f"{target}.copy()", *(f"{each}({target})" for each in _COPIES))
    return given in copies


def _double(call: ast.Call) -> str:
    """What is replaced, as an assignment where it can be written as one; empty for other calls."""
    name = terminal(call.func)
    owner = terminal(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    if name in _MOCKS:
        return text(call.func)
    if "patch" in (name, owner) or name.startswith("patch") or owner == "mocker":
        is_environment = any("environ" in text(each) for each in call.args[:1])
        return "" if is_environment or name in ("start", "stop", "stopall") else f"{name} {_arguments(call)}"
    is_monkeypatch = owner.endswith(("monkeypatch", "patch", "mp")) and name in _PATCHES
    return _assignment(name, call) or f"{name} {_arguments(call)}" if is_monkeypatch else ""


def _assignment(name: str, call: ast.Call) -> str:
    """What `monkeypatch` does, written by hand."""
    given = [*map(text, call.args), *(text(each.value) for each in call.keywords if each.arg != "raising")]
    path = value(call.args[0]) if call.args else None
    if name == "setattr" and isinstance(path, str) and len(given) == len(("path", "value")):
        return f"{path} = {given[1]}"
    if len(given) != len(("target", "name", "value")):
        return ""
    if name == "setattr" and isinstance(value(call.args[1]), str):
        return f"{given[0]}.{value(call.args[1])} = {given[2]}"
    if given[0] == "globals()":
        return f"{value(call.args[1])} = {given[2]}"
    return f"{given[0]}[{given[1]}] = {given[2]}" if name == "setitem" else ""


def _arguments(call: ast.Call) -> str:
    return ", ".join(map(text, (*call.args, *(each.value for each in call.keywords))))


def _shadowed(pair: Pair) -> Iterator[Weakening]:
    """A name that was imported is defined in the test file now."""
    names = imported(pair.before).keys() - _defined(pair.before).keys()
    for name, line in _defined(pair.after).items():
        if name in names:
            yield Weakening(
                "subject-replaced", pair.path, line, f"`{name}` was imported and is defined here now"
            )
    kept = imported(pair.after)
    for name, full in imported(pair.before).items():
        now = kept.get(name, full)
        is_other = now.rpartition(".")[2] != full.rpartition(".")[2]
        if now != full and (is_other or any(each in now.lower() for each in _FAKES)):
            yield Weakening("subject-replaced", pair.path, 1, f"`{name}` comes from {now} now")


def _defined(tree: ast.Module) -> dict[str, int]:
    found = {}
    for node in tree.body:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            found[node.name] = node.lineno
        elif isinstance(node, ast.Assign):
            found |= {each.id: node.lineno for each in node.targets if isinstance(each, ast.Name)}
    return found
