"""`supply-value`: a failure goes with the order at its line, and stays with one a line above."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from tests.probes.second import Order, Seen, line_of, order, second_pass
from tests.probes.supply_project import SOURCES


@dataclass(frozen=True, slots=True)
class Case:
    """A test of the project above, whose name stands on the line of its order."""

    name: str
    violation: str
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def line(self) -> int:
        return line_of(SOURCES, "test_it.py", "# " + self.name)

    def order(self, above: int = 0) -> Order:
        tests = [f"test_it.py::{self.name}"]
        names = {"violation": self.violation, **self.names}
        return order("supply-value", "test_it.py", self.line - above, tests, **names)


ALL = [
    Case("test_a_missing_value_is_supplied", "not-null", {"model": "User"}),
    Case("test_every_type_gets_a_value", "not-null"),
    Case("test_the_object_at_hand_by_its_relationship", "not-null", {"columns": "team_id"}),
    Case("test_the_object_at_hand_without_a_relationship", "not-null", {"columns": "team_id"}),
    Case("test_the_object_of_another_session", "not-null"),
    Case("test_a_new_parent_where_there_is_none", "not-null"),
    Case("test_a_parent_that_is_there_comes_first", "not-null"),
    Case("test_a_related_object_is_left_alone", "not-null"),
    Case("test_a_value_is_not_taken_away", "not-null", {"model": "User", "columns": "users.email"}),
    Case("test_a_relationship_is_not_taken_away", "not-null"),
    Case("test_a_parent_that_is_lost_by_its_collection", "not-null", {"model": "Task"}),
    Case("test_a_factory_that_is_told_the_wrong_value", "not-null", {"model": "User"}),
    Case("test_a_taken_value_becomes_another", "unique"),
    Case("test_one_column_of_a_pair_is_enough", "unique", {"columns": "team_id, nick"}),
    Case("test_a_parent_that_has_expired", "unique", {"columns": "team_id, nick"}),
    Case("test_a_pair_of_keys_gets_a_new_parent", "unique"),
    Case("test_a_taken_key_becomes_another", "unique", {"columns": "id"}),
    Case("test_an_index_over_an_expression", "unique", {"columns": "text"}),
    Case("test_a_number_that_is_too_small", "check"),
    Case("test_two_columns_in_the_wrong_order", "check", {"constraint": "in_order"}),
    Case("test_a_check_within_a_column", "check", {"constraint": "size > 0"}),
    Case("test_a_text_of_the_wrong_length", "check"),
    Case("test_a_word_that_is_none_of_the_words", "check", {"columns": "kind"}),
    Case("test_two_columns_that_are_both_wrong", "check"),
    Case("test_a_key_of_nothing_is_replaced", "foreign-key", {"columns": "team_id"}),
]


def of_factory(site: str, text: str, **names: str) -> Order:
    line = line_of(SOURCES, "factories.py", text)
    return order("supply-value", "factories.py", line, [f"test_it.py::test_factory[{site}]"], **names)


def others() -> list[Order]:
    made, core = (line_of(SOURCES, "test_it.py", text) for text in ("return User()", "values(name="))
    return [
        of_factory("class", "class UserFactory", model="User"),
        of_factory("name", 'name = "Ann"'),
        of_factory("email", "email = None", model="models.User"),
        order("supply-value", "test_it.py", made, ["test_it.py::test_others[2]"]),
        order("supply-value", "test_it.py", core, ["test_it.py::test_core"]),
        of_default(),
    ]


def of_default(above: int = 0) -> Order:
    line = line_of(SOURCES, "badges.py", "# one default") - above
    names = {"violation": "unique", "model": "Badge", "column": "code", "default": "'none'"}
    return order("supply-value", "badges.py", line, ["test_it.py::test_one_default_for_all"], **names)


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    orders = [case.order() for case in ALL] + others()
    return second_pass(tmp_path_factory.mktemp("right"), SOURCES, "--tb=no", orders=orders)


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    orders = [case.order(above=1) for case in ALL]
    orders += [of_factory("class", "class Base"), of_factory("name", 'name = "Ann"', model="Task")]
    orders += [of_default(above=1)]
    return second_pass(tmp_path_factory.mktemp("beside"), SOURCES, "--tb=no", orders=orders)


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_the_failure_goes_with_the_order_at_its_line(right: Seen, case: Case) -> None:
    """What the object must be like afterwards is asserted by the project's test itself."""
    assert right.outcome(case.name) == "passed", right.messages(case.name)
    (applied,) = right.applied(case.name)
    assert (applied["file"], applied["line"]) == ("test_it.py", case.line)


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_the_failure_stays_with_the_order_a_line_above(beside: Seen, case: Case) -> None:
    assert (beside.outcome(case.name), beside.applied(case.name)) == ("failed", [])


def test_nothing_goes_wrong_inside(right: Seen, beside: Seen) -> None:
    assert (right.errors(), beside.errors()) == ([], [])


def test_what_was_changed_is_told(right: Seen) -> None:
    (supplied,) = right.applied("test_a_missing_value_is_supplied")
    assert re.fullmatch(r"User: email = '\w+@example\.org'", supplied["text"])
    (kept,) = right.applied("test_a_value_is_not_taken_away")
    assert kept["text"] == "User.email keeps its value"


@pytest.mark.parametrize("site", ["class", "name", "email"])
def test_a_factory_is_a_site_by_its_class_and_its_declarations(right: Seen, beside: Seen, site: str) -> None:
    assert right.outcome(f"test_factory[{site}]") == "passed", right.messages(f"test_factory[{site}]")
    assert len(right.applied(f"test_factory[{site}]")) == 1
    assert beside.outcome(f"test_factory[{site}]") == "failed"


def test_a_column_with_one_default_is_a_site(right: Seen, beside: Seen) -> None:
    assert right.outcome("test_one_default_for_all") == "passed", right.messages("test_one_default_for_all")
    assert len(right.applied("test_one_default_for_all")) == 1
    assert beside.outcome("test_one_default_for_all") == "failed"


def test_an_order_holds_for_its_tests_only(right: Seen) -> None:
    assert (right.outcome("test_others[1]"), right.outcome("test_others[2]")) == ("failed", "passed")


def test_a_core_statement_has_no_object_to_change(right: Seen) -> None:
    assert (right.outcome("test_core"), right.applied("test_core")) == ("failed", [])
