"""Places of the standard library's syntax tree in a file's text."""

import ast

from triage.model.fix import Edit
from triage.remedies.source import SourceFile

Spanned = ast.expr | ast.stmt | ast.keyword


def offset(source: SourceFile, line: int, column: int) -> int:
    """Of a line and a column in bytes of UTF-8, as `ast` counts."""
    start = source.offset(line, 0)
    end = source.text.find("\n", start)
    text = source.text[start : end if end >= 0 else len(source.text)]
    return start + len(text.encode()[:column].decode(errors="ignore"))


def span(source: SourceFile, node: Spanned) -> tuple[int, int]:
    return (
        offset(source, node.lineno, node.col_offset),
        offset(source, node.end_lineno or node.lineno, node.end_col_offset or 0),
    )


def code(source: SourceFile, node: Spanned) -> str:
    start, stop = span(source, node)
    return source.text[start:stop]


def changed(source: SourceFile, node: Spanned, text: str) -> Edit:
    start, stop = span(source, node)
    return source.change(start, stop, text)


def indent(source: SourceFile, line: int) -> str:
    text = source.text[source.offset(line, 0) :]
    return text[: len(text) - len(text.lstrip(" \t\f"))]


def lines_before(source: SourceFile, node: ast.stmt, lines: list[str]) -> Edit:
    at = source.offset(node.lineno, 0)
    return Edit(source.file, at, at, block(source, indent(source, node.lineno), lines))


def lines_after(source: SourceFile, node: ast.stmt, lines: list[str], margin: str | None = None) -> Edit:
    """Below a statement's last line, at the indentation of its first, or at `margin`."""
    margin = indent(source, node.lineno) if margin is None else margin
    end = source.text.find("\n", span(source, node)[1])
    if end < 0:
        at, text = len(source.text), source.newline + block(source, margin, lines).rstrip("\r\n")
    else:
        at, text = end + 1, block(source, margin, lines)
    return Edit(source.file, at, at, text)


def without_lines(source: SourceFile, node: ast.stmt) -> Edit:
    """The whole lines of a statement taken away."""
    start = source.offset(node.lineno, 0)
    end = source.text.find("\n", span(source, node)[1])
    return Edit(source.file, start, len(source.text) if end < 0 else end + 1, "")


def without_argument(source: SourceFile, call: ast.Call, gone: ast.keyword) -> Edit:
    """A keyword taken out of a call together with its comma."""
    given: list[Spanned] = sorted([*call.args, *call.keywords], key=lambda one: span(source, one))
    place = given.index(gone)
    start, stop = span(source, gone)
    if len(given) == 1:
        return Edit(source.file, span(source, call.func)[1], span(source, call)[1], "()")
    if place + 1 < len(given):
        return Edit(source.file, start, span(source, given[place + 1])[0], "")
    return Edit(source.file, span(source, given[place - 1])[1], stop, "")


def block(source: SourceFile, margin: str, lines: list[str]) -> str:
    return "".join(f"{margin if line else ''}{line}{source.newline}" for line in lines)
