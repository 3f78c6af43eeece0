"""The application as a whole: what it registers and how it answers."""

import pytest

from app import __version__, clock, create_app
from app.blueprints.requests import json_body, parse_start
from app.config import ConfigError
from app.errors import Conflict, ValidationError
from tests.builders import at, make_service, make_tenant


def test_overrides_win():
    app = create_app({"SQLALCHEMY_DATABASE_URI": "sqlite://", "SLOT_MINUTES": 20})
    assert app.config["SLOT_MINUTES"] == 20
    assert app.config["VERSION"] == __version__


def test_broken_environment_does_not_start():
    with pytest.raises(ConfigError):
        create_app({"SQLALCHEMY_DATABASE_URI": "sqlite://"}, environ={"FLASK_ENV": "nowhere"})


def test_blueprints_are_registered(app):
    assert set(app.blueprints) == {"health", "catalog", "bookings", "members", "admin"}


def test_ready_endpoint(client):
    response = client.get("/health/ready")
    assert response.status_code == 200
    assert response.get_json()["database"]["status"] == "up"


def test_unknown_business(client):
    response = client.get("/api/nobody")
    assert response.status_code == 404
    assert response.get_json() == {
        "error": "not_found",
        "message": "no such business",
        "details": {"slug": "nobody"},
    }


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(ValidationError, 422, "validation_error"), (Conflict, 409, "conflict")],
)
def test_errors_become_answers(app, error, status, code):
    def fail():
        raise error("no luck")

    app.add_url_rule("/fail", view_func=fail)
    response = app.test_client().get("/fail")
    assert response.status_code == status
    assert response.get_json() == {"error": code, "message": "no luck"}


def test_body_must_be_an_object(app):
    with app.test_request_context(json=[1]), pytest.raises(ValidationError, match="JSON object"):
        json_body()


def test_body_names_missing_fields(app):
    with app.test_request_context(json={"name": "", "email": "a@example.org"}):
        with pytest.raises(ValidationError) as raised:
            json_body("name", "email", "starts_at")
    assert raised.value.details == {"fields": ["name", "starts_at"]}


def test_malformed_time():
    with pytest.raises(ValidationError, match="ISO 8601"):
        parse_start("tomorrow")


def test_instants_are_utc():
    for text in ("2030-01-07T10:00:00", "2030-01-07T10:00:00+00:00", "2030-01-07T12:30:00+02:30"):
        moment = clock.parse_instant(text)
        assert moment == at(10)
        assert moment.utcoffset().total_seconds() == 0


def test_slots_need_a_day(session, client):
    service = make_service(make_tenant(slug="kiln"))
    response = client.get(f"/api/kiln/services/{service.id}/slots")
    assert response.status_code == 422
    assert response.get_json()["message"] == "day is written YYYY-MM-DD"
