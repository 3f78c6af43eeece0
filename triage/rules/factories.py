"""The factory_boy factories that a project defines, their Meta inherited as factory_boy does."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from triage.rules.models import Model, ModelIndex, pick
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import assigned, dotted, is_constant, string, text

_ROOT = "SQLAlchemyModelFactory"
_STORES = frozenset({"", "create", "create_batch"})


@dataclass(frozen=True, slots=True)
class Factory:
    """`model` is the class name in Meta; `session` the source text of Meta's session, empty without one.

    `session_file` and `session_line` say where Meta names it, perhaps in a base class.
    """

    name: str
    file: str
    line: int
    model: str = ""
    session: str = ""
    session_file: str = ""
    session_line: int = 0
    persistence: str = ""
    is_sqlalchemy: bool = False
    bases: tuple[str, ...] = ()


@dataclass(frozen=True)
class FactoryIndex:
    factories: tuple[Factory, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.factories)

    @cached_property
    def by_name(self) -> Mapping[str, tuple[Factory, ...]]:
        found: dict[str, tuple[Factory, ...]] = {}
        for each in self.factories:
            found[each.name] = (*found.get(each.name, ()), each)
        return found

    def find(self, name: str, module: Module) -> Factory | None:
        return pick(name, self.by_name, module)

    def of(self, model: Model, models: ModelIndex) -> Factory | None:
        """The first factory that makes a model (a class name that several models share counts not)."""
        if models.named(model.name) is None:
            return None
        return next((each for each in self.factories if each.model == model.name), None)

    def called(self, call: ast.Call, module: Module) -> Factory | None:
        """The factory whose call stores an object: `UserFactory()`, `UserFactory.create()`, in batches."""
        name = dotted(call.func)
        head, _, last = name.rpartition(".")
        if last in _STORES and head:
            return self.find(head, module)
        return self.find(name, module) if name else None


def factory_index(tree: SourceTree) -> FactoryIndex:
    """The index of a tree, made once."""
    return tree.memo(_build)


def _build(tree: SourceTree) -> FactoryIndex:
    modules = {each.path: each for each in tree.modules(b"Factory")}
    read = [_read(node, each) for each in modules.values() for node in each.all(ast.ClassDef)]
    by_name = FactoryIndex(tuple(read)).by_name
    linked = [_linked(each, by_name, modules) for each in read]
    return FactoryIndex(tuple(each for each in linked if each.is_sqlalchemy))


def none_given(tree: SourceTree, factory: Factory, attribute: str) -> tuple[str, int, str] | None:
    """(file, line, class) where a factory, or the nearest base that names the attribute, sets it to None."""
    by_name = factory_index(tree).by_name
    lineage = [factory]
    for each in lineage:
        module = tree.module(each.file)
        nodes = module.all(ast.ClassDef) if module is not None else []
        for statement in next((node.body for node in nodes if node.lineno == each.line), ()):
            for name, value in assigned(statement):
                if name == attribute:
                    is_none = is_constant(value, None)
                    return (each.file, statement.lineno, each.name) if is_none else None
        for base in each.bases:
            parent = pick(base, by_name, module) if base and module is not None else None
            if parent is not None and parent not in lineage:
                lineage.append(parent)
    return None


def _read(node: ast.ClassDef, module: Module) -> Factory:
    bases = tuple(dotted(each) for each in node.bases)
    found = Factory(node.name, module.path, node.lineno, bases=bases)
    if any(each.rpartition(".")[2] == _ROOT for each in bases):
        found = replace(found, is_sqlalchemy=True)
    for meta in node.body:
        if isinstance(meta, ast.ClassDef) and meta.name == "Meta":
            for statement in meta.body:
                found = _with_option(found, statement, module.path)
    return found


def _with_option(factory: Factory, statement: ast.stmt, file: str) -> Factory:
    for name, value in assigned(statement):
        if name == "model":
            return replace(factory, model=(string(value) or dotted(value)).rpartition(".")[2])
        if name in ("sqlalchemy_session", "sqlalchemy_session_factory"):
            session = "" if isinstance(value, ast.Constant) else text(value)
            return replace(factory, session=session, session_file=file, session_line=statement.lineno)
        if name == "sqlalchemy_session_persistence":
            return replace(factory, persistence=string(value) or "")
    return factory


def _linked(
    factory: Factory, by_name: Mapping[str, tuple[Factory, ...]], modules: Mapping[str, Module]
) -> Factory:
    """With what its bases say, nearest first."""
    lineage = [factory]
    for each in lineage:
        for base in each.bases:
            parent = pick(base, by_name, modules[each.file]) if base else None
            if parent is not None and parent not in lineage:
                lineage.append(parent)
    session = next((each for each in lineage if each.session_file), factory)
    return replace(
        factory,
        model=next((each.model for each in lineage if each.model), ""),
        session=session.session,
        session_file=session.session_file,
        session_line=session.session_line,
        persistence=next((each.persistence for each in lineage if each.persistence), ""),
        is_sqlalchemy=any(each.is_sqlalchemy for each in lineage),
    )
