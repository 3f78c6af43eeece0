"""Objects that a foreign key may refer to, and how the row before them comes to be stored."""

import ast
import re

import libcst as cst

from triage.model.fix import Edit
from triage.remedies.place import Place, Supply, is_none
from triage.remedies.row_edits import ast_function, statement_of
from triage.remedies.rows import Row, bindings_of
from triage.rules.makers import makers
from triage.rules.missing_foreign_key import keys_to
from triage.rules.model_index import model_index
from triage.rules.models import Column, Model
from triage.rules.syntax import Function, dotted, terminal, text, within
from triage.rules.variables import instances

_SETUPS = frozenset({"setUp", "asyncSetUp", "setup_method"})
_STORING = frozenset({"add", "add_all", "merge", "flush", "commit"})


def parents_in_scope(target: Model, node: cst.CSTNode, place: Place) -> list[str]:
    """Variables of the function that hold an object of a model, those bound before the place."""
    line = place.source.lines(node)[0]
    function = ast_function(place.module, line)
    if function is None:
        return []
    index = model_index(place.tree)
    known = instances(function, place.module, index, makers(place.tree))
    words = re.compile(r"\b(\w+)\s*(?::[^=]+)?=[^=]|\bas (\w+)\b|^\s*for (\w+)\b")
    before = place.source.text.splitlines()[function.lineno - 1 : line - 1]
    bound = {name for one in before for match in words.findall(one) for name in match if name}
    given = {one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)}
    names = [name for name, model in known.items() if model.name == target.name or target.name in model.bases]
    return [
        *(name for name in names if name in bound or name in given),
        *_of_class(function, target, place),
    ]


def _of_class(function: Function, target: Model, place: Place) -> list[str]:
    """What the set-up of a test class, or of its base in the same file, keeps: `self.user = User(...)`."""
    module, index = place.module, model_index(place.tree)
    around = module.parents.get(function)
    if not isinstance(around, ast.ClassDef) or not function.name.startswith("test"):
        return []
    bases = {terminal(each) for each in around.bases}
    classes = [around, *(one for one in module.all(ast.ClassDef) if one.name in bases)]
    found = [
        text(to)
        for one in classes
        for method in one.body
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) and method.name in _SETUPS
        for each in within(method)
        if isinstance(each, ast.Assign) and isinstance(each.value, ast.Call)
        if index.find(dotted(each.value.func), module) is target
        for to in each.targets
        if isinstance(to, ast.Attribute) and text(to.value) == "self"
    ]
    return list(dict.fromkeys(found))


def parent_model(column: Column, place: Place) -> Model | None:
    table = (column.foreign_key or "").rpartition(".")[0].rpartition(".")[2]
    found = model_index(place.tree).by_table(table)
    if not found:
        found = model_index(place.tree).by_name.get(table, ())
    return found[0] if found else None


def relationship_of(column: Column, target: Model, place: Place) -> str:
    """The attribute that leads to the parent over this column alone."""
    model, index = place.subject.model, model_index(place.tree)
    for one in model.relationships if model is not None else ():
        if model is not None and not one.many and not one.viewonly and one.target == target.name:
            keys = keys_to(model, target, index)
            if keys is not None and [each.attribute for each in keys] == [column.attribute]:
                return one.attribute
    return ""


def by_parent(column: Column, row: Row, place: Place) -> Supply | str:
    target = parent_model(column, place)
    reason = f"{column.attribute} is a foreign key: it needs an object, not a value"
    if target is None:
        return reason
    found = parents_in_scope(target, row.node, place)
    if len(found) != 1:
        several = f"; {', '.join(found)} could be meant" if found else f", and no {target.name} is at hand"
        return reason + several
    doubt = f"whether the {place.subject.what} should belong to `{found[0]}`"
    other = relationship_of(column, target, place)
    if other and (other not in row.given or is_none(row.given[other])):
        return Supply(other, found[0], doubt)
    key = (column.foreign_key or "").rpartition(".")[2]
    referred = target.column(key)
    return Supply(column.attribute, f"{found[0]}.{referred.attribute if referred else key}", doubt)


