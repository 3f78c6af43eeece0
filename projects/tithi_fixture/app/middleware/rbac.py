"""Access by role: decorators for views under `/api/<slug>/`."""

from collections.abc import Callable
from functools import wraps

from flask import g

from app.auth import audit
from app.auth.permissions import allows, outranks
from app.errors import PermissionDenied
from app.middleware.identity import require_identity, resolve_tenant
from app.models import Role
from app.services import memberships


def require_permission(permission: str) -> Callable:
    """Let a view run only for members whose role has `permission`.

    The view gets the tenant instead of its slug; `g.role` holds the member's role.
    Writes leave a line in the audit log, reads do not.
    """

    def decorate(view: Callable) -> Callable:
        @wraps(view)
        def guarded(slug: str, **arguments: object):
            identity = require_identity()
            tenant = resolve_tenant(slug)
            role = memberships.role_of(identity.user_id, tenant.id)
            if role is None or not allows(role, permission):
                audit.record_denied(identity.user_id, permission, tenant_id=tenant.id, role=role)
                raise PermissionDenied("not allowed", permission=permission)
            if permission.endswith(":write"):
                audit.record_granted(identity.user_id, permission, tenant_id=tenant.id)
            g.role = role
            return view(tenant, **arguments)

        return guarded

    return decorate


def require_role(least: Role) -> Callable:
    """Let a view run only for members of role `least` or above."""

    def decorate(view: Callable) -> Callable:
        @wraps(view)
        def guarded(slug: str, **arguments: object):
            identity = require_identity()
            tenant = resolve_tenant(slug)
            role = memberships.role_of(identity.user_id, tenant.id)
            if role is None or outranks(least, role):
                raise PermissionDenied("not allowed", role=least.value)
            g.role = role
            return view(tenant, **arguments)

        return guarded

    return decorate
