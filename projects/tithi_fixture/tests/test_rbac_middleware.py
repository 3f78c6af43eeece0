"""Access by role."""

from unittest.mock import Mock

import pytest
from flask import g, jsonify

from app.auth.permissions import ROLE_PERMISSIONS, allows, outranks
from app.auth.tokens import Identity
from app.errors import AuthenticationError, NotFound, PermissionDenied
from app.middleware import rbac
from app.models import Role
from app.services import tenants
from tests.builders import make_member, make_tenant, make_user


@pytest.fixture
def audit(monkeypatch):
    log = Mock()
    monkeypatch.setattr(rbac, "audit", log)
    return log


@pytest.fixture
def tenant(session):
    return make_tenant(slug="forge")


@pytest.fixture
def act_as(app, tenant):
    """A function that signs a user in and calls a view on the tenant."""

    def call(user, view):
        with app.test_request_context():
            g.identity = None if user is None else Identity(user.id, user.email)
            return view("forge")

    return call


@rbac.require_permission("bookings:write")
def write_bookings(tenant):
    return f"{g.role} writes for {tenant.slug}"


@rbac.require_permission("bookings:read")
def read_bookings(tenant):
    return f"{g.role} reads for {tenant.slug}"


@rbac.require_role(Role.ADMIN)
def administer(tenant):
    return f"{g.role} runs {tenant.slug}"


def test_denied_access_is_recorded(act_as, audit, tenant):
    viewer = make_member(tenant, Role.VIEWER)
    with pytest.raises(PermissionDenied):
        act_as(viewer, write_bookings)
    audit.record_denied.assert_called_once_with(viewer.id, "bookings:write", tenant_id=tenant.id)


def test_granted_access_is_recorded(act_as, audit, tenant):
    staff = make_member(tenant, Role.STAFF)
    assert act_as(staff, read_bookings) == "staff reads for forge"
    audit.record_granted.assert_called_once()


def test_granted_write_is_recorded(act_as, audit, tenant):
    staff = make_member(tenant, Role.STAFF)
    assert act_as(staff, write_bookings) == "staff writes for forge"
    audit.record_granted.assert_called_once_with(staff.id, "bookings:write", tenant_id=tenant.id)
    audit.record_denied.assert_not_called()


def test_denial_reaches_the_log(act_as, tenant, caplog):
    stranger = make_user()
    with pytest.raises(PermissionDenied):
        act_as(stranger, read_bookings)
    (record,) = caplog.records
    assert record.name == "tithi.audit"
    assert record.getMessage() == f"denied bookings:read to {stranger.id} (no member) in {tenant.id}"


def test_anonymous_must_sign_in(act_as, audit):
    with pytest.raises(AuthenticationError):
        act_as(None, read_bookings)
    audit.record_denied.assert_not_called()


def test_unknown_tenant(app, tenant):
    user = make_user()
    with app.test_request_context():
        g.identity = Identity(user.id, user.email)
        with pytest.raises(NotFound):
            read_bookings("nowhere")


def test_suspended_tenant_is_closed_to_its_owner(act_as, tenant):
    owner = make_member(tenant, Role.OWNER)
    tenants.suspend(tenant)
    with pytest.raises(PermissionDenied, match="suspended"):
        act_as(owner, read_bookings)


def test_role_above_the_least_passes(act_as, tenant):
    assert act_as(make_member(tenant, Role.OWNER), administer) == "owner runs forge"


@pytest.mark.parametrize("role", [Role.STAFF, None])
def test_below_the_least_role_is_denied(act_as, tenant, role):
    user = make_user() if role is None else make_member(tenant, role)
    with pytest.raises(PermissionDenied) as raised:
        act_as(user, administer)
    assert raised.value.details == {"role": "admin"}


def test_roles_include_what_lower_roles_may():
    sets = list(ROLE_PERMISSIONS.values())
    assert all(lower < higher for lower, higher in zip(sets, sets[1:], strict=False))


def test_permissions():
    assert allows(Role.VIEWER, "bookings:read")
    assert not allows(Role.VIEWER, "bookings:write")
    assert not allows(Role.STAFF, "services:write")
    assert not allows(Role.ADMIN, "members:write")
    assert allows(Role.OWNER, "tenant:write")


def test_nobody_outranks_an_owner():
    assert not any(outranks(role, Role.OWNER) for role in Role)
    assert outranks(Role.ADMIN, Role.STAFF)


def test_guarded_view_over_http(app, client, tenant, sign_in):
    @app.get("/forge/<slug>")
    @rbac.require_role(Role.STAFF)
    def tools(tenant):
        return jsonify(tenant.name)

    staff = make_member(tenant, Role.STAFF)
    assert client.get("/forge/forge", headers=sign_in(staff)).get_json() == tenant.name
    assert client.get("/forge/forge").status_code == 401
