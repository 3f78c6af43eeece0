"""pytest's own styles: `E` lines hold the exception, the lines above and below it its frames.

`path:line: in function` is short, `path:line: Name` below the source long; `line` and `no` have none.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from triage.junit.exception_line import split_known
from triage.junit.frames import bounded, make_frame, raised_in, without_runner
from triage.junit.places import is_runner
from triage.junit.python_traceback import read_syntax_error
from triage.model.case import ExceptionInfo, Frame

_ENTRY = re.compile(r"((?:[A-Za-z]:[\\/])?[^\s:>][^:]*):(\d{1,9}):(?: in (.+)| ?([\w.]*))")
_DEFINITION = re.compile(r">? *(?:async )?def (\w+)")
_LOCAL_NAMED_E = "E          = "  # as `--showlocals` shows it, above the exception
_FIXTURE_FAULTS = ("fixture '", "recursive dependency involving fixture '")
_FIXTURE_LISTING = "\n>       available fixtures: "


def find_mark(block: str) -> int:
    """Where the first `E` line begins; -1 without one."""
    mark = 0 if block.startswith("E  ") else block.find("\nE  ") + 1 or -1
    while mark >= 0 and block.startswith(_LOCAL_NAMED_E, mark):
        mark = block.find("\nE  ", mark) + 1 or -1
    return mark


def read_block(block: str, mark: int, root: str) -> ExceptionInfo:
    """One exception with its frames; `mark` is where its first `E` line begins."""
    said, rest = _marked_lines(block[mark:].split("\n"), is_alone=not block[:mark].strip())
    frames, name = _entries(block[:mark] + rest, root)
    if frames and frames[0].kind == "library" and is_runner(frames[0].file):  # `--full-trace` shows it
        frames = without_runner(frames)
    if said[0].lstrip().startswith('File "'):
        return read_syntax_error(said, frames, root)
    kind, message = _exception(said, name, rest)
    return ExceptionInfo(kind, message, frames=bounded(frames), raised_in=raised_in(frames))


def _marked_lines(lines: list[str], *, is_alone: bool) -> tuple[list[str], str]:
    """The `E` lines without their margin, and what follows them.

    Without frames (`line`, `no`) only the first is marked and the others are indented; below frames
    what is indented are the locals of `--showlocals`.
    """
    first = lines[0]
    margin = len(first) - len(first[1:].lstrip())
    found = [first[margin:]]
    for index, line in enumerate(lines[1:], 1):
        if line.startswith("E  ") or line == "E":
            found.append(line[1:].lstrip() if line[1:margin].strip() else line[margin:])
        elif is_alone and line.startswith("    "):
            found.append(line[4:])
        else:
            return found, "\n".join(lines[index:])
    return found, ""


def _exception(lines: list[str], location_name: str, rest: str) -> tuple[str, str]:
    """Type and full message; a bare assert shows no class name, a missing fixture neither."""
    whole = "\n".join(lines).rstrip()
    if whole.startswith("assert ") or whole == "assert":
        return "AssertionError", whole
    if whole.startswith(_FIXTURE_FAULTS) and ("\n" + rest).startswith(_FIXTURE_LISTING):
        return "_pytest.fixtures.FixtureLookupError", whole
    return split_known(whole) or (location_name, whole)


def _entries(text: str, root: str) -> tuple[list[Frame], str]:
    """Frames of the short and long styles, and the class name beside the last location.

    All but the first entry is looked up: many tests fail along one way below their own line.
    """
    end = _end_of_first(text)
    first, name = _read_entries.__wrapped__(text[:end], root)
    others, later = _read_entries(text[end:], root)
    return [*first, *others], later or name


def _end_of_first(text: str) -> int:
    """Behind the first location and the source line that the short style has below it."""
    start = 0
    while (end := text.find("\n", start)) >= 0:
        if end > start and text[start] not in " >" and _ENTRY.fullmatch(text, start, end):
            below = text.find("\n", end + 1)
            return below if below >= 0 else len(text)
        start = end + 1
    return len(text)


@lru_cache(maxsize=512)
def _read_entries(text: str, root: str) -> tuple[tuple[Frame, ...], str]:
    lines = text.split("\n")
    frames: list[Frame] = []
    name = source = ""
    start = 0
    for index, line in enumerate(lines):
        if not line or line[0] == " ":
            continue
        if line[0] == ">":
            source = line[1:]
        elif entry := _entry(line, lines[index + 1] if index + 1 < len(lines) else "", root):
            if entry.frame is None:
                name = entry.name or name
                frames.append(make_frame(entry.path, entry.line, _function(lines[start:index]), source, root))
            else:
                frames.append(entry.frame)
            start, source = index + 1, ""
    return tuple(frames), name


class _Entry(NamedTuple):
    """A location line; `frame` is None in the long style, whose function stands above it."""

    path: str
    line: str
    name: str
    frame: Frame | None


@lru_cache(maxsize=4096)
def _entry(text: str, below: str, root: str) -> _Entry | None:
    match = _ENTRY.fullmatch(text)
    if match is None:
        return None
    path, line, function, name = match.groups()
    if " = " in path:  # one of the locals that `--showlocals` adds
        return None
    source = below if below.startswith("    ") else ""
    frame = make_frame(path, line, function, source, root) if function else None
    return _Entry(path, line, name or "", frame)


def _function(lines: list[str]) -> str:
    """The long style shows a function from its first line on, above the location."""
    for line in lines:
        if "def " in line and (match := _DEFINITION.match(line)):
            return match[1]
    return "<module>"
