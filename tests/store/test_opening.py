"""Paths and URLs, and what goes wrong with them, in words."""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.builders import BEGUN, cases_of, report_of, run_of, spooled
from triage.errors import StoreError
from triage.store import engine
from triage.store.opening import check_place, default_database, open_store


def test_importing_the_store_does_not_import_sqlalchemy() -> None:
    code = "import sys, triage.store, triage.stages.record; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_path_a_text_and_a_url_name_the_same_history(tmp_path: Path) -> None:
    path = default_database(tmp_path)
    run = run_of(cases_of("F"))
    with open_store(path) as store:
        store.record(report_of(run, "r1"), run, "{}")
        assert store.place == str(path)
    for other in (str(path), f"sqlite:///{path}"):
        with open_store(other) as store:
            assert store.projects() == ("shop",)


def refused(url_or_path: str | Path) -> StoreError:
    with pytest.raises(StoreError) as caught:
        open_store(url_or_path)
    return caught.value


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "triage.db"
    path.write_bytes(b"not a database at all " * 100)
    error = refused(path)
    assert (error.where, error.what) == (str(path), "this file is not a database")
    assert error.hint
    assert path.read_bytes() == b"not a database at all " * 100


def test_a_damaged_history_is_told(tmp_path: Path) -> None:
    path = tmp_path / "triage.db"
    with open_store(path) as store, store.spool("a.xml") as spool:
        spool.add([spooled(number) for number in range(500)])
        spool.commit(run_of(()).counts)
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"), open_store(path) as store:
        store.reports()


def test_a_folder_is_no_history(tmp_path: Path) -> None:
    assert refused(tmp_path).what == "the history cannot be opened"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in str(refused(tmp_path / "file" / "deep" / "triage.db"))


def as_nobody(path: Path) -> str:
    """What a process without rights is told when it opens a history and writes to it."""
    context = multiprocessing.get_context("fork")
    said = context.SimpleQueue()

    def work() -> None:
        if os.geteuid() == 0:
            os.setegid(65534)
            os.seteuid(65534)
        try:
            with open_store(path) as store:
                store.begin_run("shop", "r1", BEGUN)
        except StoreError as error:
            said.put(error.what)
        else:
            said.put("nothing")

    process = context.Process(target=work)
    process.start()
    process.join()
    return str(said.get())


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may read and enter; those of pytest are for their owner only."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)
        Path(name).chmod(0o700)


def test_a_history_that_may_not_be_written_is_told(open_folder: Path) -> None:
    path = open_folder / "triage.db"
    open_store(path).close()
    path.chmod(0o444)
    open_folder.chmod(0o555)
    assert as_nobody(path) in ("the history cannot be written", "the history cannot be opened")


def test_a_history_that_may_not_be_made_is_told(open_folder: Path) -> None:
    open_folder.chmod(0o555)
    assert as_nobody(open_folder / "triage.db") == "the history cannot be opened"


def test_a_full_disk_is_told_and_nothing_of_the_run_is_stored(tmp_path: Path) -> None:
    path = tmp_path / "triage.db"
    cases = cases_of("F" * 3_000)
    run = run_of(cases)
    with open_store(path) as store:
        with store._database.reading() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count=60")
        with pytest.raises(StoreError, match="the disk is full"):
            store.record(report_of(run, "r1"), run, "{}")
        assert store.runs("shop") == ()


def test_a_writer_that_waited_too_long_is_told_what_holds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 0.05)
    path = tmp_path / "triage.db"
    with open_store(path) as holder, open_store(path) as other:
        holder.begin_run("shop", "r0", BEGUN)
        with holder.spool("a.xml") as spool:
            spool.add([spooled(0)])
            with pytest.raises(StoreError, match="locked by another process"):
                other.begin_run("shop", "r1", BEGUN)
            assert [run.id for run in other.runs("shop")] == ["r0"]  # readers do not wait
            with pytest.raises(StoreError, match="locked"), other.spool("b.xml") as waiting:
                waiting.add([spooled(0)])
        other.begin_run("shop", "r1", BEGUN)


@pytest.mark.parametrize(
    "url", ["mysql://u:hunter2@h/d", "sqlite://", "://:hunter2@", "postgresql://u:hunter2@h:port/d"]
)
def test_urls_that_cannot_be_used_say_what_can_without_the_password(url: str) -> None:
    error = refused(url)
    assert "postgresql://" in str(error.allowed)
    assert "hunter2" not in str(error)


def test_an_unreachable_server_is_named_without_the_password(tmp_path: Path) -> None:
    pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")
    error = refused(f"postgresql://u:hunter2@/d?host={tmp_path}")
    assert "hunter2" not in str(error)
    assert str(error.where).startswith("postgresql")


def test_a_missing_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert "triage-orchestrator[postgres]" in str(refused("postgresql://u@h/d").hint)


@pytest.mark.parametrize("shape", ["{}", "sqlite:///{}", "sqlite:///{}?mode=rw"])
def test_a_place_is_looked_at_without_being_opened(tmp_path: Path, shape: str) -> None:
    path = tmp_path / "h.db"
    place = path if shape == "{}" else shape.format(path)
    check_place(place)
    assert not path.exists()
    path.touch()
    check_place(place)
    open_store(path).close()
    check_place(place)
    path.write_text("SQLite")
    with pytest.raises(StoreError, match="not a database"):
        check_place(place)
    path.unlink()
    path.mkdir()
    with pytest.raises(StoreError, match="a folder stands"):
        check_place(place)


def test_a_server_is_not_asked_before_a_run() -> None:
    check_place("postgresql+psycopg://nobody@nowhere.invalid/x")
