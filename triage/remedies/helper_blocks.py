"""Helpers of tests with a block of their own: it goes, and callers open one where they have none."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from triage.model.fix import Edit
from triage.remedies.blocks import (
    Block,
    first_line,
    following,
    indent,
    last_line,
    own_lines,
    shifted,
    unwrapped,
)
from triage.remedies.contexts_open import head_text, in_context, receiver, unit
from triage.remedies.endings import Ending, enclosing_class, enclosing_function
from triage.remedies.source import SourceFile, open_source
from triage.remedies.uses import bound, used_through
from triage.remedies.yielding import (
    called_directly,
    falls_through,
    is_last,
    returns,
    statement_of,
    yielding,
    yields,
)
from triage.rules.fixtures import fixture_index
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import Function, arguments, calls_within, dotted, keyword, owner, terminal, text


@dataclass(frozen=True, slots=True)
class Caller:
    """`statement` is the one of the function's own body that holds the first call."""

    module: Module
    function: Function
    call: ast.Call
    statement: ast.stmt
    is_covered: bool


def callers(place: Ending, tree: SourceTree) -> list[Caller]:
    """Functions of the tests that call the helper by name; `is_covered`: a context is open there."""
    name = place.function.name
    found = []
    for module in tree.modules(name.encode(), tests=True):
        for function in module.functions:
            calls = [each for each in calls_within(function) if _is_call(each, place, module)]
            if calls and function is not place.function and enclosing_function(module, function) is None:
                covered = all(in_context(module, each, tree) for each in calls)
                first = min(calls, key=lambda one: one.lineno)
                found.append(Caller(module, function, first, _top(module, function, first), covered))
    return found


def _is_call(call: ast.Call, place: Ending, module: Module) -> bool:
    """A method is called on something; a function in its own file, by import, or through its module."""
    if terminal(call) != place.function.name:
        return False
    whose = owner(call)
    if enclosing_class(place.module, place.function) is not None:
        return whose is not None
    stem = place.module.path.rpartition("/")[2].removesuffix(".py")
    if whose is not None:
        return terminal(whose) == stem
    return module is place.module or module.imports.get(terminal(call), ("",))[0].endswith(stem)


def _top(module: Module, function: Function, node: ast.AST) -> ast.stmt:
    chain = [node, *module.ancestors(node)]
    return next(each for each in chain if isinstance(each, ast.stmt) and each in function.body)


def wrapped_callers(
    place: Ending, block: Block, open_here: list[Caller], tree: SourceTree
) -> list[Edit] | None:
    """The helper's block gone, and each caller in a block of its own; None where one cannot be read."""
    edits = list(unwrapped(open_source(tree, place.module.path), block))
    for caller in open_here:
        head = _head(place, block, caller, open_source(tree, place.module.path))
        found = _wrapped(caller, head, tree) if head else None
        if found is None:
            return None
        edits += found
    return edits


def _head(place: Ending, block: Block, caller: Caller, source: SourceFile) -> str | None:
    """The helper's head with the caller's names in it."""
    root, _, rest = receiver(block).partition(".")
    names = arguments(place.function)
    if root in names[:1] and root in ("self", "cls"):
        same = enclosing_class(caller.module, caller.function)
        return head_text(source, block) if same is not None and dotted(owner(caller.call)) == root else None
    if root in names:
        given = _given(place, caller, names.index(root), root)
        name = dotted(given)
        return f"{name}{'.' + rest if rest else ''}.app_context()" if name else None
    is_known = caller.module is place.module or root in caller.module.imports
    return head_text(source, block) if root and is_known else None


def _given(place: Ending, caller: Caller, number: int, name: str) -> ast.expr | None:
    is_method = enclosing_class(place.module, place.function) is not None
    number -= 1 if is_method else 0
    found = keyword(caller.call, name)
    positional = caller.call.args
    return found if found is not None or number >= len(positional) else positional[number]


def _wrapped(caller: Caller, head: str, tree: SourceTree) -> list[Edit] | None:
    """From the call to the last use; a fixture then yields inside."""
    source, module, function = open_source(tree, caller.module.path), caller.module, caller.function
    fixture = next((each for each in fixture_index(tree).fixtures if each.node is function), None)
    tail = [caller.statement, *following(module, caller.statement)]
    edits: list[Edit] = []
    if fixture is not None:
        handed = returns(function)
        if yields(function) or called_directly(tree, fixture) or falls_through(function.body):
            return None
        if any(not is_last(module, function, each) for each in handed):
            return None
        edits += yielding(source, module, function)
    elif function.name.startswith("test"):
        tail = tail[: 1 + used_through(tail[1:], bound(tail[:1]))]
    else:
        return None
    return [*around(source_indent(source, tail), source, tail, head), *edits]


def source_indent(source: SourceFile, tail: list[ast.stmt]) -> str:
    own_lines(source, *tail)
    return indent(source, first_line(tail[0]))


def around(
    white: str, source: SourceFile, tail: list[ast.stmt], head: str, *, is_async: bool = False
) -> Iterator[Edit]:
    """Statements into a new block."""
    word = "async with" if is_async else "with"
    first, at = first_line(tail[0]), source.offset(first_line(tail[0]), 0)
    yield Edit(source.file, at, at, f"{white}{word} {head}:{source.newline}")
    yield from shifted(source, first, last_line(tail[-1]), white, white + unit(source, white))


def lifted(place: Ending, block: Block, outer: Function, tree: SourceTree) -> list[Edit] | None:
    """A function that a fixture hands out: its block moves round the fixture's own `return`."""
    source, module = open_source(tree, place.module.path), place.module
    handed = [statement_of(module, each) for each in (*returns(outer), *yields(outer))]
    if len(handed) != 1 or len(block.items) != 1 or not isinstance(handed[0], ast.Return | ast.Expr):
        return None
    if isinstance(handed[0], ast.Return) and not is_last(module, outer, handed[0]):
        return None
    stored = (each for each in ast.walk(place.function) if isinstance(each, ast.Name))
    inside = {*arguments(place.function), *(each.id for each in stored if isinstance(each.ctx, ast.Store))}
    item = block.items[0]
    needed = {each.id for each in ast.walk(item.context_expr) if isinstance(each, ast.Name)}
    named = item.optional_vars
    if needed & inside - ({named.id} if isinstance(named, ast.Name) else set()):
        return None
    head = head_text(source, block) + (f" as {text(named)}" if named is not None else "")
    white = source_indent(source, [handed[0]])
    is_async = isinstance(block, ast.AsyncWith)
    if is_async and not isinstance(outer, ast.AsyncFunctionDef):
        return None
    wrap = around(white, source, [handed[0]], head, is_async=is_async)
    return [*unwrapped(source, block), *wrap, *yielding(source, module, outer)]
