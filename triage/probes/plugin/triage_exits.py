"""The line of a `with` statement whose block ends: Python before 3.10 runs `__exit__` at the block's last line."""

from __future__ import annotations

import ast
import dis
import sys

_NAMES = ("__exit__", "__aexit__")


def line_of(tools, frame, called):
    """The block's line where `called`, the next inner frame, ends it; otherwise None."""
    if sys.version_info >= (3, 10) or called is None or called.f_code.co_name not in _NAMES:
        return None
    return tools.guarded(_line_of, tools, frame)


def _line_of(tools, frame):
    blocks = [
        node
        for node in ast.walk(_tree(tools, frame.f_code.co_filename))
        if isinstance(node, (ast.With, ast.AsyncWith)) and node.lineno <= frame.f_lineno <= node.end_lineno
    ]
    if tools.place(frame) is None or not blocks:
        return None
    lines = [item.context_expr.lineno for node in reversed(blocks) for item in reversed(node.items)]
    return lines[min(_ended_before(frame.f_code, frame.f_lasti), len(lines) - 1)]


def _ended_before(code, here):
    """How many blocks have been left at this line before: the compiler lays their exits one after the other."""
    ended, same, handler = 0, False, False
    recent = []
    for instruction in dis.get_instructions(code):
        if instruction.starts_line is not None:
            same = instruction.starts_line == _line_at(code, here)
            ended = 0 if not same else ended
        if instruction.offset >= here:
            handler = instruction.opname == "WITH_EXCEPT_START"
            break
        recent = recent[-2:] + [instruction.opname]
        if same and (
            instruction.opname == "WITH_CLEANUP_START" or recent == ["DUP_TOP", "DUP_TOP", "CALL_FUNCTION"]
        ):
            ended += 1
    return max(ended - handler, 0)


def _line_at(code, offset):
    found = code.co_firstlineno
    for start, line in dis.findlinestarts(code):
        if start > offset:
            break
        found = line
    return found


def _tree(tools, filename):
    tools.statement(filename, 1)
    return tools._trees[filename]
