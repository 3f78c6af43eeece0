"""A whole report in memory, by pytest's two names: for one project's run, never for a fleet's."""

from collections.abc import Iterator
from pathlib import Path

from triage.errors import ReportError
from triage.junit.nodeid import exact_nodeid, xml_names
from triage.junit.reader import read_report
from triage.junit.report import RawCase
from triage.text import clean_text


class CaseIndex:
    """Every case of the report at `path`; `error` says where it breaks, if it does."""

    def __init__(self, path: Path) -> None:
        self.error: ReportError | None = None
        self._cases: dict[tuple[str, str], list[RawCase]] = {}
        try:
            for raw in read_report(path, everything=True):
                key = (clean_text(raw.classname), clean_text(raw.name))
                self._cases.setdefault(key, []).append(raw)
        except ReportError as error:
            self.error = error

    def take(self, nodeid: str) -> list[RawCase]:
        """The elements of one test: two where it failed in its body and its teardown."""
        key = xml_names(nodeid)
        found = self._cases.pop(key, [])
        if len(found) < 2:  # noqa: PLR2004 - the many
            return found
        # two files may give one pair of names: tests/a.py and tests.a/...
        ours = [raw for raw in found if exact_nodeid(raw.classname, raw.name, raw.file) in (None, nodeid)]
        if len(ours) < len(found):
            self._cases[key] = [raw for raw in found if raw not in ours]
        return ours

    def rest(self) -> Iterator[list[RawCase]]:
        """What nobody took, the elements of one pair of names together."""
        yield from self._cases.values()
