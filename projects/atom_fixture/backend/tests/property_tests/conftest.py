"""Fixtures of the property-based tests.

An example of a property is run hundreds of times, so nothing that it writes may stay.
"""

import pytest
from sqlalchemy.orm import Session

from core.database import engine


@pytest.fixture
def db_session():
    """A session inside an outer transaction that is rolled back after the test."""
    connection = engine.connect()
    transaction = connection.begin()
    session = Session(bind=connection, join_transaction_mode="create_savepoint")
    try:
        yield session
    finally:
        session.close()
        transaction.rollback()
        connection.close()
