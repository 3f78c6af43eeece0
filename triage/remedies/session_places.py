"""Where the session of a test is opened, handed to it and closed: in a fixture, or in setUp."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from triage.model.fix import Target
from triage.remedies.module_paths import definition
from triage.rules.fixtures import Fixture, fixture_index
from triage.rules.sessions import session_facts
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import (
    Function,
    arguments,
    calls_within,
    contains,
    dotted,
    keyword,
    owner,
    string,
    terminal,
    within,
)

_SETUPS = ("setUp", "setup_method", "setUpClass", "setup_class")
_TEARDOWNS = {
    "setUp": "tearDown",
    "setup_method": "teardown_method",
    "setUpClass": "tearDownClass",
    "setup_class": "teardown_class",
}
_CLOSING = frozenset({"close", "remove", "rollback"})


@dataclass(frozen=True, slots=True)
class SessionPlace:
    """`opening` is the statement with `call`, which makes the session; `variable` names it.

    The name is empty where the session is handed out at once. `handing` yields or returns it,
    `closings` are the statements after that which end it, in their order.
    """

    file: str
    function: Function
    opening: ast.stmt
    call: ast.Call
    variable: str
    handing: ast.stmt | None
    closings: tuple[ast.stmt, ...]
    fixture: Fixture | None = None
    teardown: Function | None = None

    @property
    def is_wide(self) -> bool:
        wide_setup = self.function.name in ("setUpClass", "setup_class")
        return wide_setup if self.fixture is None else self.fixture.scope != "function"

    @property
    def is_async(self) -> bool:
        is_async = isinstance(self.function, ast.AsyncFunctionDef) or isinstance(self.opening, ast.AsyncWith)
        return is_async or terminal(self.call).startswith(("Async", "async"))

    @property
    def statements(self) -> list[ast.stmt]:
        """The function's own, without its docstring."""
        body = self.function.body
        return body[1:] if ast.get_docstring(self.function, clean=False) is not None else body


def session_place(target: Target, tree: SourceTree) -> SessionPlace | None:
    """Of the fixture that the diagnosis names, else of what the tests ask for."""
    for function, module in _functions(target, tree):
        found = list(_places(function, module, tree))
        named = [one for one in found if one.fixture and one.fixture.name == target.names.get("fixture")]
        direct = [one for one in found if one.fixture and one.fixture.name in arguments(function)]
        chosen = named or direct or found
        if chosen:
            return chosen[0]
    return None


def _functions(target: Target, tree: SourceTree) -> Iterator[tuple[Function, Module]]:
    """The one at the target's line, then the tests."""
    module = tree.module(target.file)
    if module is not None:
        holding = [one for one in module.functions if contains(one, target.line)]
        yield from ((one, module) for one in sorted(holding, key=lambda one: -one.lineno))
    for test in target.tests:
        file, *names = test.partition("[")[0].split("::")
        module = tree.module(file)
        for function in module.functions if module is not None and names else ():
            if (
                function.name == names[-1]
                and module is not None
                and _class_name(module, function) == "".join(names[-2:-1])
            ):
                yield function, module


def _class_name(module: Module, function: Function) -> str:
    parent = module.parents.get(function)
    return parent.name if isinstance(parent, ast.ClassDef) else ""


def _places(function: Function, module: Module, tree: SourceTree) -> Iterator[SessionPlace]:
    index = fixture_index(tree)
    fixture = next((one for one in index.fixtures if one.node is function), None)
    if fixture is not None:
        yield from filter(None, [place_of(fixture, tree)])
    for each in index.closure((*arguments(function), *_used(function, module)), module.path):
        yield from filter(None, [place_of(each, tree)])
    yield from _set_ups(function, module, tree)


def _used(function: Function, module: Module) -> Iterator[str]:
    """`usefixtures` of the test and its class."""
    holders = [function, *(one for one in module.ancestors(function) if isinstance(one, ast.ClassDef))]
    for holder in holders:
        for mark in holder.decorator_list:
            if isinstance(mark, ast.Call) and terminal(mark) == "usefixtures":
                yield from filter(None, map(string, mark.args))


def place_of(fixture: Fixture, tree: SourceTree) -> SessionPlace | None:
    """The one session that a fixture opens and hands out."""
    handings = [one for one in _statements(fixture.node) if _handed(one) is not None]
    if len(handings) != 1:
        return None
    value = _handed(handings[0])
    if isinstance(value, ast.Call) and makes_session(value, fixture.file, tree):
        return SessionPlace(fixture.file, fixture.node, handings[0], value, "", handings[0], (), fixture)
    opened = _opened(fixture.node, dotted(value), fixture.file, tree)
    if opened is None or not isinstance(value, ast.Name):
        return None
    whose = {value.id, dotted(opened[1].func)}  # `Registry()` is ended by `Registry.remove()`, too
    closings = tuple(_closings(fixture.node, whose, handings[0].lineno))
    return SessionPlace(fixture.file, fixture.node, *opened, value.id, handings[0], closings, fixture)


