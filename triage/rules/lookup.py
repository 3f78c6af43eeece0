"""What the source of one project says about one failure."""

import ast
import re
from collections.abc import Iterable, Mapping, Sequence

from triage.model.case import Problem
from triage.model.finding import Finding
from triage.rules.factories import factory_index, none_given
from triage.rules.involved import Involved, involved, own_frames
from triage.rules.model_index import model_index
from triage.rules.near import FindingIndex, nearest
from triage.rules.registry import RULES, find_all
from triage.rules.source import SourceTree
from triage.rules.syntax import is_open_ended, keyword, terminal
from triage.text import clean_text


class Lookup:
    """Answers about one source tree; every rule runs at most once, and only when asked for."""

    def __init__(self, tree: SourceTree) -> None:
        self.tree = tree
        self._findings: dict[str, tuple[Finding, ...]] = {}
        self._involved: dict[int, tuple[Problem, tuple[Involved, ...]]] = {}
        self._lines: dict[str, list[bytes]] = {}
        self._indexes: dict[tuple[str, ...], FindingIndex] = {}

    def findings(self, rules: Iterable[str]) -> tuple[Finding, ...]:
        """All findings of these rules; an id that no rule has gives none."""
        wanted = tuple(rules)
        for rule in wanted:
            if rule not in self._findings:
                self._findings[rule] = find_all(self.tree, [rule]) if rule in RULES else ()
        return tuple(finding for rule in wanted for finding in self._findings[rule])

    def near(self, rules: Iterable[str], problem: Problem, names: Mapping[str, str]) -> Finding | None:
        """The finding of these rules that belongs to a problem, of the very model named if there is one."""
        wanted = tuple(rules)
        if wanted not in self._indexes:
            self._indexes[wanted] = FindingIndex(self.findings(wanted))
        index = self._indexes[wanted]
        if index.is_empty:
            return None
        functions = self.functions(problem)
        for known in (self._with_model(names), names):
            found = nearest(index.candidates(known, functions), problem, known, functions)
            if found is not None:
                return found
        return None

    def has_near(self, rule: str, problem: Problem, names: Mapping[str, str]) -> bool:
        return self.near((rule,), problem, names) is not None

    def functions(self, problem: Problem) -> tuple[Involved, ...]:
        known = self._involved.get(id(problem))
        if known is None:
            known = (problem, involved(self.tree, problem))  # the problem is kept, so its id stays its own
            self._involved[id(problem)] = known
        return known[1]

    def constructor(self, problem: Problem, names: Mapping[str, str]) -> tuple[str, int, str] | None:
        """(file, line, callee) of the call before the failure that makes a row of the table named.

        Of several the one whose values the failed statement shows, else the last. Where that call is
        a factory's, and the factory gives None to the column named, the line that does so.
        """
        makers = self._makers(names)
        frames = own_frames(problem)
        for function in self.functions(problem) if makers else ():
            reached = [frame.line for frame in frames if function.holds(frame.file, frame.line)]
            until = reached[-1] if reached else function.last
            calls = [one for one in function.calls() if terminal(one) in makers and one.lineno <= until]
            if calls:
                chosen = _shown(calls, problem) or calls[-1]
                emptied = self._emptied(chosen, names)
                return emptied or (function.module.path, chosen.lineno, terminal(chosen))
        return None

    def _emptied(self, call: ast.Call, names: Mapping[str, str]) -> tuple[str, int, str] | None:
        factories = factory_index(self.tree).by_name.get(terminal(call), ())
        if len(factories) != 1 or not names.get("column"):
            return None
        models = model_index(self.tree).by_table(names.get("table", ""))
        columns = [found for model in models if (found := model.column(names["column"]))]
        attribute = columns[0].attribute if columns else names["column"]
        if is_open_ended(call) or keyword(call, attribute) is not None:
            return None
        return none_given(self.tree, factories[0], attribute)

    def line(self, file: str, line: int) -> str:
        """One source line without its indentation, empty where there is none."""
        if file not in self._lines:  # as bytes: of text, `splitlines` ends a line at a form feed, too
            self._lines[file] = self.tree.files.get(file, b"").splitlines()
        lines = self._lines[file]
        return (
            clean_text(lines[line - 1].decode("utf-8", "replace").strip()) if 1 <= line <= len(lines) else ""
        )

    def _with_model(self, names: Mapping[str, str]) -> Mapping[str, str]:
        """The names with the model whose table they hold, where exactly one has it."""
        models = model_index(self.tree).by_table(names.get("table", ""))
        return {"model": models[0].name, **names} if len(models) == 1 else names

    def _makers(self, names: Mapping[str, str]) -> frozenset[str]:
        """Names of the classes and factories that make rows of a table or model."""
        models = model_index(self.tree)
        found = {model.name for model in models.by_table(names.get("table", ""))}
        found |= {names["model"]} if names.get("model") in models.names else set()
        makers = {factory.name for factory in factory_index(self.tree).factories if factory.model in found}
        return frozenset(found | makers)


def _shown(calls: Sequence[ast.Call], problem: Problem) -> ast.Call | None:
    """The last call with literal values that all stand among the parameters of the failed statement."""
    messages = (one.message.partition("[parameters: ") for one in problem.chain)
    shown = next((rest for _, found, rest in messages if found), "")
    for call in reversed(calls) if shown else ():
        given = [each.value.value for each in call.keywords if isinstance(each.value, ast.Constant)]
        literals = [
            repr(each) for each in given if isinstance(each, str | int) and not isinstance(each, bool)
        ]
        if literals and all(re.search(rf"(?<!\w){re.escape(each)}(?!\w)", shown) for each in literals):
            return call
    return None
