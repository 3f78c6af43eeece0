"""The second of two rows with one value gets a value of its own.

Right where a test writes the same literal of a unique column twice: in constructors, in calls of a
helper, in form data, in a fixture and the test. The later one becomes like `ann2@example.org` or the
next free number; in a factory a constant becomes a sequence; in a loop or a helper it differs each time.

To judge: whether the test meant two rows at all, or the same row, which it should look up instead.

Never: a value that the test asserts or asks for later, a refusal that the test awaits, rows that an
earlier test left behind, and code of the product.
"""

from collections.abc import Iterable, Iterator, Mapping

import libcst as cst

from triage.model.fix import Edit, Proposal, Reach, Refusal, Target
from triage.remedies import helper_defaults
from triage.remedies.column_types import length_of
from triage.remedies.example import Cured, Spot, Untouched
from triage.remedies.factory_values import declared_values, factory_at, sequence
from triage.remedies.handed_rows import handed
from triage.remedies.helper_defaults import last_caller
from triage.remedies.missing import told_apart
from triage.remedies.place import Place, Supply
from triage.remedies.repeated import Literal, called_twice, given_before, is_used_later, literal_of
from triage.remedies.row_edits import is_expected, shadowed, with_values
from triage.remedies.rows import Row, loop_variable, row_of, rows_at, subject_of
from triage.remedies.source import open_source
from triage.remedies.values import another, quote_of, quoted, settled
from triage.rules.factories import Factory
from triage.rules.models import Column
from triage.rules.source import SourceTree

ID = "use-another-value"
_JUDGE = "whether the test means two rows; where it means the same one, look it up instead"


def propose(target: Target, tree: SourceTree) -> Iterable[Proposal | Refusal]:
    found: Proposal | str
    factory = factory_at(target, tree)
    if factory is not None:
        found = _of_factory(target, factory, tree)
    elif not tree.is_test(target.file):
        found = _of_product(target, tree)
    else:
        place = _place(target, target.file, tree)
        found = _of_row(target, place) if place is not None else f"{target.file} cannot be read"
    if isinstance(found, str) and not _is_constant_of_product(target, tree):
        found = _of_calls(target, tree) or found
    return [Refusal(ID, found, target.file, target.line) if isinstance(found, str) else found]


def _place(target: Target, file: str, tree: SourceTree) -> Place | None:
    module = tree.module(file)
    return (
        Place(open_source(tree, file), module, tree, subject_of(target, tree)) if module is not None else None
    )


def _of_row(target: Target, place: Place) -> Proposal | str:
    rows = rows_at(place.source, target.line, place.subject, place.module, place.tree)
    reason = f"no {place.subject.what} is made at {target.file}:{target.line} in a way that can be read"
    for row, column, literal in _literals(rows, place):
        if is_expected(place.source, row.site):
            return "the test awaits that the database refuses a row"
        runs_often = loop_variable(place.source, row.node) is not None or not place.is_called_once(row.node)
        found = _later(target, row, column, literal, place)
        if isinstance(found, str) and runs_often and isinstance(row.node, cst.Call):
            found = _each_time(target, row, column, literal, place)
        if isinstance(found, Proposal):
            return found
        reason = found
    return _of_caller(target, rows, place) or reason


def _of_caller(target: Target, rows: list[Row], place: Place) -> Proposal | None:
    """The test's last call of a helper gives its row another value than the helper's own."""
    last = last_caller(target, rows, place)
    if last is None:
        return None
    source, code = last.place.source, _other(last.literal, last.column, last.place)
    edit = with_values(source, row_of(last.call), [(last.name, code)], quote_of(source))
    label = f"{last.name} {code} for the second row at {source.file}:{source.lines(last.call)[0]}"
    return Proposal(ID, label, (edit,), Reach.STATEMENT, _JUDGE) if edit is not None else None


def _literals(rows: list[Row], place: Place) -> Iterator[tuple[Row, Column, Literal]]:
    """Texts and numbers that the rows give to the columns named, those of the last column first."""
    for row in rows:
        for column in sorted(place.subject.named, key=lambda one: bool(one.foreign_key)):
            value = row.given.get(column.attribute, row.given.get(column.name))
            literal = literal_of(value)
            if literal is not None and not column.foreign_key:
                yield row, column, literal


def _of_product(target: Target, tree: SourceTree) -> str:
    """What a person is told: the constant, the column, or at least the place."""
    place = _place(target, target.file, tree)
    known = rows_at(place.source, target.line, place.subject, place.module, tree) if place is not None else []
    written = next(_literals(known, place), None) if place is not None else None
    given = handed(target, tree)
    if given:
        return f"{given[0]}, which another row has"
    at = f"a bug of the product: {target.file}:{target.line}"
    if place is not None and written is not None:
        return f"{at} gives each {place.subject.what} the same {written[1].attribute} {written[2].code}"
    names = ", ".join(one.attribute for one in place.subject.named) if place is not None else ""
    return f"{at} stores a value{f' of {names}' if names else ''} that another row has"


