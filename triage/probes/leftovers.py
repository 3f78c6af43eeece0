"""What tests left behind, out of the `left` records of a second pass; nothing in them is trusted."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import Any

from triage.probes.event_lines import count_of, records_of, text_of
from triage.text import Masker, clean_text, shorten

_KINDS = frozenset(
    (
        "environment",
        "module",
        "class",
        "database",
        "context",
        "config",
        "cwd",
        "threads",
        "logging",
        "fixture",
    )
)
_TESTS = 20_000
_CHANGES = 200  # of one test
_NAME = 300
_VALUE = 120  # the plugin writes 80; characters made visible need more
_INVOLVED = 1_000
_INVOLVED_TEXT = 20_000
_MAYBE_SECRET = re.compile("(?i)pass|pwd|secret|token|key|credential|private")
_WORD = re.compile(r"[^\W_]\w*|_\w+")


@dataclass(frozen=True, slots=True)
class Leftover:
    """One thing that differs after a test from before it.

    `kind` is `environment`, `module`, `class`, `database`, `context`, `config`, `cwd`, `threads`,
    `logging` or `fixture`; `name` a variable, a dotted name, a table, a key; `file` and `line`
    are where it was changed, empty and 0 where that was not seen; `by_file` and `by_line` are the line
    of the test, or of a fixture or helper of tests, that led there from outside the tests.
    """

    kind: str
    name: str
    before: str = ""
    after: str = ""
    file: str = ""
    line: int = 0
    by_file: str = ""
    by_line: int = 0


def left_of(records: Iterable[object], masker: Masker | None = None) -> Mapping[str, tuple[Leftover, ...]]:
    """By node id, in the order of the records; what is told again with its place counts once."""
    masker = masker or Masker()
    found: dict[str, dict[tuple[str, str, str, int], Leftover]] = {}
    for record in records:
        if not isinstance(record, Mapping):
            continue
        nodeid = masker.clean_id(text_of(record, "id"))
        if nodeid and (nodeid in found or len(found) < _TESTS):
            _add(found.setdefault(nodeid, {}), record, masker)
    return MappingProxyType({test: tuple(changes.values()) for test, changes in found.items() if changes})


def which_mattered(left: Sequence[Leftover], involved: Iterable[str]) -> tuple[Leftover, ...]:
    """Those first that `involved` names: files, source lines and messages of the victim's failure."""
    words = _words(involved)
    return tuple(sorted(left, key=lambda one: -_score(one, words)))


def matters(left: Sequence[Leftover], involved: Iterable[str]) -> bool:
    """Whether `involved` names one of them, as `which_mattered` looks for it."""
    first = next(iter(which_mattered(left, texts := list(involved))), None)
    return first is not None and _score(first, _words(texts)) > 0


def is_named(one: Leftover, involved: Iterable[str]) -> bool:
    """Whether `involved` names the thing itself, and not only the module or class that holds it."""
    return _score(one, _words(involved)) > 1


def _words(texts: Iterable[str]) -> set[str]:
    bounded = (text[:_INVOLVED_TEXT] for text in islice(texts, _INVOLVED))
    return {word for text in bounded for word in _WORD.findall(text)}


def _score(one: Leftover, words: set[str]) -> int:
    """2 for the thing itself, 1 for the module or class that holds it."""
    parts = _WORD.findall(one.name)
    if not parts:
        return 0
    if parts[-1] in words:
        return 2
    return 1 if len(parts) > 1 and parts[-2] in words else 0


def _add(
    changes: dict[tuple[str, str, str, int], Leftover], record: Mapping[str, Any], masker: Masker
) -> None:
    for told in records_of(record, "changes", _CHANGES):
        one = _leftover(told, masker)
        if one is None:
            continue
        is_known = any(key[:2] == (one.kind, one.name) for key in changes)
        if one.file:
            changes.pop((one.kind, one.name, "", 0), None)
        elif is_known:
            continue
        if len(changes) < _CHANGES:
            changes[one.kind, one.name, one.file, one.line] = one


def _leftover(told: Mapping[str, Any], masker: Masker) -> Leftover | None:
    kind, name = text_of(told, "kind"), masker.clean(text_of(told, "name")[:_NAME])
    if kind not in _KINDS or not name:
        return None
    file, line = _place(told)
    before, after = (_value(name, text_of(told, key), masker) for key in ("before", "after"))
    if not file:
        return Leftover(kind, name, before, after)
    by = told.get("by")
    led = _place(by) if isinstance(by, Mapping) else ("", 0)
    led = ("", 0) if led == (file, line) else led
    return Leftover(kind, name, before, after, file, line, *led)


def _place(told: Mapping[str, Any]) -> tuple[str, int]:
    file, line = clean_text(text_of(told, "file")[:_NAME]), count_of(told, "line")
    return (file, line) if file and line else ("", 0)


def _value(name: str, text: str, masker: Masker) -> str:
    """A secret that a test itself sets is in no environment of ours: its name gives it away."""
    cleaned = masker.clean(text[:_VALUE])
    if _MAYBE_SECRET.search(name) or "://" in cleaned:
        cleaned = Masker.from_environment({name.rpartition(".")[2]: cleaned}).mask(cleaned)
    return shorten(cleaned, _VALUE)
