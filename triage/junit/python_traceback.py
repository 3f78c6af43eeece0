"""Python's own tracebacks, one exception at a time."""

import itertools
import re

from triage.junit.exception_line import split_known, split_type
from triage.junit.frames import bounded, make_frame, raised_in, without_runner
from triage.model.case import ExceptionInfo, Frame

TITLE = "Traceback (most recent call last)"
_FRAME = re.compile(
    r'\n *File "([^"\n]+)", line (\d{1,9})(?:, in ([^\n]+))?'
    r'(?:\n {4,}(?!File ")([^\n]+))?(?:\n[ ~^]+(?=\n|\Z))?'
)


def is_python_s_own(text: str) -> bool:
    return text.lstrip().startswith(TITLE)


def read_traceback(text: str, root: str) -> ExceptionInfo:
    """`text` is one traceback, what it says included; without a frame the type is empty."""
    frames = []
    text = "\n" + text
    end = 0
    for match in _FRAME.finditer(text):
        if end and not _may_stand_between_frames(text[end : match.start()]):
            break  # the message begins; what looks like a frame there belongs to it
        path, line, function, source = match.groups()
        frames.append(make_frame(path, line, function or "<module>", source or "", root))
        end = match.end()
    kind, message = _said(text[end:], certain=bool(frames) or TITLE in text[:100])
    own = without_runner(frames)
    return ExceptionInfo(kind, message, frames=bounded(own), raised_in=raised_in(own))


def read_syntax_error(lines: list[str], frames: list[Frame], root: str) -> ExceptionInfo:
    """Python shows the place of a syntax error within the exception itself."""
    shown = read_traceback("\n".join([f"  {lines[0].lstrip()}", *lines[1:]]), root)
    own = [*frames, *shown.frames]
    return ExceptionInfo(shown.type, shown.message, frames=bounded(own), raised_in=raised_in(own))


def _may_stand_between_frames(between: str) -> bool:
    """Further source lines and `[Previous line repeated 9 more times]` stand indented."""
    return all(line.startswith("  ") for line in between.split("\n") if line)


def _said(rest: str, *, certain: bool) -> tuple[str, str]:
    lines = itertools.dropwhile(
        lambda line: not line or line.startswith((" ", "Traceback (")), rest.split("\n")
    )
    shown = "\n".join(lines).rstrip()
    return (split_known(shown) if certain else split_type(shown)) or ("", "")
