"""Tests that are skipped, expected to fail, or run again until they pass, by any spelling."""

import ast
from collections.abc import Iterator

from triage.guard.control_flow import SKIPS, Barrier, placed
from triage.guard.differences import Marked, new_in
from triage.guard.syntax import (
    FUNCTIONS,
    Pair,
    Scope,
    classes,
    decorators,
    imported,
    names_in,
    short,
    terminal,
    text,
    value,
)
from triage.model.fix import Weakening

_SKIPS = SKIPS | {"skipif", "skipIf", "skipUnless", "expectedFailure", "exit", "applymarker"}
_WORDS = frozenset({"skip", "skipif", "xfail", "skipTest", "importorskip"})
_RERUNS = frozenset({"flaky", "rerun", "reruns", "retry", "repeat"})
# Marks that neither select nor excuse.
_HARMLESS = frozenset(
    {"usefixtures", "parametrize", "asyncio", "anyio", "django_db", "filterwarnings", "timeout", "trio"}
)
# `patch` and its like are for doubles.py, what makes a fixture of a test for naming.py.
_DECORATORS = frozenset(
    {"fixture", "staticmethod", "classmethod", "patch", "object", "dict", "given", "example"}
)


def found(pair: Pair) -> Iterator[Weakening]:
    """In test files only: elsewhere these words mean other things."""
    names = imported(pair.after) | {name: f"{full}" for name, full in imported(pair.before).items()}
    skips = _SKIPS | {
        name for name, full in names.items() if full.rpartition(".")[2] in _SKIPS | {"mark.skip"}
    }

    def marks(scope: Scope) -> Marked:
        return _marks(scope, skips)

    for new in new_in(pair, marks):
        kind = "rerun-added" if set(new.key.replace("(", ".").split(".")) & _RERUNS else "skip-added"
        yield Weakening(kind, pair.path, new.line, f"in {new.scope.title}: {short(new.key)}")
    yield from _classes(pair, skips)
    yield from _decorated(pair, skips)


def _marks(scope: Scope, skips: frozenset[str] | set[str]) -> Marked:
    if not isinstance(scope.node, ast.Module):
        for each in scope.node.decorator_list:
            if skips & set(names_in(each)) or _RERUNS & set(names_in(each)):
                yield text(each), each.lineno
    for step in placed(scope):
        for part in step.own:
            if (isinstance(part, (ast.Call, ast.Attribute, ast.Name)) and _is_skip(part, skips)) or _is_named(
                part
            ):
                where = getattr(part, "lineno", step.node.lineno)
                yield f"{text(part)}{_under(step.barriers)}", where


def _under(barriers: tuple[Barrier, ...]) -> str:
    conditions = [each.text for each in barriers]
    return f" under {', '.join(conditions)}" if conditions else ""


def _is_skip(part: ast.Call | ast.Attribute | ast.Name, skips: frozenset[str] | set[str]) -> bool:
    if isinstance(part, ast.Call):
        return terminal(part.func) in skips - {"SkipTest", "Skipped"} and not isinstance(
            part.func, ast.Subscript
        )
    if isinstance(part, ast.Attribute):
        return part.attr in _SKIPS and terminal(part.value) in ("pytest", "mark", "unittest", "self", "pt")
    return part.id in ("SkipTest", "Skipped")


def _is_named(part: ast.AST) -> bool:
    """`getattr(pytest, "skip")`, `add_marker("xfail")`."""
    if not isinstance(part, ast.Call) or terminal(part.func) not in ("getattr", "add_marker", "applymarker"):
        return False
    return any(value(each) in _WORDS for each in part.args) or terminal(part.func) == "applymarker"


def _classes(pair: Pair, skips: frozenset[str] | set[str]) -> Iterator[Weakening]:
    """Decorators and `pytestmark` of classes."""
    before = dict(classes(pair.before))
    for name, node in classes(pair.after):
        old = before.get(name)
        had = {text(each) for each in _class_marks(old)} if old else set()
        for each in _class_marks(node):
            words = set(names_in(each))
            if text(each) not in had and (words & (skips | _RERUNS) or "__unittest_skip__" in words):
                yield Weakening("skip-added", pair.path, each.lineno, f"on `{name}`: {short(each)}")


def _class_marks(node: ast.ClassDef) -> Iterator[ast.expr | ast.stmt]:
    yield from node.decorator_list
    yield from (each for each in node.body if isinstance(each, (ast.Assign, ast.AnnAssign)))


def _decorated(pair: Pair, skips: frozenset[str] | set[str]) -> Iterator[Weakening]:
    """Marks that may deselect a test, and decorators that may replace it."""
    old: dict[str, set[str]] = {}
    for name, node in _tests(pair.before):
        old.setdefault(name, set()).update(map(terminal, decorators(node)))
    for name, node in _tests(pair.after):
        for each in decorators(node):
            known = _HARMLESS | _DECORATORS | skips | _RERUNS | old.get(name, set())
            if name in old and terminal(each) not in known:
                is_mark = ".mark." in f".{text(each)}"
                kind = "mark-added" if is_mark else "decorator-added"
                yield Weakening(kind, pair.path, each.lineno, f"on `{name}`: {short(each)}")


def _tests(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.walk(tree):
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)) and node.name.lower().startswith("test"):
            yield node.name, node
