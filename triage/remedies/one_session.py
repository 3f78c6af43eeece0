"""A test that adds one object to two sessions: the one that is used for nothing else lets go of it."""

import ast

from triage.model.fix import Proposal, Reach, Refusal, Target
from triage.remedies.source import open_source
from triage.remedies.spans import without_lines
from triage.rules.objects import ADDING
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import Function, assigned, contains, dotted, owner, terminal, within

_IDLE = frozenset({"add", "close", "expunge", "expunge_all"})


def one_session(remedy: str, target: Target, tree: SourceTree) -> Proposal | Refusal | None:
    """None where the function at the target's line adds no object to two sessions."""
    module = tree.module(target.file)
    for function in module.functions if module is not None else ():
        if module is not None and contains(function, target.line):
            twice = _twice(function, module, target)
            if twice:
                return _proposal(remedy, twice, function, module, tree)
    return None


def _twice(function: Function, module: Module, target: Target) -> list[ast.Expr]:
    """The statements that add the same variable, where they name different sessions."""
    found: dict[str, list[ast.Expr]] = {}
    for node in within(function):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and terminal(node.value) in ADDING:
            given = node.value.args
            if len(given) == 1 and isinstance(given[0], ast.Name) and terminal(node.value) == "add":
                found.setdefault(given[0].id, []).append(node)
    both = [one for one in found.values() if len({_whose(each) for each in one}) > 1]
    near = [one for one in both if _concerns(one, function, module, target)]
    return near[0] if near else []


def _concerns(adds: list[ast.Expr], function: Function, module: Module, target: Target) -> bool:
    """The target's line is one of theirs, or makes the object."""
    call = adds[0].value
    name = call.args[0] if isinstance(call, ast.Call) else None
    lines = {one.lineno for one in adds}
    for node in within(function):
        if isinstance(node, ast.stmt) and any(bound == dotted(name) for bound, _ in assigned(node)):
            lines |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return target.line in lines and bool(module.path)


def _whose(statement: ast.Expr) -> str:
    return dotted(owner(statement.value)) if isinstance(statement.value, ast.Call) else ""


def _proposal(
    remedy: str, adds: list[ast.Expr], function: Function, module: Module, tree: SourceTree
) -> Proposal | Refusal:
    idle = [one for one in adds if _is_idle(_whose(one), function)]
    if len(idle) != 1 or not tree.is_test(module.path):
        names = " and ".join(dict.fromkeys(f"`{_whose(one)}`" for one in adds))
        reason = f"the object is added to {names}, and which of them is meant only a person knows"
        return Refusal(remedy, reason, module.path, adds[0].lineno)
    source, whose = open_source(tree, module.path), _whose(idle[0])
    return Proposal(
        remedy,
        f"{function.name} adds the object to one session only, not to `{whose}`, too",
        (without_lines(source, idle[0]),),
        Reach.TEST,
        judge=f"`{whose}` is used for nothing else in the test: was the object not meant for it?",
    )


def _is_idle(name: str, function: Function) -> bool:
    """A local session on which nothing is called but `add` and `close`, and that is handed to nobody."""
    bound = any(known == name for node in within(function) for known, _ in assigned(node))
    uses = [
        node
        for node in within(function)
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
    ]
    called = [
        node
        for node in within(function)
        if isinstance(node, ast.Call) and dotted(owner(node)) == name and terminal(node) in _IDLE
    ]
    adding = [node for node in called if terminal(node) == "add"]
    return bound and len(uses) == len(called) and len(adding) == 1
