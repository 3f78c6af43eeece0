"""A laboratory without processes: each test says which breakages it notices, and how."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.builders import failure as failing
from tests.builders import frame, raised, write_files
from triage.model.failure import Failure
from triage.model.observation import Applied, Intervention, Observation, Place
from triage.model.terms import Outcome, Phase
from triage.probes.leftovers import Leftover
from triage.proving.laboratory import Trial, TrialResult
from triage.rules.source import SourceTree

SHOP, TESTS = "app/shop.py", "tests/test_shop.py"
SOURCES = {
    SHOP: """\
def price(kind):
    if kind == "boat":
        raise ValueError(kind)
    return 5


def reduced(kind):
    found = price(kind)
    return found - 1


class Plan(Base):
    tier = Column(String, default="free")
    code = Column(String, unique=True)
""",
    TESTS: """\
def test_price():
    assert price("book") == 5


def test_reduced():
    assert reduced("book") == 4


def test_tier():
    assert Plan().tier == "free"


def test_code():
    with pytest.raises(IntegrityError):
        Plan(code="a")
""",
}
PRICE: Mapping[str, object] = {
    "assertions": 1,
    "lines": {TESTS: [2]},
    "call": {SHOP: [[2, 2], [4, 4]]},
    "setup": {},
}
REDUCED: Mapping[str, object] = {
    "assertions": 1,
    "lines": {TESTS: [6]},
    "call": {SHOP: [[2, 2], [4, 4], [8, 9]]},
}
TIER: Mapping[str, object] = {"assertions": 1, "lines": {TESTS: [10]}, "call": {}}
CODE: Mapping[str, object] = {"assertions": 1, "lines": {TESTS: [14]}, "call": {}}
FACTS = {"test_price": PRICE, "test_reduced": REDUCED, "test_tier": TIER, "test_code": CODE}
LINES = {"test_price": 2, "test_reduced": 6, "test_tier": 10, "test_code": 15}

Notices = Callable[[str, tuple[Intervention, ...]], Failure | None]


def asserted(test: str, type_: str = "AssertionError") -> Failure:
    """It fails in the test's own assertion."""
    line = LINES.get(test.rpartition("::")[2], 2)
    return failing(test, None, raised(type_, "no", frame(TESTS, line, kind="test")))


def crashed(test: str, type_: str = "TypeError") -> Failure:
    """It fails in the product, which no assertion called."""
    frames = (frame(TESTS, 1, kind="test"), frame(SHOP, 4, kind="project"))
    return failing(test, None, raised(type_, "no", *frames))


def in_setup(test: str) -> Failure:
    from tests.builders import case, problem  # noqa: PLC0415 - one failure of this kind

    one = problem(raised("AssertionError"), phase=Phase.SETUP)
    return Failure(case(test, one), one)


@dataclass
class World:
    """`notices` gives the failure of a test under its own orders that took effect, or None."""

    notices: Notices
    facts: Mapping[str, Mapping[str, object]] = field(default_factory=lambda: FACTS)
    without_effect: bool = False
    broken: tuple[str, ...] = ()  # they do not pass as they are
    needs: Mapping[str, str] = field(default_factory=dict)  # it does not pass where that one did not run
    silent: tuple[str, ...] = ()  # they ran first, and are not asked for
    polluted: Mapping[str, str] = field(default_factory=dict)  # fails if that one failed before it
    trials: list[Trial] = field(default_factory=list)
    spent_s: float = 0.0
    ran_in_parallel: bool = False

    @property
    def tests(self) -> tuple[str, ...]:
        return tuple(f"{TESTS}::{name}" for name in self.facts if name not in self.silent)

    def run(self, trial: Trial) -> TrialResult:
        self.trials.append(trial)
        failures: dict[str, Failure] = {}
        applied: dict[str, tuple[Applied, ...]] = {}
        for test in trial.tests:
            own = tuple(one for one in trial.interventions if test in one.tests)
            if not self.without_effect:
                applied[test] = tuple(Applied(test, one.kind, one.file, one.line, "") for one in own)
            found = self.notices(test, own) if own else None
            name = test.rpartition("::")[2]
            before = self.polluted.get(name)
            spoilt = before is not None and f"{TESTS}::{before}" in failures
            alone = f"{TESTS}::{self.needs.get(name, name)}" not in trial.tests
            if name in self.broken or spoilt or alone:
                found = asserted(test)
            if found is not None:
                failures[test] = found
        outcomes = {test: Outcome.FAILED if test in failures else Outcome.PASSED for test in trial.tests}
        seen = {test: (self._seen(test),) for test in trial.tests} if trial.observers else {}
        return TrialResult(outcomes, failures, seen, applied, 1.0)

    def _seen(self, test: str) -> Observation:
        return Observation(
            test, Phase.CALL, "assertions-made", facts=self.facts.get(test.rpartition("::")[2], {})
        )

    def all_tests(self) -> tuple[str, ...]:
        return tuple(f"{TESTS}::{name}" for name in self.facts)

    def before(self, test: str) -> tuple[str, ...]:
        return self.tests[: self.tests.index(test)]

    def estimate_s(self, tests: Iterable[str]) -> float:
        return float(len(set(tests)))

    def place(self, test: str) -> Place:
        name = test.rpartition("::")[2]
        return Place(TESTS, LINES.get(name, 2) - 1, name)

    def left(self, _test: str) -> tuple[Leftover, ...]:
        return ()


def source_tree(folder: Path, sources: Mapping[str, str] = SOURCES) -> SourceTree:
    return SourceTree(write_files(folder, dict(sources)), ("app",), ("tests",))