# an object whose row is not there yet


def handed_object(column: Column, row: Row, place: Place) -> str:
    """The variable of `user_id=user.id`, where that is an object of the parent's model."""
    value, target = row.given.get(column.attribute), parent_model(column, place)
    if target is None or not (isinstance(value, cst.Attribute) and isinstance(value.value, cst.Name)):
        return ""
    name = value.value.value
    return name if name in parents_in_scope(target, row.node, place) else ""


def stored_before(name: str, row: Row, place: Place) -> list[Edit] | str:
    """Lines above the row that store an object; a text says why there are none."""
    source, statement = place.source, statement_of(place.source, row.site)
    function = place.function(row.site)
    if statement is None or function is None:
        return "no line can precede the row"
    made = [one for one in bindings_of(source, function, name) if source.span(one) < source.span(statement)]
    if not made:
        return f"`{name}` is made elsewhere, and where it should be stored only a person knows"
    between = _between(made[-1], statement, function, place)
    known = between or _session_calls(function, place)
    session = _receiver(known[0], place) if known else _session_parameter(function)
    adds = [one for one in between if _method(one) in ("add", "add_all") and _mentions(one, name, place)]
    if not session or (adds and _is_flushed(adds[0], between, place)):
        return f"`{name}` is stored before" if session else "no session is at hand where the row is made"
    wait = "await " if function.asynchronous is not None else ""
    lines = [] if adds else [f"{session}.add({name})"]
    return [source.insert_before(statement, *lines, f"{wait}{session}.flush()")]


def is_stored(name: str, row: Row, place: Place) -> bool:
    """Whether an object comes from elsewhere (a fixture, a helper) or was flushed before the row."""
    statement, function = statement_of(place.source, row.site), place.function(row.site)
    made = bindings_of(place.source, function, name) if function is not None else []
    if function is None or statement is None or not made:
        return True
    value = made[-1].value
    index = model_index(place.tree)
    is_new = (
        isinstance(value, cst.Call) and index.find(place.source.code(value.func), place.module) is not None
    )
    between = _between(made[-1], statement, function, place)
    adds = [one for one in between if _method(one) in ("add", "add_all") and _mentions(one, name, place)]
    return not is_new or bool(adds and _is_flushed(adds[0], between, place))


def _between(
    first: cst.CSTNode, last: cst.CSTNode, function: cst.FunctionDef, place: Place
) -> list[cst.Call]:
    start, stop = place.source.span(first)[1], place.source.span(last)[0]
    return [one for one in _session_calls(function, place) if start <= place.source.span(one)[0] < stop]


def _is_flushed(add: cst.Call, calls: list[cst.Call], place: Place) -> bool:
    start = place.source.span(add)
    return any(_method(one) in ("flush", "commit") and place.source.span(one) > start for one in calls)


def _session_calls(function: cst.FunctionDef, place: Place) -> list[cst.Call]:
    return [
        one
        for one in place.source.all(cst.Call)
        if isinstance(one.func, cst.Attribute)
        and _method(one) in _STORING
        and place.function(one) is function
        if re.search(r"session|\bdb\b|\bs\b", _receiver(one, place), re.IGNORECASE)
    ]


def _method(call: cst.Call) -> str:
    return call.func.attr.value if isinstance(call.func, cst.Attribute) else ""


def _receiver(call: cst.Call, place: Place) -> str:
    return place.source.code(call.func.value) if isinstance(call.func, cst.Attribute) else ""


def _mentions(call: cst.Call, name: str, place: Place) -> bool:
    return re.search(rf"\b{name}\b", place.source.code(call)) is not None


def _session_parameter(function: cst.FunctionDef) -> str:
    names = [one.name.value for one in function.params.params]
    return next((one for one in names if "session" in one), "db.session" if "db" in names else "")
