"""The text of calls that make columns and relationships: found by line, and given further arguments."""

import re
from collections import Counter
from collections.abc import Callable

import libcst as cst

from triage.model.fix import Edit
from triage.remedies.source import SourceFile

COLUMNS = frozenset({"Column", "mapped_column"})
RELATIONSHIPS = frozenset({"relationship", "relation", "dynamic_loader"})
_HELPERS = re.compile(r"Column$|^(?:make|build|create)_?column$")  # `NotNullColumn(...)` of a project
_STRING = re.compile(r"[A-Za-z]*(\"\"\"|'''|\"|')")


def last_name(node: cst.CSTNode | None) -> str:
    """`c` of `a.b.c` and of `a.b.c(...)`."""
    if isinstance(node, cst.Call):
        node = node.func
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else ""


def prefix(node: cst.BaseExpression) -> str:
    """`db.` of `db.Column`."""
    if isinstance(node, cst.Attribute):
        return cst.Module([]).code_for_node(node.value) + "."
    return ""


def string_value(node: cst.CSTNode | None) -> str | None:
    if isinstance(node, cst.SimpleString | cst.ConcatenatedString):
        value = node.evaluated_value
        return value if isinstance(value, str) else None
    return None


def keyword(call: cst.Call, *names: str) -> cst.Arg | None:
    return next((one for one in call.args if one.keyword is not None and one.keyword.value in names), None)


def positional(call: cst.Call) -> list[cst.Arg]:
    return [one for one in call.args if one.keyword is None and not one.star]


def is_open(call: cst.Call) -> bool:
    return any(one.star for one in call.args)


def is_true(arg: cst.Arg | None, value: str) -> bool:
    return arg is not None and isinstance(arg.value, cst.Name) and arg.value.value == value


def column_call(source: SourceFile, line: int, name: str = "") -> cst.Call | None:
    """The call that makes a column, in the statement or function at `line`; the named one of several."""
    known = _calls_at(source, line, lambda last: last in COLUMNS)
    found = known or _calls_at(source, line, lambda last: bool(_HELPERS.search(last)))
    named = [one for one in found if name and name in (member_of(source, one), _first_text(one))]
    if named:
        return named[0]
    return found[0] if found and not (name and _is_other(source, found[0])) else None


def relationship_call(source: SourceFile, line: int, name: str = "") -> cst.Call | None:
    found = _calls_at(source, line, lambda last: last in RELATIONSHIPS)
    named = [one for one in found if name and name == member_of(source, one)]
    return next(iter(named or found), None)


def member_of(source: SourceFile, call: cst.Call) -> str:
    """The attribute to which a call gives its value: assigned, or returned by a function of its name."""
    for node in source.ancestors(call):
        if isinstance(node, cst.Assign) and isinstance(node.targets[0].target, cst.Name):
            return node.targets[0].target.value
        if isinstance(node, cst.AnnAssign) and isinstance(node.target, cst.Name):
            return node.target.value
        if isinstance(node, cst.FunctionDef):
            return node.name.value
        if isinstance(node, cst.ClassDef):
            break
    return ""


def class_of(source: SourceFile, node: cst.CSTNode) -> cst.ClassDef | None:
    return source.enclosing(node, cst.ClassDef)


def with_argument(source: SourceFile, call: cst.Call, after: cst.Arg | None, *texts: str) -> tuple[Edit, ...]:
    """Further arguments behind `after` (None: before the others), on own lines where the others stand so."""
    if not call.args:
        end = source.span(call)[1] - 1
        start = end - len(source.text[:end]) + len(source.text[:end].rstrip())
        return (Edit(source.file, start, end, ", ".join(texts)),)
    gap = _gap(source, call, after or call.args[0])
    text = f",{gap}".join(texts)
    if after is None:
        at = source.span(call.args[0])[0]
        return (Edit(source.file, at, at, f"{text},{gap}"),)
    at = source.span(after)[1]
    if gap == " ":
        return (Edit(source.file, at, at, f", {text}"),)
    return _on_own_line(source, after, at, text)


def last_plain(call: cst.Call) -> cst.Arg | None:
    """The argument behind which a keyword may stand: the last before `**more`."""
    return next((one for one in reversed(call.args) if one.star != "**"), None)


