"""What a diagnosis needs of the outside: to run some tests again, watched and with facts changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from triage.model.failure import Failure
from triage.model.observation import Applied, Intervention, Observation, Place
from triage.model.terms import Outcome
from triage.probes.leftovers import Leftover
from triage.probes.spectra import Spectra


@dataclass(frozen=True, slots=True)
class Trial:
    """Tests to run in one process, in the order of the suite; `name` is for its folder and for people.

    With `parallel` they run in as many processes as the project's own arguments ask for.
    """

    name: str
    tests: tuple[str, ...]
    observers: tuple[str, ...] = ()
    interventions: tuple[Intervention, ...] = ()
    parallel: bool = False


@dataclass(frozen=True, slots=True)
class TrialResult:
    """`outcomes` are of the tests that ended; one that is missing could not be run again.

    `failures` are sorted as in the first run; `duration_s` is wall time, start of the child included;
    `notes` say what the machinery met; `spectra` are there where the lines of each test were asked for.
    """

    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    failures: Mapping[str, Failure] = field(default_factory=dict)
    observations: Mapping[str, tuple[Observation, ...]] = field(default_factory=dict)
    applied: Mapping[str, tuple[Applied, ...]] = field(default_factory=dict)
    duration_s: float = 0.0
    notes: tuple[str, ...] = ()
    spectra: Spectra | None = None

    def fails(self, test: str) -> bool:
        outcome = self.outcomes.get(test)
        return outcome is not None and outcome.is_failing

    def passes(self, test: str) -> bool:
        return self.outcomes.get(test) is Outcome.PASSED


class Laboratory(Protocol):
    """Runs trials one after the other in the environment of the first run, and knows that run."""

    def run(self, trial: Trial) -> TrialResult: ...

    @property
    def spent_s(self) -> float:
        """Wall time of all trials so far."""
        ...

    @property
    def ran_in_parallel(self) -> bool: ...

    def all_tests(self) -> tuple[str, ...]:
        """Every test that the first run started."""
        ...

    def before(self, test: str) -> tuple[str, ...]:
        """The tests that ran before this one in the same process of the first run, in their order."""
        ...

    def estimate_s(self, tests: Iterable[str]) -> float:
        """How long they took in the first run, without the start of a process."""
        ...

    def place(self, test: str) -> Place:
        """Where a test stands."""
        ...

    def left(self, test: str) -> tuple[Leftover, ...]:
        """What a test was seen to leave behind in any trial."""
        ...
