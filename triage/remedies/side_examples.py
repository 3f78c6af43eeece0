"""What `add-back-reference` makes of source, and what it leaves alone."""

from triage.remedies.example import Cured, Spot, Untouched

_USER = """\
from app import db


class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    posts = db.relationship('Post')


class Post(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    user_id = db.Column(db.Integer, db.ForeignKey('user.id'))
"""
_TEAM = """\
from sqlalchemy import ForeignKey
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
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
"""
_NODE = """\
from sqlalchemy import Column, ForeignKey, Integer
from sqlalchemy.orm import declarative_base, relationship

Base = declarative_base()


class Node(Base):
    __tablename__ = "nodes"
    id = Column(Integer, primary_key=True)
    parent_id = Column(Integer, ForeignKey("nodes.id"))
    children = relationship("Node")
"""
_PROFILE = """\
import sqlalchemy as sa
from sqlalchemy.orm import relationship
from base import Base


class User(Base):
    __tablename__ = "users"
    id = sa.Column(sa.Integer, primary_key=True)


class Profile(Base):
    __tablename__ = "profiles"
    id = sa.Column(sa.Integer, primary_key=True)
    user_id = sa.Column(sa.ForeignKey("users.id"))
    user = relationship("User")
"""
_ROLES = """\
class RoleMixin:
    @declared_attr
    def users(cls):
        return relationship("User", secondary="roles_users", back_populates="roles")


class UserMixin:
    @declared_attr
    def roles(cls):
        return relationship(
            "Role",
            secondary="roles_users",
            back_populates="people",
        )
"""

_OWERS = """\
from app import db

owers = db.Table("bill_owers", db.Column("bill_id", db.ForeignKey("bill.id")))


class Person(db.Model):
    id = db.Column(db.Integer, primary_key=True)


class Bill(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    payer_id = db.Column(db.ForeignKey("person.id"))
    owers = db.relationship(Person, secondary=owers)
"""
_OWED = '    owed = db.relationship("Bill", back_populates="owers", secondary="bill_owers")'


def _cured(before: str, spot: Spot, *changes: tuple[str, str], more: dict[str, str] | None = None) -> Cured:
    after = before
    for old, new in changes:
        after = after.replace(old, new, 1)
    return Cured({"models.py": before, **(more or {})}, spot, {"models.py": after})


