"""The project's texts, and expressions searched in them in linear time (RE2)."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triage.errors import ConfigurationError
from triage.text import clean_text

MAX_FILE = 4_000_000  # bytes of one file that is looked into
_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages", "venv"})


@dataclass(frozen=True, slots=True)
class Hit:
    """`text` is what the expression matched, with the whole of the dotted name that it begins in."""

    file: str
    line: int
    text: str


def compiled(expression: str, where: str) -> Any:
    """`^` and `$` are the ends of lines.

    Raises:
        ConfigurationError: RE2 does not take it.
    """
    import re2  # noqa: PLC0415 - most projects have no patterns

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(f"(?m){expression}", options)
    except (re2.error, UnicodeEncodeError) as error:
        raise ConfigurationError(
            f"the expression is not valid: {clean_text(expression)}: {error}",
            where=where,
            allowed="RE2 syntax (linear time): no look-around, no back-references",
        ) from error


def is_inside(root: Path, path: str) -> bool:
    """Whether a path of the project file stays in the project, links followed."""
    try:
        return (root / path).resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links, a null character
        return False


def text_of(path: Path) -> str | None:
    """None for what is no regular file, too large, or no text."""
    try:
        if not path.is_file() or path.stat().st_size > MAX_FILE:
            return None
        data = path.read_bytes()
    except (OSError, ValueError):
        return None
    return None if b"\0" in data else data.decode("utf-8", "replace").replace("\r\n", "\n")


def files_below(root: Path, path: str) -> Iterator[str]:
    """The file, or all files of the folder, by their names; relative to `root`, links left out."""
    place = root / path
    if place.is_file():
        yield place.relative_to(root).as_posix()
        return
    for folder, names, files in os.walk(place):
        names[:] = sorted(name for name in names if not _is_skipped(Path(folder, name)))
        for name in sorted(files):
            found = Path(folder, name)
            if not found.is_symlink():
                yield found.relative_to(root).as_posix()


def _is_skipped(folder: Path) -> bool:
    return folder.name in _SKIPPED or folder.name.startswith(".") or (folder / "pyvenv.cfg").exists()


def hits(expression: Any, root: Path, files: Sequence[str]) -> Iterator[Hit]:
    for file in files:
        text = text_of(root / file)
        if text is not None:
            for found in expression.finditer(text):
                line = text.count("\n", 0, found.start()) + 1
                yield Hit(file, line, text[_name_start(text, found.start()) : found.end()])


def _name_start(text: str, at: int) -> int:
    while at and (text[at - 1].isalnum() or text[at - 1] in "_."):
        at -= 1
    return at
