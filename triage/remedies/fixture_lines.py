"""What stands in a session fixture's decorator: its scope, and whether it is automatic."""

import ast
from collections.abc import Iterator

from triage.model.fix import Edit
from triage.remedies.factory_registry import Handover, calls_factory
from triage.remedies.session_places import SessionPlace, dependents
from triage.remedies.source import SourceFile, open_source
from triage.remedies.spans import span, without_argument
from triage.rules.factories import factory_index
from triage.rules.fixtures import Fixture, fixture_index
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import terminal


def narrowed(place: SessionPlace, tree: SourceTree) -> tuple[Edit, ...]:
    """A session of its own for each test: the fixture, and the wider ones that ask for it."""
    if place.fixture is None:
        return ()
    wide = [one for one in [place.fixture, *dependents(place.fixture, tree)] if one.scope != "function"]
    return tuple(edit for one in wide for edit in _unscoped(one, tree))


def _unscoped(fixture: Fixture, tree: SourceTree) -> Iterator[Edit]:
    source = open_source(tree, fixture.file)
    for decorator in fixture.node.decorator_list:
        if isinstance(decorator, ast.Call) and terminal(decorator) == "fixture":
            for one in decorator.keywords:
                if one.arg == "scope" and len(decorator.keywords) == 1:
                    yield Edit(source.file, span(source, decorator.func)[1], span(source, decorator)[1], "")
                elif one.arg == "scope":
                    yield without_argument(source, decorator, one)


def automatic(
    place: SessionPlace, tree: SourceTree, given: Handover, *, is_narrowed: bool = True
) -> tuple[Edit, ...]:
    """`autouse` where other fixtures call factories without asking for the session: they may come first."""
    fixture = place.fixture
    if fixture is None or fixture.autouse or not given.names:
        return ()
    waiting = dependents(fixture, tree)
    factories = factory_index(tree).factories
    early = [
        one
        for one in fixture_index(tree).fixtures
        if one != fixture and one not in waiting and calls_factory(one.node, factories)
    ]
    if not early and not any(_registers(one) for one in tree.modules(b"register(", tests=True)):
        return ()
    source = open_source(tree, fixture.file)
    for decorator in fixture.node.decorator_list:
        if terminal(decorator) not in ("fixture", "yield_fixture"):
            continue
        return (_made_automatic(decorator, source, is_narrowed=is_narrowed),)
    return ()


def _made_automatic(decorator: ast.expr, source: SourceFile, *, is_narrowed: bool) -> Edit:
    if not isinstance(decorator, ast.Call):
        at = span(source, decorator)[1]
        return Edit(source.file, at, at, "(autouse=True)")
    if not decorator.keywords:
        return source.change(span(source, decorator.func)[1], span(source, decorator)[1], "(autouse=True)")
    if is_narrowed and [one.arg for one in decorator.keywords] == ["scope"]:
        at = span(source, decorator.func)[1]  # the brackets go with the scope
        return Edit(source.file, at, at, "(autouse=True)")
    at = span(source, decorator.keywords[-1])[1]
    return Edit(source.file, at, at, ", autouse=True")


def _registers(module: Module) -> bool:
    return any(
        origin == "pytest_factoryboy" for origin, _ in module.imports.values()
    ) or "pytest_factoryboy" in {one.name for node in module.all(ast.Import) for one in node.names}
