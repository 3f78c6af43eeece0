"""A file of the product as text and as syntax tree, and a breakage of one place in it."""

import ast
import io
import re
import tokenize
from dataclasses import dataclass
from functools import cached_property, lru_cache

from triage.rules.source import Module

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_PLURAL = re.compile(r"(?<=..[^sui])s$")
_DULL_WORDS = (
    "the and not for has with that from into self cls test tests none true false assert return get set"
    " make new all one is of to in it by at an or raises pytest session commit add db name"
)
_DULL = frozenset(_DULL_WORDS.split())


PROCESS = ("value", "refusal")  # kinds that hold from the start of a process to its end


@dataclass(frozen=True, slots=True)
class Mutant:
    """What stands at `at` (`expr|stmt LINE:COLUMN-LINE:COLUMN`) becomes `text`; `what` says so.

    `lines` are those of its statement (first, last), `weight` how unlikely a test is to notice, `owner` the
    function or class, `words` what its source speaks of. `kind` is `function`, or of code that runs at
    import `value` or `refusal` (what the database or the class no longer refuses), or `attribute`:
    nothing is replaced, what `owner`.`attribute` gives changes as it is read.
    """

    file: str
    line: int
    at: str
    text: str
    what: str
    owner: str
    words: frozenset[str]
    lines: tuple[int, int]
    weight: float
    kind: str = "function"
    attribute: str = ""
    raises: bool = False


@dataclass(frozen=True)
class Piece:
    """One parsed module with the text of its nodes."""

    module: Module
    data: bytes

    @cached_property
    def _lines(self) -> list[bytes]:
        """In UTF-8, as columns of the syntax tree count bytes of it."""
        encoding, _ = tokenize.detect_encoding(io.BytesIO(self.data).readline)
        text = self.data.decode(encoding, errors="replace")
        return [line.encode() for line in re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)]

    def text(self, node: ast.expr) -> str:
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        lines = self._lines[first : last + 1]
        if not lines:
            return ""
        lines[-1] = lines[-1][: node.end_col_offset]
        lines[0] = lines[0][node.col_offset :]
        return b"".join(lines).decode(errors="replace")


def spot(node: ast.expr | ast.stmt) -> str:
    kind = "expr" if isinstance(node, ast.expr) else "stmt"
    return f"{kind} {node.lineno}:{node.col_offset}-{node.end_lineno}:{node.end_col_offset}"


@lru_cache(maxsize=8192)
def words_of(*texts: str) -> frozenset[str]:
    """The words that identifiers and texts are made of, dull ones left out, plurals as singulars."""
    found = (word.lower() for text in texts for word in _WORD.findall(text))
    return frozenset(_PLURAL.sub("", word) for word in found if len(word) > 1 and word not in _DULL)


def names_in(*nodes: ast.AST) -> frozenset[str]:
    """Identifiers, keywords and texts that stand in these nodes."""
    found: set[str] = set()
    for each in (each for node in nodes for each in ast.walk(node)):
        for field in ("id", "attr", "arg", "name"):
            value = getattr(each, field, None)
            if isinstance(value, str):
                found.add(value)
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            found.add(each.value[:200])
    return frozenset(found)
