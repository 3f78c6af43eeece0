"""What a function does with the objects of mapped classes that it constructs."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from triage.rules.models import Model, ModelIndex
from triage.rules.source import Module
from triage.rules.syntax import Function, calls_within, dotted, last_line, owner, terminal, text, within
from triage.rules.variables import bindings

ADDING = frozenset({"add", "add_all"})
_SESSION_ONLY = frozenset({"refresh", "expunge", "delete", "flush", "merge", "len", "repr", "print"})
_FLUSHING = frozenset({"commit", "flush", "execute", "query", "scalars", "scalar", "refresh", "get"})
_LINKING = frozenset({"append", "extend", "insert", "remove"})
_RAISING = frozenset({"raises", "assertRaises", "assertRaisesRegex", "suppress", "warns"})
_TRANSPARENT = (ast.List, ast.Tuple, ast.ListComp, ast.GeneratorExp, ast.Starred, ast.keyword)
_END = 1 << 60  # a line after every other


@dataclass(frozen=True, slots=True)
class Built:
    """One constructor call whose object is added to a session at line `stored_at`.

    `session` is the source text of that session. `sets` are attributes given to the object before
    the first flush. `linked`: a relationship of something else may fill its foreign keys;
    `escapes`: something that is not in sight may fill anything. `expected`: an error of the
    database is awaited there.
    """

    call: ast.Call
    model: Model
    variable: str
    stored_at: int
    session: str
    sets: frozenset[str] = frozenset()
    linked: bool = False
    escapes: bool = False
    expected: bool = False


def stored_objects(function: Function, module: Module, index: ModelIndex) -> Iterator[Built]:
    for call in calls_within(function):
        name = dotted(call.func)
        model = index.find(name, module) if name else None
        if model is None:
            continue
        found = _adding_call(call, module, index)
        if found is not None:
            adding, is_linked = found
            end = _first_flush(function, adding.lineno)
            yield Built(
                call,
                model,
                "",
                adding.lineno,
                text(owner(adding)),
                linked=is_linked,
                expected=_is_expected(function, call, end, module),
            )
        else:
            yield from _bound(function, call, model, module, index)


def is_session(node: ast.expr | None) -> bool:
    """By its name: what `add` is called on may be a set or a relationship, too."""
    name = terminal(node).lower()
    return "session" in name or "db" in name.split("_") or name in ("s", "sess", "tx", "db")


def _adding_call(node: ast.expr, module: Module, index: ModelIndex) -> tuple[ast.Call, bool] | None:
    """The `session.add(...)` that an object stands in, and whether another object brings it along.

    `session.add(Post(user=user))` stores the user, too: save-update cascades are SQLAlchemy's default.
    """
    is_linked = False
    for each in module.ancestors(node):
        if isinstance(each, ast.Call):
            if terminal(each) in ADDING and is_session(owner(each)):
                return each, is_linked
            if not dotted(each.func) or index.find(dotted(each.func), module) is None:
                return None
            is_linked = True
        elif not isinstance(each, _TRANSPARENT):
            return None
    return None


def _bound(
    function: Function, call: ast.Call, model: Model, module: Module, index: ModelIndex
) -> Iterator[Built]:
    statement = module.parents.get(call)
    names = [name for name, value in bindings(statement) if value is call] if statement is not None else []
    if len(names) != 1:
        return
    uses = list(_uses(function, names[0], call))
    adds = {each: found for each in uses if (found := _adding_call(each, module, index)) is not None}
    if not adds:
        return
    adding = next(iter(adds.values()))[0]
    end = _first_flush(function, adding.lineno)
    yield _judged(
        Built(
            call,
            model,
            names[0],
            adding.lineno,
            text(owner(adding)),
            linked=any(is_linked for _, is_linked in adds.values()),
        ),
        [each for each in uses if each.lineno <= end and each not in adds],
        module,
        expected=_is_expected(function, call, end, module),
    )


def _judged(built: Built, uses: list[ast.Name], module: Module, *, expected: bool) -> Built:
    sets: set[str] = set()
    linked, escapes = built.linked, False
    for use in uses:
        parent = module.parents[use]
        if isinstance(parent, ast.Attribute):
            sets |= _sets(parent, built.model, module)
            escapes = escapes or _is_unknown_method(parent, built.model, module)
        else:
            call = next((e for e in module.ancestors(use) if isinstance(e, ast.Call | ast.stmt)), None)
            if isinstance(call, ast.Call) and terminal(call) not in _LINKING:
                escapes = escapes or terminal(call) not in _SESSION_ONLY
            else:
                linked = linked or not isinstance(parent, ast.Compare)
    return replace(built, sets=frozenset(sets), linked=linked, escapes=escapes, expected=expected)


def _uses(function: Function, name: str, call: ast.Call) -> Iterator[ast.Name]:
    """Reads of a variable, from its binding to the next one."""
    start = last_line(call)
    later = [
        statement.lineno
        for statement in within(function)
        if isinstance(statement, ast.stmt) and statement.lineno > start
        for bound, _ in bindings(statement)
        if bound == name
    ]
    end = min(later, default=_END)
    for node in ast.walk(function):
        if not (isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)):
            continue
        if start <= node.lineno <= end:
            yield node


def _sets(attribute: ast.Attribute, model: Model, module: Module) -> set[str]:
    """What `variable.x = ...` or the model's own `variable.method()` sets."""
    if isinstance(attribute.ctx, ast.Store):
        return {attribute.attr, *model.sets.get(attribute.attr, ())}
    if _is_called(attribute, module):
        return set(model.sets.get(attribute.attr, ()))
    return set()


def _is_unknown_method(attribute: ast.Attribute, model: Model, module: Module) -> bool:
    return _is_called(attribute, module) and attribute.attr not in model.sets


def _is_called(attribute: ast.Attribute, module: Module) -> bool:
    parent = module.parents.get(attribute)
    return isinstance(parent, ast.Call) and parent.func is attribute


def _first_flush(function: Function, after: int) -> int:
    lines = (c.lineno for c in calls_within(function) if terminal(c) in _FLUSHING and c.lineno >= after)
    return min(lines, default=_END)


def _is_expected(function: Function, call: ast.Call, end: int, module: Module) -> bool:
    """An error is awaited around the constructor or between it and the flush."""
    for node in within(function):
        if isinstance(node, ast.With | ast.AsyncWith):
            raising = any(terminal(item.context_expr) in _RAISING for item in node.items)
        else:
            raising = isinstance(node, ast.Try) and bool(node.handlers)
        if raising and isinstance(node, ast.stmt) and node.lineno <= end and last_line(node) >= call.lineno:
            return True
    return any(isinstance(each, ast.Try) and each.handlers for each in module.ancestors(call))
