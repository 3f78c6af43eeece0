"""Which role may do what."""

from app.models.core import Role

VIEWER = frozenset({"bookings:read", "services:read"})
STAFF = VIEWER | {"bookings:write", "customers:read"}
ADMIN = STAFF | {"services:write", "customers:write", "dashboard:read", "members:read"}
OWNER = ADMIN | {"members:write", "tenant:write"}

ROLE_PERMISSIONS: dict[Role, frozenset[str]] = {
    Role.VIEWER: VIEWER,
    Role.STAFF: STAFF,
    Role.ADMIN: ADMIN,
    Role.OWNER: OWNER,
}
RANK = {role: rank for rank, role in enumerate(ROLE_PERMISSIONS)}


def allows(role: Role, permission: str) -> bool:
    return permission in ROLE_PERMISSIONS[role]


def outranks(role: Role, other: Role) -> bool:
    return RANK[role] > RANK[other]
