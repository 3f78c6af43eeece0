"""The row that a foreign key refers to is stored first, or the key becomes that of a row that is.

Right where the parent object is at hand in the test and was not added or flushed before its id was
taken, or where the test wrote a made-up key (`user_id=999`) while an object of that model is at hand.

To judge: which row is meant. Several proposals stand where several rows of the same data could be.

Never: code of the product, rows that cannot be deleted because others refer to them, and the
constraint itself.
"""

import re
from collections.abc import Iterable, Iterator

import libcst as cst

from triage.model.fix import Edit, Proposal, Reach, Refusal, Target
from triage.remedies.example import Cured, Spot, Untouched
from triage.remedies.handed_rows import handed
from triage.remedies.parents import (
    handed_object,
    is_stored,
    parent_model,
    parents_in_scope,
    relationship_of,
    stored_before,
)
from triage.remedies.place import Place
from triage.remedies.repeated import values_of_rows
from triage.remedies.row_edits import is_expected
from triage.remedies.rows import Row, rows_at, subject_of
from triage.remedies.source import open_source
from triage.rules.models import Column, Model
from triage.rules.source import SourceTree

ID = "store-parent-first"
_TRIES = 3
_MADE_UP = re.compile(
    r"\d+|['\"].*['\"]|(?:\w+\.)?uuid4\(\)(?:\.hex)?|str\((?:\w+\.)?uuid4\(\)\)|(?:\w+\.)?UUID\(.*\)"
)


def propose(target: Target, tree: SourceTree) -> Iterable[Proposal | Refusal]:
    reason = ""
    module = tree.module(target.file)
    if target.names.get("deleted") or target.names.get("verb") == "DELETE":
        referrer = target.names.get("referrer", "other rows")
        reason = f"the row deleted at {target.file}:{target.line} is still referred to by {referrer}"
    elif not tree.is_test(target.file) or module is None:
        given = handed(target, tree)
        if given:
            file, _, line = given[0].at.rpartition(":")
            yield Refusal(ID, f"{given[0]}: no row has that key", file, int(line))
            return
        reason = f"a bug of the product: {target.file}:{target.line} stores a key that no row has"
    found: list[Proposal | Refusal] = []
    if not reason and module is not None:
        place = Place(open_source(tree, target.file), module, tree, subject_of(target, tree))
        rows = rows_at(place.source, target.line, place.subject, module, tree)
        reason = f"which row is meant at {target.file}:{target.line} only a person knows"
        if rows and is_expected(place.source, rows[0].site):
            reason = "the test awaits that the database refuses a row"
        else:
            found = [
                one
                for row in rows
                for column in _keys(place)
                for one in _of_column(target, row, column, place)
            ]
    yield from found or [Refusal(ID, reason, target.file, target.line)]


def _keys(place: Place) -> list[Column]:
    """The foreign keys named, else all of the model: SQLite names none."""
    named = [one for one in place.subject.named if one.foreign_key]
    return named or [one for one in place.subject.columns if one.foreign_key]


def _of_column(target: Target, row: Row, column: Column, place: Place) -> Iterator[Proposal]:
    parent = parent_model(column, place)
    value = row.given.get(column.attribute, row.given.get(column.name))
    if parent is None or value is None:
        return
    name = handed_object(column, row, place)
    if name:
        edits = stored_before(name, row, place)
        if isinstance(edits, list):
            label = f"`{name}` is stored before its key is taken at {target.file}:{target.line}"
            yield _proposal(label, edits, f"whether `{name}` is the row that is meant")
        return
    if not _MADE_UP.fullmatch(place.source.code(value)):
        return
    known = parents_in_scope(parent, row.node, place)
    if known:
        for each in known[:_TRIES]:
            yield from _by_object(each, row, column, parent, place)
    else:
        yield from _by_key(row, column, parent, place)


def _by_object(name: str, row: Row, column: Column, parent: Model, place: Place) -> Iterator[Proposal]:
    """The object at hand instead of a made-up key."""
    source, value = place.source, row.given.get(column.attribute, row.given.get(column.name))
    if value is None:
        return
    other, arg = relationship_of(column, parent, place), source.parents[value]
    stored = [] if is_stored(name, row, place) else stored_before(name, row, place)
    key = (column.foreign_key or "").rpartition(".")[2]
    referred = parent.column(key)
    edits: list[Edit] = []
    if stored and other and isinstance(arg, cst.Arg) and not row.is_statement:
        edits = [source.replace(arg, f"{other}={name}")]
    elif isinstance(stored, list):
        edits = [*stored, source.replace(value, f"{name}.{referred.attribute if referred else key}")]
    if edits:
        label = f"{column.attribute} is that of `{name}` instead of {source.code(value)}"
        yield _proposal(label, edits, f"whether `{name}` is the row that is meant")


