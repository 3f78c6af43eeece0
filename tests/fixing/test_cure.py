"""Rounds over a workshop: what is taken, what is put aside, and in which order."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fixing.shop import BOOKS, FILE, Cures, Ill, Shop, proposing
from triage.fixing.cure import Cured, Healer, Wish
from triage.fixing.options import Chooser
from triage.fixing.workshop import State
from triage.model.fix import FixStatus, Reach
from triage.model.terms import Applicability

TWO = "def test_a():\n    BAD_A\n\n\ndef test_b():\n    BAD_B\n"


def heal(
    shop: Shop, cures: Cures, *, unsafe: bool = True, task: frozenset[str] | None = None, **more: object
) -> Cured:
    chooser = Chooser(BOOKS, unsafe=unsafe, propose=proposing(cures, **more))
    return Healer(shop, chooser, Wish(unsafe, task)).heal()


def shop(folder: Path, tests: Mapping[str, Sequence[Ill]], text: str = TWO, **more: object) -> Shop:
    return Shop(folder, {FILE: text}, tests, **more)  # type: ignore[arg-type] # fields of the caller's choice


def remedies(cured: Cured) -> list[str]:
    return [one.fix.remedy for one in cured.kept]


def test_cures_of_several_causes_are_tried_and_kept_together(tmp_path: Path) -> None:
    world = shop(tmp_path, {"a": [Ill("BAD_A")], "b": [Ill("BAD_B")], "c": []})
    cured = heal(world, {("first", "BAD_A"): [("BAD_A", "good")], ("first", "BAD_B"): [("BAD_B", "fine")]})
    assert cured.last.failing == ()
    assert [one.fix.verdict.fixed for one in cured.kept] == [("a",), ("b",)]
    assert [name for name, _ in world.runs] == ["round 1 trial 1 whole suite"]
    assert "-    BAD_A\n+    good\n" in cured.kept[0].fix.diff
    assert "BAD_B" not in cured.kept[0].fix.diff.replace(" BAD_B", "")
    assert cured.changed[FILE].decode() == TWO.replace("BAD_A", "good").replace("BAD_B", "fine")


def test_what_hid_behind_a_defect_is_cured_in_the_next_round(tmp_path: Path) -> None:
    world = shop(tmp_path, {"a": [Ill("BAD_A"), Ill("BAD_B", playbook="other")]})
    cured = heal(world, {("first", "BAD_A"): [("BAD_A", "good")], ("first", "BAD_B"): [("BAD_B", "fine")]})
    assert cured.last.failing == ()
    assert [(one.fix.round, one.fix.diagnoses) for one in cured.kept] == [(1, ("D1",)), (2, ("R2-D1",))]
    assert cured.kept[0].fix.verdict.unmasked == (("a", "other"),)
    assert cured.kept[0].fix.verdict.is_cause_gone
    assert world.looked == [("a",)]


def test_a_cure_that_breaks_a_test_is_put_aside_for_the_next_one(tmp_path: Path) -> None:
    world = shop(tmp_path, {"a": [Ill("BAD_A")], "b": [Ill("BAD_B")], "c": [Ill("harm")]})
    cures: Cures = {
        ("first", "BAD_A"): [("BAD_A", "harm")],
        ("second", "BAD_A"): [("BAD_A", "good")],
        ("first", "BAD_B"): [("BAD_B", "fine")],
    }
    cured = heal(world, cures)
    assert cured.last.failing == ()
    assert sorted(remedies(cured)) == ["first", "second"]
    (bad,) = cured.rejected
    assert (bad.remedy, bad.status, bad.reason) == ("first", FixStatus.REJECTED, "c fails with it")
    assert "+    harm\n" in bad.diff


def test_nothing_is_kept_that_leaves_the_failure_as_it_was(tmp_path: Path) -> None:
    world = shop(tmp_path, {"a": [Ill("BAD_A")]})
    cured = heal(world, {("first", "BAD_A"): [("BAD_A", "BAD_A + 1")]})
    assert cured.kept == []
    assert cured.changed == {}
    assert [one.reason for one in cured.rejected] == ["the failure stays as it was"]


def test_edits_that_clash_wait_for_the_next_round(tmp_path: Path) -> None:
    text = "def test_a():\n    BAD_A = BAD_B\n"
    world = shop(tmp_path, {"a": [Ill("BAD_A")], "b": [Ill("BAD_B")]}, text)
    cures: Cures = {
        ("first", "BAD_A"): [("BAD_A = ", "good = ")],
        ("first", "BAD_B"): [("= BAD_B", "= fine")],
    }
    cured = heal(world, cures)
    assert cured.changed[FILE].decode() == "def test_a():\n    good = fine\n"
    assert [one.fix.round for one in cured.kept] == [1, 2]


def test_a_cure_that_only_uncovers_what_nobody_can_cure_is_taken_out_again(tmp_path: Path) -> None:
    world = shop(tmp_path, {"a": [Ill("BAD_A"), Ill("def test_b", playbook="other")]})
    cured = heal(world, {("first", "BAD_A"): [("BAD_A", "good")]})
    assert cured.kept == []
    assert cured.changed == {}
    assert [one.reason for one in cured.rejected] == ["no test turned green by it in the end"]


def test_what_weakens_a_test_is_never_tried(tmp_path: Path) -> None:
    text = "def test_a():\n    assert BAD_A == 1\n"
    world = shop(tmp_path, {"a": [Ill("BAD_A")]}, text)
    cured = heal(world, {("first", "BAD_A"): [("assert BAD_A == 1", "assert True")]})
    assert cured.kept == []
    assert world.runs == []
    (refused,) = cured.rejected
    assert refused.weakenings
    assert refused.reason.startswith("it would weaken: ")


def test_what_a_person_should_judge_is_made_only_when_asked_for(tmp_path: Path) -> None:
    cures: Cures = {("second", "BAD_A"): [("BAD_A", "good")]}
    careful = heal(shop(tmp_path, {"a": [Ill("BAD_A")]}), cures, unsafe=False)
    assert careful.kept == []
    assert careful.refused == {"a": "a person should judge it; --unsafe tries it"}
    assert remedies(heal(shop(tmp_path, {"a": [Ill("BAD_A")]}), cures)) == ["second"]


def test_a_safe_fix_whose_test_notices_nothing_is_no_safe_one(tmp_path: Path) -> None:
    cures: Cures = {("first", "BAD_A"): [("BAD_A", "good")], ("first", "BAD_B"): [("BAD_B", "fine")]}
    tests = {"a": [Ill("BAD_A")], "b": [Ill("BAD_B")]}
    careful = heal(shop(tmp_path, tests, blind=("a",)), cures, unsafe=False)
    assert [one.fix.verdict.fixed for one in careful.kept] == [("b",)]
    assert careful.changed[FILE].decode() == TWO.replace("BAD_B", "fine")
    assert "--unsafe takes it" in careful.rejected[0].reason
    free = heal(shop(tmp_path, tests, blind=("a",)), cures)
    assert [one.fix.applicability for one in free.kept] == [Applicability.UNSAFE, Applicability.SAFE]
    assert free.kept[0].fix.judge


def test_what_needed_a_fix_that_is_no_safe_one_goes_with_it(tmp_path: Path) -> None:
    tests = {"a": [Ill("BAD_A")], "b": [Ill("BAD_A"), Ill("BAD_B", playbook="other")]}
    cures: Cures = {("first", "BAD_A"): [("BAD_A", "good")], ("first", "BAD_B"): [("BAD_B", "fine")]}
    careful = heal(shop(tmp_path, tests, blind=("a",)), cures, unsafe=False)
    assert careful.kept == []
    assert careful.changed == {}
    assert careful.last.failing == ("a", "b")


def test_a_remedy_that_is_only_shown_is_never_made(tmp_path: Path) -> None:
    cured = heal(shop(tmp_path, {"a": [Ill("BAD_A")]}), {("shown", "BAD_A"): [("BAD_A", "good")]})
    assert cured.kept == []


def test_only_the_diagnoses_that_were_asked_for_are_cured(tmp_path: Path) -> None:
    cures: Cures = {("first", "BAD_A"): [("BAD_A", "good")], ("first", "BAD_B"): [("BAD_B", "fine")]}
    world = shop(tmp_path, {"a": [Ill("BAD_A")], "b": [Ill("BAD_B")]})
    cured = heal(world, cures, task=frozenset({"D2"}))
    assert cured.last.failing == ("a",)
    assert [one.fix.diagnoses for one in cured.kept] == [("D2",)]


def test_a_failure_by_chance_is_no_reason_against_a_cure(tmp_path: Path) -> None:
    world = shop(tmp_path, {"a": [Ill("BAD_A")], "c": []})
    healer_cures: Cures = {("first", "BAD_A"): [("BAD_A", "good")]}
    first = world.first()
    assert first.ran.failing == ("a",)
    world.first = lambda: first  # type: ignore[method-assign] # the chance strikes only after it
    world.once = ["c"]
    cured = heal(world, healer_cures)
    assert remedies(cured) == ["first"]


def test_the_narrower_reach_is_tried_first_whatever_the_order_in_the_playbook(tmp_path: Path) -> None:
    world = shop(tmp_path, {"a": [Ill("BAD_A")]})
    wide = proposing({("first", "BAD_A"): [("BAD_A", "wide")]}, reach=Reach.SUITE)
    narrow = proposing({("second", "BAD_A"): [("BAD_A", "narrow")]}, reach=Reach.TEST)
    chooser = Chooser(BOOKS, unsafe=True, propose=lambda *all_: [*wide(*all_), *narrow(*all_)])
    cured = Healer(world, chooser, Wish(unsafe=True)).heal()
    assert remedies(cured) == ["second"]


@pytest.mark.parametrize("tests", [40])
def test_a_long_suite_runs_the_affected_tests_before_the_whole(tests: int, tmp_path: Path) -> None:
    suite: dict[str, list[Ill]] = {f"t{n}": [] for n in range(tests)}
    world = shop(tmp_path, {**suite, "a": [Ill("BAD_A")]}, duration_s=600.0)
    cured = heal(world, {("first", "BAD_A"): [("BAD_A", "good")]})
    assert world.runs == [("round 1 trial 1 part", ("a",)), ("round 1 trial 2 whole suite", None)]
    assert cured.last.failing == ()


def test_what_a_run_of_some_tests_only_promised_is_followed_by_the_next_cure(tmp_path: Path) -> None:
    suite: dict[str, list[Ill]] = {f"t{n}": [] for n in range(40)}
    world = shop(tmp_path, {**suite, "a": [Ill("BAD_A", in_company=True)]}, duration_s=600.0)
    cures: Cures = {
        ("first", "BAD_A"): [("BAD_A", "BAD_A + 1")],
        ("second", "BAD_A"): [("BAD_A", "good")],
    }
    cured = heal(world, cures)
    assert remedies(cured) == ["second"]
    assert cured.last.failing == ()
    assert next(asked for _, asked in world.runs) == ("a",)


def test_a_cure_that_the_others_make_needless_is_taken_out_again(tmp_path: Path) -> None:
    """Two diagnoses of one test, of which the cure of one is enough."""
    text = "def test_a():\n    BAD_A\n\n\ndef test_b():\n    OTHER\n"
    world = shop(tmp_path, {"a": [Ill("BAD_A")]}, text)
    one = world.first().diagnoses[0]
    place = replace(one.defects[0], names={"word": "OTHER"})
    both = State(world.first().ran, (replace(one, defects=(*one.defects, place)),), world.first().tree)
    world.first = lambda: both  # type: ignore[method-assign] # what it says hides behind the cause does not
    cured = heal(world, {("first", "BAD_A"): [("BAD_A", "good")], ("first", "OTHER"): [("OTHER", "fine")]})
    assert cured.changed[FILE].decode() == text.replace("BAD_A", "good")
    assert cured.last.failing == ()
    assert [one.reason for one in cured.rejected] == ["its tests pass without it, by the other fixes"]


def test_one_cure_that_two_remedies_propose_is_one_fix(tmp_path: Path) -> None:
    world = shop(tmp_path, {"a": [Ill("BAD_A")], "b": [Ill("BAD_A", playbook="other")]})
    both = proposing({("first", "BAD_A"): [("BAD_A", "good")]})
    cured = Healer(world, Chooser(BOOKS, unsafe=True, propose=both), Wish(unsafe=True)).heal()
    assert [(one.fix.diagnoses, one.fix.verdict.fixed) for one in cured.kept] == [(("D1", "D2"), ("a", "b"))]


def test_what_would_not_parse_is_never_tried(tmp_path: Path) -> None:
    world = shop(tmp_path, {"a": [Ill("BAD_A")]})
    cured = heal(world, {("first", "BAD_A"): [("BAD_A", "1 +")]})
    assert cured.kept == []
    assert world.runs == []
