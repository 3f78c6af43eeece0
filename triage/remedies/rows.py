"""The places in source where one row's values are written: constructor calls, dictionaries, statements."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import libcst as cst

from triage.model.fix import Target
from triage.remedies.source import SourceFile
from triage.rules.factories import factory_index
from triage.rules.model_index import model_index
from triage.rules.models import Column, Model
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import contains, dotted

_MESSAGES = (
    re.compile(r"constraint failed: (?P<table>[\w$]+)\.(?P<column>[\w$]+)"),
    re.compile(r'null value in column "(?P<column>[^"]+)"(?: of relation "(?P<table>[^"]+)")?'),
    re.compile(r"Column '(?P<column>[^']+)' cannot be null|Field '(?P<field>[^']+)' doesn't have a default"),
)
_EXECUTING = frozenset({"execute", "executemany", "scalar", "scalars"})
_BULK = frozenset({"bulk_insert_mappings", "bulk_save_objects", "insert_many"})
Scope = cst.FunctionDef | cst.Module


@dataclass(frozen=True, slots=True)
class Row:
    """`node` takes further values; `given` are those that it has, by attribute or key.

    `is_open`: `*args`, `**kwargs` or a spread may give more. `is_statement`: no object is made of it.
    `call` is where the object or statement is made, if that is elsewhere.
    """

    node: cst.Call | cst.Dict
    given: Mapping[str, cst.BaseExpression]
    is_open: bool = False
    is_statement: bool = False
    call: cst.Call | None = None

    @property
    def site(self) -> cst.Call | cst.Dict:
        return self.call or self.node


@dataclass(frozen=True, slots=True)
class Subject:
    """What a target is about: the model or table, its columns, and those that the diagnosis names."""

    model: Model | None
    columns: tuple[Column, ...]
    named: tuple[Column, ...]
    table: str = ""

    @property
    def what(self) -> str:
        return self.model.name if self.model is not None else self.table or "the row"


def subject_of(target: Target, tree: SourceTree) -> Subject:
    index = model_index(tree)
    names = {**_told(target.message), **target.names}
    wanted = names.get("table", "")
    candidates = [*index.by_name.get(names.get("model", ""), ()), *index.by_table(wanted)]
    candidates = candidates or ([] if wanted else list(_made_at(target, tree)))
    columns = [one for one in (*names.get("columns", "").split(","), names.get("column", "")) if one]
    columns = list(dict.fromkeys(one.strip(" `\"'").rpartition(".")[2] for one in columns))
    candidates = [one for one in candidates if not wanted or one.table in ("", wanted)] or candidates
    candidates.sort(key=lambda one: -sum(one.column(name) is not None for name in columns))
    if candidates:
        model = candidates[0]
        named = [found for one in columns if (found := model.column(one)) is not None]
        unknown = [Column(one, one, model.file, model.line) for one in columns if model.column(one) is None]
        return Subject(model, model.columns, (*named, *unknown), wanted)
    tables = [one for one in index.tables if wanted and wanted in (one.name, one.variable)]
    own = (
        tables[0].columns if tables else tuple(Column(one, one, target.file, target.line) for one in columns)
    )
    return Subject(None, own, tuple(one for one in own if one.name in columns), wanted)


def _told(message: str) -> dict[str, str]:
    """Table and column that a database's message names."""
    found = next((match for one in _MESSAGES if (match := one.search(message))), None)
    return {key: value for key, value in found.groupdict().items() if value} if found else {}


def _made_at(target: Target, tree: SourceTree) -> Iterator[Model]:
    """Models whose constructor is called at the target's line."""
    module, index = tree.module(target.file), model_index(tree)
    for call in module.all(ast.Call) if module is not None else ():
        name = dotted(call.func)
        model = index.find(name, module) if name and contains(call, target.line) and module else None
        if model is not None:
            yield model


def rows_at(source: SourceFile, line: int, subject: Subject, module: Module, tree: SourceTree) -> list[Row]:
    """The rows of a subject that the code at a line makes, in the order of the text."""
    found: dict[cst.CSTNode, Row] = {}
    for call in source.at(cst.Call, line):
        for row in (*_of_call(source, call, subject, module, tree), *_of_statement(source, call, subject)):
            found.setdefault(row.node, row)
    rows = list(found.values())
    exact = [one for one in rows if source.lines(one.site)[0] == line and not one.is_statement]
    inner = [one for one in rows if isinstance(one.node, cst.Dict) and _holds(source, one.node, line)]
    return sorted(inner or exact or rows, key=lambda one: source.span(one.node))


