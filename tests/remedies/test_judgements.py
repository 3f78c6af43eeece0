"""What a person is told to judge: known facts of production first, and nothing where nothing is open."""

from pathlib import Path

import pytest

from tests.builders import write_files
from triage.model.diagnosis import Evidence
from triage.model.fix import Proposal, Target
from triage.remedies.registry import proposals
from triage.rules.source import SourceTree

FILES = {
    "shop/jobs.py": "def main():\n    return Order.query.count()\n",
    "tests/test_jobs.py": "def test_main(app):\n    assert jobs.main() == 0\n",
    "tests/conftest.py": """\
import pytest


@pytest.fixture
def app():
    return create_app()


@pytest.fixture
def order(make_session):
    with make_session() as db_session:
        order = Order()
        db_session.add(order)
        return order


@pytest.fixture
def cheap(prices):
    with prices.lowered(), make_session() as db_session:
        order = Order()
        db_session.add(order)
        return order
""",
}
WITHOUT = (
    "`main` (shop/jobs.py:1), run as a program, reaches it without a context: a defect of the product, too"
)
INSIDE = "in production `run` (shop/cli.py:5) reaches it, inside a context that is pushed there"
TESTS = ("tests/test_jobs.py::test_main",)
UNKNOWN = "no view, command, job or thread that reaches `main` by name is known"


@pytest.fixture
def tree(tmp_path: Path) -> SourceTree:
    return SourceTree(write_files(tmp_path, FILES), ("shop",), ("tests",))


def judge(tree: SourceTree, remedy: str, target: Target) -> str:
    found = [one for one in proposals([remedy], target, tree) if isinstance(one, Proposal)]
    return found[0].judge


def called(text: str, playbook: str = "flask-app-context") -> Target:
    evidence = Evidence("production", "shop/jobs.py", 1, text)
    return Target(
        playbook, "tests/test_jobs.py", 2, names={"function": "main"}, tests=TESTS, evidence=(evidence,)
    )


@pytest.mark.parametrize(
    "remedy", ["push-context-around-call", "push-request-context", "autouse-app-context"]
)
def test_a_context_that_production_lacks_is_told_first(tree: SourceTree, remedy: str) -> None:
    assert judge(tree, remedy, called(WITHOUT)).startswith(f"{WITHOUT}, which this change would hide")


def test_a_context_that_production_has_is_told(tree: SourceTree) -> None:
    assert judge(tree, "push-context-around-call", called(INSIDE)).startswith(f"{INSIDE}; whether `main`")


def test_an_application_context_says_nothing_of_a_request(tree: SourceTree) -> None:
    assert judge(tree, "push-request-context", called(INSIDE)).startswith("whether `main` is called inside")


def test_where_nothing_is_known_it_is_asked(tree: SourceTree) -> None:
    assert judge(tree, "push-context-around-call", called(UNKNOWN)).startswith("whether `main` has")


def fixture(name: str, line: int) -> Target:
    return Target("detached-instance", "tests/conftest.py", line, names={"fixture": name})


def test_a_block_that_gives_a_session_needs_no_judgement(tree: SourceTree) -> None:
    assert judge(tree, "yield-inside-context", fixture("order", 13)) == ""


def test_any_other_block_does(tree: SourceTree) -> None:
    assert "`prices.lowered()` stays in place" in judge(tree, "yield-inside-context", fixture("cheap", 21))
