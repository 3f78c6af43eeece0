"""Makes an object of a test by its model's factory instead of by its constructor.

`Task(title="x", workspace_id=ws.id)` becomes `TaskFactory(title="x", workspace=ws)`: every keyword stays,
and the key of an object becomes the object where the factory would make another one in its place. A key
that names no row (`user_id="reviewer-1"`) gets one: `user=UserFactory(id="reviewer-1")`. What follows
(`session.add`, `commit`) stays as it stands; in one session it does no harm.

Right where the factory stores in the session of the test. A person judges whether the test is about the
values that the factory now fills in. Never touched: code that is not of the tests, a constructor whose
refusal is awaited (`pytest.raises`), one that is asserted to be unsaved, one whose values are not in
sight (`**data`), and one whose own default the test asserts where the factory sets another value.
"""

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from triage.model.fix import Edit, Proposal, Reach, Refusal, Target
from triage.remedies.example import Cured, Spot, Untouched
from triage.remedies.factory_names import call_prefix, factory_imports
from triage.remedies.object_links import Scope, declared, factory_for, relationship_of, renamed, target_of
from triage.remedies.session_samples import FACTORIES, TEST, project
from triage.remedies.source import open_source
from triage.remedies.spans import changed, code, without_argument
from triage.rules.factories import Factory
from triage.rules.model_index import model_index
from triage.rules.models import Column, Model
from triage.rules.objects import stored_objects
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import (
    Function,
    contains,
    dotted,
    is_constant,
    is_open_ended,
    terminal,
    within,
)
from triage.rules.variables import bindings

ID = "use-model-factory"
_RAISING = frozenset({"raises", "assertRaises", "assertRaisesRegex", "suppress"})
_UNSAVED = frozenset({"transient", "pending", "object_session", "identity_key"})


@dataclass(frozen=True, slots=True)
class _Place:
    """A constructor call of a model in a function of a test file."""

    call: ast.Call
    model: Model
    module: Module
    function: Function
    variable: str

    @property
    def given(self) -> dict[str, ast.keyword]:
        return {one.arg: one for one in self.call.keywords if one.arg}


def propose(target: Target, tree: SourceTree) -> Iterable[Proposal | Refusal]:
    place = _place(target, tree)
    if place is None:
        return
    reason = _objection(place, tree)
    factory = factory_for(tree, place.model, place.module)
    if not reason and factory is None:
        reason = f"no factory makes {place.model.name}"
    if reason or factory is None:
        yield Refusal(ID, reason, place.module.path, place.call.lineno)
        return
    reason = _hidden_default(place, factory, tree)
    if reason:
        yield Refusal(ID, reason, place.module.path, place.call.lineno)
        return
    yield _proposal(place, factory, tree)


def _proposal(place: _Place, factory: Factory, tree: SourceTree) -> Proposal | Refusal:
    source = open_source(tree, place.module.path)
    prefix = call_prefix(place.module, factory, tree)
    scope = Scope(tree, place.module, source, place.function, place.call.lineno, prefix)
    edits: list[Edit] = []
    for name, given in place.given.items():
        found = _linked(name, given, place, factory, scope)
        if isinstance(found, str):
            return Refusal(ID, found, source.file, given.lineno)
        edits += [found] if found is not None else []
    edits.append(changed(source, place.call.func, f"{prefix}{factory.name}"))
    if not prefix:
        wanted = dict.fromkeys([factory, *scope.needed])
        edits += [
            one
            for each in wanted
            for one in factory_imports(source, each, place.module, place.function, tree)
        ]
    filled = sorted(
        set(declared(tree, factory)) - set(place.given) - {one.removesuffix("_id") for one in place.given}
    )
    return Proposal(
        ID,
        f"{place.model.name} in {place.function.name} is made by {factory.name}",
        tuple(dict.fromkeys(edits)),
        Reach.TEST,
        judge=_judge(factory, filled, scope.needed),
        rollback="revert the commit of the test",
    )


def _judge(factory: Factory, filled: list[str], rows: list[Factory]) -> str:
    said = []
    if filled:
        said.append(f"{factory.name} now also fills {', '.join(filled)}: is the test about none of them?")
    if rows:
        names = ", ".join(dict.fromkeys(one.name for one in rows))
        said.append(f"the literal key named no row; {names} makes one: is that row meant?")
    return (
        " ".join(said) or f"{factory.name} stores the object at once: does nothing rely on it being unsaved?"
    )


