import pytest

from app.errors import Conflict, ValidationError
from app.models import BookingStatus, Role
from app.services import bookings
from tests.builders import at, make_booking, make_customer, make_member, make_service, make_tenant


@pytest.fixture
def service(session):
    return make_service(make_tenant(slug="quay"), duration_minutes=60, price_cents=8000)


@pytest.fixture
def customer(service):
    return make_customer(service.tenant)


def test_new_booking(service, customer):
    booking = bookings.create_booking(service, customer, at(10, day=1))
    assert booking.status is BookingStatus.PENDING
    assert booking.ends_at == at(11, day=1)
    assert booking.price_cents == 8000


def test_overlapping_booking(service, customer):
    bookings.create_booking(service, customer, at(10, day=1))
    with pytest.raises(Conflict, match="not free"):
        bookings.create_booking(service, customer, at(10, 59, day=1))


@pytest.mark.parametrize(
    ("starts_at", "message"),
    [(at(7, 59), "time has passed"), (at(9, day=91), "too far ahead")],
)
def test_start_outside_the_horizon(service, customer, starts_at, message):
    with pytest.raises(ValidationError, match=message):
        bookings.create_booking(service, customer, starts_at)


def test_retired_service(service, customer):
    service.active = False
    with pytest.raises(ValidationError, match="not offered"):
        bookings.create_booking(service, customer, at(10, day=1))


def test_transitions():
    assert bookings.can_move(BookingStatus.PENDING, BookingStatus.CONFIRMED)
    assert bookings.can_move(BookingStatus.CONFIRMED, BookingStatus.NO_SHOW)
    assert not bookings.can_move(BookingStatus.PENDING, BookingStatus.COMPLETED)


def test_final_statuses_lead_nowhere():
    for status in BookingStatus:
        assert (bookings.TRANSITIONS[status] == frozenset()) is status.is_final


def test_no_show_only_after_the_start(service, monkeypatch):
    booking = make_booking(service, starts_at=at(10), status=BookingStatus.CONFIRMED)
    with pytest.raises(Conflict, match="has not begun"):
        bookings.mark_no_show(booking)
    monkeypatch.setattr("app.clock.now", lambda: at(10, 20))
    assert bookings.mark_no_show(booking).status is BookingStatus.NO_SHOW


def test_late_cancellation(service):
    booking = make_booking(service, starts_at=at(12))
    bookings.cancel(booking, "ill")
    assert booking.cancellation_fee_cents == 4000
    assert booking.cancelled_reason == "ill"


def test_reschedule_into_a_taken_slot(service, customer):
    bookings.create_booking(service, customer, at(10, day=1))
    other = bookings.create_booking(service, customer, at(13, day=1))
    with pytest.raises(Conflict, match="not free"):
        bookings.reschedule(other, at(10, 30, day=1))
    assert other.starts_at == at(13, day=1)


def test_list_by_status_in_order_of_time(service):
    late = make_booking(service, starts_at=at(15, day=1))
    early = make_booking(service, starts_at=at(9, day=1))
    make_booking(service, starts_at=at(12, day=1), status=BookingStatus.CANCELLED)
    assert bookings.list_bookings(service.tenant_id, BookingStatus.PENDING) == [early, late]


def test_list_over_http(client, service, sign_in):
    make_booking(service, status=BookingStatus.CANCELLED)
    viewer = make_member(service.tenant, Role.VIEWER)
    (one,) = client.get("/api/quay/bookings?status=cancelled", headers=sign_in(viewer)).get_json()
    assert one["status"] == "cancelled"
    assert client.get("/api/quay/bookings?status=lost", headers=sign_in(viewer)).status_code == 422


def test_reschedule_and_cancel_over_http(client, service, sign_in):
    booking = make_booking(service)
    headers = sign_in(make_member(service.tenant, Role.STAFF))
    url = f"/api/quay/bookings/{booking.id}"
    moved = client.post(f"{url}/reschedule", json={"starts_at": at(14, day=3).isoformat()}, headers=headers)
    assert moved.get_json()["starts_at"] == at(14, day=3).isoformat()
    cancelled = client.post(f"{url}/cancel", json={"reason": "rain"}, headers=headers)
    assert cancelled.get_json()["status"] == "cancelled"


def test_viewer_may_not_confirm_over_http(client, service, sign_in):
    booking = make_booking(service)
    headers = sign_in(make_member(service.tenant, Role.VIEWER))
    response = client.post(f"/api/quay/bookings/{booking.id}/confirm", headers=headers)
    assert response.status_code == 403
    assert booking.status is BookingStatus.PENDING
