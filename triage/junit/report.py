"""What a JUnit XML file says of one test, before anyone interprets it."""

from dataclasses import dataclass
from typing import NamedTuple

from triage.model.terms import Outcome

FAILURES = frozenset({"failure", "rerunFailure"})
ERRORS = frozenset({"error", "rerunError"})
FLAKY = frozenset({"flakyFailure", "flakyError"})
SKIPPED = "skipped"
RESULTS = FAILURES | ERRORS | FLAKY | {SKIPPED}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost; memory depends on these, never on the file's size.

    `text_head` and `text_tail` are the characters kept of one text: pytest writes the decisive
    lines at the end. `names` are distinct element and attribute names, which expat never forgets.
    """

    depth: int = 50
    attributes: int = 100
    elements: int = 50_000_000
    names: int = 1_000
    token_bytes: int = 16_000_000
    text_head: int = 64_000
    text_tail: int = 16_000
    attribute_chars: int = 64_000
    results: int = 100
    properties: int = 200


@dataclass(frozen=True, slots=True)
class RawSuite:
    name: str = ""
    file: str = ""
    hostname: str = ""


class RawResult(NamedTuple):  # as `RawCase` a tuple: made for each case that does not pass
    """One child element of a test case; `dropped` counts the characters of `text` left out.

    `is_log`: the report holds no failure text; `text` is the test's whole log.
    """

    kind: str
    type: str = ""
    message: str = ""
    text: str = ""
    dropped: int = 0
    is_log: bool = False

    @property
    def is_failing(self) -> bool:
        return self.kind in FAILURES or self.kind in ERRORS


class RawCase(NamedTuple):
    """One `<testcase>`; `line` as written (pytest's xunit1 counts from 0), `time_s` in seconds."""

    name: str = ""
    classname: str = ""
    file: str | None = None
    line: int | None = None
    time_s: float = 0.0
    results: tuple[RawResult, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()
    suite: RawSuite = RawSuite()

    @property
    def outcome(self) -> Outcome:
        kinds = {result.kind for result in self.results}
        if kinds & FAILURES:
            return Outcome.FAILED
        if kinds & ERRORS:
            return Outcome.ERROR
        skips = [result for result in self.results if result.kind == SKIPPED]
        if skips:
            return Outcome.XFAILED if skips[0].type == "pytest.xfail" else Outcome.SKIPPED
        return Outcome.PASSED

    @property
    def is_flaky(self) -> bool:
        """It passed, but only when it was run again."""
        return self.outcome is Outcome.PASSED and any(result.kind in FLAKY for result in self.results)

    def property_value(self, name: str) -> str | None:
        for key, value in self.properties:
            if key == name:
                return value
        return None
