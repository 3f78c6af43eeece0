"""A helper's own value of a column that its callers may override, and the calls that do not."""

from dataclasses import dataclass, replace

import libcst as cst

from triage.model.fix import Target
from triage.remedies.example import Cured, Spot, Untouched
from triage.remedies.place import Place
from triage.remedies.refusals import function_of
from triage.remedies.repeated import Literal, literal_of
from triage.remedies.row_edits import is_expected
from triage.remedies.rows import Row, bindings_of, loop_variable, parameters
from triage.remedies.source import SourceFile, open_source
from triage.rules.fixtures import fixture_index
from triage.rules.models import Column
from triage.rules.syntax import arguments, calls_within, terminal


@dataclass(frozen=True, slots=True)
class Caller:
    """The last call of a test that takes the helper's `literal`; `name` is the keyword that gives another."""

    place: Place
    call: cst.Call
    column: Column
    literal: Literal
    name: str


def last_caller(target: Target, rows: list[Row], place: Place) -> Caller | None:
    """None where the test, with its fixtures, calls the helper once or gives the value itself."""
    for row in rows:
        helper = None if place.is_called_once(row.site) else place.function(row.site)
        for column in place.subject.named if helper is not None else ():
            value = row.given.get(column.attribute, row.given.get(column.name))
            known = _open(helper, value, column, place.source) if helper is not None else None
            if helper is None or known is None:
                continue
            name, literal = known
            for test in target.tests:
                found = _called(test, helper, name, place)
                if found is not None:
                    return Caller(found[0], found[1], column, literal, name)
    return None


def _open(
    helper: cst.FunctionDef, value: cst.BaseExpression | None, column: Column, source: SourceFile
) -> tuple[str, Literal] | None:
    """The keyword by which a caller gives the value, and what the helper takes without it."""
    own = parameters(helper)
    if isinstance(value, cst.Name) and value.value in own and not bindings_of(source, helper, value.value):
        literal = literal_of(own[value.value].default)
        return (value.value, literal) if literal is not None else None
    literal, extra = literal_of(value), helper.params.star_kwarg
    if literal is None or extra is None:
        return None
    element = source.parents[literal.node]
    around = source.parents.get(element) if isinstance(element, cst.DictElement) else None
    bound = source.parents.get(around) if around is not None else None
    names = [one.target for one in bound.targets] if isinstance(bound, cst.Assign) else []
    code = source.code(helper)
    is_updated = any(f"{source.code(one)}.update({extra.name.value})" in code for one in names)
    spread = f"**{extra.name.value}"
    is_spread = isinstance(around, cst.Dict) and source.code(around.elements[-1]) == spread
    return (column.attribute, literal) if is_updated or is_spread else None


def _called(test: str, helper: cst.FunctionDef, name: str, place: Place) -> tuple[Place, cst.Call] | None:
    found = function_of(test, place.tree)
    if found is None:
        return None
    module, node = found
    source = open_source(place.tree, module.path)
    mine = replace(place, source=source, module=module)
    first, last = node.lineno, node.end_lineno or node.lineno
    calls = [
        one
        for one in source.all(cst.Call)
        if first <= source.lines(one)[0] <= last
        and source.code(one.func).rpartition(".")[2] == helper.name.value
        and not _gives(one, helper, name)
    ]
    fixtures = fixture_index(place.tree).closure(arguments(node), module.path)
    others = [
        call
        for one in fixtures
        for call in calls_within(one.node)
        if terminal(call) == helper.name.value and name not in {each.arg for each in call.keywords}
    ]
    if not calls or len(calls) + len(others) < 2:  # noqa: PLR2004 - two rows
        return None
    is_plain = loop_variable(source, calls[-1]) is None and not is_expected(source, calls[-1])
    return (mine, calls[-1]) if is_plain else None


def _gives(call: cst.Call, helper: cst.FunctionDef, name: str) -> bool:
    names = list(parameters(helper))
    plain = [one for one in call.args if one.keyword is None and not one.star]
    by_place = name in names and names.index(name) < len(plain)
    by_name = any(one.keyword is not None and one.keyword.value == name for one in call.args)
    return by_place or by_name or any(one.star for one in call.args)


_USER = (
    "from app import db\nclass User(db.Model):\n    id = db.Column(db.Integer, primary_key=True)\n"
    "    email = db.Column(db.String(80), nullable=False, unique=True)\n"
)
_BY_KEYWORDS = (
    "from m import User\n\n\ndef make(session, **extra):\n    values = {'email': 'ann@example.org'}\n"
    "    values.update(extra)\n    session.add(User(**values))\n"
)
_BY_NAME = (
    "from m import User\n\n\ndef make(session, email='ann@example.org'):\n"
    "    session.add(User(email=email))\n"
)
_TWICE = "from tests.support import make\n\n\ndef test_it(session):\n    make(session)\n    make(session%s)\n"
_ONCE = _TWICE.replace("    make(session)\n", "", 1)
_OWN = ", email='ann2@example.org'"


def _spot(line: int) -> Spot:
    names = {"model": "User", "table": "user", "column": "email", "value": "ann@example.org"}
    return Spot("tests/support.py", line, names, ("tests/test_m.py::test_it",))


def _files(helper: str, test: str) -> dict[str, str]:
    return {"m.py": _USER, "tests/support.py": helper, "tests/test_m.py": test}


CURED: tuple[Cured, ...] = (
    Cured(_files(_BY_KEYWORDS, _TWICE % ""), _spot(7), {"tests/test_m.py": _TWICE % _OWN}),
    Cured(_files(_BY_NAME, _TWICE % ""), _spot(5), {"tests/test_m.py": _TWICE % _OWN}),
)
UNTOUCHED: tuple[Untouched, ...] = (
    Untouched(_files(_BY_KEYWORDS, _ONCE % ""), _spot(7), "the test makes one row: another left the other"),
    Untouched(_files(_BY_NAME, _TWICE % ", email='ann@example.org'"), _spot(5), "the test names the value"),
)
