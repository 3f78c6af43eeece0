"""Clauses by the class and the words that they want: an exception meets only those that could hold."""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from triage.model.case import ExceptionInfo
from triage.model.playbook import Playbook, Symptom
from triage.playbook.conditions import Clause, bases_of
from triage.playbook.expressions import ExpressionSet
from triage.playbook.words import words_of

_TYPES = 5_000  # whose set of expressions is remembered
_MESSAGES = 1_000  # of a class that are remembered, with what was found in them
_SHORT = 500  # characters; longer ones are not
_Search = Callable[[str], frozenset[int]]


class ClauseIndex:
    """Searches only for what clauses say that want this class, or any: a set's cost grows with its size."""

    def __init__(self, playbooks: Iterable[Playbook]) -> None:
        self._numbers: dict[str, int] = {}
        self._by_name: dict[str, list[Clause]] = {}
        self._by_message: dict[int, list[Clause]] = {}
        self._others: list[Clause] = []
        for playbook in playbooks:
            for place, symptom in enumerate(playbook.symptoms):
                self._add(self._clause(playbook, symptom, place))
        nameless = [*self._others, *(one for group in self._by_message.values() for one in group)]
        self._of_all = self._set_of(nameless)
        self._of_names: dict[frozenset[str], tuple[_Search, _Search]] = {}
        self._of_types: dict[tuple[str, tuple[str, ...]], tuple[_Search, _Search]] = {}
        named = (clause for group in self._by_name.values() for clause in group)
        sources = [one.symptom.source for one in (*nameless, *named) if one.symptom.source is not None]
        self.sources = ExpressionSet(sources, self._numbers)

    def found(self, exception: ExceptionInfo) -> frozenset[int]:
        """The numbers of the expressions that its message holds, of those that could matter to it."""
        kind = (exception.type, exception.bases)
        short, long = self._of_types.get(kind) or self._learn(exception)
        message = words_of(exception.message, exception.type)
        return (short if len(message) <= _SHORT else long)(message)

    def clauses(self, exception: ExceptionInfo, found: frozenset[int]) -> Iterator[Clause]:
        """Those that could hold for it, a few of them twice."""
        for name in _names(exception):
            yield from self._by_name.get(name, ())
        for number in found:
            yield from self._by_message.get(number, ())
        yield from self._others

    def _clause(self, playbook: Playbook, symptom: Symptom, place: int) -> Clause:
        def number(expression: str | None) -> int | None:
            return None if expression is None else self._numbers.setdefault(expression, len(self._numbers))

        return Clause(
            playbook, symptom, place, number(symptom.message), number(symptom.unless), number(symptom.source)
        )

    def _add(self, clause: Clause) -> None:
        if clause.symptom.exception:
            for name in {one.rpartition(".")[2] for one in clause.symptom.exception}:
                self._by_name.setdefault(name, []).append(clause)
        elif clause.message is not None:
            self._by_message.setdefault(clause.message, []).append(clause)
        else:
            self._others.append(clause)

    def _learn(self, exception: ExceptionInfo) -> tuple[_Search, _Search]:
        """What searches a short message, which is remembered, and a long one."""
        names = frozenset(name for name in _names(exception) if name in self._by_name)
        if names not in self._of_names:
            search = self._search_for(names)
            self._of_names[names] = lru_cache(maxsize=_MESSAGES)(search), search
        if len(self._of_types) >= _TYPES:
            self._of_types.clear()
        self._of_types[exception.type, exception.bases] = self._of_names[names]
        return self._of_names[names]

    def _search_for(self, names: frozenset[str]) -> _Search:
        own = self._set_of(clause for name in sorted(names) for clause in self._by_name[name])

        def search(message: str) -> frozenset[int]:
            return self._of_all.search(message) | own.search(message)

        return search

    def _set_of(self, clauses: Iterable[Clause]) -> ExpressionSet:
        texts = (text for one in clauses for text in (one.symptom.message, one.symptom.unless))
        return ExpressionSet((text for text in texts if text is not None), self._numbers)


def _names(exception: ExceptionInfo) -> set[str]:
    return {exception.name, *(base.rpartition(".")[2] for base in bases_of(exception))}
