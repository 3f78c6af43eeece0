"""Which playbook gets a problem, and why the others do not."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.builders import frame, playbook, problem, raised
from triage.model.case import ExceptionInfo, Problem
from triage.model.failure import Match
from triage.model.playbook import Playbook, Symptom
from triage.model.terms import Level, Phase
from triage.playbook.match import Matcher

VALUE_ERROR = Symptom(exception=("ValueError",))


def _winner(one: Problem, *playbooks: Playbook) -> str | None:
    match, _ = Matcher(playbooks).match(one)
    return match.playbook if match else None


def _match(one: Problem, *symptoms: Symptom) -> Match | None:
    return Matcher([playbook("known", *symptoms)]).match(one)[0]


def test_a_problem_without_an_exception_matches_nothing() -> None:
    assert _winner(problem(), playbook("known", VALUE_ERROR)) is None


def test_what_no_playbook_knows_stays_unknown() -> None:
    assert Matcher([playbook("known", VALUE_ERROR)]).match(problem(raised("TypeError"))) == (None, ())


def test_the_more_specific_level_wins_and_says_so() -> None:
    general = playbook("a-general", VALUE_ERROR, level=Level.GENERAL)
    fallback = playbook("a-fallback", VALUE_ERROR, level=Level.FALLBACK)
    specific = playbook("z-specific", VALUE_ERROR)
    match, also = Matcher([fallback, general, specific]).match(problem(raised()))
    assert match is not None
    assert match.playbook == "z-specific"
    assert [(one.playbook, one.reason) for one in also] == [
        ("a-fallback", "its level is fallback"),
        ("a-general", "its level is general"),
    ]


def test_beats_decides_within_a_level() -> None:
    match, also = Matcher([playbook("a", VALUE_ERROR), playbook("z", VALUE_ERROR, beats=("a",))]).match(
        problem(raised())
    )
    assert match is not None
    assert match.playbook == "z"
    assert also[0].reason == "z beats it"


def test_beats_does_not_reach_a_more_specific_level() -> None:
    general = playbook("general", VALUE_ERROR, level=Level.GENERAL, beats=("specific",))
    assert _winner(problem(raised()), general, playbook("specific", VALUE_ERROR)) == "specific"


def test_who_is_beaten_still_beats_others() -> None:
    chain = [
        playbook("c", VALUE_ERROR, beats=("b",)),
        playbook("b", VALUE_ERROR, beats=("a",)),
        playbook("a", VALUE_ERROR),
    ]
    for order in (chain, chain[::-1]):
        match, also = Matcher(order).match(problem(raised()))
        assert match is not None
        assert match.playbook == "c"
        assert {one.playbook: one.reason for one in also} == {"a": "b beats it", "b": "c beats it"}


@pytest.mark.parametrize("circle", [{"a": "b", "b": "a"}, {"a": "b", "b": "c", "c": "a"}, {"a": "a"}])
def test_a_circle_of_beats_is_a_tie_and_no_crash(circle: Mapping[str, str]) -> None:
    playbooks = [playbook(name, VALUE_ERROR, beats=(other,)) for name, other in circle.items()]
    match, also = Matcher(playbooks).match(problem(raised()))
    assert match is not None
    assert match.playbook == "a"
    assert all(one.reason.startswith("a tie with a") for one in also)
    assert len(also) == len(circle) - 1


def test_a_tie_is_named_and_goes_by_the_alphabet() -> None:
    for order in (("a", "b"), ("b", "a")):
        match, also = Matcher([playbook(name, VALUE_ERROR) for name in order]).match(problem(raised()))
        assert match is not None
        assert match.playbook == "a"
        assert also[0].reason == "a tie with a that nothing decides: add a `beats`"


def test_the_exception_raised_comes_before_its_cause() -> None:
    one = problem(raised("ValueError"), raised("KeyError", via="cause"))
    by_cause = playbook("a", Symptom(exception=("KeyError",)))
    match, also = Matcher([by_cause, playbook("z", VALUE_ERROR)]).match(one)
    assert match is not None
    assert match.playbook == "z"
    assert also[0].reason == "it matches the cause; z matches the exception itself"


def test_the_direct_cause_decides_where_the_head_is_unknown() -> None:
    one = problem(raised("RuntimeError"), raised("ValueError", via="cause"))
    match = _match(one, VALUE_ERROR)
    assert match is not None
    assert "its direct cause is ValueError" in match.clause


@pytest.mark.parametrize("via", ["context", "group"])
def test_handled_exceptions_never_decide(via: str) -> None:
    assert _match(problem(raised("RuntimeError"), raised("ValueError", via=via)), VALUE_ERROR) is None


def test_what_lies_deeper_than_the_direct_cause_never_decides() -> None:
    chain = (raised("RuntimeError"), raised("KeyError", via="cause"), raised("ValueError", via="cause"))
    assert _match(problem(*chain), VALUE_ERROR) is None


def test_captured_text_never_decides() -> None:
    assert _match(problem(raised("RuntimeError"), text="E   ValueError: no"), VALUE_ERROR) is None


@pytest.mark.parametrize(
    ("where", "head", "cause"), [("head", True, False), ("cause", False, True), ("any", True, True)]
)
def test_where_says_which_exception_may_hold(where: str, head: bool, cause: bool) -> None:
    symptom = Symptom(exception=("ValueError",), where=where)
    other = raised("RuntimeError")
    assert (_match(problem(raised()), symptom) is not None) is head
    assert (_match(problem(other, raised(via="cause")), symptom) is not None) is cause


def test_a_base_class_counts_as_recorded_or_as_python_knows_it() -> None:
    recorded = raised("shop.NoStock", bases=("shop.ShopError", "LookupError"))
    assert _match(problem(recorded), Symptom(exception=("shop.ShopError",)))
    assert _match(problem(raised("KeyError")), Symptom(exception=("LookupError",)))


def test_exact_leaves_the_bases_out() -> None:
    symptom = Symptom(exception=("LookupError",), exact=True)
    assert _match(problem(raised("KeyError")), symptom) is None
    assert _match(problem(raised("LookupError")), symptom)


def test_a_class_without_its_module_may_be_any_of_that_name_but_no_builtin() -> None:
    assert _match(problem(raised("IntegrityError")), Symptom(exception=("sqlalchemy.exc.IntegrityError",)))
    assert (
        _match(problem(raised("TimeoutError")), Symptom(exception=("sqlalchemy.exc.TimeoutError",))) is None
    )
    assert _match(problem(raised("other.ValueError")), VALUE_ERROR) is None


def test_the_message_is_searched_not_matched_from_its_start() -> None:
    symptom = Symptom(message=r"column (?P<column>\w+)(?: of (?P<table>\w+))?")
    match = _match(problem(raised(message="first line\nno such column price")), symptom)
    assert match is not None
    assert match.captures == (("column", "price"),)


def test_unless_takes_a_match_back() -> None:
    symptom = Symptom(exception=("ValueError",), message="no", unless="nobody")
    assert _match(problem(raised(message="no")), symptom)
    assert _match(problem(raised(message="nobody")), symptom) is None


def test_the_phase_must_be_one_of_those_named() -> None:
    symptom = Symptom(exception=("ValueError",), phase=(Phase.SETUP, Phase.TEARDOWN))
    assert _match(problem(raised(), phase=Phase.SETUP), symptom)
    assert _match(problem(raised()), symptom) is None


@pytest.mark.parametrize(
    "place",
    [
        "werkzeug.local",
        "/srv/venv/lib/python3.12/site-packages/werkzeug/local.py",
        "../venv/lib/python3.12/site-packages/werkzeug/local.py",
        "site-packages/werkzeug/local.py",
        "/usr/lib/python3/dist-packages/werkzeug/local.py",
        r"C:\venv\Lib\site-packages\werkzeug\local.py",
    ],
)
def test_raised_in_takes_modules_and_paths_alike(place: str) -> None:
    symptom = Symptom(exception=("ValueError",), raised_in=("werkzeug/*",))
    assert _match(problem(raised(raised_in=place)), symptom)


@pytest.mark.parametrize("place", ["werkzeug", "/srv/lib/site-packages/werkzeug/__init__.py"])
def test_raised_in_takes_a_package_itself_for_one_of_its_modules(place: str) -> None:
    symptom = Symptom(exception=("ValueError",), raised_in=("werkzeug/*",))
    assert _match(problem(raised(raised_in=place)), symptom)
    other = place.replace("werkzeug", "flask")
    assert _match(problem(raised(raised_in=other)), symptom) is None


def test_raised_in_knows_the_standard_library_by_its_path() -> None:
    symptom = Symptom(exception=("ValueError",), raised_in=("asyncio/*",))
    assert _match(problem(raised(raised_in="/usr/lib/python3.11/asyncio/tasks.py")), symptom)
    assert _match(problem(raised(raised_in="asyncio.tasks")), symptom)
    assert _match(problem(raised(raised_in="app/asyncio.py")), symptom) is None


def test_frames_are_those_of_the_project_only() -> None:
    symptom = Symptom(exception=("ValueError",), frames=("app/*",))
    own, library = frame("app/shop.py"), frame("app/shop.py", kind="library")
    assert _match(problem(raised("ValueError", "no", own)), symptom)
    assert _match(problem(raised("ValueError", "no", library, frame("tests/test_a.py"))), symptom) is None


def test_the_source_is_that_of_the_deepest_own_line() -> None:
    symptom = Symptom(exception=("KeyError",), source=r"environ\[")
    reads, calls = frame(source="return os.environ[name]"), frame(source="assert setting('A')")
    assert _match(problem(raised("KeyError", "'A'", calls, reads)), symptom)
    assert _match(problem(raised("KeyError", "'A'", reads, calls)), symptom) is None


def test_each_condition_that_cannot_be_decided_lowers_the_confidence() -> None:
    symptom = Symptom(exception=("ValueError",), raised_in=("app/*",), frames=("app/*",), source="sell")
    known = raised("ValueError", "no", frame(source="sell()"), raised_in="app/shop.py")
    sure, unsure = _match(problem(known), symptom), _match(problem(raised()), symptom)
    assert sure is not None
    assert unsure is not None
    assert sure.confidence - unsure.confidence == pytest.approx(0.3)


def test_a_fallback_is_trusted_least_and_class_with_message_most() -> None:
    def trust(level: Level, symptom: Symptom) -> float:
        match, _ = Matcher([playbook("known", symptom, level=level)]).match(problem(raised()))
        assert match is not None
        return match.confidence

    both = trust(Level.SPECIFIC, Symptom(exception=("ValueError",), message="no"))
    by_class = trust(Level.SPECIFIC, VALUE_ERROR)
    by_message = trust(Level.SPECIFIC, Symptom(message="no"))
    assert both > by_class > by_message > trust(Level.FALLBACK, VALUE_ERROR)


def test_the_decided_symptom_of_a_playbook_is_named_before_an_undecided_one() -> None:
    unsure = Symptom(exception=("ValueError",), source="sell")
    match = _match(problem(raised(message="no stock")), unsure, Symptom(message="stock"))
    assert match is not None
    assert match.clause.startswith("symptom 2")


def test_a_finding_holds_only_where_someone_looks_and_finds_it() -> None:
    symptom = Symptom(
        exception=("AttributeError",), message=r"attribute '(?P<attribute>\w+)'", finding="a-rule"
    )
    one = problem(raised("AttributeError", "no attribute 'author'"))
    asked: list[tuple[str, dict[str, str]]] = []

    def look(rule: str, _: Problem, names: Mapping[str, str]) -> bool:
        asked.append((rule, dict(names)))
        return names["attribute"] == "author"

    matcher = Matcher([playbook("known", symptom)])
    assert matcher.match(one)[0] is None
    assert matcher.match(one, look)[0] is not None
    assert asked == [("a-rule", {"attribute": "author"})]


def test_sessions_count_where_they_hold_objects_or_failed() -> None:
    symptom = Symptom(exception=("ValueError",), fact={"sessions": 2})
    holding: dict[str, object] = {"holds": {"app.User": 1}}
    failing, idle = {"failing": True}, {"holds": dict[str, int]()}
    assert _match(problem(raised(), facts={"sessions": [holding, failing]}), symptom)
    assert _match(problem(raised(), facts={"sessions": [holding, idle]}), symptom) is None
    assert _match(problem(raised(), facts={"sessions": "two"}), symptom) is None
    assert _match(problem(raised()), symptom) is None


def test_only_the_start_of_an_endless_message_takes_part() -> None:
    symptom = Symptom(message="needle")
    assert _match(problem(raised(message="needle" + "x" * 100_000)), symptom)
    assert _match(problem(raised(message="x" * 100_000 + "needle")), symptom) is None


def test_a_message_that_is_no_text_of_unicode_is_searched_all_the_same() -> None:
    match = _match(problem(raised("ValueError", "bad \ud800 name")), Symptom(message=r"bad (?P<value>\S+)"))
    assert match is not None
    assert match.captures == (("value", "?"),)


def test_the_same_symptom_is_named_whatever_the_hash_seed() -> None:
    code = (
        "from tests.builders import playbook, problem, raised\n"
        "from triage.model.playbook import Symptom\n"
        "from triage.playbook.match import Matcher\n"
        "names = ('LookupError', 'KeyError', 'Exception', 'BaseException')\n"
        "known = playbook('known', *(Symptom(exception=(name,)) for name in names))\n"
        "print(Matcher([known]).match(problem(raised('KeyError')))[0].clause)\n"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3", "4")
    }
    assert said == {"symptom 1: the exception raised is LookupError\n"}


def test_many_playbooks_of_one_expression_share_it() -> None:
    symptoms = [Symptom(exception=(name,), message="no") for name in ("ValueError", "KeyError")]
    matcher = Matcher([playbook(f"p{place}", one) for place, one in enumerate(symptoms)])
    assert [
        matcher.match(problem(ExceptionInfo(name, "no")))[0] is not None
        for name in ("ValueError", "KeyError")
    ]


def test_failures_of_one_kind_are_still_told_apart_by_what_is_not_of_the_kind() -> None:
    """The matcher remembers what it decided; each of these pairs differs in one fact only."""
    at_home = frame("app/shop.py", source="price = cost[0]")
    abroad = frame("lib/other.py", source="return 1")
    pairs = [
        (Symptom(frames=("app/*",)), problem(raised("E", "no", at_home)), problem(raised("E", "no", abroad))),
        (Symptom(source="cost"), problem(raised("E", "no", at_home)), problem(raised("E", "no", abroad))),
        (
            Symptom(raised_in=("flask/*",)),
            problem(raised("E", raised_in="site-packages/flask/app.py")),
            problem(raised("E", raised_in="site-packages/other/app.py")),
        ),
        (Symptom(fact={"mixed": True}), problem(raised("E"), facts={"mixed": True}), problem(raised("E"))),
        (Symptom(message="no"), problem(raised("E", "oh no")), problem(raised("E", "oh yes"))),
        (Symptom(where="cause"), problem(raised("A"), raised("E", via="cause")), problem(raised("A"))),
    ]
    for symptom, held, missed in pairs:
        matcher = Matcher([playbook("known", replace(symptom, exception=("E",)))])
        found = [matcher.match(one)[0] for one in (held, missed, held, missed)]
        assert [one.playbook if one else None for one in found] == ["known", None, "known", None], symptom


def test_a_rule_is_asked_for_every_failure() -> None:
    matcher = Matcher([playbook("known", Symptom(exception=("E",), finding="a-rule"))])
    one = problem(raised("E"))
    answers = [matcher.match(one, lambda *_, said=said: said)[0] for said in (True, False, True)]
    assert [answer is not None for answer in (*answers, matcher.match(one)[0])] == [True, False, True, False]


def test_captures_are_those_of_each_failure_and_left_out_where_nobody_reads_them() -> None:
    matcher = Matcher([playbook("known", Symptom(message=r"no column (?P<column>\w+)"))])
    for column in ("name", "price", "name"):
        match, _ = matcher.match(problem(raised("E", f"no column {column}")))
        assert match is not None
        assert match.captures == (("column", column),)
        assert matcher.without_captures().match(problem(raised("E", f"no column {column}")))[0] == replace(
            match, captures=()
        )
