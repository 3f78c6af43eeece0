"""A playbook to its page of the reference, in Markdown."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from triage.model.playbook import Playbook, Remedy, Symptom, pairs_in_words
from triage.render.escape import block, cell, code, inline, spans
from triage.render.plan_markdown import hours

SHOWN_MESSAGES = 4  # wordings on a page; the files have all
_MESSAGE_CHARS = 300
_LINE_CHARS = 160
MARK = "Written by `triage playbooks docs`; do not edit."
_LINK = re.compile(r"https?://[^\s<>()\\]+")
_WHERE = {"head": "only the exception raised", "cause": "only the direct cause"}
_APPLICABILITY = {
    "safe": "made by `triage fix`",
    "unsafe": "made by `triage fix --unsafe`, to be judged",
    "display-only": "by hand",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What a recorded example said; of a neighbour also whose it is, and why not this playbook's."""

    said: str
    because: str = ""
    playbook: str | None = None


def page(
    playbook: Playbook, matching: Sequence[Shown], alike: Sequence[Shown], beaten_by: Iterable[str]
) -> str:
    """The whole page; `alike` are the neighbours, `beaten_by` the playbooks that win where both hold."""
    sections = (
        f"# {inline(playbook.title)}",
        _facts(playbook),
        spans(playbook.why),
        _symptoms(playbook),
        _wordings(matching),
        _rivals(playbook, beaten_by),
        _proof(playbook),
        _plan(playbook),
        _remedies(playbook.remedies),
        _list("What it does not know", map(spans, playbook.known_limits)),
        _neighbours(alike),
        _list("Read on", map(_link, playbook.references)),
        MARK,
    )
    return "\n\n".join(section for section in sections if section) + "\n"


def index(playbooks: Iterable[Playbook]) -> str:
    """The page that lists them, most severe first."""
    order = sorted(playbooks, key=lambda one: (one.severity.rank, one.id))
    head = "| id | what it is | severity | category | level |\n| --- | --- | --- | --- | --- |"
    return "\n".join(["# Playbooks", "", MARK, "", head, *map(_row, order), ""])


def _row(one: Playbook) -> str:
    title = cell(inline(one.title))
    return f"| {_page(one.id)} | {title} | {one.severity} | {one.category} | {one.level} |"


def _facts(playbook: Playbook) -> str:
    head = ["id", "severity", "category", "level", "status"]
    row = [code(playbook.id), playbook.severity, playbook.category, playbook.level, playbook.status]
    if playbook.applies_to:
        head.append("holds for")
        row.append(", ".join(f"{inline(name)} {inline(one)}" for name, one in playbook.applies_to.items()))
    if playbook.review_by:
        head.append("review by")
        row.append(playbook.review_by)
    rule = " | ".join(["---"] * len(head))
    return f"| {' | '.join(head)} |\n| {rule} |\n| {' | '.join(map(cell, map(str, row)))} |"


def _symptoms(playbook: Playbook) -> str:
    if not playbook.symptoms:
        return "## How it shows\n\nNo text tells it: only running the test again does."
    lines = ["## How it shows", "", "Any one of these is enough; inside one, all conditions hold.", ""]
    for number, symptom in enumerate(playbook.symptoms, start=1):
        first, *others = [f"{name}: {text}" for name, text in _named(symptom)]
        margin = " " * len(f"{number}. ")
        lines += [f"{number}. {first}", *(f"{margin}- {one}" for one in others)]
    return "\n".join(lines)


def _named(symptom: Symptom) -> Iterator[tuple[str, str]]:
    if symptom.exception:
        itself = ", not a class derived from it" if symptom.exact else ""
        yield "exception", _either(symptom.exception) + itself
    for name, expression in (
        ("its message holds", symptom.message),
        ("its message does not hold", symptom.unless),
        ("its deepest own source line holds", symptom.source),
    ):
        if expression is not None:
            yield name, code(expression)
    if symptom.where in _WHERE:
        yield "place in the chain", _WHERE[symptom.where]
    if symptom.phase:
        yield "phase", " or ".join(symptom.phase)
    for name, globs in (("raised in", symptom.raised_in), ("on its way through", symptom.frames)):
        if globs:
            yield name, _places(globs)
    yield from _own(symptom)
    if symptom.same:
        yield "equal", code(pairs_in_words(symptom.same))
    if symptom.certain:
        yield "and", "what the report cannot tell counts against it"
    yield from _known_to_triage(symptom)


def _own(symptom: Symptom) -> Iterator[tuple[str, str]]:
    if symptom.own_raise is not None:
        yield "raised by a `raise` of the project's own", "yes" if symptom.own_raise else "no"
    if symptom.own:
        yield "a folder on the way to own code", code(symptom.own)


