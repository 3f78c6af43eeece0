"""Relationships as the source writes them, in mixins and helpers of tests, too, and how they are used."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from triage.rules.columns import RELATIONSHIP_CALLS, read_relationship
from triage.rules.models import Model, ModelIndex, Relationship, snake_case
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import assigned, is_constant, keyword, string, terminal

_WORDS = tuple(f"{name}(".encode() for name in RELATIONSHIP_CALLS)
_QUERY = frozenset(
    {"filter", "filter_by", "order_by", "limit", "offset", "paginate", "all", "first", "one", "one_or_none"}
    | {"scalar", "with_entities"}
)


@dataclass(frozen=True, slots=True)
class Side:
    """One relationship with the class in whose body it stands."""

    relationship: Relationship
    owner: str
    call: ast.Call


def sides(tree: SourceTree) -> tuple[Side, ...]:
    return tree.memo(_sides)


def _sides(tree: SourceTree) -> tuple[Side, ...]:
    return tuple(side for module in tree.modules(*_WORDS) for side in _of_module(module))


def _of_module(module: Module) -> Iterator[Side]:
    for call in module.all(ast.Call):
        if terminal(call) not in RELATIONSHIP_CALLS:
            continue
        name, annotation, owner = "", None, ""
        for node in module.ancestors(call):
            if isinstance(node, ast.ClassDef):
                owner = node.name
                break
            if isinstance(node, ast.FunctionDef) and not name:
                name, annotation = node.name, node.returns
            elif not name:
                name = next((one for one, _ in assigned(node)), "")
                annotation = node.annotation if isinstance(node, ast.AnnAssign) else None
        found = (
            read_relationship(name, call, annotation, (module.path, call.lineno)) if name and owner else None
        )
        if found is not None:
            yield Side(found, owner, call)


def counterparts(own: Side, other: Model | None, tree: SourceTree, index: ModelIndex) -> list[Side]:
    """Relationships of the other class that lead back, those that name this one first."""
    others = [one for one in sides(tree) if one.call is not own.call and not one.relationship.viewonly]
    if other is not None:  # namesakes in other files are other classes
        places = {(each.file, each.attribute) for each in other.relationships}
        others = [one for one in others if (one.relationship.file, one.relationship.attribute) in places]
    back = [one for one in others if one.relationship.back_populates == own.relationship.attribute]
    target = own.relationship.target
    known = kin(target, index) if target else set()
    near = [one for one in back if one.owner in known and _leads_to(one, own, index)]
    loose = [one for one in back if one.relationship.file == own.relationship.file and one.owner != own.owner]
    free = [
        one
        for one in others
        if one.owner in known
        and not one.relationship.back_populates
        and not one.relationship.backref
        and one.relationship.target in kin(own.owner, index)
    ]
    return near or loose or free


def _leads_to(one: Side, own: Side, index: ModelIndex) -> bool:
    return not one.relationship.target or one.relationship.target in kin(own.owner, index)


def kin(name: str, index: ModelIndex) -> set[str]:
    """A class, what it inherits from, and what inherits from it."""
    found = {name}
    for model in index.models:
        if model.name == name:
            found |= set(model.bases)
        if name in model.bases:
            found.add(model.name)
    return found


def is_used(attribute: str, tree: SourceTree) -> bool:
    """Read, or given as a keyword, anywhere but where relationships are declared."""
    for module in tree.modules(attribute.encode()):
        if any(node.attr == attribute for node in module.all(ast.Attribute)):
            return True
        for call in module.all(ast.Call):
            if terminal(call) not in RELATIONSHIP_CALLS and keyword(call, attribute) is not None:
                return True
    return False


def is_queried(attribute: str, tree: SourceTree) -> bool:
    """Tests use the collection as a query (`user.posts.filter_by(...)`), and nothing uses it as a list."""
    queried, listed = False, False
    for module in tree.modules(b"." + attribute.encode()):
        for call in module.all(ast.Call):
            function = call.func
            if terminal(call) == "len" and call.args and _is_member(call.args[0], attribute):
                listed = True
            if isinstance(function, ast.Attribute) and _is_member(function.value, attribute):
                counts = function.attr == "count" and not call.args
                queried |= module.is_test and (function.attr in _QUERY or counts)
    return queried and not listed


def _is_member(node: ast.expr, attribute: str) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == attribute


def prefers_back_populates(file: str, tree: SourceTree) -> bool | None:
    """As the file does it, else the project; None where nothing tells."""
    for chosen in ([one for one in sides(tree) if one.relationship.file == file], sides(tree)):
        both = sum(bool(one.relationship.back_populates) for one in chosen)
        short = sum(bool(one.relationship.backref) for one in chosen)
        if both != short:
            return both > short
    return None


def is_many(side: Side, owner: Model | None, other: Model | None) -> bool:
    """Whether the relationship holds several objects, by its annotation, its tables, or its name."""
    found = side.relationship
    if found.many is not None:
        return found.many
    if is_constant(keyword(side.call, "uselist"), value=False):
        return False
    if keyword(side.call, "secondary") is not None:
        return True
    if found.target == side.owner:
        return keyword(side.call, "remote_side") is None
    if owner is not None and other is not None:
        here, there = _points(owner, other), _points(other, owner)
        if here != there:
            return there
    return is_plural(found.attribute, found.target) or string(keyword(side.call, "lazy")) == "dynamic"


def association(side: Side, tree: SourceTree) -> str | None:
    """Name of the table between the two, as any file may write it; None where it cannot be told."""
    given = keyword(side.call, "secondary")
    if given is None or string(given) is not None:
        return string(given) or ""
    name = terminal(given)
    for module in tree.modules(name.encode()) if name else ():
        for statement in module.all(ast.Assign):
            for one, value in assigned(statement):
                if one == name and isinstance(value, ast.Call) and terminal(value) == "Table" and value.args:
                    return string(value.args[0])
    return None


def _points(holder: Model, other: Model) -> bool:
    return any((each.foreign_key or "").split(".")[-2:-1] == [other.table] for each in holder.columns)


def is_plural(attribute: str, owner: str) -> bool:
    """`posts` of `Post`, against `post`."""
    name = snake_case(owner)
    return attribute != name and bool(re.search(r"s$|list$|set$|children$|people$", attribute))
