"""A text where a UUID column takes `uuid.UUID` objects.

`db.Uuid` and `UUID(as_uuid=True)` columns bind `uuid.UUID` objects. On SQLite and other databases
without a UUID type of their own, a text fails with StatementError ('str' object has no attribute
'hex'); elsewhere it may pass, so that tests and production disagree. Pass the object, or convert
the text once where it comes in: `uuid.UUID(text)`.

Found in `filter_by`, comparisons with a model's column, look-ups by key, and constructors of
objects that are stored. A text is a literal, an f-string or `str(...)`, or a variable that only
holds such.

Known limits: `postgresql.UUID` is looked at only in projects that also name SQLite; columns of a
project's own types are left alone, as they may well take text.
"""

import ast
import re
from collections.abc import Iterable, Iterator

from triage.model.finding import Finding
from triage.rules.example import Invalid, Valid
from triage.rules.model_index import model_index
from triage.rules.models import Column, Model, ModelIndex
from triage.rules.objects import stored_objects
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import Function, dotted, owner, terminal, text, within
from triage.rules.variables import bindings, query_source

ID = "uuid-as-text"
_PORTABLE = re.compile(r"(\w+\.)*Uuid(\(\))?|(\w+\.)*Uuid\(.*as_uuid=True.*\)")
_NATIVE = re.compile(r"(\w+\.)*UUID\(.*as_uuid=True.*\)")
_BY_KEY = frozenset({"get", "get_or_404", "get_one"})
_JOINS = frozenset({"join", "outerjoin", "select_from", "join_from"})
_RAISING = frozenset({"raises", "assertRaises", "assertRaisesRegex", "suppress"})


def find(tree: SourceTree) -> Iterable[Finding]:
    index = model_index(tree)
    portable = bool(index) and tree.memo(_names_sqlite)
    if not any(_is_uuid(column, portable=portable) for model in index.models for column in model.columns):
        return
    for module in tree.modules(*(name.encode() for name in index.names)):
        for function in module.functions:
            for node, model, column in _given_as_text(function, module, index, portable=portable):
                if not _is_expected(node, module):
                    yield _finding(node, model, column, module, function)


def _finding(node: ast.expr, model: Model, column: Column, module: Module, function: Function) -> Finding:
    return Finding(
        ID,
        module.path,
        node.lineno,
        f"{model.name}.{column.attribute} takes uuid.UUID objects, here it gets {text(node)}",
        symbol=function.name,
        subject={
            "function": function.name,
            "model": model.name,
            "table": model.table,
            "column": column.name,
        },
        related=(("column", column.file, column.line),),
    )


def _given_as_text(
    function: Function, module: Module, index: ModelIndex, *, portable: bool
) -> Iterator[tuple[ast.expr, Model, Column]]:
    texts = _text_variables(function)
    for value, model, name in _given(function, module, index):
        column = model.column(name)
        if column is not None and _is_uuid(column, portable=portable) and _is_text(value, texts):
            yield value, model, column


def _given(function: Function, module: Module, index: ModelIndex) -> Iterator[tuple[ast.expr, Model, str]]:
    """(value, model, column) for every place that hands a value to a column."""
    for node in within(function):
        if isinstance(node, ast.Call) and terminal(node) == "filter_by":
            model = query_source(owner(node), module, index)
            if model is not None and not _JOINS & _chain(owner(node)):
                yield from ((each.value, model, each.arg) for each in node.keywords if each.arg)
        elif isinstance(node, ast.Call) and terminal(node) in _BY_KEY:
            yield from _by_key(node, module, index)
        elif isinstance(node, ast.Compare) and len(node.ops) == 1:
            yield from _compared(node, module, index)
    for built in stored_objects(function, module, index):
        if not (built.model.has_init or built.expected):
            yield from ((each.value, built.model, each.arg) for each in built.call.keywords if each.arg)


def _by_key(call: ast.Call, module: Module, index: ModelIndex) -> Iterator[tuple[ast.expr, Model, str]]:
    model: Model | None = None
    if len(call.args) > 1 and dotted(call.args[0]):
        model = index.find(dotted(call.args[0]), module)
    elif len(call.args) == 1:
        model = query_source(owner(call), module, index)
    if model is not None and len(model.primary_key) == 1:
        yield call.args[-1] if len(call.args) == 1 else call.args[1], model, model.primary_key[0].attribute


