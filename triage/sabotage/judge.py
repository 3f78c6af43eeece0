"""Whether a test failed for the breakage that was made for it, and how plainly."""

import ast
from collections.abc import Sequence
from enum import IntEnum

from triage.model.failure import Failure
from triage.model.terms import Phase
from triage.proving.laboratory import TrialResult
from triage.rules.source import SourceTree
from triage.sabotage.pieces import PROCESS, Mutant, names_in, words_of
from triage.sabotage.subjects import Subject, statements_at

ATTRIBUTE, BEHAVIOUR = "break-model", "break-behaviour"
# What a breakage that does not fit raises, rather than a test that notices one.
_UNFIT = frozenset({"NameError", "ImportError", "ModuleNotFoundError", "SyntaxError"})
_ASSERTIONS = ("AssertionError", "Failed")


class Caught(IntEnum):
    """`RAISED`: it failed, but before an assertion could."""

    NO = 0
    RAISED = 1
    ASSERTED = 2


def kind_of(mutant: Mutant) -> str:
    return ATTRIBUTE if mutant.kind == "attribute" else BEHAVIOUR


def took_effect(test: str, mutants: Sequence[Mutant], result: TrialResult) -> list[Mutant]:
    """Those of a test that were executed while it ran, in this order; of the process the likeliest first."""
    places = [(one.kind, one.file, one.line) for one in result.applied.get(test, ())]
    made = [one for one in mutants if (kind_of(one), one.file, one.line) in places]
    if any(one.kind in PROCESS for one in made):
        return made
    return sorted(made, key=lambda one: places.index((kind_of(one), one.file, one.line)))


def judged(
    subject: Subject,
    own: Sequence[Mutant],
    result: TrialResult,
    tree: SourceTree,
    others: Sequence[Mutant] = (),
) -> Caught:
    """`own` are the breakages of this test that took effect; none: whatever failed, it was not they.

    `others` are those of other tests that hold for the whole process.
    """
    failure = result.failures.get(subject.test)
    if not own or failure is None or not result.fails(subject.test):
        return Caught.NO
    head = failure.problem.head
    if failure.root is not None or failure.problem.phase is not Phase.CALL or head is None:
        return Caught.NO
    kind = head.type.rpartition(".")[2]
    if kind in _UNFIT or not _concerns(failure, subject, own, others, tree):
        return Caught.NO
    if kind in _ASSERTIONS or _asserts(failure, subject, tree):
        return Caught.ASSERTED
    # What a fixture or a builder reads may be refused, whatever the test is about.
    return Caught.NO if own[0].kind == "attribute" else Caught.RAISED


def _asserts(failure: Failure, subject: Subject, tree: SourceTree) -> bool:
    """Whether an assertion's own statement raised, or a block did that expects another exception."""
    own = [one for one in failure.problem.chain[0].frames if one.kind in ("project", "test")]
    for one in (one for one in own if one.kind == "test"):
        asserting = subject.asserting.get(one.file, frozenset())
        around = statements_at(tree, one.file, one.line)
        if any(isinstance(each, (ast.With, ast.AsyncWith)) and each.lineno in asserting for each in around):
            return True
        if one is own[-1] and around and around[-1].lineno in asserting:
            return True
    return False


def _concerns(
    failure: Failure, subject: Subject, own: Sequence[Mutant], others: Sequence[Mutant], tree: SourceTree
) -> bool:
    """What is broken for the whole process may fail others, too: the test must speak of its own."""
    if any(one.kind not in PROCESS for one in own):
        return True
    chain = failure.problem.chain
    if own[0].kind == "refusal":
        return chain[0].type.rpartition(".")[2] in _ASSERTIONS
    frames = [one for one in chain[0].frames if one.kind == "test"]
    around = statements_at(tree, frames[-1].file, frames[-1].line) if frames else []
    if around and _speaks(own, words_of(*names_in(around[-1]))):
        return True
    return _speaks(own, subject.words) and not _speaks(others, subject.words)


def _speaks(mutants: Sequence[Mutant], words: frozenset[str]) -> bool:
    about = [words_of(one.attribute) for one in mutants]
    return any(one and one <= words for one in about)
