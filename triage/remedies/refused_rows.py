"""What tests expect the database to refuse: rows that are made without one of their keys."""

import ast

from triage.rules.model_index import model_index
from triage.rules.models import Column, Model
from triage.rules.source import SourceTree
from triage.rules.syntax import Function, is_constant, is_open_ended, keyword, terminal, text, within

_REFUSALS = ("IntegrityError", "StatementError", "DBAPIError", "SQLAlchemyError")
_EXPECTING = frozenset({"raises", "assertRaises", "assertRaisesRegex"})


def expects_key(
    model: Model, column: Column, ways: frozenset[str], tree: SourceTree
) -> tuple[str, int] | None:
    """Place of a row that a test wants refused for its missing key; `ways` are the keywords that give one."""
    for module in tree.modules(b"IntegrityError", b"SQLAlchemyError", b"DBAPIError", tests=True):
        meant = model_index(tree).find(model.name, module)
        for function in module.functions if meant in (None, model) else ():
            if expects_refusal(function):
                place = _without_key(function, model, column, ways)
                if place is not None:
                    return module.path, place
    return None


def expects_refusal(function: Function) -> bool:
    return any(
        terminal(node) in _EXPECTING and any(name in text(arg) for arg in node.args[:1] for name in _REFUSALS)
        for node in within(function)
        if isinstance(node, ast.Call)
    )


def _without_key(function: Function, model: Model, column: Column, ways: frozenset[str]) -> int | None:
    """None where another column, or a second row of the same values, may be what is refused."""
    made = [
        node
        for node in within(function)
        if isinstance(node, ast.Call) and terminal(node) == model.name and not is_open_ended(node)
    ]
    bare = [one for one in made if not _gives(one, ways)]
    if len(bare) != 1 or _is_set_later(function, ways) or (len(made) > 1 and _has_unique(model)):
        return None
    given = {one.arg for one in bare[0].keywords if not is_constant(one.value, None)}
    relations = {each.attribute for each in model.relationships}
    for each in model.columns:
        mandatory = not each.nullable and not each.filled and not each.primary_key and each is not column
        if mandatory and each.foreign_key is None and each.attribute not in given | relations:
            return None
    return bare[0].lineno


def _gives(call: ast.Call, ways: frozenset[str]) -> bool:
    value = keyword(call, *ways)
    return value is not None and not is_constant(value, None)


def _is_set_later(function: Function, ways: frozenset[str]) -> bool:
    return any(
        isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr in ways
        for node in within(function)
    )


def _has_unique(model: Model) -> bool:
    return bool(model.constraints) or any(each.unique for each in model.columns)
