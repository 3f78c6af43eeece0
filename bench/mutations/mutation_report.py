"""What triage said of a mutated package against what is known, and the table of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mutation_specs import Mutation

SHOWN = 3  # causes in a cell
LIMIT = 0.9  # share of mutations whose cause line must be right
HEAD = (
    "| mutation | playbook | failing | said | cause | said | right | proof | run s | rest s |\n"
    "| --- | --- | ---: | --- | --- | --- | --- | --- | ---: | ---: |"
)


@dataclass(frozen=True)
class Verdict:
    """`shown` are the failing tests that show the symptom and are no mere dependents, `right` those of them
    whose cause line is right; `false_proofs` are diagnoses marked `flipped` at another line. `rest_s` is the
    time of the whole command without its plain run of the tests."""

    name: str
    playbook: str
    cause: str
    failing: int
    shown: int
    right: int
    playbooks: tuple[str, ...]
    causes: tuple[str, ...]
    proofs: tuple[str, ...]
    false_proofs: int
    run_s: float
    rest_s: float

    @property
    def is_right(self) -> bool:
        return 0 < self.shown == self.right


def judge(
    name: str, mutation: Mutation, lines: Sequence[int], summary: Mapping[str, Any], seconds: float
) -> Verdict:
    """Compare a summary (`triage run --json`) with the mutation; `seconds` is the time of the command."""
    diagnoses: list[Mapping[str, Any]] = summary["diagnoses"]
    by_test = {test: one for one in diagnoses for test in one["tests"]}
    dependents = {test for one in diagnoses for test in one["dependents"]}
    shown = [one["nodeid"] for one in summary["failures"] if _shows(one, mutation.symptom)]
    judged = [test for test in shown if test not in dependents]
    found = [by_test[test] for test in judged if test in by_test]
    places = {f"{mutation.cause.file}:{line}" for line in lines}
    run_s = float(summary["run"]["duration_s"])
    return Verdict(
        name,
        mutation.playbook,
        f"{mutation.cause.file}:{lines[0]}",
        len(summary["failures"]),
        len(judged),
        sum(_place(one) in places for one in found),
        _distinct(one["playbook"] or "-" for one in found),
        _distinct(map(_place, found)),
        _distinct(one["proof"] for one in found),
        sum(one["proof"] == "flipped" and _place(one) not in places for one in diagnoses),
        run_s,
        seconds - run_s,
    )


def _shows(failure: Mapping[str, Any], symptom: str) -> bool:
    return symptom in f"{failure['exception']} {failure['message']}"


def _place(diagnosis: Mapping[str, Any]) -> str:
    return f"{diagnosis['cause']['file']}:{diagnosis['cause']['line']}"


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def row(one: Verdict) -> str:
    more = (f"and {len(one.causes) - SHOWN} more",) if len(one.causes) > SHOWN else ()
    cells = (
        one.name,
        one.playbook,
        f"{one.shown} of {one.failing}",
        "<br>".join(one.playbooks) or "-",
        one.cause,
        "<br>".join((*one.causes[:SHOWN], *more)) or "-",
        "yes" if one.is_right else f"no ({one.right} of {one.shown})",
        "<br>".join(one.proofs) or "-",
        f"{one.run_s:.1f}",
        f"{one.rest_s:.1f}",
    )
    return f"| {' | '.join(cells)} |"


def totals(verdicts: Sequence[Verdict]) -> list[str]:
    right, tests = sum(one.is_right for one in verdicts), sum(one.shown for one in verdicts)
    named = sum(one.playbooks == (one.playbook,) for one in verdicts)
    hit, false = sum(one.right for one in verdicts), sum(one.false_proofs for one in verdicts)
    share = f"{right / len(verdicts):.0%}; limit {LIMIT:.0%}"
    return [
        f"- cause line right: {right} of {len(verdicts)} mutations ({share})",
        f"- by tests: {hit} of {tests} ({hit / max(tests, 1):.0%})",
        f"- playbook right: {named} of {len(verdicts)}",
        f"- wrong line, yet marked `flipped`: {false} diagnoses (limit 0)",
    ]


def holds(verdicts: Sequence[Verdict]) -> bool:
    right = sum(one.is_right for one in verdicts)
    return right >= LIMIT * len(verdicts) and not any(one.false_proofs for one in verdicts)
