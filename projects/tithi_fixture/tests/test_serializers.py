"""Models as JSON."""

import json

import pytest

from app.models import Role
from app.serializers import booking_json, customer_json, membership_json, service_json, tenant_json
from app.services import memberships
from tests.builders import at, make_booking, make_customer, make_member, make_service, make_tenant


@pytest.fixture
def tenant(session):
    return make_tenant(slug="mill", name="The Mill", currency="GBP")


def test_tenant(tenant):
    assert tenant_json(tenant) == {
        "id": str(tenant.id),
        "slug": "mill",
        "name": "The Mill",
        "currency": "GBP",
        "status": "active",
    }


def test_service_shows_a_price_to_read(tenant):
    body = service_json(make_service(tenant, price_cents=123456))
    assert body["price_cents"] == 123456
    assert body["price"] == "£1,234.56"


def test_booking(tenant):
    service = make_service(tenant, name="Milling", duration_minutes=50)
    customer = make_customer(tenant, name="Ida")
    body = booking_json(make_booking(service, customer, at(9, day=1)))
    assert body["service"] == "Milling"
    assert body["starts_at"] == "2030-01-08T09:00:00+00:00"
    assert body["ends_at"] == "2030-01-08T09:50:00+00:00"
    assert json.loads(json.dumps(body)) == body


def test_booking_keeps_addresses_private(tenant):
    customer = make_customer(tenant, name="Ida", email="ida@example.org", phone="555")
    body = booking_json(make_booking(make_service(tenant), customer))
    assert body["customer"] == {"id": str(customer.id), "name": "Ida"}
    assert customer_json(customer)["email"] == "ida@example.org"


def test_membership(tenant):
    user = make_member(tenant, Role.ADMIN, email="ada@example.org", display_name="Ada")
    body = membership_json(memberships.find(user.id, tenant.id))
    assert body == {"user_id": str(user.id), "email": "ada@example.org", "name": "Ada", "role": "admin"}
