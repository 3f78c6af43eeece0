"""Fixtures of the unit tests."""

import pytest

from core.database import SessionLocal


@pytest.fixture(scope="class")
def db():
    """A database session for the tests of one class."""
    session = SessionLocal()
    yield session
    session.close()
