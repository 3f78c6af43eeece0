"""Which of the statements after one that needs a context need it, too."""

import ast
import builtins
import re
from collections.abc import Iterable, Iterator

from triage.remedies.scenes import Block, Scene, Step, pushes
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import SCOPES, assigned, dotted, last_line, owner, terminal, within

_FLASK = frozenset({"current_app", "g", "request", "session", "url_for", "flash", "render_template"})
_APPS = ("app", "application", "flask_app", "self.app")
_TOOLS = frozenset(
    {"pytest", "mock", "patch", "monkeypatch", "caplog", "capsys", "tmp_path", "mocker", *_APPS}
)
_GROWING = frozenset({"append", "add", "extend", "insert", "update", "setdefault"})
_HTTP = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "open", "invoke"})
_CLIENT = re.compile(r"client|runner|browser", re.IGNORECASE)
_EXPECTING = re.compile(r"(?:raises|warns|deprecated_call|assert(?:Raises|Warns|Logs)\w*)$")
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_BORDERS = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def runs(scene: Scene) -> tuple[list[Block], frozenset[str]]:
    """The statements that need a context, in the blocks that they share, and the names bound there.

    A request by a client, a `yield` and a block with a context of its own part them, unless what was
    bound before is used there or later: a request inside a pushed context would share its `g`.
    """
    step, found, names = scene.steps[0], *_runs(scene, scene.steps[0])
    for outer, inner in zip(scene.steps[1:], scene.steps, strict=False):
        if not _is_left(scene, inner, outer, found, names):
            break
        step, (found, names) = outer, _runs(scene, outer)
    return [whole_lines(step.block, run) for run in found], names


def _is_left(scene: Scene, inner: Step, outer: Step, found: list[Block], names: frozenset[str]) -> bool:
    """Whether the block of `outer` has to hold what `inner` shows to be too small for it."""
    node = inner.owner
    if isinstance(node, _BORDERS):
        return False
    expects = isinstance(node, ast.With | ast.AsyncWith) and any(
        _EXPECTING.search(terminal(item.context_expr)) for item in node.items
    )
    if isinstance(node, _LOOPS) or expects or inner.block[0].lineno == getattr(node, "lineno", 0):
        return True
    last = last_line(found[-1][-1])
    after = [each for each in _later(outer, scene, last) if names & loads(each)]
    return bool(after)


def _later(outer: Step, scene: Scene, line: int) -> Iterator[ast.AST]:
    top: ast.AST = scene.functions[0] if scene.functions else outer.owner
    return (each for each in within(top) if isinstance(each, ast.expr) and each.lineno > line)


def _runs(scene: Scene, step: Step) -> tuple[list[Block], frozenset[str]]:
    first, rest = step.statement, step.block[step.index + 1 :]
    made = _made(scene)
    names, vital = bound([first]) | handed(first) & made, _vital(scene, first)
    found: list[Block] = [[first]]
    pending: Block = []
    is_open, is_over = True, is_yielding(first)
    for number, statement in enumerate(rest):
        is_over = is_over or is_yielding(statement)
        is_used = any(names & loads(each) for each in rest[number:])
        if is_yielding(statement) or (_parts(statement) and (is_over or not is_used)):
            is_open, pending = False, []
        elif loads(statement) & (vital if is_over else vital | names) and not _is_free(statement, names):
            _taken(found, pending, statement, is_open=is_open)
            is_open, pending = True, []
            names |= frozenset() if is_over else bound([statement]) | handed(statement) & made
        else:
            pending.append(statement)
    return found, names


def _taken(found: list[Block], pending: Block, statement: ast.stmt, *, is_open: bool) -> None:
    if is_open:
        found[-1] += [*pending, statement]
    else:
        found.append([statement])


def _parts(statement: ast.stmt) -> bool:
    return pushes(statement) or any(
        isinstance(each, ast.Call)
        and (terminal(each) in _HTTP and _CLIENT.search(terminal(owner(each))) is not None)
        for each in ast.walk(statement)
    )


def _is_free(statement: ast.stmt, names: frozenset[str]) -> bool:
    """What is only defined here runs elsewhere; what pushes for itself, or only hands on, needs nothing."""
    hands_on = isinstance(statement, ast.Return) and not names & loads(statement) and _only_holds(statement)
    return isinstance(statement, SCOPES) or pushes(statement) or hands_on


