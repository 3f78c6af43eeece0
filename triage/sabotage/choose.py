"""Which breakages are tried for which test, the ones that it is likeliest to notice first."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from triage.rules.source import MODEL_WORDS, SourceTree
from triage.sabotage.declared import declared_mutants
from triage.sabotage.mutants import OTHER, function_mutants
from triage.sabotage.pieces import PROCESS, Mutant, Piece, words_of
from triage.sabotage.subjects import Subject

_IN_SETUP = 4.0  # only a fixture ran it
_EVERYBODY = 3.0  # every test ran it: it says little about this one
_WORD, _NAMED, _ASSERTED, _FIXED = 0.7, 3.0, 1.5, 6.0
_MOST_WORDS = 4
_ALL_FILES = 300  # of a bigger product only those that were executed or hold models
_KEPT = 60  # of one test
_OF_ONE = 2  # breakages of one function or class at once
_OF_SETUP = 2  # of what only fixtures run: with more the test is not even reached
_Lines = Mapping[str, frozenset[int]]


@dataclass
class Choice:
    """`fixed` are lines of the fix in the product: to break them is to put the defect back."""

    tree: SourceTree
    subjects: Sequence[Subject]
    fixed: _Lines
    _tried: dict[str, list[Mutant]] = field(default_factory=dict)
    _known: dict[str, list[Mutant]] = field(default_factory=dict)
    _ranked: dict[str, list[Mutant]] = field(default_factory=dict)

    def tried(self, test: str) -> int:
        return len(self._tried.get(test, ()))

    def next(self, subject: Subject, most: int) -> tuple[Mutant, ...]:
        """The best of those that were not tried, none at a line that was, few of one function."""
        tried = self._tried.setdefault(subject.test, [])
        lines = {(one.file, one.line) for one in tried}
        ranked = sorted(
            self._of_test(subject), key=lambda one: sum(one.owner == each.owner for each in tried)
        )
        fresh = [one for one in ranked if (one.file, one.line) not in lines]
        return self._taken(subject, fresh, most)

    def next_declared(self, subject: Subject, most: int) -> tuple[Mutant, ...]:
        """The best of what is declared for the whole process, all of one kind."""
        scored = [
            (score, one)
            for one in self._declared
            if one.kind in PROCESS and (score := self._declared_score(one, subject)) is not None
        ]
        scored.sort(key=lambda pair: (pair[0], pair[1].file, pair[1].line))
        ranked = [one for _, one in scored if one.kind == scored[0][1].kind]
        return self._taken(subject, ranked, most)

    def _taken(self, subject: Subject, ranked: Sequence[Mutant], most: int) -> tuple[Mutant, ...]:
        tried = self._tried.setdefault(subject.test, [])
        chosen: list[Mutant] = []
        owners: Counter[str] = Counter()
        phases: Counter[str] = Counter()
        for one in ranked:
            if len(chosen) == most:
                break
            when = self.when(one, subject)
            if (
                one in tried
                or owners[one.owner] == _OF_ONE
                or (when == "setup" and phases[when] == _OF_SETUP)
            ):
                continue
            if any(_clash(one, each) for each in chosen):
                continue
            chosen.append(one)
            phases[when] += 1
            owners[one.owner] += 1
        tried.extend(chosen)
        return tuple(chosen)

    def when(self, mutant: Mutant, subject: Subject) -> str:
        if mutant.kind in PROCESS:
            return "process"
        return "call" if _runs(mutant, subject.call) or mutant.kind == "attribute" else "setup"

    def _of_test(self, subject: Subject) -> list[Mutant]:
        if subject.test not in self._ranked:
            scored = [(self._score(one, subject), one) for one in self._reached(subject)]
            scored += [
                (score, one)
                for one in self._declared
                if one.kind == "attribute" and (score := self._declared_score(one, subject)) is not None
            ]
            scored.sort(key=lambda pair: (pair[0], pair[1].file, pair[1].line))
            self._ranked[subject.test] = [one for _, one in scored[:_KEPT]]
        return self._ranked[subject.test]

    def _reached(self, subject: Subject) -> Iterator[Mutant]:
        for file in sorted({*subject.call, *subject.setup}):
            for one in self._of_file(file):
                if one.kind == "function" and (_runs(one, subject.call) or _runs(one, subject.setup)):
                    yield one

    def _of_file(self, file: str) -> list[Mutant]:
        if file not in self._known:
            module = None if self.tree.is_test(file) else self.tree.module(file)
            piece = Piece(module, self.tree.files[file]) if module is not None else None
            self._known[file] = [*function_mutants(piece), *declared_mutants(piece)] if piece else []
        return self._known[file]

    @cached_property
    def _declared(self) -> list[Mutant]:
        files = [file for file in self.tree.files if not self.tree.is_test(file)]
        if len(files) > _ALL_FILES:
            executed = {file for one in self.subjects for file in (*one.call, *one.setup)} | self.fixed.keys()
            files = [file for file in files if file in executed or self._has_models(file)]
        return [one for file in files for one in self._of_file(file) if one.kind != "function"]

    def _has_models(self, file: str) -> bool:
        return any(word in self.tree.files[file] for word in MODEL_WORDS)

    @cached_property
    def _covered_by(self) -> Counter[tuple[str, int]]:
        found: Counter[tuple[str, int]] = Counter()
        for one in self.subjects:
            found.update((file, line) for file, lines in one.call.items() for line in lines)
        return found

    def _score(self, one: Mutant, subject: Subject) -> float:
        score, shared = one.weight, min(_MOST_WORDS, len(one.words & subject.words))
        if not _runs(one, subject.call):
            # A fixture given another value rather ends than goes on.
            score += _IN_SETUP + 1.5 * one.text.startswith(OTHER) - _WORD * shared
        lines = range(one.lines[0], one.lines[1] + 1)
        covering = max(self._covered_by[(one.file, line)] for line in lines)
        score += _EVERYBODY * covering / (len(self.subjects) or 1)
        score -= _WORD * shared
        name = one.owner.rpartition(".")[2]
        score -= _NAMED * (name in subject.names) + _ASSERTED * bool(words_of(name) & subject.about)
        if subject.expects_refusal:
            score += -_NAMED if one.raises else 1.0
        return score - _FIXED * self._is_fixed(one)

    def _declared_score(self, one: Mutant, subject: Subject) -> float | None:
        """None where the test does not speak of it."""
        if one.kind == "refusal" and not subject.expects_refusal:
            return None
        shared = one.words & subject.words
        own = words_of(one.attribute) if one.attribute != "__table_args__" else shared
        speaks = (
            one.attribute in subject.names if one.kind == "attribute" else bool(own) and own <= subject.words
        )
        if not shared and not (one.kind == "attribute" and speaks):
            return None
        if one.kind != "refusal" and not speaks and not self._is_fixed(one):
            return None
        score = one.weight - _WORD * min(2 * _MOST_WORDS, len(shared)) - _ASSERTED * bool(own & subject.about)
        score -= _NAMED * bool(own and own <= subject.words)
        score -= _NAMED * bool(words_of(one.owner) and words_of(one.owner) <= subject.words)
        return score - _FIXED * self._is_fixed(one)

    def _is_fixed(self, one: Mutant) -> bool:
        fixed = self.fixed.get(one.file, frozenset())
        return any(line in fixed for line in range(one.lines[0], one.lines[1] + 1))


def _runs(mutant: Mutant, lines: _Lines) -> bool:
    begin, end = mutant.lines
    executed = lines.get(mutant.file, frozenset())
    return any(line in executed for line in range(begin, end + 1))


def _clash(one: Mutant, other: Mutant) -> bool:
    return (one.file, one.lines) == (other.file, other.lines)


def merged(chosen: Iterable[tuple[str, Mutant, str]]) -> dict[tuple[Mutant, str], tuple[str, ...]]:
    """The tests of each breakage, from (test, breakage, when)."""
    found: dict[tuple[Mutant, str], tuple[str, ...]] = {}
    for test, mutant, when in chosen:
        found[mutant, when] = (*found.get((mutant, when), ()), test)
    return found
