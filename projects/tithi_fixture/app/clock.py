"""The one place that asks for the time."""

from datetime import datetime, timezone


def now() -> datetime:
    return datetime.now(timezone.utc)


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant; without an offset it is UTC."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=timezone.utc)
    return moment.astimezone(timezone.utc)
