from datetime import timedelta

import pytest

from app import clock, create_app
from app.auth.tokens import Identity, issue_token
from app.extensions import db
from tests.builders import NOW


@pytest.fixture
def app(monkeypatch):
    """The application on an empty database in memory, on a Monday at eight."""
    monkeypatch.setattr(clock, "now", lambda: NOW)
    application = create_app({"SQLALCHEMY_DATABASE_URI": "sqlite://"})
    with application.app_context():
        db.create_all()
    yield application
    with application.app_context():
        db.drop_all()
        db.engine.dispose()


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def session(app):
    """The session of one application context that stays open for the whole test."""
    with app.app_context():
        yield db.session


@pytest.fixture
def sign_in(app):
    """A function that makes the Authorization header of a user."""

    def headers(user):
        token = issue_token(
            Identity(user.id, user.email),
            secret=app.config["SECRET_KEY"],
            issuer=app.config["TOKEN_ISSUER"],
            lifetime=timedelta(minutes=5),
        )
        return {"Authorization": f"Bearer {token}"}

    return headers