def _compared(node: ast.Compare, module: Module, index: ModelIndex) -> Iterator[tuple[ast.expr, Model, str]]:
    if not isinstance(node.ops[0], ast.Eq | ast.NotEq):
        return
    sides = (node.left, node.comparators[0])
    for side, value in (sides, sides[::-1]):
        if isinstance(side, ast.Attribute) and dotted(side.value):
            model = index.find(dotted(side.value), module)
            if model is not None:
                yield value, model, side.attr


def _is_uuid(column: Column, *, portable: bool) -> bool:
    """`portable`: the project names SQLite, so that a native type must be portable, too."""
    if column.type == column.annotation and column.type.rpartition(".")[2] == "UUID":
        return True
    return bool(_PORTABLE.fullmatch(column.type)) or (portable and bool(_NATIVE.fullmatch(column.type)))


def _text_variables(function: Function) -> frozenset[str]:
    """Variables that hold nothing but texts."""
    found: dict[str, bool] = {}
    for node in within(function):
        for name, value in bindings(node):
            found[name] = found.get(name, True) and _is_text(value, frozenset())
    arguments = {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)}
    return frozenset(name for name, is_text in found.items() if is_text and name not in arguments)


def _is_text(value: ast.expr, texts: frozenset[str]) -> bool:
    if isinstance(value, ast.Name):
        return value.id in texts
    if isinstance(value, ast.Call):
        return dotted(value.func) == "str"
    return isinstance(value, ast.JoinedStr) or (
        isinstance(value, ast.Constant) and isinstance(value.value, str)
    )


def _chain(node: ast.expr | None) -> frozenset[str]:
    """The names of a chain of calls."""
    names = set()
    while isinstance(node, ast.Call | ast.Attribute):
        names.add(terminal(node))
        node = node.func if isinstance(node, ast.Call) else node.value
    return frozenset(names)


def _is_expected(node: ast.expr, module: Module) -> bool:
    """Inside a block that awaits an error."""
    for each in module.ancestors(node):
        if isinstance(each, ast.With) and any(terminal(i.context_expr) in _RAISING for i in each.items):
            return True
        if isinstance(each, ast.Try) and each.handlers:
            return True
    return False


def _names_sqlite(tree: SourceTree) -> bool:
    return tree.mentions(b"sqlite")


_MODELS = """\
import uuid
from app import db
class Tenant(db.Model):
    id = db.Column(db.Uuid, primary_key=True, default=uuid.uuid4)
    name = db.Column(db.String(80))
class Booking(db.Model):
    id = db.Column(db.Uuid(), primary_key=True, default=uuid.uuid4)
    tenant_id = db.Column(db.ForeignKey('tenant.id'), type_=db.Uuid)
    legacy = db.Column(GUID())
"""
_TEST = "import pytest\nfrom m import Booking, Tenant, db\ndef test_it(session, t):\n"


def _case(body: str) -> dict[str, str]:
    return {"m.py": _MODELS, "test_m.py": _TEST + body}


VALID: tuple[Valid, ...] = (
    Valid(_case("    assert Tenant.query.filter_by(id=t.id).one()\n")),
    Valid(_case("    assert Tenant.query.filter_by(name='a').one()\n")),
    Valid(_case("    assert session.get(Tenant, uuid.UUID('a'))\n")),
    Valid(_case("    assert {'a': 1}.get('a') and t.get('a')\n"), "no query"),
    Valid(_case("    session.query(Booking).filter_by(legacy='a').one()\n"), "a type of its own"),
    Valid(_case("    with pytest.raises(Exception):\n        session.get(Tenant, 'x')\n")),
    Valid(_case("    assert Tenant(id='a').id == 'a'\n"), "never stored"),
    Valid(
        {
            "m.py": _MODELS.replace("db.Uuid", "UUID(as_uuid=True)"),
            "test_m.py": _TEST + "    session.get(Tenant, 'x')\n",
        },
        "PostgreSQL only",
    ),
)
INVALID: tuple[Invalid, ...] = (
    Invalid(
        _case("    Booking.query.filter_by(tenant_id=str(t.id)).all()\n"),
        (("test_m.py", 4),),
        {"function": "test_it", "model": "Booking", "table": "booking", "column": "tenant_id"},
    ),
    Invalid(_case("    session.query(Tenant).filter(Tenant.id == f'{t.id}').one()\n"), (("test_m.py", 4),)),
    Invalid(_case("    key = str(t.id)\n    session.get(Tenant, key)\n"), (("test_m.py", 5),)),
    Invalid(_case("    session.add(Tenant(id='a'))\n"), (("test_m.py", 4),)),
    Invalid(_case("    db.session.execute(db.select(Tenant).filter_by(id='a'))\n"), (("test_m.py", 4),)),
)
