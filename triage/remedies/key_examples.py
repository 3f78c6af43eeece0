# ruff: noqa: E501 -- source text of examples stands as it is
"""What `add-foreign-key` makes of source, and what it leaves alone."""

from triage.remedies.example import Cured, Spot, Untouched

_USER = """\
from app import db


class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    posts = db.relationship('Post')


class Post(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    title = db.Column(db.String(80), nullable=False)
"""
_NAMES = {
    "model": "Post",
    "table": "post",
    "column": "user_id",
    "target": "user.id",
    "relationship": "User.posts",
}
_MAPPED = """\
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Team(Base):
    __tablename__ = "teams"
    id: Mapped[int] = mapped_column(primary_key=True)
    players: Mapped[list["Player"]] = relationship()


class Player(Base):
    __tablename__ = "players"
    id: Mapped[int] = mapped_column(primary_key=True)
"""
_TEAM = {"model": "Player", "table": "players", "column": "team_id", "target": "teams.id"}
_TABLE = """\
import sqlalchemy as sa

tags = sa.Table(
    "post_tags",
    metadata,
    sa.Column("post_id", sa.Integer, sa.ForeignKey("posts.id"), primary_key=True),
"""
_EXPECTED = """\
import pytest
from sqlalchemy.exc import IntegrityError
from models import Post


def test_needs_user(session):
    session.add(Post(title='x'))
    with pytest.raises(IntegrityError):
        session.commit()
"""


def _cured(
    head: str, before: str, after: str, line: int, names: dict[str, str], more: dict[str, str] | None = None
) -> Cured:
    files = {"models.py": head + before, **(more or {})}
    return Cured(files, Spot("models.py", line, names), {"models.py": head + after})


_PLAIN: tuple[Cured, ...] = (
    _cured(
        _USER,
        "    user_id = db.Column(db.Integer)\n",
        "    user_id = db.Column(db.Integer, db.ForeignKey('user.id'))\n",
        12,
        _NAMES,
    ),
    _cured(
        _USER,
        "    user_id = db.Column(db.Integer)\n",
        "    user_id = db.Column(db.Integer, db.ForeignKey('user.id'), nullable=False)\n",
        12,
        _NAMES,
        {"tests/test_models.py": _EXPECTED},
    ),
    _cured(
        _USER,
        "    user_id = db.Column(\n        'uid',\n        db.Integer,  # who\n        index=True,\n    )\n",
        "    user_id = db.Column(\n        'uid',\n        db.Integer,  # who\n"
        "        db.ForeignKey('user.id'),\n        index=True,\n    )\n",
        12,
        {**_NAMES, "column": "uid", "attribute": "user_id"},
    ),
    _cured(
        _USER,
        "    user_id = db.Column(db.Integer, db.ForeignKey('user.id'))\n",
        "    user_id = db.Column(db.Integer, db.ForeignKey('user.id'), nullable=False)\n",
        12,
        {**_NAMES, "nullable": "false"},
    ),
    _cured(
        _USER,
        "    user_id = db.Column(db.Integer)\n",
        "    user_id = db.Column(db.Integer, db.ForeignKey('user.id'))\n",
        12,
        {},
    ),
    _cured(
        _MAPPED.replace("orm import", "orm import"),
        "    team_id: Mapped[int] = mapped_column()\n",
        '    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))\n',
        17,
        _TEAM,
    ),
    _cured(
        _MAPPED,
        "    team_id: Mapped[int | None]\n",
        '    team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id"))\n',
        17,
        _TEAM,
    ),
    _cured(
        _TABLE,
        '    sa.Column("tag_id", sa.Integer, primary_key=True),\n)\n',
        '    sa.Column("tag_id", sa.Integer, sa.ForeignKey("tags.id"), primary_key=True),\n)\n',
        7,
        {"model": "tags", "table": "post_tags", "column": "tag_id", "target": "tags.id"},
    ),
    _cured(
        "from sqlalchemy import Column, Integer\n\n\nclass Mixin:\n",
        "    @declared_attr\n    def owner_id(cls):\n        return Column(Integer, nullable=False)\n",
        "    @declared_attr\n    def owner_id(cls):\n"
        '        return Column(Integer, ForeignKey("auth.users.id"), nullable=False)\n',
        6,
        {"model": "Note", "table": "notes", "column": "owner_id", "target": "auth.users.id"},
    ),
    _cured(
        "from sqlalchemy import Column, ForeignKey\n\n\nclass Mixin:\n    @declared_attr\n"
        '    def role_id(cls):\n        return Column(ForeignKey(f"{Names.user_table}.id"))\n\n',
        "    @declared_attr\n    def user_id(cls):\n        return Column(\n            nullable=False,\n        )\n",
        "    @declared_attr\n    def user_id(cls):\n        return Column(\n"
        '            ForeignKey(f"{Names.user_table}.id"),\n            nullable=False,\n        )\n',
        10,
        {"model": "Key", "table": "key", "column": "user_id", "target": "user.id"},
    ),
)
_OTHER = (
    "from .names import Names\nfrom sqlalchemy import Column, ForeignKey\n\n\nclass Old:\n    @declared_attr\n"
    '    def owner_id(cls):\n        return Column(ForeignKey(f"{Names.user_table}.id"))\n'
)
_NEW = "from sqlalchemy import Column, ForeignKey\nfrom .names import Names\n\n\nclass New:\n    @declared_attr\n"
_KEY = {"model": "Key", "table": "key", "column": "user_id", "target": "user.id"}


