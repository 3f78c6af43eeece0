"""Models and what the database enforces for them."""

import uuid
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, StatementError

from app.models import Booking, BookingStatus, Membership, Service, Tenant, TenantStatus, User
from tests.builders import (
    NOW,
    at,
    make_booking,
    make_customer,
    make_member,
    make_service,
    make_tenant,
    make_user,
    save,
)


def test_rows_get_an_id_and_times(session):
    tenant = make_tenant()
    assert isinstance(tenant.id, uuid.UUID)
    assert tenant.created_at == tenant.updated_at == NOW


def test_update_moves_the_second_time(session, monkeypatch):
    tenant = make_tenant()
    monkeypatch.setattr("app.clock.now", lambda: at(12))
    tenant.name = "Renamed"
    session.commit()
    assert tenant.created_at == NOW
    assert tenant.updated_at == at(12)


def test_tenant_defaults(session):
    tenant = make_tenant()
    assert tenant.currency == "USD"
    assert tenant.status is TenantStatus.ACTIVE
    assert tenant.is_active


@pytest.mark.parametrize("slug", ["two words", "double--hyphen"])
def test_slug_is_checked(slug):
    with pytest.raises(ValueError, match="not a slug"):
        Tenant(slug=slug, name="X")


def test_currency_is_upper_case():
    assert Tenant(slug="x", name="X", currency="eur").currency == "EUR"


def test_currency_is_checked():
    with pytest.raises(ValueError, match="ISO 4217"):
        Tenant(slug="x", name="X", currency="EURO")


def test_address_belongs_to_one_user(session):
    make_user(email="kim@example.org")
    with pytest.raises(IntegrityError, match="users.email"):
        make_user(email="KIM@example.org")


def test_user_belongs_to_a_tenant_once(session):
    tenant = make_tenant()
    user = make_member(tenant)
    with pytest.raises(IntegrityError, match="memberships"):
        save(Membership(tenant_id=tenant.id, user_id=user.id))


def test_foreign_keys_are_enforced(session):
    with pytest.raises(IntegrityError, match="FOREIGN KEY"):
        save(Service(tenant_id=uuid.uuid4(), name="Orphan"))


@pytest.mark.parametrize(
    ("values", "constraint"),
    [({"duration_minutes": 0}, "duration_positive"), ({"price_cents": -1}, "price_not_negative")],
)
def test_service_constraints(session, values, constraint):
    with pytest.raises(IntegrityError, match=constraint):
        make_service(make_tenant(), **values)


def test_service_blocks_its_buffer_too():
    assert Service(duration_minutes=45, buffer_minutes=15).blocked_for == timedelta(hours=1)


def test_booking_ends_after_it_starts(session):
    service = make_service(make_tenant())
    customer = make_customer(service.tenant)
    with pytest.raises(IntegrityError, match="ends_after_start"):
        save(
            Booking(
                tenant_id=service.tenant_id,
                service_id=service.id,
                customer_id=customer.id,
                starts_at=at(10),
                ends_at=at(10),
                price_cents=0,
            )
        )


def test_times_come_back_in_utc(session):
    east = timezone(timedelta(hours=5, minutes=30))
    booking = make_booking(make_service(make_tenant()), starts_at=datetime(2030, 1, 8, 15, 30, tzinfo=east))
    assert booking.starts_at == at(10, day=1)
    assert booking.starts_at.tzinfo is timezone.utc


def test_naive_times_are_refused(session):
    with pytest.raises(StatementError, match="without an offset"):
        make_booking(make_service(make_tenant()), starts_at=datetime(2030, 1, 8, 10))


def test_deleting_a_tenant_takes_its_rows_along(session):
    tenant = make_tenant()
    make_member(tenant)
    session.delete(tenant)
    session.commit()
    assert session.scalars(select(Membership)).all() == []
    assert len(session.scalars(select(User)).all()) == 1


def test_booking_status_says_what_it_means_for_the_calendar():
    assert [status for status in BookingStatus if status.blocks_calendar] == [
        BookingStatus.PENDING,
        BookingStatus.CONFIRMED,
    ]
    assert all(status.is_final is not status.blocks_calendar for status in BookingStatus)
