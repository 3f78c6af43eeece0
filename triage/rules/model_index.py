"""Links the classes of a project into its models: inheritance by name, tables, what fills columns."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from triage.rules.declarative import COMPUTED, ClassBody, read_class, read_columns
from triage.rules.models import Column, Model, ModelIndex, Relationship, Table, pick, snake_case
from triage.rules.source import MODEL_WORDS, Module, SourceTree
from triage.rules.syntax import assigned, string, terminal

_BASE_CLASSES = frozenset({"DeclarativeBase", "DeclarativeBaseNoMeta"})
_BASE_CALLS = frozenset({"declarative_base", "generate_base"})
_HARMLESS = frozenset(
    {"object", "Model", "Base", "UserMixin", "RoleMixin", "ABC", "Generic", "MappedAsDataclass", "Enum"}
    | {"AbstractConcreteBase", "ConcreteBase", "AsyncAttrs", "SerializerMixin", "Protocol"}
    | _BASE_CLASSES
)
_TABLE_PARTS = frozenset({"Column", "PrimaryKeyConstraint", "UniqueConstraint", "CheckConstraint", "Index"})
_DECORATORS = frozenset({"mapped", "mapped_as_dataclass", "as_declarative"})
_INTEGERS = re.compile(r"(\w+\.)*(big|small)?int(eger)?\b", re.IGNORECASE)
_WITHOUT_INCREMENT = re.compile(r"(\w+\.)*(str|uuid|text|unicode|char|varchar|date)", re.IGNORECASE)


_M = TypeVar("_M", Column, Relationship)


def model_index(tree: SourceTree) -> ModelIndex:
    """The index of a tree, made once."""
    return tree.memo(_build)


@dataclass(slots=True)
class _Linker:
    by_name: Mapping[str, tuple[ClassBody, ...]]
    roots: frozenset[str]
    listened: frozenset[str]

    def lineage(self, body: ClassBody) -> list[ClassBody]:
        """The class and its bases in the project, nearest first, each once."""
        found = [body]
        for each in found:
            for base in each.bases:
                parent = pick(base, self.by_name, each.module) if base else None
                if parent is not None and not any(parent is known for known in found):
                    found.append(parent)
        return found

    def is_root(self, base: str) -> bool:
        return base.endswith(".Model") or base == "Model" or base in self.roots

    def is_mapped(self, body: ClassBody, lineage: list[ClassBody]) -> bool:
        if body.is_abstract or self._is_base(body):
            return False
        declared = any(self.is_root(base) for each in lineage for base in each.bases) or any(
            self._is_base(each) or not _DECORATORS.isdisjoint(each.decorators) for each in lineage
        )
        named = body.table is not None and bool(body.columns)
        content = any(each.columns or each.relationships or each.table for each in lineage)
        return content and (declared or named)

    def is_complete(self, lineage: list[ClassBody]) -> bool:
        known = {each.name for each in lineage}
        bases = {base.rpartition(".")[2] for each in lineage for base in each.bases}
        return bases <= known | _HARMLESS | self.roots and not any(each.is_reflected for each in lineage)

    def model(self, body: ClassBody) -> Model | None:
        lineage = self.lineage(body)
        if not self.is_mapped(body, lineage):
            return None
        columns = _merged(each.columns for each in lineage)
        special = {name for each in lineage for name in each.mapper_names} | self.listened
        return Model(
            name=body.name,
            file=body.file,
            line=body.node.lineno,
            table=self._table(lineage),
            columns=tuple(_as_filled(each, columns, special) for each in columns),
            relationships=_merged(each.relationships for each in lineage),
            members=frozenset(name for each in lineage for name in each.members),
            bases=tuple(each.name for each in lineage[1:]),
            constraints=tuple(name for each in lineage for name in each.constraints),
            complete=self.is_complete(lineage),
            has_init=any("__init__" in each.members for each in lineage),
            is_dataclass=_is_dataclass(lineage),
            scope=body.scope,
            sets={name: names for each in reversed(lineage) for name, names in each.sets.items()},
        )

    def _is_base(self, body: ClassBody) -> bool:
        return any(base.rpartition(".")[2] in _BASE_CLASSES for base in body.bases)

    def _table(self, lineage: list[ClassBody]) -> str:
        body = lineage[0]
        if body.table is not None:
            return "" if body.table == COMPUTED else body.table
        own_key = any(each.primary_key for each in body.columns)
        for each in lineage[1:]:
            if each.table == COMPUTED:
                return ""
            if each.table and not own_key:
                return each.table
        is_flask = any(base.rpartition(".")[2] == "Model" for each in lineage for base in each.bases)
        return snake_case(body.name) if is_flask else ""


def _build(tree: SourceTree) -> ModelIndex:
    modules = list(tree.modules(*MODEL_WORDS))
    aliases = dict(_aliases(modules))
    bodies = [read_class(node, each, aliases) for each in modules for node in each.all(ast.ClassDef)]
    by_name: dict[str, tuple[ClassBody, ...]] = {}
    for body in bodies:
        by_name[body.name] = (*by_name.get(body.name, ()), body)
    roots = frozenset(name for each in modules for name in _root_names(each))
    linker = _Linker(by_name, roots, frozenset(_listened(tree)))
    models = (linker.model(body) for body in bodies)
    return ModelIndex(
        tuple(each for each in models if each is not None),
        tuple(table for each in modules for table in _tables(each)),
    )


def _aliases(modules: Iterable[Module]) -> Iterator[tuple[str, ast.Subscript]]:
    for module in modules:
        for statement in module.tree.body:
            for name, value in assigned(statement):
                if isinstance(value, ast.Subscript) and terminal(value.value) == "Annotated":
                    yield name, value


def _root_names(module: Module) -> Iterator[str]:
    """Variables that hold a declarative base."""
    for statement in (*module.all(ast.Assign), *module.all(ast.AnnAssign)):
        for name, value in assigned(statement):
            is_made = isinstance(value, ast.Call) and terminal(value) in _BASE_CALLS
            if is_made or (isinstance(value, ast.Attribute) and value.attr == "Model"):
                yield name


def _tables(module: Module) -> Iterator[Table]:
    for statement in module.all(ast.Assign):
        for variable, value in assigned(statement):
            is_table = isinstance(value, ast.Call) and terminal(value) == "Table" and variable != "__table__"
            if is_table and isinstance(value, ast.Call) and value.args:
                columns = tuple(read_columns(value, module.path))
                name = string(value.args[0]) or ""
                if columns:
                    complete = _is_complete_table(value)
                    yield Table(name, variable, module.path, statement.lineno, columns, complete)


def _is_complete_table(call: ast.Call) -> bool:
    kinds = {terminal(each) for each in call.args[2:]}
    names = {each.arg for each in call.keywords}
    return kinds <= _TABLE_PARTS and names.isdisjoint({None, "autoload", "autoload_with"})


def _listened(tree: SourceTree) -> Iterator[str]:
    """Attributes that an event listener sets: their columns are filled behind the caller's back."""
    for module in tree.modules(b"listens_for(", b"event.listen("):
        for function in module.functions:
            for node in ast.walk(function):
                if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                    yield node.attr


def _merged(groups: Iterable[list[_M]]) -> tuple[_M, ...]:
    """By attribute, the nearest class first; bases come first in the result."""
    found: dict[str, _M] = {}
    for group in reversed(list(groups)):
        found |= {each.attribute: each for each in group}
    return tuple(found.values())


def _as_filled(column: Column, columns: Iterable[Column], special: set[str]) -> Column:
    """A single integer key numbers itself; so does a key whose type the source does not show."""
    numbers = False
    if column.primary_key and not column.foreign_key:
        alone = sum(1 for each in columns if each.primary_key) == 1
        numbers = alone and (not _WITHOUT_INCREMENT.match(column.type) or bool(_INTEGERS.match(column.type)))
    if numbers or column.attribute in special or column.name in special:
        return replace(column, filled=True)
    return column


def _is_dataclass(lineage: list[ClassBody]) -> bool:
    return any("mapped_as_dataclass" in each.decorators for each in lineage) or any(
        base.rpartition(".")[2] == "MappedAsDataclass" for each in lineage for base in each.bases
    )
