"""Settings from environment variables."""

import pytest

from app.config import ConfigError, Settings, normalize_database_url, read_int

PRODUCTION = {
    "FLASK_ENV": "production",
    "SECRET_KEY": "k" * 32,
    "DATABASE_URL": "postgres://tithi@db.internal/tithi",
    "SUPABASE_URL": "https://tithi.supabase.co/",
    "SUPABASE_KEY": "service-key",
}


def test_testing_settings():
    settings = Settings.from_environ({"FLASK_ENV": "testing"})
    assert settings.testing
    assert not settings.debug
    assert settings.access_token_minutes == 60


def test_development_is_the_default():
    settings = Settings.from_environ({})
    assert settings.environment == "development"
    assert settings.debug
    assert settings.database_url == "sqlite:///tithi.db"


def test_process_environment_is_read(monkeypatch):
    monkeypatch.setenv("FLASK_ENV", "testing")
    monkeypatch.setenv("SUPABASE_KEY", "from-the-process")
    assert Settings.from_environ().supabase_key == "from-the-process"


def test_production_settings():
    settings = Settings.from_environ(PRODUCTION)
    assert not settings.testing
    assert not settings.debug
    assert settings.database_url == "postgresql://tithi@db.internal/tithi"
    assert settings.token_issuer == "https://tithi.supabase.co/auth/v1"


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL"])
def test_production_needs(name):
    environ = {key: value for key, value in PRODUCTION.items() if key != name}
    with pytest.raises(ConfigError, match=f"missing in production: {name}"):
        Settings.from_environ(environ)


def test_production_refuses_a_short_secret():
    with pytest.raises(ConfigError, match="at least 32 characters"):
        Settings.from_environ(PRODUCTION | {"SECRET_KEY": "short"})


def test_unknown_environment():
    with pytest.raises(ConfigError, match="'staging'"):
        Settings.from_environ({"FLASK_ENV": "staging"})


def test_database_url_gets_the_scheme_of_today():
    assert normalize_database_url("postgres://u@h/d") == "postgresql://u@h/d"
    assert normalize_database_url("postgresql://u@h/d") == "postgresql://u@h/d"
    assert normalize_database_url("sqlite:///postgres://.db") == "sqlite:///postgres://.db"


def test_read_int():
    assert read_int({"SLOT_MINUTES": "30"}, "SLOT_MINUTES", 15, least=5) == 30
    assert read_int({"SLOT_MINUTES": ""}, "SLOT_MINUTES", 15, least=5) == 15
    assert read_int({}, "SLOT_MINUTES", 15, least=5) == 15


@pytest.mark.parametrize(("raw", "message"), [("soon", "whole number"), ("4", "at least 5")])
def test_read_int_refuses(raw, message):
    with pytest.raises(ConfigError, match=message):
        Settings.from_environ({"SLOT_MINUTES": raw})


def test_flask_gets_every_setting():
    config = Settings.from_environ(PRODUCTION | {"BOOKING_HORIZON_DAYS": "30"}).to_flask()
    assert config["SQLALCHEMY_DATABASE_URI"] == "postgresql://tithi@db.internal/tithi"
    assert config["BOOKING_HORIZON_DAYS"] == 30
    assert config["TESTING"] is False