def _is_constant_of_product(target: Target, tree: SourceTree) -> bool:
    """The product itself writes the value out: what tests send is not to blame."""
    place = None if tree.is_test(target.file) else _place(target, target.file, tree)
    if place is None:
        return False
    rows = rows_at(place.source, target.line, place.subject, place.module, tree)
    return any(True for _ in _literals(rows, place)) or bool(target.names.get("default"))


def _later(target: Target, row: Row, column: Column, literal: Literal, place: Place) -> Proposal | str:
    """The row that stands last in the text is changed, if another one of the test has the same value."""
    before, after = given_before(row, column, literal, place, target)
    chosen = after or (literal if before else None)
    if chosen is None:
        if row.site not in place.source.ancestors(literal.node):
            return _of_spread(row, column, literal, place)
        return (
            f"no other row of this test has {column.attribute} {literal.code}: an earlier test left it behind"
        )
    return _changed(chosen, column, place)


def _of_spread(row: Row, column: Column, literal: Literal, place: Place) -> Proposal | str:
    """The last of the calls that take one dictionary of the test overrides what stands in it."""
    source, function = place.source, place.function(row.site)
    names = _spread(row.site)
    alike = [one for one in source.all(cst.Call) if place.function(one) is function]
    calls = [one for one in alike if names and _spread(one) == names]
    reason = (
        f"every row that takes its values from {source.file}:{source.lines(literal.node)[0]}"
        f" has {column.attribute} {literal.code}"
    )
    if len(calls) < 2 or function is None or f"{names[0]}[" in source.code(function):  # noqa: PLR2004 - two rows
        return reason
    if is_used_later(literal, column.attribute, place) or is_expected(source, calls[-1]):
        return reason
    value = next(one.value for one in calls[-1].args if one.star == "**")
    key = column.attribute if column.attribute in row.given else column.name
    code = _other(literal, column, place)
    text = f"{{**{names[0]}, {quoted(key, quote_of(source, literal.code))}: {code}}}"
    line = source.lines(calls[-1])[0]
    label = f"{column.attribute} {code} instead of the second {literal.code} at {source.file}:{line}"
    return Proposal(ID, label, (source.replace(value, text),), Reach.STATEMENT, _JUDGE)


def _spread(node: cst.CSTNode) -> list[str]:
    """Names of the dictionaries that a call spreads."""
    args = node.args if isinstance(node, cst.Call) else ()
    return [one.value.value for one in args if one.star == "**" and isinstance(one.value, cst.Name)]


def _changed(chosen: Literal, column: Column, place: Place) -> Proposal | str:
    if is_used_later(chosen, column.attribute, place):
        return f"the test uses {chosen.code} later: which of the two rows it means only a person knows"
    code = _other(chosen, column, place)
    line = place.source.lines(chosen.node)[0]
    label = f"{column.attribute} {code} instead of the second {chosen.code} at {place.source.file}:{line}"
    return Proposal(ID, label, (place.source.replace(chosen.node, code),), Reach.STATEMENT, _JUDGE)


def _other(chosen: Literal, column: Column, place: Place) -> str:
    if isinstance(chosen.value, int):
        number = chosen.value + 1
        while place.taken(str(number)):
            number += 1
        return str(number)
    return quoted(another(chosen.value, place.taken, length_of(column, place.tree)), chosen.code[-1])


def _each_time(target: Target, row: Row, column: Column, literal: Literal, place: Place) -> Proposal | str:
    if is_used_later(literal, column.attribute, place) or place.count(literal.code) > 1:
        return f"tests use {literal.code} in other places, too"
    loop = loop_variable(place.source, row.node)
    found = told_apart(column, row, place, loop[0] if loop else "")
    if not isinstance(found, Supply):
        return found
    (code,), imports = settled(place.source, [found.template], shadowed(place.module, target.line))
    label = f"{column.attribute} differs each time the line runs at {target.file}:{target.line}"
    edits: tuple[Edit, ...] = (*imports, place.source.replace(literal.node, code))
    return Proposal(ID, label, edits, Reach.MODULE, _JUDGE)


def _of_factory(target: Target, factory: Factory, tree: SourceTree) -> Proposal | str:
    """A constant in a factory becomes a sequence."""
    place = _place(target, factory.file, tree)
    model = place.subject.model if place is not None else None
    if place is None or model is None:
        return f"what {factory.name} makes cannot be read"
    nodes = [one for one in place.source.all(cst.ClassDef) if place.source.lines(one)[0] <= target.line]
    node = next((one for one in reversed(nodes) if one.name.value == factory.name), None)
    for column in place.subject.named if node is not None else ():
        for value in declared_values(node, column.attribute) if node is not None else ():
            literal = literal_of(value)
            if literal is None:
                continue
            if place.count(literal.code) > 1:
                return f"tests use {literal.code}, which {factory.name} gives, in other places, too"
            code = sequence(column, model, place, str(literal.value))
            if code is not None:
                (code,), imports = settled(place.source, [code])
                label = f"{factory.name} gives each row its own {column.attribute}"
                edits = (*imports, place.source.replace(value, code))
                return Proposal(ID, label, edits, Reach.SUITE, "whether no test needs the fixed value")
    return (
        f"{factory.name} declares no constant for {', '.join(one.attribute for one in place.subject.named)}"
    )