def _only_holds(node: ast.AST) -> bool:
    """`Store(db, User), tear_down`: names, and objects that are made of them."""
    if isinstance(node, ast.Call) and terminal(node)[:1].isupper():
        return all(_only_holds(each) for each in (*node.args, *node.keywords))
    kinds = (ast.Return, ast.Tuple, ast.List, ast.Dict, ast.keyword, ast.Name, ast.Constant, ast.expr_context)
    return isinstance(node, kinds) and all(map(_only_holds, ast.iter_child_nodes(node)))


def is_yielding(statement: ast.stmt) -> bool:
    own = [statement, *within(statement)] if not isinstance(statement, SCOPES) else []
    return any(isinstance(each, ast.Yield | ast.YieldFrom) for each in own)


def _vital(scene: Scene, first: ast.stmt) -> frozenset[str]:
    """Names that stand for code of the project or of Flask, or that the first statement calls."""
    holders = [each for node in ast.walk(first) for each in (_called(node),) if each is not None]
    shared = {name for each in holders for name in loads(each) if not _CLIENT.search(name)}
    flask = {name for name, (where, _) in scene.module.imports.items() if where == "flask"} & _FLASK
    return frozenset((shared | _own_names(scene.module, scene.tree) | flask) - _TOOLS - set(dir(builtins)))


def handed(statement: ast.stmt) -> frozenset[str]:
    """Names that a call in it takes as they are: what is added to a session belongs to it from then on."""
    calls = [each for each in ast.walk(statement) if isinstance(each, ast.Call)]
    given = [value for call in calls for value in (*call.args, *(each.value for each in call.keywords))]
    return frozenset(each.id for value in given for each in ast.walk(value) if isinstance(each, ast.Name))


def _made(scene: Scene) -> frozenset[str]:
    """What the function makes by calls of the project's own code, or takes of the application."""
    own = _own_names(scene.module, scene.tree)
    nodes = within(scene.functions[0]) if scene.functions else ()
    pairs = [pair for node in nodes for pair in assigned(node)]
    calls = {name: value for name, value in pairs if isinstance(value, ast.Call)}
    made = {name for name, value in calls.items() if loads(value.func) & own}
    return frozenset(made | {name for name, value in pairs if _is_of_app(value)}) - frozenset(_APPS)


def _is_of_app(value: ast.AST | None) -> bool:
    """`app.security.datastore`: what an extension keeps there works on the application's data."""
    return isinstance(value, ast.Attribute) and dotted(value).startswith(tuple(f"{each}." for each in _APPS))


def _called(node: ast.AST) -> ast.expr | None:
    """What is called, or what an attribute is read of; a plain variable is not."""
    if isinstance(node, ast.Call):
        return node.func
    return node if isinstance(node, ast.Attribute) else None


def _own_names(module: Module, tree: SourceTree) -> set[str]:
    found = {
        name for name, (where, _) in module.imports.items() if where.startswith(".") or is_own(where, tree)
    }
    for node in module.all(ast.Import):
        found |= {
            (each.asname or each.name).partition(".")[0] for each in node.names if is_own(each.name, tree)
        }
    return found


def is_own(module: str, tree: SourceTree) -> bool:
    """Whether a module is a file of the project."""
    path = module.replace(".", "/")
    return any(f"/{file}".endswith((f"/{path}.py", f"/{path}/__init__.py")) for file in tree.files)


def loads(node: ast.AST) -> frozenset[str]:
    """Names that are read below a node, `self.x` as one name."""
    found = set()
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load):
            found.add(each.id)
        elif isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Load) and _is_self(each.value):
            found.add(f"self.{each.attr}")
    return frozenset(found - {"self", "cls"})


def bound(statements: Iterable[ast.stmt]) -> frozenset[str]:
    """Names that statements bind, and the lists that they add to."""
    found = set()
    for statement in statements:
        own = [statement, *within(statement)] if not isinstance(statement, SCOPES) else []
        for each in own:
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                found.add(each.id)
            elif isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store) and _is_self(each.value):
                found.add(f"self.{each.attr}")
            elif isinstance(each, ast.Expr) and isinstance(each.value, ast.Call):
                found |= _grown(each.value)
    return frozenset(found)


def _grown(call: ast.Call) -> set[str]:
    holder = owner(call)
    return {holder.id} if terminal(call) in _GROWING and isinstance(holder, ast.Name) else set()


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def whole_lines(block: Block, run: Block) -> Block:
    """With the statements that share a line with its first or its last."""
    start, stop = block.index(run[0]), block.index(run[-1])
    while start and last_line(block[start - 1]) == block[start].lineno:
        start -= 1
    while stop + 1 < len(block) and block[stop + 1].lineno == last_line(block[stop]):
        stop += 1
    return block[start : stop + 1]
