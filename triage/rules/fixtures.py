"""The pytest fixtures that a project defines."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from triage.rules.source import Module, SourceTree
from triage.rules.syntax import Function, arguments, keyword, string, terminal, within


@dataclass(frozen=True, slots=True)
class Fixture:
    """`line` is that of `def`; `yields` False means that it returns its value (or none)."""

    name: str
    file: str
    line: int
    scope: str
    yields: bool
    autouse: bool
    arguments: tuple[str, ...]
    node: Function = field(compare=False, repr=False)


@dataclass(frozen=True)
class FixtureIndex:
    fixtures: tuple[Fixture, ...] = ()

    @cached_property
    def by_name(self) -> Mapping[str, tuple[Fixture, ...]]:
        found: dict[str, tuple[Fixture, ...]] = {}
        for each in self.fixtures:
            found[each.name] = (*found.get(each.name, ()), each)
        return found

    @cached_property
    def nodes(self) -> frozenset[Function]:
        return frozenset(each.node for each in self.fixtures)

    def at(self, file: str, line: int) -> Fixture | None:
        """The fixture whose definition, decorators included, spans a line."""
        for each in self.fixtures:
            first = min([each.line, *(d.lineno for d in each.node.decorator_list)])
            if each.file == file and first <= line <= (each.node.end_lineno or each.line):
                return each
        return None

    def find(self, name: str, file: str) -> Fixture | None:
        """What a test of `file` gets under `name`: its module's own, else the nearest conftest's."""
        known = self.by_name.get(name, ())
        places = [file, *_conftests(file)]
        for place in places:
            found = [each for each in known if each.file == place]
            if found:
                return found[-1]
        return known[0] if len(known) == 1 and not known[0].file.endswith("conftest.py") else None

    def closure(self, names: tuple[str, ...], file: str) -> tuple[Fixture, ...]:
        """The fixtures of these names with those that they ask for, and what is automatic there."""
        automatic = tuple(each.name for each in self.fixtures if each.autouse and _reaches(each.file, file))
        found: dict[str, Fixture] = {}
        pending = [*names, *automatic]
        while pending:
            name = pending.pop()
            fixture = self.find(name, file) if name not in found else None
            if fixture is not None:
                found[name] = fixture
                pending.extend(fixture.arguments)
        return tuple(found.values())


def fixture_index(tree: SourceTree) -> FixtureIndex:
    """The index of a tree, made once."""
    return tree.memo(_build)


def _build(tree: SourceTree) -> FixtureIndex:
    return FixtureIndex(tuple(each for module in tree.modules(b"fixture") for each in fixtures_of(module)))


def fixtures_of(module: Module) -> Iterator[Fixture]:
    for function in module.functions:
        for each in function.decorator_list:
            if terminal(each) in ("fixture", "yield_fixture"):
                yield _fixture(function, each if isinstance(each, ast.Call) else None, module.path)
                break


def _fixture(function: Function, call: ast.Call | None, file: str) -> Fixture:
    given = call or ast.Call(ast.Name("fixture"), [], [])
    autouse = keyword(given, "autouse")
    return Fixture(
        name=string(keyword(given, "name")) or function.name,
        file=file,
        line=function.lineno,
        scope=string(keyword(given, "scope")) or "function",
        yields=any(isinstance(node, ast.Yield | ast.YieldFrom) for node in within(function)),
        autouse=isinstance(autouse, ast.Constant) and bool(autouse.value),
        arguments=tuple(each for each in arguments(function) if each != "self"),
        node=function,
    )


def _conftests(file: str) -> Iterator[str]:
    folder = file.rpartition("/")[0]
    while folder:
        yield f"{folder}/conftest.py"
        folder = folder.rpartition("/")[0]
    yield "conftest.py"


def _reaches(definition: str, file: str) -> bool:
    return definition == file or definition in _conftests(file)
