"""The project's SQLAlchemy models as far as their source tells; what cannot be told is said so."""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol, TypeVar

from triage.rules.source import Module


@dataclass(frozen=True, slots=True)
class Column:
    """`type` is source text; `foreign_key` the target's text (`users.id`) or "?" where it is computed.

    `filled` says that a row gets a value here without anybody giving one (default, server default,
    sequence, autoincrement, a listener). `call` is the expression that makes it, if there is one.
    """

    name: str
    attribute: str
    file: str
    line: int
    type: str = ""
    nullable: bool = True
    primary_key: bool = False
    filled: bool = False
    unique: bool = False
    foreign_key: str | None = None
    annotation: str = ""
    call: ast.Call | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Relationship:
    """`target` is a class name, empty where it is computed; `joins` is True with primaryjoin or kin.

    `secondary` is the association table's name or variable, where nothing else says how to join.
    """

    attribute: str
    file: str
    line: int
    target: str = ""
    back_populates: str = ""
    backref: str = ""
    joins: bool = False
    viewonly: bool = False
    many: bool | None = None
    secondary: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """A mapped class with what it inherits.

    `table` is empty where it is computed. `members` are all names that its body and its bases
    define. `complete` is False when a base class is not in the project and may add to it. `scope`
    is the function around the class, if any. `sets` maps a method or property to the attributes
    that it assigns on `self`.
    """

    name: str
    file: str
    line: int
    table: str
    columns: tuple[Column, ...] = ()
    relationships: tuple[Relationship, ...] = ()
    members: frozenset[str] = frozenset()
    bases: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    complete: bool = True
    has_init: bool = False
    is_dataclass: bool = False
    scope: str = ""
    sets: Mapping[str, frozenset[str]] = field(default_factory=dict, compare=False)

    def column(self, name: str) -> Column | None:
        """By attribute first, then by the name in the table."""
        by_attribute = {each.attribute: each for each in self.columns}
        return by_attribute.get(name) or next((each for each in self.columns if each.name == name), None)

    def relationship(self, attribute: str) -> Relationship | None:
        return next((each for each in self.relationships if each.attribute == attribute), None)

    @property
    def primary_key(self) -> tuple[Column, ...]:
        return tuple(each for each in self.columns if each.primary_key)


@dataclass(frozen=True, slots=True)
class Table:
    """A `Table(...)` made by hand, such as an association table; `variable` is its name in the source.

    `complete` is False where something other than its columns may bring a column or a key.
    """

    name: str
    variable: str
    file: str
    line: int
    columns: tuple[Column, ...] = ()
    complete: bool = True


@dataclass(frozen=True)
class ModelIndex:
    models: tuple[Model, ...] = ()
    tables: tuple[Table, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.models)

    @cached_property
    def by_name(self) -> Mapping[str, tuple[Model, ...]]:
        found: dict[str, tuple[Model, ...]] = {}
        for each in self.models:
            found[each.name] = (*found.get(each.name, ()), each)
        return found

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(self.by_name)

    @cached_property
    def by_variable(self) -> Mapping[str, Model]:
        """Models by the variable that is named after them: `blog_post` for the only `BlogPost`."""
        found: dict[str, list[Model]] = {}
        for each in self.models:
            found.setdefault(snake_case(each.name), []).append(each)
        return {name: models[0] for name, models in found.items() if len(models) == 1}

    def named(self, name: str) -> Model | None:
        """The only model of this name; None where there are several or none."""
        found = self.by_name.get(name, ())
        return found[0] if len(found) == 1 else None

    def by_table(self, table: str) -> tuple[Model, ...]:
        return tuple(each for each in self.models if table and each.table == table)

    def by_column(self, table: str, column: str) -> tuple[tuple[Model, Column], ...]:
        """Where a database's message names `table.column`."""
        pairs = ((model, model.column(column)) for model in self.by_table(table))
        return tuple((model, found) for model, found in pairs if found is not None)

    def find(self, name: str, module: Module) -> Model | None:
        """The model that `name` (dotted or not) means in a module, by its imports; None in doubt."""
        return pick(name, self.by_name, module)


class Placed(Protocol):
    @property
    def file(self) -> str: ...


_P = TypeVar("_P", bound=Placed)


def pick(name: str, by_name: Mapping[str, tuple[_P, ...]], module: Module) -> _P | None:
    """What `name` means in a module: by its imports, by its own definitions, or as the only one."""
    root, _, rest = name.partition(".")
    imported = module.imports.get(root)
    if rest:
        candidates = by_name.get(name.rpartition(".")[2], ())
    elif imported:
        candidates = _reachable(by_name.get(imported[1], ()), imported[0], module.path)
    else:
        candidates = by_name.get(name, ())
        candidates = tuple(each for each in candidates if each.file == module.path) or candidates
    return candidates[0] if len(candidates) == 1 else None


def _reachable(candidates: tuple[_P, ...], source: str, importer: str) -> tuple[_P, ...]:
    """Candidates in the module or package that an import names; packages may hand names on."""
    if source.startswith("."):
        level = len(source) - len(source.lstrip("."))
        source = ".".join([*importer.split("/")[:-level], source.lstrip(".")]).strip(".")
    wanted = source.split(".")
    exact = tuple(each for each in candidates if _module_parts(each.file)[-len(wanted) :] == wanted)
    return exact or tuple(each for each in candidates if wanted[0] in _module_parts(each.file))


def _module_parts(file: str) -> list[str]:
    parts = file.removesuffix(".py").split("/")
    return parts[:-1] if parts[-1] == "__init__" else parts


def snake_case(name: str) -> str:
    """Flask-SQLAlchemy's default table name (flask_sqlalchemy.model.camel_to_snake_case)."""
    return re.sub(r"((?<=[a-z0-9])[A-Z]|(?!^)[A-Z](?=[a-z]))", r"_\1", name).lower().lstrip("_")
