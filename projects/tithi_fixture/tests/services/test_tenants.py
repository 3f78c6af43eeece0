import pytest

from app.errors import ValidationError
from app.models import Role
from app.services import tenants
from tests.builders import make_member, make_tenant, make_user


def test_slugify():
    names = ["Shear Delight", "  Café & Spa  ", "Nº 5!", "a--b__c"]
    assert [tenants.slugify(name) for name in names] == ["shear-delight", "cafe-spa", "no-5", "a-b-c"]


def test_name_without_letters():
    with pytest.raises(ValidationError, match="letters or digits"):
        tenants.slugify("!!!")


def test_new_tenant(session):
    owner = make_user()
    tenant = tenants.create_tenant("River Yoga", owner, currency="eur")
    assert tenant.slug == "river-yoga"
    assert tenant.currency == "EUR"
    assert owner.membership_in(tenant.id).role is Role.OWNER
    assert sorted(hours.weekday for hours in tenant.working_hours) == [0, 1, 2, 3, 4]


def test_slugs_are_numbered(session):
    owner = make_user()
    slugs = [tenants.create_tenant("River Yoga", owner).slug for _ in range(3)]
    assert slugs == ["river-yoga", "river-yoga-2", "river-yoga-3"]


def test_reserved_slug(session):
    assert tenants.create_tenant("Health", make_user()).slug == "health-2"


def test_suspended_tenant_takes_no_requests(session, client):
    tenant = make_tenant(slug="pier")
    tenants.suspend(tenant)
    assert client.get("/api/pier").status_code == 403
    tenants.reactivate(tenant)
    assert client.get("/api/pier").get_json()["status"] == "active"


def test_count_active(session):
    make_tenant()
    tenants.suspend(make_tenant())
    assert tenants.count_active() == 1


def test_admin_adds_a_service_over_http(session, client, sign_in):
    tenant = make_tenant(slug="pier")
    headers = sign_in(make_member(tenant, Role.ADMIN))
    body = {"name": "Sailing", "duration_minutes": 120, "price_cents": 9900}
    assert client.post("/api/pier/services", json=body, headers=headers).status_code == 201
    (service,) = client.get("/api/pier/services").get_json()
    assert service["price"] == "$99.00"


def test_service_needs_time(session, client, sign_in):
    headers = sign_in(make_member(make_tenant(slug="pier"), Role.ADMIN))
    body = {"name": "Instant", "duration_minutes": -5, "price_cents": 100}
    response = client.post("/api/pier/services", json=body, headers=headers)
    assert response.status_code == 422
