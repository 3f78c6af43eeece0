"""Clause by clause: what held and what missed, with what was seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import frame, playbook, problem, raised
from triage.junit.cases import read_cases
from triage.model.case import ExceptionInfo, Problem
from triage.model.playbook import Symptom
from triage.model.terms import Phase
from triage.playbook.conditions import BY_KIND, BY_PROBLEM, KEYS
from triage.playbook.explain import Checked, Tried, explain
from triage.playbook.load import load_library
from triage.playbook.match import Matcher
from triage.resources import data_folder
from triage.text import Masker

FULL = Symptom(
    exception=("LookupError",),
    message=r"no (?P<what>(?P<again>\w+))",
    unless="harmless",
    where="head",
    raised_in=("shelf/*",),
    frames=("app/*",),
    source="shelf",
    own_raise=False,
    own="what",
    same={"what": "again"},
    phase=(Phase.CALL,),
    fact={"sessions": 1, "alone": True},
    finding="a-rule",
)
FITTING = problem(
    raised("KeyError", "no book", frame("app/book/shop.py", source="return shelf[0]"), raised_in="shelf.py"),
    facts={"sessions": [{"holds": 1}], "alone": True},
)


def only(found: tuple[Tried, ...]) -> dict[str, Checked]:
    (tried,) = found
    return {one.condition: one for one in tried.conditions}


def test_every_condition_of_a_symptom_has_a_key() -> None:
    assert set(KEYS) == {*BY_KIND, *BY_PROBLEM}
    assert set(KEYS.values()) == set(Symptom.__dataclass_fields__) - {"exact", "certain"}


def test_only_what_a_symptom_asks_for_is_told() -> None:
    found = explain(playbook("known", Symptom(message="no")), problem(raised()))
    assert list(only(found)) == ["message"]


def test_what_fits_holds_in_every_condition() -> None:
    found = explain(playbook("known", FULL), problem(*FITTING.chain, facts=FITTING.facts), lambda *_: True)
    said = only(found)
    wrong = {one.condition: one.seen for one in said.values() if one.held is not True}
    assert list(wrong) == ["raised_in"]  # `shelf.py` is no module below `shelf/`
    assert list(said) == list(KEYS.values())
    assert said["fact"].wanted == "sessions >= 1, alone = True"
    assert said["fact"].seen == "sessions = 1, alone = True"
    assert said["unless"].wanted == "not harmless"


@pytest.mark.parametrize(
    ("symptom", "one", "seen"),
    [
        (Symptom(exception=("TypeError",)), raised(), "ValueError (bases: Exception)"),
        (Symptom(exception=("Exception",), exact=True), raised(), "ValueError (bases: Exception)"),
        (Symptom(message="yes"), raised(), "no"),
        (Symptom(unless="no"), raised(), "no"),
        (Symptom(where="cause"), raised(), "head"),
        (Symptom(phase=(Phase.SETUP,)), raised(), "call"),
        (Symptom(raised_in=("a/*",)), raised(raised_in="/lib/python3.11/site-packages/b/c.py"), "b/c"),
        (Symptom(frames=("a/*",)), raised("ValueError", "no", frame("b/c.py")), "b/c.py"),
        (Symptom(source="x"), raised("ValueError", "no", frame(source="y()")), "y()"),
        (Symptom(own_raise=True), raised("ValueError", "no", frame(source="y()")), "none"),
        (Symptom(message="(?P<a>no)", own="a"), raised("ValueError", "no", frame("b/c.py")), "b"),
        (Symptom(message="(?P<a>n)(?P<b>o)", same={"a": "b"}), raised(), "a = n, b = o"),
        (Symptom(fact={"alone": True}), raised(), "alone = not seen"),
        (Symptom(finding="a-rule"), raised(), "no rule was asked"),
    ],
)
def test_what_missed_says_what_was_seen(symptom: Symptom, one: ExceptionInfo, seen: str) -> None:
    (found,) = explain(playbook("known", symptom), problem(one))
    condition = found.conditions[-1]
    assert (condition.held, condition.seen) == (False, seen)
    assert (found.held, found.missed) == (False, 1)


@pytest.mark.parametrize("symptom", [Symptom(raised_in=("a",)), Symptom(frames=("a",)), Symptom(source="a")])
def test_what_the_report_does_not_tell_speaks_against_nothing(symptom: Symptom) -> None:
    (found,) = explain(playbook("known", symptom), problem(raised()))
    assert [one.held for one in found.conditions] == [None]
    assert found.held


def test_the_nearest_symptom_comes_first_and_each_exception_is_told_apart() -> None:
    two = problem(raised("ValueError", "no"), raised("KeyError", "book", via="cause"))
    symptoms = (Symptom(exception=("TypeError",), message="x"), Symptom(exception=("KeyError",)))
    found = explain(playbook("known", *symptoms), two)
    assert [(one.symptom, one.role, one.missed) for one in found] == [
        (2, "its direct cause", 0),
        (2, "the exception raised", 1),
        (1, "the exception raised", 2),
        (1, "its direct cause", 2),
    ]


def test_without_an_exception_there_is_nothing_to_try() -> None:
    assert explain(playbook("known", FULL), problem()) == ()


NAMES = st.sampled_from(["ValueError", "KeyError", "LookupError", "shop.NotFound", "NotFound", ""])
SYMPTOMS = st.builds(
    Symptom,
    exception=st.lists(NAMES.filter(bool), max_size=2).map(tuple),
    exact=st.booleans(),
    message=st.none() | st.sampled_from(["no", "book", "", "^no"]),
    unless=st.none() | st.sampled_from(["book", "xyz"]),
    where=st.sampled_from(["any", "head", "cause"]),
    raised_in=st.sampled_from([(), ("shop/*",), ("app*",)]),
    frames=st.sampled_from([(), ("app/*",)]),
    source=st.none() | st.just("sell"),
    own_raise=st.sampled_from([None, True, False]),
    phase=st.sampled_from([(), (Phase.CALL,), (Phase.SETUP,)]),
    fact=st.sampled_from([{}, {"sessions": 1}, {"alone": True}]),
    finding=st.none() | st.just("a-rule"),
)
PROBLEMS = st.builds(
    lambda chain, phase, facts: problem(*chain, phase=phase, facts=facts),
    st.lists(
        st.builds(
            raised,
            NAMES,
            st.sampled_from(["no", "no book", ""]) | st.text(max_size=5),
            st.just(frame(source="sell()")),
            via=st.sampled_from(["raised", "cause", "context"]),
            raised_in=st.sampled_from([None, "shop.py", "shop.models", "app/shop.py"]),
        ),
        max_size=3,
    ),
    st.sampled_from([Phase.CALL, Phase.SETUP]),
    st.sampled_from([{}, {"sessions": [{"holds": 1}], "alone": True}]),
)


@given(SYMPTOMS, PROBLEMS, st.sampled_from([None, True, False]))
def test_a_playbook_holds_exactly_where_the_matcher_says_so(
    symptom: Symptom, one: Problem, has_finding: bool | None
) -> None:
    known = playbook("known", symptom)
    look = None if has_finding is None else lambda *_: has_finding
    match, _ = Matcher([known]).match(one, look)
    assert any(tried.held for tried in explain(known, one, look)) == (match is not None)


def test_the_examples_of_every_playbook_hold_as_the_matcher_says() -> None:
    folder, compared = data_folder("playbooks"), 0
    for known in load_library(()).playbooks.values():
        matcher = Matcher([known])
        for example in (*known.match_examples[:2], *known.no_match_examples[:1]):
            for path in sorted(folder.glob(example.source))[:2]:
                cases = [case for case in read_cases(path, Masker()) if case.problems]
                for one in (case.problems[0] for case in cases[:3]):
                    told = any(tried.held for tried in explain(known, one))
                    assert told == (matcher.match(one)[0] is not None), (known.id, path)
                    compared += 1
    assert compared > len(load_library(()).playbooks)
