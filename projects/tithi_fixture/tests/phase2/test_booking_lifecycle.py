"""A booking from the first request to its last status."""

import pytest

from app.errors import Conflict
from app.extensions import db
from app.models import Booking, BookingStatus, Customer, Service, Tenant
from app.services import bookings
from tests.builders import at, weekday_hours


@pytest.fixture
def haircut(app):
    """A haircut of 45 minutes at a barber's shop."""
    with app.app_context():
        tenant = Tenant(slug="fade-away", name="Fade Away", working_hours=weekday_hours())
        db.session.add(tenant)
        db.session.flush()
        service = Service(tenant_id=tenant.id, name="Haircut", duration_minutes=45, price_cents=3500)
        db.session.add(service)
        db.session.commit()
        return service


class TestBookingCreation:
    @pytest.fixture
    def tenant(self, app):
        with app.app_context():
            tenant = Tenant(slug="glow", name="Glow Studio", working_hours=weekday_hours(8, 18))
            db.session.add(tenant)
            db.session.commit()
            return tenant

    @pytest.fixture
    def service(self, app, tenant):
        with app.app_context():
            service = Service(
                name="Facial",
                tenant_id=tenant.id,
                duration_minutes=60,
                price_cents=9000,
            )
            db.session.add(service)
            db.session.commit()
            return service

    def request_body(self, service, **changes):
        return {
            "service_id": str(service.id),
            "starts_at": at(10, day=1).isoformat(),
            "email": "ines@example.org",
            "name": "Ines Okafor",
        } | changes

    def test_create_booking(self, client, service):
        response = client.post("/api/glow/bookings", json=self.request_body(service))
        assert response.status_code == 201
        assert response.get_json()["status"] == "pending"
        assert response.get_json()["price_cents"] == 9000

    def test_create_booking_stores_the_customer(self, app, client, service):
        client.post("/api/glow/bookings", json=self.request_body(service, email=" Ines@Example.org "))
        with app.app_context():
            customer = db.session.scalars(db.select(Customer)).one()
            assert customer.email == "ines@example.org"
            assert len(customer.bookings) == 1

    def test_create_booking_for_a_group(self, client, service):
        response = client.post("/api/glow/bookings", json=self.request_body(service, people=3))
        assert response.get_json()["price_cents"] == 25650

    def test_create_booking_in_the_past(self, client, service):
        body = self.request_body(service, starts_at=at(10, day=-3).isoformat())
        response = client.post("/api/glow/bookings", json=body)
        assert response.status_code == 422
        assert response.get_json()["message"] == "that time has passed"

    def test_create_booking_for_a_taken_slot(self, client, service):
        first = client.post("/api/glow/bookings", json=self.request_body(service))
        second = client.post(
            "/api/glow/bookings",
            json=self.request_body(service, starts_at=at(10, 30, day=1).isoformat(), email="bo@example.org"),
        )
        assert (first.status_code, second.status_code) == (201, 409)


class TestStatusChanges:
    @pytest.fixture
    def booking_id(self, app, haircut):
        with app.app_context():
            customer = Customer(tenant_id=haircut.tenant_id, email="leo@example.org", name="Leo")
            db.session.add(customer)
            db.session.commit()
            service = db.session.get(Service, haircut.id)
            return bookings.create_booking(service, customer, at(11, day=2)).id

    def test_confirm(self, app, booking_id):
        with app.app_context():
            booking = bookings.confirm(db.session.get(Booking, booking_id))
            assert booking.status is BookingStatus.CONFIRMED

    def test_complete_needs_confirmation(self, app, booking_id):
        with app.app_context():
            booking = db.session.get(Booking, booking_id)
            with pytest.raises(Conflict, match="pending booking cannot become completed"):
                bookings.complete(booking)

    def test_complete(self, app, booking_id):
        with app.app_context():
            booking = bookings.confirm(db.session.get(Booking, booking_id))
            assert bookings.complete(booking).status is BookingStatus.COMPLETED

    def test_completed_is_final(self, app, booking_id):
        with app.app_context():
            booking = bookings.complete(bookings.confirm(db.session.get(Booking, booking_id)))
            with pytest.raises(Conflict):
                bookings.cancel(booking)
            assert booking.status is BookingStatus.COMPLETED

    def test_reschedule_keeps_the_length(self, app, booking_id):
        with app.app_context():
            booking = bookings.reschedule(db.session.get(Booking, booking_id), at(14, day=3))
            assert booking.starts_at == at(14, day=3)
            assert booking.ends_at == at(14, 45, day=3)


class TestCancellation:
    @pytest.fixture
    def colouring_id(self, app, business):
        with app.app_context():
            service = Service(tenant_id=business.id, name="Colouring", duration_minutes=90, price_cents=12000)
            customer = Customer(tenant_id=business.id, email="mara@example.org", name="Mara")
            db.session.add_all([service, customer])
            db.session.commit()
            return bookings.create_booking(service, customer, at(13, day=2)).id

    def test_cancel_in_time_is_free(self, app, colouring_id):
        with app.app_context():
            booking = bookings.cancel(db.session.get(Booking, colouring_id), "moving house")
            assert booking.status is BookingStatus.CANCELLED
            assert booking.cancellation_fee_cents == 0
            assert booking.cancelled_reason == "moving house"

    def test_late_cancellation_costs_half(self, app, colouring_id, monkeypatch):
        monkeypatch.setattr("app.clock.now", lambda: at(9, day=2))
        with app.app_context():
            booking = bookings.cancel(db.session.get(Booking, colouring_id))
            assert booking.cancellation_fee_cents == 6000

    def test_cancelled_slot_is_free_again(self, app, colouring_id):
        with app.app_context():
            booking = bookings.cancel(db.session.get(Booking, colouring_id))
            again = bookings.create_booking(booking.service, booking.customer, at(13, day=2))
            assert again.id != colouring_id

    def test_cancelled_booking_cannot_be_moved(self, app, colouring_id):
        with app.app_context():
            booking = bookings.cancel(db.session.get(Booking, colouring_id))
            with pytest.raises(Conflict, match="cannot be moved"):
                bookings.reschedule(booking, at(15, day=2))