def _beside(head: str, after: str) -> Cured:
    """The text of a key in the file beside it is taken where its names mean the same."""
    before = {"shop/old.py": _OTHER, "shop/new.py": head + "    def user_id(cls):\n        return Column()\n"}
    made = head + f"    def user_id(cls):\n        return Column({after})\n"
    return Cured(before, Spot("shop/new.py", 8, _KEY), {"shop/new.py": made})


_LINKS = """\
from sqlalchemy import Column, ForeignKey, Table


class Names:
    @classmethod
    def use(cls, user_table, role_table):
        cls.user_table = user_table
        cls.role_table = role_table
        cls.links = Table(
            "links",
"""
_LINK = """\
            Column("user_id"{}),
            Column("role_id", ForeignKey(f"{{cls.role_table}}.id")),
        )
"""


# an import must be added, too
_IMPORTED = {
    5: ("mapped_column, relationship\n", "mapped_column, relationship\nfrom sqlalchemy import ForeignKey\n"),
    6: ("mapped_column, relationship\n", "mapped_column, relationship\nfrom sqlalchemy import ForeignKey\n"),
    8: ("import Column, Integer\n", "import Column, Integer, ForeignKey\n"),
}
_FIRST = tuple(
    Cured(one.before, one.spot, {"models.py": one.after["models.py"].replace(*_IMPORTED[number])})
    if number in _IMPORTED
    else one
    for number, one in enumerate(_PLAIN)
)
CURED = (
    *_FIRST,
    _beside(_NEW, 'ForeignKey(f"{Names.user_table}.id")'),
    _beside(_NEW.replace(".names", ".others"), 'ForeignKey("user.id")'),
    *(
        Cured(
            {"models.py": _LINKS + _LINK.format("")},
            Spot("models.py", line, {**_KEY, "table": "links"}),
            {"models.py": _LINKS + _LINK.format(', ForeignKey(f"{cls.user_table}.id")')},
        )
        for line in (11, 6)
    ),
)
UNTOUCHED = (
    Untouched(
        {"models.py": _USER + "    user_id = db.Column(db.Integer, db.ForeignKey('user.id'))\n"},
        Spot("models.py", 12, _NAMES),
        "the key exists",
    ),
    Untouched(
        {"models.py": _USER + "    name = db.Column(db.Integer)\n"},
        Spot("models.py", 6, {"model": "User", "relationship": "User.posts", "target": "Post"}),
        "no column fits",
    ),
    Untouched(
        {
            "models.py": _USER
            + "    user_id = db.Column(db.Integer, db.ForeignKey('user.id'), nullable=True)\n"
        },
        Spot("models.py", 12, {**_NAMES, "nullable": "false"}),
        "somebody wrote that it may be empty",
    ),
    Untouched(
        {
            "models.py": _USER + "    user_id = db.Column(db.Integer)\n"
            "    __table_args__ = (db.ForeignKeyConstraint(['user_id'], ['user.id']),)\n"
        },
        Spot("models.py", 12, _NAMES),
        "the constraint stands below",
    ),
)
