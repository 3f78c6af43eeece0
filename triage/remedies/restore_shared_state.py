"""A test or a fixture puts back what it changes for the whole process.

`os.environ["X"] = ...` becomes `monkeypatch.setenv(...)`, an assigned attribute `monkeypatch.setattr(...)`,
an entry of a shared dictionary `monkeypatch.setitem(...)`, `os.chdir(...)` becomes `monkeypatch.chdir(...)`;
where called code makes the change, the former value is registered before the call. In a `unittest` class the
same is done by `self.addCleanup(...)`, in a fixture for many tests by a `MonkeyPatch` of its own.

Judge whether another test relies on what was left, and whether product code should hold the state at all.

Never touched: product code, rows in a database (a session that rolls back is the cure), state that is set
while a file is imported.
"""

import ast
import re
from collections.abc import Iterable

from triage.model.fix import Edit, Proposal, Reach, Refusal, Target
from triage.remedies.asking import asked
from triage.remedies.blocks import indent, inserted, own_lines, spot
from triage.remedies.imports import import_edits
from triage.remedies.refusals import function_at, function_of
from triage.remedies.shared_state import Change, Scene, State, changes, scene, state_of
from triage.remedies.source import SourceFile, open_source
from triage.remedies.state_examples import CURED, UNTOUCHED
from triage.remedies.state_places import container_of, defined_as, owner_of
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import Function, arguments, text

ID = "restore-shared-state"
__all__ = ["CURED", "ID", "UNTOUCHED", "propose"]
_VALUE = "\0"
_REASONS = {
    "database": "rows are left in a database: its session must roll back, or the table be emptied",
    "threads": "a thread is left running: the test must stop and join it",
    "logging": "logging is left changed: the test must put the level or the handler back",
    "context": "a context is left pushed: the test must pop it, or use `with`",
}


def propose(target: Target, tree: SourceTree) -> Iterable[Proposal | Refusal]:
    found = _place(target, tree)
    if isinstance(found, Refusal):
        return [found]
    module, function, line = found
    state = state_of(target)
    if state is not None and state.kind in _REASONS:
        return [Refusal(ID, _REASONS[state.kind], module.path, line)]
    where = scene(module, function, tree)
    if not where.way:
        reason = f"`{function.name}` is no test, fixture or setUp: nothing tells when it ends"
        return [Refusal(ID, reason, module.path, line)]
    source = open_source(tree, module.path)
    known = changes(function, line, state)
    if not known:
        return [Refusal(ID, "no statement here changes what is shared", module.path, line)]
    if where.way != "pytest" and known[0].action == "set":
        known = known[:1]  # the value before it is put back, whatever follows
    edits: list[Edit] = []
    for change in known:
        made = _edits(source, where, change, state, tree)
        if isinstance(made, str):
            return [Refusal(ID, made, module.path, change.node.lineno)]
        edits += [one for one in made if one not in edits]
    return [_proposal(where, tuple(edits), state)] if edits else []


def _place(target: Target, tree: SourceTree) -> tuple[Module, Function, int] | Refusal:
    module = tree.module(target.file)
    if module is None or not module.is_test:
        reason = "product code holds the state: give it a way to start afresh, and use that in a fixture"
        return Refusal(ID, reason, target.file, target.line)
    function = function_at(module, target.line)
    if function is not None:
        return module, function, target.line
    known = function_of(target.names.get("polluter", ""), tree)
    if known is not None and known[0] is module and _is_head(known[1], target.line):
        return (*known, target.line)
    return Refusal(ID, "the state is set while the file is imported", target.file, target.line)


def _is_head(function: Function, line: int) -> bool:
    return any(one.lineno <= line <= function.lineno for one in function.decorator_list)


def _proposal(where: Scene, edits: tuple[Edit, ...], state: State | None) -> Proposal:
    what = state.name if state is not None and state.name else "what it changes"
    return Proposal(
        ID,
        f"`{where.function.name}` puts back {what}",
        edits,
        Reach.FIXTURE
        if where.fixture is not None or where.function.name != _test_name(where)
        else Reach.TEST,
        judge="whether another test relies on what was left, and whether the product should hold it at all",
        rollback="revert the commit",
    )


def _test_name(where: Scene) -> str:
    return where.function.name if where.function.name.startswith("test") else ""


Made = list[Edit] | str


def _edits(source: SourceFile, where: Scene, change: Change, state: State | None, tree: SourceTree) -> Made:
    """A text says why nothing is done."""
    own_lines(source, change.node)
    if where.way in ("unittest", "class"):
        return _by_cleanup(source, where, change, state, tree)
    if change.kind == "call":
        lines = _registered(source, where, state, tree)
        if isinstance(lines, str):
            return lines
        more, before = lines
        return [*more, *_patched(source, where, change.node), _above(source, change.node, *before)]
    if change.kind == "variables":
        return _whole_environment(source, where, change)
    if change.kind == "container":
        return _container(source, where, change, state, tree)
    now = _monkeypatched(change, _key(source, change), state)
    return [*_patched(source, where, change.node), *_rewritten(source, change, now)]


