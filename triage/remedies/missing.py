"""Which values a row lacks, and the source text of each where the call stands."""

import re
from collections.abc import Mapping, Sequence

import libcst as cst

from triage.remedies.column_types import is_address, is_number, is_text, length_of
from triage.remedies.parents import by_parent
from triage.remedies.place import Place, Supply, is_none
from triage.remedies.rows import Row, keywords, loop_variable, parameters
from triage.remedies.values import Wanted, quote_of, template
from triage.rules.missing_foreign_key import keys_to, target_of
from triage.rules.model_index import model_index
from triage.rules.models import Column, Model
from triage.rules.source import SourceTree

_WORD = re.compile(r"[a-z0-9]+")
_LONGEST_WORD = 24
_DIGITS, _FEWEST = 32, 8  # of a UUID in hexadecimal; so many that they hardly meet
_ROOM = 40  # for a name and an address behind it


def missing(row: Row, place: Place) -> list[Column]:
    """The named columns, and what else the model requires of the same row and nobody gives."""
    subject, given = place.subject, row.given
    model = subject.model
    linked = _filled_by_relationships(model, _not_none(given), place.tree) if model is not None else set()
    named = [one for one in subject.named if _lacks(one, given) and one.attribute not in linked]
    if model is None or not model.complete or model.has_init or model.is_dataclass or row.is_open:
        return named
    if model.name not in place.source.code(row.node) and row.call is None:
        return named
    given_names = {*given, *_set_later(row, place)}
    filled = _filled_by_relationships(model, given_names, place.tree)
    others = [
        one
        for one in model.columns
        if one not in named and not (one.nullable or one.filled or one.primary_key)
        if one.attribute not in given_names and one.attribute not in filled and not one.foreign_key
    ]
    return named + (others if named or not subject.named else [])


def _lacks(column: Column, given: Mapping[str, cst.BaseExpression]) -> bool:
    value = given.get(column.attribute, given.get(column.name))
    return value is None or is_none(value)


def _not_none(given: Mapping[str, cst.BaseExpression]) -> set[str]:
    return {name for name, value in given.items() if not is_none(value)}


def _set_later(row: Row, place: Place) -> set[str]:
    """Attributes that the function gives to the variable which holds the row."""
    function = place.function(row.site)
    scope: cst.CSTNode = function or place.source.module
    names = {
        one.targets[0].target.value
        for one in place.source.all(cst.Assign)
        if one.value is row.site and isinstance(one.targets[0].target, cst.Name)
    }
    found = set()
    for target in place.source.all(cst.AssignTarget):
        node = target.target
        is_here = (place.function(target) or place.source.module) is scope
        if is_here and isinstance(node, cst.Attribute) and place.source.code(node.value) in names:
            found.add(node.attr.value)
    return found


def _filled_by_relationships(model: Model, names: set[str], tree: SourceTree) -> set[str]:
    index = model_index(tree)
    found: set[str] = set()
    for one in model.relationships:
        target = target_of(one, model, index, tree) if one.attribute in names else None
        found |= (
            {key.attribute for key in keys_to(model, target, index) or ()} if target is not None else set()
        )
    return found


def supply(column: Column, row: Row, place: Place, number: int) -> Supply | str:
    """A text says why no value can be given."""
    if column.foreign_key:
        found = by_parent(column, row, place)
        same = _sibling(column, row, place) if isinstance(found, str) and not column.unique else None
        doubt = f"whether this {place.subject.what} refers to the same row as its neighbour"
        return Supply(column.attribute, same, doubt) if same is not None else found
    handed = _handed(column, row, place)
    if handed is not None:
        return handed
    asked = _asked_for(column, row, place) if number == 1 else ""
    if asked:
        return Supply(column.attribute, asked, f"whether this is the row that is asked for by {asked} below")
    if column.unique or column.primary_key:
        return _unlike_others(column, row, place, number)
    like = _sibling(column, row, place)
    return Supply(column.attribute, like) if like is not None else _made_up(column, row, place, number)


def _unlike_others(column: Column, row: Row, place: Place, number: int) -> Supply | str:
    loop = loop_variable(place.source, row.node)
    if row.call is not None and _is_shared(row.node, row.call, place):
        return f"one set of values makes many rows, and {column.attribute} must differ"
    if loop is not None or not place.is_called_once(row.node):
        return told_apart(column, row, place, loop[0] if loop else "")
    return _made_up(column, row, place, number)


def _made_up(column: Column, row: Row, place: Place, number: int) -> Supply | str:
    quote = quote_of(place.source, place.source.code(row.node))
    wanted = Wanted(column, place.subject.model, _word(row, place, number), place.taken, quote)
    found = template(wanted, place.tree)
    what = f"{place.subject.what}.{column.attribute} takes {column.type or 'what the source does not show'}"
    return Supply(column.attribute, found) if found else f"{what}: which value is right only a person knows"


def _is_shared(values: cst.CSTNode, call: cst.Call, place: Place) -> bool:
    """Whether a loop makes rows of one dictionary that stands outside of it."""
    loop = loop_variable(place.source, call)
    spread = [place.source.code(one.value) for one in call.args if one.star == "**"]
    inside = loop_variable(place.source, values) is not None
    return loop is not None and not inside and loop[0] not in spread


def _handed(column: Column, row: Row, place: Place) -> Supply | None:
    """A parameter that is called like the column and that nothing hands on."""
    function = place.function(row.node)
    known = parameters(function) if function is not None else {}
    if function is None or place.is_called_once(row.node):
        return None
    for name in (column.attribute, column.name):
        default = known[name].default if name in known else None
        if name in known and not (default is not None and is_none(default)):
            return Supply(column.attribute, name, f"whether `{name}` is what {column.attribute} should hold")
    return None