def _of_calls(target: Target, tree: SourceTree) -> Proposal | None:
    """A test hands the same literal twice to a helper or sends it twice in a form."""
    place: Place | None = None
    for test in target.tests:
        file, _, name = test.partition("::")
        function = name.partition("[")[0].rpartition("::")[2] or name.partition("[")[0]
        place = _place(target, file, tree) if file in tree.files else None
        chosen = called_twice(function, target.names.get("value", ""), place) if place is not None else None
        if (
            place is None
            or chosen is None
            or not place.subject.named
            or is_expected(place.source, chosen.node)
        ):
            continue
        found = _changed(chosen, place.subject.named[0], place)
        if isinstance(found, Proposal):
            return found
    return None


_MODELS = """\
from app import db
class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(80))
    email = db.Column(db.String(80), nullable=False, unique=True)
"""
_HEAD = "from m import User, db\n\n\ndef test_it():\n"
_EMAIL = {"model": "User", "table": "user", "column": "email", "value": "ann@example.org"}
_ID = {"model": "User", "table": "user", "column": "id", "value": "1"}
_WITH_HELPER = _HEAD.replace("def t", "def make(email):\n    db.session.add(User(email=email))\n\n\ndef t")


def _case(body: str, after: str, line: int, names: Mapping[str, str] = _EMAIL, head: str = _HEAD) -> Cured:
    before = {"m.py": _MODELS, "test_m.py": head + body}
    spot = Spot("test_m.py", line, names, ("test_m.py::test_it",))
    return Cured(before, spot, {"test_m.py": head + after})


def _left(body: str, because: str, line: int, names: Mapping[str, str] = _EMAIL) -> Untouched:
    spot = Spot("test_m.py", line, names, ("test_m.py::test_it",))
    return Untouched({"m.py": _MODELS, "test_m.py": _HEAD + body}, spot, because)


_ANN = '    one = User(email="ann@example.org")\n'
_FACTORY = (
    "import factory\nfrom m import User\n\n\nclass UserFactory(factory.alchemy.SQLAlchemyModelFactory):\n"
    "    class Meta:\n        model = User\n\n"
)
CURED: tuple[Cured, ...] = (
    _case(
        _ANN + '    two = User(email="ann@example.org")\n',
        _ANN + '    two = User(email="ann2@example.org")\n',
        6,
    ),
    _case(
        "    a = User(id=1, email='a')\n    b = User(id=1, email='b')\n",
        "    a = User(id=1, email='a')\n    b = User(id=2, email='b')\n",
        6,
        _ID,
    ),
    _case(
        "    for name in ['a', 'b']:\n        db.session.add(User(name=name, email='ann@example.org'))\n",
        "    for name in ['a', 'b']:\n"
        '        db.session.add(User(name=name, email=f"{name}@example.org"))\n',
        6,
    ),
    _case(
        "    ann = {'email': 'ann@example.org'}\n    a = User(name='a', **ann)\n    b = User(**ann)\n",
        "    ann = {'email': 'ann@example.org'}\n    a = User(name='a', **ann)\n"
        "    b = User(**{**ann, 'email': 'ann2@example.org'})\n",
        7,
    ),
    _case(
        '    make("ann@example.org")\n    make("ann@example.org")\n',
        '    make("ann@example.org")\n    make("ann2@example.org")\n',
        5,
        head=_WITH_HELPER,
    ),
    Cured(
        {"m.py": _MODELS, "tests/f.py": _FACTORY + '    email = "ann@example.org"\n'},
        Spot("tests/f.py", 9, _EMAIL),
        {"tests/f.py": _FACTORY + '    email = factory.Sequence(lambda n: f"ann{n}@example.org")\n'},
    ),
)
UNTOUCHED: tuple[Untouched, ...] = (
    _left(
        _ANN + '    two = User(email="ann@example.org")\n    assert find("ann@example.org") is two\n',
        "the test asks for it",
        6,
    ),
    _left(
        _ANN
        + '    with pytest.raises(IntegrityError):\n        db.session.add(User(email="ann@example.org"))\n',
        "the refusal is what the test is about",
        7,
    ),
    _left(_ANN, "another test left the row behind", 5),
    _left(
        _ANN + "    assert one in User.query.filter_by(email='ann@example.org')\n",
        "a question is no second row",
        5,
    ),
    _left(
        "    ann = {'email': 'ann@example.org'}\n    a = User(**ann)\n    find('ann@example.org')\n"
        "    b = User(**ann)\n",
        "the test asks for what both have",
        8,
    ),
    _left("    one = User(email=address())\n", "the value is computed", 5),
    Untouched(
        {
            "m.py": _MODELS,
            "app.py": "from m import User\ndef register():\n    return User(email='ann@example.org')\n",
        },
        Spot("app.py", 3, _EMAIL),
        "code of the product",
    ),
)
CURED = (*CURED, *helper_defaults.CURED)
UNTOUCHED = (*UNTOUCHED, *helper_defaults.UNTOUCHED)
