"""A located cause with its evidence."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from triage.model.terms import Proof


@dataclass(frozen=True, slots=True)
class Evidence:
    """A fact that supports a cause; `kind` says what it is of (`raised`, `fixture`, `born` ...)."""

    kind: str
    file: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Cause:
    """`file` relative to the project's root; `line` counts from 1; `symbol` a function or class."""

    file: str
    line: int
    symbol: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Defect:
    """A place to cure, with what is known of it: `names` are those that sentences and remedies take.

    `change` is the intervention that took effect there (empty: none did), `message` the exception's.
    """

    playbook: str
    file: str
    line: int
    symbol: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    change: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One cause and the failing tests that it explains; `dependents` only follow from them.

    `playbook` is None for a cluster of unknown failures, whose cause is its deepest own frame.
    `repeats` says how often its tests were run again and what that supports; `behind` are places of
    defects that showed only once this cause was taken away. `defects` are the cause and those, for remedies.
    """

    id: str
    playbook: str | None
    confidence: float
    proof: Proof
    cause: Cause
    evidence: tuple[Evidence, ...]
    tests: tuple[str, ...]
    dependents: tuple[str, ...] = ()
    cluster: str | None = None
    repeats: str = ""
    behind: tuple[tuple[str, int], ...] = ()
    defects: tuple[Defect, ...] = ()
