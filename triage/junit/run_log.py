"""The first failure in a test's whole log, where a report holds nothing else.

Bazel writes such a report for a test that writes none itself: one case, `exited with error code 1`,
and the log (tools/test/generate-xml.sh of Bazel). In any other report output never decides.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from triage.model.terms import Outcome, Phase

GENERATED = re.compile(r"exited with error code \d{1,9}")
_PYTEST_SECTION = re.compile(r"=+ (?:ERRORS|FAILURES) =+")
_PYTEST_TITLE = re.compile(r"_+ (?!_ )(\S[^\n]*) _+")
_PYTEST_COUNTS = re.compile(r"\d+ [a-z]+")
_PYTEST_TIME = re.compile(r" in [\d.]+s(?: \(\d+:\d\d:\d\d\))?$")
_PYTEST_START = "= test session starts ="
_LAST_LINES = 50
_PYTEST_CAPTURED = re.compile(r"-+ Captured [a-z]+ ")
_PYTEST_PHASES = (
    ("ERROR at setup of ", Phase.SETUP),
    ("ERROR at teardown of ", Phase.TEARDOWN),
    ("ERROR collecting ", Phase.COLLECT),
)
_UNITTEST_END = re.compile(r"\n-{70}\nRan \d+ tests? in [^\n]*\n\nFAILED \(([^\n)]*)\)")
_UNITTEST_BLOCK = "\n" + "=" * 70 + "\n"
_UNITTEST_RULE = "\n" + "-" * 70 + "\n"
_UNITTEST_PHASES = (
    ("setUpClass (", Phase.SETUP),
    ("setUpModule (", Phase.SETUP),
    ("tearDownClass (", Phase.TEARDOWN),
    ("tearDownModule (", Phase.TEARDOWN),
)
_TITLE = "\nTraceback (most recent call last):\n"
_FROM_MODULE = re.compile(
    _TITLE.replace("(", r"\(").replace(")", r"\)")
    + r' +File (?:"[^"\n]+", line \d+, in <module>\n|"<frozen runpy>"|"[^"\n]*runpy\.py")'
)
_LINKS = (
    "\nThe above exception was the direct cause of the following exception:\n",
    "\nDuring handling of the above exception, another exception occurred:\n",
)
_COUNTED = re.compile(r"(?:failures|errors)=(\d{1,9})")


@dataclass(frozen=True, slots=True)
class LoggedFailure:
    text: str
    phase: Phase
    outcome: Outcome


def first_failure(log: str) -> LoggedFailure | None:
    """What the runner's own report at the log's end shows first; None without such a report."""
    return _by_unittest("\n" + log) or _by_pytest(log) or _by_python("\n" + log)


def _by_python(log: str) -> LoggedFailure | None:
    """A script that ended by an exception: its traceback is the last thing in the log."""
    start = log.rfind(_TITLE)
    if start < 0 or not _FROM_MODULE.match(log, start):
        return None
    while log.endswith(_LINKS, 0, start) and (earlier := log.rfind(_TITLE, 0, start)) >= 0:
        start = earlier
    return LoggedFailure(log[start:].strip("\n"), Phase.CALL, Outcome.ERROR)


def _by_unittest(log: str) -> LoggedFailure | None:
    ends = list(_UNITTEST_END.finditer(log))
    if not ends:
        return None
    count = sum(map(int, _COUNTED.findall(ends[-1][1])))
    blocks = log[: ends[-1].start()].split(_UNITTEST_BLOCK)[1:]
    shown = blocks[-count:] if count else []  # what was printed before the report may look like it
    for block in shown:
        title, rule, text = block.partition(_UNITTEST_RULE)
        if rule and title.startswith(("ERROR: ", "FAIL: ")):
            return _titled(title.partition(": ")[2], text, is_failure=title.startswith("FAIL"))
    return None


def _titled(title: str, text: str, *, is_failure: bool) -> LoggedFailure:
    phase = next((phase for start, phase in _UNITTEST_PHASES if title.startswith(start)), Phase.CALL)
    if "._FailedTest" in title:
        phase = Phase.COLLECT
    is_failed = is_failure and phase is Phase.CALL
    return LoggedFailure(text.strip("\n"), phase, Outcome.FAILED if is_failed else Outcome.ERROR)


def _by_pytest(log: str) -> LoggedFailure | None:
    lines = log.split("\n")
    if not (_PYTEST_START in log or any(map(_is_summary, lines[-_LAST_LINES:]))):
        return None
    rest = _after(iter(lines), _PYTEST_SECTION)
    title = next((match[1] for line in rest if (match := _is_title(line))), None)
    if title is None:
        return None
    phase = next((phase for start, phase in _PYTEST_PHASES if title.startswith(start)), Phase.CALL)
    text = "\n".join(_until_next(rest)).strip("\n")
    return LoggedFailure(text, phase, Outcome.FAILED if phase is Phase.CALL else Outcome.ERROR)


def _after(lines: Iterator[str], expression: re.Pattern[str]) -> Iterator[str]:
    for line in lines:
        if line.startswith("=") and expression.fullmatch(line):
            break
    return lines


def _is_summary(line: str) -> bool:
    """`==== 1 failed, 2 passed in 0.12s ====`, or without its rule."""
    said = line.strip("= ")
    return _PYTEST_COUNTS.match(said) is not None and _PYTEST_TIME.search(said[-40:]) is not None


def _is_title(line: str) -> re.Match[str] | None:
    return _PYTEST_TITLE.fullmatch(line) if line.startswith("_") and line.endswith("_") else None


def _until_next(lines: Iterator[str]) -> Iterator[str]:
    """The lines of one failure: until its captured output, the next failure or the next section."""
    for line in lines:
        if line.startswith("=") and line.endswith("="):
            return
        if line.startswith("-") and _PYTEST_CAPTURED.match(line):
            return
        if _is_title(line):
            return
        yield line
