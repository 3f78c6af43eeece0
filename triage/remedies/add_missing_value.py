"""A row gets the value that its table requires, where a test makes it.

Right where a constructor in a test, a fixture or a helper leaves a required column out or gives it
None: the call gets the column with a value of its type; what else the same call lacks comes along.
A factory gets a declaration, a sequence where the column must be unique.

To judge (`unsafe`): values that are computed, handed on or stand for another object, helpers that
take `**kwargs`, statements without objects.

Never: code of the product that makes the row, a value that a later line takes away, a refusal that
the test awaits, and the column's own declaration.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

import libcst as cst

from triage.model.fix import Edit, Proposal, Refusal, Target
from triage.model.terms import Applicability
from triage.remedies.example import Cured, Spot, Untouched
from triage.remedies.factory_values import declared, factory_at
from triage.remedies.given_none import emptied_parameter, reach_of, unflushed
from triage.remedies.missing import in_order, missing, supply
from triage.remedies.place import Place, Supply
from triage.remedies.row_edits import is_expected, shadowed, with_values
from triage.remedies.rows import Row, rows_at, subject_of
from triage.remedies.signatures import defaults, is_named, slot
from triage.remedies.source import SourceFile, open_source
from triage.remedies.values import quote_of, settled
from triage.rules.models import Column
from triage.rules.source import SourceTree

ID = "add-missing-value"


def propose(target: Target, tree: SourceTree) -> Iterable[Proposal | Refusal]:
    reason = _out_ofreach_of(target, tree)
    factory = factory_at(target, tree)
    if factory is not None:
        yield from declared(ID, target, factory, tree)
        return
    if reason:
        yield Refusal(ID, reason, target.file, target.line)
        return
    source, module = open_source(tree, target.file), tree.module(target.file)
    if module is None:
        return
    place = Place(source, module, tree, subject_of(target, tree))
    found = list(_proposed(target, place))
    yield from found


def _out_ofreach_of(target: Target, tree: SourceTree) -> str:
    column = target.names.get("column", "a value")
    if target.names.get("verb") == "UPDATE" or target.names.get("updated"):
        return f"the stored row loses its {column} later, at {target.file}:{target.line}"
    if not tree.is_test(target.file):
        what = target.names.get("model") or target.names.get("table", "the row")
        return f"a bug of the product: {target.file}:{target.line} makes {what} without {column}"
    return ""


def _proposed(target: Target, place: Place) -> Iterator[Proposal | Refusal]:
    source, subject = place.source, place.subject
    cleared = _cleared(source, target.line, subject.named)
    rows = rows_at(source, target.line, subject, place.module, place.tree)
    lacking = [(row, columns) for row in rows if (columns := missing(row, place))]
    reason = ""
    if cleared:
        reason = f"the value is taken away at {target.file}:{target.line}: {cleared}"
    elif not rows:
        reason = f"no {subject.what} is made at {target.file}:{target.line} in a way that can be read"
    elif not lacking:
        helped = emptied_parameter(ID, rows, target, place) or unflushed(ID, rows, target, place)
        if helped is not None:
            yield helped
            return
        reason = _computed(rows[0], place)
    elif is_expected(source, lacking[0][0].site):
        reason = "the test awaits that the database refuses a row"
    if reason:
        yield Refusal(ID, reason, target.file, target.line)
        return
    yield _given(lacking, target, place)


def _cleared(source: SourceFile, line: int, columns: tuple[Column, ...]) -> str:
    names = {one.attribute for one in columns}
    for each in source.at(cst.Assign, line):
        for one in each.targets:
            is_attribute = isinstance(one.target, cst.Attribute) and one.target.attr.value in names
            if is_attribute and source.lines(each)[0] == line:
                return source.code(each)
    return ""


def _computed(row: Row, place: Place) -> str:
    for column in place.subject.named:
        value = row.given.get(column.attribute) or row.given.get(column.name)
        if value is not None:
            return f"{column.attribute} is computed: `{place.source.code(value)}` was None"
    return f"the source does not tell which value {place.subject.what} lacks"


def _given(lacking: list[tuple[Row, list[Column]]], target: Target, place: Place) -> Proposal | Refusal:
    source, edits, names, doubts = place.source, [], [], []
    wanted = _wanted(lacking, place)
    if isinstance(wanted, str):
        return Refusal(ID, wanted, target.file, target.line)
    templates = [one.template for _, found in wanted for one in found]
    own = shadowed(place.module, target.line)
    codes, imports = settled(source, templates, own - _used(wanted))
    pending = iter(codes)
    for row, found in wanted:
        pairs = [(one, next(pending)) for one in found]
        made = _written(row, pairs, place)
        if isinstance(made, str):
            return Refusal(ID, made, target.file, target.line)
        edits += made
        names += [one.name for one in found if one.name not in names]
        doubts += [one.doubt for one in found if one.doubt]
        doubts += _doubts(row, place, [one.name for one in found])
    label = f"{place.subject.what} gets its {_listed(names)} at {target.file}:{target.line}"
    doubt = "; ".join(dict.fromkeys(doubts))
    return Proposal(
        ID,
        label,
        (*imports, *edits),
        reach_of(place, lacking[0][0]),
        judge=doubt,
        applicability=Applicability.UNSAFE if doubt else None,
    )


def _used(wanted: list[tuple[Row, list[Supply]]]) -> frozenset[str]:
    """Parameters that a value names are meant as they are."""
    return frozenset(one.template for _, found in wanted for one in found if one.template.isidentifier())


def _wanted(lacking: list[tuple[Row, list[Column]]], place: Place) -> list[tuple[Row, list[Supply]]] | str:
    found: list[tuple[Row, list[Supply]]] = []
    for number, (row, columns) in enumerate(lacking, start=1):
        mine: list[Supply] = []
        for column in columns:
            one = supply(column, row, place, number)
            if isinstance(one, Supply):
                mine.append(one)
            elif column in place.subject.named or not (mine or place.subject.named):
                return one
        found.append((row, in_order(mine)))
    return found


def _written(row: Row, pairs: list[tuple[Supply, str]], place: Place) -> list[Edit] | str:
    source, added = place.source, []
    edits: list[Edit] = []
    for one, code in pairs:
        given: cst.BaseExpression | str | None = row.given.get(one.name)
        given = given if given is not None else slot(row, one.name, place)
        if isinstance(given, str):
            return given
        if given is not None:
            edits.append(source.replace(given, code))
        else:
            added.append((one.name, code))
    if not added:
        return edits
    if row.is_open and isinstance(row.node, cst.Call):
        found = defaults(row.node, added, place)
        return found if isinstance(found, str) else [*edits, *found]
    edit = with_values(source, row, added, quote_of(source, source.code(row.node)))
    return [*edits, edit] if edit is not None else "the row's keys are columns, not names"


def _doubts(row: Row, place: Place, names: list[str]) -> Iterator[str]:
    source, what = place.source, place.subject.what
    function = place.function(row.site)
    code = source.code(function) if function is not None else ""
    for name in names:
        if re.search(rf"^\s*assert\b.*\.{name}\b|\bself\.assert\w+\(.*\.{name}\b", code, re.MULTILINE):
            yield f"the test asserts something about {name}"
    if row.is_statement:
        yield f"whether the statement may insert this row of {what} with made-up values"
    elif row.is_open:
        is_call = isinstance(row.node, cst.Call)
        yield (
            "whether all callers want the value when they pass none"
            if is_call
            else "what is spread may give it"
        )
    elif isinstance(row.site, cst.Call) and not is_named(row.site, place):
        yield f"`{source.code(row.site.func)}` is taken for what makes a {what}"


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


_MODELS = """\
from app import db
class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(80))
    email = db.Column(db.String(80), nullable=False, unique=True)
