"""Tests that are no longer collected: removed, renamed, hidden, emptied of their cases."""

import ast
from collections import Counter
from collections.abc import Iterator

from triage.guard.syntax import (
    FUNCTIONS,
    Function,
    Pair,
    classes,
    fixture_call,
    is_literal,
    keyword,
    scopes,
    short,
    terminal,
    text,
)
from triage.model.fix import Weakening

_IGNORES = ("collect_ignore", "collect_ignore_glob", "__test__", "pytest_plugins")


def found(pair: Pair) -> Iterator[Weakening]:
    yield from _tests(pair)
    yield from _classes(pair)
    yield from _assigned(pair)
    yield from _hooks(pair)
    yield from _cases(pair)


def _tests(pair: Pair) -> Iterator[Weakening]:
    after = scopes(pair.after)
    for name, scope, _ in pair.scopes:
        own = name.rpartition(".")[2]
        if scope is None or not own.startswith("test") or fixture_call(scope.node):
            continue
        if name not in after:
            alike = next(
                (each for each, new in after.items() if each and _body(new.node) == _body(scope.node)), None
            )
            kind, became = ("test-renamed", f" and is now `{alike}`") if alike else ("test-removed", "")
            line = after[alike].line if alike else scope.line
            yield Weakening(kind, pair.path, line, f"`{name}` is gone{became}")
        else:
            yield from _made_other(pair, name, scope.node, after[name].node)


def _body(node: ast.AST) -> str:
    return "\n".join(map(text, node.body)) if isinstance(node, FUNCTIONS) else ""


def _made_other(pair: Pair, name: str, old: ast.AST, new: ast.AST) -> Iterator[Weakening]:
    if not isinstance(old, FUNCTIONS) or not isinstance(new, FUNCTIONS):
        return
    if fixture_call(new):
        yield Weakening("test-not-collected", pair.path, new.lineno, f"`{name}` became a fixture")
    if _yields(new) and not _yields(old):
        yield Weakening("test-not-collected", pair.path, new.lineno, f"`{name}` became a generator")
    if isinstance(new, ast.AsyncFunctionDef) and isinstance(old, ast.FunctionDef):
        marks = {terminal(each) for each in new.decorator_list}
        if not marks & {"asyncio", "anyio", "trio"}:
            yield Weakening("test-not-collected", pair.path, new.lineno, f"`{name}` became a coroutine")


def _yields(node: Function) -> bool:
    return any(isinstance(each, (ast.Yield, ast.YieldFrom)) for each in ast.walk(node))


def _classes(pair: Pair) -> Iterator[Weakening]:
    after = dict(classes(pair.after))
    for name, old in dict(classes(pair.before)).items():
        new = after.get(name)
        if new is None:
            continue
        gone = [text(each) for each in old.bases if text(each) not in set(map(text, new.bases))]
        is_cases = name.startswith("Test") or any("Test" in each for each in gone)
        come = [text(each) for each in new.bases if text(each) not in set(map(text, old.bases))]
        if is_cases and come:
            said = f"`{name}` has {', '.join(come)} now"
            yield Weakening("test-base-changed", pair.path, new.lineno, said)
        if is_cases and gone:
            yield Weakening(
                "test-not-collected", pair.path, new.lineno, f"`{name}` no longer has {', '.join(gone)}"
            )
        if is_cases and _has(new, "__init__") and not _has(old, "__init__"):
            yield Weakening("test-not-collected", pair.path, new.lineno, f"`{name}` has a constructor now")


def _has(node: ast.ClassDef, name: str) -> bool:
    return any(isinstance(each, FUNCTIONS) and each.name == name for each in node.body)


def _assigned(pair: Pair) -> Iterator[Weakening]:
    """`__test__ = False`, `collect_ignore`, and names of tests that are given to something else."""
    tests = {name.rpartition(".")[2] for name in scopes(pair.before)}
    tests |= {name for name, _ in classes(pair.before)}
    had = {text(node) for node, _ in _hiding(pair.before, tests)}
    for node, name in _hiding(pair.after, tests):
        if text(node) not in had:
            yield Weakening("test-not-collected", pair.path, node.lineno, f"`{name}`: {short(node)}")


