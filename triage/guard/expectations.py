"""`raises`, `warns` and their kin: removed, broadened, or given more to catch from."""

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass

from triage.guard.control_flow import Barrier, added, placed
from triage.guard.same_data import is_same
from triage.guard.syntax import Pair, Scope, keyword, short, terminal, text
from triage.model.fix import Weakening

_PLAIN = ("raises", "warns", "deprecated_call", "RaisesGroup", "RaisesExc")
_UNITTEST = ("assertRaises", "assertWarns", "assertLogs", "assertNoLogs")


@dataclass(frozen=True, slots=True)
class Expectation:
    """`match` is the pattern's text, `body` what may raise (without what a `with` inside is)."""

    name: str
    exceptions: tuple[str, ...]
    match: str
    line: int
    barriers: tuple[Barrier, ...]
    body: tuple[ast.stmt, ...]


def found(pair: Pair) -> Iterator[Weakening]:
    for _, scope, new in pair.both:
        was, now = list(_expectations(scope)), list(_expectations(new))
        if was:
            outside = {text(each.node) for each in placed(scope)} - {text(s) for e in was for s in e.body}
            for kind, line, said in _compared(was, now, outside):
                yield Weakening(kind, pair.path, line or new.line, f"in {new.title}: {said}")


def _expectations(scope: Scope) -> Iterator[Expectation]:
    for each in placed(scope):
        body: tuple[ast.stmt, ...] = ()
        if isinstance(each.node, (ast.With, ast.AsyncWith)):
            body = tuple(_leaves(each.node.body))
        for call in each.own:
            if isinstance(call, ast.Call) and _is_expectation(terminal(call.func)):
                yield _read(call, each.node.lineno, each.barriers, body)


def _is_expectation(name: str) -> bool:
    return name in _PLAIN or name.startswith(_UNITTEST)


def _read(
    call: ast.Call, line: int, barriers: tuple[Barrier, ...], body: tuple[ast.stmt, ...]
) -> Expectation:
    name = terminal(call.func)
    what = call.args[0] if call.args else keyword(call, "expected_exception", "expected_warning")
    exceptions = what.elts if isinstance(what, ast.Tuple) else [what] if what else []
    pattern = keyword(call, "match", "expected_regex")
    if name.endswith(("Regex", "Regexp", "Message")) and len(call.args) > 1:
        pattern = call.args[1]
    given = [each for each in call.args[1:] if each is not pattern]
    steps = body or tuple(ast.Expr(each) for each in given)
    return Expectation(name, tuple(map(text, exceptions)), text(pattern), line, barriers, steps)


def _leaves(block: list[ast.stmt]) -> Iterator[ast.stmt]:
    for each in block:
        if isinstance(each, (ast.With, ast.AsyncWith)):
            yield from _leaves(each.body)
        else:
            yield each


def _compared(
    was: list[Expectation], now: list[Expectation], outside: set[str]
) -> Iterator[tuple[str, int, str]]:
    for old in was:
        new = min(now, key=lambda one: _distance(old, one), default=None)
        if new is None:
            yield "raises-removed", 0, f"`{old.name}({', '.join(old.exceptions)})` is gone"
            continue
        now.remove(new)
        yield from _weaker(old, new, outside)


def _distance(old: Expectation, new: Expectation) -> tuple[bool, bool, bool]:
    return old.exceptions != new.exceptions, old.match != new.match, _texts(old) != _texts(new)


def _texts(one: Expectation) -> list[str]:
    return list(map(text, one.body))


def _weaker(old: Expectation, new: Expectation, outside: set[str]) -> Iterator[tuple[str, int, str]]:
    became = f"{', '.join(old.exceptions) or 'any'} became {', '.join(new.exceptions) or 'any'}"
    if not _is_within(new.exceptions, old.exceptions):
        yield "raises-broadened", new.line, became
    if old.match and old.match != new.match:
        kind = "match-changed" if new.match else "match-dropped"
        yield kind, new.line, f"match {short(old.match)} became {short(new.match) or 'nothing'}"
    for barrier in added(old.barriers, new.barriers)[:1]:
        yield "raises-dampened", new.line, f"`{new.name}` now stands behind {short(barrier.text)}"
    had = set(map(text, old.body))
    for step in new.body:
        if text(step) in outside and text(step) not in had:
            yield "raises-widened", new.line, f"{short(step)} may raise what is expected now"
        elif isinstance(step, ast.Raise) and text(step) not in had:
            yield "raises-faked", new.line, f"{short(step)} raises what is expected"
    if old.body and _is_other_call(old, new):
        yield "raises-faked", new.line, f"{short(old.body[-1])} is no longer what must raise"


def _is_other_call(old: Expectation, new: Expectation) -> bool:
    """The calls of the body: none of them is left."""
    before = {terminal(each) for step in old.body for each in ast.walk(step) if isinstance(each, ast.Call)}
    after = {terminal(each) for step in new.body for each in ast.walk(step) if isinstance(each, ast.Call)}
    alike = (
        after | {name.removesuffix("Factory") for name in after} | ({"commit"} if "flush" in after else set())
    )
    is_unchanged = len(old.body) == len(new.body) and all(map(is_same, old.body, new.body))
    return bool(before) and not is_unchanged and not before & alike


def _is_within(new: tuple[str, ...], old: tuple[str, ...]) -> bool:
    """Whatever satisfies the new expectation satisfied the old one."""
    return not old or (bool(new) and all(any(_is_kind_of(one, other) for other in old) for one in new))


def _is_kind_of(name: str, base: str) -> bool:
    if name == base:
        return True
    one, other = _builtin(name), _builtin(base)
    if one and other:
        return issubclass(one, other)
    # What is not a builtin is most likely an Exception; of other classes nothing is known.
    return one is None and other in (Exception, BaseException)


def _builtin(name: str) -> type[BaseException] | None:
    kind = getattr(builtins, name, None)
    return kind if isinstance(kind, type) and issubclass(kind, BaseException) else None
