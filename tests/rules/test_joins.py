"""What the shipped playbooks capture, joined with what the rules find."""

from pathlib import Path

import pytest
import re2

from tests.builders import frame, problem, raised
from tests.rules.trees import tree_of
from triage.rules.lookup import Lookup
from triage.yamlfile import read_yaml

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
FROZEN = """\
import uuid
from datetime import datetime
from app import db
class Article(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    slug = db.Column(db.String(8), unique=True, default=str(uuid.uuid4())[:8])
    email = db.Column(db.String(80), unique=True)
"""
TEST = "def test_it(session):\n    session.flush()\n"
ASKED = problem(raised("E", "no", frame("test_it.py", 2, "test_it", kind="test")))


def captured(playbook: str, message: str) -> dict[str, str]:
    """Of the first symptom that fits."""
    symptoms = read_yaml(PLAYBOOKS / f"{playbook}.yaml").data["symptoms"]
    found = (re2.search(one["message"], message) for one in symptoms if "message" in one)
    match = next((one for one in found if one), None)
    return {key: text for key, text in match.groupdict().items() if text} if match else {}


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("UNIQUE constraint failed: article.slug", 6),
        ('duplicate key value violates unique constraint "article_slug_key"', 6),
        ('duplicate key value violates unique constraint "article_email_key"', None),
        ("UNIQUE constraint failed: article.email", None),
        ("Duplicate entry 'ab12' for key 'article.slug'", 6),
    ],
)
def test_a_default_of_import_time_is_why_a_value_comes_twice(
    tmp_path: Path, message: str, line: int | None
) -> None:
    lookup = Lookup(tree_of(tmp_path, {"m.py": FROZEN, "test_it.py": TEST}))
    rules = read_yaml(PLAYBOOKS / "unique-violation.yaml").data["diagnose"]["rules"]
    names = {"table": "article", **captured("unique-violation", message)}
    found = lookup.near(rules, ASKED, names)
    assert (found and found.line) == line


@pytest.mark.parametrize(
    "shown",
    [
        "<tests.m.Article object at 0x7f>.created",
        "<Article 3>.created",
        "<tests.m.Test.Article.<locals>.Article object at 0x7f>.created",
        "<m.make.<locals>.Article object at 0x7f>.created",
    ],
)
def test_the_model_is_the_last_name_of_what_the_assertion_shows(shown: str) -> None:
    message = f"assert 1 == 2\n +  where 1 = {shown}"
    assert captured("evaluated-default", message) == {"model": "Article", "column": "created"}


SHOP = """\
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
class Base(DeclarativeBase): ...
class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    lines: Mapped[list["Line"]] = relationship()
class Line(Base):
    __tablename__ = "lines"
    id: Mapped[int] = mapped_column(primary_key=True)
class Orders:
    def by_key(self, key):
        with self.maker() as session:
            return session.get(Order, key)
def total(orders, key):
    return orders.by_key(key)
"""
ORDERS = """\
def test_near(orders):
    assert orders.by_key(1).lines == []
def test_far(orders):
    assert total(orders, 1).lines == []
def test_none(orders, order):
    assert order.lines == []
"""


@pytest.mark.parametrize(("line", "expected"), [(2, True), (4, True), (6, False)])
def test_a_detached_object_comes_from_a_function_that_the_test_reaches(
    tmp_path: Path, line: int, *, expected: bool
) -> None:
    lookup = Lookup(tree_of(tmp_path, {"shop.py": SHOP, "test_orders.py": ORDERS}))
    message = (
        "Parent instance <Order at 0x7f0a> is not bound to a Session; lazy load operation of attribute "
        "'lines' cannot proceed"
    )
    names = captured("detached-instance", message)
    asked = problem(raised("E", message, frame("test_orders.py", line, "test", kind="test")))
    assert lookup.has_near("fixture-returns-orm-object", asked, names) is expected
