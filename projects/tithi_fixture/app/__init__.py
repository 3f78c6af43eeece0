"""Tithi: bookings for many small businesses in one back end."""

from collections.abc import Mapping
from typing import Any

from flask import Flask

from app.blueprints import register_blueprints
from app.config import Settings
from app.errors import register_error_handlers
from app.extensions import db
from app.middleware.identity import load_identity

__version__ = "0.6.0"


def create_app(
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Flask:
    """Build the application from the environment; `overrides` win over it."""
    app = Flask(__name__)
    app.config.from_mapping(Settings.from_environ(environ).to_flask())
    app.config["VERSION"] = __version__
    app.config.from_mapping(overrides or {})

    db.init_app(app)
    app.before_request(load_identity)
    register_error_handlers(app)
    register_blueprints(app)
    return app