def _holds(source: SourceFile, node: cst.CSTNode, line: int) -> bool:
    first, last = source.lines(node)
    return first <= line <= last


def _of_call(
    source: SourceFile, call: cst.Call, subject: Subject, module: Module, tree: SourceTree
) -> Iterator[Row]:
    if not _makes(source, call, subject, module, tree):
        return
    spread = [one.value for one in call.args if one.star == "**"]
    if len(spread) == 1:
        literals = list(_literals(source, call, spread[0]))
        own = keywords(call)
        if literals:
            for each in literals:
                found = row_of(each)
                yield replace(found, given={**found.given, **own}, call=call)
            return
    yield row_of(call)


def _makes(source: SourceFile, call: cst.Call, subject: Subject, module: Module, tree: SourceTree) -> bool:
    """Whether a call makes an object of the subject; one through a variable is known by its keywords."""
    name, model = source.code(call.func), subject.model
    if model is None:
        return False
    index = model_index(tree)
    meant = index.find(name, module) if name.replace(".", "").isidentifier() else None
    if meant is not None:
        return meant.name == model.name or model.name in meant.bases or meant.name in model.bases
    factories = factory_index(tree)
    head, _, last = name.rpartition(".")
    factory = factories.find(name, module) or (
        factories.find(head, module) if head and last in ("create", "build", "create_batch") else None
    )
    if factory is not None:
        return factory.model == model.name
    if name.rpartition(".")[2] == model.name:
        return True
    if not name.replace(".", "").isidentifier() or name.rpartition(".")[2] in _EXECUTING | _BULK | {"values"}:
        return False
    given = keywords(call)
    known = {one.attribute for one in subject.columns} | set(model.members)
    return bool(given or _spreads(call)) and set(given) <= known


def _spreads(call: cst.Call) -> bool:
    """`cls(**values)`."""
    return len(call.args) == 1 and call.args[0].star == "**"


def row_of(node: cst.Call | cst.Dict) -> Row:
    if isinstance(node, cst.Call):
        return Row(node, keywords(node), any(one.star for one in node.args))
    given = {
        key: one.value
        for one in node.elements
        if isinstance(one, cst.DictElement) and (key := _text(one.key)) is not None
    }
    return Row(node, given, len(given) < len(node.elements))


def keywords(call: cst.Call) -> dict[str, cst.BaseExpression]:
    return {one.keyword.value: one.value for one in call.args if one.keyword is not None}


def _text(node: cst.BaseExpression) -> str | None:
    if isinstance(node, cst.SimpleString):
        value = node.evaluated_value
        return value if isinstance(value, str) else None
    return node.attr.value if isinstance(node, cst.Attribute) else None  # {User.name: "x"}


# literals behind a name


def _literals(
    source: SourceFile, site: cst.CSTNode, value: cst.BaseExpression
) -> Iterator[cst.Call | cst.Dict]:
    """The dictionaries that an expression may be, followed through names, loops and lists."""
    if isinstance(value, cst.Dict) or (isinstance(value, cst.Call) and _is_dict(value)):
        yield value
    elif isinstance(value, cst.List | cst.Tuple):
        for each in value.elements:
            yield from _literals(source, site, each.value)
    elif isinstance(value, cst.Name):
        around = loop_over(source, site, value.value)
        bound = around if around is not None else bound_value(source, site, value.value)
        if bound is not None and not (isinstance(bound, cst.Name) and bound.value == value.value):
            yield from _literals(source, site, bound)


def _is_dict(call: cst.Call) -> bool:
    return isinstance(call.func, cst.Name) and call.func.value == "dict"


def loop_over(source: SourceFile, site: cst.CSTNode, name: str) -> cst.BaseExpression | None:
    """What the loop around a place goes over with this variable."""
    for each in source.ancestors(site):
        loops: list[cst.For | cst.CompFor] = []
        if isinstance(each, cst.For):
            loops = [each]
        elif isinstance(each, cst.ListComp | cst.GeneratorExp | cst.SetComp):
            loops = [each.for_in, *([each.for_in.inner_for_in] if each.for_in.inner_for_in else [])]
        elif isinstance(each, cst.FunctionDef):
            return None
        for loop in loops:
            if isinstance(loop.target, cst.Name) and loop.target.value == name:
                return loop.iter
    return None