# the place


def _place(target: Target, tree: SourceTree) -> _Place | None:
    spots = [
        (target.file, target.line),
        *((one.file, one.line) for one in target.evidence if one.kind == "born"),
    ]
    for file, line in spots:
        module = tree.module(file)
        found = _constructor(module, line, target, tree) if module is not None else None
        if found is not None:
            return found
    return None


def _constructor(module: Module, line: int, target: Target, tree: SourceTree) -> _Place | None:
    models, wanted = model_index(tree), target.names.get("model", "").rpartition(".")[2]
    found: list[_Place] = []
    for function in module.functions:
        if not contains(function, line):
            continue
        for call in (one for one in within(function) if isinstance(one, ast.Call)):
            model = models.find(dotted(call.func), module) if dotted(call.func) else None
            if model is not None and _fits(model, wanted, target.names.get("table", "")):
                found.append(_Place(call, model, module, function, _variable(call, module)))
    here = [one for one in found if contains(_statement(one.call, module), line)]
    exact = [one for one in here if one.call.lineno == line] or [
        one for one in here if contains(one.call, line)
    ]
    stored = found if len(found) == 1 and found[0].call.lineno <= line else []
    chosen = exact or here or stored
    return chosen[0] if chosen else None


def _fits(model: Model, wanted: str, table: str) -> bool:
    return model.name == wanted if wanted else model.table == table if table else True


def _statement(node: ast.expr, module: Module) -> ast.stmt | ast.expr:
    return next((one for one in module.ancestors(node) if isinstance(one, ast.stmt)), node)


def _variable(call: ast.Call, module: Module) -> str:
    statement = _statement(call, module)
    return next((name for name, value in bindings(statement) if value is call), "")


def _objection(place: _Place, tree: SourceTree) -> str:
    call, module = place.call, place.module
    if not tree.is_test(module.path):
        return f"{place.model.name} is made by the product's own code"
    if call.args or is_open_ended(call):
        return f"what {place.model.name} is given cannot be read off: {_shape(call)}"
    if isinstance(place.function, ast.AsyncFunctionDef):
        return "factories do not store through an asynchronous session"
    if _is_awaited(place, tree):
        return f"an error is awaited of this {place.model.name}: a factory would give it what it must lack"
    if place.variable and _is_unsaved(place):
        return f"`{place.variable}` is asserted to be unsaved, and a factory saves at once"
    return ""


def _shape(call: ast.Call) -> str:
    return "its values come by `**`" if not call.args else "its values come by position"


def _is_awaited(place: _Place, tree: SourceTree) -> bool:
    for each in place.module.ancestors(place.call):
        if isinstance(each, ast.With | ast.AsyncWith) and any(
            terminal(item.context_expr) in _RAISING for item in each.items
        ):
            return True
        if isinstance(each, ast.Lambda):
            return True
    built = stored_objects(place.function, place.module, model_index(tree))
    return any(one.call is place.call and one.expected for one in built)


def _is_unsaved(place: _Place) -> bool:
    keys = {f"{place.variable}.{one.attribute}" for one in place.model.primary_key}
    return any(_says_unsaved(node, place.variable, keys) for node in within(place.function))


def _says_unsaved(node: ast.AST, variable: str, keys: set[str]) -> bool:
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        is_none = isinstance(node.ops[0], ast.Is | ast.Eq) and any(is_constant(one, None) for one in sides)
        is_key = any(dotted(one) in keys for one in sides)
        return (is_none and is_key) or (isinstance(node.ops[0], ast.NotIn) and dotted(node.left) == variable)
    if isinstance(node, ast.Call) and terminal(node) == "assertIsNone":
        return any(dotted(one) in keys for one in node.args)
    if isinstance(node, ast.Call | ast.Attribute) and terminal(node) in _UNSAVED:
        return any(isinstance(one, ast.Name) and one.id == variable for one in ast.walk(node))
    return False


def _hidden_default(place: _Place, factory: Factory, tree: SourceTree) -> str:
    """The test asserts what the model itself gives, and the factory would give something else."""
    asserted = _asserted(place)
    for name in declared(tree, factory):
        column = place.model.column(name) or _key_column(place.model, name, tree)
        if name not in asserted or name in place.given or column is None or column.name in place.given:
            continue
        if column.filled or column.nullable:
            return f"the test asserts the model's own `{name}`, and {factory.name} sets it"
    return ""


