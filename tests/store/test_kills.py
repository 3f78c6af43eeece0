"""Whole runs or none, wherever the process that records them is killed."""

import multiprocessing
import os
import platform
import random
import signal
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.store.builders import BEGUN, cases_of, report_of, run_of, spooled
from triage.model.run import Counts
from triage.store import tables
from triage.store.opening import open_store
from triage.store.store import Store

TESTS = 400
FAILURES = 1_000
RESULTS = Path(__file__).parents[2] / "bench" / "results" / "store-kills.md"
COLUMNS = (
    "database",
    "kills",
    "runs acknowledged",
    "reports acknowledged",
    "lost",
    "torn or damaged",
    "begun, never recorded",
    "runs kept",
    "reports kept",
    "seconds",
)
KINDS = ("| SQLite |", "| PostgreSQL |")


def record_for_ever(place: str, life: int, acknowledged: int) -> None:
    """Writes the id of each run and report to a pipe once it is stored."""
    cases = cases_of(".F.." * (TESTS // 4))
    run = run_of(cases)
    failures = [spooled(number) for number in range(FAILURES)]
    with open_store(place) as store:
        os.write(acknowledged, b"open\n")
        number = 0
        while True:
            run_id = f"{life}-{number}"
            store.begin_run("shop", run_id, BEGUN)
            store.record(report_of(run, run_id), run, f'"{run_id}"')
            os.write(acknowledged, f"run {run_id}\n".encode())
            with store.spool(f"{run_id}.xml", keep=1_000_000) as spool:
                spool.add(failures[: FAILURES // 2])
                spool.add(failures[FAILURES // 2 :])
                spool.commit(Counts())
            os.write(acknowledged, f"report {run_id}.xml\n".encode())
            number += 1


def killed_lives(place: str, lives: int, longest_s: float) -> set[str]:
    """Kills one recording process after the other at random moments; gives what they acknowledged.

    One of three may be killed while it opens the history, one from then on, one from its first run on.
    """
    context = multiprocessing.get_context("fork")
    moments = random.Random(20261121)
    said: set[str] = set()
    for life in range(lives):
        reader, writer = os.pipe()
        child = context.Process(target=record_for_ever, args=(place, life, writer))
        child.start()
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            heard = [pipe.readline() for _ in range(life % 3)]
            time.sleep(moments.uniform(0.001, longest_s))
            assert child.pid is not None
            os.kill(child.pid, signal.SIGKILL)
            child.join()
            assert child.exitcode == -signal.SIGKILL
            said.update((b"".join(heard) + pipe.read()).decode().splitlines())
    return said - {"open"}


def torn(store: Store) -> list[object]:
    """Rows of the history that a half-stored run or report would leave."""
    run, result, failure = tables.run.c, tables.result, tables.failure
    found: list[object] = []
    with store._database.reading() as connection:
        for table, expected in ((result, TESTS), (failure, TESTS // 4), (tables.run_summary, 1)):
            rows = sa.select(sa.func.count()).where(table.c.run_id == run.id).scalar_subquery()
            whole = sa.case((run.status.is_(None), 0), else_=expected)
            found.extend(connection.execute(sa.select(run.public_id, rows).where(rows != whole)))
        of_report = tables.report_failure.c.report_id == tables.report.c.id
        kept = sa.select(sa.func.count()).where(of_report).scalar_subquery()
        found.extend(connection.execute(sa.select(tables.report.c.file, kept).where(kept != FAILURES)))
        if connection.dialect.name == "sqlite":
            found.extend(connection.exec_driver_sql("PRAGMA foreign_key_check"))
            integrity = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
            found.extend([] if integrity == "ok" else [integrity])
    return found


def lost(store: Store, acknowledged: set[str]) -> set[str]:
    runs = {f"run {run.id}" for run in store.runs("shop", 1_000_000) if run.status is not None}
    reports = {f"report {report.file}" for report in store.reports(1_000_000)}
    return acknowledged - runs - reports


@pytest.mark.children
def test_a_killed_process_leaves_whole_runs_and_reports_only(place: str) -> None:
    acknowledged = killed_lives(place, 8, 0.2)
    assert acknowledged
    with open_store(place) as store:
        assert torn(store) == []
        assert lost(store, acknowledged) == set()
        run = run_of(cases_of(".F"))
        store.record(report_of(run, "after", project="other"), run, "{}")


@pytest.mark.campaign
def test_two_hundred_kills_lose_and_tear_nothing(place: str) -> None:
    began = time.monotonic()
    acknowledged = killed_lives(place, 200, 0.4)
    with open_store(place) as store:
        kept = [run.status for run in store.runs("shop", 1_000_000)]
        reports = len(store.reports(1_000_000))
        damage, gone = torn(store), lost(store, acknowledged)
    kind = "PostgreSQL" if place.startswith("postgresql") else "SQLite"
    told = sum(entry.startswith("run ") for entry in acknowledged)
    begun = kept.count(None)
    figures = (told, len(acknowledged) - told, len(gone), len(damage), begun, len(kept) - begun, reports)
    write_figures(
        kind, "".join(f" {figure} |" for figure in (200, *figures, round(time.monotonic() - began)))
    )
    assert (damage, gone) == ([], set())
    assert told > 200


def write_figures(kind: str, figures: str) -> None:
    """Replaces this database's row of the table."""
    head = (
        "# kill -9 while runs and reports are recorded",
        "",
        "One process records runs of 400 tests (begun first) and reports of 1,000 failures without end and",
        "is killed at a random moment, 200 times. Made by `pytest -m campaign tests/store/test_kills.py`.",
        f"Python {platform.python_version()}, {platform.system()}. kill -9 is not a loss of power.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|{' --- |' * len(COLUMNS)}",
    )
    old = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    others = [line for line in old if line.startswith(KINDS) and not line.startswith(f"| {kind} ")]
    RESULTS.write_text("\n".join((*head, *sorted((*others, f"| {kind} |{figures}")))) + "\n")
