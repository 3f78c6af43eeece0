"""Reads one column or relationship of a declarative class."""

import ast
import re
from collections.abc import Mapping

from triage.rules.models import Column, Relationship
from triage.rules.syntax import dotted, is_constant, keyword, string, terminal, text

COLUMN_CALLS = frozenset({"Column", "mapped_column"})
RELATIONSHIP_CALLS = frozenset({"relationship", "relation", "dynamic_loader"})
_PARTS = frozenset(
    {"ForeignKey", "Sequence", "Identity", "Computed", "FetchedValue", "CheckConstraint", "DefaultClause"}
)
_FILLING_PARTS = frozenset({"Sequence", "Identity", "Computed", "FetchedValue", "DefaultClause"})
_FILLING_KEYWORDS = ("default", "insert_default", "default_factory", "server_default")
_JOINS = frozenset({"primaryjoin", "secondary", "secondaryjoin", "foreign_keys", "remote_side"})
_PLAIN_TYPES = frozenset(
    {"str", "int", "float", "bool", "bytes", "date", "datetime", "time", "timedelta", "dict", "list"}
)
_COLLECTIONS = frozenset({"list", "List", "set", "Set", "Collection", "Sequence", "dict", "Dict"})
_WRITE_ONLY = frozenset({"DynamicMapped", "WriteOnlyMapped"})

Aliases = Mapping[str, ast.Subscript]


def unwrapped(value: ast.expr | None) -> ast.expr | None:
    """`deferred(Column(...))` and `column_property(Column(...))` hold a column, too."""
    if isinstance(value, ast.Call) and terminal(value) in ("deferred", "column_property") and value.args:
        return value.args[0]
    return value


def read_column(
    attribute: str,
    value: ast.expr | None,
    annotation: ast.expr | None,
    place: tuple[str, int],
    aliases: Aliases,
) -> Column | None:
    """None when the statement is not a column; `place` is its file and first line."""
    value = unwrapped(value)
    call = value if isinstance(value, ast.Call) and terminal(value) in COLUMN_CALLS else None
    mapped = _mapped_type(annotation)
    if call is None and (mapped is None or (value is not None and not isinstance(value, ast.Constant))):
        return None
    inner, optional = _without_none(mapped)
    alias = _alias_call(inner, aliases)
    calls = [each for each in (call, alias) if each is not None]
    primary = any(is_constant(keyword(each, "primary_key"), value=True) for each in calls)
    known = mapped is None or alias is not None or _is_plain(inner)
    return Column(
        name=_column_name(calls, attribute),
        attribute=attribute,
        file=place[0],
        line=place[1],
        type=_type_text(calls) or (text(inner) if mapped is not None else ""),
        nullable=_nullable(calls, mapped is not None, optional, known, primary),
        primary_key=primary,
        filled=any(_is_filling(each) for each in calls),
        unique=any(is_constant(keyword(each, "unique"), value=True) for each in calls),
        foreign_key=next((key for each in calls if (key := _foreign_key(each)) is not None), None),
        annotation=text(inner),
        call=call,
    )


def read_relationship(
    attribute: str, value: ast.expr | None, annotation: ast.expr | None, place: tuple[str, int]
) -> Relationship | None:
    if not (isinstance(value, ast.Call) and terminal(value) in RELATIONSHIP_CALLS):
        return None
    mapped, _ = _without_none(_mapped_type(annotation))
    many = None if mapped is None else _is_collection(mapped) or terminal_name(annotation) in _WRITE_ONLY
    if is_constant(keyword(value, "uselist"), value=False):
        many = False
    given = value.args[0] if value.args else keyword(value, "argument", "entity")
    names = {each.arg for each in value.keywords}
    is_open = None in names or len(value.args) > 1
    return Relationship(
        attribute,
        *place,
        target=_class_name(given) if given is not None else _class_name(_element(mapped)),
        back_populates=_name_of(keyword(value, "back_populates")),
        backref=_name_of(keyword(value, "backref")),
        joins=is_open or not names.isdisjoint(_JOINS),
        viewonly=is_constant(keyword(value, "viewonly"), value=True),
        many=many,
        secondary=_secondary(value) if not is_open and names.isdisjoint(_JOINS - {"secondary"}) else "",
    )


def _secondary(call: ast.Call) -> str:
    given = keyword(call, "secondary")
    return string(given) or (given.id if isinstance(given, ast.Name) else "")


def terminal_name(node: ast.expr | None) -> str:
    return terminal(node.value if isinstance(node, ast.Subscript) else node)


