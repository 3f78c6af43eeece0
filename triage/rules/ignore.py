"""The part of .gitignore files that decides which Python files are the project's own."""

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

SKIPPED = frozenset({"__pycache__", "node_modules", "build", "dist", "site-packages", "venv"})


@dataclass(frozen=True, slots=True)
class Pattern:
    """`anchored` patterns are matched with the path from the folder of their file, others with a name."""

    expression: re.Pattern[str]
    anchored: bool
    folders_only: bool
    negated: bool


@dataclass(frozen=True, slots=True)
class IgnoreFile:
    """One .gitignore; plain names, the bulk of most of them, need no regular expression."""

    names: frozenset[str] = frozenset()
    patterns: tuple[Pattern, ...] = field(default=())

    @classmethod
    def read(cls, content: str) -> Self:
        lines = [line.strip() for line in content.splitlines()]
        lines = [line for line in lines if line and not line.startswith("#")]
        if any(line.startswith("!") for line in lines):
            return cls(patterns=tuple(_pattern(line) for line in lines))
        plain = {line.rstrip("/") for line in lines if not re.search(r"[*?\[\\]|/.", line)}
        rest = [line for line in lines if line.rstrip("/") not in plain]
        return cls(frozenset(plain), tuple(_pattern(line) for line in rest))

    def verdict(self, path: str, name: str, *, is_folder: bool) -> bool | None:
        """True: ignored, False: taken back by `!`, None: nothing said. `path` is from the file's folder."""
        if name in self.names:
            return True
        for each in reversed(self.patterns):
            if each.folders_only and not is_folder:
                continue
            if each.expression.match(path if each.anchored else name):
                return not each.negated
        return None


def is_ignored(chain: Iterable[tuple[str, IgnoreFile]], path: str, name: str, *, is_folder: bool) -> bool:
    """`chain` holds (folder, its file) from the root downwards; the deepest that says something decides."""
    verdict: bool | None = None
    for folder, each in chain:
        said = each.verdict(path[len(folder) :], name, is_folder=is_folder)
        verdict = said if said is not None else verdict
    return bool(verdict)


def _pattern(line: str) -> Pattern:
    negated = line.startswith("!")
    body = line[1:] if negated else line
    folders_only = body.endswith("/")
    body = body.rstrip("/")
    anchored = "/" in body
    return Pattern(re.compile(_translated(body.lstrip("/"))), anchored, folders_only, negated)


def _translated(glob: str) -> str:
    """`**` crosses folders, `*` and `?` do not (git's own reading)."""
    pieces = []
    for part in re.split(r"(\*\*/|/\*\*|\*\*)", glob):
        if part in ("**/", "/**", "**"):
            pieces.append({"**/": "(?:.*/)?", "/**": "/.*", "**": ".*"}[part])
        else:
            pieces.append(_one_level(part))
    return "".join(pieces) + r"\Z"


def _one_level(part: str) -> str:
    translated = fnmatch.translate(part)
    body = re.sub(r"^\(\?s:|\)\\[Zz]$", "", translated)
    return body.replace(".*", "[^/]*")
