"""Short ways to put rows into the database; they need an application context."""

import itertools
from datetime import datetime, timedelta, timezone

from app.extensions import db
from app.models import Booking, BookingStatus, Customer, Membership, Role, Service, Tenant, User, WorkingHours

NOW = datetime(2030, 1, 7, 8, 0, tzinfo=timezone.utc)  # a Monday
numbers = itertools.count(1)


def at(hour, minute=0, *, day=0):
    """That time of day, so many days after NOW."""
    return NOW.replace(hour=hour, minute=minute) + timedelta(days=day)


def weekday_hours(opens=9, closes=17):
    return [
        WorkingHours(weekday=weekday, opens_minute=opens * 60, closes_minute=closes * 60)
        for weekday in range(5)
    ]


def save(row):
    db.session.add(row)
    db.session.commit()
    return row


def make_user(**values):
    number = next(numbers)
    values.setdefault("email", f"user{number}@example.org")
    values.setdefault("display_name", f"User {number}")
    return save(User(**values))


def make_tenant(**values):
    number = next(numbers)
    values.setdefault("slug", f"tenant-{number}")
    values.setdefault("name", f"Tenant {number}")
    values.setdefault("working_hours", weekday_hours())
    return save(Tenant(**values))


def make_member(tenant, role=Role.STAFF, **values):
    user = make_user(**values)
    save(Membership(tenant_id=tenant.id, user_id=user.id, role=role))
    return user


def make_service(tenant, **values):
    values.setdefault("name", f"Service {next(numbers)}")
    values.setdefault("price_cents", 4000)
    return save(Service(tenant_id=tenant.id, **values))


def make_customer(tenant, **values):
    number = next(numbers)
    values.setdefault("email", f"customer{number}@example.org")
    values.setdefault("name", f"Customer {number}")
    return save(Customer(tenant_id=tenant.id, **values))


def make_booking(service, customer=None, starts_at=None, status=BookingStatus.PENDING, **values):
    customer = customer or make_customer(service.tenant)
    starts_at = starts_at or at(10, day=1)
    values.setdefault("price_cents", service.price_cents)
    return save(
        Booking(
            tenant_id=service.tenant_id,
            service_id=service.id,
            customer_id=customer.id,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=service.duration_minutes),
            status=status,
            **values,
        )
    )
