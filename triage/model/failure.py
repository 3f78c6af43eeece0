"""A failing test, sorted."""

from dataclasses import dataclass, field

from triage.model.case import Problem, TestCase


@dataclass(frozen=True, slots=True)
class Match:
    """A playbook that recognises a failure.

    `confidence` is between 0 and 1; `captures` are the named groups of the expression that
    matched; `clause` says in words which symptom held.
    """

    playbook: str
    confidence: float
    clause: str
    captures: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Loser:
    playbook: str
    reason: str


@dataclass(frozen=True, slots=True)
class Failure:
    """`match` is None for an unknown failure, which alone has a `signature` and a `fingerprint`.

    `root` is the id of the test whose failure this one only follows from.
    """

    case: TestCase
    problem: Problem
    match: Match | None = None
    also: tuple[Loser, ...] = ()
    signature: str = ""
    fingerprint: str = ""
    root: str | None = None
    root_reason: str = ""

    @property
    def playbook(self) -> str | None:
        return self.match.playbook if self.match else None


@dataclass(frozen=True, slots=True)
class Cluster:
    """Unknown failures that look alike; `fingerprint` is versioned (`v1:...`)."""

    fingerprint: str
    signature: str
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Classification:
    failures: tuple[Failure, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    notes: tuple[str, ...] = field(default=())
