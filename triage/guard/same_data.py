"""Whether two expressions check the same thing on completer data."""

import ast
import re

from triage.guard.syntax import terminal, text, value

_KEYS = ("id", "uuid", "pk", "key", "hex")
_MADE = re.compile(r"uuid[1-8]|UUID")


def is_same(before: ast.AST, after: ast.AST, *, inside_call: bool = False) -> bool:
    """Equal but for what honest cures do to arguments.

    A constructor may become its factory and get further keywords, a None among its arguments a value;
    text of an id may become the id, and the text of a UUID in an argument the UUID.
    """
    if isinstance(before, ast.Call) and isinstance(after, ast.Call) and _is_made(before, after):
        return _has_all(before, after)
    if (shown := _shown_id(before)) is not None and is_same(shown, after):
        return True
    if inside_call and _is_uuid_of(after, before):
        return True
    if type(before) is not type(after):
        return False
    within = inside_call or isinstance(before, (ast.Call, ast.keyword))
    return all(
        _is_same_field(getattr(before, name, None), getattr(after, name, None), inside_call=within)
        for name in before._fields
        if name not in ("ctx", "kind", "type_comment")
    )


def _is_same_field(before: object, after: object, *, inside_call: bool) -> bool:
    if isinstance(before, list) and isinstance(after, list):
        pairs = zip(before, after, strict=False)
        return len(before) == len(after) and all(
            _is_same_field(one, other, inside_call=inside_call) for one, other in pairs
        )
    if isinstance(before, ast.AST) and isinstance(after, ast.AST):
        return is_same(before, after, inside_call=inside_call)
    return type(before) is type(after) and before == after


def _is_made(before: ast.Call, after: ast.Call) -> bool:
    """Both make the same kind of object."""
    one, other = terminal(before.func), terminal(after.func)
    return one[:1].isupper() and other in (one, f"{one}Factory")


def _has_all(before: ast.Call, after: ast.Call) -> bool:
    given = {each.arg: each.value for each in after.keywords}
    return len(before.args) == len(after.args) and all(
        (
            *(
                is_same(one, other, inside_call=True)
                for one, other in zip(before.args, after.args, strict=True)
            ),
            *(each.arg in given and _is_filled(each.value, given[each.arg]) for each in before.keywords),
        )
    )


def _is_filled(before: ast.expr, after: ast.expr) -> bool:
    is_none = isinstance(before, ast.Constant) and before.value is None
    return is_none or is_same(before, after, inside_call=True)


def _shown_id(node: ast.AST) -> ast.expr | None:
    """What `str(x.id)`, `f"{x.id}"` or `uuid4().hex` shows."""
    shown = None
    if isinstance(node, ast.Call) and terminal(node.func) == "str" and len(node.args) == 1:
        shown = node.args[0]
    elif isinstance(node, ast.JoinedStr) and len(node.values) == 1:
        only = node.values[0]
        shown = only.value if isinstance(only, ast.FormattedValue) and only.format_spec is None else None
    elif isinstance(node, ast.Attribute) and node.attr == "hex":
        shown = node.value
    is_made = isinstance(shown, ast.Call) and _MADE.fullmatch(terminal(shown.func)) is not None
    return shown if is_made or terminal(shown).endswith(_KEYS) else None


def _is_uuid_of(after: ast.AST, before: ast.AST) -> bool:
    """`UUID("...")` for the same text, `UUID(key)` for what held it."""
    if not isinstance(after, ast.Call) or terminal(after.func) != "UUID" or len(after.args) != 1:
        return False
    if isinstance(before, ast.Name | ast.Attribute | ast.Subscript):
        return text(after.args[0]) == text(before)
    return isinstance(value(before), str) and value(after.args[0]) == value(before)
