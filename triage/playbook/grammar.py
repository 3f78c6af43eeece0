"""The structure of an RE2 expression: what repeats, what are alternatives, where the anchors stand.

Only expressions that RE2 has accepted are read; see https://github.com/google/re2/wiki/Syntax.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

_CLASS = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:[pP]\{[^}]*\}|[pP].|x\{[0-9A-Fa-f]+\}|x[0-9A-Fa-f]{2}|[0-7]{1,3}|.)", re.DOTALL)
_GROUP = re.compile(r"\(\?P?<\w+>|\(\?(?P<flags>[imsU]*(?:-[imsU]+)?)(?P<end>[:)])|\(")
_REPEAT = re.compile(r"(?:(?P<sign>[*+?])|\{(?P<low>\d+)(?P<comma>,(?P<high>\d*))?\})\??")
_SIGNS: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}


class Atom(NamedTuple):
    """One character of a class: its text, and the flags in force there."""

    text: str
    flags: str


class Anchor(NamedTuple):
    """A place without width: `begin` or `end` of the text, or any `other`."""

    kind: str


@dataclass(frozen=True, slots=True)
class Repeat:
    item: "Node"
    low: int
    high: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Concat:
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Alternatives, each with its text."""

    items: tuple["Node", ...]
    texts: tuple[str, ...]


Node = Atom | Anchor | Repeat | Concat | Choice


@lru_cache(maxsize=1024)
def parse(expression: str) -> Node:
    """The structure of an expression that RE2 accepts.

    Raises:
        ValueError: it is not understood.
    """
    reader = _Reader(expression)
    try:
        node = reader.choice("")
    except RecursionError as error:
        raise ValueError(expression) from error
    if reader.at < len(expression):
        raise ValueError(expression)
    return node


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def choice(self, flags: str) -> Node:
        """Up to the end of the group; `(?i)` holds for what follows it there."""
        branches: list[tuple[Node, str]] = []
        items: list[Node] = []
        start = self.at
        while self.at < len(self.text) and self.text[self.at] != ")":
            if self.text[self.at] == "|":
                branches.append((Concat(tuple(items)), self.text[start : self.at]))
                items, self.at = [], self.at + 1
                start = self.at
                continue
            found, flags = self._item(flags)
            items += found
        branches.append((Concat(tuple(items)), self.text[start : self.at]))
        if len(branches) == 1:
            return branches[0][0]
        return Choice(tuple(node for node, _ in branches), tuple(text for _, text in branches))

    def _item(self, flags: str) -> tuple[list[Node], str]:
        start = self.at
        if self.text.startswith(r"\Q", start):
            return self._quoted(flags), flags
        node, flags = self._group(flags) if self.text[start] == "(" else (self._single(flags), flags)
        if node is None:
            return [], flags
        while found := _REPEAT.match(self.text, self.at):
            self.at = found.end()
            low, high = _bounds(found)
            node = Repeat(node, low, high, self.text[start : self.at])
        return [node], flags

    def _quoted(self, flags: str) -> list[Node]:
        words, _, _ = self.text[self.at + 2 :].partition(r"\E")
        self.at = min(len(self.text), self.at + 4 + len(words))
        return [Atom(re.escape(one), flags) for one in words]

    def _group(self, flags: str) -> tuple[Node | None, str]:
        found = _GROUP.match(self.text, self.at)
        if found is None:
            raise ValueError(self.text)
        self.at = found.end()
        inner = flags if found["flags"] is None else _changed(flags, found["flags"])
        if found["end"] == ")":
            return None, inner
        node = self.choice(inner)
        self.at += 1
        return node, flags

    def _single(self, flags: str) -> Node:
        found = (_CLASS if self.text[self.at] == "[" else _ESCAPE).match(self.text, self.at)
        text = found[0] if found else self.text[self.at]
        self.at += len(text)
        if text in (r"\b", r"\B") or ("m" in flags and text in "^$"):
            return Anchor("other")
        if text in ("^", r"\A"):
            return Anchor("begin")
        if text in ("$", r"\z"):
            return Anchor("end")
        return Atom(text, flags)


def _bounds(found: re.Match[str]) -> tuple[int, int | None]:
    if found["sign"]:
        return _SIGNS[found["sign"]]
    low = int(found["low"])
    if found["comma"] is None:
        return low, low
    return low, int(found["high"]) if found["high"] else None


def _changed(flags: str, change: str) -> str:
    on, _, off = change.partition("-")
    return "".join(sorted((set(flags) | set(on)) - set(off)))
