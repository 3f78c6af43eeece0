"""What playbooks do to one another: ties, shadows, neighbours without an example, idle `beats`."""

import builtins
from collections.abc import Iterator
from dataclasses import fields

from triage.model.playbook import Playbook, Symptom
from triage.model.terms import Level
from triage.playbook.checks.evidence import Evidence, holders_of
from triage.playbook.checks.fault import CheckProblem, fault
from triage.playbook.checks.proven import EXPERIMENTAL
from triage.resources import data_folder

MAX_OTHERS = 4  # specific playbooks whose match examples a specific one may hold for
_NAMED = 5  # names in one message
_UNDECIDABLE = ("raised_in", "frames", "source", "own")


def tie_faults(playbook: Playbook, evidence: Evidence) -> Iterator[CheckProblem]:
    """Playbooks that hold for one failure and that nothing decides between; told at the first of the two."""
    for overlap in evidence.overlaps:
        if overlap.is_tie and playbook.id == overlap.winner:
            files = ", ".join(sorted({one.name for one in overlap.files})[:3])
            yield _tie(playbook, overlap.loser, f"for {overlap.failures} of the examples: {files}")
    shown = {frozenset((one.winner, one.loser)) for one in evidence.overlaps}
    for other in evidence.playbooks.values():
        if other.id > playbook.id and frozenset((playbook.id, other.id)) not in shown:
            pair = _same_ground(playbook, other)
            if pair is not None:
                yield _tie(
                    playbook, other.id, f"whenever symptom {pair[0]} of it or {pair[1]} of the other does"
                )
    circle = _circle(playbook, evidence)
    if circle and min(circle) == playbook.id:
        said = f"`beats` goes round in a circle: {' > '.join((*circle, playbook.id))}"
        yield fault(playbook, "tie", said, ("beats",), hint="take one out", others=tuple(circle))


def shadow_faults(playbook: Playbook, evidence: Evidence) -> Iterator[CheckProblem]:
    """A playbook that holds and never wins."""
    if not playbook.symptoms:
        return
    covering = [_winners_over(playbook, one, evidence) for one in playbook.symptoms]
    if all(covering):
        others = {name for names in covering for name in names}
        said = "every symptom of it is covered by a playbook that wins over it"
        yield _shadowed(playbook, said, others)
        return
    held = [one for one in evidence.all() if playbook.id in holders_of(one)]
    if held and all(one.primary != playbook.id for one in held):
        said = f"it holds for {len(held)} of all examples and wins none"
        yield _shadowed(playbook, said, {one.primary for one in held if one.primary})


def wide_faults(playbook: Playbook, evidence: Evidence) -> Iterator[CheckProblem]:
    """A specific playbook that holds for what many others are about."""
    if playbook.level is not Level.SPECIFIC:
        return
    others = {
        one.playbook
        for one in evidence.all()
        if one.is_match and one.playbook != playbook.id and playbook.id in holders_of(one)
    }
    if len(others) > MAX_OTHERS:
        said = f"it holds for match examples of {len(others)} other playbooks: {', '.join(sorted(others))}"
        hint = "make its symptoms narrower, or `level: general`"
        yield fault(playbook, "broad", said, ("symptoms",), hint=hint, others=tuple(others))


def neighbour_faults(playbook: Playbook, evidence: Evidence) -> Iterator[CheckProblem]:
    """A stable playbook has negative examples, from its nearest neighbours.

    These are: each one that wins over it on its own level, by an example or by its `beats`; and any one that
    asks for an exception of the same name, or that it follows from.
    """
    if playbook.status == EXPERIMENTAL or not playbook.symptoms or playbook.level is Level.FALLBACK:
        return
    if not playbook.no_match_examples:
        said = "no `no_match` example: nothing shows where it ends"
        hint = "cite one of a playbook that looks like it, or record a test that only quotes the message"
        yield fault(playbook, "neighbour", said, ("examples",), hint=hint)
        return
    shown = {name for one in evidence.shown(playbook, is_match=False) for name in holders_of(one)}
    for name in sorted(_stronger(playbook, evidence) - shown):
        said = f"no `no_match` example that {name} wins, which wins over it elsewhere"
        yield _neighbour(playbook, said, name, evidence)
    kin = _kin(playbook, evidence)
    if kin and not kin & shown:
        own = _exception_names(playbook)
        names = sorted(kin, key=lambda one: (-len(own & _exception_names(evidence.playbooks[one])), one))
        more = f" and {len(names) - _NAMED} others" if len(names) > _NAMED else ""
        said = f"no `no_match` example of one that is like it: {', '.join(names[:_NAMED])}{more}"
        yield _neighbour(playbook, said, names[0], evidence)


def beats_notes(playbook: Playbook, evidence: Evidence) -> Iterator[CheckProblem]:
    """`beats` that decide nothing: a level does, or no example shows both."""
    met = {frozenset((one.winner, one.loser)) for one in evidence.overlaps}
    for place, name in enumerate(playbook.beats):
        other = evidence.playbooks.get(name)
        if other is None:
            continue
        said = f"beats {name}: no example shows both"
        if other.level is not playbook.level:
            said = f"beats {name}: the levels decide before it ({playbook.level}, {other.level})"
        elif frozenset((playbook.id, name)) in met:
            continue
        yield fault(playbook, "beats", said, ("beats", place), is_note=True, others=(name,))


