"""Failures of a classified report: whole, merged, in order, streamed."""

import contextlib
import tracemalloc
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.builders import cases_of, report_of, run_of, spooled
from triage.errors import StoreError
from triage.model.history import SpooledFailure, SpooledGroup
from triage.model.run import Counts
from triage.model.terms import Outcome, Phase
from triage.store import spool as spool_module
from triage.store.rows import storable
from triage.store.store import Store

COUNTS = Counts(total=9, passed=4, failed=3, errors=2, warnings=1)


def stored(store: Store, failures: Iterable[SpooledFailure], file: str = "a.xml") -> spool_module.ReportSpool:
    with store.spool(file) as spool:
        spool.add(list(failures))
        spool.commit(COUNTS)
    return spool


def test_failures_come_back_as_they_went_in_and_in_order(store: Store) -> None:
    failures = [
        spooled(
            7,
            playbook="not-null",
            confidence=0.75,
            fingerprint=None,
            signature="",
            also='["a"]',
            root="t.py::test_root",
        ),
        spooled(2, nodeid=None)._replace(phase=None, outcome=Outcome.ERROR),
        spooled(2**32 - 1, key="k", exception="", message=""),
    ]
    with store.spool("a.xml") as spool:
        spool.add(failures[:1])
        spool.add([])
        spool.add(failures[1:])
        report = spool.commit(COUNTS, error="line 3: torn")
    assert list(spool.failures()) == sorted(failures, key=lambda failure: failure.ordinal)
    assert (report.file, report.counts, report.failures, report.merged) == ("a.xml", COUNTS, 3, 0)
    assert report.error == "line 3: torn"
    assert store.reports() == (report,)
    assert list(store.report(report.id).failures()) == list(spool.failures())


def test_entries_of_one_test_are_one_failure_the_first(store: Store) -> None:
    body = spooled(0, "test_a", message="body")
    teardown = spooled(5, "test_a", message="teardown")._replace(phase=Phase.TEARDOWN, outcome=Outcome.ERROR)
    by_name = [spooled(1, "test_b", nodeid=None), spooled(2, "test_b", nodeid=None)]
    other_suite = spooled(3, "test_a", key="second suite")
    with store.spool("a.xml") as spool:
        spool.add([body, *by_name, other_suite])
        spool.add([teardown, teardown._replace(ordinal=6)])
        report = spool.commit(COUNTS)
    assert [(kept.ordinal, kept.message, kept.repeats) for kept in spool.failures()] == [
        (0, "body", 2),
        (1, "no 1", 1),
        (3, "no 3", 0),
    ]
    assert (report.failures, report.merged) == (3, 3)


def test_patterns_and_clusters_count_their_tests_most_frequent_first(store: Store) -> None:
    known = {"fingerprint": None, "signature": ""}
    failures = [
        spooled(0, playbook="b", **known),
        spooled(1, fingerprint="v1:x", signature="sig x"),
        spooled(2, playbook="a", **known),
        spooled(3, playbook="b", fingerprint="v1:x", signature="sig x"),
        spooled(4, fingerprint="v1:y", signature="sig y"),
        spooled(5, fingerprint="v1:y", signature="another", nodeid=None),
        spooled(5, fingerprint="v1:y", signature="sig y"),
    ]
    failures[6] = failures[6]._replace(ordinal=6, classname="", nodeid=None)
    spool = stored(store, failures)
    assert [(group, list(tests)) for group, tests in spool.tests_of_patterns()] == [
        (SpooledGroup("b", None, "", 2), ["tests/test_a.py::test_0", "tests/test_a.py::test_3"]),
        (SpooledGroup("a", None, "", 1), ["tests/test_a.py::test_2"]),
    ]
    assert [(group, list(tests)) for group, tests in spool.tests_of_clusters()] == [
        (
            SpooledGroup(None, "v1:y", "sig y", 3),
            ["tests/test_a.py::test_4", "tests.test_a::test_5", "test_5"],
        ),
        (SpooledGroup(None, "v1:x", "sig x", 1), ["tests/test_a.py::test_1"]),
    ]


def test_more_groups_than_are_remembered_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "_KNOWN_GROUPS", 5)
    failures = [spooled(number, fingerprint=f"v1:{number % 30}") for number in range(90)]
    with store.spool("a.xml") as spool:
        for start in range(0, 90, 7):
            spool.add(failures[start : start + 7])
        spool.commit(COUNTS)
    assert sorted((group.fingerprint, group.count) for group in spool.clusters()) == sorted(
        (f"v1:{number}", 3) for number in range(30)
    )
    assert list(spool.failures()) == failures


def test_long_messages_are_cut(store: Store) -> None:
    (failure,) = stored(store, [spooled(0, message="x" * 40_000)]).failures()
    assert failure.message == "x" * 16_000


