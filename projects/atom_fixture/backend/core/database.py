"""Engine, session factory and declarative base."""

import os

from sqlalchemy import create_engine, event
from sqlalchemy.orm import DeclarativeBase, sessionmaker
from sqlalchemy.pool import StaticPool

DATABASE_URL = os.environ.get("ATOM_DATABASE_URL", "sqlite://")


class Base(DeclarativeBase):
    """Base class of every model."""


def make_engine(url):
    """Create an engine; an in-memory SQLite database lives on one shared connection."""
    options = {}
    if url in ("sqlite://", "sqlite:///:memory:"):
        options = {
            "poolclass": StaticPool,
            "connect_args": {"check_same_thread": False},
        }
    new_engine = create_engine(url, **options)
    if new_engine.dialect.name == "sqlite":
        event.listen(new_engine, "connect", _enforce_foreign_keys)
        event.listen(new_engine, "begin", _open_transaction)
    return new_engine


def _enforce_foreign_keys(dbapi_connection, _record):
    cursor = dbapi_connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _open_transaction(connection):
    # sqlite3 itself waits for the first INSERT, which is too late for savepoints
    if not connection.connection.dbapi_connection.in_transaction:
        connection.exec_driver_sql("BEGIN")


engine = make_engine(DATABASE_URL)
SessionLocal = sessionmaker(bind=engine)


def get_db():
    """Yield a session for one request."""
    session = SessionLocal()
    try:
        yield session
    finally:
        session.close()
