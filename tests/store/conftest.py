import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.store import postgres
from triage.store import tables
from triage.store.migrations import NEWEST, version_of
from triage.store.opening import open_store
from triage.store.store import Store


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    bin_folder = postgres.programs()
    if bin_folder is None:
        pytest.skip(
            "no PostgreSQL server is installed (initdb is neither in /usr/lib/postgresql nor on PATH)"
        )
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("psycopg is not installed (the extra `postgres`)")
    with postgres.server(bin_folder) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_engine(postgres_url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(postgres_url.replace("postgresql:", "postgresql+psycopg:"))
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'triage.db'}"
    url: str = request.getfixturevalue("postgres_url")
    engine: sa.Engine = request.getfixturevalue("postgres_engine")
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty history; PostgreSQL is slow to make tables, so they are kept from test to test."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'triage.db'}"
    else:
        url = request.getfixturevalue("postgres_url")
        engine: sa.Engine = request.getfixturevalue("postgres_engine")
        with engine.begin() as connection:
            if version_of(connection) != NEWEST:
                connection.exec_driver_sql("DROP SCHEMA public CASCADE")
                connection.exec_driver_sql("CREATE SCHEMA public")
            else:
                names = [name for name in tables.metadata.tables if name != tables.triage_schema.name]
                connection.exec_driver_sql(f"TRUNCATE {', '.join(names)} RESTART IDENTITY")
    with open_store(url) as opened:
        yield opened
