"""Which failure only follows from which."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.builders import case, playbook, problem, raised
from triage.model.case import ExceptionInfo
from triage.model.failure import Failure, Match
from triage.model.playbook import Cascade, Playbook
from triage.playbook.cascade import link_cascades

WORDS = "(sqlite3.IntegrityError) NOT NULL constraint failed: users.email"
FOLLOWS = f"This Session's transaction has been rolled back. Original exception was: {WORDS}\n[SQL: x]"
PLAYBOOKS: Mapping[str, Playbook] = {
    "root": playbook("root"),
    "other": playbook("other"),
    "follower": playbook("follower", cascade=Cascade(scope="session")),
    "mapper": playbook("mapper", cascade=Cascade(of=("root",), scope="process")),
}


def _failure(nodeid: str, of: str | None, *chain: ExceptionInfo) -> Failure:
    one = problem(*chain)
    return Failure(case(nodeid, one), one, Match(of, 0.9, "it says so") if of else None)


def _root(nodeid: str = "tests/test_a.py::test_root", of: str = "root", **more: int) -> Failure:
    return _failure(nodeid, of, raised("IntegrityError", f"{WORDS}\n[SQL: x]", **more))


def _follower(nodeid: str = "tests/test_a.py::test_next", of: str = "follower", **more: int) -> Failure:
    return _failure(nodeid, of, raised("PendingRollbackError", FOLLOWS, **more))


def _roots(*failures: Failure) -> list[str | None]:
    return [one.root for one in link_cascades(failures, PLAYBOOKS)]


def test_a_failure_that_quotes_another_of_its_file_follows_from_it() -> None:
    linked = link_cascades([_root(), _follower()], PLAYBOOKS)
    assert [one.root for one in linked] == [None, "tests/test_a.py::test_root"]
    assert linked[1].root_reason == f"it quotes the root's message: {WORDS}"


def test_the_nearest_of_several_alike_is_the_root() -> None:
    first, second = _root("tests/test_a.py::test_1"), _root("tests/test_a.py::test_2")
    assert _roots(first, second, _follower())[2] == "tests/test_a.py::test_2"


def test_a_root_must_have_run_before() -> None:
    assert _roots(_follower(), _root()) == [None, None]


def test_words_do_not_reach_into_another_file_within_a_session() -> None:
    assert _roots(_root("tests/test_b.py::test_root"), _follower()) == [None, None]


def test_words_reach_through_the_whole_process_where_the_scope_says_so() -> None:
    assert (
        _roots(_root("tests/test_b.py::test_root"), _follower(of="mapper"))[1] == "tests/test_b.py::test_root"
    )


def test_the_root_must_be_of_a_playbook_that_is_named() -> None:
    assert _roots(_root(of="other"), _follower(of="mapper")) == [None, None]


def test_a_playbook_without_a_scope_follows_from_nothing() -> None:
    assert _roots(_root(), _follower(of="other")) == [None, None]


def test_an_unknown_failure_follows_from_nothing() -> None:
    root = _root()
    unknown = _failure("tests/test_a.py::test_next", None, raised("PendingRollbackError", FOLLOWS))
    assert _roots(root, unknown) == [None, None]


def test_identity_is_exact_whatever_the_words_and_the_file_say() -> None:
    root = _root("tests/test_b.py::test_root", identity=7)
    follower = _failure(
        "tests/test_a.py::test_next", "follower", raised("PendingRollbackError", "x", follows=7)
    )
    linked = link_cascades([root, follower], PLAYBOOKS)
    assert linked[1].root == "tests/test_b.py::test_root"
    assert "the very exception" in linked[1].root_reason


def test_identity_beats_words() -> None:
    exact, alike = _root("tests/test_a.py::test_1", identity=7), _root("tests/test_a.py::test_2", identity=8)
    assert _roots(exact, alike, _follower(follows=7))[2] == "tests/test_a.py::test_1"


def test_followers_of_followers_name_the_first_root() -> None:
    root = _root(identity=1)
    second = _follower("tests/test_a.py::test_2", identity=2, follows=1)
    third = _follower("tests/test_a.py::test_3", identity=3, follows=2)
    assert _roots(root, second, third) == [None, root.case.id, root.case.id]


def test_a_failure_is_never_its_own_root() -> None:
    alone = _follower(identity=5, follows=5)
    assert _roots(alone) == [None]
    assert _roots(_root("tests/test_a.py::test_same"), _follower("tests/test_a.py::test_same")) == [
        None,
        None,
    ]


def test_a_passing_test_that_left_the_session_broken_is_the_root() -> None:
    follower = _follower()
    poisoned = replace(
        follower,
        problem=replace(follower.problem, facts={"poison": {"test": "tests/test_a.py::test_passes"}}),
    )
    linked = link_cascades([poisoned], PLAYBOOKS)
    assert linked[0].root == "tests/test_a.py::test_passes"
    assert "did not fail" in linked[0].root_reason


def test_a_test_that_broke_the_session_itself_follows_from_no_other_with_the_same_words() -> None:
    follower = _follower()
    facts = {"poison": {"test": follower.case.id}}
    own = replace(follower, problem=replace(follower.problem, facts=facts))
    assert _roots(_root(), follower) == [None, _root().case.id]
    assert _roots(_root(), own) == [None, None]


@pytest.mark.parametrize("poison", ["no mapping", {"test": 5}, {}, None])
def test_facts_of_another_shape_are_left_alone(poison: object) -> None:
    follower = _failure("tests/test_a.py::test_next", "follower", raised("PendingRollbackError", "x"))
    odd = replace(follower, problem=replace(follower.problem, facts={"poison": poison}))
    assert link_cascades([odd], PLAYBOOKS)[0].root is None


def test_a_few_words_are_no_proof() -> None:
    root = _failure("tests/test_a.py::test_root", "root", raised("KeyError", "'id'"))
    short = _failure(
        "tests/test_a.py::test_next",
        "follower",
        raised("PendingRollbackError", "Original exception was: 'id'"),
    )
    assert _roots(root, short) == [None, None]


def test_the_order_of_failures_is_kept() -> None:
    failures = [_root(f"tests/test_{place}.py::test_a") for place in range(300)]
    assert [one.case.id for one in link_cascades(failures, PLAYBOOKS)] == [one.case.id for one in failures]
