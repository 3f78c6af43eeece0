"""What the model index reads of declarative classes in every common style."""

from pathlib import Path

from tests.rules.trees import tree_of
from triage.rules.model_index import model_index
from triage.rules.models import Model, ModelIndex

FLASK = """\
from flask_sqlalchemy import SQLAlchemy
db = SQLAlchemy()
class TimestampMixin:
    created_at = db.Column(db.DateTime, nullable=False, default=now)
class BaseModel(db.Model):
    __abstract__ = True
    id = db.Column(db.Integer, primary_key=True)
class BlogPost(TimestampMixin, BaseModel):
    title = db.Column("headline", db.String(80), nullable=False, unique=True)
    author_id = db.Column(db.Integer, db.ForeignKey("people.id", ondelete="CASCADE"), nullable=False)
    body = db.deferred(db.Column(db.Text))
    tags = db.relationship("Tag", secondary="post_tags", backref=db.backref("posts", lazy="dynamic"))
    @property
    def slug(self):
        return self.title
    @slug.setter
    def slug(self, value):
        self.title = value
"""
TYPED = """\
import uuid
from typing import Annotated, Optional
from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, event
from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship
key = Annotated[int, mapped_column(primary_key=True)]
class Base(DeclarativeBase):
    pass
class Owned:
    @declared_attr
    def owner_id(cls) -> Mapped[int]:
        return mapped_column(ForeignKey("people.id"))
class Person(Base):
    __tablename__ = "people"
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "person"}
    id: Mapped[key]
    kind: Mapped[str]
    name: Mapped[str]
    nick: Mapped[Optional[str]]
    age: "Mapped[int | None]"
    token: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4)
    checked: Mapped[str]
    things: Mapped[list["Thing"]] = relationship(back_populates="owner")
class Admin(Person):
    __tablename__ = "admins"
    id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
class Guest(Person):
    pass
class Thing(Owned, Base):
    __tablename__ = "things"
    __table_args__ = (
        UniqueConstraint("name", name="one_name"),
        CheckConstraint("size > 0", name="has_size"),
        Index("one_size", "size", unique=True),
        Index("plain", "size"),
        ForeignKeyConstraint(["a"], ["pairs.a"], name="to_pair"),
    )
    code: Mapped[str] = mapped_column(primary_key=True)
    a: Mapped[int]
    size: Mapped[int] = mapped_column(server_default="1")
    owner: Mapped["Person"] = relationship(back_populates="things", foreign_keys="Thing.owner_id")
class Point(MappedAsDataclass, Base):
    __tablename__ = "points"
    id: Mapped[int] = mapped_column(init=False, primary_key=True)
@event.listens_for(Person, "before_insert")
def fill(mapper, connection, target):
    target.checked = "yes"
"""
PLAIN = """\
import sqlalchemy as sa
from sqlalchemy.ext.declarative import declarative_base
Model = declarative_base(metadata=meta)
links = sa.Table("links", Model.metadata, sa.Column("left_id", sa.ForeignKey("lefts.id")))
class Left(Model):
    __tablename__ = "lefts"
    id = sa.Column(sa.String(36), primary_key=True)
class Reflected(Model):
    __table__ = sa.Table("old", Model.metadata, sa.Column("id", sa.Integer), autoload_with=engine)
class Foreign(Model, vendor.Mixin):
    __tablename__ = "foreign"
    id = sa.Column(sa.Integer, primary_key=True)
"""


def model(index: ModelIndex, name: str) -> Model:
    found = index.named(name)
    assert found is not None
    return found


def required(found: Model) -> list[str]:
    return [each.attribute for each in found.columns if not (each.nullable or each.filled)]


