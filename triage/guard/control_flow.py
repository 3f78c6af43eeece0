"""What may keep a statement from being run, or from being heard: conditions, early ends, handlers."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from triage.guard.syntax import FUNCTIONS, Scope, names_in, terminal, text

CONDITIONAL, SWALLOWED, UNREACHABLE, EARLY = "conditional", "swallowed", "unreachable", "early-return"
SKIPS = frozenset({"skip", "skipTest", "SkipTest", "xfail", "importorskip", "Skipped"})
_ENDS = SKIPS | {"exit", "_exit", "abort"}
_QUIET_CONTEXTS = ("suppress", "ignore", "swallow")
_RAISES = ("raises", "assertRaises", "assertRaisesRegex", "assertRaisesRegexp", "RaisesGroup")


@dataclass(frozen=True, slots=True)
class Barrier:
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A statement with what stands between it and its effect; `own` are its expressions, not its blocks'."""

    node: ast.stmt
    barriers: tuple[Barrier, ...]

    @property
    def own(self) -> Iterator[ast.AST]:
        for part in _heads(self.node):
            yield from ast.walk(part)


def placed(scope: Scope) -> Iterator[Placed]:
    """Every statement of a scope in source order; functions within a function belong to it."""
    yield from _Walk(scope).block(scope.node.body, ())


def added(old: Sequence[Barrier], new: Sequence[Barrier]) -> list[Barrier]:
    """Those of `new` that `old` has not, or not as often."""
    left = list(old)
    found = []
    for barrier in new:
        if barrier in left:
            left.remove(barrier)
        else:
            found.append(barrier)
    return found


def is_rethrown(handler: ast.ExceptHandler) -> bool:
    """True where a handler ends by an exception, or by failing the test, whatever it does before."""
    last = handler.body[-1]
    if isinstance(last, ast.Raise):
        return not SKIPS & set(names_in(last))
    return isinstance(last, ast.Expr) and terminal(last.value) == "fail"


def quiet_types(node: ast.Try | ast.TryStar) -> tuple[str, ...]:
    """What a `try` swallows."""
    return tuple(text(each.type) or "everything" for each in node.handlers if not is_rethrown(each))


class _Walk:
    def __init__(self, scope: Scope) -> None:
        self._is_module = isinstance(scope.node, ast.Module)
        self._used = set(names_in(scope.node))

    def block(self, statements: Sequence[ast.stmt], barriers: tuple[Barrier, ...]) -> Iterator[Placed]:
        for statement in statements:
            yield Placed(statement, barriers)
            for inner, more in self._blocks(statement):
                yield from self.block(inner, (*barriers, *more))
            barriers = (*barriers, *_afterwards(statement))

    def _blocks(self, node: ast.stmt) -> Iterator[tuple[Sequence[ast.stmt], tuple[Barrier, ...]]]:
        if isinstance(node, ast.If):
            yield node.body, _when(node.test, "if")
            yield node.orelse, (Barrier(CONDITIONAL, f"else of `if {text(node.test)}`"),)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            yield node.body, (Barrier(CONDITIONAL, f"`for ... in {text(node.iter)}`"),)
            yield node.orelse, ()
        elif isinstance(node, ast.While):
            yield node.body, _when(node.test, "while")
            yield node.orelse, ()
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            yield node.body, tuple(_quieted(node))
        elif isinstance(node, (ast.Try, ast.TryStar)):
            yield from _tried(node)
        elif isinstance(node, ast.Match):
            for case in node.cases:
                yield case.body, (Barrier(CONDITIONAL, f"`case {text(case.pattern)}`"),)
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef)) and not self._is_module:
            used = node.name in self._used or bool(node.decorator_list)
            why = f"the inner `{node.name}`" + ("" if used else ", which nothing calls")
            yield node.body, (Barrier(UNREACHABLE, why),)


