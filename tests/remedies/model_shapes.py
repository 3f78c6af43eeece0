# ruff: noqa: E501 -- source text of examples stands as it is
"""Defects of models and of what tests share, in unlike styles: tests fail before the remedy, and pass after."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from triage.remedies.example import Spot


@dataclass(frozen=True, slots=True)
class Shape:
    """`marked` is the text of the target's line in `file`; the tests are those of `test_NAME.py`."""

    name: str
    remedy: str
    files: Mapping[str, str]
    file: str
    marked: str
    names: Mapping[str, str] = field(default_factory=dict)
    message: str = ""

    @property
    def spot(self) -> Spot:
        lines = self.files[self.file].splitlines()
        (line,) = [number for number, one in enumerate(lines, 1) if self.marked in one]
        return Spot(self.file, line, self.names, message=self.message)


_CLASSIC = """\
import datetime as dt
from datetime import datetime

import pytest
from sqlalchemy import Column, DateTime, Integer, String, create_engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, declarative_base, relationship

Base = declarative_base()


@pytest.fixture
def session():
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


"""
_MAPPED = """\
from datetime import datetime
from typing import List, Optional

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


@pytest.fixture
def session():
    engine = sa.create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with orm.Session(engine) as session:
        yield session
    engine.dispose()


"""
_TWICE = """\


def test_rows_differ(session):
    session.add(Row(id=1))
    session.commit()
    session.add(Row(id=2))
    session.commit()
    assert session.get(Row, 1).at != session.get(Row, 2).at
"""
_JOINED = """\


def test_children(session):
    session.add(Parent(id=1, children=[Child(id=1), Child(id=2)]))
    session.commit()
    assert [one.parent_id for one in session.get(Parent, 1).children] == [1, 1]
"""
_WAY_BACK = """\


def test_way_back(session):
    session.add(Parent(id=1))
    session.add(Child(id=1, parent_id=1))
    session.commit()
    assert session.get(Child, 1).parent.id == 1
"""
_ROW = 'class Row(Base):\n    __tablename__ = "row"\n    id = Column(Integer, primary_key=True)\n'
_ROW2 = 'class Row(Base):\n    __tablename__ = "row"\n    id: Mapped[int] = mapped_column(primary_key=True)\n'
_PARENT = (
    'class Parent(Base):\n    __tablename__ = "parents"\n    id = Column(Integer, primary_key=True)\n'
    '    children = relationship("Child")\n\n\n'
    'class Child(Base):\n    __tablename__ = "children"\n    id = Column(Integer, primary_key=True)\n'
)
_PARENT2 = (
    "class Parent(Base):\n    __tablename__ = 'parents'\n    id: Mapped[int] = mapped_column(primary_key=True)\n"
    "    children: Mapped[List['Child']] = relationship()\n\n\n"
    "class Child(Base):\n    __tablename__ = 'children'\n    id: Mapped[int] = mapped_column(primary_key=True)\n"
)
_KEY = {"model": "Child", "table": "children", "column": "parent_id", "target": "parents.id"}
_BACK = {"model": "Child", "attribute": "parent", "relationship": "Parent.children"}


def _one(
    name: str, remedy: str, text: str, marked: str, names: Mapping[str, str] | None = None, message: str = ""
) -> Shape:
    file = f"test_{name}.py"
    return Shape(name, remedy, {file: text}, file, marked, names or {}, message)


