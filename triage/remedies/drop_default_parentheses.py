"""A column's default is passed as the callable, so that every row gets a value of its own.

`default=datetime.utcnow()` becomes `default=datetime.utcnow`; what takes more than a call without arguments
becomes a lambda (`default=lambda: datetime.now(UTC)`), `{}` and `[]` become `dict` and `list`. In a class
that is mapped as a dataclass `default=` is the field's own, so it becomes `default_factory=`.

Right wherever each row should get a fresh value. No table changes, so no migration is needed; rows that are
stored already keep the value of the process that wrote them.
Never touched: values made by the database (`func.now()`, `server_default`), constants, lambdas, callables.
A module's constant that is used as the default is only proposed for a person to judge.
"""

from collections.abc import Iterable, Iterator

import libcst as cst

from triage.model.fix import Edit, Proposal, Reach, Refusal, Target
from triage.model.terms import Applicability
from triage.remedies.columns_text import (
    class_of,
    column_call,
    keyword,
    last_name,
    member_of,
    prefix,
    value_span,
)
from triage.remedies.example import Cured, Spot, Untouched
from triage.remedies.source import SourceFile, open_source
from triage.rules.model_index import model_index
from triage.rules.source import SourceTree

ID = "drop-default-parentheses"
_KEYWORDS = ("default", "insert_default", "onupdate")
_CONSTANT = frozenset(
    {"datetime", "date", "time", "timedelta", "timezone", "UUID", "Decimal", "Fraction", "ZoneInfo", "Path"}
    | {"fromisoformat", "strptime", "int", "float", "bool", "bytes", "frozenset", "tuple", "str", "len"}
    | {"text", "literal", "null", "true", "false", "Sequence", "Identity", "FetchedValue", "select", "cast"}
    | {"partial", "itemgetter", "attrgetter", "getenv", "environ", "get", "UTC", "ColumnDefault", "lower"}
)
_FRESH = frozenset({"now", "utcnow", "today", "uuid1", "uuid4", "uuid6", "uuid7", "time_ns", "urandom"})


def propose(target: Target, tree: SourceTree) -> Iterable[Proposal | Refusal]:
    file, line = _place(target, tree)
    source = open_source(tree, file)
    name = target.names.get("attribute") or target.names.get("column", "")
    call = column_call(source, line, name) or column_call(source, line) or _annotated(source, line)
    if call is None:
        return [Refusal(ID, "no column is made at this line", file, line)]
    edits, refusals = _of_column(source, call)
    if not edits:
        return refusals
    constant = any(isinstance(one.value, cst.Name) for one in call.args if _is_named(source, one))
    column = ".".join(one for one in (target.names.get("model", ""), name or member_of(source, call)) if one)
    return [
        Proposal(
            ID,
            f"the default of {column} is called for each row; rows already stored keep theirs",
            edits,
            Reach.MODULE if tree.is_test(file) else Reach.PRODUCT,
            judge="whether the constant is meant to be one moment for all rows" if constant else "",
            applicability=Applicability.UNSAFE if constant else None,
            rollback="revert the commit; no table is changed",
        )
    ]


def _place(target: Target, tree: SourceTree) -> tuple[str, int]:
    """The column's own line, where the target's is another one, such as that of its class."""
    column = target.names.get("attribute") or target.names.get("column", "")
    source = open_source(tree, target.file)
    if column_call(source, target.line, column) is None:
        model = model_index(tree).named(target.names.get("model") or target.symbol)
        found = model.column(column) if model is not None else None
        if found is not None and found.call is not None:
            return found.file, found.line
    return target.file, target.line


def _annotated(source: SourceFile, line: int) -> cst.Call | None:
    """`at: Mapped[stamp]`, where `stamp = Annotated[datetime, mapped_column(...)]`."""
    for node in source.at(cst.AnnAssign, line):
        names = set(source.code(node.annotation).replace("[", " ").replace("]", " ").split())
        for one in source.all(cst.Assign):
            if last_name(one.targets[0].target) in names and "Annotated" in source.code(one.value):
                return column_call(source, source.lines(one)[0])
    return None


def _of_column(source: SourceFile, call: cst.Call) -> tuple[tuple[Edit, ...], list[Proposal | Refusal]]:
    edits: list[Edit] = []
    refusals: list[Proposal | Refusal] = []
    for arg in [one for name in _KEYWORDS if (one := keyword(call, name)) is not None]:
        value = _meaning(source, arg)
        text = _callable(source, value) if value is not None else None
        if value is None or text is None:
            continue
        if text.startswith("lambda") and _uses_class(source, call, value):
            reason = f"`{source.code(value)}` uses names of the class, which a lambda does not see"
            refusals.append(Refusal(ID, reason, source.file, source.lines(arg)[0]))
            continue
        edits += _edits(source, call, arg, value, text)
    return tuple(edits), refusals


