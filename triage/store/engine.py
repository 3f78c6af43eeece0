"""Connections and transactions, set up for what each database needs."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from triage.errors import StoreError
from triage.store.migrations import is_current, migrate
from triage.store.trouble import place_of, trouble

BUSY_TIMEOUT_S = 60.0
_WRITES = "triage_writes"
_ALLOWED = "a file's path, sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"
_SPILL_KIB = 2_048
_WAL_LIMIT_BYTES = 64 * 1_048_576


class Database:
    """An engine whose transactions either read or write, and whose errors are StoreErrors."""

    def __init__(self, url_or_path: str | Path) -> None:
        url = _url(url_or_path)
        self.place = place_of(url)
        with trouble(self.place):
            self._engine = _engine(url)
            try:
                self._prepare()
            except BaseException:
                self._engine.dispose()
                raise

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the history and never waits for a writer."""
        with trouble(self.place), self._engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is stored whole at its end, or not at all."""
        with trouble(self.place), self._engine.connect() as connection:
            connection.execution_options(**{_WRITES: True})
            with connection.begin():
                yield connection

    def begin_writing(self) -> Connection:
        """A connection in a writing transaction that the caller ends, and closes."""
        with trouble(self.place):
            connection = self._engine.connect().execution_options(**{_WRITES: True})
            try:
                connection.begin()
            except BaseException:
                connection.close()
                raise
            return connection

    def _prepare(self) -> None:
        with self.reading() as connection:
            current = is_current(connection, self.place)
        if not current:
            with self.writing() as connection:
                migrate(connection)


def _url(url_or_path: str | Path) -> URL:
    text = str(url_or_path)
    if isinstance(url_or_path, Path) or "://" not in text:
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:  # its message would repeat the URL, password included
        raise StoreError("the database URL cannot be read", allowed=_ALLOWED) from error
    backend = url.get_backend_name()
    if backend not in ("sqlite", "postgresql", "postgres"):
        raise StoreError(f"{backend} databases are not supported", allowed=_ALLOWED)
    return url if backend == "sqlite" else url.set(drivername="postgresql+psycopg")


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url)
    try:
        return create_engine(url, pool_pre_ping=True, max_overflow=-1)
    except ImportError as error:
        raise StoreError(
            "PostgreSQL needs psycopg, which is not installed",
            where=place_of(url),
            hint="install triage-orchestrator[postgres]",
        ) from error


def _sqlite_engine(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise StoreError("the database URL names no file", allowed=_ALLOWED)
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    waiting = {"timeout": BUSY_TIMEOUT_S}
    engine = create_engine(url, poolclass=QueuePool, max_overflow=-1, connect_args=waiting)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # `_begin` says which transaction it is
    _use_wal(connection)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute(f"PRAGMA cache_size=-{_SPILL_KIB}")
    connection.execute(f"PRAGMA journal_size_limit={_WAL_LIMIT_BYTES}")
    connection.execute("PRAGMA secure_delete=FAST")  # secrets are masked before they come here


def _use_wal(connection: sqlite3.Connection) -> None:
    """SQLite does not always wait for the lock when several processes make the same new database."""
    give_up = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
        else:
            return


def _begin(connection: Connection) -> None:
    """A deferred transaction that reads first and then writes fails at once when another one wrote."""
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
