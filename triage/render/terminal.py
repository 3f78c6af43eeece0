"""The live view on a terminal: one line per project while it runs. The only door to rich."""

import os
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from triage.model.progress import Progress
from triage.render.plain import flat, progress_line

if TYPE_CHECKING:
    from rich.text import Text

REFRESHES_PER_S = 4


class View(Protocol):
    """Shows progress while it is entered."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def update(self, progress: Progress) -> None: ...


class PlainView:
    """For a pipe or a log: a line when a project enters a stage, nothing in between."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._stages: dict[str, str] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, progress: Progress) -> None:
        with self._lock:
            if self._stages.get(progress.project) != progress.stage:
                self._stages[progress.project] = progress.stage
                self._stream.write(f"{flat(progress.project)}  {flat(progress.stage)}\n")


class SilentView:
    """For --quiet."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, progress: Progress) -> None:
        """Shows nothing."""


class LiveView:
    """For a terminal: lines that are rewritten in place and gone at the end."""

    def __init__(self, stream: TextIO, projects: Sequence[str]) -> None:
        from rich.console import Console  # noqa: PLC0415 - only a terminal pays for rich
        from rich.live import Live  # noqa: PLC0415 - likewise

        self._lines: dict[str, Progress] = {name: Progress(name, "waiting") for name in projects}
        self._lock = threading.Lock()
        console = Console(file=stream, markup=False, emoji=False, highlight=False)
        self._live = Live(
            console=console,
            refresh_per_second=REFRESHES_PER_S,
            transient=True,
            get_renderable=self._render,
        )

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def update(self, progress: Progress) -> None:
        with self._lock:
            self._lines[progress.project] = progress

    def _render(self) -> "Text":
        from rich.text import Text  # noqa: PLC0415 - likewise

        with self._lock:
            lines = [progress_line(one) for one in self._lines.values()]
        return Text("\n".join(lines), no_wrap=True, overflow="ellipsis")


def make_view(stream: TextIO, projects: Sequence[str], *, quiet: bool) -> View:
    """The view that fits where the messages go."""
    if quiet:
        return SilentView()
    can_rewrite = stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")
    return LiveView(stream, projects) if can_rewrite else PlainView(stream)
