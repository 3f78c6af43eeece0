"""The Flask application that a statement of the tests can reach, as an expression."""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from triage.model.fix import Edit
from triage.remedies.asking import asked
from triage.remedies.blocks import spot
from triage.remedies.imports import import_edits, top_level_names
from triage.remedies.scenes import Scene, family
from triage.rules.fixtures import Fixture, FixtureIndex, fixture_index
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import Function, arguments, assigned, dotted, owner, string, terminal, text, within

NAMES = ("app", "application", "flask_app")
_MAKERS = re.compile(r"(?:create|make|build|get|new|init|setup)_(?:\w+_)?app(?:lication)?$")
_OF_APPS = frozenset({"app_context", "test_client", "test_request_context", "test_cli_runner"})
_SCOPES = ("function", "class", "module", "package", "session")


@dataclass(frozen=True, slots=True)
class Application:
    """`edits` make the expression known where it is used."""

    expression: str
    edits: tuple[Edit, ...] = ()


def application(scene: Scene, line: int) -> Application | str:
    """What a block that begins at `line` can push; the text says why there is none."""
    for find in (
        _local,
        _own_attribute,
        _of_asked,
        _of_client,
        _of_own_module,
        _of_fixture,
        _of_some_client,
        _of_module,
        _of_product,
    ):
        found = find(scene, line)
        if found is not None:
            return found
    return "no application is in reach: no fixture, no variable and no attribute of the class gives one"


def makes_app(value: ast.AST | None) -> bool:
    call = isinstance(value, ast.Call)
    return call and (terminal(value) == "Flask" or _MAKERS.match(terminal(value)) is not None)


def app_fixtures(tree: SourceTree, file: str) -> list[Fixture]:
    """Those that a test of this file can ask for."""
    index = fixture_index(tree)
    return [each for each in index.fixtures if is_seen(index, each, file) and gives_app(each)]


def is_seen(index: FixtureIndex, fixture: Fixture, file: str) -> bool:
    """Whether a test of a file gets this one by its name; not those of other test modules."""
    name = fixture.file.rpartition("/")[2]
    is_elsewhere = fixture.file != file and (name.startswith("test_") or name.endswith("_test.py"))
    return not is_elsewhere and index.find(fixture.name, file) is fixture


def gives_app(fixture: Fixture) -> bool:
    made = {name for node in within(fixture.node) for name, value in assigned(node) if makes_app(value)}
    given = [node.value for node in within(fixture.node) if isinstance(node, ast.Return | ast.Yield)]
    if any(makes_app(each) or (isinstance(each, ast.Name) and each.id in made) for each in given):
        return True
    return fixture.name in NAMES and any(each is not None for each in given)


# variables


def _local(scene: Scene, line: int) -> Application | str | None:
    fixtures = {each.name for each in app_fixtures(scene.tree, scene.source.file)}
    for function in scene.functions:
        found = [each for each in dict.fromkeys(_variables(function, line, fixtures)) if each]
        chosen = [each for each in found if each in NAMES] or found
        if len(chosen) == 1:
            return Application(chosen[0])
        if chosen:
            return f"several applications are in reach here: {', '.join(chosen)}"
    return None


def _variables(function: Function, line: int, fixtures: set[str]) -> Iterator[str]:
    given = arguments(function)
    yield from (name for name in given if name in NAMES or name in fixtures)
    before = [node for node in within(function) if getattr(node, "lineno", line) < line]
    bound = {*given, *(name for node in before for name, _ in assigned(node))}
    for node in before:
        yield from (name for name, value in assigned(node) if makes_app(value))
        if isinstance(node, ast.With | ast.AsyncWith):
            yield from (dotted(item.optional_vars) for item in node.items if makes_app(item.context_expr))
    for node in within(function):
        if isinstance(node, ast.Call) and terminal(node) in _OF_APPS and dotted(owner(node)) in bound:
            yield dotted(owner(node))


# attributes


