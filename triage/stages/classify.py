"""Every failing test into exactly one playbook, or into a cluster of unknown failures."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from triage.clustering.clusters import Known, clusters
from triage.clustering.signature import fingerprint, signature
from triage.model.case import Problem, TestCase
from triage.model.failure import Classification, Cluster, Failure, Loser
from triage.model.terms import Phase
from triage.playbook.cascade import link_cascades
from triage.playbook.conditions import HasFinding
from triage.playbook.match import Matcher


def classify(
    cases: Iterable[TestCase],
    matcher: Matcher,
    has_finding: HasFinding | None = None,
    known: Known | None = None,
) -> Classification:
    """Sort the failing cases, in the order in which they ran, and link followers to their roots.

    `known` gives the clusters of unknown failures that the history remembers.
    """
    failures = [classify_case(case, matcher, has_finding) for case in cases if case.outcome.is_failing]
    linked = _clustered(link_cascades(failures, matcher.playbooks), known)
    return Classification(tuple(linked), clusters_of(linked))


def classify_case(case: TestCase, matcher: Matcher, has_finding: HasFinding | None = None) -> Failure:
    """Sort one failing case by its first problem; a later one only adds to `also`."""
    problem, *later = case.problems or (Problem(phase=Phase.CALL, outcome=case.outcome),)
    match, also = matcher.match(problem, has_finding)
    if later:
        known = {match.playbook if match else "", *(loser.playbook for loser in also)}
        also = (*also, *_from_later(later, matcher, has_finding, known))
    if match is not None:
        return Failure(case=case, problem=problem, match=match, also=also)
    text = _signature(problem)
    return Failure(case=case, problem=problem, also=also, signature=text, fingerprint=fingerprint(text))


def _clustered(failures: Sequence[Failure], known: Known | None) -> list[Failure]:
    """With the identity of its cluster in each unknown failure."""
    found = clusters((one.signature for one in failures if one.match is None), known)
    return [
        replace(one, fingerprint=found[one.signature].fingerprint, signature=found[one.signature].signature)
        if one.match is None
        else one
        for one in failures
    ]


def clusters_of(failures: Sequence[Failure]) -> tuple[Cluster, ...]:
    """Unknown failures by fingerprint, largest first."""
    groups: dict[str, list[Failure]] = {}
    for failure in failures:
        if failure.match is None:
            groups.setdefault(failure.fingerprint, []).append(failure)
    clusters = [
        Cluster(key, members[0].signature, tuple(one.case.id for one in members))
        for key, members in groups.items()
    ]
    return tuple(sorted(clusters, key=lambda cluster: (-len(cluster.tests), cluster.fingerprint)))


def _from_later(
    problems: Iterable[Problem], matcher: Matcher, has_finding: HasFinding | None, known: set[str]
) -> Iterable[Loser]:
    for problem in problems:
        match, _ = matcher.match(problem, has_finding)
        if match and match.playbook not in known:
            known.add(match.playbook)
            yield Loser(match.playbook, f"it matches what failed after that, in {problem.phase}")


def _signature(problem: Problem) -> str:
    head = problem.head
    if head is None:
        return signature("", problem.text[:500], ())
    return signature(head.type, head.message, head.frames)
