"""For each diagnosis the cures that may be tried, best first, and why others may not."""

import ast
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from triage.fixing.diffs import changed_lines
from triage.guard.compare import weakenings
from triage.model.diagnosis import Defect, Diagnosis
from triage.model.fix import Edit, Proposal, Reach, Refusal, Target, Weakening
from triage.model.playbook import Playbook
from triage.model.terms import Applicability
from triage.remedies.edits import applied, compatible
from triage.remedies.registry import proposals
from triage.remedies.source import UntouchableError
from triage.rules.source import SourceTree

Propose = Callable[[Iterable[str], Target, SourceTree], Sequence[Proposal | Refusal]]
WORKAROUNDS = frozenset({"autouse-context"})  # weakenings that a labelled remedy may make, as its last resort
# Evidence of what surrounds a defect: nearly every wide change touches one of these.
_BACKGROUND = frozenset({"application", "fixture", "context", "production"})
_STRENGTH = tuple(Applicability)  # safe, unsafe, display-only


@dataclass(frozen=True, slots=True)
class Cure:
    """One proposal for one defect, as far as it can be judged without running anything.

    `preference` is the remedy's place in its playbook, then the proposal's among the remedy's own;
    `file` and `line` are the defect's.
    """

    proposal: Proposal
    playbook: str
    applicability: Applicability
    weakenings: tuple[Weakening, ...]
    is_at_site: bool
    is_product: bool
    is_workaround: bool
    preference: tuple[int, int]
    file: str
    line: int

    @property
    def key(self) -> tuple[Edit, ...]:
        """Equal for cures that are one, whatever diagnosis or remedy they come from."""
        return tuple(sorted(self.proposal.edits, key=lambda edit: (edit.file, edit.start, edit.text)))

    @property
    def order(self) -> tuple[bool, bool, bool, Reach, tuple[int, int], int]:
        """The best first, by what is known before any run."""
        size = sum(len(edit.text) + edit.stop - edit.start for edit in self.proposal.edits)
        return (
            not self.is_at_site,
            self.is_workaround,
            self.is_product,
            self.proposal.reach,
            self.preference,
            size,
        )


@dataclass(frozen=True, slots=True)
class Option:
    """Cures that are tried together for one diagnosis: of its cause, and of what hides behind it."""

    cures: tuple[Cure, ...]

    @property
    def edits(self) -> tuple[Edit, ...]:
        return tuple(dict.fromkeys(chain.from_iterable(one.proposal.edits for one in self.cures)))


@dataclass(frozen=True, slots=True)
class Refused:
    """A proposal that may not be tried (`cure`), or a remedy that makes none (`refusal`)."""

    diagnosis: str
    reason: str
    cure: Cure | None = None
    refusal: Refusal | None = None

    @property
    def is_weakening(self) -> bool:
        return self.cure is not None and bool(_bad(self.cure))


@dataclass(frozen=True, slots=True)
class Offer:
    """All that can be tried for one diagnosis."""

    diagnosis: Diagnosis
    options: tuple[Option, ...] = ()
    refused: tuple[Refused, ...] = field(default=())

    @property
    def tests(self) -> tuple[str, ...]:
        return (*self.diagnosis.tests, *self.diagnosis.dependents)


