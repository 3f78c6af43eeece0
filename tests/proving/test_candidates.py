"""Where a failure may come from, the likeliest first."""

from pathlib import Path

import pytest

from tests.builders import failure, frame, playbook, raised, write_files
from triage.model.diagnosis import Evidence
from triage.model.failure import Failure
from triage.model.observation import Observation, Place
from triage.model.playbook import Diagnose
from triage.model.terms import Phase, Proof
from triage.proving.candidates import candidates, explain
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


def make():
    return Post(at=None)
"""
BOOKS = {
    "known": playbook(
        "known",
        diagnose=Diagnose(
            probe="watch", rules=("evaluated-default",), site="own-frame", explanation=("{model} is bad",)
        ),
    )
}
MODEL = "app/models.py"


@pytest.fixture
def lookup(tmp_path: Path) -> Lookup:
    return Lookup(SourceTree(write_files(tmp_path, {MODEL: MODELS})))


def stored(playbook_: str | None = "known", message: str = "no") -> Failure:
    captures = (("table", "posts"), ("column", "at"))
    return failure("a", playbook_, raised("E", message, frame(MODEL, 15, "make")), captures=captures)


def watched(
    *places: Place, phase: Phase = Phase.CALL, observer: str = "watch", **more: object
) -> Observation:
    return Observation("a", phase, observer, places, **more)  # type: ignore[arg-type] # a test's own


def test_what_was_observed_comes_before_what_a_rule_points_at(lookup: Lookup) -> None:
    found = candidates(stored(), BOOKS, lookup, [watched(Place(MODEL, 15, "make"), names={"model": "Post"})])
    assert [(one.place, one.proof) for one in found] == [
        ((MODEL, 15), Proof.OBSERVED),
        ((MODEL, 11), Proof.STATIC),
    ]
    assert found[0].cause.explanation == "Post is bad"


def test_the_traceback_comes_last_where_nothing_was_observed(lookup: Lookup) -> None:
    found = candidates(stored(), BOOKS, lookup)
    assert [(one.place, one.proof) for one in found] == [
        ((MODEL, 11), Proof.STATIC),
        ((MODEL, 15), Proof.NONE),
    ]


def test_a_place_that_two_speak_for_is_one_candidate_with_all_their_evidence(lookup: Lookup) -> None:
    piece = Evidence("born", MODEL, 15, "here")
    found = candidates(stored(), BOOKS, lookup, [watched(Place(MODEL, 11, "Post"), evidence=(piece,))])
    (one,) = found
    assert (one.place, one.proof) == ((MODEL, 11), Proof.OBSERVED)
    assert {"born", "cause"} <= {each.kind for each in one.evidence}


def test_only_the_playbooks_own_observer_speaks(lookup: Lookup) -> None:
    found = candidates(stored(), BOOKS, lookup, [watched(Place(MODEL, 1), observer="another")])
    assert (MODEL, 1) not in [one.place for one in found]


def test_an_observation_of_the_failing_phase_is_preferred(lookup: Lookup) -> None:
    seen = [watched(Place(MODEL, 1), phase=Phase.TEARDOWN), watched(Place(MODEL, 2))]
    assert [one.place for one in candidates(stored(), BOOKS, lookup, seen)] == [(MODEL, 2), (MODEL, 11)]
    assert candidates(stored(), BOOKS, lookup, seen[:1])[0].place == (MODEL, 1)


def test_what_could_not_be_seen_is_said_of_every_candidate(lookup: Lookup) -> None:
    found = candidates(stored(), BOOKS, lookup, [watched(impossible="a thread")])
    assert [one.impossible for one in found] == ["a thread", "a thread"]


def test_a_statement_names_its_table_where_the_message_does_not(lookup: Lookup) -> None:
    one = failure("a", "known", raised("E", "no\n[SQL: INSERT INTO main.items (id) VALUES (?)]", frame()))
    assert candidates(one, BOOKS, lookup)[0].names["table"] == "items"


def test_an_unknown_failure_has_the_traceback_alone(lookup: Lookup) -> None:
    (one,) = candidates(stored(None), BOOKS, lookup, [watched(Place(MODEL, 1))])
    assert (one.place, one.proof) == ((MODEL, 15), Proof.NONE)
    assert one.cause.explanation == "No playbook knows this: E came through here."


def test_the_first_sentence_whose_names_are_all_known_is_taken() -> None:
    one = playbook("p", diagnose=Diagnose(explanation=("{a} of {b}", "{a}", "nothing")))
    assert explain(one, {"a": "A", "b": "B"}, "") == "A of B"
    assert explain(one, {"a": "A", "b": ""}, "") == "A"
    assert explain(one, {}, "") == "nothing"


@pytest.mark.parametrize(("default", "said"), [("The rule.", "The rule."), ("", "The title of p.")])
def test_without_a_sentence_the_rule_speaks_or_the_title(default: str, said: str) -> None:
    assert explain(playbook("p"), {}, default) == said
    assert explain(None, {}, default) == default
