"""What a trial showed for some tests: fixed, failing as before, failing of another cause, newly broken."""

from collections.abc import Container, Iterable

from triage.clustering.signature import signature
from triage.fixing.workshop import Ran
from triage.model.failure import Failure
from triage.model.fix import Verdict
from triage.model.terms import Outcome

_PASSING = (Outcome.PASSED, Outcome.XFAILED, Outcome.XPASSED)


def symptom(failure: Failure | None) -> tuple[object, ...] | None:
    """Equal for failures of one cause: playbook, class, what it names, and the text of the own line.

    The number of the line is left out: an edit above moves it.
    """
    if failure is None:
        return None
    head = failure.problem.head
    if head is None:
        return failure.playbook, failure.problem.text[:200]
    own = [frame for frame in head.frames if frame.is_own]
    place = (own[-1].file, own[-1].function, own[-1].source) if own else None
    return failure.playbook, head.type, signature(head.type, head.message, ()), failure.problem.phase, place


def verdict(tests: Iterable[str], before: Ran, after: Ran, known: Container[str] = ()) -> Verdict:
    """Of these failing tests, and of all that passed before; `known` fail by chance and are no news."""
    ran = [test for test in dict.fromkeys(tests) if before.fails(test)]
    fixed = tuple(test for test in ran if after.outcomes.get(test) in _PASSING)
    open_ = [test for test in ran if test not in fixed]
    same = tuple(test for test in open_ if not _is_other(before.failures.get(test), after.failures.get(test)))
    other = tuple((test, after.failures[test].playbook) for test in open_ if test not in same)
    return Verdict(
        fixed=fixed,
        still_failing=same,
        new_failures=broken(before, after, known),
        unmasked=other,
        is_cause_gone=bool(ran) and not same,
    )


def broken(
    before: Ran, after: Ran, known: Container[str] = (), among: Container[str] | None = None
) -> tuple[str, ...]:
    """Tests that passed and now fail, are skipped or are no longer collected; `among` are those asked for."""
    return tuple(
        test
        for test, outcome in before.outcomes.items()
        if outcome in _PASSING
        and test not in known
        and (among is None or test in among)
        and after.outcomes.get(test) not in _PASSING
    )


def _is_other(before: Failure | None, after: Failure | None) -> bool:
    return after is not None and symptom(before) != symptom(after)
