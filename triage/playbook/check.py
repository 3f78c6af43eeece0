"""`triage playbooks check`: faults of playbooks that would show only as wrong verdicts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from triage.model.playbook import Playbook
from triage.playbook.checks import alone, proven, together
from triage.playbook.checks.evidence import Evidence, Overlap
from triage.playbook.checks.fault import CheckProblem, faults_of_file
from triage.playbook.load import Library

_BY_EXAMPLES: tuple[Callable[[Playbook, Evidence], Iterator[CheckProblem]], ...] = (
    proven.example_faults,
    proven.unproven_faults,
    proven.dead_faults,
    together.tie_faults,
    together.shadow_faults,
    together.wide_faults,
    together.neighbour_faults,
    together.beats_notes,
)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Faults, what is worth a look, and which playbooks hold for the same examples."""

    problems: tuple[CheckProblem, ...]
    notes: tuple[CheckProblem, ...]
    overlaps: tuple[Overlap, ...]


def check_library(library: Library, today: date) -> CheckReport:
    """Every fault of every playbook, in the order of the playbooks; bad files first."""
    found = [problem for error in library.errors for problem in faults_of_file(error)]
    sound: dict[str, Playbook] = {}
    for playbook in library.playbooks.values():
        faults = list(alone.expression_faults(playbook))
        found += faults
        if not faults:
            sound[playbook.id] = playbook
    known = frozenset((*library.playbooks, *_left_out(library)))
    evidence = Evidence(sound)
    for playbook in sound.values():
        found += _alone(playbook, known, today)
        for check in _BY_EXAMPLES:
            found += check(playbook, evidence)
    unique = tuple(dict.fromkeys(found))
    return CheckReport(
        problems=tuple(one for one in unique if not one.is_note),
        notes=tuple(one for one in unique if one.is_note),
        overlaps=evidence.overlaps,
    )


def _alone(playbook: Playbook, known: frozenset[str], today: date) -> Iterator[CheckProblem]:
    yield from alone.reference_faults(playbook, known)
    yield from alone.review_faults(playbook, today)
    yield from alone.broad_faults(playbook)
    yield from alone.never_faults(playbook)


def _left_out(library: Library) -> Iterator[str]:
    """The ids of files that could not be loaded; to name them is no second fault."""
    for error in library.errors:
        yield Path((error.where or "").partition(":")[0]).stem
