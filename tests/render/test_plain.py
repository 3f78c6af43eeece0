"""Text for a screen."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import diagnosis, failure, playbook, raised, report
from triage.model.plan import Gate
from triage.model.progress import Progress
from triage.model.terms import RunStatus
from triage.render.plain import (
    MAX_CAUSES,
    MAX_CHANGED,
    causes,
    columns,
    night_lines,
    progress_line,
    project_lines,
    result_word,
    run_table,
    top_tasks,
    visible,
)
from triage.render.summary import summary
from triage.stages.plan import Launcher, make_plan

EVIL = "a\n::error::b\x1b[2J\r##[c]\u202e"


def ran(*effort: int, name: str = "shop") -> dict[str, Any]:
    books = {f"p{one}": playbook(f"p{one}", phase=1) for one in range(len(effort))}
    causes = [
        diagnosis(f"D{one}", f"p{one}", *[f"t::{one}{n}" for n in range(count)], file=f"{one}.py")
        for one, count in enumerate(effort)
    ]
    plan = make_plan(causes, (), (), books, Launcher(("python",), ()))
    return summary(report(failure(), diagnoses=tuple(causes), plan=plan, name=name))


@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=5))
def test_a_table_has_one_line_for_each_row_whatever_is_in_it(rows: list[tuple[str, str]]) -> None:
    lines = columns(("a", "b"), rows)
    assert len(lines) == len(rows) + 1
    assert all(line == visible(line) and "\n" not in line for line in lines)


@given(st.text())
def test_what_is_visible_stays_as_it_is(text: str) -> None:
    assert visible(visible(text)) == visible(text)


def test_columns_are_aligned() -> None:
    assert columns(("name", "n"), [("a", "10"), ("longer", "2")]) == [
        "name     n",
        "a       10",
        "longer   2",
    ]


def test_text_in_a_table_stands_to_the_left() -> None:
    assert columns(("id", "n", "title"), [("a", "1", "x"), ("b", "20", "longer")], ("title",)) == [
        "id   n  title",
        "a    1  x",
        "b   20  longer",
    ]


@pytest.mark.parametrize("name", [None, "plain-assertion"])
def test_a_cause_without_words_shows_what_the_test_said(name: str | None) -> None:
    told = failure("t::0", name, raised("AssertionError", "\nassert 1 == 2\n  + more\n" + "x" * 999))
    one = summary(report(told, diagnoses=(diagnosis("D1", name, "t::0"),)))
    assert causes(one) == [f"  app/shop.py:3 {name or 'unknown'}, 1 test: assert 1 == 2 [proof: none]"]
    one["failures"][0]["message"] = "y" * 101
    assert "y" * 97 + "... [" in causes(one)[0]
    one["diagnoses"][0]["proof"] = "static"
    assert "It is so." in causes(one)[0]


def test_a_long_list_of_causes_ends_with_how_many_more() -> None:
    many = tuple(diagnosis(f"D{n}", "known", f"t::{n}", file=f"{n}.py") for n in range(MAX_CAUSES + 12))
    lines = causes(summary(report(failure(), diagnoses=many)))
    assert (len(lines), lines[-1]) == (MAX_CAUSES + 1, "  and 12 more: see the plan")


def test_tests_that_were_expected_to_fail_are_said_where_there_are_any() -> None:
    one = summary(report(gates=()))
    one["counts"] |= {"xfailed": 1, "xpassed": 2}
    assert project_lines(one, "plan.md") == ["shop", "  1 xfailed, 2 xpassed"]


def test_progress_shows_what_is_known() -> None:
    assert progress_line(Progress("shop", "running tests")) == "shop  running tests"
    assert progress_line(Progress("shop", "running tests", 5, 10, 2, 4.0)) == (
        "shop  running tests  5/10  2 failing  4 s left"
    )
    assert "\n" not in progress_line(Progress(EVIL, EVIL))


def test_a_result_is_one_word() -> None:
    held = (Gate("pass_rate", 100.0, 100.0, holds=True),)
    assert result_word(summary(report(gates=held))) == "ok"
    assert result_word(summary(report())) == "gates"
    assert result_word(summary(report(failure(), gates=held))) == "failing"
    broken = summary(report(gates=held))
    broken["run"]["status"] = RunStatus.TIMED_OUT
    assert result_word(broken) == "timed out"


def test_the_most_valuable_tasks_turn_most_tests_green_per_minute() -> None:
    lines = top_tasks([ran(1, 9), ran(5, name="blog")])
    assert [line.partition(":")[0] for line in lines] == ["1. shop T1", "2. blog T1", "3. shop T2"]
    assert "(9 tests, 40 min)" in lines[0]


def test_lines_of_a_project_hold_nothing_that_acts_on_a_terminal_or_a_log() -> None:
    cause = diagnosis("D1", None, said=EVIL, file=EVIL)
    lines = project_lines(summary(report(failure(), diagnoses=(cause,), detail=EVIL, notes=(EVIL,))), EVIL)
    text = "\n".join(lines)
    assert "\x1b" not in text
    assert "\n::error" not in text
    assert "##[" not in text
    assert len(run_table([ran(1, name=EVIL)])) == 2


def test_a_good_project_needs_no_lines() -> None:
    assert project_lines(summary(report(gates=())), "plan.md") == []


def night(**changes: list[str]) -> dict[str, Any]:
    kinds = ("new", "fixed", "still_failing", "regressed", "flaky", "silenced", "gone")
    one = {"name": "shop", "summary": ran(1), "changes": {kind: changes.get(kind, []) for kind in kinds}}
    return {"projects": [one], "totals": {kind: len(changes.get(kind, [])) for kind in kinds}}


def test_a_night_names_what_changed_and_says_when_nothing_did() -> None:
    assert night_lines(night())[-1] == "nothing is new since the night before"
    lines = night_lines(night(new=["a"], silenced=["b"]))
    assert lines[-2:] == ["  new: a", "  silenced: b"]
    many = night_lines(night(new=[f"t{n}" for n in range(MAX_CHANGED + 5)]))
    assert many[-1] == "  and 5 more"
