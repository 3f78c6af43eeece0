"""Facts are changed one after another, and what came of it is told as it was."""

from tests.proving.laboratory import FILE, Defect, World, examined, of, said
from triage.model.terms import Proof
from triage.rules.lookup import Lookup


def test_a_test_that_passes_with_the_fact_changed_proves_the_line(lookup: Lookup) -> None:
    world = World({"a": [Defect(3)]})
    one = of("a", examined(world, lookup))
    assert (one.proof, one.cause.file, one.cause.line, one.confidence) == (Proof.FLIPPED, FILE, 3, 0.98)
    assert said(one, "flipped") == ["mend: it was mended: 1 test: passes"]
    assert world.names == ["observe", "change 1", "control"]
    assert world.trial("control").interventions == ()


def test_a_test_that_passes_without_the_change_as_well_is_not_flipped(lookup: Lookup) -> None:
    world = World({"a": [Defect(3, strikes=(True, True, True, False, False, True))]})
    one = of("a", examined(world, lookup))
    assert one.proof is not Proof.FLIPPED
    assert said(one, "flipped") == []


def test_a_pass_without_the_change_having_taken_effect_proves_nothing(lookup: Lookup) -> None:
    world = World({"a": [Defect(3, strikes=(True, True, False))]}, unreached=(3,))
    one = of("a", examined(world, lookup))
    assert one.proof is not Proof.FLIPPED
    assert said(one, "flipped") == []


def test_a_change_without_effect_loses_trust_and_says_so(lookup: Lookup) -> None:
    world = World({"a": [Defect(3, seen=(8,))]})
    one = of("a", examined(world, lookup))
    assert (one.proof, one.cause.line, one.confidence) == (Proof.OBSERVED, 8, 0.27)
    assert said(one, "unchanged") == ["mend: it was mended: 1 test: fails as before"]


def test_a_change_that_took_no_effect_costs_no_trust(lookup: Lookup) -> None:
    one = of("a", examined(World({"a": [Defect(3)]}, unreached=(3,)), lookup))
    assert (one.proof, one.confidence, said(one, "unchanged")) == (Proof.OBSERVED, 0.81, [])


def test_the_second_candidate_flips_where_the_first_does_not(lookup: Lookup) -> None:
    one = of("a", examined(World({"a": [Defect(3, seen=(8, 3))]}), lookup))
    assert (one.proof, one.cause.line) == (Proof.FLIPPED, 3)
    assert [piece.line for piece in one.evidence if piece.kind == "unchanged"] == [8]


def test_a_fourth_candidate_is_not_tried(lookup: Lookup) -> None:
    world = World({"a": [Defect(3, seen=(6, 7, 8, 3))]})
    assert of("a", examined(world, lookup)).proof is Proof.OBSERVED
    tried = [one.line for trial in world.trials for one in trial.interventions]
    assert tried == [6, 7, 8]


def test_the_second_kind_of_change_flips_where_the_first_does_not(lookup: Lookup) -> None:
    one = of("a", examined(World({"a": [Defect(3, "tried")]}), lookup))
    assert one.proof is Proof.FLIPPED
    assert [text.partition(":")[0] for text in said(one, "unchanged")] == ["shake"]


def test_a_defect_behind_another_is_told_beside_it_and_a_control_confirms_the_first(lookup: Lookup) -> None:
    world = World({"a": [Defect(3), Defect(5, "other", raised=101)]})
    one = of("a", examined(world, lookup))
    assert (one.proof, one.playbook, one.cause.line, one.behind) == (Proof.FLIPPED, "known", 3, ((FILE, 5),))
    assert "fails without this change" in said(one, "flipped")[0]
    assert said(one, "behind") == ["showed once the cause was taken away: The title of other."]
    assert [each.line for each in world.trial("control").interventions] == [5]


def test_a_first_change_that_was_not_needed_is_dropped(lookup: Lookup) -> None:
    world = World({"a": [Defect(3, cures=(5,)), Defect(5, raised=101)]})
    one = of("a", examined(world, lookup))
    assert (one.proof, one.cause.line, one.behind) == (Proof.FLIPPED, 5, ())