def test_an_empty_report_is_a_report(store: Store) -> None:
    with store.spool("a.xml") as spool:
        report = spool.commit(COUNTS)
    assert (list(spool.failures()), list(spool.patterns()), list(spool.clusters())) == ([], [], [])
    assert store.reports() == (report,)


def test_nothing_stays_of_a_report_that_is_not_committed(store: Store) -> None:
    with store.spool("a.xml") as spool:
        spool.add([spooled(0)])
    assert list(spool.failures()) == []
    with contextlib.suppress(ZeroDivisionError), store.spool("b.xml") as spool:
        spool.add([spooled(0)])
        raise ZeroDivisionError
    assert store.reports() == ()
    run = run_of(cases_of("."))
    store.record(report_of(run, "r1"), run, "{}")  # the write lock is free again


def test_errors_of_the_reader_of_the_file_stay_what_they_are(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), store.spool("a.xml") as spool:
        spool.add([spooled(0, message=(tmp_path / "a.xml").read_text())])


def test_a_stored_report_takes_no_more(store: Store) -> None:
    spool = stored(store, [spooled(0)])
    with pytest.raises(StoreError, match=r"a\.xml"):
        spool.add([spooled(1)])
    with pytest.raises(StoreError, match="no more"):
        spool.commit(COUNTS)
    assert len(list(spool.failures())) == 1


def test_two_failures_cannot_have_one_place(store: Store) -> None:
    with pytest.raises(StoreError), store.spool("a.xml") as spool:
        spool.add([spooled(0, "test_a"), spooled(0, "test_b")])
    assert store.reports() == ()


def test_only_the_newest_reports_are_kept(store: Store) -> None:
    for number in range(5):
        with store.spool(f"{number}.xml", keep=3) as spool:
            spool.add([spooled(0), spooled(1, playbook="a")])
            spool.commit(COUNTS)
    assert [report.file for report in store.reports()] == ["4.xml", "3.xml", "2.xml"]
    with store._database.reading() as connection:
        left = [connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar() for name in TABLES]
    assert left == [6, 6]


TABLES = ("report_failure", "report_group")


def test_streams_may_be_left_early_and_nested(store: Store) -> None:
    spool = stored(store, [spooled(number, fingerprint=f"v1:{number % 3}") for number in range(900)])
    for _, tests in spool.tests_of_clusters():
        assert next(tests).startswith("tests/test_a.py")
        assert sum(1 for _ in spool.failures()) == 900
    assert next(spool.failures()).ordinal == 0


def test_memory_does_not_grow_with_the_report(store: Store) -> None:
    def peak(batches: int) -> int:
        tracemalloc.start()
        with store.spool("a.xml") as spool:
            for batch in range(batches):
                spool.add(
                    [spooled(batch * 300 + number, fingerprint=f"v1:{number}") for number in range(300)]
                )
            spool.commit(COUNTS)
        read = sum(1 for _ in spool.failures())
        read += sum(1 for _ in next(tests for _, tests in spool.tests_of_clusters()))
        read += sum(1 for _ in spool.clusters())
        assert read == batches * 301 + 300
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    small = peak(2)
    assert peak(8) < 1.2 * small


TEXT = st.text(alphabet=st.characters(codec=None), max_size=30)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(
        st.builds(
            SpooledFailure,
            ordinal=st.integers(0, 2**32 - 1),
            outcome=st.sampled_from([Outcome.FAILED, Outcome.ERROR]),
            phase=st.none() | st.sampled_from(Phase),
            classname=TEXT,
            name=TEXT,
            nodeid=st.none() | TEXT,
            exception=TEXT,
            message=TEXT,
            playbook=st.none() | TEXT,
            confidence=st.floats(0, 1),
            fingerprint=st.none() | TEXT,
            signature=TEXT,
            also=TEXT,
            key=TEXT,
            repeats=st.just(0),
            root=st.none() | TEXT,
        ),
        max_size=6,
        unique_by=lambda failure: failure.ordinal,
    )
)
def test_no_hostile_failure_is_dropped(store: Store, failures: list[SpooledFailure]) -> None:
    spool = stored(store, failures)
    read = list(spool.failures())
    assert len(read) + sum(failure.repeats for failure in read) == len(failures)
    by_place = {failure.ordinal: failure for failure in failures}
    for failure in read:
        given_one = by_place[failure.ordinal]
        assert failure.message == storable(given_one.message)
        assert failure.name == storable(given_one.name)
        assert failure.confidence == given_one.confidence
        if given_one.playbook is None:
            assert failure.playbook is None
    grouped = sum(group.count for groups in (spool.patterns(), spool.clusters()) for group in groups)
    assert grouped == len(read)
