"""An explanation for a person, and the pieces of its JSON."""

from typing import Any

import pytest

from tests.builders import diagnosis, failure, playbook, problem, raised, report
from triage.model.diagnosis import Evidence
from triage.model.failure import Loser
from triage.render.explanation import MAX_SYMPTOMS, diagnosis_document, failure_document, lines
from triage.render.summary import summary

EVIL = "a\n::error::b\x1b[2J\r##[c]\u202e"
TEST = "tests/test_a.py::test_a"


def document(**more: Any) -> dict[str, Any]:
    told = failure(
        TEST, "known", captures=(("table", "users"),), also=(Loser("other", "its level is fallback"),)
    )
    return {
        "project": {"name": "shop", "root": "/shop"},
        "run": {"id": "r1", "started_at": "2026-11-21T02:00:00.000Z"},
        "nodeid": TEST,
        "outcome": "failed",
        "failure": failure_document(told, None, {"known": playbook()}),
        "diagnosis": None,
        "asked": None,
        "notes": [],
        **more,
    }


def asked(count: int, **more: Any) -> dict[str, Any]:
    condition = {"condition": "message", "wanted": "yes", "seen": "no", "verdict": "missed"}
    symptom = {
        "symptom": 1,
        "phase": "call",
        "role": "the exception raised",
        "exception": "ValueError",
        "held": False,
        "conditions": [condition],
    }
    base = {
        "playbook": "p",
        "title": "P",
        "verdict": "does not match",
        "reason": "",
        "symptoms": [symptom] * count,
    }
    return base | more


def test_the_winner_its_clause_its_groups_and_the_losers_are_told() -> None:
    said = lines(document())
    assert said[:3] == [TEST, "  failed at call in the newest run of shop, r1", "  ValueError: no"]
    assert "playbook: known (The title of known)" in said
    assert "  it says so; confidence 0.9" in said
    assert "  table = users" in said
    assert said[said.index("matched too, and lost:") + 1] == "  other: its level is fallback"
    assert said[-1] == "cause: the run was recorded without a diagnosis of this test"


@pytest.mark.parametrize(
    ("outcome", "words"),
    [("passed", "it passed"), ("skipped", "it was skipped"), ("xfailed", "it failed as expected")],
)
def test_a_test_that_did_not_fail_says_so_in_two_lines(outcome: str, words: str) -> None:
    said = lines(document(outcome=outcome, failure=None))
    assert said == [TEST, f"  {words} in the newest run of shop, r1"]


def test_what_no_playbook_knows_shows_its_cluster() -> None:
    unknown = failure_document(failure(TEST), None, {})
    assert (unknown["playbook"], unknown["match"], unknown["title"]) == (None, None, None)
    said = lines(document(failure=unknown))
    assert "playbook: none knows it; cluster v1:0000000000000001: ValueError: no" in said


def test_what_running_again_decided_stands_without_the_clause_of_another() -> None:
    recorded = {"playbook": "flaky", "root": None}
    told = failure_document(failure(TEST, "known"), recorded, {"flaky": playbook("flaky")})
    assert (told["playbook"], told["match"]["playbook"]) == ("flaky", "known")
    said = lines(document(failure=told))
    assert "playbook: flaky (The title of flaky)" in said
    assert not any("it says so" in line for line in said)


def test_a_follower_names_its_root_and_why() -> None:
    told = failure(TEST, "known", root="t::root", root_reason="it quotes the root's message: x")
    said = lines(document(failure=failure_document(told, None, {})))
    place = said.index("it only follows from t::root")
    assert said[place + 1] == "  it quotes the root's message: x"
    other = failure_document(told, {"playbook": "known", "root": "t::other"}, {})
    assert (other["root"], other["root_reason"]) == ("t::other", "")


def test_evidence_and_what_was_changed_are_apart() -> None:
    evidence = (
        Evidence("born", "app/a.py", 3, "User()"),
        Evidence("flipped", "app/a.py", 3, "email given: it passes"),
        Evidence("unchanged", "app/b.py", 4, "a context pushed"),
    )
    one = summary(report(failure(TEST), diagnoses=(diagnosis("D1", "known", TEST, evidence=evidence),)))
    found = diagnosis_document(TEST, one)
    assert found
    assert [each["kind"] for each in found["evidence"]] == ["born"]
    assert [each["kind"] for each in found["tried"]] == ["flipped", "unchanged"]
    said = lines(document(diagnosis=found | {"repeats": "3 runs, the same each time"}))
    place = said.index("cause D1: app/shop.py:3 in sell [proof: none, confidence 0.5]")
    assert said[place + 1 :] == [
        "  It is so.",
        "  3 runs, the same each time",
        "  evidence:",
        "    born  app/a.py:3  User()",
        "  facts changed to see what happens:",
        "    flipped    app/a.py:3  email given: it passes",
        "    unchanged  app/b.py:4  a context pushed",
    ]


def test_a_dependent_has_the_diagnosis_of_its_root_and_a_stranger_none() -> None:
    one = summary(report(diagnoses=(diagnosis("D1", "known", "t::root", dependents=(TEST,)),)))
    found = diagnosis_document(TEST, one)
    assert found
    assert found["id"] == "D1"
    assert diagnosis_document("t::x", one) is None


def test_a_playbook_that_was_asked_for_is_told_clause_by_clause() -> None:
    said = lines(document(asked=asked(MAX_SYMPTOMS + 2)))
    place = said.index("p (P) does not match")
    assert said[place + 1] == "  symptom 1, the exception raised (ValueError) at call: misses"
    assert said[place + 2].split() == ["missed:", "message", "wanted", "yes"]
    assert said[place + 3].split() == ["seen", "no"]
    assert said[-1] == "  and 2 further from it: see --json"
    assert "p (P) lost: it is general" in lines(
        document(asked=asked(1, verdict="lost", reason="it is general"))
    )


def test_without_an_exception_nothing_could_meet_a_symptom() -> None:
    assert lines(document(asked=asked(0)))[-1] == "  no exception is known that could meet its symptoms"


def test_a_problem_without_an_exception_shows_its_text() -> None:
    bare = failure(TEST)
    bare = type(bare)(bare.case, problem(text="it hung"), None)
    assert "  it hung" in lines(document(failure=failure_document(bare, None, {})))


def test_lines_hold_nothing_that_acts_on_a_terminal_or_a_log() -> None:
    told = failure(EVIL, "known", raised(EVIL, EVIL), captures=((EVIL, EVIL),), also=(Loser(EVIL, EVIL),))
    one = summary(
        report(
            told,
            diagnoses=(
                diagnosis("D1", None, EVIL, said=EVIL, file=EVIL, evidence=(Evidence(EVIL, EVIL, 1, EVIL),)),
            ),
        )
    )
    condition = {"condition": "message", "wanted": EVIL, "seen": EVIL, "verdict": "missed"}
    symptom = {
        "symptom": 1,
        "phase": "call",
        "role": "it",
        "exception": EVIL,
        "held": True,
        "conditions": [condition],
    }
    text = "\n".join(
        lines(
            document(
                nodeid=EVIL,
                failure=failure_document(told, {"playbook": EVIL, "root": EVIL}, {}),
                diagnosis=diagnosis_document(EVIL, one),
                asked=asked(0, title=EVIL, symptoms=[symptom]),
                notes=[EVIL],
            )
        )
    )
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\n::error" not in text
    assert "##[" not in text