def _key(source: SourceFile, change: Change) -> str:
    """As it stands in the file; the name of an attribute in the quotes that the file uses."""
    target: ast.AST = change.node
    if isinstance(target, ast.Assign | ast.Delete):
        target = target.targets[0]
    elif isinstance(target, ast.AugAssign):
        target = target.target
    elif isinstance(target, ast.Expr):
        target = target.value
    if isinstance(target, ast.Subscript):
        start, stop = spot(source, target.slice)
        return source.text[start:stop]
    if isinstance(target, ast.Call) and target.args and change.action == "delete":
        start, stop = spot(source, target.args[0])
        return source.text[start:stop]
    return _quoted(source, change.key)


def _monkeypatched(change: Change, key: str, state: State | None) -> str:
    """The call, with a mark where the new value belongs."""
    name = {"environment": "env", "attribute": "attr", "item": "item", "global": "item"}.get(change.kind, "")
    action = "del" if change.action == "delete" else "set"
    raising = ", raising=False" if change.kind == "attribute" and state is not None and state.is_new else ""
    if change.kind == "cwd":
        return f"monkeypatch.chdir({_VALUE})"
    if change.kind == "path" and change.action == "insert":
        return f"monkeypatch.syspath_prepend({_VALUE})"
    if change.kind == "path":
        return f'monkeypatch.setattr(sys, "path", [*sys.path, {_VALUE}])'
    base = {"environment": "", "global": "globals(), "}.get(change.kind, f"{change.base}, ")
    if action == "del":
        raising = ", raising=False" if isinstance(change.node, ast.Expr) else ""
        return f"monkeypatch.del{name}({base}{key}{raising})"
    return f"monkeypatch.{action}{name}({base}{key}, {_VALUE}{raising})"


def _rewritten(source: SourceFile, change: Change, now: str) -> tuple[Edit, ...]:
    """An assigned value stays as it is written and only gets another head and end."""
    node, (start, stop) = change.node, spot(source, change.node)
    head, _, tail = now.partition(_VALUE)
    if not isinstance(node, ast.Assign) or not tail:
        return (source.change(start, stop, now.replace(_VALUE, change.value)),)
    equals = source.text.index("=", spot(source, node.targets[0])[1]) + 1
    value = equals + len(source.text[equals:]) - len(source.text[equals:].lstrip(" \t"))
    return (source.change(start, value, head), Edit(source.file, stop, stop, tail))


def _quoted(source: SourceFile, code: str) -> str:
    """Short strings in the quotes that the file uses most."""
    body = source.text
    if body.count('"') > body.count("'"):
        return re.sub(r"'(\w+)'", r'"\1"', code)
    return code


def _patched(source: SourceFile, where: Scene, node: ast.stmt) -> list[Edit]:
    """Where `monkeypatch` comes from: pytest's own fixture, or one for a wider scope."""
    if where.way == "pytest":
        return list(asked(source, where.function, "monkeypatch"))
    lines = ["monkeypatch = pytest.MonkeyPatch()", "request.addfinalizer(monkeypatch.undo)"]
    if lines[0] in "".join(text(one) for one in where.function.body):
        return []
    return [
        *asked(source, where.function, "request"),
        *import_edits(source, "", "pytest"),
        _above(source, node, *lines),
    ]


def _above(source: SourceFile, node: ast.stmt, *lines: str) -> Edit:
    space = indent(source, node.lineno)
    return inserted(source, node.lineno - 1, *(space + one for one in lines))


# a call that changes something


def _registered(  # noqa: PLR0911 -- one kind of state after another
    source: SourceFile, where: Scene, state: State | None, tree: SourceTree
) -> tuple[list[Edit], list[str]] | str:
    """Lines that let `monkeypatch` remember the value that the call is about to change."""
    if state is None:
        return "the called code changes something, and what it is is not known"
    if state.kind == "environment":
        quote = _quoted(source, repr(state.name))
        kept = f"monkeypatch.setenv({quote}, os.environ[{quote}])"
        lines = [f"monkeypatch.setenv({quote}, '')", f"monkeypatch.delenv({quote})"]
        lines = [_quoted_empty(source, one) for one in lines] if state.is_new else [kept]
        return ([] if state.is_new else list(import_edits(source, "", "os"))), lines
    if state.kind == "cwd":
        return list(import_edits(source, "", "os")), ["monkeypatch.chdir(os.getcwd())"]
    if state.kind not in ("module", "class"):
        return f"the called code changes {state.name}, for which there is no way back here"
    found = owner_of(source, where.module, state.name, tree)
    if found is None:
        return f"where {state.name} is defined cannot be told"
    holder, attribute, imported = found
    now = f"{holder}.{attribute}" if holder else attribute
    if container_of(state, tree):
        now += ".copy()"
    name = _quoted(source, repr(attribute))
    made = f"monkeypatch.setattr({holder}, {name}, {now})"
    if not holder:
        made = f"monkeypatch.setitem(globals(), {name}, {now})"
    elif state.is_new:
        return imported, [
            f"monkeypatch.setattr({holder}, {name}, None, raising=False)",
            f"del {holder}.{attribute}",
        ]
    if _line_of(where.function, source, made):
        return "it is registered already"
    return imported, [made]


