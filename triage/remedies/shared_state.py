"""Statements of tests that change what the whole process shares, and what they change."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from triage.model.fix import Target
from triage.rules.fixtures import Fixture, fixture_index
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import Function, arguments, dotted, owner, string, terminal, text, within

_SENTENCES = (
    ("environment", re.compile(r"the environment variable (?P<name>\S+)")),
    ("database", re.compile(r"rows in the table (?P<name>\S+)")),
    ("context", re.compile(r"a context of (?P<name>\S+)")),
    ("config", re.compile(r"the setting (?P<name>\S+)")),
    ("cwd", re.compile(r"another working directory(?P<name>)")),
    ("threads", re.compile(r"the thread (?P<name>\S+)")),
    ("logging", re.compile(r"the logging of (?P<name>\S+)")),
    ("fixture", re.compile(r"the value of the fixture (?P<name>\S+)")),
    ("module", re.compile(r"(?P<name>[\w.]+)")),
)
_CHANGING = {
    "list": frozenset({"append", "extend", "insert", "sort", "reverse"}),
    "set": frozenset({"add", "discard", "difference_update", "intersection_update"}),
    "dict": frozenset({"setdefault", "popitem", "update"}),
    "": frozenset({"clear", "pop", "remove"}),
}
CONTAINERS = {
    "dict": "dict",
    "defaultdict": "dict",
    "OrderedDict": "dict",
    "Counter": "dict",
    "list": "list",
    "set": "set",
}
_TEST_CASES = frozenset({"TestCase", "IsolatedAsyncioTestCase", "TransactionTestCase", "LiveServerTestCase"})
_STATEMENTS = (
    ast.Assign,
    ast.AugAssign,
    ast.Delete,
    ast.Expr,
    ast.AnnAssign,
    ast.Assert,
    ast.Return,
    ast.With,
)


@dataclass(frozen=True, slots=True)
class State:
    """What was left, as the diagnosis tells it; `before` and `after` as far as its sentence does."""

    kind: str
    name: str
    detail: str = ""

    @property
    def is_new(self) -> bool:
        """It was not there before."""
        return bool(self.detail) and " -> " not in self.detail

    @property
    def container(self) -> str:
        return (
            {"{": "dict", "[": "list"}.get(self.detail[:1], "")
            if ":" in self.detail or "[" in self.detail[:1]
            else ""
        )


@dataclass(frozen=True, slots=True)
class Change:
    """`kind` is environment, item, attribute, global, container, cwd, path or call; `base` what holds `key`.

    `value` is the text of the new value, `action` one of set, delete, change.
    """

    node: ast.stmt
    kind: str
    base: str = ""
    key: str = ""
    value: str = ""
    action: str = "set"
    container: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """The function that the change stands in; `way` is pytest, wide, unittest, class or empty."""

    module: Module
    function: Function
    way: str
    fixture: Fixture | None = None


def state_of(target: Target) -> State | None:
    names = target.names
    if names.get("kind") and names.get("name"):
        return State(names["kind"], names["name"])
    sentence = names.get("state", "")
    for kind, pattern in _SENTENCES:
        match = pattern.match(sentence)
        if match:
            _, _, detail = sentence.partition(" (")
            return State(kind, match.group("name"), detail.removesuffix(")"))
    return None


def scene(module: Module, function: Function, tree: SourceTree) -> Scene:
    fixture = next((one for one in fixture_index(tree).fixtures if one.node is function), None)
    around = module.parents.get(function)
    is_case = isinstance(around, ast.ClassDef) and _is_test_case(around, module, tree)
    if fixture is not None:
        return Scene(module, function, "pytest" if fixture.scope == "function" else "wide", fixture)
    if is_case:
        if function.name == "setUpClass":
            return Scene(module, function, "class")
        is_run = function.name.startswith("test") or function.name in ("setUp", "asyncSetUp")
        return Scene(module, function, "unittest" if is_run else "")
    generated = any(terminal(one) == "given" for one in function.decorator_list)
    is_test = function.name.startswith("test") and isinstance(around, ast.Module | ast.ClassDef)
    return Scene(module, function, "pytest" if is_test and not generated else "")


def _is_test_case(node: ast.ClassDef, module: Module, tree: SourceTree) -> bool:
    """By the project's own classes as far as they are known; a base from elsewhere by its name."""
    pending, seen = [(node, module)], {node.name}
    for one, home in pending:
        for base in one.bases:
            name = terminal(base)
            known = list(_classes(name, tree)) if name not in seen else []
            near = [each for each in known if each[1] is home] or known
            seen.add(name)
            if not near and (name in _TEST_CASES or name.endswith("TestCase")):
                return True
            pending += near[:1]
    return False


def _classes(name: str, tree: SourceTree) -> Iterator[tuple[ast.ClassDef, Module]]:
    for module in tree.modules(f"class {name}".encode()):
        yield from ((node, module) for node in module.all(ast.ClassDef) if node.name == name)


