"""An object is stored without a value that its table requires.

`User(name="Ann")`, added to a session, fails at the next flush with an IntegrityError when
`users.email` is NOT NULL and has no default; `User(email=None)` likewise. The finding points at
the constructor call; the column's definition is among the related places.

Only objects that the same function adds to a session are looked at. A value counts as given when
the constructor gets it, when it is assigned before the first flush, and, for a foreign key, when
a relationship may fill it.

Known limits: silent where an error of the database is awaited (`pytest.raises`, `try`), with
`*args` or `**kwargs`, where the model has an `__init__` of its own or a base class from a
library, and where the object is handed to other code before the flush.
"""

from collections.abc import Iterable, Iterator

from triage.model.finding import Finding
from triage.rules.example import Invalid, Valid
from triage.rules.missing_foreign_key import keys_to, target_of
from triage.rules.model_index import model_index
from triage.rules.models import Column, Model, ModelIndex
from triage.rules.objects import Built, stored_objects
from triage.rules.source import SourceTree
from triage.rules.syntax import Function, is_constant, is_open_ended

ID = "incomplete-constructor"


def find(tree: SourceTree) -> Iterable[Finding]:
    index = model_index(tree)
    if not index:
        return
    for module in tree.modules(b".add(", b".add_all("):
        for function in module.functions:
            for built in stored_objects(function, module, index):
                if _is_readable(built):
                    for column, how in _left_empty(built, index, tree):
                        yield _finding(built, column, how, module.path, function)


def _finding(built: Built, column: Column, how: str, file: str, function: Function) -> Finding:
    model = built.model
    return Finding(
        ID,
        file,
        built.call.lineno,
        f"{model.name}(...) {how} {column.attribute}, which {model.table or model.name} requires",
        symbol=function.name,
        subject={
            "function": function.name,
            "model": model.name,
            "table": model.table,
            "column": column.name,
        },
        related=(("column", column.file, column.line),),
    )


def _is_readable(built: Built) -> bool:
    return not (
        built.expected
        or built.escapes
        or built.call.args
        or is_open_ended(built.call)
        or built.model.has_init
        or not built.model.complete
    )


def _left_empty(built: Built, index: ModelIndex, tree: SourceTree) -> Iterator[tuple[Column, str]]:
    given = {each.arg: each.value for each in built.call.keywords if each.arg}
    model = built.model
    linked = _linked_columns(model, {*given, *built.sets}, index, tree)
    unknown = linked is None or model.is_dataclass
    for column in model.columns:
        names = {column.attribute, column.name}
        if column.nullable or column.filled or not names.isdisjoint(built.sets):
            continue
        if column.foreign_key and (built.linked or _is_inherited_key(column, model, index)):
            continue
        value = given.get(column.attribute)
        if is_constant(value, None) and column.attribute not in (linked or ()):
            yield column, "passes None for"
        elif value is None and not unknown and column.attribute not in (linked or ()):
            yield column, "is given no"


def _linked_columns(
    model: Model, names: set[str], index: ModelIndex, tree: SourceTree
) -> frozenset[str] | None:
    """Foreign keys that the relationships among `names` fill; None when a name is unknown."""
    columns = {each.attribute for each in model.columns}
    backrefs = {
        each.backref: other
        for other in index.models
        for each in other.relationships
        if each.target == model.name
    }
    filled: set[str] = set()
    for name in names - columns:
        relationship = model.relationship(name)
        target = target_of(relationship, model, index, tree) if relationship else backrefs.get(name)
        keys = keys_to(model, target, index) if target is not None else None
        if keys is None:
            return None
        filled |= {each.attribute for each in keys}
    return frozenset(filled)


def _is_inherited_key(column: Column, model: Model, index: ModelIndex) -> bool:
    """The key of a joined table is copied from its parent's."""
    tables = {each.table for each in index.models if each.name in model.bases}
    return column.primary_key and (column.foreign_key or "").split(".")[-2:-1] in [[each] for each in tables]


_MODELS = """\
from app import db
class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(80))
    email = db.Column(db.String(80), nullable=False)
    def rename(self, name):
        self.name = name
    def invite(self):
        self.email = f"{self.name}@example.com"
class Post(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    kind = db.Column(db.String(8), nullable=False, default="note")
    user_id = db.Column(db.Integer, db.ForeignKey('user.id'), nullable=False)
    user = db.relationship(User, backref='posts')
"""
_TEST = "import pytest\nfrom m import Post, User\ndef test_it(session, other):\n"


def _case(body: str) -> dict[str, str]:
    return {"m.py": _MODELS, "test_m.py": _TEST + body}


VALID: tuple[Valid, ...] = (
    Valid(_case("    session.add(User(email='a'))\n    session.commit()\n")),
    Valid(_case("    assert User(name='a').name == 'a'\n"), "never stored"),
    Valid(_case("    u = User(name='a')\n    u.email = 'a'\n    session.add(u)\n    session.commit()\n")),
    Valid(_case("    u = User(name='a')\n    session.add(u)\n    u.invite()\n    session.commit()\n")),
    Valid(
        _case(
            "    session.add(User(name='a'))\n    with pytest.raises(Exception):\n        session.flush()\n"
        )
    ),
    Valid(_case("    session.add(User(**other))\n")),
    Valid(_case("    u = User(name='a')\n    fill(u)\n    session.add(u)\n")),
    Valid(_case("    session.add(Post(user=User(email='a')))\n"), "the relationship fills the key"),
    Valid(_case("    p = Post()\n    other.posts.append(p)\n    session.add(p)\n    session.commit()\n")),
    Valid(_case("    p = Post()\n    p.user = other\n    session.add(p)\n    session.commit()\n")),
    Valid(_case("    session.add(Post(user_id=other.id, kind=None))\n"), "the default stands in for None"),
)
INVALID: tuple[Invalid, ...] = (
    Invalid(
        _case("    session.add(User(name='a'))\n    session.commit()\n"),
        (("test_m.py", 4),),
        {"function": "test_it", "model": "User", "table": "user", "column": "email"},
    ),
    Invalid(_case("    u = User(\n        email=None,\n    )\n    session.add(u)\n"), (("test_m.py", 4),)),
    Invalid(_case("    u = User(name='a')\n    u.rename('b')\n    session.add(u)\n"), (("test_m.py", 4),)),
    Invalid(
        _case(
            "    u = User(name='a')\n    session.add(u)\n    session.commit()\n"
            "    with pytest.raises(ValueError):\n        u.rename(1)\n"
        ),
        (("test_m.py", 4),),
    ),
    Invalid(
        _case("    u = User(email=None)\n    session.add(Post(user=u))\n    session.commit()\n"),
        (("test_m.py", 4),),
    ),
    Invalid(
        _case("    session.add_all([User(email='a'), Post(kind='x')])\n    session.commit()\n"),
        (("test_m.py", 4),),
        {"function": "test_it", "model": "Post", "table": "post", "column": "user_id"},
    ),
)
