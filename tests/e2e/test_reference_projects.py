"""What triage says of the three reference projects, against what is known of them."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from tests.e2e.conftest import PROJECTS, ROOT, Answer
from triage.yamlfile import read_yaml

pytestmark = pytest.mark.e2e

Summaries = Mapping[str, Mapping[str, Any]]
REFERENCE_EFFORT_MIN = 570  # reference case 1: 9.5 hours


def _expected(project: str) -> Any:
    return read_yaml(ROOT / "projects" / project / "expected.yaml").data


def _wanted(project: str) -> dict[str, Mapping[str, Any]]:
    return {test: group for group in _expected(project)["failures"] for test in group["tests"]}


def test_failures_remain_so_the_status_is_one(fleet: Answer) -> None:
    assert fleet.status == 1, fleet.err


@pytest.mark.parametrize("project", PROJECTS)
def test_counts_are_those_of_the_reference_case(project: str, summaries: Summaries) -> None:
    expected = _expected(project)["counts"]
    assert {key: summaries[project]["counts"][key] for key in expected} == expected


@pytest.mark.parametrize("project", PROJECTS)
def test_every_failing_test_is_listed_once(project: str, summaries: Summaries) -> None:
    listed = Counter(failure["nodeid"] for failure in summaries[project]["failures"])
    assert listed == Counter(dict.fromkeys(_wanted(project), 1))


@pytest.mark.parametrize("project", PROJECTS)
def test_every_failure_has_its_playbook_outcome_and_phase(project: str, summaries: Summaries) -> None:
    said = {
        failure["nodeid"]: (failure["playbook"], failure["outcome"], failure["phase"])
        for failure in summaries[project]["failures"]
    }
    wanted = {test: (one["playbook"], one["outcome"], one["phase"]) for test, one in _wanted(project).items()}
    assert said == wanted


@pytest.mark.parametrize("project", PROJECTS)
def test_every_cause_stands_at_its_line(project: str, summaries: Summaries) -> None:
    summary = summaries[project]
    causes = {one["id"]: (one["cause"]["file"], one["cause"]["line"]) for one in summary["diagnoses"]}
    said = {failure["nodeid"]: causes.get(failure["diagnosis"]) for failure in summary["failures"]}
    wanted = {test: (one["cause"]["file"], one["cause"]["line"]) for test, one in _wanted(project).items()}
    assert said == wanted


@pytest.mark.parametrize("project", PROJECTS)
def test_followers_name_the_failure_that_they_follow_from(project: str, summaries: Summaries) -> None:
    said = {failure["nodeid"]: failure["root"] for failure in summaries[project]["failures"]}
    roots = {one["root"] for one in _wanted(project).values() if one.get("root")}
    wanted = {
        test: one["root"] if one.get("root") != test else None
        for test, one in _wanted(project).items()
        if "root" in one
    }
    assert {test: root for test, root in said.items() if test in wanted} == wanted
    assert {root for root in said.values() if root} == roots


@pytest.mark.parametrize("project", PROJECTS)
def test_hidden_defects_are_found_in_the_source(project: str, summaries: Summaries) -> None:
    said = [
        {key: one[key] for key in ("rule", "playbook", "file", "line")}
        for one in summaries[project]["latent"]
    ]
    wanted = _expected(project)["latent"]
    assert sorted(said, key=str) == sorted(wanted, key=str)


@pytest.mark.parametrize("project", PROJECTS)
def test_patterns_count_the_tests(project: str, summaries: Summaries) -> None:
    said = {one["playbook"]: one["count"] for one in summaries[project]["patterns"]}
    assert said == _expected(project)["patterns"]


def test_plan_of_the_booking_platform_has_four_phases_and_the_effort_of_the_case(
    summaries: Summaries,
) -> None:
    plan = summaries["tithi_fixture"]["plan"]
    assert [phase["severity"] for phase in plan["phases"]] == ["critical", "high", "medium", "low"]
    assert plan["effort_min"] == pytest.approx(REFERENCE_EFFORT_MIN, rel=0.2)


def test_every_failing_test_is_in_exactly_one_task(summaries: Summaries) -> None:
    for summary in summaries.values():
        planned = Counter(
            test for phase in summary["plan"]["phases"] for task in phase["tasks"] for test in task["tests"]
        )
        assert planned == Counter(dict.fromkeys((one["nodeid"] for one in summary["failures"]), 1))


def test_models_of_the_agent_platform_stay_covered(summaries: Summaries) -> None:
    gates = {gate["name"]: gate for gate in summaries["atom_fixture"]["gates"]}
    assert gates["coverage"]["baseline"] >= 97


# Assertions say that something is wrong and not what: no one fact could be changed.
ASSERTIONS = {"plain-assertion", "status-code-assertion", "mock-assertion"}


@pytest.mark.parametrize("project", PROJECTS)
def test_every_cause_that_can_be_changed_is_proven_by_a_flip(project: str, summaries: Summaries) -> None:
    summary = summaries[project]
    proofs = {one["id"]: one["proof"] for one in summary["diagnoses"]}
    unproven = {
        failure["nodeid"]: proofs[failure["diagnosis"]]
        for failure in summary["failures"]
        if failure["playbook"] not in ASSERTIONS and proofs[failure["diagnosis"]] != "flipped"
    }
    assert unproven == {}


@pytest.mark.parametrize("project", PROJECTS)
def test_what_cannot_be_changed_was_run_again_and_says_how_often(project: str, summaries: Summaries) -> None:
    summary = summaries[project]
    told = {one["id"]: one["repeats"] for one in summary["diagnoses"] if one["playbook"] in ASSERTIONS}
    assert all(" runs; a test that fails less often than" in sentence for sentence in told.values())


def test_a_defect_that_hides_behind_another_is_listed_with_it(summaries: Summaries) -> None:
    (cause,) = summaries["blog_fixture"]["diagnoses"]
    assert {(one["file"], one["line"]) for one in cause["behind"]} == {
        ("blog/models.py", 27),
        ("blog/models.py", 15),
    }
