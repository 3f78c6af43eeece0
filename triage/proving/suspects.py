"""Suspicious lines for failures that no playbook knows, from what every test of the suite executes."""

from collections.abc import Mapping, Sequence

from triage.model.diagnosis import Evidence
from triage.model.failure import Failure
from triage.model.observation import Place
from triage.proving.laboratory import Laboratory, Trial, TrialResult
from triage.proving.spectrum import suspects

SPECTRUM = "line-spectrum"
_SHOWN = 5


def suspects_of(
    failures: Sequence[Failure], laboratory: Laboratory
) -> tuple[Mapping[str, tuple[Evidence, ...]], tuple[str, ...]]:
    """Evidence by test, and notes; alike failures are ranked together."""
    if not failures:
        return {}, ()
    result = laboratory.run(Trial("localise", laboratory.all_tests(), (SPECTRUM,)))
    groups: dict[str, list[Failure]] = {}
    for one in failures:
        groups.setdefault(one.fingerprint or one.case.id, []).append(one)
    found = {one.case.id: _evidence(members, result) for members in groups.values() for one in members}
    notes = result.spectra.notes if result.spectra else ("no test could be watched line by line",)
    return found, (*result.notes, *notes)


def _evidence(members: Sequence[Failure], result: TrialResult) -> tuple[Evidence, ...]:
    if result.spectra is None:
        return ()
    failing = [one.case.id for one in members]
    passing = [test for test in result.outcomes if result.passes(test)]
    chain = members[0].problem.chain
    frames = [Place(frame.file, frame.line, frame.function) for one in chain[:1] for frame in one.frames]
    ranked = suspects(result.spectra, failing, passing, frames)[:_SHOWN]
    return tuple(
        Evidence("suspect", one.file, one.line, f"rank {one.rank}, Ochiai {one.score:.2f}") for one in ranked
    )
