"""Where a UUID column is given text, it gets the UUID itself.

In a test's statement that failed: `str(x.id)` and `f"{x.id}"` become `x.id`, a written-out key
becomes `UUID("...")`, `uuid4().hex` becomes `uuid4()`. A variable or dictionary that holds such a
text is changed where it is bound, if all its uses take the object; else the one use is.

To judge: whether the test meant to send text, as a client does.

Never: addresses, JSON and form data, what an assertion compares, code of the product, and a UUID
that a text column gets.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

import libcst as cst

from triage.model.fix import Proposal, Reach, Refusal, Target
from triage.remedies.column_types import is_key
from triage.remedies.example import Cured, Spot, Untouched
from triage.remedies.row_edits import shadowed
from triage.remedies.rows import bindings_of, scope_of
from triage.remedies.source import SourceFile, open_source
from triage.remedies.values import settled
from triage.rules.fixtures import fixture_index
from triage.rules.model_index import model_index
from triage.rules.models import Column
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import text

ID = "pass-uuid-object"
_JUDGE = "whether the test meant to hand over text, as a client does"
_KEY = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_SENT = frozenset({"json", "data", "params", "headers", "query_string", "path", "url", "files", "content"})
_NAMED = re.compile(r"(?:.*_)?(?:id|uuid|uid|guid|key)", re.IGNORECASE)
_MADE = re.compile(r"(?:\w+\.)?uuid[1-7]\(.*\)", re.DOTALL)
_KINDS: tuple[type[cst.BaseExpression], ...] = (
    cst.SimpleString,
    cst.FormattedString,
    cst.Call,
    cst.Attribute,
    cst.Name,
    cst.Subscript,
)
_REVERSED = re.compile(r"type 'UUID' is not supported|can't adapt type 'UUID'|probably unsupported type")


def propose(target: Target, tree: SourceTree) -> Iterable[Proposal | Refusal]:
    source, module, reason = None, None, ""
    if not tree.is_test(target.file):
        reason = f"{target.file}:{target.line} is code of the product: convert the text once where it enters"
    elif _REVERSED.search(target.message):
        reason = "the column holds text and gets a UUID: give it str(...), or declare the column as UUID"
    else:
        source, module = open_source(tree, target.file), tree.module(target.file)
    if source is None or module is None:
        return [Refusal(ID, reason, target.file, target.line)]
    changes = _Changes(source, module, tree, target.line)
    for node in _expressions(source, target.line):
        changes.look_at(node)
    if not changes.found:
        reason = f"no text of a UUID is written at {target.file}:{target.line}: find where it comes from"
        return [Refusal(ID, reason, target.file, target.line)]
    codes, imports = settled(source, list(changes.found.values()), shadowed(module, target.line))
    edits = [source.replace(node, code) for node, code in zip(changes.found, codes, strict=True)]
    label = f"the UUID itself instead of its text at {target.file}:{target.line}"
    return [Proposal(ID, label, (*imports, *edits), Reach.STATEMENT, _JUDGE)]


def _expressions(source: SourceFile, line: int) -> Iterator[cst.BaseExpression]:
    """What the statement at a line is made of; of a block's head only that line."""
    statements = list(source.at(cst.SimpleStatementLine, line))
    first, last = source.lines(statements[0]) if statements else (line, line)
    for kind in _KINDS:
        for node in source.all(kind):
            begin, end = source.lines(node)
            if first <= begin and end <= last:
                yield node


