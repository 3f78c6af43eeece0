"""Figures for the people who run a business."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

from sqlalchemy import func, select

from app import clock
from app.errors import ValidationError
from app.extensions import db
from app.models import Booking, BookingStatus, Customer, Service

LONGEST_PERIOD = timedelta(days=366)


@dataclass(frozen=True)
class Period:
    """Days from `first` up to, but without, `after`."""

    first: date
    after: date

    @classmethod
    def parse(cls, first: str, after: str) -> "Period":
        """Raises ValidationError for malformed, empty or overlong periods."""
        try:
            period = cls(date.fromisoformat(first), date.fromisoformat(after))
        except ValueError:
            raise ValidationError("dates are written YYYY-MM-DD") from None
        if period.after <= period.first:
            raise ValidationError("a period ends after it begins", first=first, after=after)
        if period.after - period.first > LONGEST_PERIOD:
            raise ValidationError("a period is at most a year")
        return period

    @property
    def start(self) -> datetime:
        return datetime.combine(self.first, time(), tzinfo=timezone.utc)

    @property
    def end(self) -> datetime:
        return datetime.combine(self.after, time(), tzinfo=timezone.utc)


def status_counts(tenant_id: uuid.UUID) -> dict[str, int]:
    """How many bookings there are of each status, zeros included."""
    rows = db.session.execute(
        select(Booking.status, func.count()).where(Booking.tenant_id == tenant_id).group_by(Booking.status)
    )
    found = {status: count for status, count in rows}
    return {status.value: found.get(status, 0) for status in BookingStatus}


def summary(tenant_id: uuid.UUID) -> dict[str, object]:
    upcoming = db.session.scalar(
        select(func.count())
        .select_from(Booking)
        .where(
            Booking.tenant_id == tenant_id,
            Booking.starts_at >= clock.now(),
            Booking.status.in_([BookingStatus.PENDING, BookingStatus.CONFIRMED]),
        )
    )
    customers = db.session.scalar(
        select(func.count()).select_from(Customer).where(Customer.tenant_id == tenant_id)
    )
    return {"bookings": status_counts(tenant_id), "upcoming": upcoming, "customers": customers}


def revenue(tenant_id: uuid.UUID, period: Period) -> dict[str, int]:
    """Cents earned by completed bookings that began in the period, by service."""
    rows = db.session.execute(
        select(Service.name, func.sum(Booking.price_cents))
        .join(Booking.service)
        .where(
            Booking.tenant_id == tenant_id,
            Booking.status == BookingStatus.COMPLETED,
            Booking.starts_at >= period.start,
            Booking.starts_at < period.end,
        )
        .group_by(Service.name)
        .order_by(Service.name)
    )
    return {name: cents for name, cents in rows}
