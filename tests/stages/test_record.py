"""A run goes into the history and its changes come out."""

from pathlib import Path

import pytest

from tests.store.builders import cases_of, report_of, run_of
from triage.errors import StoreError
from triage.model.history import Changes
from triage.stages.record import record
from triage.store.opening import open_store


def test_the_second_night_is_compared_with_the_first(tmp_path: Path) -> None:
    with open_store(tmp_path / "triage.db") as store:
        first = run_of(cases_of("F."))
        assert record(report_of(first, "r1"), first, "{}", store).new == ("t0",)
        second = run_of(cases_of(".F"))
        assert record(report_of(second, "r2"), second, "{}", store) == Changes(
            "shop", "r2", "r1", new=("t1",), fixed=("t0",)
        )
        assert record(report_of(second, "r2"), second, "{}", store).against == "r1"
        assert store.summary("shop", "r2") == "{}"


def test_flaky_tests_are_told_by_the_state_of_the_source(tmp_path: Path) -> None:
    with open_store(tmp_path / "triage.db") as store:
        for number, (outcomes, source) in enumerate([("F", "a"), (".", "a"), ("F", "b")]):
            run = run_of(cases_of(outcomes))
            report = report_of(run, f"r{number}", commit="c")
            changes = record(report, run, "{}", store, source=source)
            assert changes.flaky == (("t0",) if number == 1 else ())


def test_a_history_that_is_gone_is_an_error_for_people(tmp_path: Path) -> None:
    run = run_of(cases_of("F"))
    with open_store(tmp_path / "triage.db") as store:
        with store._database.writing() as connection:
            connection.exec_driver_sql("DROP TABLE failure")
        with pytest.raises(StoreError):
            record(report_of(run, "r1"), run, "{}", store)
        assert store.runs("shop") == ()
