"""One failing test on its way to a proven cause: what was tried on it and what came of that."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from triage.clustering.signature import signature
from triage.model.failure import Failure
from triage.model.observation import Intervention
from triage.model.terms import Proof
from triage.proving.candidates import Candidate

TARGET_NAMES = (
    "model",
    "table",
    "column",
    "attribute",
    "constraint",
)  # names that tell one defect from another


class Effect(StrEnum):
    """What became of the failure when a fact was changed."""

    FLIPPED = "flipped"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    NOT_APPLIED = "not applied"


@dataclass(frozen=True, slots=True)
class Step:
    """One intervention for one candidate; `playbook` is that of the failure which it is to take away."""

    candidate: Candidate
    kind: str
    playbook: str

    @property
    def key(self) -> tuple[str, str, int]:
        return self.kind, *self.candidate.place

    def order(self, tests: Iterable[str]) -> Intervention:
        file, line = self.candidate.place
        return Intervention(self.kind, file, line, tuple(dict.fromkeys(tests)), self.candidate.names)


@dataclass(frozen=True, slots=True)
class Attempt:
    """`text` is what was changed, in the words of the intervention."""

    steps: tuple[Step, ...]
    effect: Effect
    text: str = ""


@dataclass
class Subject:
    """`failure` is what the test fails with once the steps in `kept` are taken, `first` without them.

    `company` are tests that must run before it.
    """

    test: str
    first: Failure
    failure: Failure
    candidates: tuple[Candidate, ...]
    company: tuple[str, ...] = ()
    kept: tuple[Step, ...] = ()
    queue: list[tuple[Step, ...]] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    is_flipped: bool = False

    @property
    def is_open(self) -> bool:
        return bool(self.queue) and not self.is_flipped

    @property
    def proof(self) -> Proof:
        """How well its cause is proven; the candidate's own proof where no change had an effect."""
        if self.is_flipped:
            return Proof.FLIPPED
        return Proof.CHANGED if self.kept else self.candidate.proof

    @property
    def candidate(self) -> Candidate:
        """The cause: where the first change with an effect was made, else the likeliest place."""
        return self.kept[0].candidate if self.kept else self.candidates[0]

    @property
    def behind(self) -> tuple[Step, ...]:
        """What showed only after the cause was taken away."""
        return self.kept[1:]

    @property
    def is_refuted(self) -> bool:
        """Every change that took effect left the failure as it was."""
        tried = [one for one in self.attempts if one.effect is Effect.UNCHANGED]
        return bool(tried) and not self.kept

    def orders(self, steps: Iterable[Step] = ()) -> tuple[Intervention, ...]:
        return tuple(step.order((self.test, *self.company)) for step in (*self.kept, *steps))


def fingerprint_of(failure: Failure, found: tuple[Candidate, ...]) -> tuple[object, ...]:
    """Equal for failures that are the same: class, words, own line, and the place and target observed."""
    head = failure.problem.head
    frames = [frame for frame in head.frames if frame.is_own] if head else []
    seen = next((one for one in found if one.proof is Proof.OBSERVED), None)
    observed = (seen.place, *(seen.names.get(name) for name in TARGET_NAMES)) if seen else None
    text = signature(head.type, head.message, ()) if head else failure.problem.text[:500]
    return text, (frames[-1].file, frames[-1].line) if frames else None, observed