def covers(wide: Symptom, narrow: Symptom) -> bool:
    """Whether `wide` holds wherever `narrow` does, as far as equal conditions and class names tell."""
    if wide.message not in (None, narrow.message):
        return False  # decides nearly all pairs of a large library
    for one in fields(Symptom):
        wanted, given = getattr(wide, one.name), getattr(narrow, one.name)
        if one.name in ("exception", "exact"):
            continue
        if one.name in ("fact", "same"):
            if not wanted.items() <= given.items():
                return False
        elif one.name == "phase":
            if wanted and not (given and set(given) <= set(wanted)):
                return False
        elif wanted not in (given, one.default):
            return False
    return _covers_classes(wide, narrow)


def _covers_classes(wide: Symptom, narrow: Symptom) -> bool:
    if not wide.exception:
        return True
    if not narrow.exception or (wide.exact and not narrow.exact):
        return False
    return all(
        any(_is_a(given, wanted, exact=wide.exact) for wanted in wide.exception) for given in narrow.exception
    )


def _is_a(given: str, wanted: str, *, exact: bool) -> bool:
    if given == wanted:
        return True
    if "." not in wanted and not hasattr(builtins, wanted):
        return given.rpartition(".")[2] == wanted
    cls = getattr(builtins, given, None)
    return not exact and isinstance(cls, type) and wanted in {one.__name__ for one in cls.__mro__}


def _winners_over(playbook: Playbook, symptom: Symptom, evidence: Evidence) -> set[str]:
    return {
        other.id
        for other in evidence.playbooks.values()
        if other.id != playbook.id
        and _wins(other, playbook)
        and any(covers(one, symptom) for one in other.symptoms)
    }


def _wins(one: Playbook, other: Playbook) -> bool:
    if one.level is not other.level:
        return one.level.rank < other.level.rank
    return other.id in one.beats and one.id not in other.beats


def _same_ground(one: Playbook, other: Playbook) -> tuple[int, int] | None:
    """Two symptoms of which one covers the other, where neither playbook wins; counted from 1."""
    if one.level is not other.level or one.id in other.beats or other.id in one.beats:
        return None
    for first, symptom in enumerate(one.symptoms, start=1):
        for second, twin in enumerate(other.symptoms, start=1):
            decided = any(getattr(each, key) for each in (symptom, twin) for key in _UNDECIDABLE)
            if not decided and (covers(symptom, twin) or covers(twin, symptom)):
                return first, second
    return None


def _circle(playbook: Playbook, evidence: Evidence) -> list[str]:
    """The shortest way from a playbook over `beats` back to it."""
    ways = [[playbook.id]]
    seen: set[str] = set()
    for way in ways:
        last = evidence.playbooks.get(way[-1])
        for name in last.beats if last else ():
            if name == playbook.id and len(way) > 1:
                return way
            if name not in seen and name != way[-1]:
                seen.add(name)
                ways.append([*way, name])
    return []


def _stronger(playbook: Playbook, evidence: Evidence) -> set[str]:
    """Those that win over it on its level; a shipped playbook need not know those of other folders."""
    named = {one.id for one in evidence.playbooks.values() if playbook.id in one.beats}
    seen = {one.winner for one in evidence.overlaps if one.loser == playbook.id and not one.is_tie}
    return {
        one.id
        for one in map(evidence.playbooks.__getitem__, named | seen)
        if one.level is playbook.level and _may_know(playbook, one) and one.id != playbook.id
    }


def _kin(playbook: Playbook, evidence: Evidence) -> set[str]:
    names = _exception_names(playbook)
    return {
        one.id
        for one in evidence.playbooks.values()
        if one.id != playbook.id
        and _may_know(playbook, one)
        and (names & _exception_names(one) or one.id in playbook.cascade.of)
    }


def _exception_names(playbook: Playbook) -> set[str]:
    return {name.rpartition(".")[2] for one in playbook.symptoms for name in one.exception}


def _may_know(playbook: Playbook, other: Playbook) -> bool:
    shipped = data_folder("playbooks")
    folders = [one.path.parent if one.path else None for one in (playbook, other)]
    return folders[0] == folders[1] or folders[0] != shipped


def _tie(playbook: Playbook, other: str, when: str) -> CheckProblem:
    said = f"a tie with {other}: both hold {when}; nothing decides"
    hint = f"`beats: [{other}]` in the one that knows more, or a narrower symptom"
    return fault(playbook, "tie", said, hint=hint, others=(other,))


def _shadowed(playbook: Playbook, said: str, others: set[str]) -> CheckProblem:
    message = f"{said}: {', '.join(sorted(others))}"
    hint = "let it beat them, narrow them, or take it out"
    return fault(playbook, "shadowed", message, ("symptoms",), hint=hint, others=tuple(others))


def _neighbour(playbook: Playbook, said: str, name: str, evidence: Evidence) -> CheckProblem:
    examples = evidence.playbooks[name].match_examples
    source = f": {examples[0].source}" if examples else ""
    hint = f"cite one of its match examples (a copy, if it is in another folder){source}"
    return fault(playbook, "neighbour", said, ("examples", "no_match"), hint=hint, others=(name,))