_AUTHOR = {"model": "Post", "attribute": "author", "relationship": "User.posts"}
_POSTS = Spot("models.py", 6, _AUTHOR)
_QUERIED = {"tests/test_posts.py": "def test_posts(ada):\n    assert ada.posts.filter_by(title='x').one()\n"}
CURED: tuple[Cured, ...] = (
    _cured(_USER, _POSTS, ("'Post')", "'Post', backref='author')")),
    _cured(_USER, _POSTS, ("'Post')", "'Post', backref='author', lazy='dynamic')"), more=_QUERIED),
    _cured(
        _USER.replace("'Post')", "'Post', lazy=True)"),
        Spot("models.py", 6, {**_AUTHOR, "lazy": "dynamic"}),
        ("lazy=True)", "lazy='dynamic', backref='author')"),
    ),
    _cured(
        _USER.replace("'Post')", "'Post', backref='author')"),
        Spot("models.py", 6, {"relationship": "User.posts", "lazy": "dynamic"}),
        ("backref='author')", "backref='author', lazy='dynamic')"),
    ),
    _cured(
        _USER,
        Spot("models.py", 6, {}, message="'author' is an invalid keyword argument for Post"),
        ("'Post')", "'Post', backref='author')"),
    ),
    _cured(
        _TEAM,
        Spot("models.py", 12, {"model": "Player", "attribute": "team", "relationship": "Team.players"}),
        ("= relationship()", '= relationship(back_populates="team")'),
        (
            'ForeignKey("teams.id"))\n',
            'ForeignKey("teams.id"))\n    team: Mapped["Team"] = relationship(back_populates="players")\n',
        ),
    ),
    _cured(
        _TEAM.replace("relationship()", 'relationship(back_populates="club")')
        + '    team: Mapped["Team"] = relationship(back_populates="players")\n',
        Spot("models.py", 12, {"model": "Player", "attribute": "club", "relationship": "Team.players"}),
        ('"club"', '"team"'),
    ),
    _cured(
        _TEAM.replace("relationship()", 'relationship(back_populates="club")'),
        Spot("models.py", 12, {"model": "Player", "attribute": "club", "relationship": "Team.players"}),
        (
            'ForeignKey("teams.id"))\n',
            'ForeignKey("teams.id"))\n    club: Mapped["Team"] = relationship(back_populates="players")\n',
        ),
    ),
    _cured(
        _NODE,
        Spot("models.py", 11, {"model": "Node", "attribute": "parent", "relationship": "Node.children"}),
        ("import declarative_base, relationship", "import declarative_base, relationship, backref"),
        ('"Node")', '"Node", backref=backref("parent", remote_side="Node.id"))'),
    ),
    _cured(
        _PROFILE,
        Spot("models.py", 15, {"model": "User", "attribute": "profile", "relationship": "Profile.user"}),
        ("import relationship", "import relationship, backref"),
        ('"User")', '"User", backref=backref("profile", uselist=False))'),
    ),
    _cured(
        _PROFILE,
        Spot("models.py", 15, {"model": "User", "attribute": "profiles", "relationship": "Profile.user"}),
        ('"User")', '"User", backref="profiles")'),
    ),
    _cured(  # many on both sides, whatever the name, and whatever key there is besides
        _OWERS,
        Spot("models.py", 13, {"model": "Person", "attribute": "owed", "relationship": "Bill.owers"}),
        ("secondary=owers)", 'secondary=owers, backref="owed")'),
    ),
    _cured(
        _OWERS.replace("=owers)", '=owers, back_populates="owed")'),
        Spot("models.py", 13, {"model": "Person", "attribute": "owed", "relationship": "Bill.owers"}),
        (
            "\n\n\nclass Bill",
            f"\n{_OWED}\n\n\nclass Bill",
        ),
    ),
    _cured(
        _ROLES,
        Spot("models.py", 8, {"model": "Role", "attribute": "people"}),
        ('"people"', '"users"'),
    ),
    _cured(
        _USER.replace("'Post')", "'Post', backref=db.backref('autor', lazy='joined'))"),
        _POSTS,
        ("'autor'", "'author'"),
    ),
)
_ROOM = (
    "import sqlalchemy as sa\nfrom sqlalchemy import orm\nfrom db import Base\n\n\nclass Room(Base):\n"
    "    __tablename__ = 'rooms'\n    id = sa.Column(sa.Integer, primary_key=True)\n"
)
_STAY = (
    "import sqlalchemy as sa\nfrom sqlalchemy import orm\nfrom db import Base\n\n\nclass Stay(Base):\n"
    "    __tablename__ = 'stays'\n    id = sa.Column(sa.Integer, primary_key=True)\n"
    "    room_id = sa.Column(sa.ForeignKey('rooms.id'))\n    room = orm.relationship('Room'%s)\n"
    "    guest = orm.relationship('Guest', back_populates='stays')\n"
)
CURED = (
    *CURED,
    Cured(
        {"room.py": _ROOM, "stay.py": _STAY % ""},
        Spot("stay.py", 10, {"model": "Room", "attribute": "stays", "relationship": "Stay.room"}),
        {
            "room.py": _ROOM + "    stays = orm.relationship('Stay', back_populates='room')\n",
            "stay.py": _STAY % ", back_populates='stays'",
        },
    ),
)
UNTOUCHED: tuple[Untouched, ...] = (
    Untouched({"models.py": _USER.replace("'Post')", "'Post', backref='author')")}, _POSTS, "it is there"),
    Untouched(
        {"models.py": _USER + "    author = db.relationship('User')\n"}, _POSTS, "the other class has it"
    ),
    Untouched(
        {
            "models.py": _USER.replace("'Post')", "'Post', backref='writer')"),
            "views.py": "def show(post):\n    return post.writer.name\n",
        },
        _POSTS,
        "the other side has another name, which is in use",
    ),
    Untouched(
        {"models.py": _USER + "    authors = db.Column(db.String)\n"}, _POSTS, "the code may be misspelt"
    ),
    Untouched({"models.py": _USER}, Spot("models.py", 5, {"attribute": "author"}), "no relationship here"),
)