class Chooser:
    """What may be tried: `unsafe` also takes what a person should judge."""

    def __init__(
        self, playbooks: Mapping[str, Playbook], *, unsafe: bool, propose: Propose = proposals
    ) -> None:
        self._playbooks = playbooks
        self._unsafe = unsafe
        self._propose = propose

    def offer(self, diagnosis: Diagnosis, tree: SourceTree) -> Offer:
        refused: list[Refused] = []
        by_defect = [self._cures(diagnosis, one, tree, refused) for one in diagnosis.defects]
        first, hidden = (by_defect[0] if by_defect else []), by_defect[1:]
        options = []
        for one in first:
            together = [one]
            for more in hidden:
                fit = next((each for each in more if _fits(each, together)), None)
                together += [fit] if fit is not None else []
            options += [Option(tuple(together)), *([Option((one,))] if len(together) > 1 else [])]
        return Offer(diagnosis, tuple(options), tuple(refused))

    def _cures(
        self, diagnosis: Diagnosis, defect: Defect, tree: SourceTree, refused: list[Refused]
    ) -> list[Cure]:
        playbook = self._playbooks.get(defect.playbook)
        if playbook is None:
            return []
        target = _target(diagnosis, defect)
        found: list[Cure] = []
        for place, known in enumerate(playbook.remedies):
            if known.applicability is Applicability.DISPLAY_ONLY:
                continue
            for nth, one in enumerate(self._propose([known.use], target, tree)):
                if isinstance(one, Refusal):
                    refused.append(Refused(diagnosis.id, one.reason, refusal=one))
                    continue
                cure = _cure(one, known.applicability, (place, nth), diagnosis, defect, tree)
                why = cure and self._why_not(cure)
                if cure is None or cure.key in {each.key for each in found}:
                    continue
                if why:
                    refused.append(Refused(diagnosis.id, why, cure=cure))
                else:
                    found.append(cure)
        return sorted(found, key=lambda cure: cure.order)

    def _why_not(self, cure: Cure) -> str:
        bad = _bad(cure)
        if bad:
            return f"it would weaken: {bad[0].kind} at {bad[0].file}:{bad[0].line}: {bad[0].text}"
        if cure.applicability is Applicability.UNSAFE and not self._unsafe:
            return "a person should judge it; --unsafe tries it"
        if cure.applicability is Applicability.DISPLAY_ONLY:
            return "only shown, never made"
        return ""


def _bad(cure: Cure) -> list[Weakening]:
    return [one for one in cure.weakenings if one.kind not in WORKAROUNDS]


def _target(diagnosis: Diagnosis, defect: Defect) -> Target:
    return Target(
        playbook=defect.playbook,
        file=defect.file,
        line=defect.line,
        symbol=defect.symbol,
        names=defect.names,
        tests=(*diagnosis.tests, *diagnosis.dependents),
        evidence=diagnosis.evidence,
        change=defect.change,
        message=defect.message,
    )


def _cure(
    proposal: Proposal,
    applicability: Applicability,
    preference: tuple[int, int],
    diagnosis: Diagnosis,
    defect: Defect,
    tree: SourceTree,
) -> Cure | None:
    """None where nothing would change, or the edits do not go together."""
    try:
        changed = applied(tree.files, proposal.edits)
    except (ValueError, KeyError, UntouchableError):
        return None
    if not changed or any(_parses(tree.files[path]) and not _parses(changed[path]) for path in changed):
        return None
    before = {path: tree.files[path] for path in changed}
    found = weakenings(tree.files, {**tree.files, **changed}, tree.is_test)
    own = proposal.applicability or applicability
    return Cure(
        proposal=proposal,
        playbook=defect.playbook,
        applicability=max(own, applicability, key=_STRENGTH.index),
        weakenings=found,
        is_at_site=_touches(before, changed, _sites(diagnosis, defect), tree),
        is_product=any(not tree.is_test(path) for path in changed),
        is_workaround=any(one.kind in WORKAROUNDS for one in found),
        preference=preference,
        file=defect.file,
        line=defect.line,
    )


def _parses(data: bytes) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _fits(cure: Cure, others: Sequence[Cure]) -> bool:
    taken = [edit for one in others for edit in one.proposal.edits]
    return compatible(cure.proposal.edits, taken)


def _sites(diagnosis: Diagnosis, defect: Defect) -> set[tuple[str, int]]:
    named = {(one.file, one.line) for one in diagnosis.evidence if one.kind not in _BACKGROUND}
    return {(defect.file, defect.line), (diagnosis.cause.file, diagnosis.cause.line), *named}


def _touches(
    before: Mapping[str, bytes],
    after: Mapping[str, bytes],
    sites: Iterable[tuple[str, int]],
    tree: SourceTree,
) -> bool:
    """Whether a change stands in the innermost function or class of a place that the evidence names."""
    spans = {path: changed_lines(before[path], after[path]) for path in after}
    for file, line in sites:
        first, last = _around(tree, file, line)
        if any(start <= last and first <= stop for start, stop in spans.get(file, ())):
            return True
    return False


def _around(tree: SourceTree, file: str, line: int) -> tuple[int, int]:
    module = tree.module(file)
    holders = [] if module is None else [*module.functions, *module.all(ast.ClassDef)]
    spans = [(one.lineno, one.end_lineno or one.lineno) for one in holders]
    inside = [(first, last) for first, last in spans if first <= line <= last]
    return min(inside, key=lambda span: span[1] - span[0], default=(line, line))
