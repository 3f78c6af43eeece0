"""Whether this process lives, can work, and reaches its database."""

import time
from typing import Any

from flask import current_app
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.extensions import db

NEEDED_SETTINGS = ("SECRET_KEY", "SUPABASE_URL", "SUPABASE_KEY")


def liveness() -> dict[str, Any]:
    return {
        "status": "alive",
        "environment": current_app.config["ENVIRONMENT"],
        "version": current_app.config["VERSION"],
    }


def database_health() -> dict[str, Any]:
    """Ask the database for one row and say how long that took."""
    began = time.perf_counter()
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        db.session.rollback()
        return {"status": "down", "error": type(error).__name__}
    return {
        "status": "up",
        "dialect": db.engine.dialect.name,
        "latency_ms": round((time.perf_counter() - began) * 1000, 3),
    }


def missing_settings() -> list[str]:
    return [name for name in NEEDED_SETTINGS if not current_app.config.get(name)]


def readiness() -> dict[str, Any]:
    database = database_health()
    missing = missing_settings()
    ready = database["status"] == "up" and not missing
    return {"status": "ready" if ready else "not_ready", "database": database, "missing": missing}
