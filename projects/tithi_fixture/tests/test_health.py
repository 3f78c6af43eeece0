"""Liveness, readiness and the database check."""

from flask import current_app
from sqlalchemy import text

from app.blueprints.health import live
from app.extensions import db
from app.services import health


class TestLiveness:
    def test_liveness_reports_environment(self):
        body = health.liveness()
        assert body["status"] == "alive"
        assert body["environment"] == "testing"

    def test_liveness_reports_version(self, app):
        version = app.config["VERSION"]
        assert health.liveness()["version"] == version

    def test_liveness_does_not_ask_the_database(self, app, monkeypatch):
        def refuse():
            raise AssertionError("liveness asked the database")

        monkeypatch.setattr(health, "database_health", refuse)
        assert health.liveness()["status"] == "alive"

    def test_liveness_view_answers_json(self, app):
        response = live()
        assert response.mimetype == "application/json"
        assert response.get_json()["status"] == "alive"


class TestReadiness:
    def test_readiness_with_everything_in_place(self, app):
        report = health.readiness()
        assert report["status"] == "ready"
        assert report["missing"] == []

    def test_readiness_names_missing_setting(self, app, monkeypatch):
        monkeypatch.setitem(current_app.config, "SUPABASE_KEY", "")
        report = health.readiness()
        assert report["status"] == "not_ready"
        assert report["missing"] == ["SUPABASE_KEY"]


def test_database_answers_select(app):
    answer = db.session.execute(text("SELECT 1 + 1"))
    assert answer.scalar_one() == 2


def test_database_health_names_the_dialect(app):
    dialect = db.engine.dialect.name
    report = health.database_health()
    assert report["status"] == "up"
    assert report["dialect"] == dialect
    assert report["latency_ms"] >= 0