def loop_variable(source: SourceFile, site: cst.CSTNode) -> tuple[str, cst.BaseExpression] | None:
    """Name and iterated expression of the innermost loop around a place, where its variable is plain.

    An empty name: a loop whose variable tells nothing.
    """
    for each in source.ancestors(site):
        if isinstance(each, cst.FunctionDef):
            return None
        if isinstance(each, cst.While):
            return "", cst.Name("None")
        found = each if isinstance(each, cst.For) else None
        inner = each.for_in if isinstance(each, cst.ListComp | cst.GeneratorExp | cst.SetComp) else None
        loop = found or inner
        if loop is not None:
            return (loop.target.value if isinstance(loop.target, cst.Name) else ""), loop.iter
    return None


def scope_of(source: SourceFile, node: cst.CSTNode) -> Scope:
    return source.enclosing(node, cst.FunctionDef) or source.module


def bindings_of(source: SourceFile, scope: Scope, name: str) -> list[cst.Assign | cst.AnnAssign]:
    """Plain assignments to a name in a function (nested ones apart), in the order of the text."""
    found: list[cst.Assign | cst.AnnAssign] = []
    around = source.enclosing(scope, cst.ClassDef) if isinstance(scope, cst.FunctionDef) else None
    plain: list[cst.Assign | cst.AnnAssign] = [*source.all(cst.Assign), *source.all(cst.AnnAssign)]
    for each in plain:
        is_here = scope_of(source, each) is scope and source.enclosing(each, cst.ClassDef) is around
        if is_here and _is_bound(each, name):
            found.append(each)
    return sorted(found, key=source.span)


def _is_bound(each: cst.Assign | cst.AnnAssign, name: str) -> bool:
    targets = [one.target for one in each.targets] if isinstance(each, cst.Assign) else [each.target]
    return any(isinstance(one, cst.Name) and one.value == name for one in targets)


def bound_value(source: SourceFile, site: cst.CSTNode, name: str) -> cst.BaseExpression | None:
    """What a variable holds that is bound once, in the function or else in the module."""
    scope = scope_of(source, site)
    for each in (scope, source.module):
        found = bindings_of(source, each, name)
        if found:
            return found[0].value if len(found) == 1 else None
        if isinstance(each, cst.FunctionDef) and name in parameters(each):
            return None
    return None


def parameters(function: cst.FunctionDef) -> dict[str, cst.Param]:
    spec = function.params
    return {one.name.value: one for one in (*spec.posonly_params, *spec.params, *spec.kwonly_params)}


# statements


def _of_statement(source: SourceFile, call: cst.Call, subject: Subject) -> Iterator[Row]:
    method = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
    if method in _BULK and len(call.args) > 1 and _names_table(source, call.args[0].value, subject):
        for each in _literals(source, call, call.args[1].value):
            yield replace(row_of(each), is_statement=True, call=call)
    elif method in _EXECUTING and call.args:
        statement = call.args[0].value
        if isinstance(statement, cst.Name):
            statement = bound_value(source, call, statement.value) or statement
        if _is_insert(source, statement, subject):
            yield from _of_insert(source, call, statement)
    elif method == "values" and _is_insert(source, call, subject):
        yield from _of_insert(source, call, call)


def _of_insert(source: SourceFile, call: cst.Call, statement: cst.BaseExpression) -> Iterator[Row]:
    for each in list(call.args[1:2]) if call is not statement else ():
        for literal in _literals(source, call, each.value):
            yield replace(row_of(literal), is_statement=True, call=call)
    node: cst.BaseExpression = statement
    while isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        if node.func.attr.value == "values":
            if keywords(node):
                yield replace(row_of(node), is_statement=True, call=call)
            for one in node.args:
                if one.keyword is None:
                    for literal in _literals(source, call, one.value):
                        yield replace(row_of(literal), is_statement=True, call=call)
        node = node.func.value


def _is_insert(source: SourceFile, node: cst.BaseExpression, subject: Subject) -> bool:
    """`insert(User)...`, `users.insert()...`."""
    while isinstance(node, cst.Call):
        name = source.code(node.func).rpartition(".")[2]
        if name == "insert":
            table = node.args[0].value if node.args else None
            if table is None and isinstance(node.func, cst.Attribute):
                table = node.func.value
            return table is not None and _names_table(source, table, subject)
        if not isinstance(node.func, cst.Attribute):
            return False
        node = node.func.value
    return False


def _names_table(source: SourceFile, node: cst.BaseExpression, subject: Subject) -> bool:
    """In doubt (a variable of any name) what the diagnosis says counts."""
    words = source.code(node).removesuffix(".__table__").lower()
    return words.rpartition(".")[2] == subject.what.lower() or isinstance(node, cst.Name | cst.Attribute)
