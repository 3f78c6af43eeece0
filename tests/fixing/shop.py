"""A workshop without processes: a test fails while a word stands in one of its files."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.builders import failure, frame, playbook, raised
from triage.fixing.workshop import Changed, Ran, State
from triage.model.diagnosis import Cause, Defect, Diagnosis
from triage.model.fix import Edit, Proposal, Reach, Refusal, Sabotage, Target
from triage.model.playbook import Playbook, Remedy
from triage.model.terms import Applicability, Outcome, Proof
from triage.rules.source import SourceTree

FILE = "tests/test_shop.py"
BOOKS: Mapping[str, Playbook] = {
    name: replace(
        playbook(name),
        remedies=(
            Remedy("first", Applicability.SAFE),
            Remedy("second", Applicability.UNSAFE),
            Remedy("shown", Applicability.DISPLAY_ONLY),
        ),
    )
    for name in ("known", "other")
}


@dataclass(frozen=True)
class Ill:
    """A test that fails while `word` stands in `file`, under this playbook; `in_company` not alone."""

    word: str
    file: str = FILE
    playbook: str = "known"
    in_company: bool = False


Cures = Mapping[tuple[str, str], Sequence[tuple[str, str]]]  # (remedy, word) -> texts and what they become


def proposing(cures: Cures, **more: object) -> Callable[..., Sequence[Proposal | Refusal]]:
    """A remedy replaces texts in the file of the target; `more` are fields of its proposals."""

    def propose(names: Iterable[str], target: Target, tree: SourceTree) -> list[Proposal | Refusal]:
        found: list[Proposal | Refusal] = []
        for name in names:
            for old, new in cures.get((name, target.names["word"]), ()):
                text = tree.files[target.file].decode()
                edits = tuple(
                    Edit(target.file, each.start(), each.end(), new)
                    for each in re.finditer(re.escape(old), text)
                )
                if edits:
                    fields = {"remedy": name, "label": "it", "edits": edits, "reach": Reach.TEST, **more}
                    found.append(Proposal(**fields))  # type: ignore[arg-type] # fields of the caller's choice
        return found

    return propose


@dataclass
class Shop:
    """`tests` in their order, each with what may ail it, the first that does decides."""

    root: Path
    files: Mapping[str, str]
    tests: Mapping[str, Sequence[Ill]]
    blind: Sequence[str] = ()  # tests that notice no sabotage
    once: list[str] = field(default_factory=list)  # tests that fail by chance in the next run of all
    duration_s: float = 1.0
    runs: list[tuple[str, tuple[str, ...] | None]] = field(default_factory=list)
    looked: list[tuple[str, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name, text in self.files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text, "utf-8")

    def first(self) -> State:
        ran = self._ran({}, None)
        return self._state({}, ran, ran.failing)

    def run(self, changed: Changed, tests: Sequence[str] | None, name: str) -> Ran:
        self.runs.append((name, None if tests is None else tuple(tests)))
        return self._ran(changed, tests)

    def look(self, changed: Changed, ran: Ran, tests: Sequence[str]) -> State:
        self.looked.append(tuple(tests))
        return self._state(changed, ran, tests)

    def sabotage(
        self, changed: Changed, ran: Ran, tests: Sequence[str]
    ) -> tuple[Mapping[str, Sabotage], tuple[str, ...]]:
        assert not [test for test in tests if ran.fails(test)]
        return {test: Sabotage(test, test not in self.blind, 1) for test in tests}, ()

    def _text(self, changed: Changed, file: str) -> str:
        return changed[file].decode() if file in changed else self.files[file]

    def _ailing(self, changed: Changed, test: str) -> Ill | None:
        return next((ill for ill in self.tests[test] if ill.word in self._text(changed, ill.file)), None)

    def _ran(self, changed: Changed, tests: Sequence[str] | None) -> Ran:
        asked = list(self.tests) if tests is None else list(tests)
        failures = {}
        for test in asked:
            ill = self._ailing(changed, test)
            if ill is not None and not (ill.in_company and tests is not None):
                error = raised("ValueError", ill.word, frame(FILE, 1, "sell", source=ill.word))
                failures[test] = failure(test, ill.playbook, error)
        if tests is None:
            for test in self.once:
                failures[test] = failure(test, "known", raised("ValueError", "by chance"))
            self.once = []
        outcomes = {test: Outcome.FAILED if test in failures else Outcome.PASSED for test in asked}
        return Ran(outcomes, failures, self.duration_s, asked=None if tests is None else tuple(tests))

    def _state(self, changed: Changed, ran: Ran, tests: Iterable[str]) -> State:
        for name in self.files:
            (self.root / name).write_text(self._text(changed, name), "utf-8")
        by_ill: dict[Ill, list[str]] = {}
        for test in tests:
            ill = self._ailing(changed, test)
            if ill is not None:
                by_ill.setdefault(ill, []).append(test)
        found = [
            self._diagnosis(f"D{n}", ill, mine, changed) for n, (ill, mine) in enumerate(by_ill.items(), 1)
        ]
        return State(ran, tuple(found), SourceTree(self.root))

    def _diagnosis(self, name: str, ill: Ill, tests: Sequence[str], changed: Changed) -> Diagnosis:
        line = 1 + self._text(changed, ill.file).partition(ill.word)[0].count("\n")
        defect = Defect(ill.playbook, ill.file, line, names={"word": ill.word})
        cause = Cause(ill.file, line, "", "")
        return Diagnosis(name, ill.playbook, 0.9, Proof.FLIPPED, cause, (), tuple(tests), defects=(defect,))
