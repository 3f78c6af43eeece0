"""Switches in the code that make a session, a database, a clock or a warning more lenient."""

import ast
import re
from collections.abc import Iterator

from triage.guard.control_flow import placed
from triage.guard.differences import Marked, expressions, gone_from, new_in
from triage.guard.syntax import Pair, Scope, keyword, number, short, terminal, text, value
from triage.model.fix import Weakening

_SESSION = {"expire_on_commit": "expire-on-commit", "autoflush": "autoflush-off"}
_SQL_OFF = re.compile(
    r"foreign_keys\s*=\s*(off|0|false|no)\b|ignore_check_constraints\s*=\s*(on|1|true|yes)|"
    r"session_replication_role|disable\s+trigger|foreign_key_checks\s*=\s*0|drop\s+constraint|drop\s+not\s+null",
    re.IGNORECASE,
)
_SQL_ON = re.compile(r"foreign_keys\s*=\s*(on|1|true|yes)\b", re.IGNORECASE)
_DETECTS = re.compile(r"PYTEST_CURRENT_TEST|^pytest$|PYTEST_VERSION")
_WARNINGS = ("filterwarnings", "simplefilter", "catch_warnings", "captureWarnings", "disable_warnings")
_SLEEPS = ("sleep",)


def found(pair: Pair) -> Iterator[Weakening]:
    def marks(scope: Scope) -> Marked:
        return _marks(scope, is_test=pair.is_test)

    for new in new_in(pair, marks):
        kind, _, said = new.key.partition(" ")
        yield Weakening(kind, pair.path, new.line, f"in {new.scope.title}: {short(said)}")
    for gone in gone_from(pair, _enforced):
        yield Weakening("foreign-keys-off", pair.path, gone.line, f"{short(gone.key)} is gone")
    yield from _timeouts(pair)


def _marks(scope: Scope, *, is_test: bool) -> Marked:
    for each in expressions(scope):
        line = getattr(each, "lineno", scope.line)
        yield from ((key, line) for key in _said(each, is_test=is_test))
    for step in placed(scope):
        if isinstance(step.node, ast.Assign):
            for target in step.node.targets:
                option = value(target.slice) if isinstance(target, ast.Subscript) else terminal(target)
                yield from ((key, step.node.lineno) for key in _option(option, step.node.value))


def _said(node: ast.AST, *, is_test: bool) -> Iterator[str]:
    if isinstance(node, ast.Call):
        yield from _called(node, is_test=is_test)
    elif isinstance(node, ast.Dict):
        for name, given in zip(node.keys, node.values, strict=True):
            yield from _option(value(name), given)
    elif isinstance(node, ast.Attribute) and node.attr == "no_autoflush":
        yield f"autoflush-off {text(node)}"
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        if _SQL_OFF.search(node.value):
            yield f"foreign-keys-off {text(node)}"
        if not is_test and _DETECTS.search(node.value):
            yield f"test-detected {text(node)}"


def _called(call: ast.Call, *, is_test: bool) -> Iterator[str]:
    name = terminal(call.func)
    for each in call.keywords:
        yield from _option(each.arg, each.value)
    if is_test and name in _WARNINGS and (name != "catch_warnings" or not keyword(call, "record")):
        first = value(call.args[0]) if call.args else ""
        if first not in ("error", "always", "default") or name == "disable_warnings":
            yield f"warning-filtered {text(call)}"
    if is_test and name in _SLEEPS:
        yield f"sleep-added {text(call)}"
    pushes = (
        name == "push"
        and isinstance(call.func, ast.Attribute)
        and terminal(call.func.value).endswith("_context")
    )
    if pushes and not is_test:
        yield f"context-pushed {text(call)}"


def _option(name: object, given: ast.expr) -> Iterator[str]:
    kind = _SESSION.get(name) if isinstance(name, str) else None
    if kind and value(given) in (False, 0):
        yield f"{kind} {name} = {text(given)}"


def _enforced(scope: Scope) -> Marked:
    for each in expressions(scope):
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and _SQL_ON.search(each.value):
            yield text(each), each.lineno


def _timeouts(pair: Pair) -> Iterator[Weakening]:
    for _, old, scope in pair.both:
        was, now = dict(_limits(old)), dict(_limits(scope))
        for key, (size, line) in now.items():
            if key in was and size > was[key][0]:
                said = f"in {scope.title}: {key} raised from {was[key][0]:g} to {size:g}"
                yield Weakening("timeout-raised", pair.path, line, said)
        if pair.is_test:
            for key in was.keys() - now.keys():
                yield Weakening("timeout-raised", pair.path, scope.line, f"in {scope.title}: {key} is gone")


def _limits(scope: Scope) -> Iterator[tuple[str, tuple[float, int]]]:
    """Numbers that are called a timeout, by what they belong to."""
    for each in expressions(scope):
        if isinstance(each, ast.Call):
            for one in each.keywords:
                if one.arg and "timeout" in one.arg.lower():
                    yield from _sized(f"{one.arg} of {text(each.func)}", one.value)
            if terminal(each.func) in ("timeout", "wait_for") and each.args:
                yield from _sized(f"{text(each.func)}()", each.args[-1])
    for step in placed(scope):
        if isinstance(step.node, ast.Assign):
            for target in step.node.targets:
                name = terminal(target)
                if "timeout" in name.lower() or "deadline" in name.lower():
                    yield from _sized(name, step.node.value)


def _sized(name: str, node: ast.expr) -> Iterator[tuple[str, tuple[float, int]]]:
    size = number(node)
    if size is not None:
        yield name, (size, node.lineno)
    elif value(node) is None and isinstance(node, ast.Constant):
        yield name, (float("inf"), node.lineno)
