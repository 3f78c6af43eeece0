"""Tracebacks that a tool shows inside something else: doctests, loaders of modules, captured output."""

import re

from triage.junit.frames import make_frame
from triage.junit.places import place
from triage.junit.python_traceback import TITLE
from triage.model.case import ExceptionInfo

_DOCTEST_ENDS = ("DocTestFailure", "UnexpectedException")
_DOCTEST = re.compile(r"\n([^\n]+):(\d{1,9}|None): (DocTestFailure|UnexpectedException)(?=\n|\Z)")
_UNEXPECTED = "\nUNEXPECTED EXCEPTION: "
_EXPECTED = re.compile(r"\nExpected(?: nothing|:)\n")
_NOT_IMPORTED = "Failed to import test module: "
_STRING_EXCEPTION = "_StringException"
_ATTACHED = re.compile(r"\btraceback[^\n{]*: \{\{\{\n")
_NOSE_OUTPUT = "-------------------- >> begin captured "
_UNITTEST_OUTPUT = ("\nStdout:\n", "\nStderr:\n")
_NEAR = 200
_NEAR_END = 40


def is_wrapped(text: str, message: str, type_: str) -> bool:
    """A few cheap questions; true for few texts."""
    end, begin = text[-_NEAR_END:], text[:_NEAR]
    return (
        _DOCTEST_ENDS[0] in end
        or _DOCTEST_ENDS[1] in end
        or _NOT_IMPORTED in begin
        or _STRING_EXCEPTION in begin
        or type_.endswith(_STRING_EXCEPTION)
        or _NOSE_OUTPUT in message
    )


def read_difference(text: str, root: str) -> ExceptionInfo | None:
    """A doctest that printed something else; None for any other text."""
    match = _DOCTEST.search("\n" + text) if text.rstrip().endswith(_DOCTEST_ENDS) else None
    if match is None or match[3] != "DocTestFailure":
        return None
    shown = text[: max(match.start() - 1, 0)]
    begin = _EXPECTED.search(shown)
    path, line = match[1], "1" if match[2] == "None" else match[2]
    frame = make_frame(path, line, "<module>", "", root)
    said = shown[begin.start() + 1 :] if begin else shown
    return ExceptionInfo(
        "doctest.DocTestFailure", said.strip("\n"), frames=(frame,), raised_in=place(path, root)[0]
    )


def without_wrapping(text: str, message: str, type_: str) -> tuple[str, str, str]:
    """The traceback inside, with the attributes as far as they speak of it."""
    if _NOSE_OUTPUT in message:
        text, message = _before(text, _NOSE_OUTPUT), _before(message, _NOSE_OUTPUT)
    if _STRING_EXCEPTION in text[:_NEAR] or type_.endswith(_STRING_EXCEPTION):
        return _from_details(text), "", ""
    if _NOT_IMPORTED in text[:_NEAR]:
        return _from(text, TITLE, text.find(_NOT_IMPORTED)), "", ""
    end = _DOCTEST.search("\n" + text) if text.rstrip().endswith(_DOCTEST_ENDS) else None
    unexpected = text.find(_UNEXPECTED)
    if end is not None and 0 <= unexpected < end.start():
        return _from(text[: end.start() - 1], TITLE, unexpected), "", ""
    return text, message, type_


def without_output(said: str, message: str) -> str:
    """What unittest adds to a message when it buffers the test's output; no attribute repeats that."""
    for title in _UNITTEST_OUTPUT:
        if title in said and title not in message:
            said = _before(said, title).rstrip()
    return said


def _from_details(text: str) -> str:
    """Attachments of testtools stand in triple braces, then comes the traceback."""
    last = text.rfind("\n}}}\n\n" + TITLE)
    if last >= 0:
        return text[last + 6 :]
    attached = _ATTACHED.search(text)  # each failing subtest of a test is one
    return _before(text[attached.end() :], "\n}}}") if attached else _from(text, TITLE, 0)


def _from(text: str, mark: str, start: int) -> str:
    found = text.find(mark, max(start, 0))
    return text[found:] if found >= 0 else text


def _before(text: str, mark: str) -> str:
    return text.partition(mark)[0]
