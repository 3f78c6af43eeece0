"""Failures that only follow from another: who is the root of whom."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from triage.model.failure import Failure
from triage.model.playbook import Playbook

_ORIGINAL = "Original exception was: "  # SQLAlchemy's words in PendingRollbackError and mapper errors
_MIN_ORIGINAL = 12  # characters; less would be found in any message
_REMEMBERED = 100  # roots per file, and per run: what keeps memory and time bounded


class _Root(NamedTuple):
    id: str
    playbook: str | None
    messages: tuple[str, ...]


class Cascades:
    """Told every failure in the order of the run, names the root of those that only follow."""

    def __init__(self, playbooks: Mapping[str, Playbook]) -> None:
        self._playbooks = playbooks
        self._raised: dict[int, str] = {}
        self._roots: dict[str, str] = {}
        self._near: dict[str, deque[_Root]] = {}
        self._first: list[_Root] = []

    def link(self, failure: Failure) -> Failure:
        """The failure with its root, where it has one; remembers it as a root where it has none."""
        playbook = self._playbooks.get(failure.playbook or "")
        root, reason = None, ""
        if playbook is not None and playbook.cascade.scope:
            found = self._by_identity(failure)
            if found is None and not _poisoned_itself(failure):
                found = self._by_words(failure, playbook)
            root, reason = found or (None, "")
        self._remember(failure, root)
        return failure if root is None else replace(failure, root=root, root_reason=reason)

    def _by_identity(self, failure: Failure) -> tuple[str, str] | None:
        for exception in failure.problem.chain:
            raiser = self._raised.get(exception.follows) if exception.follows is not None else None
            if raiser is not None and raiser != failure.case.id:
                top = self._roots.get(raiser, raiser)
                return top, "the session still holds the very exception that the root raised"
        poison = failure.problem.facts.get("poison")
        test = poison.get("test") if isinstance(poison, Mapping) else None
        if isinstance(test, str) and test != failure.case.id:
            return test, "the session still holds an exception of this test, which itself did not fail"
        return None

    def _by_words(self, failure: Failure, playbook: Playbook) -> tuple[str, str] | None:
        original = _original(failure)
        if len(original) < _MIN_ORIGINAL:
            return None
        whole_process = playbook.cascade.scope == "process"
        roots: Iterable[_Root] = (
            self._first if whole_process else reversed(self._near.get(_file(failure), ()))
        )
        for root in roots:
            fits = not playbook.cascade.of or root.playbook in playbook.cascade.of
            if fits and root.id != failure.case.id and any(original in message for message in root.messages):
                return root.id, f"it quotes the root's message: {original}"
        return None

    def _remember(self, failure: Failure, root: str | None) -> None:
        for problem in failure.case.problems:
            for exception in problem.chain:
                if exception.identity is not None:
                    self._raised.setdefault(exception.identity, failure.case.id)
        if root is not None:
            self._roots[failure.case.id] = root
            return
        messages = tuple([one.message for one in failure.problem.chain if _ORIGINAL not in one.message])
        entry = _Root(failure.case.id, failure.playbook, messages)
        near = self._near.get(_file(failure))
        if near is None:
            near = self._near[_file(failure)] = deque(maxlen=_REMEMBERED)
            if len(self._near) > _REMEMBERED:
                self._near.pop(next(iter(self._near)))
        near.append(entry)
        if len(self._first) < _REMEMBERED:
            self._first.append(entry)


def _poisoned_itself(failure: Failure) -> bool:
    """The failed statement was the test's own: it swallowed the exception and went on."""
    poison = failure.problem.facts.get("poison")
    return isinstance(poison, Mapping) and poison.get("test") == failure.case.id


def link_cascades(failures: Iterable[Failure], playbooks: Mapping[str, Playbook]) -> list[Failure]:
    """All failures of a run, in its order, each with its root where it only follows from one."""
    cascades = Cascades(playbooks)
    return [cascades.link(failure) for failure in failures]


def _original(failure: Failure) -> str:
    head = failure.problem.head
    return "" if head is None else head.message.partition(_ORIGINAL)[2].partition("\n")[0].strip()


def _file(failure: Failure) -> str:
    return failure.case.file or failure.case.classname
