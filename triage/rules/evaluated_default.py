"""A column's default that was computed once, when the module was imported.

`default=datetime.utcnow()` calls the function while the class is being made. Every row that
the process ever writes gets that one moment (or that one id, or that one token). Pass the
callable itself, `default=datetime.utcnow`, or a lambda around the call.

Found in `default`, `onupdate` and `insert_default` of columns of mapped classes and tables.
The line is the first of the column's statement; the call itself is among the related places.

Known limits: a call is taken for a value only where its name is one of those that give a new
value each time (clocks, random numbers, unique ids) or a function of the project that does
nothing but return such a call. Other calls may well be constants and are left alone.
"""

import ast
from collections.abc import Iterable, Iterator

from triage.model.finding import Finding
from triage.rules.example import Invalid, Valid
from triage.rules.model_index import model_index
from triage.rules.models import Column
from triage.rules.source import SourceTree
from triage.rules.syntax import SCOPES, dotted, terminal, text

ID = "evaluated-default"
_KEYWORDS = ("default", "insert_default", "onupdate")
_CHANGING = {
    "now": "datetime timezone pendulum arrow dt",
    "utcnow": "datetime arrow pendulum dt",
    "today": "date datetime dt",
    "time": "time",
    "time_ns": "time",
    "monotonic": "time",
    "uuid1": "uuid",
    "uuid4": "uuid",
    "uuid6": "uuid",
    "uuid7": "uuid",
    "token_hex": "secrets",
    "token_urlsafe": "secrets",
    "token_bytes": "secrets",
    "urandom": "os",
    "randint": "random",
    "random": "random",
    "randbytes": "random",
    "getrandbits": "random",
    "gmtime": "time",
    "localtime": "time",
}


def find(tree: SourceTree) -> Iterable[Finding]:
    index = model_index(tree)
    if not index:
        return
    makers = tree.memo(_makers)
    owners: list[tuple[str, str, tuple[Column, ...]]] = [(m.name, m.table, m.columns) for m in index.models]
    owners += [(table.variable, table.name, table.columns) for table in index.tables]
    for name, table, columns in owners:
        for column in columns:
            for keyword, call in _evaluated(column, makers):
                yield Finding(
                    ID,
                    column.file,
                    column.line,
                    f"{name}.{column.attribute}: {keyword}={text(call)} is computed once, at import",
                    symbol=name,
                    subject={"model": name, "table": table, "column": column.attribute},
                    related=(("call", column.file, call.lineno),),
                )


def _evaluated(column: Column, makers: frozenset[str]) -> Iterator[tuple[str, ast.Call]]:
    for each in column.call.keywords if column.call is not None else ():
        if each.arg in _KEYWORDS:
            found = next((c for c in _eager_calls(each.value) if _is_changing(c, makers)), None)
            if found is not None and not isinstance(each.value, ast.Lambda):
                yield each.arg, found


def _eager_calls(value: ast.expr) -> Iterator[ast.Call]:
    """Calls made while the expression is evaluated: not those inside a lambda."""
    pending: list[ast.AST] = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Call):
            yield node
        if not isinstance(node, ast.Lambda):
            pending.extend(ast.iter_child_nodes(node))


def _is_changing(call: ast.Call, makers: frozenset[str]) -> bool:
    """`func.now()` and a project's own `now()` object are not clocks; `datetime.now()` is."""
    *owner, last = (dotted(call.func) or f"?.{terminal(call)}").split(".")
    if not owner:
        return last in makers or last in ("utcnow", "uuid1", "uuid4", "token_hex", "token_urlsafe", "urandom")
    return last in _CHANGING and owner[-1] in _CHANGING[last].split()


def _makers(tree: SourceTree) -> frozenset[str]:
    """Functions of the project that only return a changing value; a name defined otherwise, too, is out."""
    found: set[str] = set()
    others: set[str] = set()
    for module in tree.modules(*(name.encode() + b"(" for name in _CHANGING), tests=False):
        for node in module.tree.body:
            if isinstance(node, ast.FunctionDef) and _returns_changing(node):
                found.add(node.name)
            elif isinstance(node, SCOPES):
                others.add(node.name)
    return frozenset(found - others)


def _returns_changing(function: ast.FunctionDef) -> bool:
    last = function.body[-1]
    return (
        not function.decorator_list
        and isinstance(last, ast.Return)
        and last.value is not None
        and any(_is_changing(call, frozenset()) for call in _eager_calls(last.value))
    )


_HEAD = """\
import uuid
from datetime import datetime
from app import db

class Post(db.Model):
    id = db.Column(db.Integer, primary_key=True)
"""

VALID: tuple[Valid, ...] = (
    Valid({"m.py": _HEAD + "    at = db.Column(db.DateTime, default=datetime.utcnow)\n"}),
    Valid({"m.py": _HEAD + "    at = db.Column(db.DateTime, default=lambda: datetime.now())\n"}),
    Valid(
        {"m.py": _HEAD + "    at = db.Column(db.DateTime, default=db.func.now())\n"}, "made by the database"
    ),
    Valid({"m.py": _HEAD + "    at = db.Column(db.DateTime, server_default=db.text('now()'))\n"}),
    Valid({"m.py": _HEAD + "    price = db.Column(db.Numeric, default=Decimal('0'), onupdate=str(1))\n"}),
    Valid({"m.py": _HEAD + "    at = db.Column(db.DateTime, default=partial(datetime.now, UTC))\n"}),
    Valid({"m.py": _HEAD + "    at = db.Column(db.DateTime, default=datetime(2020, 1, 1))\n"}),
    Valid({"m.py": "from datetime import datetime\ndef f(at=datetime.now()):\n    pass\n"}, "no column"),
)
INVALID: tuple[Invalid, ...] = (
    Invalid(
        {"m.py": _HEAD + "    at = db.Column(db.DateTime, index=True, default=datetime.utcnow())\n"},
        (("m.py", 7),),
        {"model": "Post", "table": "post", "column": "at"},
    ),
    Invalid(
        {
            "m.py": _HEAD
            + "    key = db.Column(\n        db.String(36),\n        default=str(uuid.uuid4()),\n    )\n"
        },
        (("m.py", 7),),
    ),
    Invalid(
        {
            "clock.py": "from datetime import UTC, datetime\ndef utc():\n    return datetime.now(UTC)\n",
            "m.py": _HEAD + "    at = db.Column(db.DateTime, default=utc, onupdate=utc())\n",
        },
        (("m.py", 7),),
    ),
    Invalid(
        {
            "m.py": "from datetime import date\n"
            "from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column\n"
            "class Base(DeclarativeBase): ...\n"
            "class Log(Base):\n"
            "    __tablename__ = 'logs'\n"
            "    id: Mapped[int] = mapped_column(primary_key=True)\n"
            "    day: Mapped[date] = mapped_column(insert_default=date.today())\n"
        },
        (("m.py", 7),),
        {"model": "Log", "table": "logs", "column": "day"},
    ),
)
