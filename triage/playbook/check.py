"""`triage playbooks check`: faults of playbooks that would show only as wrong verdicts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from triage.model.playbook import Playbook
from triage.playbook.checks import alone, layered, names, proven, together, wording
from triage.playbook.checks.evidence import Evidence, Overlap
from triage.playbook.checks.fault import CheckProblem, faults_of_file, place_of
from triage.playbook.load import Library

_ALONE: tuple[Callable[[Playbook], Iterator[CheckProblem]], ...] = (
    alone.broad_faults,
    alone.never_faults,
    names.sentence_faults,
    names.group_faults,
    names.version_faults,
    wording.placeholder_faults,
)
_BY_EXAMPLES: tuple[Callable[[Playbook, Evidence], Iterator[CheckProblem]], ...] = (
    proven.example_faults,
    proven.unproven_faults,
    proven.dead_faults,
    proven.misspelt_faults,
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


def check_library(library: Library, today: date, there: names.Known | None = None) -> CheckReport:
    """Every fault of every playbook, in the order of the playbooks; bad files first.

    `there` are the names of probes and the like that exist; None: these names are not looked at.
    """
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
        found += names.name_faults(playbook, there) if there else ()
        for check in _BY_EXAMPLES:
            found += check(playbook, evidence)
    unique = dict.fromkeys(layered.by_upper_layer(found, evidence, library.folders))
    return CheckReport(
        problems=tuple(one for one in unique if not one.is_note),
        notes=tuple(one for one in unique if one.is_note),
        overlaps=evidence.overlaps,
    )


def _alone(playbook: Playbook, known: frozenset[str], today: date) -> Iterator[CheckProblem]:
    yield from alone.reference_faults(playbook, known)
    yield from alone.review_faults(playbook, today)
    for check in _ALONE:
        yield from check(playbook)


def _left_out(library: Library) -> Iterator[str]:
    """The ids of files that could not be loaded; to name them is no second fault."""
    for error in library.errors:
        yield place_of(error.where or "")[0].stem