def _handed(node: ast.stmt) -> ast.expr | None:
    if isinstance(node, ast.Return):
        return node.value
    is_yield = isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield)
    return (
        node.value.value
        if is_yield and isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield)
        else None
    )


def _statements(function: Function) -> Iterator[ast.stmt]:
    return (one for one in within(function) if isinstance(one, ast.stmt))


def _opened(function: Function, name: str, file: str, tree: SourceTree) -> tuple[ast.stmt, ast.Call] | None:
    found: list[tuple[ast.stmt, ast.Call]] = []
    for node in _statements(function):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            if [dotted(one) for one in node.targets] == [name] and makes_session(node.value, file, tree):
                found.append((node, node.value))
        elif isinstance(node, ast.With | ast.AsyncWith) and len(node.items) == 1:
            call = node.items[0].context_expr
            is_named = dotted(node.items[0].optional_vars) == name
            if is_named and isinstance(call, ast.Call) and makes_session(call, file, tree):
                found.append((node, call))
    return found[0] if len(found) == 1 else None


def makes_session(call: ast.expr, file: str, tree: SourceTree) -> bool:
    """`Session(engine)`, `SessionLocal()`, `sessionmaker(...)()`; by the name, or by what it was bound to."""
    if not isinstance(call, ast.Call):
        return False
    if isinstance(call.func, ast.Call):
        return terminal(call.func) in ("sessionmaker", "scoped_session", "async_sessionmaker")
    name = dotted(call.func)
    if terminal(call) in session_facts(tree).makers | {"Session", "SessionLocal", "AsyncSession"}:
        return True
    found = definition(tree, tree.module(file), name) if name else None
    return found is not None and terminal(found.value) in (
        "sessionmaker",
        "scoped_session",
        "async_sessionmaker",
    )


def _closings(function: Function, whose: set[str], after: int) -> Iterator[ast.stmt]:
    for node in _statements(function):
        call = node.value if isinstance(node, ast.Expr) and node.lineno > after else None
        if isinstance(call, ast.Call) and dotted(owner(call)) in whose and terminal(call) in _CLOSING:
            yield node


def _set_ups(function: Function, module: Module, tree: SourceTree) -> Iterator[SessionPlace]:
    cls = next((one for one in module.ancestors(function) if isinstance(one, ast.ClassDef)), None)
    for holder, file in _line(cls, module, tree) if cls is not None else ():
        methods = {
            one.name: one for one in holder.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        for name in _SETUPS:
            place = (
                _set_up(methods[name], methods.get(_TEARDOWNS[name]), file, tree) if name in methods else None
            )
            if place is not None:
                yield place


def _set_up(method: Function, teardown: Function | None, file: str, tree: SourceTree) -> SessionPlace | None:
    for node in _statements(method):
        if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and len(node.targets) == 1):
            continue
        name = dotted(node.targets[0])
        if name.startswith(("self.", "cls.")) and makes_session(node.value, file, tree):
            closings = tuple(_closings(teardown, {name}, 0)) if teardown is not None else ()
            return SessionPlace(file, method, node, node.value, name, None, closings, None, teardown)
    return None


def _line(cls: ast.ClassDef, module: Module, tree: SourceTree) -> Iterator[tuple[ast.ClassDef, str]]:
    """A class and its bases in the project."""
    yield cls, module.path
    names = {terminal(one) for one in cls.bases}
    for other in tree.modules(*(f"class {name}".encode() for name in names)) if names else ():
        for node in other.all(ast.ClassDef):
            if node.name in names and node is not cls:
                yield node, other.path


def is_rolled_back(place: SessionPlace) -> bool:
    """A connection's own transaction is rolled back round the session that is bound to it."""
    made = {
        dotted(node.targets[0]): node.value
        for node in _statements(place.function)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and len(node.targets) == 1
    }
    begun = {
        name for name, value in made.items() if terminal(value) == "begin" and dotted(owner(value)) in made
    }
    connections = {dotted(owner(made[name])) for name in begun}
    bound = keyword(place.call, "bind") or (place.call.args[0] if place.call.args else None)
    ends = [place.function] if place.teardown is None else [place.function, place.teardown]
    calls = [call for one in ends for call in calls_within(one)]
    ended = {dotted(owner(call)) for call in calls if terminal(call) == "rollback"}
    ended |= {
        dotted(one)[: -len(".rollback")]
        for call in calls
        for one in call.args
        if dotted(one).endswith(".rollback")
    }
    return bool(begun & ended) and dotted(bound) in connections


def dependents(fixture: Fixture, tree: SourceTree) -> list[Fixture]:
    index, known = fixture_index(tree), [fixture]
    for each in known:
        for other in index.fixtures:
            if (
                each.name in other.arguments
                and other not in known
                and index.find(each.name, other.file) == each
            ):
                known.append(other)
    return known[1:]
