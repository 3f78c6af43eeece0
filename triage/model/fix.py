"""Cures: what a remedy proposes, what a trial of it showed, and what is handed out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from triage.model.diagnosis import Evidence
from triage.model.plan import Site
from triage.model.terms import Applicability, Outcome


class Reach(IntEnum):
    """How much an edit acts on, the narrowest first."""

    STATEMENT = 0
    TEST = 1
    FIXTURE = 2
    MODULE = 3
    SUITE = 4
    PRODUCT = 5


@dataclass(frozen=True, slots=True)
class Edit:
    """Characters `start` to `stop` of a file's text (decoded, without a byte order mark) become `text`.

    An insertion has `start == stop`. Offsets are those of the text before any edit.
    """

    file: str
    start: int
    stop: int
    text: str


@dataclass(frozen=True, slots=True)
class Target:
    """A defect to cure: its playbook, its place, and what is known of it.

    `names` are those of the diagnosis (`model`, `column`, `table`, `fixture` ...), `change` is the
    intervention that took effect at this place (empty: none did); `message` is the exception's.
    """

    playbook: str
    file: str
    line: int
    symbol: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    tests: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    change: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Edits that belong together; `label` says in one sentence what they do.

    `judge` is what a person must decide before it is taken (empty: nothing). A remedy may only
    weaken the `applicability` that its playbook gives it (None: as that says). `migration` are the
    steps that a changed table needs, `rollback` the way back beside reverting the commit.
    """

    remedy: str
    label: str
    edits: tuple[Edit, ...]
    reach: Reach
    judge: str = ""
    applicability: Applicability | None = None
    migration: tuple[str, ...] = ()
    rollback: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a remedy leaves this defect to a person."""

    remedy: str
    reason: str
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Weakening:
    """A way in which a change would make a test or the product looser; `kind` is one word with dashes."""

    kind: str
    file: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Sabotage:
    """Whether a fixed test still catches a defect: the behaviour it is about was broken, at this line.

    `asserted` are the assertions that it executed while it passed; `tried` counts the breakages. With
    `raised` it failed, too, but of an exception in the product before an assertion could notice.
    """

    test: str
    caught: bool
    asserted: int
    file: str = ""
    line: int = 0
    text: str = ""
    tried: int = 0
    raised: bool = False

    @property
    def failed(self) -> bool:
        """Whether a test that asserts something failed when the behaviour was broken."""
        return (self.caught or self.raised) and self.asserted > 0


class FixStatus(StrEnum):
    """`unproven` turned tests green and failed another check; `rejected` did not get that far."""

    PROVEN = "proven"
    UNPROVEN = "unproven"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Node ids. `unmasked` now fail of another cause, with the playbook that knows it (or None)."""

    fixed: tuple[str, ...] = ()
    still_failing: tuple[str, ...] = ()
    new_failures: tuple[str, ...] = ()
    unmasked: tuple[tuple[str, str | None], ...] = ()
    is_cause_gone: bool = False


@dataclass(frozen=True, slots=True)
class Fix:
    """One cure applied, with what the runs showed; `diff` is its own, against the state before it.

    `diagnoses` and `tasks` are ids of the plan; those of later rounds begin with the round (`R2-D1`).
    """

    id: str
    remedy: str
    label: str
    applicability: Applicability
    status: FixStatus
    round: int
    playbook: str
    diagnoses: tuple[str, ...]
    tasks: tuple[str, ...]
    sites: tuple[Site, ...]
    diff: str
    verdict: Verdict
    cause_proof: str
    weakenings: tuple[Weakening, ...] = ()
    sabotage: tuple[Sabotage, ...] = ()
    judge: str = ""
    migration: tuple[str, ...] = ()
    rollback: str = ""
    effort_min: int = 0
    reason: str = ""

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(site.path for site in self.sites))

    @property
    def caught(self) -> bool:
        """Whether each test that it turned green failed again when the behaviour was broken."""
        return bool(self.sabotage) and all(one.failed for one in self.sabotage)


@dataclass(frozen=True, slots=True)
class LeftOver:
    """A test that still fails, for a person: the exact place and why nothing was done."""

    test: str
    playbook: str | None
    file: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class FixReport:
    """All that came of one `triage fix`; `changed` maps a path to its bytes before and after.

    `task_diffs` are by the ids of tasks, each against the project as it was.
    """

    project: str
    before: Mapping[str, Outcome]
    after: Mapping[str, Outcome]
    fixes: tuple[Fix, ...]
    rejected: tuple[Fix, ...]
    left: tuple[LeftOver, ...]
    changed: Mapping[str, tuple[bytes, bytes]]
    diff: str
    duration_s: float
    suite_s: float
    notes: tuple[str, ...] = ()
    task_diffs: Mapping[str, str] = field(default_factory=dict)