def _when(test: ast.expr, word: str) -> tuple[Barrier, ...]:
    if isinstance(test, ast.Constant) and test.value:
        return ()
    return (Barrier(CONDITIONAL, f"`{word} {text(test)}`"),)


def _tried(node: ast.Try | ast.TryStar) -> Iterator[tuple[Sequence[ast.stmt], tuple[Barrier, ...]]]:
    quiet = tuple(Barrier(SWALLOWED, f"`except {each}`") for each in quiet_types(node))
    if any(_exits(each)[0] == "quiet" for each in node.finalbody):
        quiet += (Barrier(SWALLOWED, "`finally` that returns"),)
    yield node.body, quiet
    for handler in node.handlers:
        yield handler.body, (Barrier(CONDITIONAL, f"the handler of `{text(handler.type)}`"),)
    yield node.orelse, quiet
    yield node.finalbody, ()


def _quieted(node: ast.With | ast.AsyncWith) -> Iterator[Barrier]:
    for item in node.items:
        name = terminal(item.context_expr)
        if name in _RAISES or any(word in name.lower() for word in _QUIET_CONTEXTS):
            yield Barrier(SWALLOWED, f"`with {text(item.context_expr)}`")


def _afterwards(node: ast.stmt) -> tuple[Barrier, ...]:
    """What a statement means for those that follow it."""
    how, always = _exits(node)
    if always and how:
        return (Barrier(UNREACHABLE, "what ends the block before it"),)
    if how == "quiet":
        head = text(node.test) if isinstance(node, (ast.If, ast.While)) else text(node).split("\n")[0]
        return (Barrier(EARLY, f"a return under `{head}`"),)
    return ()


def _exits(node: ast.stmt) -> tuple[str, bool]:
    """("quiet" by return or skip | "loud" by an exception | "", whether always)."""
    if isinstance(node, (ast.Return, ast.Continue, ast.Break)):
        return "quiet", True
    if isinstance(node, ast.Raise):
        return ("quiet" if SKIPS & set(names_in(node)) else "loud"), True
    if isinstance(node, ast.Expr):
        ends = isinstance(node.value, ast.Call) and terminal(node.value) in _ENDS
        return ("quiet" if ends else ""), ends
    blocks = _alternatives(node)
    if blocks is None:
        return "", False
    found = [_block_exits(each) for each in blocks]
    quiet = any(how == "quiet" for how, _ in found)
    return ("quiet" if quiet else ""), all(always for _, always in found) and _is_total(node)


def _block_exits(block: Sequence[ast.stmt]) -> tuple[str, bool]:
    found = [_exits(each) for each in block]
    how = "quiet" if any(how == "quiet" for how, _ in found) else "loud" if any(h for h, _ in found) else ""
    return how, any(always for _, always in found)


def _alternatives(node: ast.stmt) -> list[Sequence[ast.stmt]] | None:
    if isinstance(node, ast.If):
        return [node.body, node.orelse]
    if isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
        return [[each for each in ast.walk(node) if isinstance(each, ast.Return)], []]
    if isinstance(node, (ast.With, ast.AsyncWith)):
        return [node.body]
    if isinstance(node, (ast.Try, ast.TryStar)):
        return [[*node.body, *node.orelse, *node.finalbody], *(each.body for each in node.handlers)]
    if isinstance(node, ast.Match):
        return [*(each.body for each in node.cases), []]
    return None


def _is_total(node: ast.stmt) -> bool:
    """A `with` may swallow what ends its block."""
    return not (isinstance(node, (ast.With, ast.AsyncWith)) and any(_quieted(node)))


def _heads(node: ast.stmt) -> Iterator[ast.AST]:
    """The parts of a statement that are no blocks of further statements."""
    if isinstance(node, ast.ClassDef):
        yield from node.decorator_list
        return
    if isinstance(node, FUNCTIONS):
        yield from (*node.decorator_list, node.args)
        return
    for part in ast.iter_child_nodes(node):
        if not isinstance(part, (ast.stmt, ast.excepthandler, ast.match_case)):
            yield part
