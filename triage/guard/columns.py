"""Columns and constraints of models, read so that two versions can be compared."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from triage.guard.syntax import keyword, number, terminal, text, value

_COLUMNS = ("Column", "mapped_column", "MappedColumn")
_RELATIONS = ("relationship", "dynamic_loader", "relation")
CONSTRAINTS = {
    "CheckConstraint": "check-dropped",
    "UniqueConstraint": "unique-dropped",
    "ForeignKeyConstraint": "foreign-key-dropped",
    "PrimaryKeyConstraint": "primary-key-dropped",
    "ExcludeConstraint": "check-dropped",
    "ForeignKey": "foreign-key-dropped",
}


@dataclass(frozen=True, slots=True)
class Column:
    """`is_nullable` and `is_unique` as SQLAlchemy would decide; `types` by name with their length."""

    name: str
    line: int
    is_nullable: bool
    is_unique: bool
    is_key: bool
    has_default: bool
    server_default: str
    types: dict[str, float | None]
    constraints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    name: str
    line: int
    cascade: str
    limits: tuple[str, ...]


def columns(tree: ast.Module) -> dict[str, Column]:
    """By `Class.attribute`, or `table.column` of a Core table."""
    return {name: _column(name, call, annotation) for name, call, annotation in _declared(tree)}


def relations(tree: ast.Module) -> dict[str, Relation]:
    found = {}
    for name, call, _ in _assigned_calls(tree):
        if terminal(call) in _RELATIONS:
            limits = tuple(
                sorted(f"{each.arg}={text(each.value)}" for each in call.keywords if each.arg in _LIMITS)
            )
            found[name] = Relation(name, call.lineno, text(keyword(call, "cascade")), limits)
    return found


_LIMITS = ("viewonly", "passive_deletes", "single_parent", "enable_typechecks", "passive_updates")


def table_constraints(tree: ast.Module) -> Iterator[tuple[str, str, int]]:
    """(kind if it is lost, text, line) of every constraint that is written as a call."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        name = terminal(call.func)
        if name in CONSTRAINTS:
            named = [each for each in call.keywords if each.arg not in ("name", "comment", "use_alter")]
            bare = ast.Call(ast.Name(name), call.args, named)
            yield CONSTRAINTS[name], text(bare), call.lineno
        elif name == "Index" and value(keyword(call, "unique")) is True:
            yield "unique-dropped", text(call), call.lineno


def _declared(tree: ast.Module) -> Iterator[tuple[str, ast.Call, ast.expr | None]]:
    for name, call, annotation in _assigned_calls(tree):
        if terminal(call) in _COLUMNS or (
            terminal(annotation) == "Mapped" and terminal(call) not in _RELATIONS
        ):
            yield name, call, annotation
    for table in ast.walk(tree):
        if isinstance(table, ast.Call) and terminal(table.func) == "Table" and table.args:
            for each in table.args[1:]:
                if isinstance(each, ast.Call) and terminal(each.func) in _COLUMNS and each.args:
                    yield f"{value(table.args[0])}.{value(each.args[0])}", each, None


def _assigned_calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call, ast.expr | None]]:
    for owner in ast.walk(tree):
        for node in owner.body if isinstance(owner, ast.ClassDef) else ():
            named = f"{owner.name}." if isinstance(owner, ast.ClassDef) else ""
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                yield from ((f"{named}{terminal(each)}", node.value, None) for each in node.targets)
            elif isinstance(node, ast.AnnAssign):
                bare = ast.Call(ast.Name(""), [], [], lineno=node.lineno)
                call = node.value if isinstance(node.value, ast.Call) else bare
                yield f"{named}{terminal(node.target)}", call, node.annotation


def _column(name: str, call: ast.Call, annotation: ast.expr | None) -> Column:
    is_key = value(keyword(call, "primary_key")) is True
    explicit = keyword(call, "nullable")
    if explicit is not None:
        is_nullable = value(explicit) is not False
    elif terminal(annotation) == "Mapped":
        is_nullable = "Optional" in text(annotation) or "None" in text(annotation)
    else:
        is_nullable = not is_key
    constraints = [
        text(each)
        for each in ast.walk(call)
        if isinstance(each, ast.Call) and terminal(each.func) in CONSTRAINTS
    ]
    return Column(
        name=name,
        line=call.lineno,
        is_nullable=is_nullable,
        is_unique=value(keyword(call, "unique")) is True,
        is_key=is_key,
        has_default=bool(keyword(call, "default", "insert_default", "default_factory")),
        server_default=text(keyword(call, "server_default")),
        types=dict(_types(call)),
        constraints=tuple(constraints),
    )


def _types(call: ast.Call) -> Iterator[tuple[str, float | None]]:
    """The type that stands as the first argument or after the column's name."""
    candidates = [*call.args[:2], *filter(None, (keyword(call, "type_"),))]
    for each in candidates:
        name = terminal(each)
        if name and name not in CONSTRAINTS and name not in ("Sequence", "Identity", "Computed"):
            yield name, _size(each) if isinstance(each, ast.Call) else None
            return


def _size(kind: ast.Call) -> float | None:
    """The length of text, the number of an enumeration's values."""
    if terminal(kind.func) == "Enum":
        return float(len(kind.args))
    return number(keyword(kind, "length", "precision") or (kind.args[0] if kind.args else None))
