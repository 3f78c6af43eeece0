"""A relationship between two models that no foreign key joins.

`db.relationship("Post")` needs a foreign key from one table to the other. Without it the mapper
cannot be configured, and then every test that touches any model fails, most of them with an
error that names another class. The finding points at the column that should hold the key, where
one looks like it (`user_id` for `User`, `guest_no` for a table with that key), else at the
relationship. The association table of a `secondary=` needs a key to each side; there the finding
points at its column, else at the table.

Mending it changes the schema: existing rows need a value, and a migration needs a way back.

Known limits: silent where the source does not tell all (a base class from a library, a target
that is computed, a reflected table, a table name that is computed), and where the relationship
names its own join.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from triage.model.finding import Finding
from triage.rules.example import Invalid, Valid
from triage.rules.model_index import model_index
from triage.rules.models import Column, Model, ModelIndex, Relationship, Table, snake_case
from triage.rules.source import SourceTree

ID = "missing-foreign-key"


def find(tree: SourceTree) -> Iterable[Finding]:
    index = model_index(tree)
    for model in index.models:
        for relationship in model.relationships:
            target = target_of(relationship, model, index, tree)
            if target is None:
                continue
            if not relationship.joins and _is_unjoined(model, target, index):
                yield _finding(model, relationship, target)
            elif relationship.secondary:
                yield from _through_table(model, relationship, target, index)


def _through_table(
    model: Model, relationship: Relationship, target: Model, index: ModelIndex
) -> Iterator[Finding]:
    """An association table needs a key to each side; a table that joins a model with itself needs more."""
    named = [each for each in index.tables if relationship.secondary in (each.name, each.variable)]
    if len(named) != 1 or not named[0].complete or model.name == target.name:
        return
    for side in (model, target):
        if side.complete and side.table and _keys_among(named[0].columns, side, index) == ():
            yield _table_finding(model, relationship, named[0], side)


def _table_finding(model: Model, relationship: Relationship, table: Table, side: Model) -> Finding:
    name = f"{model.name}.{relationship.attribute}"
    key = f"{side.table}.{side.primary_key[0].name}" if side.primary_key else side.table
    held = next((each for each in table.columns if _may_lead_to(each, side)), None)
    subject = {"model": table.variable, "table": table.name, "target": key, "relationship": name}
    what = f"{table.variable}.{held.name}" if held else table.variable
    return Finding(
        ID,
        table.file,
        held.line if held else table.line,
        f"{what}: no ForeignKey('{key}'), which {name} needs",
        symbol=table.variable,
        subject={**subject, "column": held.name} if held else subject,
        related=(("relationship", relationship.file, relationship.line),),
    )


def _may_lead_to(column: Column, side: Model) -> bool:
    stem = re.sub(r"_?(id|uuid)$", "", column.name)
    is_free = column.foreign_key is None and stem != column.name
    return is_free and stem in {snake_case(side.name), side.table, _singular(side.table)}


def target_of(relationship: Relationship, model: Model, index: ModelIndex, tree: SourceTree) -> Model | None:
    module = tree.module(model.file)
    if not relationship.target or module is None:
        return None
    return index.find(relationship.target, module)


def keys_to(model: Model, target: Model, index: ModelIndex) -> tuple[Column, ...] | None:
    """The columns of `model` that are foreign keys to `target`; None where the source does not tell."""
    return _keys_among(model.columns, target, index)


def _keys_among(columns: Iterable[Column], target: Model, index: ModelIndex) -> tuple[Column, ...] | None:
    names = {target.name, *target.bases}
    tables = {each.table for each in index.models if each.name in names} | {target.table}
    found = []
    for column in columns:
        if column.foreign_key is None:
            continue
        parts = column.foreign_key.split(".")
        if len(parts) < 2:  # noqa: PLR2004 -- "table.column" at least; less is computed
            return None
        if parts[-2] in tables | names:
            found.append(column)
    return tuple(found)


def _is_unjoined(model: Model, target: Model, index: ModelIndex) -> bool:
    """Neither side, nor a subclass of either that could bring the key, points at the other."""
    if not (model.complete and target.complete and model.table and target.table):
        return False
    return keys_to(model, target, index) == () and keys_to(target, model, index) == ()


def _finding(model: Model, relationship: Relationship, target: Model) -> Finding:
    name = f"{model.name}.{relationship.attribute}"
    place = ("relationship", relationship.file, relationship.line)
    held = next(_candidates(model, relationship, target), None)
    if held is None:
        return Finding(
            ID,
            relationship.file,
            relationship.line,
            f"{name}: no foreign key joins {model.name} and {target.name}",
            symbol=model.name,
            subject={"model": model.name, "relationship": name, "target": target.name},
        )
    holder, column, other = held
    key = f"{other.table}.{other.primary_key[0].name}"
    return Finding(
        ID,
        column.file,
        column.line,
        f"{holder.name}.{column.attribute}: no ForeignKey('{key}'), which {name} needs",
        symbol=holder.name,
        subject={
            "model": holder.name,
            "table": holder.table,
            "column": column.name,
            "target": key,
            "relationship": name,
        },
        related=(place,),
    )


def _candidates(
    model: Model, relationship: Relationship, target: Model
) -> Iterator[tuple[Model, Column, Model]]:
    """(holder, column, other) whose names fit; the side that the relationship makes likely comes first."""
    there = _fitting(target, model, {relationship.back_populates, relationship.backref})
    here = _fitting(model, target, {relationship.attribute})
    is_many = relationship.many if relationship.many is not None else relationship.attribute.endswith("s")
    yield from chain(there, here) if is_many else chain(here, there)


def _fitting(holder: Model, other: Model, attributes: set[str]) -> Iterator[tuple[Model, Column, Model]]:
    stems = {snake_case(other.name), other.table, _singular(other.table)} | (attributes - {"", "?"})
    if len(other.primary_key) != 1:
        return
    key = other.primary_key[0]
    own = {f"{stem}_{key.name}" for stem in stems}
    own |= {key.name} if "_" in key.name else set()  # a name of one word may mean anything
    for column in holder.columns:
        stem = re.sub(r"_?(id|uuid)$", "", column.name)
        is_named = column.name in own or (stem != column.name and stem in stems)
        is_free = column.foreign_key is None and not column.primary_key
        if is_free and is_named and _kind(column.type) in (_kind(key.type), ""):
            yield holder, column, other


def _singular(table: str) -> str:
    if table.endswith("ies"):
        return table[:-3] + "y"
    return re.sub(r"(?<=s|x|h)es$|s$", "", table)


def _kind(type_text: str) -> str:
    """`db.Integer()` and `sa.Integer` are the same; so are `int` and `Integer`."""
    name = re.sub(r"\(.*", "", type_text).rpartition(".")[2].lower()
    return {"int": "integer", "biginteger": "integer", "str": "string"}.get(name, name)


_USER = "from app import db\nclass User(db.Model):\n    id = db.Column(db.Integer, primary_key=True)\n"
_POST = "class Post(db.Model):\n    id = db.Column(db.Integer, primary_key=True)\n"
_BASE = "from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship\n"

_TAGS = _USER + "    posts = db.relationship('Post', secondary=links)\n" + _POST
_LINKS = (
    "from app import db\nlinks = db.Table(\n    'links',\n    db.metadata,\n"
    "    db.Column('user_id', db.ForeignKey('user.id')),\n"
    "    db.Column('post_id', db.ForeignKey('post.id')),\n)\n"
)

VALID: tuple[Valid, ...] = (
    Valid({"m.py": _LINKS + _TAGS}),
    Valid({"m.py": _LINKS.replace("'post.id'", "'blog.' + POST") + _TAGS}, "a computed key"),
    Valid(
        {
            "m.py": _LINKS.replace(
                "db.ForeignKey('post.id')),",
                "db.Integer), db.ForeignKeyConstraint(['post_id'], ['post.id']),",
            )
            + _TAGS
        }
    ),
    Valid({"m.py": _LINKS.replace("'post.id'", "'?'") + _TAGS.replace("=links", "=links, primaryjoin=x")}),
    Valid(
        {
            "m.py": _USER
            + "    posts = db.relationship('Post')\n"
            + _POST
            + "    user_id = db.Column(db.Integer, db.ForeignKey('user.id'))\n"
        }
    ),
    Valid(
        {"m.py": _USER + "    posts = db.relationship('Post', secondary='user_posts')\n" + _POST}, "own join"
    ),
    Valid(
        {
            "m.py": _USER
            + "    posts = db.relationship('Post')\n"
            + _POST.replace("(db.Model)", "(db.Model, fsqla.Mixin)")
            + "    user_id = db.Column(db.Integer)\n"
        },
        "the mixin of the library may hold the key",
    ),
    Valid(
        {
            "m.py": _USER
            + "    posts = db.relationship('Post')\n"
            + _POST
            + "    __table_args__ = (db.ForeignKeyConstraint(['who'], ['user.id']),)\n"
            + "    who = db.Column(db.Integer)\n"
        }
    ),
    Valid(
        {
            "a.py": _USER + "class Owned:\n    owner_id = db.Column(db.ForeignKey(User.id))\n",
            "b.py": "from a import Owned, db, User\n"
            + _POST.replace("(db.Model)", "(Owned, db.Model)")
            + "    owner = db.relationship(User)\n",
        },
        "the key comes with a mixin of another file",
    ),
)
INVALID: tuple[Invalid, ...] = (
    Invalid(
        {"m.py": _LINKS.replace("db.ForeignKey('post.id')", "db.Integer") + _TAGS},
        (("m.py", 6),),
        {
            "model": "links",
            "table": "links",
            "column": "post_id",
            "target": "post.id",
            "relationship": "User.posts",
        },
    ),
    Invalid(
        {
            "m.py": _LINKS.replace("'user_id', db.ForeignKey('user.id')", "'who', db.Integer")
            + _TAGS.replace("=links", "='links'")
        },
        (("m.py", 2),),
        {"model": "links", "table": "links", "target": "user.id", "relationship": "User.posts"},
    ),
    Invalid(
        {
            "m.py": _USER
            + "    posts = db.relationship('Post')\n"
            + _POST
            + "    user_id = db.Column(db.Integer)\n"
        },
        (("m.py", 7),),
        {
            "model": "Post",
            "table": "post",
            "column": "user_id",
            "target": "user.id",
            "relationship": "User.posts",
        },
    ),
    Invalid(
        {"m.py": _USER + "    posts = db.relationship('Post')\n" + _POST},
        (("m.py", 4),),
        {"model": "User", "relationship": "User.posts", "target": "Post"},
    ),
    Invalid(
        {
            "m.py": _USER.replace("id =", "user_no =")
            + "    posts = db.relationship('Post')\n"
            + _POST
            + "    user_no = db.Column(db.Integer)\n"
        },
        (("m.py", 7),),
        {
            "model": "Post",
            "table": "post",
            "column": "user_no",
            "target": "user.user_no",
            "relationship": "User.posts",
        },
    ),
    Invalid(
        {
            "m.py": _USER.replace("id =", "number =")
            + "    posts = db.relationship('Post')\n"
            + _POST
            + "    user_number = db.Column(db.Integer)\n"
        },
        (("m.py", 7),),
        {
            "model": "Post",
            "table": "post",
            "column": "user_number",
            "target": "user.number",
            "relationship": "User.posts",
        },
    ),
    Invalid(
        {
            "m.py": _BASE
            + "class Base(DeclarativeBase): ...\n"
            + "class Team(Base):\n    __tablename__ = 'teams'\n"
            + "    id: Mapped[int] = mapped_column(primary_key=True)\n"
            + "    players: Mapped[list['Player']] = relationship(back_populates='team')\n"
            + "class Player(Base):\n    __tablename__ = 'players'\n"
            + "    id: Mapped[int] = mapped_column(primary_key=True)\n"
            + "    team_id: Mapped[int | None]\n"
            + "    team: Mapped['Team'] = relationship(back_populates='players')\n"
        },
        (("m.py", 10), ("m.py", 10)),
    ),
)