def changes(function: Function, line: int, state: State | None) -> list[Change]:
    """What the statement at the line changes; from the function's head, all that may be meant."""
    statements = [node for node in within(function) if isinstance(node, _STATEMENTS)]
    holding = [node for node in statements if node.lineno <= line <= (node.end_lineno or node.lineno)]
    found = [change for node in statements if (change := _change(node, function)) is not None]
    if holding:
        inner = max(holding, key=lambda node: node.lineno)
        if _is_restored(inner):
            return []
        direct = _all_alike([one for one in found if one.node is inner], found)
        calls = any(isinstance(node, ast.Call | ast.Await) for node in ast.walk(inner))
        return direct or ([Change(inner, "call")] if calls else [])
    meant = [one for one in found if state is None or _is_about(one, state)]
    if state is not None and any(_puts_back(node, state) for node in statements):
        return []
    if not meant and state is not None and state.kind in ("module", "class", "environment"):
        meant = [Change(_first(function), "call")]
    meant = _all_alike(meant, found) if any(one.kind == "variables" for one in meant) else meant
    return meant if len({(one.base, one.key) for one in meant}) == 1 else []


def _all_alike(direct: list[Change], found: list[Change]) -> list[Change]:
    """Where the function sets the same more than once, all of them.

    The whole environment is put back where a part of it is set at once besides.
    """
    what = {(one.kind, one.base, one.key) for one in direct if one.action == "set" and one.key}
    alike = [one for one in found if one.action == "set" and (one.kind, one.base, one.key) in what]
    if any(one.kind == "environment" for one in alike):
        whole = [one for one in found if one.kind == "variables" or one in alike]
        if len(whole) > len(alike):
            return [replace(whole[0], kind="variables", key="")]
    return alike or direct


def _puts_back(node: ast.stmt, state: State) -> bool:
    return _is_restored(node) and state.name.rpartition(".")[2] in text(node)


def _first(function: Function) -> ast.stmt:
    """The first statement below the docstring."""
    head, *rest = function.body
    is_text = isinstance(head, ast.Expr) and string(head.value) is not None
    return rest[0] if is_text and rest else head


def _is_restored(node: ast.stmt) -> bool:
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and dotted(call.func).startswith(("monkeypatch.", "mp.", "mocker."))


def _is_about(change: Change, state: State) -> bool:
    if state.kind == "environment":
        return change.kind in ("environment", "variables") and change.key.strip("\"'") in (state.name, "")
    if state.kind == "cwd":
        return change.kind == "cwd"
    last = state.name.rpartition(".")[2]
    return last in (change.key.strip("\"'"), change.base.rpartition(".")[2])


def _change(node: ast.stmt, function: Function) -> Change | None:
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        return _stored(node, node.targets[0], text(node.value), function)
    if isinstance(node, ast.AugAssign):
        value = f"{text(node.target)} {_operator(node)} {text(node.value)}"
        return _stored(node, node.target, value, function)
    if isinstance(node, ast.Delete) and len(node.targets) == 1:
        found = _stored(node, node.targets[0], "", function)
        return None if found is None else Change(node, found.kind, found.base, found.key, "", "delete")
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return _called(node, node.value, function)
    return None


def _operator(node: ast.AugAssign) -> str:
    whole = text(ast.BinOp(ast.Name("a", ast.Load()), node.op, ast.Name("b", ast.Load())))
    return whole[2:-2]


def _stored(node: ast.stmt, target: ast.expr, value: str, function: Function) -> Change | None:
    if isinstance(target, ast.Name):
        is_global = any(isinstance(one, ast.Global) and target.id in one.names for one in within(function))
        return Change(node, "global", "", repr(target.id), value) if is_global else None
    if not isinstance(target, ast.Attribute | ast.Subscript):
        return None
    base = dotted(target.value)
    if not base or _is_local(base, function):
        return None
    if isinstance(target, ast.Attribute):
        return Change(node, "attribute", base, repr(target.attr), value)
    kind = "environment" if base.endswith("environ") else "item"
    return Change(node, kind, base, text(target.slice), value)


def _is_local(base: str, function: Function) -> bool:
    """A name that the function itself assigns, or the test's own object."""
    root, _, rest = base.partition(".")
    if root in ("self", "cls"):
        return "." not in rest
    stored = {
        one.id for one in within(function) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }
    return root in stored and "." not in rest and rest != "config"


def _called(  # noqa: PLR0911 -- one kind of call after another
    node: ast.Expr, call: ast.Call, function: Function
) -> Change | None:
    name, receiver = terminal(call), dotted(owner(call))
    given = [text(one) for one in call.args]
    if dotted(call.func) == "os.chdir" and given:
        return Change(node, "cwd", value=given[0])
    if name == "setattr" and len(given) == 3 and not receiver:  # noqa: PLR2004 -- object, name, value
        return Change(node, "attribute", *given)
    if receiver == "sys.path" and name in ("insert", "append") and given:
        return Change(node, "path", value=given[-1], action=name)
    if not receiver or _is_local(receiver, function):
        return None
    if receiver.endswith("environ"):
        return _of_environment(node, call, receiver)
    if name == "pop" and given and _is_key(call.args[0]):
        return Change(node, "item", receiver, given[0], "", "delete")
    kind = next((kind for kind, names in _CHANGING.items() if name in names), None)
    return None if kind is None else Change(node, "container", receiver, action="change", container=kind)


def _is_key(node: ast.expr) -> bool:
    return string(node) is not None


def _of_environment(node: ast.stmt, call: ast.Call, receiver: str) -> Change | None:
    name, given = terminal(call), [text(one) for one in call.args]
    if name == "pop" and given:
        return Change(node, "environment", receiver, given[0], "", "delete")
    return Change(node, "variables", receiver) if name in ("update", "clear", "setdefault") else None


def asks_for(function: Function, name: str) -> bool:
    return name in arguments(function)
