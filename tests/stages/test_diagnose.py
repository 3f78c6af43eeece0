"""From failures to causes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.builders import case, failure, frame, playbook, problem, raised, write_files
from triage.model.diagnosis import Diagnosis
from triage.model.failure import Failure
from triage.model.playbook import Diagnose, Playbook
from triage.model.terms import Proof, Severity
from triage.proving.candidates import MAX_NAME
from triage.proving.grouping import MAX_EVIDENCE
from triage.proving.prove import Proofs
from triage.rules.lookup import Lookup
from triage.rules.source import SourceTree
from triage.stages.diagnose import diagnose

MODELS = """\
import datetime
from sqlalchemy import Column, DateTime, Integer
from sqlalchemy.orm import declarative_base

Base = declarative_base()


class Post(Base):
    __tablename__ = "posts"
    id = Column(Integer, primary_key=True)
    at = Column(DateTime, default=datetime.datetime.now())


def make():
    return Post(at=None)
"""
BOOKS = {
    "known": playbook("known", diagnose=Diagnose(site="own-frame")),
    "by-test": playbook("by-test", diagnose=Diagnose(site="test-frame")),
    "by-maker": playbook("by-maker", diagnose=Diagnose(site="constructor")),
    "grave": playbook("grave", severity=Severity.CRITICAL, diagnose=Diagnose(site="own-frame")),
    "ruled": playbook(
        "ruled",
        diagnose=Diagnose(
            rules=("evaluated-default",), site="own-frame", explanation=("{table}.{column} is made once",)
        ),
    ),
}
OWN = (frame("tests/test_a.py", 9, "test_a", kind="test"), frame("app/shop.py", 3, "sell"))


@pytest.fixture
def lookup(tmp_path: Path) -> Lookup:
    return Lookup(SourceTree(write_files(tmp_path, {"app/models.py": MODELS})))


def known(nodeid: str, playbook_: str | None = "known", line: int = 3, **more: object) -> Failure:
    return failure(nodeid, playbook_, raised("ValueError", "no", frame(line=line)), **more)  # type: ignore[arg-type] # a test's


def found_in(
    failures: Sequence[Failure], books: Mapping[str, Playbook], lookup: Lookup
) -> tuple[Diagnosis, ...]:
    """What source and traceback alone say: nothing is run again."""
    found = diagnose(failures, books, lookup)
    assert (found.failures, found.notes) == (tuple(failures), ())
    return found.diagnoses


def test_tests_that_break_at_one_place_have_one_cause(lookup: Lookup) -> None:
    first, second = found_in([known("a"), known("b"), known("c", line=8)], BOOKS, lookup)
    assert (first.id, first.tests, first.cause.line) == ("D1", ("a", "b"), 3)
    assert (second.id, second.tests, second.cause.line) == ("D2", ("c",), 8)


def test_the_most_severe_cause_comes_first_then_that_of_most_tests(lookup: Lookup) -> None:
    failures = [known("a"), known("b", line=5), known("c", line=5), known("d", "grave", line=9)]
    assert [one.tests for one in found_in(failures, BOOKS, lookup)] == [("d",), ("b", "c"), ("a",)]


def test_followers_hang_under_their_root(lookup: Lookup) -> None:
    only = found_in([known("a"), known("b", root="a"), known("c", root="a")], BOOKS, lookup)
    assert [(one.tests, one.dependents) for one in only] == [(("a",), ("b", "c"))]


def test_a_follower_whose_root_is_not_here_stands_for_itself(lookup: Lookup) -> None:
    assert [one.tests for one in found_in([known("b", root="gone")], BOOKS, lookup)] == [("b",)]


def test_every_failing_test_is_in_exactly_one_diagnosis(lookup: Lookup) -> None:
    failures = [
        known("a"),
        known("b", None),
        known("c", None, fingerprint="v1:2"),
        known("d", "by-test", root="b"),
        failure("e", "by-maker", raised()),
        failure("f", "no-such-playbook", raised()),
        known("g", "ruled"),
    ]
    found = found_in(failures, BOOKS, lookup)
    assert Counter(test for one in found for test in (*one.tests, *one.dependents)) == Counter("abcdefg")
    assert [one.id for one in found] == [f"D{place}" for place in range(1, len(found) + 1)]


@pytest.mark.parametrize(
    ("name", "place"), [("known", ("app/shop.py", 3, "sell")), ("by-test", ("tests/test_a.py", 9, "test_a"))]
)
def test_the_playbook_says_which_frame_is_the_site(
    lookup: Lookup, name: str, place: tuple[str, int, str]
) -> None:
    cause = found_in([failure("a", name, raised("ValueError", "no", *OWN))], BOOKS, lookup)[0].cause
    assert (cause.file, cause.line, cause.symbol) == place


def test_a_constructor_is_the_site_where_the_message_names_its_table(lookup: Lookup) -> None:
    frames = (frame("tests/test_a.py", 9, "test_a", kind="test"), frame("app/models.py", 15, "make"))
    one = failure("a", "by-maker", raised("E", "no", *frames), captures=(("table", "posts"),))
    cause = found_in([one], BOOKS, lookup)[0].cause
    assert (cause.file, cause.line, cause.symbol) == ("app/models.py", 15, "Post")


def test_without_any_frame_the_test_itself_is_the_site(lookup: Lookup) -> None:
    cause = found_in([failure("tests/test_b.py::test_x", "known", raised())], BOOKS, lookup)[0].cause
    assert (cause.file, cause.line) == ("tests/test_b.py", 1)


def test_a_rule_makes_the_cause_static_and_fills_the_sentence(lookup: Lookup) -> None:
    frames = (frame("app/models.py", 15, "make"),)
    captures = (("table", "posts"), ("column", "at"))
    one = found_in([failure("a", "ruled", raised("E", "no", *frames), captures=captures)], BOOKS, lookup)[0]
    assert (one.proof, one.confidence) == (Proof.STATIC, 0.9)
    assert (one.cause.file, one.cause.line) == ("app/models.py", 11)
    assert one.cause.explanation == "posts.at is made once"
    assert "datetime.datetime.now()" in one.evidence[0].text


def test_without_a_rule_the_cause_is_less_sure(lookup: Lookup) -> None:
    one = found_in([known("a")], BOOKS, lookup)[0]
    assert (one.proof, one.confidence) == (Proof.NONE, 0.54)


def test_a_sentence_that_lacks_a_name_gives_way_to_the_title(lookup: Lookup) -> None:
    books = {"p": playbook("p", diagnose=Diagnose(site="own-frame", explanation=("{model} is bad",)))}
    assert found_in([known("a", "p")], books, lookup)[0].cause.explanation == "The title of p."


def test_names_in_a_sentence_are_short_on_one_line_and_not_filled_again(lookup: Lookup) -> None:
    books = {"p": playbook("p", diagnose=Diagnose(site="own-frame", explanation=("<{a}> and {b}",)))}
    captures = (("a", "{b}\n" + "x" * 10_000), ("b", "B"))
    said = found_in([known("a", "p", captures=captures)], books, lookup)[0].cause.explanation
    assert said.startswith("<{b} xxx")
    assert said.endswith("> and B")
    assert len(said) < MAX_NAME + 20
    assert "\n" not in said


def test_unknown_failures_carry_their_cluster(lookup: Lookup) -> None:
    one = found_in([known("a", None)], BOOKS, lookup)[0]
    assert (one.playbook, one.cluster, one.confidence) == (None, "v1:0000000000000001", 0.0)
    assert one.cause.explanation == "No playbook knows this: ValueError came through here."


def test_evidence_is_merged_and_bounded(lookup: Lookup) -> None:
    failures = [
        failure(f"t{n}", "known", raised("E", "no", frame("app/b.py", n, "call"), frame())) for n in range(20)
    ]
    evidence = found_in(failures, BOOKS, lookup)[0].evidence
    assert len(evidence) == MAX_EVIDENCE
    assert [one.kind for one in evidence[:3]] == ["called", "raised", "called"]


def test_a_problem_without_an_exception_has_a_diagnosis(lookup: Lookup) -> None:
    one = Failure(case("a.py::a", problem()), problem(), fingerprint="v1:3")
    assert found_in([one], BOOKS, lookup)[0].tests == ("a.py::a",)


def test_without_failures_nothing_is_proven(lookup: Lookup) -> None:
    def prove(_: Sequence[Failure]) -> Proofs:
        raise AssertionError

    assert diagnose([], BOOKS, lookup, prove).diagnoses == ()


def test_what_a_proof_notes_is_handed_on_and_what_it_does_not_know_stays(lookup: Lookup) -> None:
    found = diagnose([known("a")], BOOKS, lookup, lambda _: Proofs(notes=("a note",)))
    assert found.notes == ("a note",)
    assert [(one.tests, one.proof) for one in found.diagnoses] == [(("a",), Proof.NONE)]
