"""Reading what clients send."""

import uuid
from datetime import datetime
from typing import Any

from flask import request

from app import clock
from app.errors import ValidationError


def json_body(*required: str) -> dict[str, Any]:
    """The JSON object of the request.

    Raises:
        ValidationError: no object, or a required field is missing or empty.
    """
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise ValidationError("a JSON object is expected")
    missing = [name for name in required if body.get(name) in (None, "")]
    if missing:
        raise ValidationError("fields are missing", fields=missing)
    return body


def parse_uuid(text: object, field: str) -> uuid.UUID:
    try:
        return uuid.UUID(str(text))
    except ValueError:
        raise ValidationError("not an id", field=field) from None


def parse_start(text: object) -> datetime:
    try:
        return clock.parse_instant(str(text))
    except ValueError:
        raise ValidationError("not an ISO 8601 time", field="starts_at") from None
