"""Reads which lines each test executed, as the observer `line-spectrum` wrote them.

Tests run in the process that writes these records, so nothing in them is trusted: what has the wrong
type or is past a bound is left out. Read as a stream, equal pieces kept once: most tests of a suite
execute the same lines of a file.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triage.text import clean_text

# By file, ranges of line numbers, both ends included, in order and without overlap.
Lines = Mapping[str, tuple[tuple[int, int], ...]]

MAX_LINE_NUMBER = 1_000_000
_MAX_BYTES = 8_000_000  # of one record
_MAX_TESTS = 200_000
_MAX_FILES = 5_000  # of one test
_MAX_RANGES = 5_000_000  # kept in all
_MAX_NAME = 1_000
_MAX_ERRORS = 5
_HEADS = (b'{"t":"spectrum"', b'{"t":"spectrum_error"')
_Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Spectra:
    """`lines` by node id; `test_files` hold code of tests; `notes` say what could not be seen or kept."""

    lines: Mapping[str, Lines] = field(default_factory=dict)
    test_files: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def read_spectra(paths: Sequence[Path]) -> Spectra:
    """What the records in these files say; of a test that ran twice the last."""
    reader = _Reader()
    for path in paths:
        try:
            for record in _records(path):
                reader.take(record)
        except OSError as error:
            reader.note(f"{path.name} cannot be read: {error.strerror}")
    return Spectra(reader.lines, frozenset(reader.test_files), tuple(reader.notes))


class _Reader:
    def __init__(self) -> None:
        self.lines: dict[str, dict[str, _Ranges]] = {}
        self.test_files: set[str] = set()
        self.notes: list[str] = []
        self._names: dict[str, str] = {}
        self._known: dict[_Ranges, _Ranges] = {}
        self._kept = 0

    def take(self, record: Mapping[str, Any]) -> None:
        if record.get("t") == "spectrum_error":
            text = record.get("text")
            self.note(clean_text(text)[:500] if isinstance(text, str) else "lines cannot be watched")
        elif record.get("t") == "spectrum":
            self._test(record)

    def note(self, sentence: str) -> None:
        if sentence not in self.notes and len(self.notes) < _MAX_ERRORS:
            self.notes.append(sentence)

    def _test(self, record: Mapping[str, Any]) -> None:
        nodeid, files, tests = record.get("id"), record.get("files"), record.get("tests")
        if not isinstance(nodeid, str) or not nodeid or not isinstance(files, dict):
            return
        nodeid = clean_text(nodeid)
        if nodeid not in self.lines and len(self.lines) >= _MAX_TESTS:
            self.note(f"only the lines of the first {_MAX_TESTS:,} tests are kept")
            return
        found = {self._name(name): self._ranges(value) for name, value in list(files.items())[:_MAX_FILES]}
        self.lines[nodeid] = {name: ranges for name, ranges in found.items() if ranges}
        if isinstance(tests, list):
            named = {self._name(one) for one in tests[:_MAX_FILES] if isinstance(one, str)}
            self.test_files |= named & found.keys()

    def _name(self, name: str) -> str:
        known = self._names.get(name)
        if known is None:
            known = self._names[name] = clean_text(name)[:_MAX_NAME]
        return known

    def _ranges(self, value: Any) -> _Ranges:
        ranges = tuple(_in_order(value)) if isinstance(value, list) else ()
        known = self._known.get(ranges)
        if known is not None:
            return known
        if self._kept + len(ranges) > _MAX_RANGES:
            self.note(f"only the first {_MAX_RANGES:,} ranges of lines are kept")
            return ()
        self._kept += len(ranges)
        return self._known.setdefault(ranges, ranges)


def _in_order(value: list[Any]) -> Iterator[tuple[int, int]]:
    """The ranges that are ones; a line that stands in two counts once."""
    pairs = [
        (one[0], one[1])
        for one in value
        if isinstance(one, list) and len(one) == 2 and all(type(each) is int for each in one)  # noqa: PLR2004 - a pair
    ]
    end = 0
    for begin, last in sorted(pairs):
        first = max(begin, end + 1)
        if first <= last <= MAX_LINE_NUMBER:
            yield first, last
            end = last


def _records(path: Path) -> Iterator[Mapping[str, Any]]:
    """Records of this kind alone are decoded; a torn or endless line costs no more than itself."""
    whole = True
    with path.open("rb") as file:
        while line := file.readline(_MAX_BYTES):
            begins, whole = whole, line.endswith(b"\n")
            if not (begins and whole and line.startswith(_HEADS)):
                continue
            try:
                record = json.loads(line.decode())
            except (ValueError, RecursionError):
                continue
            if isinstance(record, dict):
                yield record
