"""All examples of a library, each tried against all of its playbooks, once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from triage.model.playbook import Playbook
from triage.playbook.examples import ExampleResult, run_examples
from triage.playbook.match import TIE, Matcher


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two playbooks that hold for the same failures: who wins, why, and how often in the examples."""

    winner: str
    loser: str
    reason: str
    failures: int
    files: tuple[Path, ...]

    @property
    def is_tie(self) -> bool:
        return self.reason.startswith(TIE)


class Evidence:
    """Results by playbook, and what holds together with what."""

    def __init__(self, playbooks: Mapping[str, Playbook]) -> None:
        self.playbooks = playbooks
        matcher = Matcher(playbooks.values())
        self._of = {one.id: tuple(run_examples(one, matcher)) for one in playbooks.values()}

    def of(self, playbook: Playbook) -> tuple[ExampleResult, ...]:
        return self._of.get(playbook.id, ())

    def shown(self, playbook: Playbook, *, is_match: bool) -> Iterator[ExampleResult]:
        """The examples of one kind that could be read."""
        return (one for one in self.of(playbook) if one.is_match == is_match and one.failure is not None)

    def all(self) -> Iterator[ExampleResult]:
        """Each failure once, though several playbooks may cite its file."""
        owners: dict[Path, tuple[str, bool, int]] = {}
        for one in (one for results in self._of.values() for one in results):
            reader = (one.playbook, one.is_match, one.index)
            if one.failure is not None and owners.setdefault(one.file, reader) == reader:
                yield one

    @cached_property
    def class_names(self) -> frozenset[str]:
        """The bare names of all exceptions that examples show."""
        failures = (one.failure.problem for one in self.all() if one.failure)
        return frozenset(each.name for problem in failures for each in problem.chain)

    @cached_property
    def overlaps(self) -> tuple[Overlap, ...]:
        found: dict[tuple[str, str, str], list[Path]] = {}
        for one in self.all():
            for loser in one.also:
                found.setdefault((one.primary or "", loser.playbook, loser.reason), []).append(one.file)
        return tuple(
            Overlap(*key, len(files), tuple(dict.fromkeys(files))) for key, files in sorted(found.items())
        )


def holders_of(result: ExampleResult) -> frozenset[str]:
    """The playbooks that hold for it, the winner among them."""
    return frozenset(filter(None, (result.primary, *(one.playbook for one in result.also))))
