"""Runs go in whole, once, whatever they hold."""

import math
import multiprocessing
import sqlite3
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.builders import BEGUN, cases_of, failures_of, night, report_of, run_of
from triage import __version__
from triage.model.case import Problem, TestCase
from triage.model.failure import Failure
from triage.model.history import StoredRun
from triage.model.terms import Outcome, Phase, RunStatus
from triage.store.opening import open_store
from triage.store.rows import storable
from triage.store.store import Store

HOSTILE = st.text(alphabet=st.characters(codec=None), min_size=1, max_size=40)


def keep(store: Store, run_id: str, outcomes: str, **more: object) -> None:
    run = run_of(cases_of(outcomes))
    store.record(report_of(run, run_id, **more), run, "{}")  # type: ignore[arg-type] # passed through


def test_a_run_comes_back_as_it_was_recorded(store: Store) -> None:
    run = run_of(cases_of(".FEsxX"), RunStatus.TIMED_OUT)
    store.record(report_of(run, "r1", commit="c1", notes=("slow", "{}")), run, '{"a": 1}', source="tree")
    expected = StoredRun(
        project="shop",
        id="r1",
        started_at=BEGUN,
        status=RunStatus.TIMED_OUT,
        duration_s=2.5,
        counts=run.counts,
        exit_status=1,
        commit="c1",
        source="tree",
        playbooks_fingerprint="pb:1",
        tool_version=__version__,
        notes=("slow", "{}"),
    )
    assert store.latest("shop") == store.run("shop", "r1") == expected
    assert store.runs("shop") == (expected,)
    assert store.summary("shop", "r1") == '{"a": 1}'
    assert store.projects() == ("shop",)


def test_what_is_not_there_is_none(store: Store) -> None:
    assert store.latest("shop") is None
    assert store.run("shop", "r1") is None
    assert store.summary("shop", "r1") is None
    assert [store.runs("shop"), store.projects(), store.trend("shop")] == [(), (), ()]
    assert store.before("shop", "r1") is None


def test_recording_a_run_again_changes_nothing(store: Store) -> None:
    keep(store, "r1", ".F")
    keep(store, "r1", "....F")
    assert [stored.counts.total for stored in store.runs("shop")] == [2]
    assert store.test_history("shop", "t4").points == ()


def test_run_ids_belong_to_their_project(store: Store) -> None:
    keep(store, "r1", ".F", project="shop")
    keep(store, "r1", "...", project="blog")
    assert store.projects() == ("blog", "shop")
    assert [store.runs(name)[0].counts.total for name in ("blog", "shop")] == [3, 2]


def test_a_run_that_began_is_seen_and_becomes_the_recorded_one(store: Store) -> None:
    keep(store, "r0", ".")
    store.begin_run("shop", "r1", night(1))
    store.begin_run("shop", "r1", night(2))
    begun = store.runs("shop")[0]
    assert (begun.id, begun.status, begun.started_at) == ("r1", None, night(1))
    recorded = store.latest("shop")
    assert recorded is not None
    assert recorded.id == "r0"
    keep(store, "r1", ".F")
    assert [(run.id, run.status) for run in store.runs("shop")] == [
        ("r1", RunStatus.COMPLETED),
        ("r0", RunStatus.COMPLETED),
    ]


def test_beginning_a_recorded_run_leaves_it_alone(store: Store) -> None:
    keep(store, "r1", ".F")
    store.begin_run("shop", "r1", night(1))
    assert [run.started_at for run in store.runs("shop")] == [BEGUN]


def test_of_two_cases_with_one_id_the_failing_one_counts(store: Store) -> None:
    cases = cases_of(".") + cases_of("F") + cases_of("s")
    run = run_of(cases)
    store.record(report_of(run, "r1"), run, "{}")
    assert [point.outcome for point in store.test_history("shop", "t0").points] == [Outcome.FAILED]


def test_a_failing_test_that_nobody_sorted_is_kept_all_the_same(store: Store) -> None:
    run = run_of(cases_of("F"))
    store.record(report_of(run, "r1", failures=()), run, "{}")
    (point,) = store.test_history("shop", "t0").points
    assert (point.outcome, point.playbook, point.fingerprint) == (Outcome.FAILED, None, None)
    assert store.changes("shop").new == ("t0",)


@pytest.mark.parametrize("duration_s", [math.nan, math.inf, -math.inf, -1.0, 1e300])
def test_durations_that_are_none_are_harmless(store: Store, duration_s: float) -> None:
    (case,) = cases_of(".")
    run = replace(run_of((replace(case, duration_s=duration_s),)), duration_s=duration_s)
    store.record(report_of(run, "r1"), run, "{}")
    (point,) = store.test_history("shop", "t0").points
    assert 0 <= point.duration_s <= 1e9