def _hiding(tree: ast.Module, tests: set[str]) -> Iterator[tuple[ast.stmt, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            for name in map(terminal, _targets(node)):
                if name in _IGNORES or (name.lower().startswith("test") and name in tests):
                    yield node, name


def _targets(node: ast.stmt) -> list[ast.expr]:
    if isinstance(node, (ast.Assign, ast.Delete)):
        return node.targets
    if isinstance(node, (ast.AnnAssign, ast.AugAssign)):
        return [node.target]
    if (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and terminal(node.value) in ("append", "extend")
    ):
        return [node.value.func.value] if isinstance(node.value.func, ast.Attribute) else []
    return []


def _hooks(pair: Pair) -> Iterator[Weakening]:
    """A hook of pytest can drop tests and change what they report."""
    before = scopes(pair.before)
    for name, scope in scopes(pair.after).items():
        is_hook = name.rpartition(".")[2].startswith("pytest_") and not fixture_call(scope.node)
        if is_hook and (name not in before or text(before[name].node) != text(scope.node)):
            how = "changed" if name in before else "added"
            yield Weakening(
                f"hook-{how}", pair.path, scope.line, f"`{name}` may drop tests or change what they report"
            )


def _cases(pair: Pair) -> Iterator[Weakening]:
    """Lists of cases: of `parametrize`, of fixtures, and named lists of literals."""
    before, after = dict(_lists(pair.before)), dict(_lists(pair.after))
    for name, new in after.items():
        old = before.get(name)
        gone = Counter(map(text, _elements(old))) - Counter(map(text, _elements(new)))
        if old is None and name.startswith("the cases") and is_literal(new) and not _elements(new):
            yield Weakening("cases-removed", pair.path, new.lineno, f"{name} are none")
        elif old is not None and len(_elements(new)) < len(_elements(old)):
            yield Weakening("cases-removed", pair.path, new.lineno, f"{name} lost {short(', '.join(gone))}")
        elif old is not None and (gone or type(new) is not type(old)) and _is_case_list(pair, name):
            yield Weakening(
                "cases-changed", pair.path, new.lineno, f"{name}: {short(old)} became {short(new)}"
            )
    defined = _values(pair.after)
    for name, old in before.items():
        own = name.split("`")[1]
        is_left = own in defined if name.startswith("`") else own in scopes(pair.after)
        if name not in after and is_left and _is_case_list(pair, name):
            yield Weakening("cases-removed", pair.path, old.lineno, f"{name} can no longer be counted")


def _is_case_list(pair: Pair, name: str) -> bool:
    """Cases themselves, or a list by whose name cases or a loop with assertions ask for it."""
    if name.startswith("the cases"):
        return True
    asked = {
        each.id for given in _cases_of(pair.before) for each in ast.walk(given) if isinstance(each, ast.Name)
    }
    loops = (each for each in ast.walk(pair.before) if isinstance(each, (ast.For, ast.AsyncFor)))
    looped = {text(each.iter) for each in loops if any(isinstance(one, ast.Assert) for one in ast.walk(each))}
    return name.strip("`") in asked | looped


def _cases_of(tree: ast.Module) -> Iterator[ast.expr]:
    return (given for name, given in _lists(tree) if name.startswith("the cases"))


def _values(tree: ast.Module) -> set[str]:
    return {terminal(each.targets[0]) for each in tree.body if isinstance(each, ast.Assign)}


def _elements(node: ast.expr | None) -> list[ast.expr]:
    if isinstance(node, ast.Dict):
        return node.values
    return node.elts if isinstance(node, (ast.List, ast.Tuple, ast.Set)) else []


def _lists(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for name, scope in scopes(tree).items():
        if isinstance(scope.node, FUNCTIONS):
            for number, each in enumerate(scope.node.decorator_list):
                if isinstance(each, ast.Call) and terminal(each) == "parametrize" and len(each.args) > 1:
                    yield f"the cases of `{name}` for {text(each.args[0])}", each.args[1]
                elif isinstance(each, ast.Call) and (params := keyword(each, "params")):
                    yield f"the cases of `{name}` (params, {number})", params
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, (ast.List, ast.Tuple, ast.Set, ast.Dict)):
            name = terminal(node.targets[0])
            if name and all(map(is_literal, _elements(node.value))):
                yield f"`{name}`", node.value
