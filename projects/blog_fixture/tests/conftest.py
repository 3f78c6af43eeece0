"""Fixtures of the blog's tests."""

import pytest

from blog import create_app
from blog.extensions import db


@pytest.fixture
def app():
    """An application with an empty database in memory."""
    app = create_app({'TESTING': True, 'SQLALCHEMY_DATABASE_URI': 'sqlite://'})
    with app.app_context():
        db.create_all()
        yield app
        db.session.remove()
        db.drop_all()
        db.engine.dispose()


@pytest.fixture
def session(app):
    """The session of the application."""
    return db.session