class _Changes:
    """Nodes with the template of what they become; `look_at` adds to them."""

    def __init__(self, source: SourceFile, module: Module, tree: SourceTree, line: int) -> None:
        self.found: dict[cst.CSTNode, str] = {}
        self._source, self._module, self._tree, self._line = source, module, tree, line
        self._columns = tree.memo(_columns)

    def look_at(self, node: cst.BaseExpression) -> None:
        if not self._may_take_object(node):
            return
        direct = self._object(node)
        if direct is not None:
            self.found[node] = direct
        elif isinstance(node, cst.Name):
            self._through_variable(node)
        elif isinstance(node, cst.Subscript) and isinstance(node.value, cst.Name):
            self._through_dictionary(node, node.value)

    def _object(self, node: cst.BaseExpression) -> str | None:
        """The template of the UUID whose text an expression makes."""
        source = self._source
        if isinstance(node, cst.SimpleString):
            is_whole = isinstance(node.evaluated_value, str) and _KEY.fullmatch(node.evaluated_value)
            return f"<uuid:UUID>({source.code(node)})" if is_whole else None
        inner: cst.BaseExpression | None = None
        if isinstance(node, cst.Call) and source.code(node.func) == "str" and len(node.args) == 1:
            inner = node.args[0].value
        elif isinstance(node, cst.Attribute) and node.attr.value == "hex":
            inner = node.value
        elif isinstance(node, cst.FormattedString) and len(node.parts) == 1:
            part = node.parts[0]
            inner = part.expression if isinstance(part, cst.FormattedStringExpression) else None
        return source.code(inner) if inner is not None and self._is_key(inner) else None

    def _is_key(self, node: cst.BaseExpression) -> bool:
        code = self._source.code(node)
        if isinstance(node, cst.Attribute):
            return node.attr.value in self._columns[0]
        if isinstance(node, cst.Call):
            return _MADE.fullmatch(code) is not None or code.rpartition("(")[0].endswith("UUID")
        return isinstance(node, cst.Name) and _NAMED.fullmatch(code) is not None

    def _through_variable(self, use: cst.Name) -> None:
        scope = scope_of(self._source, use)
        bound = bindings_of(self._source, scope, use.value)
        value = bound[0].value if len(bound) == 1 else None
        code = self._object(value) if value is not None else None
        if value is not None and code is not None:
            uses = [one for one in self._uses(use.value, scope) if one is not use]
            if all(self._may_take_object(one) for one in uses):
                self.found[value] = code
            else:
                self.found[use] = code if not _MADE.fullmatch(code) else f"<uuid:UUID>({use.value})"
        elif not bound and self._is_fixture_of_text(use):
            self.found[use] = f"<uuid:UUID>({use.value})"

    def _through_dictionary(self, use: cst.Subscript, name: cst.Name) -> None:
        scope = scope_of(self._source, use)
        bound = bindings_of(self._source, scope, name.value)
        value = bound[0].value if len(bound) == 1 else None
        key = self._source.code(use.slice[0])
        for one in value.elements if isinstance(value, cst.Dict) else ():
            code = self._object(one.value) if isinstance(one, cst.DictElement) else None
            if code is None or not isinstance(one, cst.DictElement) or self._source.code(one.key) != key:
                continue
            uses = [self._source.parents[each] for each in self._uses(name.value, scope)]
            is_plain = all(isinstance(each, cst.Subscript) and self._may_take_object(each) for each in uses)
            self.found[one.value if is_plain else use] = code

    def _uses(self, name: str, scope: cst.CSTNode) -> list[cst.Name]:
        """Reads of a variable in its function."""
        return [
            one
            for one in self._source.all(cst.Name)
            if one.value == name and scope_of(self._source, one) is scope
            if not isinstance(self._source.parents[one], cst.AssignTarget | cst.Param | cst.AnnAssign)
            if not _is_label(one, self._source.parents[one])
        ]

    def _is_fixture_of_text(self, use: cst.Name) -> bool:
        function = self._source.enclosing(use, cst.FunctionDef)
        if function is None or use.value not in [one.name.value for one in function.params.params]:
            return False
        fixture = fixture_index(self._tree).find(use.value, self._source.file)
        code = text(fixture.node) if fixture is not None else ""
        return (
            re.search(r"(?:return|yield) (?:str\(|f['\"]\{[^}]*\}['\"]$|.*\.hex$)", code, re.MULTILINE)
            is not None
        )

    def _may_take_object(self, node: cst.CSTNode) -> bool:
        """Not in an address, in what a client sends, or in what an assertion compares."""
        source, is_asked = self._source, False
        if isinstance(source.parents[node], cst.Attribute | cst.Param | cst.AssignTarget | cst.FunctionDef):
            return False
        for each in source.ancestors(node):
            if self._makes_text(each):
                return False
            is_asked = is_asked or (isinstance(each, cst.Call) and source.code(each.func) != "str")
            if isinstance(each, cst.Assert):
                return is_asked
            if isinstance(each, cst.BaseSmallStatement | cst.BaseCompoundStatement):
                break
        return True

    def _makes_text(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Arg):
            return not self._takes_object(node)
        if isinstance(node, cst.Call):
            return _is_client(self._source.code(node.func))
        joins = cst.FormattedStringExpression | cst.ConcatenatedString | cst.BinaryOperation
        return isinstance(node, joins | cst.Return | cst.Yield)

    def _takes_object(self, arg: cst.Arg) -> bool:
        if arg.keyword is None:
            return True
        name = arg.keyword.value
        return name not in _SENT and (name in self._columns[0] or name not in self._columns[1])


def _is_label(name: cst.Name, parent: cst.CSTNode) -> bool:
    """The name of a keyword or an attribute."""
    is_keyword = isinstance(parent, cst.Arg) and parent.keyword is name
    return is_keyword or (isinstance(parent, cst.Attribute) and parent.attr is name)