def test_what_hides_behind_and_stays_leaves_the_cause_changed(lookup: Lookup) -> None:
    world = World({"a": [Defect(3), Defect(5, "plain", raised=101)]})
    one = of("a", examined(world, lookup))
    assert (one.proof, one.cause.line) == (Proof.CHANGED, 3)
    assert said(one, "changed") == ["mend: it was mended: 1 test: fails in another way"]


def test_representatives_go_first_and_what_helped_them_is_tried_on_all(lookup: Lookup) -> None:
    world = World({name: [Defect(3, seen=(8, 3))] for name in "abcde"})
    one = of("a", examined(world, lookup))
    assert (one.proof, one.tests) == (Proof.FLIPPED, tuple("abcde"))
    tried = [(trial.name, trial.tests, [each.line for each in trial.interventions]) for trial in world.trials]
    assert tried[1:] == [
        ("change 1", ("a",), [8]),
        ("change 2", ("a",), [3]),
        ("change all 1", tuple("bcde"), [3]),
        ("control", ("a",), []),
    ]
    assert said(one, "flipped") == ["mend: it was mended: 5 tests: passes"]


def test_members_that_fail_differently_are_both_tried_first(lookup: Lookup) -> None:
    world = World({"a": [Defect(3)], "b": [Defect(3, raised=101)], "c": [Defect(3)]})
    examined(world, lookup)
    assert world.trial("change 1").tests == ("a", "b")


def test_followers_recover_with_their_root(lookup: Lookup) -> None:
    world = World({"a": [Defect(3)], "b": [Defect(0, root="a")], "c": [Defect(0, root="a")]})
    one = of("a", examined(world, lookup))
    assert (one.tests, one.dependents) == (("a",), ("b", "c"))
    assert said(one, "cascade") == ["with the cause taken away, 2 of 2 tests that only follow pass, too"]


def test_a_follower_that_hides_something_else_is_looked_into(lookup: Lookup) -> None:
    world = World({"a": [Defect(3)], "b": [Defect(0, root="a"), Defect(7, "other", raised=103)]})
    one = of("a", examined(world, lookup))
    assert one.behind == ((FILE, 7),)
    (text,) = said(one, "cascade")
    assert "1 of 1 tests that only follow pass, too" in text
    assert text.endswith("1 of them once what hid behind it is changed as well")


def test_a_follower_that_fails_all_the_same_is_told(lookup: Lookup) -> None:
    world = World({"a": [Defect(3)], "b": [Defect(0, root="a"), Defect(7, "plain")]})
    one = of("a", examined(world, lookup))
    assert said(one, "cascade") == ["with the cause taken away, 0 of 1 tests that only follow pass, too"]


def test_a_test_that_another_one_of_the_trial_spoils_is_run_alone(lookup: Lookup) -> None:
    world = World(
        {
            "a": [Defect(3, seen=(8, 3)), Defect(4)],
            "b": [Defect(5, "other", raised=101), Defect(0, root="a", raised=102)],
        }
    )
    found = examined(world, lookup)
    assert (of("b", found).proof, of("b", found).cause.line) == (Proof.FLIPPED, 5)
    assert world.trial("change 1 alone").tests == ("b",)


def test_one_place_is_changed_once_for_all_its_tests(lookup: Lookup) -> None:
    world = World({"a": [Defect(3)], "b": [Defect(3, raised=101)]})
    examined(world, lookup)
    (order,) = world.trial("change 1").interventions
    assert order.tests == ("a", "b")


def test_defects_behind_one_another_are_followed_only_so_far(lookup: Lookup) -> None:
    world = World({"a": [Defect(line, raised=line) for line in range(1, 30)]}, start_s=0.0)
    one = of("a", examined(world, lookup))
    assert one.proof is Proof.CHANGED
    assert len([name for name in world.names if name.startswith("change")]) <= 6


def test_a_change_after_which_the_test_does_not_end_proves_nothing(lookup: Lookup) -> None:
    world = World({"a": [Defect(3)], "b": [Defect(4)]}, stuck=("a",))
    found = examined(world, lookup)
    assert (of("a", found).proof, said(of("a", found), "changed")) == (Proof.OBSERVED, [])
    assert (of("b", found).proof, world.trial("change 1 alone").tests) == (Proof.FLIPPED, ("b",))
