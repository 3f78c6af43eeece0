"""A foreign key is declared at the ordered column while the tables are made, and nowhere else."""

from collections.abc import Mapping
from pathlib import Path

from tests.probes.mapped_models import (
    CLASSIC,
    LINKS,
    MANY,
    STYLES,
    in_each_style,
    package,
    suffix,
    without_key,
)
from tests.probes.second import Order, Seen, line_of, order, second_pass

TESTS = """
from sqlalchemy import create_engine, inspect
from shop.models import Base, Owner, Pet

def test_objects():
    assert Owner(pets=[Pet()]).pets

def test_tables():
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    (key,) = inspect(engine).get_foreign_keys("pets")
    engine.dispose()
    assert key["referred_table"] == "owners"

def test_null():
    assert Pet.__table__.c.owner_id.nullable
"""
MANY_TESTS = "from shop.models import Owner, Pet\n\ndef test_many():\n    assert Owner(pets=[Pet()]).pets\n"
PROJECT: Mapping[str, str] = {
    **in_each_style("key", TESTS, keyed=False),
    **package("refusing", without_key(CLASSIC), TESTS),
    **package("many", MANY.replace(LINKS, LINKS.replace('ForeignKey("pets.id")', "Integer")), MANY_TESTS),
}
STYLED = [f"key_{style}" for style in STYLES]
NAMES = {"table": "pets", "column": "owner_id", "target": "owners.id"}
LINK = {"model": "links", "table": "links", "column": "pet_id", "target": "pets.id"}


def at(name: str, text: str, **more: str) -> Order:
    file = f"{name}/models.py"
    names = {**NAMES, "model": f"Pet{suffix(name)}", **more}
    return order("add-foreign-key", file, line_of(PROJECT, file, text), **names)


def run(folder: Path, *orders: Order) -> Seen:
    seen = second_pass(folder, PROJECT, "--tb=no", orders=orders)
    assert seen.errors() == []
    return seen


def outcomes(seen: Seen) -> dict[str, str]:
    """Package and test, and how it ended."""
    done = [(record["id"], record["o"]) for record in seen.records.of("done")]
    return {f"{test.partition('/')[0]}.{test.rpartition('::')[2]}": outcome for test, outcome in done}


def test_the_relationship_joins_and_the_table_has_the_key(tmp_path: Path) -> None:
    orders = [at(style, "# the key") for style in STYLED]
    orders += [at("refusing", "# the key", nullable="false"), at("many", '"pet_id"', **LINK)]
    seen = run(tmp_path, *orders)
    failed = [test for test, outcome in outcomes(seen).items() if outcome != "passed"]
    assert failed == ["refusing.test_null"]
    told = {one["text"] for one in seen.applied("test_tables")}
    assert told == {
        "pets.owner_id is a foreign key to owners.id",
        "pets.owner_id is a foreign key to owners.id, pets.owner_id takes no NULL",
        "links.pet_id is a foreign key to pets.id",
    }


def test_another_line_changes_nothing(tmp_path: Path) -> None:
    orders = [at(style, text) for style in STYLED for text in ("class Pet", "# one way", 'name__ = "pets"')]
    seen = run(tmp_path, *orders, at("many", "# one way", **LINK))
    passed = {test for test, outcome in outcomes(seen).items() if outcome == "passed"}
    assert passed == {f"{name}.test_null" for name in (*STYLED, "refusing")}
    assert seen.applied() == []