def test_moments_without_a_zone_are_utc(store: Store) -> None:
    naive = datetime(1931, 2, 3, 4, 5, 6, 7)  # noqa: DTZ001 - what this test is about
    run = run_of(cases_of("."), begun=naive)
    store.record(report_of(run, "r1"), run, "{}")
    stored = store.latest("shop")
    assert stored is not None
    assert stored.started_at.replace(tzinfo=None) == naive
    assert stored.started_at.utcoffset() == timedelta(0)


@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(texts=st.lists(HOSTILE, min_size=5, max_size=5), project=HOSTILE, nodeids=st.sets(HOSTILE, max_size=8))
def test_hostile_texts_come_back_with_the_unstorable_made_visible(
    store: Store, texts: list[str], project: str, nodeids: set[str]
) -> None:
    run_id, commit, summary, note, signature = texts
    cases = tuple(TestCase(nodeid, nodeid=nodeid, outcome=Outcome.FAILED) for nodeid in sorted(nodeids))
    run = run_of(cases)
    failures = tuple(
        Failure(case, Problem(Phase.CALL, case.outcome), signature=signature, fingerprint=commit)
        for case in cases
    )
    report = report_of(run, run_id, project=project, commit=commit, failures=failures, notes=(note,))
    known = {stored.id for stored in store.runs(project, 1_000)}
    store.record(report, run, summary)
    stored = store.run(project, run_id)
    assert stored is not None
    assert stored.id == storable(run_id)
    if stored.id in known:
        return
    assert (stored.commit, stored.notes) == (storable(commit), (note,))
    assert store.summary(project, run_id) == storable(summary)
    for nodeid in nodeids:
        newest = store.test_history(project, nodeid).points[0]
        assert (newest.run, newest.fingerprint) == (storable(run_id), storable(commit))
        assert newest.signature == storable(signature)


@given(st.text(alphabet=st.characters(codec=None)))
def test_storable_text_is_utf_8_without_nul_and_stays_so(text: str) -> None:
    kept = storable(text)
    assert "\0" not in kept
    assert storable(kept) == kept
    kept.encode()
    if "\0" not in text and not any(0xD800 <= ord(letter) <= 0xDFFF for letter in text):
        assert kept == text


def test_node_ids_may_be_longer_than_an_index_of_postgresql_takes(store: Store) -> None:
    cases = tuple(TestCase("t", nodeid="x" * 100_000 + end, outcome=Outcome.PASSED) for end in "ab")
    run = run_of(cases)
    store.record(report_of(run, "r1"), run, "{}")
    assert [len(store.test_history("shop", str(case.nodeid)).points) for case in cases] == [1, 1]


def test_an_error_in_the_middle_leaves_nothing_of_the_run(store: Store) -> None:
    keep(store, "r1", ".F")
    cases = cases_of("...F")
    bad = replace(failures_of(cases)[0], signature=b"not text")  # type: ignore[arg-type] # breaks the storing
    run = run_of(cases)
    with pytest.raises(TypeError):
        store.record(report_of(run, "r2", failures=(bad,)), run, "{}")
    assert [stored.id for stored in store.runs("shop")] == ["r1"]
    keep(store, "r2", ".F")
    assert store.changes("shop").still_failing == ("t1",)


def write_runs(place: str, writer: int, runs: int) -> None:
    with open_store(place) as store:
        for number in range(runs):
            store.begin_run("shop", f"w{writer}-{number}", BEGUN)
            keep(store, f"w{writer}-{number}", ".F" * 50, project="shop")
            keep(store, f"w{writer}-{number}", "." * writer + "F", project=f"own{writer}")
            with store.spool(f"w{writer}-{number}.xml") as spool:
                spool.commit(run_of(()).counts)


@pytest.mark.children
def test_eight_processes_that_make_and_fill_one_history_lose_nothing(place: str) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write_runs, args=(place, number, 4)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0] * 8
    with open_store(place) as store:
        assert len(store.runs("shop", 100)) == 32
        assert {run.counts.total for run in store.runs("shop", 100)} == {100}
        assert len(store.test_history("shop", "t99", 100).points) == 32
        assert len(store.projects()) == 9
        assert len(store.reports(100)) == 20


def test_threads_may_share_a_store(store: Store) -> None:
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            keep(store, f"r{number}", ".F" * 20)
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert len(store.runs("shop")) == 12


def test_sqlite_survives_power_loss_by_its_settings(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "triage.db"
    with open_store(path) as store:
        keep(store, "r1", ".F")
        with store._database.reading() as connection:
            asked = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            told = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked]
    assert told == ["wal", 2, 1, 60_000]
    with sqlite3.connect(path) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert plain.execute("PRAGMA foreign_key_check").fetchall() == []
    plain.close()
