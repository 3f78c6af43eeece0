"""Settings, read once from environment variables."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ENVIRONMENTS = ("development", "testing", "production")
REQUIRED_IN_PRODUCTION = ("SECRET_KEY", "DATABASE_URL", "SUPABASE_URL", "SUPABASE_KEY")
MIN_SECRET_LENGTH = 32
ACCESS_TOKEN_MINUTES = {"development": 480, "testing": 15, "production": 60}


class ConfigError(ValueError):
    """The environment does not describe an application that may start."""


def normalize_database_url(url: str) -> str:
    """Hosting providers still hand out the scheme that SQLAlchemy dropped."""
    if url.startswith("postgres://"):
        return "postgresql://" + url.removeprefix("postgres://")
    return url


def read_int(environ: Mapping[str, str], name: str, default: int, *, least: int = 0) -> int:
    raw = environ.get(name)
    if raw is None or raw == "":
        return default
    try:
        value = int(raw)
    except ValueError:
        raise ConfigError(f"{name} must be a whole number, not {raw!r}") from None
    if value < least:
        raise ConfigError(f"{name} must be at least {least}, not {value}")
    return value


@dataclass(frozen=True)
class Settings:
    environment: str
    secret_key: str
    database_url: str
    supabase_url: str
    supabase_key: str
    access_token_minutes: int
    slot_minutes: int = 15
    booking_horizon_days: int = 90
    cancellation_window_hours: int = 24

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read and check the settings.

        Raises:
            ConfigError: a variable is missing, malformed or too weak.
        """
        env = os.environ if environ is None else environ
        environment = env.get("FLASK_ENV", "development")
        if environment not in ENVIRONMENTS:
            raise ConfigError(f"FLASK_ENV must be one of {', '.join(ENVIRONMENTS)}, not {environment!r}")
        if environment == "production":
            missing = [name for name in REQUIRED_IN_PRODUCTION if not env.get(name)]
            if missing:
                raise ConfigError("missing in production: " + ", ".join(missing))
            if len(env["SECRET_KEY"]) < MIN_SECRET_LENGTH:
                raise ConfigError(f"SECRET_KEY must have at least {MIN_SECRET_LENGTH} characters")
        return cls(
            environment=environment,
            secret_key=env.get("SECRET_KEY", "development-only-secret-key-0123456789"),
            database_url=normalize_database_url(env.get("DATABASE_URL", "sqlite:///tithi.db")),
            supabase_url=env.get("SUPABASE_URL", "http://localhost:54321").rstrip("/"),
            supabase_key=env.get("SUPABASE_KEY", ""),
            access_token_minutes=read_int(
                env, "ACCESS_TOKEN_MINUTES", ACCESS_TOKEN_MINUTES[environment], least=1
            ),
            slot_minutes=read_int(env, "SLOT_MINUTES", 15, least=5),
            booking_horizon_days=read_int(env, "BOOKING_HORIZON_DAYS", 90, least=1),
            cancellation_window_hours=read_int(env, "CANCELLATION_WINDOW_HOURS", 24),
        )

    @property
    def testing(self) -> bool:
        return self.environment == "testing"

    @property
    def debug(self) -> bool:
        return self.environment == "development"

    @property
    def token_issuer(self) -> str:
        return f"{self.supabase_url}/auth/v1"

    def to_flask(self) -> dict[str, Any]:
        return {
            "ENVIRONMENT": self.environment,
            "TESTING": self.testing,
            "DEBUG": self.debug,
            "SECRET_KEY": self.secret_key,
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            "SUPABASE_URL": self.supabase_url,
            "SUPABASE_KEY": self.supabase_key,
            "TOKEN_ISSUER": self.token_issuer,
            "ACCESS_TOKEN_MINUTES": self.access_token_minutes,
            "SLOT_MINUTES": self.slot_minutes,
            "BOOKING_HORIZON_DAYS": self.booking_horizon_days,
            "CANCELLATION_WINDOW_HOURS": self.cancellation_window_hours,
        }