def _edits(
    source: SourceFile, call: cst.Call, arg: cst.Arg, value: cst.BaseExpression, text: str
) -> Iterator[Edit]:
    start, stop = value_span(source, arg)
    if value is arg.value and text.startswith("lambda: "):
        text = f"lambda: {source.text[start:stop]}"
    if arg.keyword is not None and arg.keyword.value == "default" and _is_dataclass(source, call):
        at = source.span(arg.keyword)[1]
        yield Edit(source.file, at, at, "_factory")
    yield source.change(start, stop, text)


def _meaning(source: SourceFile, arg: cst.Arg) -> cst.BaseExpression | None:
    """The expression of an argument; of a module's constant, what the constant was made of."""
    if not isinstance(arg.value, cst.Name):
        return arg.value
    made = [
        small.value
        for line in source.module.body
        if isinstance(line, cst.SimpleStatementLine)
        for small in line.body
        if isinstance(small, cst.Assign) and last_name(small.targets[0].target) == arg.value.value
    ]
    return made[0] if len(made) == 1 and isinstance(made[0], cst.Call) else None


def _is_named(source: SourceFile, arg: cst.Arg) -> bool:
    is_default = arg.keyword is not None and arg.keyword.value in _KEYWORDS
    return is_default and isinstance(arg.value, cst.Name) and _meaning(source, arg) is not None


def _callable(source: SourceFile, value: cst.BaseExpression) -> str | None:
    """Source of a callable that makes the value anew; None for what is no value made at import."""
    if isinstance(value, cst.Dict | cst.List) and not value.elements:
        return "dict" if isinstance(value, cst.Dict) else "list"
    if isinstance(value, cst.Dict | cst.List | cst.Set | cst.ListComp | cst.DictComp):
        return f"lambda: {source.code(value)}"
    calls = list(_calls(value))
    if not any(_makes_anew(one) for one in calls):
        return None
    if isinstance(value, cst.Call) and not value.args and _is_path(value.func):
        return source.code(value.func)
    return f"lambda: {source.code(value)}"


def _calls(value: cst.CSTNode) -> Iterator[cst.Call]:
    """Made while the expression is evaluated."""
    if isinstance(value, cst.Lambda):
        return
    if isinstance(value, cst.Call):
        yield value
    for one in value.children:
        yield from _calls(one)


def _makes_anew(call: cst.Call) -> bool:
    name, owner = last_name(call), prefix(call.func).rstrip(".").rpartition(".")[2]
    if owner in ("func", "functions"):
        return False
    if name in _FRESH or (owner == "time" and name == "time"):
        return True
    return name not in _CONSTANT and not name.endswith(("Type", "Enum", "Default"))


def _is_path(node: cst.BaseExpression) -> bool:
    while isinstance(node, cst.Attribute):
        node = node.value
    return isinstance(node, cst.Name)


def _uses_class(source: SourceFile, call: cst.Call, value: cst.BaseExpression) -> bool:
    """Names that the body of the class binds are unknown in a lambda that runs later."""
    around = class_of(source, call)
    scopes = (one for one in source.ancestors(call) if isinstance(one, cst.ClassDef | cst.FunctionDef))
    if around is None or next(scopes) is not around:
        return False
    bound = {one.name.value for one in around.body.body if isinstance(one, cst.FunctionDef)}
    for line in around.body.body:
        for small in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            if isinstance(small, cst.Assign):
                bound.add(last_name(small.targets[0].target))
    return not bound.isdisjoint(_roots(value))


def _roots(node: cst.CSTNode) -> Iterator[str]:
    if isinstance(node, cst.Name):
        yield node.value
    elif isinstance(node, cst.Attribute | cst.Arg):
        yield from _roots(node.value)
    else:
        for one in node.children:
            yield from _roots(one)


def _is_dataclass(source: SourceFile, call: cst.Call) -> bool:
    """Also through the bases in the same file."""
    around, known = class_of(source, call), {one.name.value: one for one in source.all(cst.ClassDef)}
    pending = [around] if around is not None else []
    for one in pending:
        words = [last_name(each.decorator) for each in one.decorators]
        words += [last_name(each.value) for each in one.bases]
        if {"mapped_as_dataclass", "MappedAsDataclass"} & set(words):
            return True
        pending += [known[word] for word in words if word in known and known[word] not in pending]
    return False


_HEAD = """\
import uuid
from datetime import UTC, date, datetime, timedelta

from app import db


class Post(db.Model):
    id = db.Column(db.Integer, primary_key=True)
"""
_SPOT = Spot("m.py", 9, {"model": "Post", "column": "at"})


def _cured(before: str, after: str, head: str = _HEAD, spot: Spot = _SPOT) -> Cured:
    return Cured({"m.py": head + before}, spot, {"m.py": head + after})


_TWO = """\
import datetime as dt

import sqlalchemy as sa
from sqlalchemy import orm


"""
_DATACLASS = """\
from datetime import datetime
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column


class Base(MappedAsDataclass, DeclarativeBase):
    pass


class Log(Base):
    __tablename__ = "log"
    id: Mapped[int] = mapped_column(primary_key=True, init=False)
"""