def _mapped_type(annotation: ast.expr | None) -> ast.expr | None:
    """What stands between the brackets of `Mapped[...]`."""
    if (quoted := string(annotation)) is not None:
        annotation = _parsed(quoted)
    if isinstance(annotation, ast.Subscript) and terminal(annotation.value) in {"Mapped", *_WRITE_ONLY}:
        inner = annotation.slice
        return (
            _parsed(inner.value)
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str)
            else inner
        )
    return None


def _parsed(quoted: str) -> ast.expr | None:
    try:
        return ast.parse(quoted.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _without_none(node: ast.expr | None) -> tuple[ast.expr | None, bool]:
    """The type without `Optional` or `| None`, and whether it had one."""
    if isinstance(node, ast.Subscript) and terminal(node.value) == "Optional":
        return node.slice, True
    if isinstance(node, ast.Subscript) and terminal(node.value) == "Union":
        options = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        options = [node.left, node.right]
    else:
        return node, False
    rest = [each for each in options if not is_constant(each, None)]
    return (rest[0] if rest else None), len(rest) < len(options)


def _alias_call(inner: ast.expr | None, aliases: Aliases) -> ast.Call | None:
    """The `mapped_column(...)` of an `Annotated[...]`, written out or by its name."""
    if isinstance(inner, ast.Name | ast.Attribute):
        inner = aliases.get(terminal(inner))
    if isinstance(inner, ast.Subscript) and isinstance(inner.slice, ast.Tuple):
        calls = [each for each in inner.slice.elts if isinstance(each, ast.Call)]
        return next((each for each in calls if terminal(each) in COLUMN_CALLS), None)
    return None


def _is_plain(inner: ast.expr | None) -> bool:
    name = terminal_name(inner)
    return name in _PLAIN_TYPES or name[:1].isupper()


def _nullable(calls: list[ast.Call], annotated: bool, optional: bool, known: bool, primary: bool) -> bool:
    for each in calls:
        given = keyword(each, "nullable")
        if given is not None:
            return not is_constant(given, value=False)
    if primary:
        return False
    return optional or not known if annotated else True


def _column_name(calls: list[ast.Call], attribute: str) -> str:
    for each in calls:
        first = string(each.args[0]) if each.args else None
        found = first or string(keyword(each, "name"))
        if found:
            return found
    return attribute


def _type_text(calls: list[ast.Call]) -> str:
    for each in calls:
        given = [arg for arg in each.args if string(arg) is None and terminal(arg) not in _PARTS]
        found = next((arg for arg in given if not isinstance(arg, ast.Starred)), keyword(each, "type_"))
        if found is not None:
            return text(found)
    return ""


def _is_filling(call: ast.Call) -> bool:
    values = [value for name in _FILLING_KEYWORDS if (value := keyword(call, name)) is not None]
    if any(not is_constant(each, None) for each in values):
        return True
    is_open = any(each.arg is None for each in call.keywords)
    return (
        is_open
        or is_constant(keyword(call, "autoincrement"), value=True)
        or any(terminal(arg) in _FILLING_PARTS for arg in call.args if isinstance(arg, ast.Call))
    )


def _foreign_key(call: ast.Call) -> str | None:
    for each in call.args:
        if isinstance(each, ast.Starred):
            return "?"
        if isinstance(each, ast.Call) and terminal(each) == "ForeignKey":
            target = each.args[0] if each.args else keyword(each, "column")
            return string(target) or dotted(target) or "?"
    return None


def _class_name(node: ast.expr | None) -> str:
    """Of `User`, `models.User`, "User", "app.models.User" or `lambda: User`."""
    if isinstance(node, ast.Lambda):
        node = node.body
    quoted = string(node)
    if quoted is not None:
        return quoted.rpartition(".")[2] if re.fullmatch(r"[\w.]+", quoted) else ""
    return terminal(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def _name_of(node: ast.expr | None) -> str:
    """Of `backref="x"` or `backref=db.backref("x", ...)`; "?" where it is computed."""
    if isinstance(node, ast.Call) and node.args:
        node = node.args[0]
    return "" if node is None else string(node) or "?"


def _is_collection(node: ast.expr) -> bool:
    return isinstance(node, ast.Subscript) and terminal(node.value) in _COLLECTIONS


def _element(node: ast.expr | None) -> ast.expr | None:
    if isinstance(node, ast.Subscript):
        node = node.slice.elts[-1] if isinstance(node.slice, ast.Tuple) else node.slice
    return node
