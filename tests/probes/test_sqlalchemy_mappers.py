"""The observer finds the line of the model that a failure is about, and blames no other."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.probes.mapped_models import (
    CLASSIC,
    DEFAULTS,
    LINKS,
    MANY,
    STYLES,
    THROUGH,
    in_each_style,
    package,
    suffix,
    without_key,
)
from tests.probes.second import Seen, line_of, second_pass

KEY_TESTS = """
from shop.models import Owner, Pet

def test_first():
    Pet(name="a")

def test_every_later():
    Owner(name="b")
"""
SIDE_TESTS = """
from sqlalchemy import select
from shop.models import Owner, Pet

def test_attribute(session):
    owner, pet = Owner(name="a"), Pet(name="b")
    assert pet.master is owner

def test_keyword(session):
    assert Pet(master=Owner())

def test_filter(session):
    session.scalars(select(Pet).filter_by(owner=None)).all()

def test_class(session):
    select(Pet).where(Pet.owner == None)

def test_chain(session):
    pet = Pet(name="b")
    assert pet.master.pets == []

def test_fine(session):
    session.add(Pet(name="b"))
    session.commit()

def test_misspelt(session):
    assert Pet(name="b").nmae == "b"

def test_foreign_object(session):
    assert Pet(master=object())
"""
JOIN_TESTS = """
from sqlalchemy import join
from shop.models import Owner, Pet

def test_join():
    str(join(Owner.__table__, Pet.__table__))
"""
REFUSED_TESTS = """
import pytest
from sqlalchemy.exc import IntegrityError
from shop.models import Owner, Pet

def test_refused(session):
    session.add(Pet(name="a"))
    with pytest.raises(IntegrityError):
        session.commit()

def test_another(session):
    session.add(Pet(name="a", owner_id=1))
    with pytest.raises(IntegrityError):
        session.commit()
"""
QUERY_TESTS = """
from shop.models import Owner, Pet

def test_count(session):
    owner, pet = Owner(name="a"), Pet(name="b")
    assert owner.pets.count() == 0
    assert pet.master is owner

def test_filtered(session):
    owner = Owner(name="a")
    owner.pets.filter_by(name="b")

def test_list(session):
    rows = Owner(name="a").pets
    assert rows.count(None) == 1
"""
THROUGH_TESTS = """
from shop.models import Owner, Pet

def test_key(session):
    assert Pet(name="b").payer is None

def test_far(session):
    assert Owner(name="b").cared.name
"""
STRANGE_TESTS = """
from shop.models import Owner, Pet

def test_strange():
    assert Pet(master=object())
"""
DEFAULT_TESTS = """
import warnings
import pytest
from shop.models import Note, Ticket

@pytest.fixture
def notes(session):
    notes = [Note(), Note()]
    session.add_all(notes)
    session.commit()
    return notes

@pytest.mark.parametrize("name", ["made", "zoned", "named", "token", "key", "epoch", "word", "size", "flag"])
def test_equal(notes, name):
    first, second = notes
    assert getattr(first, name) != getattr(second, name)

def test_called(notes):
    assert str(notes[0].called) == ""

def test_updated(session, notes):
    notes[0].flag = 1
    session.commit()
    assert notes[0].changed is None

def test_shared(session, notes):
    first = Note()
    session.add(first)
    session.flush()
    first.tags.append("x")
    second = Note()
    session.add(second)
    session.commit()
    assert second.tags == []

def test_order(session, notes):
    found = session.query(Note).order_by(Note.made.desc()).all()
    assert [note.id for note in found] == [2, 1]

def test_hidden(session):
    note = Note()
    session.add(note)
    session.commit()
    assert note.made.year == 1999

def test_unique(session):
    session.add(Ticket())
    session.commit()
    session.add(Ticket())
    session.commit()
