"""What a playbook shows without its examples: names, dates, conditions that say nothing or never hold."""

import builtins
import re
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from triage.errors import ConfigurationError
from triage.model.playbook import Playbook, Symptom
from triage.playbook.checks.fault import CheckProblem, fault
from triage.playbook.checks.names import did_you_mean
from triage.playbook.checks.searching import finds
from triage.playbook.grammar import Anchor, Choice, Concat, Node, Repeat, parse
from triage.playbook.shapes import check_expression
from triage.rules.registry import RULES

if TYPE_CHECKING:
    from triage.yamlfile import Path_

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
    "======== 11 passed, 1 skipped, 1 xfailed, 0 failed, 0 errors, 2 warnings in 0.34s ========",
    'INFO werkzeug: 127.0.0.1 - - "GET /orders HTTP/1.1" 200 -',
    "INFO sqlalchemy.engine.Engine SELECT users.id, users.email FROM users WHERE users.id = ?",
    "INFO sqlalchemy.engine.Engine ROLLBACK",
    "DeprecationWarning: datetime.datetime.utcnow() is deprecated",
    "2026-11-21 07:29:51 INFO order 17 of customer ann@example.org stored",
    "2026-11-21 07:29:52 ERROR shop.payment: the error was handled, it is tried again",
)
_EVERYTHING = frozenset({"BaseException", "Exception", "object"})
_CLASS_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_BUILTINS = {name.lower(): name for name, one in vars(builtins).items() if isinstance(one, type)}
EXCEPTIONS = frozenset(
    name for name, one in vars(builtins).items() if isinstance(one, type) and issubclass(one, BaseException)
)
EXPRESSIONS = ("message", "unless", "source")


def expression_faults(playbook: Playbook) -> Iterator[CheckProblem]:
    for place, symptom in enumerate(playbook.symptoms):
        for key, expression in expressions_of(symptom):
            try:
                check_expression(expression, "")
            except ConfigurationError as error:
                at, allowed = ("symptoms", place, key), error.allowed or ""
                yield fault(playbook, "expression", error.what, at, allowed=allowed, hint=error.hint or "")


def expressions_of(symptom: Symptom) -> Iterator[tuple[str, str]]:
    for key in EXPRESSIONS:
        expression = getattr(symptom, key)
        if expression:
            yield key, expression


def reference_faults(playbook: Playbook, known: frozenset[str]) -> Iterator[CheckProblem]:
    named: tuple[tuple[Path_, str, tuple[str, ...]], ...] = (
        (("beats",), "beats", playbook.beats),
        (("cascade", "of"), "cascade", playbook.cascade.of),
    )
    for key_at, key, names in named:
        for place, name in enumerate(names):
            if name not in known:
                said = f"{key}: no playbook {name!r}"
                hint = did_you_mean(name, known) or "triage playbooks list"
                yield fault(playbook, "reference", said, (*key_at, place), hint=hint)
    if playbook.id in playbook.beats:
        yield fault(playbook, "reference", "beats: it cannot beat itself", ("beats",))
    wanted: list[tuple[str | None, Path_]] = [
        *((name, ("diagnose", "rules", place)) for place, name in enumerate(playbook.diagnose.rules)),
        *((one.finding, ("symptoms", place, "finding")) for place, one in enumerate(playbook.symptoms)),
    ]
    for rule, at in wanted:
        if rule and rule not in RULES:
            allowed = ", ".join(sorted(RULES))
            hint = did_you_mean(rule, RULES)
            yield fault(playbook, "reference", f"no rule {rule!r}", at, allowed=allowed, hint=hint)


def review_faults(playbook: Playbook, today: date) -> Iterator[CheckProblem]:
    if not playbook.review_by:
        return
    at = ("review_by",)
    try:
        until = date.fromisoformat(playbook.review_by)
    except ValueError:
        said = f"review_by: {playbook.review_by!r} is no date"
        yield fault(playbook, "review", said, at, allowed="a date such as 2027-06-01")
        return
    if until < today:
        hint = "read its references and examples again, then move the date"
        yield fault(playbook, "review", f"review_by: {until} has passed", at, hint=hint)


