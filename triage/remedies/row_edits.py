"""Edits that add values to a row in its own layout, and what surrounds the row."""

import ast
from collections.abc import Sequence

import libcst as cst

from triage.model.fix import Edit
from triage.remedies.rows import Row
from triage.remedies.source import SourceFile
from triage.rules.source import Module
from triage.rules.syntax import Function, arguments

_RAISING = frozenset({"raises", "assertRaises", "assertRaisesRegex", "suppress"})
_REFUSED = ("IntegrityError", "DBAPIError", "SQLAlchemyError", "Exception", "DatabaseError", "StatementError")


def with_values(source: SourceFile, row: Row, pairs: Sequence[tuple[str, str]], quote: str) -> Edit | None:
    """The values at the end of a call's keywords or a dictionary's keys; None: it has no place for them."""
    node = row.node
    before: cst.CSTNode | None
    if isinstance(node, cst.Call):
        written = [f"{name}={code}" for name, code in pairs]
        parts: list[cst.CSTNode] = list(node.args)
        before = next((one for one in node.args if one.star == "**"), None)
    else:
        keys = [one.key for one in node.elements if isinstance(one, cst.DictElement)]
        if any(isinstance(one, cst.Attribute) for one in keys):
            return None
        written = [f"{quote}{name}{quote}: {code}" for name, code in pairs]
        parts = list(node.elements)
        before = next((one for one in node.elements if isinstance(one, cst.StarredDictElement)), None)
    stop = source.span(node)[1] - 1
    if not parts:
        return Edit(source.file, stop, stop, ", ".join(written))
    if before is not None:
        return _in_front(source, before, written)
    return _behind(source, node, parts[-1], written, stop)


def _in_front(source: SourceFile, part: cst.CSTNode, written: list[str]) -> Edit:
    start = source.span(part)[0]
    is_first = source.text[source.offset(source.line_of(start), 0) : start].strip() == ""
    gap = f",{source.newline}{source.indent_of(part)}" if is_first else ", "
    return Edit(source.file, start, start, "".join(one + gap for one in written))


def _behind(source: SourceFile, node: cst.CSTNode, last: cst.CSTNode, written: list[str], stop: int) -> Edit:
    end = source.span(last)[1]
    rest = source.text[end:stop]
    comma = _comma(rest)
    is_tall = source.lines(node)[0] < source.lines(last)[0] or "\n" in rest or "\r" in rest
    begins = source.text[source.offset(source.lines(last)[0], 0) : source.span(last)[0]].strip() == ""
    if not (is_tall and begins):
        at = end + comma if comma else end
        text = ", ".join(written)
        has_more = comma and ("\n" not in rest)
        return Edit(source.file, at, at, (f" {text}" + ("," if has_more else "")) if comma else f", {text}")
    indent = source.newline + source.indent_of(last)
    if not comma:
        return Edit(source.file, end, end, "".join(f",{indent}{one}" for one in written))
    at = end + comma
    tail = (source.text[at:stop].splitlines() or [""])[0]
    at += len(tail) if tail.lstrip().startswith("#") else 0
    return Edit(source.file, at, at, "".join(f"{indent}{one}," for one in written))


def _comma(rest: str) -> int:
    """Characters up to and with the comma behind the last part, 0 without one."""
    for number, character in enumerate(rest):
        if character == ",":
            return number + 1
        if not character.isspace():
            return 0
    return 0


def ast_function(module: Module, line: int) -> Function | None:
    """The innermost function that holds a line."""
    found = [one for one in module.functions if one.lineno <= line <= (one.end_lineno or one.lineno)]
    return max(found, key=lambda one: one.lineno, default=None)


def shadowed(module: Module, line: int) -> frozenset[str]:
    """Names that the function at a line binds itself."""
    function = ast_function(module, line)
    if function is None:
        return frozenset()
    stored = (each for each in ast.walk(function) if isinstance(each, ast.Name))
    return frozenset(each.id for each in stored if isinstance(each.ctx, ast.Store)) | {*arguments(function)}


def statement_of(source: SourceFile, node: cst.CSTNode) -> cst.CSTNode | None:
    """The statement that stands on lines of its own; None on a line with a colon before it."""
    for each in (node, *source.ancestors(node)):
        if isinstance(each, cst.SimpleStatementSuite):
            return None
        if isinstance(each, cst.SimpleStatementLine | cst.BaseCompoundStatement):
            return each
    return None


def is_expected(source: SourceFile, node: cst.CSTNode) -> bool:
    """Whether the row's refusal is awaited: round it, or by a block below it in the same function."""
    function = source.enclosing(node, cst.FunctionDef)
    if function is None:
        return False
    for each in source.all(cst.With):
        if source.enclosing(each, cst.FunctionDef) is not function:
            continue
        calls = [item.item for item in each.items if isinstance(item.item, cst.Call)]
        if any(_awaits(source, one) for one in calls):
            return source.lines(each)[1] >= source.lines(node)[0]
    return False


def _awaits(source: SourceFile, call: cst.Call) -> bool:
    is_raising = source.code(call.func).rpartition(".")[2] in _RAISING
    return is_raising and any(one in source.code(call) for one in _REFUSED)
