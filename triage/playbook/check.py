"""`triage playbooks check`: faults of playbooks that would show only as wrong verdicts."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import re2

from triage.errors import ConfigurationError, TriageError
from triage.model.playbook import Example, Playbook, Symptom
from triage.playbook.conditions import deciding
from triage.playbook.examples import ExampleFailure, ExampleResult, failures_of, run_examples
from triage.playbook.expressions import compile_expression
from triage.playbook.load import Library
from triage.playbook.match import TIE, Matcher
from triage.rules.registry import RULES

# What runs print that went well; an expression that is found in it says nothing about a failure.
PASSING_LINES = (
    "",
    "============================= test session starts ==============================",
    "platform linux -- Python 3.12.1, pytest-9.2.0, pluggy-1.6.0",
    "rootdir: /project, configfile: pytest.ini, plugins: cov-7.0.0, xdist-3.8.0",
    "collected 12 items",
    "tests/test_orders.py::test_total PASSED                                  [ 50%]",
    "............                                                             [100%]",
    "============================== 12 passed in 0.21s ===============================",
    'INFO werkzeug: 127.0.0.1 - - "GET /orders HTTP/1.1" 200 -',
    "INFO sqlalchemy.engine.Engine SELECT users.id, users.email FROM users WHERE users.id = ?",
    "DeprecationWarning: datetime.datetime.utcnow() is deprecated",
    "2026-11-21 07:29:51 INFO order 17 of customer ann@example.org stored",
)
_EVERYTHING = frozenset({"BaseException", "Exception", "object"})


@dataclass(frozen=True, slots=True)
class CheckProblem:
    """One fault; `kind` is file, expression, unproven, example, tie, broad, reference or review.

    `where` is the playbook's file, with line and column where they are known.
    """

    playbook: str
    kind: str
    message: str
    where: str


def check_library(library: Library, today: date) -> tuple[CheckProblem, ...]:
    """Every fault of every playbook, in the order of the playbooks; bad files first."""
    problems = [_of_file(error) for error in library.errors]
    sound: dict[str, Playbook] = {}
    for playbook in library.playbooks.values():
        faults = list(_expression_faults(playbook))
        problems += faults
        if not faults:
            sound[playbook.id] = playbook
    checks = Checks(sound, library.playbooks.keys(), today)
    for playbook in sound.values():
        problems += checks.of(playbook)
    return tuple(problems)


class Checks:
    """The checks of playbooks whose expressions compile; `known` are all ids, of bad ones too."""

    def __init__(self, playbooks: Mapping[str, Playbook], known: Iterable[str], today: date) -> None:
        self._playbooks = playbooks
        self._known = frozenset(known)
        self._today = today

    @cached_property
    def _matcher(self) -> Matcher:
        return Matcher(self._playbooks.values())

    def of(self, playbook: Playbook) -> Iterator[CheckProblem]:
        yield from _references(playbook, self._known)
        yield from _review(playbook, self._today)
        yield from _broad(playbook)
        yield from _unproven(playbook)
        results = list(run_examples(playbook, self._matcher))
        yield from (_failed(playbook, result) for result in results if not result.holds)
        yield from _ties(playbook, results)


def _of_file(error: ConfigurationError) -> CheckProblem:
    where = error.where or ""
    name = where.partition(":")[0].rpartition("/")[2].removesuffix(".yaml")
    return CheckProblem(name, "file", error.what, where)


def _problem(playbook: Playbook, kind: str, message: str) -> CheckProblem:
    return CheckProblem(playbook.id, kind, message, str(playbook.path or playbook.id))


def _expression_faults(playbook: Playbook) -> Iterator[CheckProblem]:
    for symptom in playbook.symptoms:
        for expression in filter(None, (symptom.message, symptom.unless, symptom.source)):
            try:
                compile_expression(expression, str(playbook.path or playbook.id))
            except ConfigurationError as error:
                yield _problem(playbook, "expression", error.what)


def _references(playbook: Playbook, known: frozenset[str]) -> Iterator[CheckProblem]:
    for key, names in (("beats", playbook.beats), ("cascade", playbook.cascade.of)):
        for name in names:
            if name not in known:
                yield _problem(playbook, "reference", f"{key}: no playbook {name!r}")
    if playbook.id in playbook.beats:
        yield _problem(playbook, "reference", "beats: it cannot beat itself")
    wanted = [*playbook.diagnose.rules, *(one.finding for one in playbook.symptoms if one.finding)]
    for name in dict.fromkeys(wanted):
        if name not in RULES:
            allowed = ", ".join(sorted(RULES))
            yield _problem(playbook, "reference", f"no rule {name!r}; allowed: {allowed}")


def _review(playbook: Playbook, today: date) -> Iterator[CheckProblem]:
    if not playbook.review_by:
        return
    try:
        until = date.fromisoformat(playbook.review_by)
    except ValueError:
        yield _problem(playbook, "review", f"review_by: {playbook.review_by!r} is no date")
        return
    if until < today:
        yield _problem(
            playbook, "review", f"review_by: {until} has passed; read it again, then move the date"
        )


def _broad(playbook: Playbook) -> Iterator[CheckProblem]:
    for place, symptom in enumerate(playbook.symptoms, start=1):
        if not (symptom.message or symptom.finding or set(symptom.exception) - _EVERYTHING):
            said = "names neither an exception nor a message nor a finding"
            yield _problem(playbook, "broad", f"symptom {place} {said}")
        sought = ((symptom.message, PASSING_LINES), (symptom.unless, ("",)), (symptom.source, ("",)))
        for expression, lines in sought:
            line = next((one for one in lines if expression and re2.search(expression, one)), None)
            if line is not None:
                said = f"is found in {line!r}" if line else "is found in any text"
                yield _problem(playbook, "broad", f"symptom {place}: the expression {said}: {expression}")


def _unproven(playbook: Playbook) -> Iterator[CheckProblem]:
    """Expressions that no example shows to be found where they must be: they may never match."""
    matches = _read(playbook, playbook.match_examples)
    others = _read(playbook, playbook.no_match_examples)
    for place, symptom in enumerate(playbook.symptoms, start=1):
        for key, expression, shown in _sought(symptom, matches, others):
            if not any(re2.search(expression, text) for text in shown):
                kind = "no_match" if key == "unless" else "match"
                said = f"symptom {place}: no {kind} example holds its {key}: {expression}"
                yield _problem(playbook, "unproven", said)


def _sought(
    symptom: Symptom, matches: Iterable[ExampleFailure], others: Iterable[ExampleFailure]
) -> Iterator[tuple[str, str, list[str]]]:
    """The key and expression of each condition, and the texts of which one must hold it."""
    if symptom.message:
        yield "message", symptom.message, [text for one in matches for text in _messages(one)]
    if symptom.unless:
        yield "unless", symptom.unless, [text for one in others for text in _messages(one)]
    if symptom.source:
        yield "source", symptom.source, [text for one in matches for text in _sources(one)]


def _read(playbook: Playbook, examples: Iterable[Example]) -> list[ExampleFailure]:
    found: list[ExampleFailure] = []
    for example in examples:
        try:
            found.extend(failures_of(playbook, example))
        except TriageError:
            continue  # reported with the results of the examples
    return found


def _messages(one: ExampleFailure) -> Iterator[str]:
    return (exception.message for exception in deciding(one.problem))


def _sources(one: ExampleFailure) -> Iterator[str]:
    for exception in deciding(one.problem):
        yield from (frame.source for frame in exception.frames if frame.is_own and frame.source)


def _failed(playbook: Playbook, result: ExampleResult) -> CheckProblem:
    name = result.file.name
    if result.error:
        return _problem(playbook, "example", f"{result.file}: {result.error}")
    primary = result.primary or "no playbook"
    if not result.is_match:
        return _problem(playbook, "example", f"{name} matches, although it must not")
    lost = next((one.reason for one in result.also if one.playbook == playbook.id), "")
    reason = f" ({lost})" if lost else ""
    return _problem(playbook, "example", f"{name} does not match: {primary} has it{reason}")


def _ties(playbook: Playbook, results: Iterable[ExampleResult]) -> Iterator[CheckProblem]:
    seen: set[str] = set()
    for result in results:
        for loser in result.also:
            message = f"{loser.playbook}: {loser.reason}"
            if loser.reason.startswith(TIE) and message not in seen:
                seen.add(message)
                yield _problem(playbook, "tie", f"{message} ({result.file.name})")
