"""Exception groups, which Python shows behind a margin that grows with their depth.

A group whose exceptions are all of one kind (class and message, numbers and quotes aside) hands the
decision to the first of them, as if that were its direct cause; parts of a mixed group decide nothing.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from triage.junit.python_traceback import read_traceback
from triage.model.case import ExceptionInfo

_TITLE = "Exception Group Traceback (most recent call last)"
_MAX_DEPTH = 12  # Python shows 10
_MAX_PARTS = 20  # Python shows 15
_PART = re.compile(r"(?:  \+-\+|    \+)-{16} (\d+|\.\.\.) -{16}")
_END = "    +------------------------------------"
_VARYING = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|\d+")
_Chain = tuple[ExceptionInfo, ...]


@dataclass(frozen=True, slots=True)
class _Reader:
    root: str
    read_chain: Callable[[str], _Chain]


def is_group(text: str) -> bool:
    return text.lstrip(" \n+").startswith(_TITLE)


def read_group(text: str, root: str, read_chain: Callable[[str], _Chain]) -> _Chain:
    """The group, then its exceptions; `read_chain` reads the text of one that is no group."""
    head, parts = _split(text.strip("\n").split("\n")[1:])
    group = read_traceback("\n".join(map(_without_margin, head)), root)
    leaves = _leaves(parts, _Reader(root, read_chain), _MAX_DEPTH)
    known = [leaf for leaf in leaves if leaf[0].type]
    others = [replace(leaf[0], via="group") for leaf in known]
    if known and len({_kind(leaf[0]) for leaf in leaves}) == 1:
        return group, replace(known[0][0], via="cause"), *known[0][1:], *others[1:]
    return group, *others


def decided(chain: _Chain) -> _Chain:
    """The same rule for a chain whose classes are known with their bases."""
    leaves = [one for one in chain if one.via == "group" and not any(map(_is_group_class, one.bases))]
    if not leaves or len(set(map(_kind, leaves))) > 1:
        return chain
    others = (one for one in chain[1:] if one is not leaves[0])
    return chain[0], replace(leaves[0], via="cause"), *others


def _is_group_class(name: str) -> bool:
    return name.rpartition(".")[2] == "BaseExceptionGroup"


def _leaves(parts: list[list[str]], reader: _Reader, depth: int) -> list[_Chain]:
    """The chain of each exception that is no group, in those of its parts that are groups too."""
    found = []
    for lines in parts[:_MAX_PARTS] if depth else []:
        head, inner = _split(lines)
        if inner:
            found += _leaves(inner, reader, depth - 1)
        else:
            found.append(reader.read_chain("\n".join(map(_without_margin, head))))
    return found


def _split(lines: list[str]) -> tuple[list[str], list[list[str]]]:
    """A group's own lines, and those of each part one margin less deep."""
    head: list[str] = []
    parts: list[list[str]] = []
    for line in lines:
        if line.startswith(("  +-+-", "    +-")):
            if _PART.fullmatch(line):
                parts.append([])
                continue
            if line == _END:
                continue
        if parts:
            parts[-1].append(line[2:])
        else:
            head.append(line)
    return head, parts


def _without_margin(line: str) -> str:
    return line[4:] if line.startswith("  | ") else line[3:] if line == "  |" else line


def _kind(leaf: ExceptionInfo) -> tuple[str, str]:
    return leaf.type, _VARYING.sub("", leaf.message)
