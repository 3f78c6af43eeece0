"""Each failing test into one playbook or cluster."""

from tests.builders import case, frame, playbook, problem, raised
from triage.clustering.covering import Cluster
from triage.model.case import TestCase
from triage.model.playbook import Cascade, Symptom
from triage.model.terms import Outcome, Phase
from triage.playbook.match import Matcher
from triage.stages.classify import classify, classify_case

WRONG = playbook("wrong-value", Symptom(exception=("ValueError",), message="no (?P<what>\\w+)"))
MISSING = playbook("missing-key", Symptom(exception=("KeyError",)))
FOLLOWS = playbook("follows", Symptom(exception=("RuntimeError",)), cascade=Cascade((), "function"))
MATCHER = Matcher((WRONG, MISSING, FOLLOWS))


def test_only_failing_cases_are_sorted_in_their_order() -> None:
    cases = [case(f"a.py::{one}", outcome=one) for one in Outcome]
    assert [one.case.outcome for one in classify(cases, MATCHER).failures] == [Outcome.FAILED, Outcome.ERROR]


def test_a_known_failure_has_its_playbook_and_captures() -> None:
    found = classify_case(case("a.py::a", problem(raised("ValueError", "no rows"))), MATCHER)
    assert found.match
    assert (found.playbook, found.match.captures) == ("wrong-value", (("what", "rows"),))


def test_unknown_failures_that_look_alike_are_one_cluster_largest_first() -> None:
    cases = [case("a.py::x", problem(raised("OSError", "other")))]
    cases += [case(f"a.py::{n}", problem(raised("TypeError", f"{n} is wrong"))) for n in range(3)]
    result = classify(cases, MATCHER)
    assert [one.tests for one in result.clusters] == [("a.py::0", "a.py::1", "a.py::2"), ("a.py::x",)]
    assert all(one.fingerprint.startswith("v2:") for one in result.clusters)


def test_unknown_failures_have_the_identity_that_the_history_knows() -> None:
    texts = [f"the gate refused {word}" for word in ("ann", "bob", "eve")]
    cases = [case(f"a.py::{text}", problem(raised("OSError", text))) for text in texts]
    template = classify_case(cases[0], MATCHER).signature.replace("ann", "<*>")
    known = Cluster("v2:0000000000000001", template)
    result = classify(cases, MATCHER, known=lambda keys: {key: [known] for key in keys})
    assert {(one.fingerprint, one.signature) for one in result.failures} == {known}
    assert [(one.fingerprint, len(one.tests)) for one in result.clusters] == [(known.fingerprint, 3)]
    assert len(classify(cases, MATCHER).clusters) == 3


def test_every_failing_test_has_a_playbook_or_a_cluster() -> None:
    cases = [
        case("a.py::a", problem(raised("KeyError", "x"))),
        case("a.py::b", problem(raised("OSError"))),
        case("a.py::c", problem()),
        TestCase("d", outcome=Outcome.ERROR),
    ]
    result = classify(cases, MATCHER)
    clustered = [test for one in result.clusters for test in one.tests]
    assert [one.case.id for one in result.failures] == ["a.py::a", "a.py::b", "a.py::c", "d"]
    assert sorted(clustered) == ["a.py::b", "a.py::c", "d"]


def test_what_fails_in_teardown_as_well_is_kept_beside() -> None:
    body = problem(raised("ValueError", "no rows"))
    teardown = problem(raised("KeyError", "x"), phase=Phase.TEARDOWN)
    found = classify_case(case("a.py::a", body, teardown, teardown), MATCHER)
    assert [(one.playbook, one.reason) for one in found.also] == [
        ("missing-key", "it matches what failed after that, in teardown")
    ]


def test_a_playbook_is_named_once_beside_the_winner() -> None:
    wide = playbook("wide", Symptom(exception=("Exception",)))
    matcher = Matcher((playbook("narrow", Symptom(exception=("KeyError",)), beats=("wide",)), wide))
    chain = raised("KeyError", "x", bases=("LookupError", "Exception"))
    later = problem(raised("OSError", "y", bases=("Exception",)), phase=Phase.TEARDOWN)
    found = classify_case(case("a.py::a", problem(chain), later), matcher)
    assert (found.playbook, [one.playbook for one in found.also]) == ("narrow", ["wide"])


def test_followers_name_their_root() -> None:
    first = case("a.py::a", problem(raised("KeyError", "x", identity=7)))
    second = case("a.py::b", problem(raised("RuntimeError", "y", follows=7)))
    assert [one.root for one in classify([first, second], MATCHER).failures] == [None, "a.py::a"]


def test_the_signature_speaks_of_the_projects_own_frames() -> None:
    frames = (frame("app/a.py", 1, "sell"), frame("lib/x.py", 2, "deep", kind="library"))
    found = classify_case(case("a.py::a", problem(raised("OSError", "x", *frames))), MATCHER)
    assert "app/a.py:sell" in found.signature
    assert "deep" not in found.signature
