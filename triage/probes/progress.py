"""Counts finished tests from the plugin's lines while they are being written."""

from pathlib import Path

_DONE = b'"t":"done"'
_COLLECTED = b'"t":"collected"'
_FAILING = (b'"o":"failed"', b'"o":"error"')


class EventTail:
    """Follows `out` and the files of xdist workers beside it; each poll reads what is new."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._offsets: dict[Path, int] = {}
        self.done = 0
        self.failing = 0
        self.total: int | None = None

    def poll(self) -> None:
        for path in (self._out, *self._out.parent.glob(f"{self._out.name}.gw*")):
            self._read(path)

    def _read(self, path: Path) -> None:
        offset = self._offsets.get(path, 0)
        try:
            with path.open("rb") as file:
                file.seek(offset)
                data = file.read()
        except OSError:
            return
        whole = data[: data.rfind(b"\n") + 1]
        self._offsets[path] = offset + len(whole)
        for line in whole.splitlines():
            self._count(line)

    def _count(self, line: bytes) -> None:
        head = line[:200]
        if _DONE in head:
            self.done += 1
            self.failing += any(sign in line for sign in _FAILING)
        elif _COLLECTED in head:
            count = head.partition(b'"n":')[2]
            digits = count[: len(count) - len(count.lstrip(b"0123456789"))]
            if digits:
                self.total = max(self.total or 0, int(digits))
