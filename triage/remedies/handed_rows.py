"""What a test hands to the product's function that makes a row of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import libcst as cst

from triage.model.fix import Target
from triage.remedies.place import Place
from triage.remedies.refusals import function_of
from triage.remedies.rows import Row, bindings_of, bound_value, parameters, row_of, rows_at, subject_of
from triage.remedies.source import SourceFile, UntouchableError, open_source
from triage.rules.models import Column
from triage.rules.source import SourceTree
from triage.rules.syntax import assigned


@dataclass(frozen=True, slots=True)
class Handed:
    """`value` is the argument of a test's call (None: it gives none, and `**kwargs` would take it).

    `function` is the product's, `is_spread`: the argument holds the row's values by their names.
    """

    place: Place
    function: str
    column: Column
    call: cst.Call
    value: cst.BaseExpression | None
    is_spread: bool

    @property
    def at(self) -> str:
        return f"{self.place.source.file}:{self.place.source.lines(self.call)[0]}"

    def __str__(self) -> str:
        code = "no value" if self.value is None else f"`{self.place.source.code(self.value)}`"
        return f"{self.at} hands {code} to {self.function}() for {self.column.attribute}"


def handed(target: Target, tree: SourceTree) -> list[Handed]:
    """Of the failing tests' own calls; empty where the product's function decides itself."""
    module = tree.module(target.file)
    if module is None or tree.is_test(target.file):
        return []
    try:
        source = open_source(tree, target.file)
    except UntouchableError:
        return []
    place = Place(source, module, tree, subject_of(target, tree))
    found = []
    for row in rows_at(source, target.line, place.subject, module, tree):
        function = place.function(row.node)
        for column in place.subject.named if function is not None else ():
            way = _way(row, column, function, source) if function is not None else None
            if function is not None and way is not None:
                found += list(_calls(target, place, function, column, way))
    for column, function, name in _assigned(target, place) if not found else ():
        found += list(_calls(target, place, function, column, name))
    return found


def _assigned(target: Target, place: Place) -> Iterator[tuple[Column, cst.FunctionDef, str]]:
    """`row.column = parameter` in the function that stores the row."""
    source, subject = place.source, place.subject
    is_key = target.playbook == "foreign-key-violation"
    columns = subject.named or [one for one in subject.columns if is_key and one.foreign_key]
    function = next(source.at(cst.FunctionDef, target.line), None)
    for each in source.all(cst.Assign) if function is not None else ():
        to, value = each.targets[0].target, each.value
        if function is None or place.function(each) is not function or not isinstance(to, cst.Attribute):
            continue
        is_plain = isinstance(value, cst.Name) and not bindings_of(source, function, value.value)
        for column in columns:
            is_it = to.attr.value == column.attribute and isinstance(value, cst.Name)
            if is_plain and is_it and isinstance(value, cst.Name) and value.value in parameters(function):
                yield column, function, value.value


def _way(row: Row, column: Column, function: cst.FunctionDef, source: SourceFile) -> str | None:
    """The parameter that the value comes from; `**name` for one that holds values by their names."""
    value = row.given.get(column.attribute, row.given.get(column.name))
    spread = (
        [one.value for one in row.node.args if one.star == "**"] if isinstance(row.node, cst.Call) else []
    )
    if value is None and len(spread) == 1:
        value = spread[0]
    if not isinstance(value, cst.Name) or bindings_of(source, function, value.value):
        return None
    extra = function.params.star_kwarg
    is_extra = extra is not None and extra.name.value == value.value
    if value.value not in parameters(function) and not is_extra:
        return None
    return f"**{value.value}" if value in spread else value.value


def _calls(
    target: Target, product: Place, function: cst.FunctionDef, column: Column, way: str
) -> Iterator[Handed]:
    name, wanted = function.name.value, way.lstrip("*")
    names = [one for one in parameters(function) if one not in ("self", "cls")]
    for test in target.tests:
        found = function_of(test, product.tree)
        if found is None:
            continue
        module, node = found
        place = replace(product, source=open_source(product.tree, module.path), module=module)
        first, last = node.lineno, node.end_lineno or node.lineno
        for call in place.source.all(cst.Call):
            if not first <= place.source.lines(call)[0] <= last or _name(place.source, call) != name:
                continue
            is_extra = way.startswith("**") and wanted not in names
            value = _argument(call, names, column.attribute if is_extra else wanted)
            if is_extra and value is None:
                value = next((one.value for one in call.args if one.star == "**"), None)
                yield Handed(place, name, column, call, value, is_spread=True)
            elif value is not None:
                yield Handed(
                    place, name, column, call, value, is_spread=way.startswith("**") and not is_extra
                )


def _name(source: SourceFile, call: cst.Call) -> str:
    return source.code(call.func).rpartition(".")[2]


def _argument(call: cst.Call, names: list[str], wanted: str) -> cst.BaseExpression | None:
    for position, one in enumerate(call.args):
        known = one.keyword.value if one.keyword is not None else ""
        if not one.star and (known == wanted or (not known and names[position : position + 1] == [wanted])):
            return one.value
    return None


def rows_of(one: Handed) -> Iterator[tuple[Place, Row]]:
    """The dictionaries that may be what a test hands on, where they are written."""
    if one.is_spread and one.value is None:
        yield one.place, replace(row_of(one.call), is_open=False)
    elif one.is_spread and one.value is not None:
        for place, node in _dictionaries(one.place, one.call, one.value):
            found = row_of(node)
            yield place, found


def _dictionaries(
    place: Place, site: cst.CSTNode, value: cst.BaseExpression
) -> Iterator[tuple[Place, cst.Call | cst.Dict]]:
    if isinstance(value, cst.Dict) or (isinstance(value, cst.Call) and _name(place.source, value) == "dict"):
        yield place, value
    if not isinstance(value, cst.Name):
        return
    function = place.function(site)
    cells = list(_cells(function, value.value)) if function is not None else []
    bound = None if cells else bound_value(place.source, site, value.value)
    if bound is not None and not isinstance(bound, cst.Name):
        cells = [bound]
    for each in cells:
        yield from _dictionaries(place, each, each) if not isinstance(each, cst.Name) else ()
    if not cells and value.value in place.module.imports:
        yield from _imported(place, value.value)


def _imported(place: Place, name: str) -> Iterator[tuple[Place, cst.Call | cst.Dict]]:
    module, there = place.module.imports[name]
    tail = module.strip(".").replace(".", "/") + ".py"
    for other in place.tree.modules(there.encode(), tests=True):
        is_bound = any(known == there for each in other.tree.body for known, _ in assigned(each))
        if other.path.endswith(tail) and is_bound:
            source = open_source(place.tree, other.path)
            value = bindings_of(source, source.module, there)
            if len(value) == 1 and isinstance(value[0].value, cst.Dict):
                yield replace(place, source=source, module=other), value[0].value


def _cells(function: cst.FunctionDef, name: str) -> Iterator[cst.BaseExpression]:
    """The values of a parametrised argument."""
    for each in function.decorators:
        call = each.decorator
        if not isinstance(call, cst.Call) or len(call.args) < 2 or _last(call.func) != "parametrize":  # noqa: PLR2004 -- names and values
            continue
        names, rows = _names(call.args[0].value), call.args[1].value
        if name not in names or not isinstance(rows, cst.List | cst.Tuple):
            continue
        for row in (one.value for one in rows.elements):
            cells = [row]
            if isinstance(row, cst.Call) and _last(row.func) == "param":
                cells = [one.value for one in row.args if one.keyword is None]
            elif len(names) > 1 and isinstance(row, cst.List | cst.Tuple):
                cells = [one.value for one in row.elements]
            if len(cells) == len(names):
                yield cells[names.index(name)]


def _last(node: cst.BaseExpression) -> str:
    return node.attr.value if isinstance(node, cst.Attribute) else getattr(node, "value", "")


def _names(node: cst.BaseExpression) -> list[str]:
    if isinstance(node, cst.List | cst.Tuple):
        return [name for one in node.elements for name in _names(one.value)]
    value = node.evaluated_value if isinstance(node, cst.SimpleString) else ""
    return [one.strip() for one in value.split(",")] if isinstance(value, str) else []
