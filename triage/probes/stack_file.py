"""Reads faulthandler's dumps: where a test was when it hung or killed the interpreter."""

import os
import re
from pathlib import Path

from triage.junit.places import is_runner, place
from triage.model.case import Frame
from triage.text import clean_text

_TAIL = 200_000
_MAX_FRAMES = 100
_FRAME = re.compile(r'  File "([^"\n]+)", line (\d{1,9}) in (.+)')
_BLOCK = re.compile(r"(?m)^(?:Current thread|Thread|Stack) .*\(most recent call first\):.*$")
_FATAL = re.compile(r"Fatal Python error: ([^\n]{1,200})")


def read_stack(path: Path, root: str) -> tuple[Frame, ...]:
    """The frames of the thread that ran the tests, outermost first; none where `path` shows none."""
    return _frames(_tail(path), root)


def read_fatal(output: Path, root: str) -> tuple[str, tuple[Frame, ...]]:
    """What faulthandler printed last: its sentence ("Segmentation fault") and the frames."""
    text = _tail(output)
    found = list(_FATAL.finditer(text))
    if not found:
        return "", ()
    return found[-1][1].strip(), _frames(text[found[-1].end() :], root)


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            return clean_text(file.read().decode(errors="replace"))
    except OSError:
        return ""


def _frames(text: str, root: str) -> tuple[Frame, ...]:
    blocks = [_block(one, root) for one in _BLOCK.split(text)[1:]]
    tests = [block for block in blocks if any(is_runner(frame.file) for frame in block)]
    chosen = (tests or [block for block in blocks if block] or [[]])[-1]
    own = next((index for index, frame in enumerate(chosen) if frame.is_own), None)
    if own is None:  # not the tests' process: under xdist the controller's
        return ()
    last = max((index for index, frame in enumerate(chosen[:own]) if is_runner(frame.file)), default=-1)
    return tuple(chosen[last + 1 :][-_MAX_FRAMES:])


def _block(text: str, root: str) -> list[Frame]:
    frames = []
    for line in text.strip("\n").split("\n"):
        match = _FRAME.fullmatch(line)
        if match is None:
            break
        file, kind = place(match[1], root)
        frames.append(Frame(file, int(match[2]), match[3], kind))
    return frames[::-1]