def _asserted(place: _Place) -> set[str]:
    """Attributes of the object that assertions read."""
    found: set[str] = set()
    for node in within(place.function):
        is_call = isinstance(node, ast.Call) and terminal(node).startswith("assert")
        if isinstance(node, ast.Assert) or is_call:
            for each in ast.walk(node):
                if isinstance(each, ast.Attribute) and dotted(each.value) == place.variable != "":
                    found.add(each.attr)
    return found


def _key_column(model: Model, attribute: str, tree: SourceTree) -> Column | None:
    link = model.relationship(attribute)
    if link is None:
        return None
    return next((one for one in model.columns if relationship_of(tree, model, one) == link), None)


def _linked(
    name: str, given: ast.keyword, place: _Place, factory: Factory, scope: Scope
) -> Edit | str | None:
    """The edit, a reason why there is none, or None where the keyword may stay."""
    column = place.model.column(name)
    link = relationship_of(scope.tree, place.model, column) if column is not None else None
    if column is None or link is None or link.attribute not in declared(scope.tree, factory):
        return None
    if link.attribute in place.given:
        return None
    if renamed(scope.tree, factory):
        return f"{factory.name} renames or leaves out what it is given"
    if is_constant(given.value, None) and not column.nullable:
        return without_argument(scope.source, place.call, given)
    target = target_of(scope.tree, link)
    found = scope.object_of(given.value, target) if target is not None else None
    if is_constant(given.value, None):
        found = "None"
    if found is None:
        shown = code(scope.source, given.value)
        return (
            f"which {link.target} `{shown}` means is not in sight, and {factory.name} would make another one"
        )
    return changed(scope.source, given, f"{link.attribute}={found}")


_LITERAL = """\
import factories
from shop import Task


def test_it(db):
    with db.begin():
        db.add(Task(user_id="u-1", title=factories.UserFactory.__name__))
    assert factories.UserFactory().id
"""
_SPOT = Spot("test_it.py", 7, {"model": "Task"}, playbook="session-mixing")
_HIDDEN = FACTORIES.replace('title = "write"', 'title = "write"\n    state = "done"')


def _test(old: str, new: str) -> dict[str, str]:
    return project(test=TEST.replace(old, new))


CURED: tuple[Cured, ...] = (
    Cured(
        project(),
        _SPOT,
        {
            "test_it.py": TEST.replace("Task(title", "TaskFactory(title")
            .replace("user_id=user.id", "user=user")
            .replace("import UserFactory", "import UserFactory, TaskFactory")
        },
    ),
    Cured(
        project(test=_LITERAL),
        _SPOT,
        {
            "test_it.py": _LITERAL.replace(
                'Task(user_id="u-1"', 'factories.TaskFactory(user=factories.UserFactory(id="u-1")'
            )
        },
    ),
    Cured(
        _test('title="x", user_id=user.id', "user_id=None"),
        _SPOT,
        {
            "test_it.py": TEST.replace('Task(title="x", user_id=user.id)', "TaskFactory()").replace(
                "import UserFactory", "import UserFactory, TaskFactory"
            )
        },
    ),
)
UNTOUCHED: tuple[Untouched, ...] = (
    Untouched(
        _test("    task = Task", "    with pytest.raises(IntegrityError):\n        task = Task"),
        Spot("test_it.py", 8, {"model": "Task"}, playbook="not-null"),
        "the refusal is what the test is about",
    ),
    Untouched(_test('title="x", user_id=user.id', "**values"), _SPOT, "its values are not in sight"),
    Untouched(_test("user_id=user.id", "user_id=known()"), _SPOT, "which user is meant is not in sight"),
    Untouched(_test("    db.add", "    assert task.id is None\n    db.add"), _SPOT, "it must be unsaved"),
    Untouched(
        project(test=TEST.replace("task.user is user", 'task.state == "open"'), factories=_HIDDEN),
        _SPOT,
        "the factory would hide the model's own default",
    ),
    Untouched(
        project(factories=FACTORIES.partition("class TaskFactory")[0]), _SPOT, "no factory makes this model"
    ),
    Untouched(
        {**project(), "jobs.py": "from shop import Task\n\n\ndef run(db):\n    db.add(Task())\n"},
        Spot("jobs.py", 5, {"model": "Task"}, playbook="not-null"),
        "product code",
    ),
)
