"""Where the project was checked out, as the paths of a traceback show it.

The same failure is the same in every folder; runners that show whole paths would hide that.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator

from triage.junit.places import place
from triage.junit.report import RawCase

_WHOLE = re.compile(
    r'(?m)^ *File "((?:[A-Za-z]:[\\/]|/)[^"\n]+)", line \d|^((?:[A-Za-z]:[\\/]|/)[^:\n]+\.py):\d+:(?= |$)'
)
_MAX_PATHS = 400
_HEAD = 1_000
_LEVELS = 2  # from the folder of the tests up to that of the project
_MIN_PARTS = 3  # of a folder that may be taken for one; "/home" is none


class Checkout:
    """The folder that the cases of one report have in common; learnt from one case after the other."""

    def __init__(self) -> None:
        self._root = ""
        self._frame = re.compile("")

    def learn(self, raw: RawCase, texts: Iterable[str]) -> None:
        """From the texts of a failing case, which may show a path that ends like the test's own file."""
        own = list(
            dict.fromkeys(path for text in texts if _may_show_paths(text) for path in _own_paths(text))
        )
        root = _wider(_root_of(raw, own) or self._root, self._root, own) if own else self._root
        if root != self._root:
            self._root = root
            before = re.escape(root).replace("/", r"[\\/]")
            self._frame = re.compile(rf'(?m)(^ *File "|^){before}[\\/](?=[^\n]+\.\w+[":])')

    def relative(self, *texts: str) -> tuple[str, ...]:
        """The texts with the paths of their frames relative to the folder, where that is known."""
        if not self._root:
            return texts
        return tuple(self._frame.sub(r"\1", text) if _may_show_paths(text) else text for text in texts)


def _may_show_paths(text: str) -> bool:
    """Cheap, for the many texts that show none: those that do begin with one, or soon have one."""
    head = text[:_HEAD]
    return 'File "' in head or "\n/" in head or head[:1] == "/" or ":\\" in head


def _own_paths(text: str) -> Iterator[str]:
    for number, match in enumerate(_WHOLE.finditer(text)):
        if number == _MAX_PATHS:
            return
        file, kind = place(match[1] or match[2])
        if kind != "library":
            yield file


def _root_of(raw: RawCase, own: list[str]) -> str:
    """What stands before the test's own file in the path of a frame; empty where none has it."""
    for file in _files_of(raw):
        for path in own:
            if path.endswith("/" + file):
                return path[: -len(file) - 1]
    return ""


def _files_of(raw: RawCase) -> Iterator[str]:
    """The files that the test may stand in, the longest path first."""
    if raw.file and not posixpath.isabs(raw.file) and ":" not in raw.file:
        yield raw.file.replace("\\", "/").removeprefix("./")
    parts = (raw.classname or raw.name).split(".")
    for length in range(len(parts), 0, -1):
        if all(part.isidentifier() for part in parts[:length]):
            yield "/".join(parts[:length]) + ".py"


def _wider(root: str, before: str, own: list[str]) -> str:
    """The folder above, where that holds the program beside its tests, or was seen to before."""
    if before and root.startswith(before + "/") and _depth(root) - _depth(before) <= _LEVELS:
        root = before
    for path in own:
        common = _common(root, path)
        if _depth(common) >= _MIN_PARTS and 0 < _depth(root) - _depth(common) <= _LEVELS:
            root = common
    return root


def _common(one: str, other: str) -> str:
    parts = []
    for mine, its in zip(one.split("/"), other.split("/"), strict=False):
        if mine != its:
            break
        parts.append(mine)
    return "/".join(parts)


def _depth(path: str) -> int:
    return len(path.split("/")) if path else 0
