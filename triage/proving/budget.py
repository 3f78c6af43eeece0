"""How much time the proofs of one run may take."""

from collections.abc import Iterable
from dataclasses import dataclass

from triage.proving.laboratory import Laboratory

_TIMES = 3.0  # of one run of the failing tests
_PER_PLAYBOOK_S = 2.0


@dataclass(frozen=True, slots=True)
class Budget:
    """`once_s` is what one run of the failing tests took, `start_s` its share that was no test; wall time."""

    laboratory: Laboratory
    once_s: float
    playbooks: int
    start_s: float = 0.0

    def allows(self, tests: Iterable[str]) -> bool:
        """Whether one more run of these tests is likely to end in time."""
        next_s = self.start_s + self.laboratory.estimate_s(tests)
        return self.laboratory.spent_s + next_s <= self.limit_s

    @property
    def limit_s(self) -> float:
        return _TIMES * self.once_s + _PER_PLAYBOOK_S * self.playbooks