_AT = {"model": "Row", "column": "at"}
_DEFAULTS = (
    _one(
        "classic_now",
        "drop-default-parentheses",
        _CLASSIC + _ROW + "    at = Column(DateTime, default=datetime.now())\n" + _TWICE,
        "default=datetime.now()",
        _AT,
    ),
    _one(
        "classic_aware",
        "drop-default-parentheses",
        _CLASSIC + _ROW + "    at = Column(DateTime, default=datetime.now(dt.timezone.utc))\n" + _TWICE,
        "default=datetime.now(",
        _AT,
    ),
    _one(
        "mapped_text",
        "drop-default-parentheses",
        "import uuid\n"
        + _MAPPED
        + _ROW2
        + "    at: Mapped[str] = mapped_column(\n        sa.String(36),\n        default=str(uuid.uuid4()),\n    )\n"
        + _TWICE,
        "default=str(",
        _AT,
    ),
    _one(
        "dataclass_now",
        "drop-default-parentheses",
        _MAPPED.replace("class Base(Decl", "class Base(orm.MappedAsDataclass, Decl")
        + _ROW2
        + "    at: Mapped[datetime] = mapped_column(default=datetime.now())\n"
        + _TWICE,
        "default=datetime.now()",
        _AT,
    ),
    _one(
        "annotated_now",
        "drop-default-parentheses",
        "from typing import Annotated\n"
        + _MAPPED
        + "stamp = Annotated[datetime, mapped_column(default=datetime.now())]\n\n\n"
        + _ROW2
        + "    at: Mapped[stamp]\n"
        + _TWICE,
        "at: Mapped[stamp]",
        _AT,
    ),
    _one(
        "declared_now",
        "drop-default-parentheses",
        _CLASSIC.replace("relationship\n", "declared_attr, relationship\n")
        + "class Stamped:\n    @declared_attr\n    def at(cls):\n"
        + "        return Column(DateTime, default=datetime.now())\n\n\n"
        + _ROW.replace("(Base)", "(Stamped, Base)")
        + _TWICE,
        "def at(cls)",
        _AT,
    ),
    _one(
        "constant_now",
        "drop-default-parentheses",
        _CLASSIC + "NOW = datetime.now()\n\n\n" + _ROW + "    at = Column(DateTime, default=NOW)\n" + _TWICE,
        "default=NOW",
        _AT,
    ),
    _one(
        "shared_dict",
        "drop-default-parentheses",
        _CLASSIC.replace("String,", "JSON,")
        + _ROW
        + "    data = Column(JSON, default={})\n"
        + "\n\ndef test_fresh(session):\n    rows = [Row(id=1), Row(id=2)]\n    for row in rows:\n"
        + "        session.add(row)\n        session.flush()\n        row.data['x'] = row.id\n"
        + "    assert rows[0].data == {'x': 1}\n",
        "default={}",
        {"model": "Row", "column": "data"},
    ),
)
_KEYS = (
    _one(
        "classic_key",
        "add-foreign-key",
        _CLASSIC + _PARENT + "    parent_id = Column(Integer)\n" + _JOINED,
        "parent_id = Column(",
        _KEY,
    ),
    _one(
        "classic_key_required",
        "add-foreign-key",
        _CLASSIC
        + _PARENT
        + "    parent_id = Column('parent_id', Integer)  # whose\n"
        + _JOINED
        + "\n\ndef test_needs_parent(session):\n    session.add(Child(id=1))\n"
        + "    with pytest.raises(IntegrityError):\n        session.commit()\n",
        "parent_id = Column(",
        _KEY,
    ),
    _one(
        "mapped_key",
        "add-foreign-key",
        _MAPPED + _PARENT2 + "    parent_id: Mapped[Optional[int]]\n" + _JOINED,
        "parent_id: Mapped",
        _KEY,
    ),
    _one(
        "mapped_key_lines",
        "add-foreign-key",
        _MAPPED
        + _PARENT2
        + "    parent_id: Mapped[int] = mapped_column(\n        sa.Integer(),  # whose\n        index=True\n    )\n"
        + _JOINED,
        "parent_id: Mapped",
        _KEY,
    ),
    _one(
        "key_without_names",
        "add-foreign-key",
        _MAPPED + _PARENT2 + "    parent_id = mapped_column(sa.Integer, nullable=True)\n" + _JOINED,
        "parent_id = mapped",
    ),
    _one(
        "key_to_itself",
        "add-foreign-key",
        _CLASSIC
        + "class Parent(Base):\n    __tablename__ = 'nodes'\n    id = Column(Integer, primary_key=True)\n"
        + "    parent_id = Column(Integer)\n    children = relationship('Parent')\n\n\nChild = Parent\n"
        + _JOINED.replace("Child(id=1), Child(id=2)", "Child(id=3), Child(id=2)"),
        "parent_id = Column(",
        {"model": "Parent", "table": "nodes", "column": "parent_id", "target": "nodes.id"},
    ),
    _one(
        "key_of_table",
        "add-foreign-key",
        _MAPPED
        + "links = sa.Table(\n    'links',\n    Base.metadata,\n"
        + "    sa.Column('parent_id', sa.Integer, primary_key=True),\n"
        + "    sa.Column('child_id', sa.ForeignKey('children.id'), primary_key=True),\n)\n\n\n"
        + _PARENT2.replace("relationship()", "relationship(secondary=links)")
        + "\n\ndef test_children(session):\n    session.add(Parent(id=1, children=[Child(id=1)]))\n"
        + "    session.commit()\n    assert session.get(Parent, 1).children[0].id == 1\n",
        "sa.Column('parent_id'",
        {"model": "links", "table": "links", "column": "parent_id", "target": "parents.id"},
    ),
    _one(
        "key_of_mixin",
        "add-foreign-key",
        _CLASSIC.replace("relationship\n", "declared_attr, relationship\n")
        + "class Owned:\n    @declared_attr\n    def parent_id(cls):\n        return Column(Integer, index=True)\n\n\n"
        + _PARENT.replace("Child(Base)", "Child(Owned, Base)")
        + _JOINED,
        "def parent_id",
        _KEY,
    ),
)
_FK = "    parent_id = Column(ForeignKey('parents.id'))\n"
_FK2 = "    parent_id: Mapped[int] = mapped_column(sa.ForeignKey('parents.id'))\n"
_WITH_KEY = _CLASSIC.replace("DateTime, ", "DateTime, ForeignKey, ")
_SIDES = (
    _one(
        "classic_back",
        "add-back-reference",
        _WITH_KEY + _PARENT + _FK + _WAY_BACK,
        'relationship("Child")',
        _BACK,
    ),
    _one(
        "classic_message",
        "add-back-reference",
        _WITH_KEY + _PARENT + _FK + _WAY_BACK,
        'relationship("Child")',
        message="'Child' object has no attribute 'parent'",
    ),
    _one("mapped_back", "add-back-reference", _MAPPED + _PARENT2 + _FK2 + _WAY_BACK, "relationship()", _BACK),
    _one(
        "dataclass_back",
        "add-back-reference",
        _MAPPED.replace("class Base(Decl", "class Base(orm.MappedAsDataclass, Decl")
        + _PARENT2.replace("relationship()", "relationship(default_factory=list)")
        + _FK2
        + _WAY_BACK,
        "relationship(default_factory",
        _BACK,
    ),
    _one(
        "misspelt_back",
        "add-back-reference",
        _MAPPED
        + _PARENT2.replace("relationship()", "relationship(back_populates='parnt')")
        + _FK2
        + "    parent: Mapped['Parent'] = relationship(back_populates='children')\n"
        + _WAY_BACK,
        "'parnt'",
        {"model": "Child", "attribute": "parnt", "relationship": "Parent.children"},
    ),
    _one(
        "absent_back",
        "add-back-reference",
        _WITH_KEY + _PARENT.replace('"Child")', '"Child", back_populates="parent")') + _FK + _WAY_BACK,
        'back_populates="parent"',
        _BACK,
    ),
    _one(
        "dynamic_back",
        "add-back-reference",
        _WITH_KEY
        + _PARENT
        + _FK
        + _WAY_BACK
        + "\n\ndef test_query(session):\n    session.add(Parent(id=1, children=[Child(id=1)]))\n"
        + "    session.commit()\n    assert session.get(Parent, 1).children.filter_by(id=1).count() == 1\n",
        'relationship("Child")',
        _BACK,
    ),
    _one(
        "node_back",
        "add-back-reference",
        _WITH_KEY
        + "class Node(Base):\n    __tablename__ = 'nodes'\n    id = Column(Integer, primary_key=True)\n"
        + "    parent_id = Column(ForeignKey('nodes.id'))\n    children = relationship('Node')\n"
        + "\n\ndef test_tree(session):\n    session.add(Node(id=1, children=[Node(id=2)]))\n    session.commit()\n"
        + "    assert session.get(Node, 2).parent.id == 1\n",
        "relationship('Node')",
        {"model": "Node", "attribute": "parent", "relationship": "Node.children"},
    ),
    _one(
        "single_back",
        "add-back-reference",
        _WITH_KEY
        + _PARENT.replace('    children = relationship("Child")\n', "")
        + _FK
        + "    parent = relationship('Parent')\n"
        + "\n\ndef test_child(session):\n    session.add(Child(id=1, parent=Parent(id=1)))\n    session.commit()\n"
        + "    assert session.get(Parent, 1).child.id == 1\n",
        "relationship('Parent')",
        {"model": "Parent", "attribute": "child", "relationship": "Child.parent"},
    ),
    Shape(
        "other_file",
        "add-back-reference",
        {
            "of_base.py": "from sqlalchemy.orm import DeclarativeBase\n\n\nclass Base(DeclarativeBase):\n    pass\n",
            "of_parent.py": "from typing import List\nfrom sqlalchemy.orm import Mapped, mapped_column, relationship\n"
            "from of_base import Base\n\n\n" + _PARENT2.partition("\n\n\n")[0] + "\n",
            "of_child.py": "import sqlalchemy as sa\nfrom sqlalchemy.orm import Mapped, mapped_column\n"
            "from of_base import Base\n\n\n" + _PARENT2.partition("\n\n\n")[2] + _FK2,
            "test_other_file.py": _MAPPED.replace(
                "class Base(DeclarativeBase):\n    pass\n",
                "from of_base import Base\nfrom of_child import Child\nfrom of_parent import Parent\n",
            )
            + _WAY_BACK,
        },
        "of_parent.py",
        "relationship()",
        _BACK,
    ),
)
_UNIQUE = (
    "class User(Base):\n    __tablename__ = 'users'\n    id = Column(Integer, primary_key=True)\n"
    "    name = Column(String, unique=True)\n\n\n"
)
_AGAIN = "    assert session.query(User).count() == 1\n"
_ROLLBACKS = (
    _one(
        "raises",
        "roll-back-after-refusal",
        _CLASSIC
        + _UNIQUE
        + "def test_unique(session):\n    session.add(User(name='a'))\n    session.commit()\n"
        + "    session.add(User(name='a'))  # twice\n    with pytest.raises(IntegrityError):\n"
        + "        session.commit()\n"
        + _AGAIN,
        "# twice",
    ),
    _one(
        "one_line",
        "roll-back-after-refusal",
        _CLASSIC
        + _UNIQUE
        + "class Store:\n    def __init__(self, session):\n        self.session = session\n\n"
        + "    def commit(self):\n        self.session.commit()\n\n\n"
        + "def test_unique(session):\n    store = Store(session)\n    session.add(User(name='a'))\n"
        + "    store.commit()\n    session.add(User(name='a'))\n"
        + "    with pytest.raises(Exception): store.commit()\n"
        + _AGAIN,
        "with pytest.raises",
    ),
    _one(
        "caught",
        "roll-back-after-refusal",
        _CLASSIC
        + _UNIQUE
        + "def test_unique(session):\n    session.add(User(name='a'))\n    session.commit()\n"
        + "    try:\n        session.add(User(name='a'))\n        session.flush()\n"
        + "    except IntegrityError:\n        pass\n"
        + _AGAIN,
        "session.flush()",
    ),
    _one(
        "test_case",
        "roll-back-after-refusal",
        "import unittest\n"
        + _CLASSIC
        + _UNIQUE
        + "class UserTest(unittest.TestCase):\n    def setUp(self):\n        engine = create_engine('sqlite://')\n"
        + "        Base.metadata.create_all(engine)\n        self.session = Session(engine)\n"
        + "        self.addCleanup(engine.dispose)\n        self.addCleanup(self.session.close)\n\n"
        + "    def test_unique(self):\n        self.session.add_all([User(name='a'), User(name='a')])\n"
        + "        self.assertRaises(IntegrityError, self.session.commit)\n"
        + "        self.assertEqual(self.session.query(User).count(), 0)\n",
        "self.assertRaises(",
    ),
)
_CACHE = {
    "cache_{}.py": "LIMIT = 1\nSTORE = {}\nSEEN = []\n\n\ndef put(key):\n    STORE[key] = 1\n    return True\n"
}
_VICTIM = "\n\ndef test_b():\n    assert (cache.LIMIT, cache.STORE, cache.SEEN) == (1, {}, [])\n"