class Invoice(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    number = db.Column(db.String(20))
    amount = db.Column(db.Numeric(10, 2), nullable=False)
    due_on = db.Column(db.Date, nullable=False)
    user_id = db.Column(db.ForeignKey('user.id'), nullable=False)
    user = db.relationship(User)
"""
_HEAD = "from m import Invoice, User, db\n\n\ndef test_it():\n"
_EMAIL = {"model": "User", "table": "user", "column": "email"}


def _case(
    body: str, after: str, names: Mapping[str, str] = _EMAIL, line: int = 5, head: str = _HEAD
) -> Cured:
    return Cured(
        {"m.py": _MODELS, "test_m.py": _HEAD + body},
        Spot("test_m.py", line, names),
        {"test_m.py": head + after},
    )


def _left(body: str, because: str, names: Mapping[str, str] = _EMAIL, line: int = 5) -> Untouched:
    return Untouched({"m.py": _MODELS, "test_m.py": _HEAD + body}, Spot("test_m.py", line, names), because)


_STORE = "    db.session.add(user)\n    db.session.commit()\n"
_AMOUNT = {"model": "Invoice", "table": "invoice", "column": "amount"}
_OWNER = {"model": "Invoice", "table": "invoice", "column": "user_id"}
CURED: tuple[Cured, ...] = (
    _case(
        '    user = User(name="Ann")\n' + _STORE,
        '    user = User(name="Ann", email="ann@example.org")\n' + _STORE,
    ),
    _case(
        '    user = User(\n        name="Noor Haddad",\n        email=None,  # not yet\n    )\n' + _STORE,
        '    user = User(\n        name="Noor Haddad",\n        email="noor.haddad@example.org",  # not yet\n'
        "    )\n" + _STORE,
    ),
    _case(
        "    user = User(\n        name='Ann',\n    )\n" + _STORE,
        "    user = User(\n        name='Ann',\n        email='ann@example.org',\n    )\n" + _STORE,
    ),
    _case(
        '    owner = User(email="a@b.c")\n    one = Invoice(number="7", user=owner)\n',
        '    owner = User(email="a@b.c")\n    one = Invoice(number="7", user=owner, amount=Decimal("1.00"),'
        " due_on=date(2025, 1, 1))\n",
        _AMOUNT,
        6,
        _HEAD.replace("db\n", "db\nfrom decimal import Decimal\nfrom datetime import date\n", 1),
    ),
    _case(
        '    owner = User(email="a@b.c")\n    Invoice(amount=1, due_on=2)\n',
        '    owner = User(email="a@b.c")\n    Invoice(amount=1, due_on=2, user=owner)\n',
        _OWNER,
        6,
    ),
    _case(
        '    db.session.add_all([\n        User(email="a@b.c"),\n        User(),\n    ])\n',
        '    db.session.add_all([\n        User(email="a@b.c"),\n'
        '        User(email="it@example.org"),\n    ])\n',
        line=7,
    ),
    _case(
        '    data = {"name": "Ann"}\n    user = User(**data)\n',
        '    data = {"name": "Ann", "email": "ann@example.org"}\n    user = User(**data)\n',
        line=6,
    ),
    _case(
        '    def make(**kwargs):\n        return User(name="x", **kwargs)\n',
        "    def make(**kwargs):\n"
        '        kwargs.setdefault("email", f"{uuid4().hex}@example.org")\n'
        '        return User(name="x", **kwargs)\n',
        line=6,
        head=_HEAD.replace("db\n", "db\nfrom uuid import uuid4\n", 1),
    ),
    _case(
        "    def make(name, email):\n        return User(name=name)\n    make('a', 'b')\n",
        "    def make(name, email):\n        return User(name=name, email=email)\n    make('a', 'b')\n",
        line=6,
    ),
    _case(
        '    db.session.execute(db.insert(User).values(name="Ann"))\n',
        '    db.session.execute(db.insert(User).values(name="Ann", email="ann@example.org"))\n',
    ),
    Cured(
        {
            "m.py": _MODELS,
            "tests/factories.py": "import factory\nfrom m import User\n\n\nclass UserFactory("
            "factory.alchemy.SQLAlchemyModelFactory):\n    class Meta:\n        model = User\n\n"
            '    name = "Ann"\n',
        },
        Spot("tests/factories.py", 5, {**_EMAIL, "factory": "UserFactory"}),
        {
            "tests/factories.py": "import factory\nfrom m import User\n\n\nclass UserFactory("
            "factory.alchemy.SQLAlchemyModelFactory):\n    class Meta:\n        model = User\n\n"
            '    name = "Ann"\n    email = factory.Sequence(lambda n: f"user{n}@example.org")\n'
        },
    ),
)
CURED += (
    Cured(
        {"m.py": _MODELS, "test_m.py": _HEAD + '    user = User(name="Ann")\n'},
        Spot("test_m.py", 5, message="NOT NULL constraint failed: user.email"),
        {"test_m.py": _HEAD + '    user = User(name="Ann", email="ann@example.org")\n'},
    ),
    Cured(
        {"m.py": _MODELS, "test_m.py": _HEAD + '    user = User(name="Ann")\n'},
        Spot("test_m.py", 5),
        {"test_m.py": _HEAD + '    user = User(name="Ann", email="ann@example.org")\n'},
    ),
)
UNTOUCHED: tuple[Untouched, ...] = (
    _left("    user = User(name='a', email='b')\n    user.email = None\n", "taken away later", line=6),
    _left("    user = User(email=address)\n", "the value is computed"),
    _left("    user = User(*parts)\n", "nobody can see what is passed"),
    _left(
        "    db.session.add(User(name='a'))\n    with pytest.raises(IntegrityError):\n"
        "        db.session.flush()\n",
        "the refusal is what the test is about",
    ),
    _left("    one = Invoice(number='7')\n", "the foreign key needs an object", _OWNER),
    _left("    rows = load()\n", "no constructor stands there"),
    Untouched(
        {"m.py": _MODELS, "app.py": "from m import User\ndef new():\n    return User(name='a')\n"},
        Spot("app.py", 3, _EMAIL),
        "code of the product",
    ),
)
