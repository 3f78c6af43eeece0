"""A one-way relationship gets its other side, and a collection becomes a query, only where ordered."""

from collections.abc import Mapping
from pathlib import Path

from tests.probes.mapped_models import CLASSIC, MANY, STYLES, in_each_style, package, suffix
from tests.probes.second import Order, Seen, line_of, order, second_pass

TESTS = """
from sqlalchemy import select
from shop.models import Owner, Pet

def test_attribute(session):
    owner = Owner(name="a", pets=[Pet(name="b")])
    session.add(owner)
    session.commit()
    assert owner.pets[0].master is owner

def test_keyword(session):
    pet = Pet(master=Owner(name="a"))
    assert pet.master.pets == [pet]

def test_filter(session):
    assert session.scalars(select(Pet).filter_by(master=None)).all() == []

def test_class(session):
    assert session.scalars(select(Pet).join(Pet.master)).all() == []
"""
QUERIES = """
from shop.models import Owner, Pet

def test_query(session):
    owner = Owner(name="a", pets=[Pet(name="b"), Pet(name="c")])
    session.add(owner)
    session.commit()
    assert owner.pets.count() == 2
    assert owner.pets.filter_by(name="b").one().name == "b"
"""
MANY_TESTS = (
    "from shop.models import Owner, Pet\n\ndef test_many():\n    assert Pet(owners=[Owner()]).owners\n"
)
PROJECT: Mapping[str, str] = {
    **in_each_style("side", TESTS),
    **package("named", CLASSIC.replace('"Pet")', '"Pet", back_populates="master")'), TESTS),
    **package("many", MANY, MANY_TESTS),
    **package("query", CLASSIC, QUERIES),
    **package("list", CLASSIC, QUERIES),
}
STYLED = [f"side_{style}" for style in STYLES]


def at(name: str, shift: int = 0, **more: str) -> Order:
    file = f"{name}/models.py"
    owner, pet = f"Owner{suffix(name)}", f"Pet{suffix(name)}"
    names = {"model": pet, "attribute": "master", "other": owner, "relationship": f"{owner}.pets", **more}
    return order("add-relationship", file, line_of(PROJECT, file, "# one way") + shift, **names)


def run(folder: Path, shift: int) -> Seen:
    orders = [at(name, shift) for name in (*STYLED, "named", "list")]
    orders += [at("many", shift, attribute="owners"), at("query", shift, lazy="dynamic")]
    seen = second_pass(folder, PROJECT, "--tb=no", orders=orders)
    assert seen.errors() == []
    return seen


def ended(seen: Seen, outcome: str) -> set[str]:
    """Files of the tests that all ended so."""
    found: dict[str, set[str]] = {}
    for record in seen.records.of("done"):
        found.setdefault(record["id"].partition("/")[0], set()).add(record["o"])
    return {name for name, outcomes in found.items() if outcomes == {outcome}}


def test_the_other_side_is_there_in_every_use(tmp_path: Path) -> None:
    seen = run(tmp_path, 0)
    assert ended(seen, "passed") == {*STYLED, "named", "many", "query"}
    assert ended(seen, "failed") == {"list"}
    told = {one["text"] for one in seen.applied("test_query")}
    assert "PetSideClassic.master is the other side" in told
    assert "PetQuery.master is the other side; pets is a query" in told


def test_another_line_changes_nothing(tmp_path: Path) -> None:
    seen = run(tmp_path, -1)
    assert ended(seen, "failed") == {*STYLED, "named", "many", "query", "list"}
    assert seen.applied() == []
