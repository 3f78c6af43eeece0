"""The plugin's `fail` records as values of the model, cleaned and masked."""

import math
from typing import Any

from triage.junit.groups import decided
from triage.model.case import ExceptionInfo, FixtureSite, Frame, WarningRecord
from triage.probes.event_lines import Record, count_of, records_of, text_of, texts_of
from triage.text import Masker, clean_text

_CHAIN = 10
_FRAMES = 100
_FIXTURES = 200
_NAME = 500
_KINDS = frozenset({"project", "test", "library", "generated"})
_VIAS = frozenset({"raised", "cause", "context", "group"})
_FACT_DEPTH = 6
_FACT_ITEMS = 200
_INT64 = 1 << 63  # what a database column holds


class EvidenceReader:
    """Values of one run; frames that many failures share are made once."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._frames: dict[tuple[Any, ...], Frame] = {}

    def chain(self, record: Record) -> tuple[ExceptionInfo, ...]:
        """The exceptions of a `fail`, `collect_error` or `conftest_error` record, head first."""
        return decided(tuple(self._exception(one) for one in records_of(record, "chain", _CHAIN)))

    def fixtures(self, record: Record) -> tuple[FixtureSite, ...]:
        return tuple(self._fixture(one) for one in records_of(record, "fixtures", _FIXTURES))

    def in_fixture(self, record: Record) -> tuple[str, ...]:
        return tuple(clean_text(name)[:_NAME] for name in texts_of(record, "in_fixture", _FIXTURES))

    def facts(self, record: Record) -> dict[str, object]:
        facts = record.get("facts")
        found = self._plain(facts, _FACT_DEPTH) if isinstance(facts, dict) else {}
        parameters = text_of(record, "param")
        if parameters:
            found["param"] = self._masker.clean(parameters)
        return found

    def place(self, record: Record) -> tuple[str | None, int | None, str | None]:
        """File, line and function of the test that a record is about."""
        place = record.get("test")
        if not isinstance(place, dict):
            return None, None, None
        file, function = (clean_text(text_of(place, key))[:_NAME] for key in ("file", "func"))
        return file or None, count_of(place, "line") or None, function or None

    def warning(self, record: Record) -> WarningRecord:
        return WarningRecord(
            category=clean_text(text_of(record, "category"))[:_NAME],
            message=self._masker.clean(text_of(record, "msg")),
            file=clean_text(text_of(record, "file")),
            line=count_of(record, "line"),
            nodeid=self._masker.clean_id(text_of(record, "id")) or None,
        )

    def _exception(self, record: Record) -> ExceptionInfo:
        frames = tuple(self._frame(one) for one in records_of(record, "frames", _FRAMES))
        via = text_of(record, "via")
        return ExceptionInfo(
            type=clean_text(text_of(record, "type"))[:_NAME],
            message=self._masker.clean(text_of(record, "msg")),
            bases=tuple(clean_text(name)[:_NAME] for name in texts_of(record, "mro", 50)),
            frames=frames,
            via=via if via in _VIAS else "raised",
            raised_in=_raised_in(frames),
            identity=_identity(record.get("oid")),
            follows=_identity(record.get("follows")),
        )

    def _frame(self, record: Record) -> Frame:
        texts = [text_of(record, key) for key in ("file", "func", "kind", "mod", "src")]
        columns = _columns(record.get("col"), count_of(record, "indent"))
        key = (*texts, count_of(record, "line"), columns)
        known = self._frames.get(key)
        if known is None:
            file, function, kind, module, source = texts
            known = self._frames[key] = Frame(
                file=clean_text(file),
                line=count_of(record, "line"),
                function=clean_text(function)[:_NAME],
                kind=kind if kind in _KINDS else "library",
                module=clean_text(module)[:_NAME] or None,
                source=self._masker.clean(source) or None,
                columns=columns,
            )
        return known

    def _fixture(self, record: Record) -> FixtureSite:
        place = record.get("def")
        place = place if isinstance(place, dict) else {}
        return FixtureSite(
            name=clean_text(text_of(record, "name"))[:_NAME],
            scope=clean_text(text_of(record, "scope"))[:_NAME],
            file=clean_text(text_of(place, "file")),
            line=count_of(place, "line"),
            function=clean_text(text_of(place, "func"))[:_NAME],
            is_generator=record.get("gen") is True,
            arguments=tuple(clean_text(name)[:_NAME] for name in texts_of(record, "args", _FIXTURES)),
            is_own=text_of(place, "kind") in ("project", "test"),
        )

    def _plain(self, value: Any, depth: int) -> Any:
        """A JSON value with clean texts, and no deeper or longer than a report can hold."""
        if isinstance(value, str):
            return self._masker.clean(value)
        if isinstance(value, dict):
            items = list(value.items())[:_FACT_ITEMS] if depth else []
            return {clean_text(key): self._plain(one, depth - 1) for key, one in items}
        if isinstance(value, list):
            return [self._plain(one, depth - 1) for one in value[:_FACT_ITEMS]] if depth else []
        if isinstance(value, float):
            return value if math.isfinite(value) else repr(value)
        if type(value) is int and abs(value) >= _INT64:
            return repr(value)[:_NAME]
        return value


def _raised_in(frames: tuple[Frame, ...]) -> str | None:
    """The module for library code, whose path depends on the machine; else the file."""
    last = next((frame for frame in reversed(frames) if frame.kind != "generated"), None)
    if last is None:
        return None
    return (last.module if last.kind == "library" else None) or last.file


def _columns(value: Any, indent: int) -> tuple[int, int] | None:
    """Offsets in the line without its indentation, as `source` is stored."""
    if isinstance(value, list) and len(value) == 2 and all(type(one) is int for one in value):  # noqa: PLR2004
        start, end = (max(0, one - indent) for one in value)
        return (start, end) if 0 <= start <= end < 100_000 else None  # noqa: PLR2004
    return None


def _identity(value: Any) -> int | None:
    return value if type(value) is int and abs(value) < _INT64 else None
