"""What a playbook does to those of the layers below it: told once for each pair, in the upper one's file."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from triage.model.playbook import Playbook
from triage.model.terms import Level
from triage.playbook.checks.evidence import Evidence, Overlap
from triage.playbook.checks.fault import CheckProblem, fault

_OF_A_PAIR = ("example", "tie", "shadowed")
Pair = tuple[str, str]  # the upper one, the lower one


def by_upper_layer(
    problems: Iterable[CheckProblem], evidence: Evidence, folders: Iterable[Path]
) -> list[CheckProblem]:
    """Who wrote the upper playbook can mend it; the lower one's file is often not theirs."""
    ranks = {folder.resolve(): number for number, folder in enumerate(folders)}
    layers = {one.id: _rank(one, ranks) for one in evidence.playbooks.values()}
    found: dict[Pair | CheckProblem, list[CheckProblem]] = {}
    for one in problems:
        keys: list[Pair | CheckProblem] = [*_pairs(one, layers)]
        for key in keys or [one]:
            found.setdefault(key, []).append(one)
    return [
        one if isinstance(one, CheckProblem) else _of_pair(one, parts, evidence)
        for one, parts in found.items()
    ]


def _rank(playbook: Playbook, ranks: Mapping[Path, int]) -> int:
    return ranks.get(playbook.path.parent.resolve(), 0) if playbook.path else 0


def _pairs(problem: CheckProblem, layers: Mapping[str, int]) -> list[Pair]:
    """The pairs of layers that it belongs to; none where the file that it stands in is the one to mend."""
    mine, others = problem.playbook, problem.others
    if problem.kind not in _OF_A_PAIR or problem.is_note or mine not in layers:
        return []
    if any(one not in layers for one in others):
        return []
    if problem.kind == "tie" and len(others) == 1 and layers[mine] > layers[others[0]]:
        return [(mine, others[0])]
    upper = [one for one in others if layers[one] > layers[mine]]
    return [(one, mine) for one in upper] if len(upper) == len(others) else []


def _of_pair(pair: Pair, parts: list[CheckProblem], evidence: Evidence) -> CheckProblem:
    upper, lower = (evidence.playbooks[one] for one in pair)
    met = [one for one in evidence.overlaps if {one.winner, one.loser} == {*pair}]
    kinds = {one.kind for one in parts}
    if "tie" in kinds:
        said, hint = _tie(lower, met), _choice(lower)
        return fault(upper, "tie", said, ("symptoms",), hint=hint, others=(lower.id,))
    kind = "example" if "example" in kinds else "shadowed"
    said = f"it takes what {lower.id} is about{_shown(met)}, {_why(upper, lower)}"
    if "shadowed" in kinds:
        said += f"; {lower.id} is left with nothing to win"
    hint = f"make its symptoms narrower; or replace {lower.id} by a file of the same name"
    return fault(upper, kind, said, ("symptoms",), hint=hint, others=(lower.id,))


def _tie(lower: Playbook, met: list[Overlap]) -> str:
    return f"a tie with {lower.id}: both hold for the same failures{_shown(met)}; nothing decides"


def _choice(lower: Playbook) -> str:
    if lower.level is Level.SPECIFIC:
        return f"`level: general` where {lower.id} knows more, `beats: [{lower.id}]` where this one does"
    return f"`beats: [{lower.id}]` where this one knows more, or narrower symptoms"


def _why(upper: Playbook, lower: Playbook) -> str:
    if upper.level is not lower.level:
        return f"because {upper.level} comes before {lower.level}"
    return "because of its `beats`"


def _shown(met: list[Overlap]) -> str:
    failures = sum(one.failures for one in met)
    if not failures:
        return ""
    return f" ({failures} of the examples, such as {met[0].files[0].name})"
