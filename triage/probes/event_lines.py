"""Reads the plugin's JSON lines; the records are in docs/reference/events.md.

Tests run in the process that writes them, so nothing in them is trusted: wrong types are as good as
absent, and a torn or endless line costs no more than itself.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triage.model.terms import Outcome
from triage.text import clean_text

_MAX_LINE = 8_000_000
_MAX_NOTES = 20
_MAX_NUMBER = 1_000_000_000
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}

Record = Mapping[str, Any]


@dataclass(slots=True)
class TestEvents:
    """What the lines say of one test; `outcome` is None while it has not ended."""

    __test__ = False

    started: bool = False
    outcome: Outcome | None = None
    duration_s: float = 0.0
    fails: list[Record] = field(default_factory=list)


@dataclass(slots=True)
class EventLog:
    """The lines of all files of a run, by test and by kind; `seen` is False where there is none.

    `planned` are the node ids in run order, `lines` where the tests stand in their files as far as
    that is known, `planned_count` how many tests were collected;
    `exit_status` is set where the session reached its end.
    """

    seen: bool = False
    root: str = ""
    tests: dict[str, TestEvents] = field(default_factory=dict)
    planned: list[str] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    planned_count: int = 0
    exit_status: int | None = None
    packages: dict[str, str] = field(default_factory=dict)
    others: dict[str, list[Record]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def of(self, kind: str) -> list[Record]:
        """The records of one kind that are not about the course of a test."""
        return self.others.get(kind, [])

    def note(self, sentence: str) -> None:
        if len(self.notes) < _MAX_NOTES and sentence not in self.notes:
            self.notes.append(sentence)


def read_events(paths: Sequence[Path]) -> EventLog:
    """Everything that the lines in `paths` say; the first is the main process's."""
    log = EventLog()
    for path in paths:
        _FileReader(log).read(path)
    return log


def text_of(record: Record, key: str) -> str:
    value = record.get(key)
    return value if isinstance(value, str) else ""


def count_of(record: Record, key: str) -> int:
    """A whole number between 0 and a billion; 0 where it is none."""
    value = record.get(key)
    return value if type(value) is int and 0 <= value < _MAX_NUMBER else 0


def records_of(record: Record, key: str, limit: int) -> list[Record]:
    value = record.get(key)
    return [one for one in value[:limit] if isinstance(one, dict)] if isinstance(value, list) else []


def texts_of(record: Record, key: str, limit: int) -> list[str]:
    value = record.get(key)
    return [one for one in value[:limit] if isinstance(one, str)] if isinstance(value, list) else []


class _FileReader:
    """One file; `_worker` is set when an xdist worker wrote it."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._worker = False
        self._course: dict[str, Callable[[Record], None]] = {
            "start": self._start,
            "done": self._done,
            "fail": self._fail,
            "session": self._session,
            "packages": self._packages,
            "collected": self._collected,
            "end": self._end,
            "spectrum": lambda _: None,  # large, and read on its own: see `spectra`
        }

    def read(self, path: Path) -> None:
        try:
            for record in self._records(path):
                self._log.seen = True
                kind = record.get("t")
                if isinstance(kind, str):
                    handle = self._course.get(kind)
                    if handle is not None:
                        handle(record)
                    else:
                        self._log.others.setdefault(kind, []).append(record)
        except OSError as error:
            self._log.note(f"{path.name} cannot be read: {error.strerror}")

    def _records(self, path: Path) -> Iterator[Record]:
        with path.open("rb") as file:
            while line := file.readline(_MAX_LINE):
                if not line.endswith(b"\n"):
                    self._skip_rest(file, path, line)
                    continue
                try:
                    record = json.loads(line.decode())
                except (ValueError, RecursionError):
                    self._log.note(f"{path.name} has lines that are no JSON; they were left out")
                    continue
                if isinstance(record, dict):
                    yield record

    def _skip_rest(self, file: Any, path: Path, line: bytes) -> None:
        if len(line) < _MAX_LINE:
            self._log.note(f"the last line of {path.name} is torn; it was left out")
        while line and not line.endswith(b"\n"):
            line = file.readline(_MAX_LINE)

    def _test(self, record: Record) -> TestEvents | None:
        nodeid = text_of(record, "id")
        if not nodeid:
            return None
        found = self._log.tests.get(nodeid)
        return found if found is not None else self._log.tests.setdefault(clean_text(nodeid), TestEvents())

    def _start(self, record: Record) -> None:
        test = self._test(record)
        if test is not None:
            test.started = True
            test.outcome = None  # a rerun: the last one counts
            test.fails = []

    def _done(self, record: Record) -> None:
        test = self._test(record)
        outcome = _OUTCOMES.get(text_of(record, "o"))
        if test is not None and outcome is not None:
            test.outcome = outcome
            test.duration_s = _seconds(record.get("d"))

    def _fail(self, record: Record) -> None:
        test = self._test(record)
        if test is not None:
            test.fails.append(record)

    def _session(self, record: Record) -> None:
        self._worker = bool(text_of(record, "w"))
        self._log.root = self._log.root or clean_text(text_of(record, "root"))
        self._packages(record)

    def _packages(self, record: Record) -> None:
        packages = record.get("packages")
        if isinstance(packages, dict):
            for name, version in list(packages.items())[:500]:
                if isinstance(version, str):
                    self._log.packages[clean_text(name)[:200]] = clean_text(version)[:200]

    def _collected(self, record: Record) -> None:
        self._log.planned_count = max(self._log.planned_count, count_of(record, "n"))
        ids = texts_of(record, "ids", 10_000_000)
        if len(ids) > len(self._log.planned):
            self._log.planned = [clean_text(one) for one in ids]
            lines = record.get("lines")
            if isinstance(lines, list) and len(lines) == len(ids):
                pairs = zip(self._log.planned, lines, strict=True)
                self._log.lines = {one: n for one, n in pairs if type(n) is int and 0 < n < _MAX_NUMBER}

    def _end(self, record: Record) -> None:
        if not self._worker:
            self._log.exit_status = count_of(record, "exit")


def _seconds(value: Any) -> float:
    if type(value) is int and 0 <= value < _MAX_NUMBER:
        return float(value)
    return value if isinstance(value, float) and math.isfinite(value) and value >= 0 else 0.0