def _known_to_triage(symptom: Symptom) -> Iterator[tuple[str, str]]:
    """Conditions that a report alone never meets."""
    for name, wanted in symptom.fact.items():
        yield "seen while it ran", code(f"{name} {'>=' if name == 'sessions' else '='} {wanted}")
    if symptom.finding:
        yield "static rule that points near it", code(symptom.finding)


def _either(names: Sequence[str]) -> str:
    return " or ".join(map(code, names))


def _places(globs: Sequence[str]) -> str:
    wanted = _either([one for one in globs if not one.startswith("!")])
    others = " nor ".join(code(one[1:]) for one in globs if one.startswith("!"))
    if not others:
        return wanted
    return (
        f"{wanted}, but not in {others}" if wanted else f"anywhere but in {others.replace(' nor ', ' and ')}"
    )


def _wordings(matching: Sequence[Shown]) -> str:
    seen: dict[str, Shown] = {}
    for one in matching:
        seen.setdefault(re.sub(r"\d+", "0", one.said), one)
    if not seen:
        return ""
    texts = [_short(one.said) for one in list(seen.values())[:SHOWN_MESSAGES]]
    more = len(matching) - len(texts)
    rest = f"\n\n{more} more recorded examples stand beside the playbook." if more > 0 else ""
    return "## As it was recorded\n\n" + "\n\n".join(block(one, "text") for one in texts) + rest


def _short(said: str) -> str:
    return said if len(said) <= _MESSAGE_CHARS else f"{said[:_MESSAGE_CHARS]} ..."


def _rivals(playbook: Playbook, beaten_by: Iterable[str]) -> str:
    lines = [f"- wins over {_page(name)}" for name in playbook.beats]
    lines += [f"- {_page(name)} wins over it" for name in sorted(beaten_by)]
    if playbook.cascade.scope:
        of = " or ".join(map(_page, playbook.cascade.of)) or "any failure"
        lines.append(f"- may only follow from {of}: it then points to that failure as its root")
    return _list_of("Beside other playbooks", lines)


def _page(name: str) -> str:
    return f"[{name}]({name}.md)"


def _proof(playbook: Playbook) -> str:
    diagnose = playbook.diagnose
    lines = []
    if diagnose.rules:
        lines.append(f"- read in the source: {_either(diagnose.rules)}")
    if diagnose.probe:
        lines.append(f"- watched while its tests run again: {code(diagnose.probe)}")
    if diagnose.interventions:
        lines.append(f"- proven by changing one fact: {_either(diagnose.interventions)}")
    if not diagnose.reruns:
        lines.append("- its tests are not run again: they hang or end the process")
    return _list_of("How its cause is found", lines)


def _plan(playbook: Playbook) -> str:
    plan = playbook.plan
    effort = hours(plan.effort.base)
    if plan.effort.per_site:
        effort += f" and {hours(plan.effort.per_site)} a place"
    head = f"## {inline(plan.title)}\n\nPhase {plan.phase}, {effort}, risk {plan.risk}."
    steps = "\n".join(f"{number}. {spans(one)}" for number, one in enumerate(plan.steps, start=1))
    others = "\n".join(f"- instead: {spans(one)}" for one in plan.alternatives)
    care = "\n".join(
        f"- {name}: {spans(text)}"
        for name, text in (("mitigation", plan.mitigation), ("rollback", plan.rollback))
        if text
    )
    return "\n\n".join(part for part in (head, steps, others, care) if part)


def _remedies(remedies: Iterable[Remedy]) -> str:
    return _list_of("Cures", [f"- {_remedy(one)}" for one in remedies])


def _remedy(one: Remedy) -> str:
    said = f"{code(one.use)}, {_APPLICABILITY[one.applicability]}"
    return f"{said}: {spans(one.note)}" if one.note else said


def _neighbours(alike: Iterable[Shown]) -> str:
    lines = []
    for one in alike:
        first = next((line.strip() for line in one.said.splitlines() if line.strip()), "")
        whose = f" ({_page(one.playbook)})" if one.playbook else ""
        shown = f"{code(first[:_LINE_CHARS])}: " if first else ""
        lines.append(f"- {shown}{spans(one.because)}{whose}")
    return _list_of("What looks alike and is not it", list(dict.fromkeys(lines)))


def _link(reference: str) -> str:
    return f"<{reference}>" if _LINK.fullmatch(reference) else spans(reference)


def _list(title: str, items: Iterable[str]) -> str:
    return _list_of(title, [f"- {one}" for one in items])


def _list_of(title: str, lines: Sequence[str]) -> str:
    return f"## {title}\n\n" + "\n".join(lines) if lines else ""


def beaten(playbooks: Mapping[str, Playbook], name: str) -> tuple[str, ...]:
    """The playbooks that win over this one."""
    return tuple(one.id for one in playbooks.values() if name in one.beats)
