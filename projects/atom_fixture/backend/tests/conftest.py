"""Fixtures of every test folder."""

import pytest

from core import models  # noqa: F401  (registers the tables)
from core.database import Base, engine


@pytest.fixture(scope="session", autouse=True)
def schema():
    """Create the tables once."""
    Base.metadata.create_all(engine)
    yield
    engine.dispose()
