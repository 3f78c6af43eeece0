"""The remedies by their ids."""

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol, cast

from triage.model.fix import Proposal, Refusal, Target
from triage.rules.source import SourceTree

if TYPE_CHECKING:
    from triage.remedies.example import Cured, Untouched

Propose = Callable[[Target, SourceTree], Iterable[Proposal | Refusal]]

# A file each in this folder; a playbook may name others, which only a person can carry out.
IDS = (
    "add-back-reference",
    "add-foreign-key",
    "add-missing-value",
    "autouse-app-context",
    "drop-default-parentheses",
    "extend-session-block",
    "factory-uses-test-session",
    "fixture-yields-app-inside-context",
    "keep-session-open-for-test",
    "pass-uuid-object",
    "push-context-around-call",
    "push-context-in-fixture",
    "push-request-context",
    "restore-shared-state",
    "roll-back-after-refusal",
    "rollback-session-fixture",
    "store-parent-first",
    "use-another-value",
    "use-model-factory",
    "yield-inside-context",
)


class RemedyModule(Protocol):
    """What a remedy's file defines; its docstring is the user's page."""

    __doc__: str | None
    ID: str
    CURED: "tuple[Cured, ...]"
    UNTOUCHED: "tuple[Untouched, ...]"

    @property
    def propose(self) -> Propose: ...


@dataclass(frozen=True, slots=True)
class KnownRemedy:
    id: str
    page: str
    propose: Propose
    cured: "tuple[Cured, ...]"
    untouched: "tuple[Untouched, ...]"


@cache
def remedy(name: str) -> KnownRemedy | None:
    """None for one that only a person can carry out."""
    if name not in IDS:
        return None
    module = cast("RemedyModule", importlib.import_module(f"triage.remedies.{name.replace('-', '_')}"))
    return KnownRemedy(module.ID, module.__doc__ or "", module.propose, module.CURED, module.UNTOUCHED)


def proposals(names: Iterable[str], target: Target, tree: SourceTree) -> list[Proposal | Refusal]:
    """What these remedies make of one defect, in their order; one that cannot read the code refuses it."""
    from triage.remedies.source import UntouchableError  # noqa: PLC0415 - LibCST only where something is cured

    found: list[Proposal | Refusal] = []
    for name in names:
        known = remedy(name)
        if known is None:
            continue
        try:
            found += known.propose(target, tree)
        except UntouchableError as error:
            found.append(Refusal(name, str(error), target.file, target.line))
        except RecursionError:
            found.append(Refusal(name, f"{target.file} is nested too deeply", target.file, target.line))
    return found
