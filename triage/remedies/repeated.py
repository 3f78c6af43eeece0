"""Literals that a test writes more than once."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from triage.model.fix import Target
from triage.remedies.place import Place
from triage.remedies.rows import Row, keywords
from triage.rules.fixtures import fixture_index
from triage.rules.models import Column

_ASKING = frozenset({"get", "get_or_404", "get_one", "filter", "filter_by", "where", "query", "assertEqual"})

_READING = re.compile(
    r"_?(?:get|find|login|auth|delete|put|patch|check|assert|load|fetch|search|filter|raises|len)"
)


@dataclass(frozen=True, slots=True)
class Literal:
    node: cst.BaseExpression
    value: str | int
    code: str


def literal_of(node: cst.BaseExpression | None) -> Literal | None:
    """A text or a whole number that is written out."""
    if isinstance(node, cst.SimpleString) and isinstance(node.evaluated_value, str):
        return Literal(node, node.evaluated_value, node.value)
    if isinstance(node, cst.Integer):
        return Literal(node, int(node.evaluated_value), node.value)
    return None


def given_before(
    row: Row, column: Column, literal: Literal, place: Place, target: Target
) -> tuple[bool, Literal | None]:
    """Whether another row of the test has the value before this one, and the last one that has it after."""
    source, function = place.source, place.function(row.site)
    start = source.span(literal.node)
    others = [
        one
        for one in _alike(place, literal, column)
        if one.node is not literal.node and place.function(one.node) is function
    ]
    later = [one for one in others if source.span(one.node) > start]
    earlier = len(later) < len(others) or _in_fixtures(literal, place, target)
    return earlier, (later[-1] if later and not earlier else None)


def _alike(place: Place, literal: Literal, column: Column) -> Iterator[Literal]:
    """The same value under the column's name, or as any text of a call that does not read."""
    for arg in place.source.all(cst.Arg):
        found = literal_of(arg.value)
        name = arg.keyword.value if arg.keyword is not None else ""
        is_named = name in (column.attribute, column.name)
        if (
            found is not None
            and found.value == literal.value
            and (is_named or (not name and isinstance(found.value, str)))
            and _is_handed(arg.value, place)
        ):
            yield found
    for element in place.source.all(cst.DictElement):
        found, key = literal_of(element.value), literal_of(element.key)
        is_named = key is not None and key.value in (column.attribute, column.name)
        if found is not None and is_named and found.value == literal.value:
            yield found


def _is_handed(node: cst.CSTNode, place: Place) -> bool:
    """To something that may make a row of it, and not to a question."""
    key = _handed_to(node, place)
    name = key[0].rpartition(".")[2] if key is not None else ""
    return bool(name) and name not in _ASKING and not _READING.match(name)


def _in_fixtures(literal: Literal, place: Place, target: Target) -> bool:
    """Whether a fixture of the failing tests writes the same literal; its helpers are not followed."""
    if isinstance(literal.value, int):
        return False
    index, tree = fixture_index(place.tree), place.tree
    names: set[str] = set()
    for test in target.tests:
        file, _, name = test.partition("::")
        module = tree.module(file)
        function = name.partition("[")[0].rpartition("::")[2] or name.partition("[")[0]
        for each in module.functions if module is not None else ():
            if each.name == function:
                names |= {arg.arg for arg in each.args.args}
    line = place.source.lines(literal.node)[0]
    own = index.at(place.source.file, line)
    for test in target.tests[:1]:
        for fixture in index.closure(tuple(sorted(names)), test.partition("::")[0]):
            lines = tree.files[fixture.file].splitlines()[fixture.line - 1 : fixture.node.end_lineno]
            if fixture != own and literal.value.encode() in b"\n".join(lines):
                return True
    return False


def is_used_later(literal: Literal, name: str, place: Place) -> bool:
    """Whether its function asks for the value below it: in an assertion or a query, a text anywhere."""
    source = place.source
    function, stop = place.function(literal.node), source.span(literal.node)[1]
    nodes: list[cst.BaseExpression] = [*source.all(cst.SimpleString), *source.all(cst.Integer)]
    for node in nodes:
        found = literal_of(node)
        is_below = source.span(node)[0] > stop and place.function(node) is function
        if found is None or not is_below or found.value != literal.value:
            continue
        if isinstance(found.value, str) or _asks(node, name, place):
            return True
    return False


def _asks(node: cst.CSTNode, name: str, place: Place) -> bool:
    """`get(User, 1)`, `filter_by(id=1)`, `user.id == 1`."""
    for each in place.source.ancestors(node):
        if isinstance(each, cst.Call):
            callee = place.source.code(each.func).rpartition(".")[2]
            return callee in _ASKING or place.source.code(each).startswith(f"select({name}")
        if isinstance(each, cst.Comparison):
            return f".{name}" in place.source.code(each)
        if isinstance(each, cst.BaseStatement):
            return False
    return False


def called_twice(function: str, value: str, place: Place) -> Literal | None:
    """The second time that a test hands a text to the same callee in the same place."""
    seen: dict[tuple[str, str], int] = {}
    for node in place.source.all(cst.SimpleString):
        around = place.function(node)
        if not value or node.evaluated_value != value or around is None or around.name.value != function:
            continue
        key = _handed_to(node, place)
        if key is None or not _is_handed(node, place):
            continue
        seen[key] = seen.get(key, 0) + 1
        if seen[key] == 2:  # noqa: PLR2004 - the second
            return literal_of(node)
    return None


def _handed_to(node: cst.CSTNode, place: Place) -> tuple[str, str] | None:
    """Callee and place of an argument, keys of a dictionary among them."""
    path = ""
    for each in place.source.ancestors(node):
        if isinstance(each, cst.Assert | cst.Comparison):
            return None
        if isinstance(each, cst.DictElement):
            path += place.source.code(each.key)
        elif isinstance(each, cst.Arg):
            call = place.source.parents[each]
            number = call.args.index(each) if isinstance(call, cst.Call) else 0
            path += each.keyword.value if each.keyword is not None else str(number)
        elif isinstance(each, cst.Call):
            return place.source.code(each.func), path
        elif isinstance(each, cst.BaseStatement):
            return None
    return None


def values_of_rows(name: str, calls: Iterator[cst.Call]) -> list[Literal]:
    """What these calls write out under a name, each once."""
    found = (literal_of(keywords(one).get(name)) for one in calls)
    return list({one.value: one for one in found if one is not None}.values())
