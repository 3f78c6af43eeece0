"""What the history knows of earlier runs and of classified reports."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from triage.model.run import Counts
from triage.model.terms import Outcome, Phase, RunStatus


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A recorded run; `id` is its public one, unique within its project.

    `status` is None for a run that began and was never recorded: it goes on, or it was killed.
    `started_at` is in UTC, `duration_s` in seconds of wall time. `source` names the state of the
    source that it saw; None where nobody can tell.
    """

    project: str
    id: str
    started_at: datetime
    status: RunStatus | None
    duration_s: float = 0.0
    counts: Counts = field(default_factory=Counts)
    exit_status: int | None = None
    commit: str | None = None
    source: str | None = None
    playbooks_fingerprint: str = ""
    tool_version: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """Node ids by what became of them from run `against` to run `run`, each sorted.

    `new` failed in no earlier run, `regressed` did but not in `against`; both fail now.
    `still_failing` fail in both. `fixed` failed and pass; `silenced` failed and are skipped or
    expected to fail now. `gone` were in a completed run and are not in this completed one. `flaky`
    passed and failed in runs of one source state, and are in the other lists as well.
    `against` is None where there is nothing to compare with: every failure is new then.
    """

    project: str
    run: str | None = None
    against: str | None = None
    new: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    still_failing: tuple[str, ...] = ()
    regressed: tuple[str, ...] = ()
    flaky: tuple[str, ...] = ()
    silenced: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def appeared(self) -> tuple[str, ...]:
        """Failures that were not there in the run before, whether they are known from earlier or not."""
        return tuple(sorted(self.new + self.regressed))


@dataclass(frozen=True, slots=True)
class TestPoint:
    """One test in one run; `playbook` and `fingerprint` tell why it failed."""

    __test__ = False

    run: str
    started_at: datetime
    commit: str | None
    outcome: Outcome
    duration_s: float
    playbook: str | None = None
    fingerprint: str | None = None
    signature: str = ""


@dataclass(frozen=True, slots=True)
class TestHistory:
    """The runs that a test was in, newest first."""

    __test__ = False

    project: str
    nodeid: str
    points: tuple[TestPoint, ...] = ()


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """A run with the failing tests of each playbook; None counts those that no playbook knows."""

    run: StoredRun
    patterns: tuple[tuple[str | None, int], ...] = ()


class SpooledFailure(NamedTuple):
    """One failing test of a classified report; a tuple, as a report has very many.

    `ordinal` (from 0, below 2**32) is its place in the file. Entries with the same `key` (where that
    is empty: the same node id, or class and name) are one test: the first is kept, `repeats` counts
    the others.
    `message` is cut at 16,000 characters; `also` is JSON text; `root` is the id of
    the test whose failure this one only follows from.
    """

    ordinal: int
    outcome: Outcome
    phase: Phase | None
    classname: str
    name: str
    nodeid: str | None = None
    exception: str = ""
    message: str = ""
    playbook: str | None = None
    confidence: float = 0.0
    fingerprint: str | None = None
    signature: str = ""
    also: str = "[]"
    key: str = ""
    repeats: int = 0
    root: str | None = None


@dataclass(frozen=True, slots=True)
class SpooledGroup:
    """Failures of one report that share a playbook, or (where `playbook` is None) a fingerprint."""

    playbook: str | None
    fingerprint: str | None
    signature: str
    count: int


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A classified JUnit XML file; `failures` counts tests, `merged` the further entries of theirs.

    `error` says why the file could not be read to its end.
    """

    id: int
    file: str
    classified_at: datetime
    counts: Counts
    failures: int
    merged: int
    error: str | None = None