def keyword_argument(source: SourceFile, call: cst.Call, text: str) -> tuple[Edit, ...]:
    return with_argument(source, call, last_plain(call), text)


def changed_value(source: SourceFile, arg: cst.Arg, text: str) -> Edit:
    return source.change(*value_span(source, arg), text)


def value_span(source: SourceFile, arg: cst.Arg) -> tuple[int, int]:
    """Of an argument's value, its parentheses included."""
    start, stop = source.span(arg)
    if arg.keyword is None:
        return start, stop
    start = source.text.index("=", start) + 1
    text = source.text[start:stop]
    return start + len(text) - len(text.lstrip()), stop


def quoted(source: SourceFile, value: str, *near: cst.CSTNode) -> str:
    """In the quotes of the strings near it, else in those that the file uses most."""
    texts = [source.code(one) for node in near for one in _strings(node)]
    marks = Counter(_mark(one) for one in texts or [source.code(one) for one in source.all(cst.SimpleString)])
    mark = "'" if marks["'"] > marks['"'] else '"'
    return f"{mark}{value}{mark}"


def _strings(node: cst.CSTNode) -> list[cst.SimpleString]:
    pending, found = [node], []
    while pending:
        one = pending.pop()
        if isinstance(one, cst.SimpleString):
            found.append(one)
        pending += one.children
    return found


def _mark(text: str) -> str:
    match = _STRING.match(text)
    return match.group(1) if match else ""


def _calls_at(source: SourceFile, line: int, is_wanted: Callable[[str], bool]) -> list[cst.Call]:
    """Within the innermost statement or small function at the line; calls that hold it come first."""
    found = [one for one in source.at(cst.Call, line) if is_wanted(last_name(one))]
    if found:
        return found
    for kind in (cst.SimpleStatementLine, cst.FunctionDef):
        for node in source.at(kind, line):
            if isinstance(node, cst.FunctionDef) and not node.decorators:
                continue
            within = [one for one in source.all(cst.Call) if node in source.ancestors(one)]
            found = [one for one in within if is_wanted(last_name(one))]
            if found:
                return found
    return _decorated(source, line, is_wanted)


def _decorated(source: SourceFile, line: int, is_wanted: Callable[[str], bool]) -> list[cst.Call]:
    """The line is that of a decorator."""
    for function in source.all(cst.FunctionDef):
        first = min([source.lines(one)[0] for one in function.decorators], default=0)
        if first and first <= line < source.lines(function)[0]:
            return [
                one
                for one in source.all(cst.Call)
                if function in source.ancestors(one) and is_wanted(last_name(one))
            ]
    return []


def _first_text(call: cst.Call) -> str | None:
    given = positional(call)
    return string_value(given[0].value) if given else None


def _is_other(source: SourceFile, call: cst.Call) -> bool:
    """A column of a `Table(...)` names itself."""
    return not member_of(source, call) and _first_text(call) is not None


def _line(source: SourceFile, offset: int) -> int:
    return source.line_of(offset)


def _stands_alone(source: SourceFile, call: cst.Call, arg: cst.Arg) -> bool:
    """The argument has its line for itself."""
    line = _line(source, source.span(arg)[0])
    others = [_line(source, source.span(one)[0]) for one in call.args if one is not arg]
    return line not in others and line != _line(source, source.span(call.func)[1])


def _gap(source: SourceFile, call: cst.Call, arg: cst.Arg) -> str:
    return source.newline + source.indent_of(arg) if _stands_alone(source, call, arg) else " "


def _on_own_line(source: SourceFile, after: cst.Arg, at: int, text: str) -> tuple[Edit, ...]:
    """Behind the comma and the comment that belong to the argument before."""
    end = re.compile(r"[^\r\n]*").match(source.text, at)
    stop = end.end() if end else at
    fresh = f"{source.newline}{source.indent_of(after)}{text}"
    rest = source.text[at:stop].strip()
    if isinstance(after.comma, cst.Comma) and (
        rest == "," or (rest.startswith(",") and rest[1:].lstrip().startswith("#"))
    ):
        return (Edit(source.file, stop, stop, f"{fresh},"),)
    if rest.startswith("#"):
        return (Edit(source.file, at, at, ","), Edit(source.file, stop, stop, fresh))
    return (Edit(source.file, at, at, f",{fresh}"),)
