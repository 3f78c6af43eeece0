"""Turns expat's calls into test cases, one at a time, under limits."""

from __future__ import annotations

import math
from typing import Any, NoReturn
from xml.etree.ElementTree import Element, SubElement  # builds only, parses nothing
from xml.parsers import expat

from triage.junit.report import ERRORS, FAILURES, RESULTS, Limits, RawCase, RawResult, RawSuite
from triage.junit.run_log import GENERATED

_BUFFER = 1 << 16
_ROOTS = ("testsuites", "testsuite")
_OUTPUT = ("system-out", "system-err")
_NAME_CHARS = 16_000
_LINE_DIGITS = 9
_LOOSE = FAILURES | ERRORS


class Refusal(Exception):  # noqa: N818 - becomes a ReportError, which knows the file
    """The file asks for more than the limits allow."""


class CappedText:
    """A text of which the head and the tail are kept."""

    def __init__(self, head: int, tail: int) -> None:
        self._head = head
        self._tail = tail
        self._parts: list[str] = []
        self._room = head
        self._end = ""
        self._seen = 0

    def add(self, data: str) -> None:
        self._seen += len(data)
        if len(data) <= self._room:
            self._parts.append(data)
            self._room -= len(data)
            return
        if self._room:
            self._parts.append(data[: self._room])
            data = data[self._room :]
            self._room -= len(self._parts[-1])
        if data:
            self._end = (self._end + data)[-self._tail :]

    @property
    def dropped(self) -> int:
        return max(self._seen - self._head - self._tail, 0)

    def value(self) -> str:
        if not self._end:
            return "".join(self._parts)
        note = f"\n[... {self.dropped:,} characters left out ...]\n" if self.dropped else ""
        return "".join(self._parts) + note + self._end


