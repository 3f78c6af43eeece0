"""Reads what the body of one class says of its mapping, its base classes left aside."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from triage.rules.columns import Aliases, read_column, read_relationship, unwrapped
from triage.rules.models import Column, Relationship
from triage.rules.source import Module
from triage.rules.syntax import (
    Function,
    assigned,
    dotted,
    is_constant,
    keyword,
    string,
    terminal,
    within,
)

COMPUTED = "?"  # a table's name that only running the code would tell


@dataclass(slots=True)
class ClassBody:
    """`table` is None where the body names none. `mapper_names` stand in `__mapper_args__`."""

    node: ast.ClassDef
    module: Module
    scope: str
    bases: tuple[str, ...]
    columns: list[Column] = field(default_factory=list)
    relationships: list[Relationship] = field(default_factory=list)
    members: set[str] = field(default_factory=set)
    table: str | None = None
    constraints: list[str] = field(default_factory=list)
    foreign_keys: dict[str, str] = field(default_factory=dict)
    mapper_names: set[str] = field(default_factory=set)
    sets: dict[str, frozenset[str]] = field(default_factory=dict)
    is_abstract: bool = False
    is_reflected: bool = False

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def file(self) -> str:
        return self.module.path

    @property
    def decorators(self) -> frozenset[str]:
        return frozenset(terminal(each) for each in self.node.decorator_list)


def read_class(node: ast.ClassDef, module: Module, aliases: Aliases) -> ClassBody:
    names = (dotted(each.value if isinstance(each, ast.Subscript) else each) for each in node.bases)
    around = (
        each for each in module.ancestors(node) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    body = ClassBody(node, module, ".".join(each.name for each in around), tuple(names))
    for statement in _statements(node.body):
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            _read_function(statement, body, aliases)
        elif isinstance(statement, ast.ClassDef):
            body.members.add(statement.name)
        else:
            _read_assignment(statement, body, aliases)
    body.columns = [_keyed(each, body.foreign_keys) for each in body.columns]
    return body


def read_columns(call: ast.Call, file: str) -> Iterator[Column]:
    """The columns of `Table(...)`."""
    for each in call.args:
        found = read_column("", each, None, (file, each.lineno), {})
        if found is not None and found.name:
            yield replace(found, attribute=found.name)


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """`if TYPE_CHECKING:` and version switches are part of a class's body."""
    for each in body:
        yield each
        if isinstance(each, ast.If):
            yield from _statements(each.body)
            yield from _statements(each.orelse)


def _read_assignment(statement: ast.stmt, body: ClassBody, aliases: Aliases) -> None:
    place = (body.file, statement.lineno)
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        _read_member(statement.target.id, statement.value, statement.annotation, place, body, aliases)
    for name, value in assigned(statement) if isinstance(statement, ast.Assign) else ():
        if name.startswith("__") and name.endswith("__"):
            _read_special(name, value, body)
        else:
            _read_member(name, value, None, place, body, aliases)


def _read_member(
    name: str,
    value: ast.expr | None,
    annotation: ast.expr | None,
    place: tuple[str, int],
    body: ClassBody,
    aliases: Aliases,
) -> None:
    body.members.add(name)
    relationship = read_relationship(name, value, annotation, place)
    if relationship is not None:
        body.relationships.append(relationship)
        return
    column = read_column(name, value, annotation, place, aliases)
    if column is not None:
        body.columns.append(column)


def _read_special(name: str, value: ast.expr, body: ClassBody) -> None:
    if name == "__tablename__":
        body.table = string(value) or COMPUTED
    elif name == "__table__":
        _read_table(value, body)
    elif name == "__abstract__":
        body.is_abstract = is_constant(value, value=True)
    elif name == "__table_args__":
        for each in ast.walk(value):
            if isinstance(each, ast.Call):
                _read_constraint(each, body)
    elif name == "__mapper_args__":
        body.mapper_names |= _names(value)


def _read_table(value: ast.expr, body: ClassBody) -> None:
    if isinstance(value, ast.Call) and terminal(value) == "Table" and value.args:
        body.table = string(value.args[0]) or COMPUTED
        body.columns.extend(read_columns(value, body.file))
        body.is_reflected = keyword(value, "autoload", "autoload_with") is not None
    else:
        body.table, body.is_reflected = COMPUTED, True


def _read_constraint(call: ast.Call, body: ClassBody) -> None:
    kind = terminal(call)
    if kind == "ForeignKeyConstraint" and len(call.args) > 1:
        for ours, theirs in zip(_elements(call.args[0]), _elements(call.args[1]), strict=False):
            body.foreign_keys[string(ours) or dotted(ours)] = string(theirs) or dotted(theirs) or COMPUTED
    name = string(keyword(call, "name"))
    if kind == "Index" and call.args:
        name = string(call.args[0]) if is_constant(keyword(call, "unique"), value=True) else None
    if name and (kind.endswith("Constraint") or kind == "Index"):
        body.constraints.append(name)


def _elements(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.List | ast.Tuple) else []


def _names(value: ast.AST) -> set[str]:
    """Names and texts anywhere in an expression."""
    nodes = list(ast.walk(value))
    return {node.id for node in nodes if isinstance(node, ast.Name)} | {
        text for node in nodes if (text := string(node)) is not None
    }


def _read_function(function: Function, body: ClassBody, aliases: Aliases) -> None:
    body.members.add(function.name)
    stores = {
        each.attr
        for each in within(function)
        if isinstance(each, ast.Attribute)
        and isinstance(each.ctx, ast.Store)
        and dotted(each.value) == "self"
    }
    body.sets[function.name] = body.sets.get(function.name, frozenset()) | stores
    if "declared_attr" in {terminal(each) for each in function.decorator_list} | {
        each.value.id
        for each in function.decorator_list
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name)
    }:
        _read_declared(function, body, aliases)


def _read_declared(function: Function, body: ClassBody, aliases: Aliases) -> None:
    """`@declared_attr` functions, read by the single value that they return."""
    returned = [each.value for each in within(function) if isinstance(each, ast.Return)]
    value = returned[0] if len(returned) == 1 else None
    if function.name == "__tablename__":
        body.table = string(value) or COMPUTED
    elif function.name == "__table_args__":
        for each in ast.walk(function):
            if isinstance(each, ast.Call):
                _read_constraint(each, body)
    elif function.name == "__mapper_args__":
        body.mapper_names |= _names(function)
    elif isinstance(unwrapped(value), ast.Call) or function.returns is not None:
        place = (body.file, function.lineno)
        _read_member(function.name, value, function.returns, place, body, aliases)


def _keyed(column: Column, foreign_keys: dict[str, str]) -> Column:
    target = foreign_keys.get(column.name) or foreign_keys.get(column.attribute)
    return replace(column, foreign_key=target) if target and not column.foreign_key else column
