"""Members of a tenant and their roles."""

import uuid

import pytest

from app.errors import Conflict, NotFound, ValidationError
from app.models import Membership, Role, User
from app.services import memberships
from tests.builders import make_member, make_tenant, make_user


def test_membership_creation(session):
    tenant = make_tenant()
    user = User(display_name="Noor Haddad", email=None)
    session.add(Membership(tenant=tenant, user=user, role=Role.ADMIN))
    session.commit()
    assert user.membership_in(tenant.id).role is Role.ADMIN
    assert memberships.role_of(user.id, tenant.id) is Role.ADMIN


def test_membership_role_validation(session):
    tenant = make_tenant()
    user = User(
        display_name="Piotr Lind",
    )
    session.add(user)
    session.commit()
    with pytest.raises(ValueError, match="janitor"):
        Membership(tenant_id=tenant.id, user_id=user.id, role="janitor")


def test_user_is_member_once(session):
    tenant, user = make_tenant(), make_user()
    memberships.add_member(tenant, user)
    with pytest.raises(Conflict, match="already a member"):
        memberships.add_member(tenant, user, Role.OWNER)


def test_same_user_may_join_two_tenants(session):
    one, other, user = make_tenant(), make_tenant(), make_user()
    memberships.add_member(one, user, Role.OWNER)
    memberships.add_member(other, user, Role.VIEWER)
    assert memberships.role_of(user.id, one.id) is Role.OWNER
    assert memberships.role_of(user.id, other.id) is Role.VIEWER


def test_change_role(session):
    tenant = make_tenant()
    user = make_member(tenant, Role.STAFF)
    memberships.change_role(user.id, tenant.id, Role.ADMIN)
    assert memberships.role_of(user.id, tenant.id) is Role.ADMIN


def test_last_owner_cannot_step_down(session):
    tenant = make_tenant()
    owner = make_member(tenant, Role.OWNER)
    with pytest.raises(Conflict, match="needs an owner"):
        memberships.change_role(owner.id, tenant.id, Role.ADMIN)
    assert memberships.role_of(owner.id, tenant.id) is Role.OWNER


def test_one_of_two_owners_may_leave(session):
    tenant = make_tenant()
    first, second = make_member(tenant, Role.OWNER), make_member(tenant, Role.OWNER)
    memberships.remove_member(first.id, tenant.id)
    assert memberships.role_of(first.id, tenant.id) is None
    with pytest.raises(Conflict):
        memberships.remove_member(second.id, tenant.id)


def test_strangers_have_no_role_to_change(session):
    tenant = make_tenant()
    with pytest.raises(NotFound, match="no such member"):
        memberships.change_role(uuid.uuid4(), tenant.id, Role.STAFF)


def test_strangers_cannot_be_removed(session):
    tenant = make_tenant()
    with pytest.raises(NotFound, match="no such member"):
        memberships.remove_member(uuid.uuid4(), tenant.id)


def test_members_are_listed_by_address(session):
    tenant = make_tenant()
    make_member(tenant, email="zoe@example.org")
    make_member(tenant, email="adam@example.org")
    make_member(make_tenant(), email="mia@example.org")
    listed = [one.user.email for one in memberships.list_members(tenant.id)]
    assert listed == ["adam@example.org", "zoe@example.org"]


def test_unknown_role_names_the_known_ones():
    with pytest.raises(ValidationError) as raised:
        memberships.parse_role("boss")
    assert raised.value.details["allowed"] == ["owner", "admin", "staff", "viewer"]


def test_owner_changes_a_role_over_http(session, client, sign_in):
    tenant = make_tenant(slug="atelier")
    owner, user = make_member(tenant, Role.OWNER), make_member(tenant, Role.VIEWER)
    response = client.patch(f"/api/atelier/members/{user.id}", json={"role": "staff"}, headers=sign_in(owner))
    assert response.status_code == 200
    assert response.get_json()["role"] == "staff"


def test_owner_removes_a_member_over_http(session, client, sign_in):
    tenant = make_tenant(slug="atelier")
    owner, user = make_member(tenant, Role.OWNER), make_member(tenant)
    response = client.delete(f"/api/atelier/members/{user.id}", headers=sign_in(owner))
    assert response.status_code == 204
    (left,) = client.get("/api/atelier/members", headers=sign_in(owner)).get_json()
    assert left["user_id"] == str(owner.id)
