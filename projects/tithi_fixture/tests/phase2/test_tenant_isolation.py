"""Nobody reaches the rows of another tenant."""

import pytest
from sqlalchemy import select

from app.errors import NotFound, ValidationError
from app.models import Booking, Role
from app.services import bookings, customers, dashboard
from tests.builders import at, make_booking, make_customer, make_member, make_service, make_tenant


@pytest.fixture
def own(session):
    return make_service(make_tenant(slug="own"))


@pytest.fixture
def foreign(session):
    return make_booking(make_service(make_tenant(slug="foreign")))


def test_cross_tenant_query_finds_nothing(session, own, foreign):
    tenant_id = str(own.tenant_id)
    found = session.scalars(select(Booking).where(Booking.tenant_id == tenant_id)).all()
    assert found == []


def test_cross_tenant_access_is_refused(session, own, foreign):
    identifiers = {"tenant": str(own.tenant_id), "booking": str(foreign.id)}
    with pytest.raises(NotFound):
        bookings.get_booking(identifiers["tenant"], identifiers["booking"])


def test_own_booking_is_found(foreign):
    assert bookings.get_booking(foreign.tenant_id, foreign.id) is foreign


def test_lists_hold_own_bookings_only(own, foreign):
    mine = make_booking(own)
    assert bookings.list_bookings(own.tenant_id) == [mine]


def test_customer_of_another_tenant_is_not_found(own, foreign):
    with pytest.raises(NotFound, match="no such customer"):
        customers.get_customer(own.tenant_id, foreign.customer_id)


def test_same_address_is_two_customers(own, foreign):
    theirs = foreign.customer
    mine = customers.find_or_create(own.tenant_id, theirs.email, theirs.name)
    assert mine.id != theirs.id


def test_booking_across_tenants_is_invalid(own, foreign):
    with pytest.raises(ValidationError, match="different businesses"):
        bookings.create_booking(own, foreign.customer, at(10, day=1))


def test_foreign_bookings_do_not_block_the_calendar(own, foreign):
    booking = bookings.create_booking(own, make_customer(own.tenant), foreign.starts_at)
    assert booking.starts_at == foreign.starts_at


def test_figures_count_own_rows_only(own, foreign):
    assert dashboard.summary(own.tenant_id)["customers"] == 0
    assert dashboard.summary(foreign.tenant_id)["customers"] == 1


@pytest.mark.parametrize("path", ["bookings", "admin/dashboard"])
def test_owner_of_one_tenant_is_nobody_in_another(client, own, foreign, sign_in, path):
    owner = make_member(own.tenant, Role.OWNER)
    assert client.get(f"/api/own/{path}", headers=sign_in(owner)).status_code == 200
    assert client.get(f"/api/foreign/{path}", headers=sign_in(owner)).status_code == 403
