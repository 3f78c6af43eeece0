"""Old histories are upgraded, newer ones refused, and the tables are what the queries think."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.store.builders import cases_of, report_of, run_of, spooled
from triage.errors import ExitStatus, StoreError
from triage.model.run import Counts
from triage.store import migrations, tables
from triage.store.migrations import NEWEST, migrate, version_of
from triage.store.opening import open_store


def engine_of(place: str) -> sa.Engine:
    return sa.create_engine(place.replace("postgresql:", "postgresql+psycopg:"), poolclass=sa.NullPool)


@pytest.mark.parametrize("old", range(1, NEWEST))
def test_a_history_of_each_earlier_version_is_upgraded_with_what_it_holds(place: str, old: int) -> None:
    with engine_of(place).begin() as connection:
        migrate(connection, old)
        assert version_of(connection) == old
        connection.execute(tables.project.insert().values(name="old"))
    with open_store(place) as store:
        assert store.projects() == ("old",)
        run = run_of(cases_of(".F"))
        store.record(report_of(run, "r1"), run, "{}")
        with store.spool("a.xml") as spool:
            spool.add([spooled(0)])
            spool.commit(Counts())
    with engine_of(place).begin() as connection:
        assert version_of(connection) == NEWEST


def test_a_history_of_a_newer_triage_is_refused_and_left_alone(place: str) -> None:
    with engine_of(place).begin() as connection:
        migrate(connection)
        connection.execute(sa.update(tables.triage_schema).values(version=NEWEST + 1))
    with pytest.raises(StoreError) as caught:
        open_store(place)
    assert f"version {NEWEST + 1}" in caught.value.what
    assert caught.value.where
    assert caught.value.hint
    assert caught.value.exit_status == ExitStatus.NOT_RUN
    with engine_of(place).begin() as connection:
        assert version_of(connection) == NEWEST + 1


def test_an_upgrade_that_fails_leaves_the_old_version(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(connection: sa.Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE half (id INTEGER)")
        connection.exec_driver_sql("no such statement")

    open_store(place).close()
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, broken))
    monkeypatch.setattr(migrations, "NEWEST", NEWEST + 1)
    monkeypatch.setattr(migrations.migrate, "__defaults__", (NEWEST + 1,))
    with pytest.raises(StoreError):
        open_store(place)
    monkeypatch.undo()
    with engine_of(place).begin() as connection:
        assert version_of(connection) == NEWEST
        assert not sa.inspect(connection).has_table("half")


def test_the_steps_make_the_tables_that_the_queries_use(place: str) -> None:
    open_store(place).close()
    with engine_of(place).connect() as connection:
        found = sa.inspect(connection)
        assert set(found.get_table_names()) == set(tables.metadata.tables)
        for name, table in tables.metadata.tables.items():
            columns = {column["name"]: column for column in found.get_columns(name)}
            assert list(columns) == [column.name for column in table.columns]
            for column in table.columns:
                nullable = columns[column.name]["nullable"] and not column.primary_key
                assert nullable == column.nullable, (name, column.name)
            key = found.get_pk_constraint(name)["constrained_columns"]
            assert key == [column.name for column in table.primary_key]


def test_opening_twice_upgrades_once(tmp_path: Path) -> None:
    with open_store(tmp_path / "triage.db") as first, open_store(tmp_path / "triage.db") as second:
        run = run_of(cases_of(".F"))
        first.record(report_of(run, "r1"), run, "{}")
        assert second.changes("shop").new == ("t1",)
