"""Figures and searches for those who run a business."""

from datetime import date

import pytest

from app.errors import ValidationError
from app.models import BookingStatus, Role
from app.services import dashboard
from tests.builders import at, make_booking, make_customer, make_member, make_service, make_tenant


@pytest.fixture
def tenant(session):
    return make_tenant(slug="bright", name="Bright Smiles")


def test_dashboard_for_staff(client, tenant, sign_in):
    member = make_member(tenant, Role.STAFF)
    response = client.get("/api/bright/admin/dashboard", headers=sign_in(member))
    assert response.status_code == 200
    assert response.get_json()["tenant"]["name"] == "Bright Smiles"


def test_revenue_of_a_single_day(client, tenant, sign_in):
    admin = make_member(tenant, Role.ADMIN)
    make_booking(make_service(tenant), starts_at=at(9), status=BookingStatus.COMPLETED)
    response = client.get("/api/bright/admin/revenue?from=2030-01-07&to=2030-01-07", headers=sign_in(admin))
    assert response.status_code == 200
    assert response.get_json()["total_cents"] == 4000


def test_dashboard_for_admin(client, tenant, sign_in):
    make_booking(make_service(tenant))
    admin = make_member(tenant, Role.ADMIN)
    body = client.get("/api/bright/admin/dashboard", headers=sign_in(admin)).get_json()
    assert body["tenant"]["slug"] == "bright"
    assert body["upcoming"] == 1
    assert body["customers"] == 1


def test_revenue_by_service(client, tenant, sign_in):
    admin = make_member(tenant, Role.ADMIN)
    cleaning, filling = make_service(tenant, name="Cleaning"), make_service(tenant, name="Filling")
    make_booking(cleaning, starts_at=at(9), status=BookingStatus.COMPLETED)
    make_booking(cleaning, starts_at=at(11), status=BookingStatus.COMPLETED)
    make_booking(filling, starts_at=at(13), status=BookingStatus.COMPLETED, price_cents=15000)
    make_booking(filling, starts_at=at(15), status=BookingStatus.NO_SHOW)
    make_booking(filling, starts_at=at(9, day=1), status=BookingStatus.COMPLETED)
    body = client.get(
        "/api/bright/admin/revenue?from=2030-01-07&to=2030-01-08", headers=sign_in(admin)
    ).get_json()
    assert body == {"by_service": {"Cleaning": 8000, "Filling": 15000}, "total_cents": 23000}


def test_status_counts_include_zeros(tenant):
    service = make_service(tenant)
    make_booking(service, status=BookingStatus.CANCELLED)
    make_booking(service, status=BookingStatus.CANCELLED)
    assert dashboard.status_counts(tenant.id) == {
        "pending": 0,
        "confirmed": 0,
        "completed": 0,
        "cancelled": 2,
        "no_show": 0,
    }


def test_upcoming_leaves_out_the_past_and_the_cancelled(tenant):
    service = make_service(tenant)
    make_booking(service, starts_at=at(10, day=-1), status=BookingStatus.CONFIRMED)
    make_booking(service, starts_at=at(10, day=1), status=BookingStatus.CANCELLED)
    make_booking(service, starts_at=at(12, day=1), status=BookingStatus.CONFIRMED)
    assert dashboard.summary(tenant.id)["upcoming"] == 1


def test_customer_search(client, tenant, sign_in):
    make_customer(tenant, name="Ada Brandt", email="ada@example.org")
    make_customer(tenant, name="Bela Kiss", email="bela@brandt.example")
    make_customer(tenant, name="Cleo Stone", email="cleo@example.org")
    staff = make_member(tenant, Role.STAFF)
    found = client.get("/api/bright/admin/customers?q=BRANDT", headers=sign_in(staff)).get_json()
    assert [one["name"] for one in found] == ["Ada Brandt", "Bela Kiss"]


def test_customer_search_takes_wildcards_literally(tenant, client, sign_in):
    make_customer(tenant, name="Ada Brandt")
    admin = make_member(tenant, Role.ADMIN)
    assert client.get("/api/bright/admin/customers?q=%25", headers=sign_in(admin)).get_json() == []


@pytest.mark.parametrize(
    ("first", "after", "message"),
    [
        ("2030-02-30", "2030-03-01", "dates are written"),
        ("2030-03-02", "2030-03-01", "ends after it begins"),
    ],
)
def test_period_is_checked(first, after, message):
    with pytest.raises(ValidationError, match=message):
        dashboard.Period.parse(first, after)


def test_period_covers_whole_days():
    period = dashboard.Period.parse("2030-01-07", "2030-01-09")
    assert period.first == date(2030, 1, 7)
    assert period.start == at(0)
    assert period.end == at(0, day=2)