def _is_client(name: str) -> bool:
    head, _, last = name.rpartition(".")
    is_http = last in ("get", "post", "put", "patch", "delete", "open") and "client" in head.lower()
    return is_http or last in ("url_for", "dumps", "print", "len", "UUID", "join", "format", "isinstance")


def _columns(tree: SourceTree) -> tuple[frozenset[str], frozenset[str]]:
    """Attributes that hold UUIDs in some model, and those that hold something else in all."""
    uuids: set[str] = set()
    others: set[str] = set()
    index = model_index(tree)
    for model in index.models:
        for column in model.columns:
            (uuids if is_key(_followed(column, tree), tree) else others).add(column.attribute)
    return frozenset(uuids), frozenset(others - uuids)


def _followed(column: Column, tree: SourceTree) -> Column:
    """A foreign key without a type of its own has that of the column it refers to."""
    if column.type or column.annotation or not column.foreign_key:
        return column
    table, _, name = column.foreign_key.rpartition(".")
    found = model_index(tree).by_column(table.rpartition(".")[2], name)
    return found[0][1] if found else column


_MODELS = """\
import uuid
from app import db
class Tenant(db.Model):
    id = db.Column(db.Uuid, primary_key=True, default=uuid.uuid4)
    name = db.Column(db.String(80))
class Booking(db.Model):
    id = db.Column(db.Uuid(), primary_key=True, default=uuid.uuid4)
    tenant_id = db.Column(db.ForeignKey('tenant.id'))
"""
_TEST = "from m import Booking, Tenant, db\n\n\ndef test_it(session, client, t, b):\n"
_NAMES = {"model": "Booking", "column": "tenant_id", "violation": "uuid"}


def _case(body: str, after: str, line: int = 5, names: Mapping[str, str] = _NAMES) -> Cured:
    before = {"m.py": _MODELS, "test_m.py": _TEST + body}
    return Cured(before, Spot("test_m.py", line, names), {"test_m.py": after})


def _left(body: str, because: str, line: int = 5) -> Untouched:
    return Untouched({"m.py": _MODELS, "test_m.py": _TEST + body}, Spot("test_m.py", line, _NAMES), because)


_IMPORTED = _TEST.replace("db\n", "db\nfrom uuid import UUID\n", 1)
_TEXT = '"8c0f5d9e-2a4b-4c6d-8e1f-0123456789ab"'
CURED: tuple[Cured, ...] = (
    _case(
        "    Booking.query.filter_by(tenant_id=str(t.id)).all()\n",
        _TEST + "    Booking.query.filter_by(tenant_id=t.id).all()\n",
    ),
    _case(
        "    key = str(t.id)\n    found = session.get(Tenant, key)\n    assert found.id == t.id\n",
        _TEST + "    key = t.id\n    found = session.get(Tenant, key)\n    assert found.id == t.id\n",
        6,
    ),
    _case(
        "    key = str(t.id)\n    client.get(f'/tenants/{key}')\n    session.get(Tenant, key)\n",
        _TEST + "    key = str(t.id)\n    client.get(f'/tenants/{key}')\n    session.get(Tenant, t.id)\n",
        7,
    ),
    _case(
        '    ids = {"t": str(t.id), "b": str(b.id)}\n    find(ids["t"], ids["b"])\n',
        _TEST + '    ids = {"t": t.id, "b": b.id}\n    find(ids["t"], ids["b"])\n',
        6,
    ),
    _case(
        f"    session.get(Tenant, {_TEXT})\n",
        _IMPORTED + f"    session.get(Tenant, UUID({_TEXT}))\n",
    ),
    _case(
        "    assert session.query(Booking).filter(Booking.tenant_id == f'{t.id}').count() == 0\n",
        _TEST + "    assert session.query(Booking).filter(Booking.tenant_id == t.id).count() == 0\n",
    ),
    _case(
        "    session.add(Booking(\n        tenant_id=uuid4().hex,\n    ))\n",
        _TEST + "    session.add(Booking(\n        tenant_id=uuid4(),\n    ))\n",
        6,
    ),
)
UNTOUCHED: tuple[Untouched, ...] = (
    _left("    assert client.get('/x').json['id'] == str(t.id)\n", "an answer holds text"),
    _left("    client.post('/x', json={'tenant': str(t.id)})\n", "what is sent is text"),
    _left("    client.get('/tenants/' + str(t.id))\n", "an address is text"),
    _left("    session.get(Tenant, 'nonsense')\n", "no UUID is written there"),
    _left("    session.add(Tenant(name=str(t.id)))\n", "the column takes text"),
    Untouched(
        {
            "m.py": _MODELS,
            "views.py": "from m import Tenant\ndef show(key):\n    return Tenant.query.get(str(key))\n",
        },
        Spot("views.py", 3, _NAMES),
        "code of the product",
    ),
)
