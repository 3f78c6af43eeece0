"""Edits of whole statements: into a block, out of one, to another place."""

import ast
from collections.abc import Iterator, Sequence

import libcst as cst

from triage.model.fix import Edit
from triage.remedies.source import SourceFile, UntouchableError
from triage.rules.source import Module
from triage.rules.syntax import SCOPES

Block = ast.With | ast.AsyncWith
_LISTS = ("body", "orelse", "finalbody", "handlers")
_WHITE = " \t\f"


def spot(source: SourceFile, node: ast.stmt | ast.expr) -> tuple[int, int]:
    """First and last character; `ast` counts columns in bytes of UTF-8."""
    stop = node.end_lineno or node.lineno
    return (
        _place(source, node.lineno, node.col_offset),
        _place(source, stop, node.end_col_offset or 0),
    )


def _place(source: SourceFile, line: int, column: int) -> int:
    text = line_text(source, line)
    return source.offset(line, len(text.encode("utf-8")[:column].decode("utf-8")))


def line_text(source: SourceFile, line: int) -> str:
    """With its end; empty after the last line."""
    start = source.offset(line, 0)
    return source.text[start : line_end(source, line)]


def line_end(source: SourceFile, line: int) -> int:
    """Where the next line starts."""
    try:
        return source.offset(line + 1, 0)
    except IndexError:
        return len(source.text)


def indent(source: SourceFile, line: int) -> str:
    text = line_text(source, line)
    return text[: len(text) - len(text.lstrip(_WHITE))]


def first_line(node: ast.stmt) -> int:
    """Decorators included."""
    decorators = node.decorator_list if isinstance(node, SCOPES) else []
    return min([node.lineno, *(each.lineno for each in decorators)])


def last_line(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def siblings(module: Module, node: ast.stmt) -> list[ast.stmt]:
    """The list of statements in which `node` stands."""
    parent = module.parents.get(node)
    for name in _LISTS:
        found = getattr(parent, name, None)
        if isinstance(found, list) and node in found:
            return found
    return [node]


def following(module: Module, node: ast.stmt) -> list[ast.stmt]:
    """The statements after `node` in its own list."""
    found = siblings(module, node)
    return found[found.index(node) + 1 :]


def own_lines(source: SourceFile, *nodes: ast.stmt) -> None:
    """Refuses statements that share their lines with others.

    Raises:
        UntouchableError: `a; b`, or `with x: y` on one line.
    """
    for node in nodes:
        start, stop = spot(source, node)
        before = source.text[source.offset(node.lineno, 0) : start]
        after = source.text[stop : line_end(source, last_line(node))].strip()
        if before.strip() or (after and not after.startswith("#")):
            raise UntouchableError(f"{source.file}:{node.lineno} shares its line with another statement")


def body_indent(source: SourceFile, block: ast.stmt) -> str:
    """Indentation of a block's body.

    Raises:
        UntouchableError: the body stands on the line of the head.
    """
    body = getattr(block, "body", None)
    if not body:
        raise UntouchableError(f"{source.file}:{block.lineno} has no body")
    own_lines(source, body[0])
    return indent(source, first_line(body[0]))


def span_lines(nodes: Sequence[ast.stmt]) -> tuple[int, int]:
    return first_line(nodes[0]), last_line(nodes[-1])


def frozen_lines(source: SourceFile) -> frozenset[int]:
    """Lines that begin inside a string: their white space is data."""
    found: set[int] = set()
    strings: list[cst.CSTNode] = [*source.all(cst.SimpleString), *source.all(cst.FormattedString)]
    for node in strings:
        first, last = source.lines(node)
        found.update(range(first + 1, last + 1))
    return frozenset(found)


def shifted(source: SourceFile, first: int, last: int, old: str, new: str) -> Iterator[Edit]:
    """These lines from one indentation to another, each by its own small edit."""
    frozen = frozen_lines(source)
    for line in range(first, last + 1):
        text = line_text(source, line)
        if line in frozen or not text.strip():
            continue
        at = source.offset(line, 0)
        fresh = _moved(text, old, new)
        if fresh != text:
            yield source.change(at, at + len(text), fresh)


def moved_text(source: SourceFile, first: int, last: int, old: str, new: str) -> str:
    """Whole lines as they read at another indentation; they end with a line end."""
    frozen = frozen_lines(source)
    lines = [(line, line_text(source, line)) for line in range(first, last + 1)]
    text = "".join(
        text if line in frozen or not text.strip() else _moved(text, old, new) for line, text in lines
    )
    return text if text.endswith(("\n", "\r")) else text + source.newline


def _moved(text: str, old: str, new: str) -> str:
    if text.startswith(old):
        return new + text[len(old) :]
    if new.startswith(old):  # a comment or a continuation further left than its statement
        return new[len(old) :] + text
    white = len(text) - len(text.lstrip(_WHITE))
    return text[min(white, len(old) - len(new)) :]


def removed(source: SourceFile, node: ast.stmt) -> Edit:
    """The whole lines of a statement."""
    own_lines(source, node)
    first, last = span_lines([node])
    return Edit(source.file, source.offset(first, 0), line_end(source, last), "")


def inserted(source: SourceFile, after: int, *lines: str) -> Edit:
    """Whole lines, indented by the caller, below line `after`."""
    at = line_end(source, after)
    text = "".join(f"{line}{source.newline}" for line in lines)
    return Edit(source.file, at, at, _joined(source, at, text))


def inserted_text(source: SourceFile, after: int, text: str) -> Edit:
    at = line_end(source, after)
    return Edit(source.file, at, at, _joined(source, at, text))


def _joined(source: SourceFile, at: int, text: str) -> str:
    """A file whose last line has no end gets one first."""
    if at == len(source.text) and not source.text.endswith(("\n", "\r")):
        return source.newline + text.rstrip("\r\n")
    return text


def unwrapped(source: SourceFile, block: ast.stmt) -> list[Edit]:
    """A block's head goes, its body moves left to where the head stood."""
    inner = body_indent(source, block)
    body: list[ast.stmt] = getattr(block, "body", [])
    first, last = first_line(body[0]), last_line(body[-1])
    head = source.offset(block.lineno, 0)
    start = source.offset(_body_start(source, block, first), 0)
    outer = indent(source, block.lineno)
    lead = _body_start(source, block, first)
    return [Edit(source.file, head, start, ""), *shifted(source, lead, last, inner, outer)]


def _body_start(source: SourceFile, block: ast.stmt, first: int) -> int:
    """Comments between the head and the first statement belong to the body."""
    line = first
    while line - 1 > block.lineno and line_text(source, line - 1).lstrip(_WHITE).startswith("#"):
        line -= 1
    return line
