"""A fixed test as the sabotage check sees it: what it asserts, executes and speaks of."""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from triage.model.observation import Observation, Place
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import Function, terminal
from triage.sabotage.pieces import names_in, words_of

OBSERVER = "assertions-made"
_REFUSED = ("raises", "assertRaises", "assertRaisesRegex")
_Lines = Mapping[str, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Subject:
    """`asserting` are the first lines of the assertions that it executed, by file.

    `call` and `setup` are the lines of the product that it executed in these phases. `words` are those of its
    source and of its name, `about` those of its assertions; `names` the identifiers as they stand.
    """

    test: str
    asserted: int
    asserting: _Lines = field(default_factory=dict)
    call: _Lines = field(default_factory=dict)
    setup: _Lines = field(default_factory=dict)
    words: frozenset[str] = frozenset()
    about: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    expects_refusal: bool = False


def subject_of(test: str, place: Place, seen: Iterable[Observation], tree: SourceTree) -> Subject:
    """Nothing in what was seen is trusted: it was written by the process that ran the tests."""
    facts = next((one.facts for one in seen if one.observer == OBSERVER), {})
    count = facts.get("assertions")
    asserting = _numbers(facts.get("lines"))
    module = tree.module(place.file)
    function = _function(module, place) if module is not None else None
    source = names_in(function) if function is not None else frozenset()
    parts = _statements(tree, asserting)
    return Subject(
        test,
        count if isinstance(count, int) and count > 0 else 0,
        asserting,
        _ranges(facts.get("call")),
        _ranges(facts.get("setup")),
        words_of(*source, test.partition("::")[2]),
        words_of(*names_in(*parts)) if parts else frozenset(),
        source,
        any(_refuses(node) for node in parts),
    )


def statements_at(tree: SourceTree, file: str, line: int) -> list[ast.stmt]:
    """The statements of functions that hold a line, the innermost last."""
    module = tree.module(file)
    holding = [
        node
        for node in (module.all(ast.FunctionDef) + module.all(ast.AsyncFunctionDef) if module else [])
        if node.lineno <= line <= (node.end_lineno or 0)
    ]
    inside = {
        node
        for function in holding
        for node in ast.walk(function)
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or 0)
    }
    return sorted(inside, key=lambda node: (node.lineno, -(node.end_lineno or 0)))


def _statements(tree: SourceTree, asserting: _Lines) -> list[ast.stmt]:
    found = (statements_at(tree, file, line) for file, lines in asserting.items() for line in lines)
    return [around[-1] for around in found if around]


def _function(module: Module, place: Place) -> Function | None:
    named = [one for one in module.functions if one.name == place.symbol.partition("[")[0]]
    return min(named, key=lambda one: abs(one.lineno - place.line), default=None)


def _refuses(node: ast.stmt) -> bool:
    calls = (each for each in ast.walk(node) if isinstance(each, ast.Call))
    return any(terminal(each) in _REFUSED for each in calls)


def _numbers(value: object) -> _Lines:
    if not isinstance(value, dict):
        return {}
    return {
        file: frozenset(line for line in lines if isinstance(line, int))
        for file, lines in value.items()
        if isinstance(lines, list)
    }


def _ranges(value: object) -> _Lines:
    if not isinstance(value, dict):
        return {}
    found: dict[str, frozenset[int]] = {}
    for file, pairs in value.items():
        lines: set[int] = set()
        for pair in pairs if isinstance(pairs, list) else []:
            match pair:
                case [int(first), int(last)] if 0 < first <= last < first + 100_000:
                    lines.update(range(first, last + 1))
        found[file] = frozenset(lines)
    return found