def test_flask_sqlalchemy_with_mixins_and_abstract_bases(tmp_path: Path) -> None:
    index = model_index(tree_of(tmp_path, {"app/models.py": FLASK}))
    assert [each.name for each in index.models] == ["BlogPost"]
    post = model(index, "BlogPost")
    assert post.table == "blog_post"
    assert post.complete
    assert {each.attribute for each in post.columns} == {"id", "created_at", "title", "author_id", "body"}
    assert required(post) == ["title", "author_id"]
    title = post.column("headline")
    assert title is not None
    assert (title.attribute, title.line, title.type, title.unique) == ("title", 9, "db.String(80)", True)
    assert [each.foreign_key for each in post.columns if each.foreign_key] == ["people.id"]
    (tags,) = post.relationships
    assert (tags.target, tags.backref, tags.joins, tags.line) == ("Tag", "posts", True, 12)
    assert post.sets["slug"] == {"title"}


def test_typed_columns_and_inheritance(tmp_path: Path) -> None:
    index = model_index(tree_of(tmp_path, {"models.py": TYPED}))
    person = model(index, "Person")
    assert required(person) == ["name"]
    assert [each.attribute for each in person.columns if each.nullable] == ["nick", "age"]
    assert [each.attribute for each in person.primary_key] == ["id"]
    assert person.relationships[0].many is True
    assert model(index, "Guest").table == "people"
    assert model(index, "Admin").table == "admins"
    assert model(index, "Admin").bases == ("Person", "Base")
    assert model(index, "Point").is_dataclass


def test_constraints_declared_attributes_and_composite_keys(tmp_path: Path) -> None:
    index = model_index(tree_of(tmp_path, {"models.py": TYPED}))
    thing = model(index, "Thing")
    assert thing.constraints == ("one_name", "has_size", "one_size", "to_pair")
    keys = {each.attribute: each.foreign_key for each in thing.columns if each.foreign_key}
    assert keys == {"owner_id": "people.id", "a": "pairs.a"}
    assert sorted(required(thing)) == ["a", "code", "owner_id"]
    (owner,) = thing.relationships
    assert (owner.target, owner.back_populates, owner.joins, owner.many) == ("Person", "things", True, False)


def test_plain_bases_tables_and_what_is_not_known(tmp_path: Path) -> None:
    index = model_index(tree_of(tmp_path, {"models.py": PLAIN}))
    assert [(each.name, each.variable) for each in index.tables] == [("links", "links")]
    assert model(index, "Left").complete
    assert required(model(index, "Left")) == ["id"]
    assert not model(index, "Reflected").complete
    assert not model(index, "Foreign").complete


def test_lookups_by_table_and_column(tmp_path: Path) -> None:
    index = model_index(tree_of(tmp_path, {"models.py": TYPED}))
    assert {each.name for each in index.by_table("people")} == {"Person", "Guest"}
    found = index.by_column("things", "size")
    assert [(owner.name, column.line) for owner, column in found] == [("Thing", 40)]
    assert index.by_column("things", "absent") == ()
    assert index.by_table("") == ()


def test_a_name_is_resolved_by_imports_and_doubt_gives_none(tmp_path: Path) -> None:
    one = FLASK.replace("BlogPost", "Note")
    tree = tree_of(
        tmp_path,
        {
            "shop/models.py": one,
            "blog/models/__init__.py": "from .note import Note\n",
            "blog/models/note.py": one,
            "a.py": "from shop.models import Note as N\n",
            "b.py": "from blog.models import Note\n",
            "c.py": "from vendor import Note\n",
            "d.py": "",
        },
    )
    index = model_index(tree)
    found = {}
    for path, name in (
        ("a.py", "N"),
        ("b.py", "Note"),
        ("c.py", "Note"),
        ("d.py", "Note"),
        ("shop/models.py", "Note"),
    ):
        module = tree.module(path)
        assert module is not None
        resolved = index.find(name, module)
        found[path] = resolved.file if resolved else None
    assert found == {
        "a.py": "shop/models.py",
        "b.py": "blog/models/note.py",
        "c.py": None,
        "d.py": None,
        "shop/models.py": "shop/models.py",
    }