def _own_attribute(scene: Scene, line: int) -> Application | None:
    if scene.around is None or scene.outer is None or not arguments(scene.outer):
        return None
    own = arguments(scene.outer)[0]
    if own not in ("self", "cls"):
        return None
    classes = family(scene.tree, scene.around)
    given = {name for each in classes for name in _attributes(each, scene, line)}
    for name in (*NAMES, *sorted(given)):
        if name in given and not name.startswith("?"):
            return Application(f"{own}.{name}")
    client = next((name[1:] for name in sorted(given) if name.startswith("?")), None)
    return Application(f"{own}.{client}.application") if client else None


def _attributes(around: ast.ClassDef, scene: Scene, line: int) -> Iterator[str]:
    """Names of attributes that hold an application; of clients with a `?` before."""
    if any(terminal(base) == "TestCase" for base in around.bases) and _has(around, "create_app"):
        yield "app"  # Flask-Testing
    nodes = [(node, each) for each in around.body for node in ast.walk(each)]
    for node, method in nodes:
        if isinstance(node, ast.Assign) and not (method is scene.outer and node.lineno >= line):
            for target in node.targets:
                yield from _held(target, node.value, ("self", "cls"))
                if method is node and isinstance(target, ast.Name) and makes_app(node.value):
                    yield target.id
    for fixture in closure(scene):
        for node in within(fixture.node):
            if isinstance(node, ast.Assign) and not (fixture.node is scene.outer and node.lineno >= line):
                for target in node.targets:
                    yield from _held(target, node.value, ("request.cls", "request.instance"))


def _held(target: ast.expr, value: ast.expr, holders: tuple[str, ...]) -> Iterator[str]:
    holder, _, name = dotted(target).rpartition(".")
    if holder in holders:
        if makes_app(value) or name in NAMES or dotted(value) in NAMES:
            yield name
        elif terminal(value) == "test_client" and isinstance(value, ast.Call):
            yield f"?{name}"


def _has(around: ast.ClassDef, name: str) -> bool:
    return any(isinstance(each, ast.FunctionDef) and each.name == name for each in around.body)


def closure(scene: Scene) -> tuple[Fixture, ...]:
    """The fixtures that are set up for the outermost function, also through `usefixtures`."""
    names = [*arguments(scene.outer)] if scene.outer is not None else []
    around = scene.around.decorator_list if scene.around is not None else []
    decorated = [*around, *(scene.outer.decorator_list if scene.outer is not None else [])]
    names += [string(each) or "" for node in decorated if isinstance(node, ast.Call) for each in node.args]
    return fixture_index(scene.tree).closure(tuple(names), scene.source.file)


# fixtures


def _of_asked(scene: Scene, _line: int) -> Application | str | None:
    """A fixture that is set up for the test already, for another fixture's sake."""
    names = [each.name for each in closure(scene)]
    return _asking(scene, [each for each in _reachable(scene) if each.name in names])


def _of_fixture(scene: Scene, _line: int) -> Application | str | None:
    known = _reachable(scene)
    found = [each for each in known if each.name == scene.target.names.get("fixture")]
    return _asking(scene, found or [each for each in known if each.name in NAMES] or known)


def _reachable(scene: Scene) -> list[Fixture]:
    if scene.outer is None or scene.is_unittest or not (scene.is_test or scene.fixture):
        return []
    return [each for each in app_fixtures(scene.tree, scene.source.file) if _may_ask(scene, each)]


def _asking(scene: Scene, found: list[Fixture]) -> Application | str | None:
    if len(found) > 1:
        return f"several fixtures give an application: {', '.join(each.name for each in found)}"
    if not found or scene.outer is None or _is_taken(scene.outer, found[0].name):
        return None
    return Application(found[0].name, asked(scene.source, scene.outer, found[0].name))


def _may_ask(scene: Scene, wanted: Fixture) -> bool:
    """Not itself, not what is made of it, and no fixture that lives shorter."""
    asking = scene.fixture
    if asking is None:
        return True
    index: FixtureIndex = fixture_index(scene.tree)
    below = {each.node for each in index.closure((wanted.name,), wanted.file)}
    if asking.node in below or asking.scope not in _SCOPES or wanted.scope not in _SCOPES:
        return False
    return _SCOPES.index(wanted.scope) >= _SCOPES.index(asking.scope)


def _is_taken(function: Function, name: str) -> bool:
    """Whether the function means something else by the name."""
    return name not in arguments(function) and any(
        isinstance(each, ast.Name) and each.id == name for each in ast.walk(function)
    )


