"""Several parts of Tithi at once, over HTTP."""

import pytest

from app.extensions import db
from app.models import Booking, BookingStatus, Customer, Membership, Role, Service, Tenant, User
from tests.builders import at, weekday_hours


@pytest.fixture
def massage_id(app, business):
    with app.app_context():
        massage = Service(tenant_id=business.id, name="Massage", duration_minutes=60, buffer_minutes=15)
        massage.price_cents = 7500
        db.session.add(massage)
        db.session.commit()
        return str(massage.id)


@pytest.fixture
def shops(app):
    """Two businesses that sell services of the same name."""
    with app.app_context():
        north = Tenant(slug="north", name="North", working_hours=weekday_hours())
        south = Tenant(slug="south", name="South", working_hours=weekday_hours())
        db.session.add_all([north, south])
        db.session.commit()
        return north, south


@pytest.fixture
def catalogs(app, shops):
    with app.app_context():
        for shop in shops:
            db.session.add(Service(tenant_id=shop.id, name="Consultation", price_cents=2000))
        db.session.commit()


class TestGuestBooksOnline:
    def book(self, client, massage_id, **changes):
        body = {
            "service_id": massage_id,
            "starts_at": at(9, day=1).isoformat(),
            "email": "guest@example.org",
            "name": "Guest",
        }
        return client.post("/api/shear-delight/bookings", json=body | changes)

    def test_booked_slot_disappears(self, client, massage_id):
        url = f"/api/shear-delight/services/{massage_id}/slots?day={at(9, day=1).date()}"
        before = client.get(url).get_json()
        self.book(client, massage_id)
        after = client.get(url).get_json()
        assert before[0] == at(9, day=1).isoformat()
        assert after[0] == at(10, 15, day=1).isoformat()

    def test_price_is_in_the_tenants_currency(self, client, massage_id):
        (service,) = client.get("/api/shear-delight/services").get_json()
        assert service["id"] == massage_id
        assert service["price"] == "€75.00"

    def test_same_guest_is_one_customer(self, app, client, massage_id):
        self.book(client, massage_id)
        self.book(client, massage_id, starts_at=at(13, day=1).isoformat(), email="GUEST@example.org")
        with app.app_context():
            customer = db.session.scalars(db.select(Customer)).one()
            assert len(customer.bookings) == 2

    def test_owner_confirms_what_a_guest_booked(self, app, client, massage_id, sign_in):
        booking_id = self.book(client, massage_id).get_json()["id"]
        with app.app_context():
            tenant = db.session.scalars(db.select(Tenant)).one()
            owner = User(email="owner@example.org", display_name="Owner")
            db.session.add(Membership(tenant=tenant, user=owner, role=Role.OWNER))
            db.session.commit()
            headers = sign_in(owner)
        response = client.post(f"/api/shear-delight/bookings/{booking_id}/confirm", headers=headers)
        assert response.status_code == 200
        assert response.get_json()["status"] == "confirmed"


class TestTwoBusinesses:
    def test_each_shows_its_own_services(self, client, catalogs):
        north = client.get("/api/north/services").get_json()
        south = client.get("/api/south/services").get_json()
        assert [one["name"] for one in north] == [one["name"] for one in south] == ["Consultation"]
        assert north[0]["id"] != south[0]["id"]

    def test_service_of_the_other_cannot_be_booked(self, client, catalogs):
        (service,) = client.get("/api/south/services").get_json()
        response = client.post(
            "/api/north/bookings",
            json={
                "service_id": service["id"],
                "starts_at": at(10, day=1).isoformat(),
                "email": "guest@example.org",
                "name": "Guest",
            },
        )
        assert response.status_code == 404


class TestReturningCustomer:
    @pytest.fixture
    def regular(self, app):
        with app.app_context():
            tenant = Tenant(slug="still-waters", name="Still Waters", working_hours=weekday_hours())
            customer = Customer(tenant=tenant, email="regular@example.org", name="Regular")
            db.session.add(customer)
            db.session.commit()
            return customer

    @pytest.fixture
    def visits(self, app, regular):
        with app.app_context():
            sauna = Service(tenant_id=regular.tenant.id, name="Sauna", price_cents=1800)
            db.session.add(sauna)
            db.session.flush()
            for day in (-14, -7):
                db.session.add(
                    Booking(
                        tenant_id=sauna.tenant_id,
                        service_id=sauna.id,
                        customer_id=regular.id,
                        starts_at=at(10, day=day),
                        ends_at=at(10, 30, day=day),
                        status=BookingStatus.COMPLETED,
                        price_cents=1800,
                    )
                )
            db.session.commit()
            return str(sauna.id)

    def test_history_stays_with_the_customer(self, app, client, visits):
        response = client.post(
            "/api/still-waters/bookings",
            json={
                "service_id": visits,
                "starts_at": at(10).isoformat(),
                "email": "regular@example.org",
                "name": "Someone Else",
            },
        )
        assert response.get_json()["customer"]["name"] == "Regular"
        with app.app_context():
            assert len(db.session.scalars(db.select(Customer)).one().bookings) == 3

    def test_past_visits_do_not_block_the_calendar(self, client, visits):
        url = f"/api/still-waters/services/{visits}/slots?day={at(10, day=-7).date()}"
        assert client.get(url).get_json() == []
        today = client.get(f"/api/still-waters/services/{visits}/slots?day={at(10).date()}").get_json()
        assert at(10).isoformat() in today
