"""Examples of defaults that are called for each row, and of those that stay."""

from triage.remedies.example import Cured, Spot, Untouched

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

CURED: tuple[Cured, ...] = (
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
CURED = (
    *CURED,
    Cured(
        {
            "m.py": _HEAD + "    code = db.Column(db.String, unique=True, default=str(uuid.uuid4()))\n",
            "test_m.py": "from m import Post\n\n\ndef test_it(db):\n    db.add_all([Post(), Post()])\n",
        },
        Spot("test_m.py", 5, {"table": "post", "column": "code"}, playbook="unique-violation"),
        {"m.py": _HEAD + "    code = db.Column(db.String, unique=True, default=lambda: str(uuid.uuid4()))\n"},
    ),
)
UNTOUCHED: tuple[Untouched, ...] = (
    Untouched(
        {
            "m.py": _HEAD + "    code = db.Column(db.String, unique=True, default='x')\n",
            "test_m.py": "from m import Post\n\n\ndef test_it(db):\n    db.add_all([Post(), Post()])\n",
        },
        Spot("test_m.py", 5, {"table": "post", "column": "code"}, playbook="unique-violation"),
        "a constant",
    ),
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
