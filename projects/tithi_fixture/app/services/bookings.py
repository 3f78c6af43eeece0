"""The life of a booking."""

import uuid
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import select

from app import clock
from app.errors import Conflict, NotFound, ValidationError
from app.extensions import db
from app.models import Booking, BookingStatus, Customer, Service
from app.services import availability, pricing

TRANSITIONS: dict[BookingStatus, frozenset[BookingStatus]] = {
    BookingStatus.PENDING: frozenset({BookingStatus.CONFIRMED, BookingStatus.CANCELLED}),
    BookingStatus.CONFIRMED: frozenset(
        {BookingStatus.COMPLETED, BookingStatus.CANCELLED, BookingStatus.NO_SHOW}
    ),
    BookingStatus.COMPLETED: frozenset(),
    BookingStatus.CANCELLED: frozenset(),
    BookingStatus.NO_SHOW: frozenset(),
}


def can_move(current: BookingStatus, wanted: BookingStatus) -> bool:
    return wanted in TRANSITIONS[current]


def check_start(starts_at: datetime) -> None:
    """Raises ValidationError for a start in the past or too far ahead."""
    now = clock.now()
    if starts_at < now:
        raise ValidationError("that time has passed", starts_at=starts_at.isoformat())
    horizon = timedelta(days=current_app.config["BOOKING_HORIZON_DAYS"])
    if starts_at - now > horizon:
        raise ValidationError("that is too far ahead", days=horizon.days)


def create_booking(service: Service, customer: Customer, starts_at: datetime, *, people: int = 1) -> Booking:
    """Book a free slot; the price is fixed at this moment.

    Raises:
        ValidationError: the service cannot be booked then.
        Conflict: the slot is not free.
    """
    if service.tenant_id != customer.tenant_id:
        raise ValidationError("service and customer belong to different businesses")
    if not service.active:
        raise ValidationError("this service is not offered any more")
    check_start(starts_at)
    if not availability.is_free(service, starts_at):
        raise Conflict("that time is not free", starts_at=starts_at.isoformat())
    booking = Booking(
        tenant_id=service.tenant_id,
        service_id=service.id,
        customer_id=customer.id,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=service.duration_minutes),
        price_cents=pricing.calculate_price(service.price_cents, people=people),
    )
    db.session.add(booking)
    db.session.commit()
    return booking


def get_booking(tenant_id: uuid.UUID, booking_id: uuid.UUID) -> Booking:
    """A booking of this tenant; another tenant's is as good as none."""
    booking = db.session.scalar(
        select(Booking).where(Booking.id == booking_id, Booking.tenant_id == tenant_id)
    )
    if booking is None:
        raise NotFound("no such booking")
    return booking


def list_bookings(tenant_id: uuid.UUID, status: BookingStatus | None = None) -> list[Booking]:
    query = select(Booking).where(Booking.tenant_id == tenant_id).order_by(Booking.starts_at)
    if status is not None:
        query = query.where(Booking.status == status)
    return list(db.session.scalars(query))


def move(booking: Booking, wanted: BookingStatus) -> Booking:
    """Change the status.

    Raises:
        Conflict: a booking of that status cannot become the wanted one.
    """
    if not can_move(booking.status, wanted):
        raise Conflict(f"a {booking.status.value} booking cannot become {wanted.value}")
    booking.status = wanted
    db.session.commit()
    return booking


def confirm(booking: Booking) -> Booking:
    return move(booking, BookingStatus.CONFIRMED)


def complete(booking: Booking) -> Booking:
    return move(booking, BookingStatus.COMPLETED)


def mark_no_show(booking: Booking) -> Booking:
    if clock.now() < booking.starts_at:
        raise Conflict("the booking has not begun")
    return move(booking, BookingStatus.NO_SHOW)


def cancel(booking: Booking, reason: str | None = None) -> Booking:
    """Cancel; a late cancellation costs what the tenant's rules say."""
    fee = pricing.cancellation_fee(
        booking.price_cents,
        booking.starts_at,
        clock.now(),
        window_hours=current_app.config["CANCELLATION_WINDOW_HOURS"],
    )
    move(booking, BookingStatus.CANCELLED)
    booking.cancelled_reason = reason
    booking.cancellation_fee_cents = fee
    db.session.commit()
    return booking


def reschedule(booking: Booking, starts_at: datetime) -> Booking:
    """Move a booking to another time; its own slot does not stand in the way."""
    if booking.status.is_final:
        raise Conflict(f"a {booking.status.value} booking cannot be moved")
    check_start(starts_at)
    if not availability.is_free(booking.service, starts_at, ignore=booking):
        raise Conflict("that time is not free", starts_at=starts_at.isoformat())
    booking.starts_at = starts_at
    booking.ends_at = starts_at + timedelta(minutes=booking.service.duration_minutes)
    db.session.commit()
    return booking