def _shared(
    name: str, body: str, marked: str, state: str = "", victim: str = _VICTIM, head: str = ""
) -> Shape:
    text = f"import os\n\nimport pytest\nimport cache_{name} as cache\n{head}\n\n{body}{victim}"
    cache = f"cache_{name}.py"
    files = {cache: _CACHE["cache_{}.py"], f"test_{name}.py": text}
    names = {"state": state.replace("NAME", f"cache_{name}")} if state else {}
    return Shape(name, "restore-shared-state", files, f"test_{name}.py", marked, names)


_MODE = "\n\ndef test_b():\n    assert 'MODE_X' not in os.environ\n"
_STATES = (
    _shared("variable", "def test_a():\n    os.environ['MODE_X'] = 'x'\n", "os.environ['", victim=_MODE),
    _shared(
        "variable_in_fixture",
        "@pytest.fixture\ndef mode():\n    os.environ['MODE_X'] = 'x'\n    yield\n\n\ndef test_a(mode):\n    pass\n",
        "os.environ['",
        victim=_MODE,
    ),
    _shared(
        "variables_in_case",
        "class TestA(unittest.TestCase):\n    def test_a(self):\n        os.environ.update(MODE_X='x')\n",
        "os.environ.update",
        victim=_MODE.replace("_b", "_z"),
        head="import unittest\n",
    ),
    _shared(
        "variables_updated",
        "def test_a():\n    os.environ.update(MODE_X='x')\n",
        "os.environ.update",
        victim=_MODE,
    ),
    _shared("attribute", "def test_a():\n    cache.LIMIT = 5\n", "cache.LIMIT = 5"),
    _shared("item", "def test_a():\n    cache.STORE['a'] = 5\n", "cache.STORE['a']"),
    _shared("appended", "def test_a():\n    cache.SEEN.append(5)\n", "cache.SEEN.append"),
    _shared(
        "imported_list",
        "def test_a():\n    SEEN.append(5)\n",
        "    SEEN.append",
        head="from cache_imported_list import SEEN\n",
    ),
    _shared(
        "called",
        "def test_a():\n    assert cache.put('a')\n",
        "assert cache.put",
        "NAME.STORE ({} -> {'a': 1})",
    ),
    _shared(
        "called_in_case",
        "class TestA(unittest.TestCase):\n    def test_a(self):\n        cache.put('a')\n",
        "cache.put(",
        "NAME.STORE ({} -> {'a': 1})",
        victim=_VICTIM.replace("_b", "_z"),
        head="import unittest\n",
    ),
    _shared(
        "wide_fixture",
        "class TestA:\n    @pytest.fixture(scope='class')\n    def limit(self):\n        cache.LIMIT = 5\n        return 5\n\n"
        "    def test_a(self, limit):\n        assert limit\n",
        "cache.LIMIT = 5",
    ),
    _shared(
        "directory",
        "HERE = os.getcwd()\n\n\ndef test_a(tmp_path):\n    os.chdir(tmp_path)\n",
        "os.chdir(tmp_path)",
        victim="\n\ndef test_b():\n    here = os.getcwd()\n    os.chdir(HERE)\n    assert here == HERE\n",
    ),
)
SHAPES = (*_DEFAULTS, *_KEYS, *_SIDES, *_ROLLBACKS, *_STATES)