CURED = (
    _cured(
        "    at = db.Column(db.DateTime, index=True, default=datetime.utcnow())\n",
        "    at = db.Column(db.DateTime, index=True, default=datetime.utcnow)\n",
    ),
    _cured(
        "    at = db.Column(db.DateTime, default=datetime.now(UTC), onupdate=datetime.now(UTC))  # when\n",
        "    at = db.Column(db.DateTime, default=lambda: datetime.now(UTC), "
        "onupdate=lambda: datetime.now(UTC))  # when\n",
    ),
    _cured(
        "    at = db.Column(\n        db.String(36),\n        default=str(uuid.uuid4()),\n    )\n",
        "    at = db.Column(\n        db.String(36),\n        default=lambda: str(uuid.uuid4()),\n    )\n",
    ),
    _cured(
        "    at = db.Column(db.Date, default=date.today() + timedelta(1))\n",
        "    at = db.Column(db.Date, default=lambda: date.today() + timedelta(1))\n",
    ),
    _cured(
        "    at = db.Column(default=(\n        date.today() + timedelta(days=1)\n    ))\n",
        "    at = db.Column(default=lambda: (\n        date.today() + timedelta(days=1)\n    ))\n",
    ),
    _cured(
        "    at = db.Column(db.JSON, default={}, nullable=False)\n",
        "    at = db.Column(db.JSON, default=dict, nullable=False)\n",
    ),
    _cured(
        "    at = db.Column(db.PickleType, default=['new'])\n",
        "    at = db.Column(db.PickleType, default=lambda: ['new'])\n",
    ),
    _cured(
        "    @declared_attr\n    def at(cls):\n        return db.Column(default=datetime.now())\n",
        "    @declared_attr\n    def at(cls):\n        return db.Column(default=datetime.now)\n",
    ),
    _cured(
        "NOW = dt.datetime.now()\n\n\nlog = sa.Table(\n    'log',\n    meta,\n"
        "    sa.Column('at', sa.DateTime, default=NOW),\n)\n",
        "NOW = dt.datetime.now()\n\n\nlog = sa.Table(\n    'log',\n    meta,\n"
        "    sa.Column('at', sa.DateTime, default=dt.datetime.now),\n)\n",
        _TWO,
        Spot("m.py", 13, {"model": "log", "column": "at"}),
    ),
    _cured(
        "class Log(Base):\n    day: orm.Mapped = orm.mapped_column(insert_default=dt.date.today())\n",
        "class Log(Base):\n    day: orm.Mapped = orm.mapped_column(insert_default=dt.date.today)\n",
        _TWO,
        Spot("m.py", 8, {"column": "day"}),
    ),
    _cured(
        "    at: Mapped[datetime] = mapped_column(default=datetime.now())\n",
        "    at: Mapped[datetime] = mapped_column(default_factory=datetime.now)\n",
        _DATACLASS,
        Spot("m.py", 12, {"model": "Log", "column": "at"}),
    ),
    _cured(
        "stamp = Annotated[dt.datetime, orm.mapped_column(default=dt.datetime.now())]\n\n\n"
        "class Log(Base):\n    at: orm.Mapped[stamp]\n",
        "stamp = Annotated[dt.datetime, orm.mapped_column(default=dt.datetime.now)]\n\n\n"
        "class Log(Base):\n    at: orm.Mapped[stamp]\n",
        _TWO,
        Spot("m.py", 11, {"column": "at"}),
    ),
    _cured(
        "    at = db.Column(db.String, default=new_code())\n",
        "    at = db.Column(db.String, default=new_code)\n",
    ),
)
UNTOUCHED = (
    Untouched(
        {"m.py": _HEAD + "    at = db.Column(db.DateTime, default=datetime.utcnow)\n"}, _SPOT, "a callable"
    ),
    Untouched(
        {"m.py": _HEAD + "    at = db.Column(db.DateTime, default=lambda: datetime.now(UTC))\n"},
        _SPOT,
        "called for each row already",
    ),
    Untouched(
        {"m.py": _HEAD + "    at = db.Column(db.DateTime, default=db.func.now())\n"},
        _SPOT,
        "the database makes it",
    ),
    Untouched(
        {"m.py": _HEAD + "    at = db.Column(db.DateTime, default=datetime(2020, 1, 1))\n"},
        _SPOT,
        "a constant that needs a call to be written",
    ),
    Untouched(
        {
            "m.py": _HEAD + "    def _code(n):\n        return uuid.uuid4().hex[:n]\n\n"
            "    at = db.Column(db.String, default=_code(8))\n"
        },
        Spot("m.py", 12, {"column": "at"}),
        "a lambda does not see the names of the class",
    ),
    Untouched(
        {"m.py": "def stamp(at=datetime.now()):\n    return at\n"}, Spot("m.py", 1), "a parameter, no column"
    ),
)
