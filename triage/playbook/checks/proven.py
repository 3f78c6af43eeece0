"""What the examples show of their playbook: wrong ones, expressions and symptoms that none of them meets."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import cache

from triage.model.playbook import Playbook, Symptom
from triage.playbook.checks.alone import EXCEPTIONS, alternatives, expressions_of
from triage.playbook.checks.evidence import Evidence
from triage.playbook.checks.fault import CheckProblem, fault
from triage.playbook.checks.searching import finds
from triage.playbook.conditions import deciding
from triage.playbook.examples import ExampleFailure, ExampleResult
from triage.playbook.explain import explain
from triage.text import shorten

_FLAGS = re.compile(r"\(\?[imsU]+\)")
EXPERIMENTAL = "experimental"
_UNREAD = {
    "no such example": "paths start at the playbook's folder and may be globs",
    "the example shows no failure": "record a test that fails: pytest --junit-xml=FILE",
}
_CLOSE = 0.85  # likeness of a slip
_SLIP = 2  # letters more or fewer; ConnectError is no ConnectionError
_SHOWN = 100  # characters of a text that is quoted


def example_faults(playbook: Playbook, evidence: Evidence) -> Iterator[CheckProblem]:
    """Examples that cannot be read, and those with which the library does another thing."""
    for one in evidence.of(playbook):
        if not one.holds:
            at = ("examples", "match" if one.is_match else "no_match", one.index, "from")
            others = (one.primary,) if one.primary and one.primary != playbook.id else ()
            said, hint = _wrong(playbook, one)
            yield fault(playbook, "example", said, at, hint=hint, others=others)
    if playbook.symptoms and not playbook.match_examples:
        said = "no match example: nothing shows that it ever matches"
        hint = "record one with pytest --junit-xml=examples/<id>/<name>.xml"
        yield fault(playbook, "example", said, hint=hint, is_note=playbook.status == EXPERIMENTAL)


def unproven_faults(playbook: Playbook, evidence: Evidence) -> Iterator[CheckProblem]:
    """Expressions that no example shows to be found where they must be: they may never match."""
    matches = [one.failure for one in evidence.shown(playbook, is_match=True) if one.failure]
    others = [one.failure for one in evidence.shown(playbook, is_match=False) if one.failure]
    for place, symptom in enumerate(playbook.symptoms):
        for key, expression in expressions_of(symptom):
            wanted = others if key == "unless" else matches
            shown = [text for one in wanted for text in _texts(key, one)]
            if not wanted:
                continue  # that an example is missing is told already
            if any(finds(expression, text) for text in shown):
                yield from _idle(playbook, place, key, expression, shown)
                continue
            kind = "no_match" if key == "unless" else "match"
            yield fault(
                playbook,
                "unproven",
                f"symptom {place + 1}: no {kind} example holds its {key}: {expression}",
                ("symptoms", place, key),
                hint=guess(expression, shown, wanted) or f"add a {kind} example that shows it, or mend it",
                is_note=playbook.status == EXPERIMENTAL,
            )


def _idle(
    playbook: Playbook, place: int, key: str, expression: str, shown: Sequence[str]
) -> Iterator[CheckProblem]:
    """Alternatives that no example holds, while others of the same expression are shown."""
    flags = _FLAGS.match(expression)
    for text in alternatives(expression):
        whole = text if flags is None or text.startswith(flags[0]) else flags[0] + text
        if not any(finds(whole, one) for one in shown):
            said = f"symptom {place + 1}: no example holds this alternative of its {key}: {text}"
            hint = guess(whole, shown, ()) or "add an example that shows it"
            yield fault(playbook, "unproven", said, ("symptoms", place, key), hint=hint, is_note=True)


def dead_faults(playbook: Playbook, evidence: Evidence) -> Iterator[CheckProblem]:
    """Symptoms that meet no match example as a whole; what only a run can see is not asked for."""
    matches = [one.failure for one in evidence.shown(playbook, is_match=True) if one.failure]
    for place, symptom in enumerate(playbook.symptoms):
        if _needs_a_run(symptom) or not _is_proven(symptom, matches):
            continue
        if not any(_meets(replace(playbook, symptoms=(symptom,)), one) for one in matches):
            yield fault(
                playbook,
                "dead",
                f"symptom {place + 1}: no match example meets all of its conditions",
                ("symptoms", place),
                hint="add an example of it, or take the symptom out",
                is_note=playbook.status == EXPERIMENTAL,
            )


def misspelt_faults(playbook: Playbook, evidence: Evidence) -> Iterator[CheckProblem]:
    """Names that are nearly those of builtin exceptions, and that no example shows."""
    for place, symptom in enumerate(playbook.symptoms):
        for name in symptom.exception:
            meant = None if "." in name or name in EXCEPTIONS else _meant(name)
            if meant is None or name in evidence.class_names:
                continue
            yield fault(
                playbook,
                "never",
                f"symptom {place + 1}: Python has no exception {name!r}, and no example shows one",
                ("symptoms", place, "exception"),
                hint=f"did you mean {meant}? A class of another library: its whole name, or an example",
                is_note=playbook.status == EXPERIMENTAL,
            )


@cache
def _meant(name: str) -> str | None:
    """The builtin exception of which it is a misspelling; capital letters are told elsewhere."""
    if name.lower() in {one.lower() for one in EXCEPTIONS}:
        return None
    near = [one for one in sorted(EXCEPTIONS) if abs(len(one) - len(name)) <= _SLIP]
    return next(iter(get_close_matches(name, near, n=1, cutoff=_CLOSE)), None)


def _meets(alone: Playbook, one: ExampleFailure) -> bool:
    """Whether the one symptom holds; its words are asked for first, because that is cheap."""
    words = alone.symptoms[0].message
    if words and not any(finds(words, text) for text in _messages(one)):
        return False
    return any(tried.held for tried in explain(alone, one.problem, one.has_finding))


def _is_proven(symptom: Symptom, matches: Sequence[ExampleFailure]) -> bool:
    """Its expressions are found; where one is not, that is said already."""
    return bool(matches) and all(
        key == "unless" or any(finds(expression, text) for one in matches for text in _texts(key, one))
        for key, expression in expressions_of(symptom)
    )


def _texts(key: str, one: ExampleFailure) -> Iterator[str]:
    return _sources(one) if key == "source" else _messages(one)


def guess(expression: str, shown: Iterable[str], wanted: Iterable[ExampleFailure]) -> str | None:
    """The usual slips: what the expression would have to be to be found in what the examples show."""
    texts = list(shown)
    for changed, advice in _variants(expression):
        found = next((text for text in texts if finds(changed, text)), None)
        if found is not None:
            seen = shorten(" ".join(found.split()), _SHOWN)
            return f"{advice}: {changed!r} is found in {seen!r}"
    for one in wanted:
        for exception in one.problem.chain:
            if exception.via not in ("raised", "cause") and finds(expression, exception.message):
                return "it is found only in an exception that was handled, which never decides"
    return None


def _variants(expression: str) -> Iterator[tuple[str, str]]:
    yield expression.strip(), "blanks or line breaks stand around it (in YAML write >- for >)"
    yield f"(?i){expression}", "capital letters differ"
    yield expression.replace("\\\\", "\\"), 'backslashes are doubled (in YAML only "..." needs that)'
    signs_of = ("[](){}*+?.^$|", *(() if "|" in expression else ("[]", "()", "{}", "*+?")))
    for signs in signs_of:  # a free `|` would stand between the halves of an escaped pair
        escaped = re.sub(rf"(?<!\\)[{re.escape(signs)}]", r"\\\g<0>", expression)
        yield escaped, "special characters are not escaped"
    glob = re.escape(expression).replace(r"\*", ".*").replace(r"\?", ".")
    yield glob, "it reads like a glob (in an expression `.*` is what `*` is there)"


def _needs_a_run(symptom: Symptom) -> bool:
    """Facts of the plugin, which no report holds; the number of sessions an example can state."""
    return bool(symptom.fact.keys() - {"sessions"})


def _messages(one: ExampleFailure) -> Iterator[str]:
    return (exception.message for exception in deciding(one.problem))


def _sources(one: ExampleFailure) -> Iterator[str]:
    for exception in deciding(one.problem):
        yield from (frame.source for frame in exception.frames if frame.is_own and frame.source)


def _wrong(playbook: Playbook, result: ExampleResult) -> tuple[str, str]:
    """What is wrong, and what to do next."""
    name = result.file.name
    if result.error:
        return f"{result.file}: {result.error}", _UNREAD.get(result.error, "")
    if not result.is_match:
        return f"{name} matches, although it must not", "make a symptom narrower, or add an `unless`"
    if result.primary is None:
        return f"{name} does not match: no playbook has it", _nearest(playbook, result)
    lost = next((one.reason for one in result.also if one.playbook == playbook.id), "")
    said = f"{name} does not match: {result.primary} has it" + (f" ({lost})" if lost else "")
    hint = f"`beats: [{result.primary}]` if it knows more" if lost else _nearest(playbook, result)
    return said, hint


def _nearest(playbook: Playbook, result: ExampleResult) -> str:
    """Of the symptom that came nearest, the first condition that did not hold."""
    if result.failure is None or not playbook.symptoms:
        return ""
    tried = explain(playbook, result.failure.problem, result.failure.has_finding)
    if not tried:
        return "the file shows no exception; see how triage reads it: triage classify FILE --json"
    missed = next((one for one in tried[0].conditions if one.held is False), None)
    if missed is None:
        return ""
    seen = shorten(missed.seen, _SHOWN)
    return f"symptom {tried[0].symptom} wanted {missed.condition} {missed.wanted}; seen: {seen}"