def broad_faults(playbook: Playbook) -> Iterator[CheckProblem]:
    """Symptoms that say nothing of a failure, and expressions that are found in what passes."""
    for place, symptom in enumerate(playbook.symptoms):
        names = {one.removeprefix("builtins.") for one in symptom.exception}
        if not (symptom.message or symptom.finding or names - _EVERYTHING):
            said = f"symptom {place + 1} names neither an exception nor a message nor a finding"
            yield fault(
                playbook,
                "broad",
                said,
                ("symptoms", place),
                hint=f"not counted: {', '.join(sorted(_EVERYTHING))}",
            )
        for key in ("raised_in", "frames"):
            for glob in getattr(symptom, key):
                if not glob.strip("*/?."):
                    said = f"symptom {place + 1}: {key}: {glob!r} holds for every path"
                    yield fault(playbook, "broad", said, ("symptoms", place, key), hint="leave it out")
        for key, expression in expressions_of(symptom):
            lines = PASSING_LINES if key == "message" else ("",)
            line = next((one for one in lines if finds(expression, one)), None)
            if line is not None:
                said = f"is found in {line!r}" if line else "is found in any text, even in none"
                yield fault(
                    playbook,
                    "broad",
                    f"symptom {place + 1}: the expression {said}: {expression}",
                    ("symptoms", place, key),
                    hint="keep the words that only this failure has",
                )


def never_faults(playbook: Playbook) -> Iterator[CheckProblem]:
    """Conditions that nothing can meet."""
    for place, symptom in enumerate(playbook.symptoms):
        at = ("symptoms", place, "exception")
        for name in symptom.exception:
            last = name.rpartition(".")[2]
            if not _CLASS_NAME.fullmatch(name):
                said = f"symptom {place + 1}: {name!r} is no class name; it is compared, not searched"
                allowed = "sqlalchemy.exc.IntegrityError, or a list of such names"
                yield fault(playbook, "never", said, at, allowed=allowed)
            elif name == last and _BUILTINS.get(name.lower(), name) != name:
                said = f"symptom {place + 1}: there is no exception {name!r}"
                yield fault(playbook, "never", said, at, allowed=_BUILTINS[name.lower()])
            elif name == f"builtins.{last}" and last not in _BUILTINS.values():
                said = f"symptom {place + 1}: there is no exception {name!r}"
                yield fault(playbook, "never", said, at, hint=did_you_mean(last, EXCEPTIONS))
        for key, expression in expressions_of(symptom):
            for dead in dead_parts(expression):
                part = "the expression" if dead == expression else f"the alternative {dead!r}"
                said = f"symptom {place + 1}: {part} can never match: {expression}"
                hint = "text stands before `^` or after `$`; (?m) lets them be ends of lines"
                yield fault(playbook, "never", said, ("symptoms", place, key), hint=hint)


def dead_parts(expression: str) -> list[str]:
    """The expression, or those of its alternatives, that want text outside of the text."""
    try:
        node = parse(expression)
    except ValueError:
        return []
    found: list[str] = []
    return [expression] if _is_dead(node, before=False, after=False, found=found) else found


def alternatives(expression: str) -> tuple[str, ...]:
    """The alternatives of a whole expression; none where it has but one."""
    try:
        node = parse(expression)
    except ValueError:
        return ()
    return node.texts if isinstance(node, Choice) else ()


def _is_dead(node: Node, *, before: bool, after: bool, found: list[str]) -> bool:
    """`before` and `after`: something must be read there; alternatives that are dead go to `found`."""
    if isinstance(node, Anchor):
        return (node.kind == "begin" and before) or (node.kind == "end" and after)
    if isinstance(node, Repeat):
        return _is_dead(node.item, before=before, after=after, found=found) and node.low > 0
    if isinstance(node, Choice):
        dead = [_is_dead(one, before=before, after=after, found=found) for one in node.items]
        if not all(dead):
            found += [text for text, is_dead in zip(node.texts, dead, strict=True) if is_dead]
        return all(dead)
    if isinstance(node, Concat):
        wide = [_width(one) > 0 for one in node.items]
        return any(
            _is_dead(one, before=before or any(wide[:at]), after=after or any(wide[at + 1 :]), found=found)
            for at, one in enumerate(node.items)
        )
    return False


def _width(node: Node) -> int:
    """How many characters it takes at least."""
    if isinstance(node, Repeat):
        return node.low * _width(node.item)
    if isinstance(node, Choice):
        return min(map(_width, node.items))
    if isinstance(node, Concat):
        return sum(map(_width, node.items))
    return 0 if isinstance(node, Anchor) else 1
