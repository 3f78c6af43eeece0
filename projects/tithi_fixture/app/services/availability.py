"""When a service can be booked."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, timezone

from sqlalchemy import select

from app import clock
from app.extensions import db
from app.models import Booking, BookingStatus, Service, WorkingHours

Interval = tuple[datetime, datetime]
BLOCKING = [status for status in BookingStatus if status.blocks_calendar]


def overlaps(one: Interval, other: Interval) -> bool:
    """Whether two half-open intervals share an instant."""
    return one[0] < other[1] and other[0] < one[1]


def free_starts(
    opening: Interval, busy: Iterable[Interval], length: timedelta, step: timedelta
) -> list[datetime]:
    """Every start within `opening` from which `length` is free of `busy`."""
    taken = list(busy)
    starts = []
    start = opening[0]
    while start + length <= opening[1]:
        if not any(overlaps((start, start + length), interval) for interval in taken):
            starts.append(start)
        start += step
    return starts


def opening_times(tenant_id, day: date) -> list[Interval]:
    midnight = datetime.combine(day, time(), tzinfo=timezone.utc)
    rows = db.session.scalars(
        select(WorkingHours)
        .where(WorkingHours.tenant_id == tenant_id, WorkingHours.weekday == day.weekday())
        .order_by(WorkingHours.opens_minute)
    )
    return [
        (midnight + timedelta(minutes=row.opens_minute), midnight + timedelta(minutes=row.closes_minute))
        for row in rows
    ]


def busy_times(tenant_id, start: datetime, end: datetime, *, ignore: Booking | None = None) -> list[Interval]:
    """Intervals between `start` and `end` that bookings keep busy, buffers included."""
    rows = db.session.scalars(
        select(Booking)
        .where(
            Booking.tenant_id == tenant_id,
            Booking.status.in_(BLOCKING),
            Booking.starts_at < end,
            Booking.ends_at > start - timedelta(hours=4),
        )
        .order_by(Booking.starts_at)
    )
    intervals = [
        (row.starts_at, row.starts_at + row.service.blocked_for) for row in rows if row is not ignore
    ]
    return [interval for interval in intervals if overlaps(interval, (start, end))]


def available_slots(service: Service, day: date, *, step_minutes: int = 15) -> list[datetime]:
    """Starts on `day` that are still open for a service, none of them in the past."""
    if not service.active:
        return []
    now = clock.now()
    slots: list[datetime] = []
    for opens, closes in opening_times(service.tenant_id, day):
        busy = busy_times(service.tenant_id, opens, closes)
        slots += free_starts((opens, closes), busy, service.blocked_for, timedelta(minutes=step_minutes))
    return [slot for slot in slots if slot >= now]


def is_free(service: Service, starts_at: datetime, *, ignore: Booking | None = None) -> bool:
    """Whether the business is open at that time and nothing else is booked."""
    wanted = (starts_at, starts_at + service.blocked_for)
    within = any(
        opens <= wanted[0] and wanted[1] <= closes
        for opens, closes in opening_times(service.tenant_id, starts_at.date())
    )
    return within and not busy_times(service.tenant_id, *wanted, ignore=ignore)
