"""Assertions that are gone, weaker, or no longer heard."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from triage.guard.checks import Check, checks, is_constant
from triage.guard.control_flow import EARLY, UNREACHABLE, added
from triage.guard.same_data import is_same
from triage.guard.syntax import (
    FUNCTIONS,
    Pair,
    Scope,
    is_literal,
    number,
    scopes,
    short,
    terminal,
    text,
    value,
)
from triage.model.fix import Weakening

_COARSE = frozenset(
    {
        "round",
        "int",
        "float",
        "str",
        "bool",
        "len",
        "abs",
        "sorted",
        "set",
        "frozenset",
        "list",
        "type",
        "repr",
    }
    | {
        "any",
        "all",
        "lower",
        "upper",
        "strip",
        "casefold",
        "keys",
        "values",
        "hash",
        "floor",
        "ceil",
        "trunc",
    }
)
_TOLERANCES = ("abs", "rel", "rtol", "atol", "delta", "rel_tol", "abs_tol", "nan_ok")
_CLOSE = ("approx", "isclose", "allclose", "assert_allclose", "assert_almost_equal", "assertAlmostEqual")
_DIGITS = ("places", "decimal", "ndigits", "significant")


def found(pair: Pair, helpers: frozenset[str]) -> Iterator[Weakening]:
    """In each scope of both texts; in the product the checks are what it raises."""
    for name, scope, new in pair.scopes:
        was = checks(scope, is_test=pair.is_test, helpers=helpers) if scope else ()
        if new is not None:
            now = checks(new, is_test=pair.is_test, helpers=helpers)
            yield from _Comparison(pair, new, list(was), list(now)).weakenings()
        elif scope and was and not pair.is_test:
            text_ = f"`{name}` is gone, and with it {short(was[0].node)}"
            yield Weakening("validation-removed", pair.path, scope.line, text_)
        elif scope and was and not pair.is_deleted:
            text_ = f"`{name}` is gone, and with it {len(was)} assertions"
            yield Weakening("assertion-removed", pair.path, scope.line, text_)


def helpers_in(tree: ast.Module) -> set[str]:
    """Functions of a test file that assert on behalf of the tests that call them."""
    return {
        name.rpartition(".")[2]
        for name, scope in scopes(tree).items()
        if isinstance(scope.node, FUNCTIONS)
        and not name.rpartition(".")[2].startswith(("test", "assert", "setUp", "tearDown", "_"))
        and not any(terminal(each) == "fixture" for each in scope.node.decorator_list)
        and any(not isinstance(each.node, ast.Raise) for each in checks(scope, is_test=True))
    } | {
        name.rpartition(".")[2]
        for name, scope in scopes(tree).items()
        if name.rpartition(".")[2].startswith("_") and not name.endswith("__") and checks(scope, is_test=True)
    }


@dataclass(frozen=True, slots=True)
class _Comparison:
    pair: Pair
    scope: Scope
    was: list[Check]
    now: list[Check]

    def weakenings(self) -> Iterator[Weakening]:
        for old, new in self._matched():
            yield from self._dampened(old, new)
        for old in self.was:
            yield self._lost(old)
        for new in self.now:
            if self.pair.is_test and not isinstance(new.node, ast.Raise) and is_constant(new.node):
                yield self._say("constant-assertion", new.line, f"{short(new.node)} holds whatever happens")

    def _matched(self) -> list[tuple[Check, Check]]:
        """Takes what is on both sides out of `was` and `now`; the least dampened partner first."""
        matched = []
        for fits in (_is_equal, _is_same_data, _is_stronger):
            for old in tuple(self.was):
                partners = [new for new in self.now if fits(old, new)]
                if partners:
                    new = min(partners, key=lambda one: len(added(old.barriers, one.barriers)))
                    matched.append((old, new))
                    self.was.remove(old)
                    self.now.remove(new)
        return matched

    def _dampened(self, old: Check, new: Check) -> Iterator[Weakening]:
        for barrier in added(old.barriers, new.barriers)[:1]:
            kind = barrier.kind if barrier.kind in (EARLY, UNREACHABLE) else f"assertion-{barrier.kind}"
            if isinstance(old.node, ast.Raise):
                kind = "validation-dampened"
            yield self._say(kind, new.line, f"{short(new.node)} now stands behind {short(barrier.text)}")

    def _lost(self, old: Check) -> Weakening:
        if isinstance(old.node, ast.Raise) and not self.pair.is_test:
            return self._say("validation-removed", self.scope.line, f"{short(old.node)} is gone")
        for new in self.now:
            if kind := _relation(old, new):
                self.now.remove(new)
                return self._say(kind, new.line, f"{short(old.node)} became {short(new.node)}")
        return self._say("assertion-removed", self.scope.line, f"{short(old.node)} is gone")

    def _say(self, kind: str, line: int, what: str) -> Weakening:
        return Weakening(kind, self.pair.path, line, f"in {self.scope.title}: {what}")


def _is_equal(old: Check, new: Check) -> bool:
    return old.key == new.key


def _is_same_data(old: Check, new: Check) -> bool:
    return is_same(old.node, new.node) or _tolerance(old, new) == "narrower"


def _is_stronger(old: Check, new: Check) -> bool:
    """Truth of a thing became its equality with something that is true."""
    if new.operator not in (ast.Eq, ast.Is) or not isinstance(new.node, ast.Compare):
        return False
    expected = new.node.comparators[0]
    if is_literal(expected) and not value(expected):
        return False
    is_not_none = old.operator is ast.IsNot and text(old.sides[1]) == "None"
    is_truth = isinstance(old.node, (ast.Name, ast.Attribute, ast.Call, ast.Subscript))
    subject = old.sides[0] if is_not_none else old.node
    return (is_not_none or is_truth) and text(subject) == text(new.node.left) and not is_constant(new.node)


def _relation(old: Check, new: Check) -> str:
    """How an assertion that is gone became one that is new; empty: they have nothing in common."""
    if isinstance(old.node, ast.Raise) or isinstance(new.node, ast.Raise):
        return ""
    if _tolerance(old, new):
        return "tolerance-widened"
    if is_constant(new.node):
        return "constant-assertion"
    before, after = set(map(text, old.sides)), set(map(text, new.sides))
    if before & after:
        return "expected-changed" if old.operator is new.operator else "assertion-weakened"
    if {_bare(side) for side in old.sides} & {_bare(side) for side in new.sides} - {""}:
        return "subject-coarsened"
    return ""


def _bare(side: ast.expr) -> str:
    """Without what makes a value coarser: `round(x, 1)`, `x.lower()`, `x[:5]`."""
    while True:
        if isinstance(side, ast.Call) and terminal(side.func) in _COARSE:
            inner = side.args[0] if side.args else getattr(side.func, "value", None)
            if not isinstance(inner, ast.expr):
                return text(side)
            side = inner
        elif isinstance(side, ast.Subscript) and isinstance(side.slice, ast.Slice):
            side = side.value
        else:
            return "" if is_literal(side) else text(side)


def _tolerance(old: Check, new: Check) -> str:
    """How a tolerance changed, wider or narrower; empty where it is not all that did."""
    if not any(terminal(one) in _CLOSE for one in ast.walk(old.node) if isinstance(one, ast.Call)):
        return ""
    was, now = _without_tolerance(old.node), _without_tolerance(new.node)
    if was[0] != now[0]:
        return ""
    if was[1].keys() != now[1].keys():
        return "wider"
    return "wider" if any(now[1][name] > was[1][name] for name in was[1]) else "narrower"


def _without_tolerance(node: ast.AST) -> tuple[str, dict[str, float]]:
    copy = ast.parse(text(node), mode="eval") if isinstance(node, ast.expr) else node
    sizes: dict[str, float] = {}
    for call in ast.walk(copy):
        if isinstance(call, ast.Call) and terminal(call) in _CLOSE:
            sizes |= _strip(call)
    return text(copy), sizes


def _strip(call: ast.Call) -> dict[str, float]:
    """Takes its tolerances out of a call; digits count negatively, so that more is wider for all."""
    kept = 1 if terminal(call) == "approx" else 2
    given = {each.arg or "": each.value for each in call.keywords if each.arg in (*_TOLERANCES, *_DIGITS)}
    by_place = "places" if "lmost" in terminal(call) else "rtol"
    given |= {f"{by_place} {place}": each for place, each in enumerate(call.args[kept:])}
    call.keywords = [each for each in call.keywords if each.arg not in given]
    call.args = call.args[:kept]
    return {name: _width(name, number(each)) for name, each in given.items()}


def _width(name: str, size: float | None) -> float:
    if size is None:
        return float("inf")
    return -size if name.startswith(_DIGITS) else size