def _asked_for(column: Column, row: Row, place: Place) -> str:
    """How the test asks for it below: `find_role("x")`, `find_role(name="x")`, `filter_by(name="x")`."""
    source, function = place.source, place.function(row.node)
    if not is_text(column, place.tree) and column.type:
        return ""
    names = {place.subject.what.lower(), place.subject.table.lower().rstrip("s")} - {""}
    found: set[str] = set()
    taken: set[str] = set()
    calls = [one for one in source.all(cst.Call) if function is not None and place.function(one) is function]
    for call in calls:
        callee = source.code(call.func).rpartition(".")[2].lower()
        given = keywords(call).get(column.attribute)
        is_query = callee == "filter_by" and place.subject.what in source.code(call.func)
        is_lookup = callee in {f"{verb}_{name}" for verb in ("find", "get", "load") for name in names}
        if is_lookup and len(call.args) == 1 and call.args[0].keyword is None:
            given = call.args[0].value
        if not isinstance(given, cst.SimpleString) or (callee == "filter_by" and not is_query):
            continue
        is_below = source.lines(call)[0] > source.lines(row.site)[1]
        if not (is_lookup or is_query):
            taken.add(source.code(given))
        elif is_below:
            found.add(source.code(given))
    return found.pop() if len(found) == 1 and not found & taken else ""


def _sibling(column: Column, row: Row, place: Place) -> str | None:
    """What the nearest other call of the same model in this file gives, where that is a plain literal."""
    model = place.subject.model
    line = place.source.lines(row.node)[0]
    near: list[tuple[int, str]] = []
    for call in place.source.all(cst.Call):
        if model is None or place.source.code(call.func).rpartition(".")[2] != model.name or call is row.site:
            continue
        value = keywords(call).get(column.attribute)
        if value is not None and _is_plain(value):
            near.append((abs(place.source.lines(call)[0] - line), place.source.code(value)))
    return min(near, default=(0, None))[1]


def _is_plain(node: cst.BaseExpression) -> bool:
    is_flag = isinstance(node, cst.Name) and node.value in ("True", "False")
    return is_flag or isinstance(node, cst.SimpleString | cst.Integer | cst.Float)


def _word(row: Row, place: Place, number: int) -> str:
    """What tells a row apart: its own name where the file has no other text like it, else its function's."""
    function = place.function(row.node)
    for name, value in row.given.items():
        if isinstance(value, cst.SimpleString) and isinstance(value.evaluated_value, str):
            text = ".".join(_WORD.findall(value.evaluated_value.lower()))
            is_name = any(part in name for part in ("name", "title", "login", "slug", "nick"))
            if is_name and text and place.source.text.count(place.source.code(value)) == 1:
                return text[:_LONGEST_WORD].rstrip(".")
    name = function.name.value.lower().removeprefix("test_") if function is not None else ""
    found = "-".join(_WORD.findall(name))[:_LONGEST_WORD].rstrip("-")
    found = found or (place.subject.what.lower() if place.subject.model else "row")
    return f"{found}{number}" if number > 1 else found


def told_apart(column: Column, row: Row, place: Place, loop: str) -> Supply | str:
    """A value that differs each time the line runs."""
    own = loop or _unique_parameter(column, row, place)
    doubt = f"whether {place.subject.what} may get a made-up {column.attribute} each time the line runs"
    if is_text(column, place.tree):
        code = _text_apart(column, own, length_of(column, place.tree))
        return Supply(column.attribute, code, doubt) if code else f"{column.attribute} is too short to differ"
    wanted = Wanted(column, place.subject.model)
    found = template(wanted, place.tree) or ""
    if "uuid4" in found:
        return Supply(column.attribute, found, doubt)
    if is_number(column, place.tree) and _counts(row, place, loop):
        return Supply(column.attribute, loop, doubt)
    return f"this line runs many times, and {column.attribute} must differ each time"


def _text_apart(column: Column, own: str, limit: int | None) -> str:
    """Empty where a column is too short for texts that never meet."""
    tail = "@example.org" if is_address(column) else ""
    room = (_DIGITS if limit is None else limit) - len(tail)
    if own and (limit is None or limit >= _ROOM):
        return f'f"{{{own}}}{tail}"' if tail else f'f"{column.attribute}-{{{own}}}"'
    if limit is not None and room < _FEWEST:
        return ""
    digits = "<uuid:uuid4>().hex" + ("" if limit is None or room >= _DIGITS else f"[:{room}]")
    return f'f"{{{digits}}}{tail}"' if tail else digits


def _counts(row: Row, place: Place, loop: str) -> bool:
    found = loop_variable(place.source, row.node)
    return bool(loop and found and place.source.code(found[1]).startswith("range("))


def _unique_parameter(column: Column, row: Row, place: Place) -> str:
    """A parameter that the row gets for another value that must be unique."""
    function = place.function(row.node)
    known = parameters(function) if function is not None else {}
    others = (one for one in place.subject.columns if one != column)
    unique = {one.attribute for one in others if one.unique or one.primary_key}
    found = [
        value.value
        for name, value in row.given.items()
        if name in unique and isinstance(value, cst.Name) and value.value in known
    ]
    return found[0] if found else ""


def in_order(found: Sequence[Supply]) -> list[Supply]:
    return list({one.name: one for one in found}.values())
