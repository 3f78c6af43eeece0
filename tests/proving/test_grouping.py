"""Proofs of single tests become one diagnosis for each cause."""

from tests.proving.laboratory import FILE, Defect, World, examined, of, said
from triage.model.terms import Proof
from triage.proving.grouping import MAX_EVIDENCE
from triage.rules.lookup import Lookup


def test_every_failing_test_is_in_exactly_one_diagnosis(lookup: Lookup) -> None:
    world = World(
        {
            "a": [Defect(3)],
            "b": [Defect(3)],
            "c": [Defect(0, root="a")],
            "d": [],
            "e": [Defect(5, None)],
            "f": [Defect(6, "hangs")],
            "g": [Defect(7, strikes=(True, False))],
            "h": [Defect(8, after=("d",))],
        }
    )
    found = examined(world, lookup)
    assert sorted(test for one in found.diagnoses for test in (*one.tests, *one.dependents)) == list(
        "abcefgh"
    )
    assert [one.id for one in found.diagnoses] == [
        f"D{place}" for place in range(1, len(found.diagnoses) + 1)
    ]
    assert [one.case.id for one in found.failures] == list("abcefgh")


def test_what_the_change_left_as_it_was_stands_apart_from_what_it_made_pass(lookup: Lookup) -> None:
    found = examined(World({"a": [Defect(3)], "b": [Defect(3)], "c": [Defect(4, seen=(3,))]}), lookup)
    one, other = of("a", found), of("c", found)
    assert (one.tests, one.proof, one.confidence) == (("a", "b"), Proof.FLIPPED, 0.98)
    assert (other.tests, other.proof, other.confidence) == (("c",), Proof.OBSERVED, 0.27)


def test_tests_whose_proofs_differ_have_the_weaker_one_together(lookup: Lookup) -> None:
    world = World({"a": [Defect(3)], "b": [Defect(3)], "c": [Defect(3), Defect(5, "plain", raised=101)]})
    (one,) = examined(world, lookup).diagnoses
    assert (one.tests, one.proof) == (("a", "b", "c"), Proof.CHANGED)
    assert said(one, "flipped") == ["mend: it was mended: 2 tests: passes"]
    assert said(one, "changed") == ["mend: it was mended: 1 test: fails in another way"]


def test_what_came_of_changes_stands_first_and_evidence_is_bounded(lookup: Lookup) -> None:
    world = World({f"t{n:02d}": [Defect(3, raised=100 + n)] for n in range(40)})
    (one,) = examined(world, lookup).diagnoses
    assert [piece.kind for piece in one.evidence[:2]] == ["flipped", "raised"]
    assert len(one.evidence) == MAX_EVIDENCE
    assert (one.evidence[0].file, one.evidence[0].line) == (FILE, 3)
