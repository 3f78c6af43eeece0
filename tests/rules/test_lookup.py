"""What the source of a project says of a failure."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.builders import frame, problem, raised
from tests.rules.trees import tree_of
from triage.model.finding import Finding
from triage.rules.lookup import Lookup
from triage.rules.source import SourceTree

MODELS = """\
import datetime
from sqlalchemy import Column, DateTime, Integer
from sqlalchemy.orm import declarative_base

Base = declarative_base()


class Post(Base):
    __tablename__ = "posts"
    id = Column(Integer, primary_key=True)
    at = Column(DateTime, default=datetime.datetime.now())


def inner():
    raise ValueError


def make(session):
    session.add(Post())
    inner()
    session.add(Post())


def make_other():
    other()
    return None
"""


@pytest.fixture
def lookup(tmp_path: Path) -> Lookup:
    return Lookup(
        tree_of(tmp_path, {"models.py": MODELS, "odd.py": "a = '\u2028'\n\x0cb = 1\r\nc = '\x1b'\n\xff"})
    )


def test_rules_are_asked_for_by_their_ids_and_unknown_ones_give_nothing(lookup: Lookup) -> None:
    assert [one.line for one in lookup.findings(["evaluated-default", "no-such-rule"])] == [11]
    assert lookup.findings(one for one in ("evaluated-default",)) == lookup.findings(["evaluated-default"])
    assert lookup.findings(()) == ()


def test_each_rule_runs_at_most_once(lookup: Lookup, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def find_all(tree: SourceTree, rules: Iterable[str]) -> tuple[Finding, ...]:
        asked.extend(rules)
        return ()

    monkeypatch.setattr("triage.rules.lookup.find_all", find_all)
    for _ in range(3):
        lookup.findings(["evaluated-default"])
    assert asked == ["evaluated-default"]


def test_a_finding_belongs_to_the_failure_that_names_its_column(lookup: Lookup) -> None:
    one = problem(raised("E", "no", frame("models.py", 19, "make")))
    near = lookup.near(["evaluated-default"], one, {"table": "posts", "column": "at"})
    assert near
    assert near.line == 11
    assert lookup.has_near("evaluated-default", one, {"table": "posts", "column": "at"})
    assert not lookup.has_near("evaluated-default", one, {"table": "users", "column": "at"})
    assert not lookup.has_near("no-such-rule", one, {})


@pytest.mark.parametrize("names", [{"table": "posts"}, {"model": "Post"}])
def test_the_constructor_is_the_last_call_before_the_failure(lookup: Lookup, names: dict[str, str]) -> None:
    frames = (frame("models.py", 20, "make"), frame("models.py", 15, "inner"))
    assert lookup.constructor(problem(raised("E", "no", *frames)), names) == ("models.py", 19, "Post")
    last = problem(raised("E", "no", frame("models.py", 21, "make")))
    assert lookup.constructor(last, names) == ("models.py", 21, "Post")


@pytest.mark.parametrize("names", [{}, {"table": "nothing"}, {"table": ""}, {"model": "Other"}])
def test_without_a_known_model_there_is_no_constructor(lookup: Lookup, names: dict[str, str]) -> None:
    one = problem(raised("E", "no", frame("models.py", 21, "make")))
    assert lookup.constructor(one, names) is None


def test_lines_are_counted_as_python_counts_them_and_hold_no_control_character(lookup: Lookup) -> None:
    assert lookup.line("odd.py", 2) == "b = 1"
    assert lookup.line("odd.py", 3) == "c = '#x1B'"
    assert lookup.line("models.py", 9) == '__tablename__ = "posts"'
    assert [lookup.line("models.py", number) for number in (0, -1, 999)] == ["", "", ""]
    assert lookup.line("gone.py", 1) == ""


PEOPLE = """\
from factory.alchemy import SQLAlchemyModelFactory
from sqlalchemy import Column, Integer, String
from sqlalchemy.orm import declarative_base

Base = declarative_base()


class Person(Base):
    __tablename__ = "people"
    id = Column(Integer, primary_key=True)
    name = Column(String)
    email = Column(String, nullable=False)


class PersonFactory(SQLAlchemyModelFactory):
    class Meta:
        model = Person

    email = None


class NamedFactory(PersonFactory):
    name = "x"


class FullFactory(PersonFactory):
    email = "a@b.c"


def test_two(session):
    session.add(Person(name="Ann"))
    session.add(Person(name="Bob", email="b"))
    session.add(Person(name=computed()))
    session.commit()


def test_factory(session):
    NamedFactory()


def test_given(session):
    NamedFactory(email=other())


def test_full(session):
    FullFactory()
"""


@pytest.mark.parametrize(
    ("line", "parameters", "expected"),
    [
        (34, " [parameters: ('Ann', None)]", (31, "Person")),
        (34, " [parameters: {'name': 'Bob', 'email': 'b'}]", (32, "Person")),
        (34, " [parameters: ('Annie', None)]", (33, "Person")),
        (34, "", (33, "Person")),
        (38, "", (19, "PersonFactory")),
        (42, "", (42, "NamedFactory")),
        (46, "", (46, "FullFactory")),
    ],
)
def test_the_constructor_is_that_of_the_row_that_the_statement_shows(
    tmp_path: Path, line: int, parameters: str, expected: tuple[int, str]
) -> None:
    lookup = Lookup(tree_of(tmp_path, {"test_p.py": PEOPLE}))
    one = problem(raised("E", f"failed{parameters}", frame("test_p.py", line, "test_it", kind="test")))
    assert lookup.constructor(one, {"table": "people", "column": "email"}) == ("test_p.py", *expected)