def _of_client(scene: Scene, _line: int) -> Application | None:
    """A parameter that is a test client, by the source of its fixture."""
    index = fixture_index(scene.tree)
    for name in arguments(scene.outer) if scene.outer is not None else ():
        fixture = index.find(name, scene.source.file) if scene.is_test or scene.fixture else None
        nodes: Iterable[ast.AST] = within(fixture.node) if fixture is not None else ()
        given = [node.value for node in nodes if isinstance(node, ast.Return | ast.Yield)]
        if any(isinstance(each, ast.Call) and terminal(each) == "test_client" for each in given):
            return Application(f"{name}.application")
    return None


def _of_some_client(scene: Scene, _line: int) -> Application | None:
    """A plugin's, or a helper's parameter."""
    is_given = scene.outer is not None and "client" in arguments(scene.outer)
    return Application("client.application") if is_given else None


# modules


def _of_own_module(scene: Scene, line: int) -> Application | None:
    made = dict.fromkeys(_globals(scene.module))
    found = [each for each in made if scene.outer is not None or _bound_at(scene.module, each) < line]
    return Application(found[0]) if found else None


def _of_module(scene: Scene, _line: int) -> Application | None:
    found = [name for name in scene.module.imports if name in NAMES and _is_app(scene, name)]
    return Application(found[0]) if found else None


def _globals(module: Module) -> Iterator[str]:
    for statement in module.tree.body:
        yield from (name for name, value in assigned(statement) if makes_app(value))


def _bound_at(module: Module, name: str) -> int:
    lines = [each.lineno for each in module.tree.body for known, _ in assigned(each) if known == name]
    return lines[0] if lines else 0


def _is_app(scene: Scene, name: str) -> bool:
    where, original = scene.module.imports[name]
    return any(original in _globals(each) for each in _modules(scene.tree, where))


def _modules(tree: SourceTree, dots: str) -> list[Module]:
    path = dots.lstrip(".").replace(".", "/")
    ends = (f"/{path}.py", f"/{path}/__init__.py")
    return [each for each in tree.modules() if f"/{each.path}".endswith(ends)]


def _of_product(scene: Scene, _line: int) -> Application | None:
    """A module's application that is made as a plain `Flask(...)`, or the call that tests make."""
    found = [
        (module, name)
        for module in scene.tree.modules(b"Flask(", tests=False)
        for statement in module.tree.body
        for name, value in assigned(statement)
        if terminal(value) == "Flask" and isinstance(value, ast.Call)
    ]
    if len(found) == 1:
        return _imported(scene, _dotted_path(found[0][0].path), found[0][1], found[0][1])
    return _by_call(scene)


def _by_call(scene: Scene) -> Application | None:
    """As other tests make one: only literals are given, so it means the same here."""
    found = list(_literal_calls(scene.module))
    if not found:
        others = [
            each for module in scene.tree.modules(b"_app", tests=True) for each in _literal_calls(module)
        ]
        found = others if len({text(call) for _, call in others}) == 1 else []
    for where, call in found[:1]:
        return _imported(scene, where, dotted(call.func), _as_written(scene, call))
    return None


def _literal_calls(module: Module) -> Iterator[tuple[str, ast.Call]]:
    for call in module.all(ast.Call):
        name = dotted(call.func)
        if makes_app(call) and name in module.imports and _is_literal(call):
            where, original = module.imports[name]
            if name == original and not where.startswith("."):
                yield where, call


def _as_written(scene: Scene, call: ast.Call) -> str:
    start, stop = spot(scene.source, call) if call in scene.module.parents else (0, 0)
    found = scene.source.text[start:stop]
    return found if found and "\n" not in found else text(call)


def _is_literal(call: ast.Call) -> bool:
    given: Sequence[ast.expr] = [*call.args, *(each.value for each in call.keywords)]
    return not any(isinstance(each, ast.Name | ast.Call) for value in given for each in ast.walk(value))


def _imported(scene: Scene, where: str, name: str, expression: str) -> Application | None:
    if name in top_level_names(scene.source) and scene.module.imports.get(name) != (where, name):
        return None
    return Application(expression, import_edits(scene.source, where, name))


def _dotted_path(path: str) -> str:
    return path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
