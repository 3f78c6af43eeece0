"""What one test did, as facts: exceptions, frames, fixtures, warnings."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from triage.model.terms import Outcome, Phase


@dataclass(frozen=True, slots=True)
class Frame:
    """One traceback entry, outermost first in its list.

    `file` is relative to the project's root with `/`, or as the traceback gives it when outside;
    `line` counts from 1; `kind` is `project`, `test`, `library` or `generated`; `columns` are the
    start and end offsets of the expression that raised (Python 3.11 and later).
    """

    file: str
    line: int
    function: str
    kind: str = "project"
    module: str | None = None
    source: str | None = None
    columns: tuple[int, int] | None = None

    @property
    def is_own(self) -> bool:
        """True for code of the project itself, its tests included."""
        return self.kind in ("project", "test")


@dataclass(frozen=True, slots=True)
class ExceptionInfo:
    """One exception of a chain.

    `type` is the qualified class name, `bases` the qualified names of its other classes in MRO
    order (empty when only text is known), `via` how it hangs on the one before it in the chain:
    `raised` for the head, `cause` (raise from) or `context` (while handling). `identity` is equal
    for the same object within one run; `follows` is the identity of an exception that this one
    says it follows from.
    """

    type: str
    message: str
    bases: tuple[str, ...] = ()
    frames: tuple[Frame, ...] = ()
    via: str = "raised"
    raised_in: str | None = None
    identity: int | None = None
    follows: int | None = None

    @property
    def name(self) -> str:
        """The class name without its module."""
        return self.type.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class FixtureSite:
    """A fixture that the test asked for, directly or not, with its definition site."""

    name: str
    scope: str
    file: str
    line: int
    function: str = ""
    is_generator: bool = False
    arguments: tuple[str, ...] = ()
    is_own: bool = True


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that went wrong in one phase of one test.

    `chain` starts with the exception that decided the outcome. `text` is the failure text of the
    report. `in_fixture` names the fixtures that were being set up or torn down, outermost first.
    `facts` are what the plugin saw beside the exception (see `docs/reference/events.md`).
    """

    phase: Phase
    outcome: Outcome
    chain: tuple[ExceptionInfo, ...] = ()
    text: str = ""
    in_fixture: tuple[str, ...] = ()
    fixtures: tuple[FixtureSite, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def head(self) -> ExceptionInfo | None:
        return self.chain[0] if self.chain else None


@dataclass(frozen=True, slots=True)
class TestCase:
    """One test. `nodeid` is pytest's own, verbatim; None where only XML is known and it cannot tell.

    A test that fails in its body and in its teardown is one case with two problems.
    """

    __test__ = False

    name: str
    classname: str = ""
    nodeid: str | None = None
    outcome: Outcome = Outcome.PASSED
    duration_s: float = 0.0
    problems: tuple[Problem, ...] = ()
    file: str | None = None
    line: int | None = None
    function: str | None = None

    @property
    def id(self) -> str:
        """The node id, or the best substitute that the XML allows."""
        if self.nodeid is not None:
            return self.nodeid
        return f"{self.classname}::{self.name}" if self.classname else self.name


@dataclass(frozen=True, slots=True)
class WarningRecord:
    category: str
    message: str
    file: str
    line: int
    nodeid: str | None = None
