"""The object behind the value of a foreign key: `user` of `user.id`, `agent.user` of `agent.user_id`."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from triage.remedies.source import SourceFile
from triage.remedies.spans import code
from triage.rules.factories import Factory, factory_index
from triage.rules.makers import makers
from triage.rules.model_index import model_index
from triage.rules.models import Column, Model, Relationship, pick
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import Function, arguments, assigned, dotted, terminal, within
from triage.rules.variables import bindings, made_by

_DEPTH = 5  # a name of a name of an attribute ...


@dataclass(frozen=True)
class Scope:
    """What the names of a function hold, as far as the text above `line` shows it."""

    tree: SourceTree
    module: Module
    source: SourceFile
    function: Function
    line: int
    prefix: str = ""  # what stands before a factory's name in calls
    needed: list[Factory] = field(default_factory=list)

    def object_of(self, value: ast.expr, target: Model) -> str | None:
        """The expression of the object of `target` whose key `value` is; a literal gets a row of its own."""
        if isinstance(value, ast.Call) and terminal(value) in ("str", "int") and len(value.args) == 1:
            value = value.args[0]
        if isinstance(value, ast.Constant):
            return self._row(value, target)
        if isinstance(value, ast.Name):
            bound = [found for name, found in self._bindings() if name == value.id]
            is_key = len(bound) == 1 and isinstance(bound[0], ast.Attribute)
            return self.object_of(bound[0], target) if is_key else None
        if not isinstance(value, ast.Attribute):
            return None
        owner = self.model_of(value.value)
        if owner is None:
            return None
        if owner.name == target.name and value.attr in [one.attribute for one in owner.primary_key]:
            return code(self.source, value.value)
        column = owner.column(value.attr)
        link = relationship_of(self.tree, owner, column) if column is not None else None
        is_link = link is not None and target_of(self.tree, link) == target
        return f"{code(self.source, value.value)}.{link.attribute}" if link and is_link else None

    def model_of(self, value: ast.expr, depth: int = 0) -> Model | None:
        models = model_index(self.tree)
        if isinstance(value, ast.Call):
            factory = factory_index(self.tree).called(value, self.module)
            if factory is not None:
                return models.named(factory.model)
            return made_by(value, self.module, models, makers(self.tree))
        name = dotted(value)
        if isinstance(value, ast.Name) or name.startswith(("self.", "cls.")):
            bound = [found for known, found in self._bindings() if known == name]
            for one in reversed(bound):
                model = self.model_of(one, depth + 1) if depth < _DEPTH else None
                if model is not None:
                    return model
            known = makers(self.tree).get(name) or models.by_variable.get(name)
            if known is not None and not bound and name in arguments(self.function):
                return known
        if isinstance(value, ast.Attribute):
            owner = self.model_of(value.value, depth + 1) if depth < _DEPTH else None
            link = owner.relationship(value.attr) if owner is not None else None
            return target_of(self.tree, link) if link is not None else None
        return None

    def _row(self, value: ast.Constant, target: Model) -> str | None:
        factory = factory_for(self.tree, target, self.module)
        if factory is None or len(target.primary_key) != 1 or value.value is None:
            return None
        self.needed.append(factory)
        return f"{self.prefix}{factory.name}({target.primary_key[0].attribute}={code(self.source, value)})"

    def _bindings(self) -> Iterator[tuple[str, ast.expr]]:
        cls = next(
            (one for one in self.module.ancestors(self.function) if isinstance(one, ast.ClassDef)), None
        )
        for method in cls.body if cls is not None else ():
            if isinstance(method, ast.FunctionDef) and method is not self.function:
                for node in within(method):
                    yield from _own(node)
        for node in within(self.function):
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.lineno <= self.line:
                yield from bindings(node)
                yield from _own(node)


def _own(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """`self.user = ...`."""
    if isinstance(node, ast.Assign):
        for one in node.targets:
            if isinstance(one, ast.Attribute) and dotted(one).startswith(("self.", "cls.")):
                yield dotted(one), node.value


def target_of(tree: SourceTree, link: Relationship) -> Model | None:
    return model_index(tree).named(link.target.rpartition(".")[2]) if link.target else None


def relationship_of(tree: SourceTree, model: Model, column: Column) -> Relationship | None:
    """The relationship that a foreign key belongs to: of its name, else the only one to that table."""
    if not column.foreign_key:
        return None
    table = column.foreign_key.rpartition(".")[0]
    found = [one for one in model.relationships if not one.many and not one.secondary]
    found = [one for one in found if (to := target_of(tree, one)) is not None and to.table == table]
    named = [one for one in found if column.attribute in (f"{one.attribute}_id", f"{one.attribute}_fk")]
    keys = [one for one in model.columns if one.foreign_key == column.foreign_key]
    if named:
        return named[0]
    return found[0] if len(found) == 1 and len(keys) == 1 else None


def factory_for(tree: SourceTree, model: Model, module: Module) -> Factory | None:
    """Of several the one that the module knows already, then the one that is named after the model."""
    found = [one for one in factory_index(tree).factories if one.model == model.name]
    if model_index(tree).named(model.name) is None:
        return None

    def order(one: Factory) -> tuple[bool, bool, int]:
        return one.name not in module.imports, one.name != f"{model.name}Factory", len(one.name)

    return min(found, key=order, default=None)


def lineage(tree: SourceTree, factory: Factory) -> Iterator[ast.ClassDef]:
    """The class of a factory and those of its bases in the project, nearest first."""
    index = factory_index(tree).by_name
    known = [factory]
    for each in known:
        module = tree.module(each.file)
        if module is None:
            continue
        yield from (one for one in module.all(ast.ClassDef) if one.lineno == each.line)
        for base in each.bases:
            parent = pick(base, index, module) if base else None
            if parent is not None and parent not in known:
                known.append(parent)


def declared(tree: SourceTree, factory: Factory) -> dict[str, ast.expr]:
    """What a factory fills by itself; declarations nearer to it stand."""
    found: dict[str, ast.expr] = {}
    for node in lineage(tree, factory):
        for statement in node.body:
            for name, value in assigned(statement):
                found.setdefault(name, value)
            if isinstance(statement, ast.FunctionDef) and any(
                "lazy_attribute" in terminal(one) or terminal(one) == "sequence"
                for one in statement.decorator_list
            ):
                found.setdefault(statement.name, ast.Constant(...))
    return found


def renamed(tree: SourceTree, factory: Factory) -> bool:
    """Whether its Meta renames or leaves out parameters: what is given is not what the model gets."""
    for node in lineage(tree, factory):
        metas = [one for one in node.body if isinstance(one, ast.ClassDef) and one.name == "Meta"]
        for meta in metas:
            for statement in meta.body:
                if any(name in ("rename", "inline_args", "exclude") for name, _ in assigned(statement)):
                    return True
    return False
