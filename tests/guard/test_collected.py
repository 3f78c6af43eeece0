"""Tests that a change made disappear, by what the runs reported."""

from triage.guard.collected import lost_tests
from triage.model.terms import Outcome

PASSED, FAILED, SKIPPED, XFAILED = Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED, Outcome.XFAILED


def _kinds(before: dict[str, Outcome], after: dict[str, Outcome]) -> list[str]:
    return [each.kind for each in lost_tests(before, after)]


def test_the_same_tests_are_no_loss_whatever_they_do() -> None:
    assert _kinds({"a.py::a": PASSED, "a.py::b": FAILED}, {"a.py::a": FAILED, "a.py::b": PASSED}) == []
    assert _kinds({"a.py::a": SKIPPED, "a.py::b": XFAILED}, {"a.py::a": PASSED, "a.py::b": XFAILED}) == []


def test_a_test_that_is_gone_is_a_loss_by_name_and_by_number() -> None:
    assert _kinds({"a.py::a": PASSED, "a.py::b": FAILED}, {"a.py::a": PASSED}) == ["test-lost", "fewer-tests"]
    assert _kinds({"a.py::a": PASSED}, {"a.py::c": PASSED}) == ["test-lost"]


def test_a_test_that_is_skipped_or_expected_to_fail_now_is_a_loss() -> None:
    assert _kinds({"a.py::a": FAILED}, {"a.py::a": SKIPPED}) == ["test-excused"]
    assert _kinds({"a.py::a": PASSED}, {"a.py::a": XFAILED}) == ["test-excused"]


def test_more_tests_are_welcome() -> None:
    assert _kinds({"a.py::a": PASSED}, {"a.py::a": PASSED, "a.py::b": PASSED}) == []
