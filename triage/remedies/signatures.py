"""How a call takes a further value: by position, by keyword, by the defaults of a helper."""

import ast

import libcst as cst

from triage.model.fix import Edit
from triage.remedies.place import Place, is_none
from triage.remedies.row_edits import statement_of
from triage.remedies.rows import Row
from triage.remedies.values import quote_of
from triage.rules.factories import factory_index
from triage.rules.model_index import model_index
from triage.rules.models import Column, Model, Relationship
from triage.rules.source import SourceTree
from triage.rules.syntax import arguments, is_constant, keyword


def slot(row: Row, name: str, place: Place) -> cst.BaseExpression | str | None:
    """The positional argument that is this attribute; None: a keyword may be added; a text: it may not."""
    model, call = place.subject.model, row.node
    if model is None or not isinstance(call, cst.Call):
        return None
    order, takes_any = _signature(model, place.tree)
    given = [one.value for one in call.args if one.keyword is None and not one.star]
    if name in order and order.index(name) < len(given):
        found = given[order.index(name)]
        return found if is_none(found) else f"{name} is computed: `{place.source.code(found)}` was None"
    if order and name not in order and not takes_any and place.source.code(call.func).endswith(model.name):
        return f"{model.name}.__init__ takes no {name}"
    return None


def _signature(model: Model, tree: SourceTree) -> tuple[list[str], bool]:
    """Names in the order of the model's own constructor (none: SQLAlchemy's), and whether it takes others."""
    if model.has_init:
        for name in (model.name, *model.bases):
            found = _init_of(name, tree)
            if found is not None:
                own = [one for one in arguments(found) if one != "self"]
                return own, found.args.kwarg is not None
    if model.is_dataclass:
        fields: list[Column | Relationship] = sorted(
            (*model.columns, *model.relationships), key=lambda one: one.line
        )
        return [one.attribute for one in fields if not _is_left_out(one)], False
    return [], True


def _init_of(name: str, tree: SourceTree) -> ast.FunctionDef | None:
    for module in tree.modules(f"class {name}".encode()):
        for node in module.all(ast.ClassDef):
            if node.name == name:
                for each in node.body:
                    if isinstance(each, ast.FunctionDef) and each.name == "__init__":
                        return each
    return None


def _is_left_out(one: Column | Relationship) -> bool:
    call = one.call if isinstance(one, Column) else None
    return call is not None and is_constant(keyword(call, "init"), value=False)


def defaults(call: cst.Call, added: list[tuple[str, str]], place: Place) -> list[Edit] | str:
    """What callers may still override: `kwargs.setdefault(...)` above the call."""
    source, function = place.source, place.function(call)
    spread = [one.value for one in call.args if one.star == "**"]
    own = function.params.star_kwarg if function is not None else None
    name = source.code(spread[0]) if len(spread) == 1 else ""
    statement = statement_of(source, call)
    if function is None or own is None or own.name.value != name or statement is None:
        return "the call takes *args or **kwargs: a caller may pass the column"
    quote = quote_of(source)
    if any(f".setdefault({quote}{one}{quote}" in source.code(function) for one, _ in added):
        return "callers pass None for it themselves"
    lines = [f"{name}.setdefault({quote}{one}{quote}, {code})" for one, code in added]
    return [source.insert_before(statement, *lines)]


def is_named(call: cst.Call, place: Place) -> bool:
    """By the model's name, a subclass's, or its factory's."""
    name = place.source.code(call.func)
    known = name.replace(".", "").isidentifier()
    index = model_index(place.tree)
    factories = factory_index(place.tree)
    head = name.rpartition(".")[0]
    return known and (
        index.find(name, place.module) is not None
        or factories.find(name, place.module) is not None
        or bool(head and factories.find(head, place.module))
    )