def _by_key(row: Row, column: Column, parent: Model, place: Place) -> Iterator[Proposal]:
    """The key of a row that the same function makes, those first to which others refer, too."""
    source, function = place.source, place.function(row.site)
    value = row.given.get(column.attribute, row.given.get(column.name))
    key = parent.column((column.foreign_key or "").rpartition(".")[2])
    if key is None or value is None:
        return
    calls = [one for one in source.all(cst.Call) if place.function(one) is function]
    parents = [one for one in calls if source.code(one.func).rpartition(".")[2] == parent.name]
    mine = [one for one in calls if source.code(one.func).rpartition(".")[2] == place.subject.what]
    used = [one.code for one in values_of_rows(column.attribute, iter(mine))]
    found = [one.code for one in values_of_rows(key.attribute, iter(parents))]
    if source.code(value) in found:
        return
    for code in sorted(found, key=lambda one: one not in used)[:_TRIES]:
        label = f"{column.attribute} {code}, which {parent.name} has, instead of {source.code(value)}"
        judge = f"whether the {parent.name} {code} is the row that is meant"
        yield _proposal(label, [source.replace(value, code)], judge)


def _proposal(label: str, edits: list[Edit], judge: str) -> Proposal:
    return Proposal(ID, label, tuple(edits), Reach.STATEMENT, judge)


_MODELS = """\
from app import db
class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(80))
class Post(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    author_id = db.Column(db.ForeignKey('user.id'), nullable=False)
    author = db.relationship(User)
class Note(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    user_id = db.Column(db.ForeignKey('user.id'))
"""
_HEAD = "from m import Note, Post, User, db\n\n\ndef test_it(session, user):\n"
_NOTE = {"model": "Note", "table": "note", "column": "user_id", "target": "user"}
_POST = {"model": "Post", "table": "post", "target": "user"}


def _case(body: str, after: str, line: int, names: dict[str, str]) -> Cured:
    before = {"m.py": _MODELS, "test_m.py": _HEAD + body}
    return Cured(before, Spot("test_m.py", line, names), {"test_m.py": _HEAD + after})


def _left(body: str, because: str, line: int, names: dict[str, str]) -> Untouched:
    return Untouched({"m.py": _MODELS, "test_m.py": _HEAD + body}, Spot("test_m.py", line, names), because)


_ROWS = (
    "from m import Note, User\n\n\ndef rows():\n    return [\n        User(id=3),\n        User(id=4),\n"
    "        Note(id=1, user_id=4),\n        Note(id=2, user_id={}),\n    ]\n"
)
_UNIT = (
    "from m import Note, User\n\n\nclass TestNotes(TestCase):\n    def setUp(self):\n"
    "        self.ann = User(name='a')\n    def test_it(self):\n        self.session.add(Note(user_id={}))\n"
)
CURED: tuple[Cured, ...] = (
    _case("    session.add(Note(user_id=999))\n", "    session.add(Note(user_id=user.id))\n", 5, _NOTE),
    _case(
        "    ann = User(id=7)\n    session.add(Note(user_id=ann.id))\n    session.commit()\n",
        "    ann = User(id=7)\n    session.add(ann)\n    session.flush()\n"
        "    session.add(Note(user_id=ann.id))\n    session.commit()\n",
        6,
        _NOTE,
    ),
    _case(
        "    user = User(name='a')\n    session.add(Post(author_id=1))\n    session.commit()\n",
        "    user = User(name='a')\n    session.add(Post(author=user))\n    session.commit()\n",
        6,
        _POST,
    ),
    Cured(
        {"m.py": _MODELS, "test_m.py": _UNIT.format("77")},
        Spot("test_m.py", 8, _NOTE),
        {"test_m.py": _UNIT.format("self.ann.id")},
    ),
    Cured(
        {"m.py": _MODELS, "tests/data.py": _ROWS.format(7)},
        Spot("tests/data.py", 9, _NOTE),
        {"tests/data.py": _ROWS.format(4)},
    ),
)
UNTOUCHED: tuple[Untouched, ...] = (
    _left("    session.add(Note(user_id=key()))\n", "the key is computed", 5, _NOTE),
    _left(
        "    session.delete(user)\n", "a row is deleted", 5, {**_NOTE, "verb": "DELETE", "deleted": "user"}
    ),
    _left(
        "    session.add(Note(user_id=9))\n    with pytest.raises(IntegrityError):\n        session.flush()",
        "the refusal is what the test is about",
        5,
        _NOTE,
    ),
    Untouched(
        {"m.py": _MODELS, "app.py": "from m import Note\ndef note(user):\n    return Note(user_id=1)\n"},
        Spot("app.py", 3, _NOTE),
        "code of the product",
    ),
    Untouched(
        {
            "m.py": _MODELS,
            "app.py": "from m import Note\ndef note(key):\n    return Note(user_id=key)\n",
            "test_m.py": _HEAD + "    note(77)\n",
        },
        Spot("app.py", 3, _NOTE, ("test_m.py::test_it",)),
        "a test hands the key to the product",
    ),
)
