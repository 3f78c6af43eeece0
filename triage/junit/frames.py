"""Frames of a traceback, without those of the runner that called the test."""

from functools import lru_cache

from triage.junit.places import is_runner, place
from triage.model.case import Frame

_MAX_FRAMES = 200
_SOURCE_CHARS = 300


@lru_cache(maxsize=4096)
def make_frame(path: str, line: str, function: str, source: str, root: str) -> Frame:
    file, kind = place(path, root)
    shown = source.strip()[:_SOURCE_CHARS] or None
    return Frame(file, int(line), function[:_SOURCE_CHARS], kind, source=shown)


def without_runner(frames: list[Frame]) -> list[Frame]:
    """Python shows the runner above the test and its assert functions below; pytest hides both."""
    own = [index for index, frame in enumerate(frames) if not is_runner(frame.file)]
    return frames[own[0] : own[-1] + 1] if own else frames


def raised_in(frames: list[Frame]) -> str | None:
    for frame in reversed(frames):
        if frame.kind != "generated":
            return frame.file
    return None


def bounded(frames: list[Frame]) -> tuple[Frame, ...]:
    half = _MAX_FRAMES // 2
    return tuple(frames if len(frames) <= _MAX_FRAMES else frames[:half] + frames[-half:])
