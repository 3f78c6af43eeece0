"""The rules by their ids."""

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol, cast

from triage.model.finding import Finding
from triage.rules.source import SourceTree, may_have_models

if TYPE_CHECKING:
    from triage.rules.example import Invalid, Valid

IDS = (
    "evaluated-default",
    "fixture-returns-orm-object",
    "incomplete-constructor",
    "missing-foreign-key",
    "missing-relationship",
    "mixed-construction",
    "uuid-as-text",
)


class RuleModule(Protocol):
    """What a rule's file defines; its docstring is the user's page."""

    __doc__: str | None
    ID: str
    VALID: "tuple[Valid, ...]"
    INVALID: "tuple[Invalid, ...]"

    @property
    def find(self) -> Callable[[SourceTree], Iterable[Finding]]: ...


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    page: str
    valid: "tuple[Valid, ...]"
    invalid: "tuple[Invalid, ...]"
    find: Callable[[SourceTree], Iterable[Finding]]


class _Rules(Mapping[str, Rule]):
    """A rule's file is imported when the rule is asked for: most projects have no use for most rules."""

    def __getitem__(self, rule: str) -> Rule:
        if rule not in IDS:
            raise KeyError(rule)
        return _load(rule)

    def __contains__(self, rule: object) -> bool:
        return rule in IDS

    def __iter__(self) -> Iterator[str]:
        return iter(IDS)

    def __len__(self) -> int:
        return len(IDS)


@cache
def _load(rule: str) -> Rule:
    module = cast("RuleModule", importlib.import_module(f"triage.rules.{rule.replace('-', '_')}"))
    return Rule(module.ID, module.__doc__ or "", module.VALID, module.INVALID, module.find)


RULES: Mapping[str, Rule] = _Rules()


def find_all(tree: SourceTree, rule_ids: Iterable[str]) -> tuple[Finding, ...]:
    """Every finding of these rules, in the order of files and lines.

    A rule that meets code too deep for it is left out, with a note in `tree.notes`.

    Raises:
        KeyError: an id is not in `RULES`.
    """
    rule_ids = tuple(rule_ids)
    unknown = [each for each in rule_ids if each not in RULES]
    if unknown:
        raise KeyError(*unknown)
    if not tree.memo(may_have_models):
        return ()
    found: set[tuple[str, int, str, str]] = set()
    findings: list[Finding] = []
    for rule in [RULES[each] for each in rule_ids]:
        for each in _guarded(rule, tree):
            key = (each.file, each.line, each.rule, repr(sorted(each.subject.items())))
            if key not in found:
                found.add(key)
                findings.append(each)
    return tuple(sorted(findings, key=lambda each: (each.file, each.line, each.rule)))


def _guarded(rule: Rule, tree: SourceTree) -> list[Finding]:
    try:
        return list(rule.find(tree))
    except RecursionError:
        tree.notes.append(f"rule {rule.id}: left out: an expression is nested too deeply")
        return []
