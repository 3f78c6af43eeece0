"""Names of what stands elsewhere: probes, interventions, remedies, groups, versions, words of a sentence."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from triage.model.playbook import Playbook, Symptom
from triage.model.terms import Applicability
from triage.playbook.checks.fault import CheckProblem, fault

_GROUP = re.compile(r"\(\?P?<(\w+)>")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_VERSION = r"v?\d+(?:\.\d+)*(?:[-_.]?(?:a|b|c|rc|alpha|beta|pre|post|dev)[-_.]?\d*)*"
_RANGE = re.compile(
    rf"\s*(?:(?:~=|<=?|>=?|===?|!=)\s*{_VERSION}|(?:==|!=)\s*v?\d+(?:\.\d+)*\.\*)\s*(?:,|$)", re.IGNORECASE
)
# Names that need neither a probe nor a rule: of the failed statement, and of an order of tests.
_ALWAYS = frozenset({"table", "victim", "polluter", "state"})


@dataclass(frozen=True, slots=True)
class Known:
    """What this version has; `remedies` are those that can be carried out."""

    probes: frozenset[str]
    interventions: frozenset[str]
    remedies: frozenset[str]


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """A hint; empty where nothing is close."""
    close = get_close_matches(name, sorted(names), n=1, cutoff=0.75)
    return f"did you mean {close[0]}?" if close else ""


def name_faults(playbook: Playbook, known: Known) -> Iterator[CheckProblem]:
    yield from _diagnose_faults(playbook, known)
    for place, remedy in enumerate(playbook.remedies):
        if remedy.applicability is Applicability.DISPLAY_ONLY or remedy.use in known.remedies:
            continue
        said = f"no remedy {remedy.use!r} that can be applied"
        hint = (
            did_you_mean(remedy.use, known.remedies) or "`applicability: display-only` for what a person does"
        )
        at = ("remedies", place, "use")
        yield fault(playbook, "reference", said, at, allowed=", ".join(sorted(known.remedies)), hint=hint)


def _diagnose_faults(playbook: Playbook, known: Known) -> Iterator[CheckProblem]:
    probe = playbook.diagnose.probe
    asked = [("probe", probe, known.probes)] if probe else []
    asked += [("intervention", one, known.interventions) for one in playbook.diagnose.interventions]
    for key, name, names in asked:
        if name not in names:
            yield fault(
                playbook,
                "reference",
                f"no {key} {name!r}",
                ("diagnose", key),
                allowed=", ".join(sorted(names)),
                hint=did_you_mean(name, names),
            )


def sentence_faults(playbook: Playbook) -> Iterator[CheckProblem]:
    """Explanations that can never be filled in; what probes and rules name cannot be told from here."""
    at = ("diagnose", "explanation")
    open_ended = bool(playbook.diagnose.probe or playbook.diagnose.rules)
    names = _ALWAYS.union(*map(groups_of, playbook.symptoms))
    for template in playbook.diagnose.explanation:
        if re.search(r"[{}]", _PLACEHOLDER.sub("", template)):
            said = f"explanation: a brace that encloses no name: {template}"
            yield fault(playbook, "reference", said, at, allowed="{name}: letters, digits and _ in braces")
        for name in _PLACEHOLDER.findall(template):
            if not open_ended and name not in names:
                said = f"explanation: nothing gives the name {name!r}: {template}"
                allowed = f"a named group of an expression, such as (?P<{name}>...)"
                hint = did_you_mean(name, names)
                yield fault(playbook, "reference", said, at, allowed=allowed, hint=hint)


def group_faults(playbook: Playbook) -> Iterator[CheckProblem]:
    """`own` and `same` that ask for groups which no expression of their symptom has."""
    for place, symptom in enumerate(playbook.symptoms):
        words = frozenset(_GROUP.findall(symptom.message or ""))
        wanted = [("own", symptom.own, words)] if symptom.own else []
        pairs = (name for pair in symptom.same.items() for name in pair)
        wanted += [("same", name, groups_of(symptom)) for name in pairs]
        for key, name, groups in wanted:
            if name not in groups:
                said = f"symptom {place + 1}: {key}: no group {name!r}"
                allowed = ", ".join(sorted(groups)) or f"a group of the message: (?P<{name}>...)"
                yield fault(playbook, "reference", said, ("symptoms", place, key), allowed=allowed)


def groups_of(symptom: Symptom) -> frozenset[str]:
    return frozenset(_GROUP.findall(f"{symptom.message or ''} {symptom.source or ''}"))


def version_faults(playbook: Playbook) -> Iterator[CheckProblem]:
    for name, text in playbook.applies_to.items():
        if not is_range(text):
            said = f"applies_to: {text!r} is no range of versions"
            yield fault(
                playbook, "reference", said, ("applies_to", name), allowed=">=6, or >=1.4,<2, or ==2.*, ~=3.1"
            )


def is_range(text: str) -> bool:
    """Whether it reads as one: comparisons with commas between them."""
    at = 0
    while at < len(text):
        found = _RANGE.match(text, at)
        if found is None:
            return False
        at = found.end()
    return not text.rstrip().endswith(",") and at > 0
