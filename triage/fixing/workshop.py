"""What curing needs of the outside: a scratch copy whose tests can be run with some files changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from triage.model.diagnosis import Diagnosis
from triage.model.failure import Failure
from triage.model.fix import Sabotage
from triage.model.terms import Outcome
from triage.rules.source import SourceTree

Changed = Mapping[str, bytes]  # whole files by path, against the project as it is


@dataclass(frozen=True, slots=True)
class Ran:
    """One run; `is_sound` is False where it did not complete.

    `asked` are the tests that were to run (None: all), `token` lets the workshop find the run again.
    """

    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    failures: Mapping[str, Failure] = field(default_factory=dict)
    duration_s: float = 0.0
    is_sound: bool = True
    asked: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    token: object = None

    def fails(self, test: str) -> bool:
        outcome = self.outcomes.get(test)
        return outcome is not None and outcome.is_failing

    @property
    def failing(self) -> tuple[str, ...]:
        return tuple(test for test, outcome in self.outcomes.items() if outcome.is_failing)


@dataclass(frozen=True, slots=True)
class State:
    """A run of the whole suite, understood; `tree` is the source that it ran."""

    ran: Ran
    diagnoses: tuple[Diagnosis, ...]
    tree: SourceTree


class Workshop(Protocol):
    """Runs one after the other, each from the same clean copy; never touches the working tree."""

    def first(self) -> State:
        """The project as it is."""
        ...

    def run(self, changed: Changed, tests: Sequence[str] | None, name: str) -> Ran:
        """Some tests, or the whole suite (None)."""
        ...

    def look(self, changed: Changed, ran: Ran, tests: Sequence[str]) -> State:
        """Diagnoses these failing tests of a whole run that was made with the same changes."""
        ...

    def sabotage(
        self, changed: Changed, ran: Ran, tests: Sequence[str]
    ) -> tuple[Mapping[str, Sabotage], tuple[str, ...]]:
        """Whether these tests, which pass in that run, still catch a defect; notes."""
        ...