"""
JOINED = "\n".join(line for line in without_key(CLASSIC).splitlines() if "one way" not in line)
UNLIKE = without_key(CLASSIC).replace("owner_id", "whose")
PROJECT: Mapping[str, str] = {
    **in_each_style("key", KEY_TESTS, keyed=False),
    **in_each_style("side", SIDE_TESTS),
    **package("named", CLASSIC.replace('"Pet")', '"Pet", back_populates="master")'), KEY_TESTS),
    **package("both", CLASSIC.replace('"Pet")', '"Pet", backref="keeper")'), SIDE_TESTS),
    **in_each_style("unlike", KEY_TESTS, keyed=False, rename=("owner_id", "whose")),
    **package("unclear", UNLIKE + "    age = Column(Integer)  # age\n", KEY_TESTS),
    **package("unheld", UNLIKE.replace("Column(Integer)  #", "Column(Integer, default=1)  #"), KEY_TESTS),
    **package("through", THROUGH, THROUGH_TESTS),
    **package("many", MANY.replace(LINKS, LINKS.replace('ForeignKey("pets.id")', "Integer")), KEY_TESTS),
    **package("joined", JOINED, JOIN_TESTS),
    **package("refused", CLASSIC, REFUSED_TESTS),
    **package("query", CLASSIC, QUERY_TESTS),
    **package("strange", CLASSIC, STRANGE_TESTS),
    **package("defaults", DEFAULTS, DEFAULT_TESTS),
}


@dataclass(frozen=True, slots=True)
class Case:
    """What was seen of the tests of one package."""

    name: str
    seen: Seen

    def line(self, text: str) -> int:
        return line_of(PROJECT, f"{self.name}/models.py", text)

    def causes(self) -> dict[str, int]:
        """Line by name of test; all stand in the models of the package."""
        found = [one for one in self.seen.records.of("observed") if one["id"].startswith(f"{self.name}/")]
        assert {one["cause"]["file"] for one in found} <= {f"{self.name}/models.py"}
        return {one["id"].partition("::")[2]: one["cause"]["line"] for one in found}

    def one(self, test: str) -> dict[str, Any]:
        test = f"{self.name}/test_{self.name}.py::{test}"
        (found,) = [one for one in self.seen.records.of("observed") if one["id"] == test]
        return found

    def names(self, test: str) -> dict[str, str]:
        """Names as the models were written, before their package was put into them."""
        end = suffix(self.name)
        return {name: value.replace(end, "") for name, value in self.one(test)["names"].items()}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return second_pass(tmp_path_factory.mktemp("seen"), PROJECT, "--tb=no", observers=["sqlalchemy-mappers"])


@pytest.mark.parametrize("style", STYLES)
def test_a_missing_key_is_the_column_that_should_carry_it(seen: Seen, style: str) -> None:
    case = Case(f"key_{style}", seen)
    for name in ("test_first", "test_every_later"):
        assert case.names(name) == {
            "model": "Pet",
            "table": "pets",
            "column": "owner_id",
            "attribute": "owner_id",
            "target": "owners.id",
            "relationship": "Owner.pets",
        }
        found, line, one_way = case.one(name), case.line("# the key"), case.line("# one way")
        assert found["cause"]["symbol"].endswith(".owner_id")
        assert found["facts"] == {"missing_foreign_key": True}
        told = [(one["kind"], one["line"]) for one in found["evidence"]]
        assert told == [("column", line), ("relationship", one_way), ("mapper", one_way)]
        assert ".pets - there are no foreign keys" in found["evidence"][2]["text"]
    assert case.causes() == dict.fromkeys(("test_first", "test_every_later"), line)


@pytest.mark.parametrize("style", STYLES)
def test_the_only_column_of_a_fitting_kind_is_the_cause_whatever_its_name(seen: Seen, style: str) -> None:
    case = Case(f"unlike_{style}", seen)
    assert case.causes() == dict.fromkeys(("test_first", "test_every_later"), case.line("# the key"))
    names = case.names("test_every_later")
    assert (names["model"], names["column"], names["target"]) == ("Pet", "whose", "owners.id")
    assert [one["line"] for one in case.one("test_first")["others"]] == [case.line("# one way")]


@pytest.mark.parametrize(("name", "others"), [("unclear", ("# the key", "# age")), ("unheld", ())])
def test_without_one_column_that_fits_it_is_the_relationship(
    seen: Seen, name: str, others: tuple[str, ...]
) -> None:
    case = Case(name, seen)
    assert case.causes() == dict.fromkeys(("test_first", "test_every_later"), case.line("# one way"))
    assert case.names("test_first") == {"model": "Owner", "target": "Pet", "relationship": "Owner.pets"}
    found = [one["line"] for one in case.one("test_first")["others"]]
    assert found == [case.line(text) for text in others]


def test_a_table_between_two_models_lacks_a_key(seen: Seen) -> None:
    case = Case("many", seen)
    assert case.causes()["test_every_later"] == case.line('"pet_id"')
    assert case.names("test_every_later") == {
        "model": "links",
        "table": "links",
        "column": "pet_id",
        "target": "pets.id",
        "relationship": "Owner.pets",
    }


def test_a_join_of_two_tables_lacks_a_key(seen: Seen) -> None:
    case = Case("joined", seen)
    assert case.causes() == {"test_join": case.line("# the key")}


def test_a_row_that_was_to_be_refused_for_want_of_a_key(seen: Seen) -> None:
    case = Case("refused", seen)
    assert case.causes() == {"test_refused": case.line("# the key")}
    assert case.one("test_refused")["facts"] == {"nullable_key": True}
    assert case.names("test_refused")["nullable"] == "false"


@pytest.mark.parametrize("style", STYLES)
def test_a_missing_side_is_the_one_way_relationship(seen: Seen, style: str) -> None:
    case = Case(f"side_{style}", seen)
    shown = ("test_attribute", "test_keyword", "test_filter", "test_class", "test_chain")
    # once a comparison has shown what `master` leads to, any value given for it is about that
    assert case.causes() == dict.fromkeys((*shown, "test_foreign_object"), case.line("# one way"))
    names = {"model": "Pet", "attribute": "master", "other": "Owner", "relationship": "Owner.pets"}
    assert case.names("test_attribute") == names
    assert case.names("test_filter") == {**names, "attribute": "owner"}
    found = case.one("test_attribute")
    assert found["facts"] == {"missing_relationship": True, "collection_as_query": False}
    assert [one["kind"] for one in found["evidence"]] == ["relationship", "column", "touched"]


def test_a_way_back_through_another_table_is_not_the_other_side(seen: Seen) -> None:
    case = Case("through", seen)
    assert case.causes() == {"test_key": case.line("# one way")}
    assert case.names("test_key")["attribute"] == "payer"


@pytest.mark.parametrize("name", ["strange", "both"])
def test_no_relationship_is_blamed_for_what_none_should_give(seen: Seen, name: str) -> None:
    assert Case(name, seen).causes() == {}


def test_a_back_populates_that_names_nothing(seen: Seen) -> None:
    case = Case("named", seen)
    assert case.causes() == dict.fromkeys(("test_first", "test_every_later"), case.line("# one way"))
    names = case.names("test_every_later")
    assert (names["model"], names["attribute"]) == ("Pet", "master")


def test_a_collection_that_is_used_as_a_query(seen: Seen) -> None:
    case = Case("query", seen)
    assert case.causes() == dict.fromkeys(("test_count", "test_filtered"), case.line("# one way"))
    for name in ("test_count", "test_filtered"):
        names = case.names(name)
        assert (names["lazy"], names["attribute"]) == ("dynamic", "master")
        facts = case.one(name)["facts"]
        assert facts == {"missing_relationship": True, "collection_as_query": True}


def test_a_value_that_was_computed_at_import_is_named_where_a_failure_shows_it(seen: Seen) -> None:
    case = Case("defaults", seen)
    assert case.causes() == {
        "test_equal[made]": case.line("# naive"),
        "test_equal[zoned]": case.line("# zoned"),
        "test_equal[named]": case.line("# named"),
        "test_equal[token]": case.line("token = Column("),
        "test_equal[key]": case.line("# uuid"),
        "test_updated": case.line("# update"),
        "test_shared": case.line("# shared"),
        "test_order": case.line("# naive"),
        "test_hidden": case.line("# naive"),
        "test_unique": case.line("# code"),
    }
    found = case.one("test_unique")
    assert found["cause"]["symbol"] == "Ticket.code"
    names = found["names"]
    assert (names["model"], names["table"], names["column"]) == ("Ticket", "tickets", "code")
    assert found["facts"] == {"evaluated_default": True, "shown_by": "message"}
    assert names["value"] in found["evidence"][1]["text"]
    assert case.one("test_order")["facts"]["shown_by"] == "rows"


def test_outcomes_are_the_same_without_it_and_nothing_goes_wrong_in_it(seen: Seen, tmp_path: Path) -> None:
    bare = second_pass(tmp_path, PROJECT, "--tb=no").records.outcomes()
    assert seen.errors() == []
    assert seen.records.outcomes() == bare
    assert set(bare.values()) == {"failed", "passed"}
