"""What a second pass saw, and what it changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from triage.model.diagnosis import Evidence
from triage.model.terms import Phase


@dataclass(frozen=True, slots=True)
class Place:
    """`file` relative to the project's root with `/`, `line` from 1."""

    file: str
    line: int
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one observer saw of one failing phase of one test.

    `causes` are places in own code, the likeliest first; `names` fill the sentence of a playbook and
    tell an intervention its target; `impossible` says what could not be seen, and why.
    """

    test: str
    phase: Phase
    observer: str
    causes: tuple[Place, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, object] = field(default_factory=dict)
    impossible: str = ""


@dataclass(frozen=True, slots=True)
class Intervention:
    """One fact to change, at one place, for these tests; without tests in the whole process."""

    kind: str
    file: str
    line: int
    tests: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Applied:
    """An intervention that took effect while a test ran; `text` says what was changed."""

    test: str
    kind: str
    file: str
    line: int
    text: str
