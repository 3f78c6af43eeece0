"""Stage: failures to causes: where each one comes from, what proves it, which tests it explains."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from triage.model.diagnosis import Diagnosis
from triage.model.failure import Failure
from triage.model.playbook import Playbook
from triage.proving.candidates import candidates
from triage.proving.grouping import Located, grouped
from triage.proving.prove import Proofs
from triage.rules.lookup import Lookup

Prove = Callable[[Sequence[Failure]], Proofs]


@dataclass(frozen=True, slots=True)
class Diagnosed:
    """`failures` are sorted anew where running them again said more than their text."""

    failures: tuple[Failure, ...]
    diagnoses: tuple[Diagnosis, ...]
    notes: tuple[str, ...] = ()


def diagnose(
    failures: Sequence[Failure],
    playbooks: Mapping[str, Playbook],
    lookup: Lookup,
    prove: Prove | None = None,
) -> Diagnosed:
    """One diagnosis for each cause; failures that follow from others hang under their root.

    Without `prove` nothing is run again, and source and traceback alone speak.
    """
    proofs = prove(failures) if prove is not None and failures else Proofs()
    known = tuple(
        proofs.by_test[one.case.id].failure if one.case.id in proofs.by_test else one for one in failures
    )
    tests = {one.case.id for one in known}
    roots = [one for one in known if one.root is None or one.root not in tests]
    located = [_located(one, playbooks, lookup, proofs) for one in roots]
    return Diagnosed(known, grouped(located, known, playbooks, proofs), proofs.notes)


def _located(failure: Failure, playbooks: Mapping[str, Playbook], lookup: Lookup, proofs: Proofs) -> Located:
    proven = proofs.by_test.get(failure.case.id)
    if proven is not None:
        return Located(failure, proven.subject.candidate, proven.subject.proof, proven)
    likeliest = candidates(failure, playbooks, lookup)[0]
    return Located(failure, likeliest, likeliest.proof)
