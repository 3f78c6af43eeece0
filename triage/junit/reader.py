"""Streams JUnit XML through expat under limits; the only door to junitparser.

lxml never sees the file, so a report reads the same whether it is installed or not, and is never
refused for being large.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn
from xml.parsers import expat

from triage.errors import ReportError
from triage.junit.builder import CaseBuilder, Refusal
from triage.junit.report import Limits, RawCase
from triage.text import clean_text

_CHUNK = 1 << 19
_GZIP = b"\x1f\x8b"
_ALLOWED = "JUnit XML: a <testsuites> or <testsuite> element with <testcase> elements"


class Report:
    """One pass over one JUnit XML file.

    Iterating gives the test cases, without the plain passes unless `everything` is set; `cases`
    and `passed` then say how many there were and how many of them were plain passes.
    """

    def __init__(self, path: Path, *, everything: bool, limits: Limits) -> None:
        self.path = path
        self.cases = 0
        self.passed = 0
        self._limits = limits
        self.everything = everything

    def __iter__(self) -> Iterator[RawCase]:
        """Every case until the end, or until the file breaks.

        Raises:
            ReportError: the file cannot be read to its end; says file, line and column.
        """
        try:
            with self.path.open("rb") as file:
                yield from self._parse(file)
        except OSError as error:
            raise ReportError(f"cannot be read: {error.strerror or error}", where=str(self.path)) from error

    def _parse(self, file: BinaryIO) -> Iterator[RawCase]:
        builder = CaseBuilder(self._limits, everything=self.everything)
        parser = builder.parser
        chunk = file.read(_CHUNK)
        self._check_start(chunk)
        fed = 0
        failure: Exception | None = None
        while failure is None:
            try:
                parser.Parse(chunk, not chunk)
                fed += len(chunk)
                if fed - max(parser.CurrentByteIndex, 0) > self._limits.token_bytes:
                    builder.refuse(f"one token is longer than {self._limits.token_bytes:,} bytes")
                builder.check()
            except (expat.ExpatError, Refusal, LookupError, ValueError) as error:
                failure = error
            if failure is not None or not chunk:
                builder.release()
            self.passed = builder.passed
            self.cases = builder.passed + builder.notable
            yield from builder.take()
            if not chunk:
                break
            chunk = file.read(_CHUNK)
        if failure is not None:
            self._fail(failure, parser)

    def _check_start(self, start: bytes) -> None:
        where = str(self.path)
        if not start.strip():
            raise ReportError("the file is empty", where=where, allowed=_ALLOWED)
        if start.startswith(_GZIP):
            raise ReportError(
                "is compressed with gzip", where=where, allowed=_ALLOWED, hint="gunzip it first"
            )

    def _fail(self, failure: Exception, parser: expat.XMLParserType) -> NoReturn:
        if isinstance(failure, expat.ExpatError):
            what = f"not well-formed XML: {expat.ErrorString(failure.code)}"
            line, column = failure.lineno, failure.offset
        else:
            line, column = parser.CurrentLineNumber, parser.CurrentColumnNumber
            what = str(failure) if isinstance(failure, Refusal) else f"unknown encoding: {failure}"
        raise ReportError(
            clean_text(what), where=f"{self.path}:{line}:{column + 1}", allowed=_ALLOWED
        ) from failure


def read_report(path: Path, *, everything: bool = False, limits: Limits | None = None) -> Report:
    """A pass over the report at `path`; nothing is read before it is iterated."""
    return Report(path, everything=everything, limits=limits or Limits())