class CaseBuilder:
    """expat's handlers. `take` gives the cases finished since the last time."""

    def __init__(self, limits: Limits, *, everything: bool) -> None:
        from junitparser.xunit2 import TestCase  # noqa: PLC0415 - not needed by `--help`

        self.notable = 0
        self.passed = 0
        self._limits = limits
        self._max_attributes = limits.attributes
        self._everything = everything
        self._wrap: Any = TestCase.fromelem
        self._names: dict[str, str] = {}
        self._finished: list[RawCase] = []
        self._depth = 0
        self._elements = 0
        self._suites: list[RawSuite] = [RawSuite()]
        self._case: dict[str, str] | None = None
        self._results: list[tuple[str, dict[str, str], CappedText]] = []
        self._properties: list[tuple[str, str]] = []
        self._result_depth = 0
        self._text: CappedText | None = None
        self._is_loose = False
        self._log: CappedText | None = None
        self._held: RawCase | None = None
        self.parser = self._make_parser()

    def _make_parser(self) -> expat.XMLParserType:
        parser = expat.ParserCreate(intern=self._names)
        parser.buffer_text = True
        parser.buffer_size = _BUFFER
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._doctype
        return parser

    def take(self) -> list[RawCase]:
        finished, self._finished = self._finished, []
        return finished

    def release(self) -> None:
        """Finish the case that waits for the log of its suite."""
        if self._held is not None:
            case, self._held = self._held, None
            if self._log is not None:
                log, self._log = self._log, None
                logged = case.results[0]._replace(text=log.value(), dropped=log.dropped, is_log=True)
                case = case._replace(results=(logged,))
            self._finished.append(case)

    def refuse(self, what: str) -> NoReturn:
        raise Refusal(what)

    def check(self) -> None:
        """What need not be checked at each element."""
        if self._elements > self._limits.elements:
            self.refuse(f"more than {self._limits.elements:,} elements")
        if len(self._names) > self._limits.names:
            self.refuse(f"more than {self._limits.names:,} different element and attribute names")

    def _doctype(self, *_: object) -> None:
        self.refuse("a DOCTYPE is not accepted (it could define entities)")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(attributes) > self._max_attributes:
            self.refuse(f"<{tag[:100]}> has more than {self._limits.attributes} attributes")
        if tag == "testcase" and self._case is None and self._depth:
            self._case = attributes  # the short way for the many
        else:
            self._start_other(tag.rpartition(":")[2], attributes)

    def _start_other(self, tag: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if not self._depth and tag not in _ROOTS:
            self.refuse(f"its first element is <{tag[:100]}>")
        if tag == "testcase":
            if self._case is not None:
                self.refuse("a <testcase> stands inside another")
            self._case = attributes
            return
        self._depth += 1
        if self._depth > self._limits.depth:
            self.refuse(f"elements are nested more than {self._limits.depth} deep")
        if self._case is not None:
            self._start_inside(tag, attributes)
        elif tag == "testsuite":
            self._suites.append(_suite(attributes))
        elif self._held is not None and tag == "system-out":
            self._open_log()
        elif tag in _LOOSE and self._text is None and self._depth > 1:
            self._is_loose = True
            self._case = {"name": self._suites[-1].name}
            self._open_result(tag, attributes)

    def _start_inside(self, tag: str, attributes: dict[str, str]) -> None:
        if self._text is not None:
            if tag in _OUTPUT:
                self.parser.CharacterDataHandler = None
        elif tag in RESULTS:
            self._open_result(tag, attributes)
        elif tag == "system-out" and self._results and self._is_generated():
            self._open_log()
        elif tag == "property" and len(self._properties) < self._limits.properties:
            self._properties.append(
                (self._cut(attributes.get("name", "")), self._cut(attributes.get("value", "")))
            )

    def _open_result(self, tag: str, attributes: dict[str, str]) -> None:
        self._text = CappedText(self._limits.text_head, self._limits.text_tail)
        self._result_depth = self._depth
        self.parser.CharacterDataHandler = self._text.add
        if len(self._results) < self._limits.results:
            self._results.append((tag, attributes, self._text))

    def _open_log(self) -> None:
        self._log = self._text = CappedText(self._limits.text_head, self._limits.text_tail)
        self._result_depth = self._depth
        self.parser.CharacterDataHandler = self._text.add

    def _is_generated(self) -> bool:
        """Bazel's own file for a test that writes none: the suite, its one case, the test's log."""
        assert self._case is not None
        (_, attributes, text), *others = self._results
        return (
            not others
            and not self._case.get("classname")
            and self._case.get("name") == self._suites[-1].name
            and GENERATED.fullmatch(attributes.get("message", "")) is not None
            and not text.value().strip()
        )

    def _end(self, tag: str) -> None:
        if tag == "testcase":
            if self._results or self._everything:
                self._finish()
            else:
                self.passed += 1
            self._case = None
            if self._properties:
                self._properties = []
        elif tag.endswith(":testcase"):
            self._end("testcase")
        else:
            self._end_other(tag.rpartition(":")[2])

    def _end_other(self, tag: str) -> None:
        self._depth -= 1
        if self._text is not None:
            inside = self._depth >= self._result_depth
            self.parser.CharacterDataHandler = self._text.add if inside else None
            if not inside:
                self._text = None
                if self._is_loose:
                    self._is_loose = False
                    self._end("testcase")
        elif self._case is None and tag == "testsuite":
            self._suites.pop()
            self.release()

    def _finish(self) -> None:
        assert self._case is not None
        case = self._build(self._case)
        if case.results:
            self.notable += 1
        else:
            self.passed += 1
        if self._results and self._is_generated():
            self.release()
            self._held = case
        else:
            self._finished.append(case)
        self._results = []

    def _build(self, attributes: dict[str, str]) -> RawCase:
        return RawCase(
            name=attributes.get("name", "")[:_NAME_CHARS],
            classname=attributes.get("classname", "")[:_NAME_CHARS],
            file=attributes.get("file"),
            line=_integer(attributes.get("line")),
            time_s=_seconds(attributes.get("time")),
            results=self._read_results(attributes) if self._results else (),
            properties=tuple(self._properties),
            suite=self._suites[-1],
        )

    def _read_results(self, attributes: dict[str, str]) -> tuple[RawResult, ...]:
        element = Element("testcase", attributes)
        for tag, given, text in self._results:
            SubElement(element, tag, given).text = text.value()
        read = zip(self._wrap(element), self._results, strict=True)
        cut = self._cut
        found = [
            RawResult(tag, cut(one.type or ""), cut(one.message or ""), one.text or "", text.dropped)
            for one, (tag, _, text) in read
        ]
        return tuple(found)

    def _cut(self, value: str) -> str:
        limit = self._limits.attribute_chars
        return (
            value
            if len(value) <= limit
            else f"{value[:limit]} [... {len(value) - limit:,} characters left out]"
        )


def _suite(attributes: dict[str, str]) -> RawSuite:
    name, file, hostname = (attributes.get(key, "")[:_NAME_CHARS] for key in ("name", "file", "hostname"))
    return RawSuite(name, file, hostname)


def _integer(value: str | None) -> int | None:
    return (
        int(value) if value and value.isdecimal() and value.isascii() and len(value) <= _LINE_DIGITS else None
    )


def _seconds(value: str | None) -> float:
    """The test's duration; 0 where the attribute is absent, not a number or not finite."""
    if not value:
        return 0.0
    try:
        number = float(value.replace(",", "")[:40])
    except ValueError:
        return 0.0
    return number if math.isfinite(number) and number >= 0 else 0.0
