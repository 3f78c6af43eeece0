"""The history as JSON and as lines."""

from tests.builders import BEGUN
from triage.model.history import Changes, StoredRun, TestHistory, TestPoint, TrendPoint
from triage.model.run import Counts
from triage.model.terms import Outcome, RunStatus
from triage.render import past
from triage.render.past import lines, runs_document

TREND = (
    TrendPoint(StoredRun("shop", "r1", BEGUN, None), ()),
    TrendPoint(
        StoredRun("shop", "r2", BEGUN, RunStatus.COMPLETED, 1.5, Counts(3, 2, 1)), ((None, 1), ("a", 2))
    ),
)


def test_runs_are_listed_newest_first_with_their_patterns() -> None:
    document = runs_document("shop", TREND, Changes("shop", new=("a::a",), silenced=("a::b",)))
    assert [one["id"] for one in document["runs"]] == ["r2", "r1"]
    assert document["changes"]["silenced"] == ["a::b"]
    shown = lines(document)
    assert shown[1].endswith("unknown 1, a 2")
    assert "unfinished" in shown[2]
    assert shown[-1] == "the newest run: new 1, silenced 1"


def test_a_test_is_followed_through_its_runs() -> None:
    points = (
        TestPoint("r2", BEGUN, None, Outcome.PASSED, 0.5),
        TestPoint("r1", BEGUN, "c", Outcome.FAILED, 0.25, None, "v1:1"),
    )
    document = past.test_document(TestHistory("shop", "a::a[\x1b]", points))
    assert [one["outcome"] for one in document["points"]] == ["passed", "failed"]
    shown = lines(document)
    assert shown[0] == "a::a[#x1B]"
    assert shown[3].split() == ["r1", "failed", "0.25", "s", "v1:1"]