def _quoted_empty(source: SourceFile, line: str) -> str:
    return line.replace("''", '""') if source.text.count('"') > source.text.count("'") else line


def _line_of(function: Function, source: SourceFile, line: str) -> bool:
    start, stop = spot(source, function)
    return line in source.text[start:stop]


# containers and whole environments


def _container(
    source: SourceFile, where: Scene, change: Change, state: State | None, tree: SourceTree
) -> Made:
    holder, _, name = change.base.rpartition(".")
    kind = change.container or defined_as(name, tree) or (state.container if state is not None else "")
    if holder and not holder.startswith("self"):
        line = f"monkeypatch.setattr({holder}, {_quoted(source, repr(name))}, {change.base}.copy())"
        if _line_of(where.function, source, line):
            return []
        return [*_patched(source, where, change.node), _above(source, change.node, line)]
    if not kind:
        return f"what kind of container `{change.base}` is cannot be told"
    lines = _finalizers(change.base, kind, "request.addfinalizer")
    if _line_of(where.function, source, lines[0]):
        return []
    more = [*asked(source, where.function, "request"), *import_edits(source, "functools", "partial")]
    return [*more, _above(source, change.node, *lines)]


def _finalizers(base: str, kind: str, add: str) -> list[str]:
    """What is registered last runs first."""
    if kind == "list":
        return [f"{add}(partial({base}.__setitem__, slice(None), {base}.copy()))"]
    return [f"{add}(partial({base}.update, {base}.copy()))", f"{add}({base}.clear)"]


def _whole_environment(source: SourceFile, where: Scene, change: Change) -> Made:
    lines = _finalizers(change.base, "dict", "request.addfinalizer")
    if _line_of(where.function, source, lines[0]):
        return []
    more = [*asked(source, where.function, "request"), *import_edits(source, "functools", "partial")]
    return [*more, _above(source, change.node, *lines)]


# unittest


def _by_cleanup(
    source: SourceFile, where: Scene, change: Change, state: State | None, tree: SourceTree
) -> Made:
    this = next(iter(arguments(where.function)), "self")
    add = f"{this}.{'addClassCleanup' if where.way == 'class' else 'addCleanup'}"
    base, name = change.base, change.key
    more: list[Edit] = []
    if change.kind == "call":
        return _called_cleanup(source, where, change, state, tree)
    if change.kind == "cwd":
        lines = [f"{add}(os.chdir, os.getcwd())"]
    elif change.kind == "path":
        lines = [f"{add}(sys.path.__setitem__, slice(None), sys.path.copy())"]
    elif change.kind == "attribute":
        lines = [f"{add}(setattr, {base}, {name}, {base}.{name.strip(chr(39) + chr(34))})"]
    elif change.kind == "global":
        lines = [f"{add}(globals().__setitem__, {name}, {name.strip(chr(39) + chr(34))})"]
    else:
        kind = "dict" if change.kind != "container" else change.container or defined_as(base, tree)
        if not kind:
            return f"what kind of container `{base}` is cannot be told"
        if kind == "list":
            lines = [f"{add}({base}.__setitem__, slice(None), {base}.copy())"]
        else:
            lines = [f"{add}({base}.update, {base}.copy())", f"{add}({base}.clear)"]
    lines = [_quoted(source, one) for one in lines]
    if _line_of(where.function, source, lines[0]):
        return []
    return [*more, _above(source, change.node, *lines)]


def _called_cleanup(
    source: SourceFile, where: Scene, change: Change, state: State | None, tree: SourceTree
) -> Made:
    if state is None or state.kind not in ("module", "class", "environment"):
        return "the called code changes something that no cleanup can be written for"
    if state.kind == "environment":
        fresh = Change(change.node, "variables", "os.environ")
        return [*import_edits(source, "", "os"), *_as_list(_by_cleanup(source, where, fresh, state, tree))]
    found = owner_of(source, where.module, state.name, tree)
    if found is None or not found[0] or state.is_new:
        return f"where {state.name} is defined cannot be told"
    holder, attribute, imported = found
    kind = container_of(state, tree)
    fresh = Change(change.node, "attribute", holder, repr(attribute))
    if kind:
        fresh = Change(change.node, "container", f"{holder}.{attribute}", container=kind)
    return [*imported, *_as_list(_by_cleanup(source, where, fresh, state, tree))]


def _as_list(made: Made) -> list[Edit]:
    return [] if isinstance(made, str) else made
