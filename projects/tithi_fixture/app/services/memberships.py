"""Who belongs to a tenant, and as what."""

import uuid

from sqlalchemy import func, select

from app.errors import Conflict, NotFound, ValidationError
from app.extensions import db
from app.models import Membership, Role, Tenant, User


def parse_role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise ValidationError("no such role", role=text, allowed=[role.value for role in Role]) from None


def find(user_id: uuid.UUID, tenant_id: uuid.UUID) -> Membership | None:
    return db.session.scalar(
        select(Membership).where(Membership.user_id == user_id, Membership.tenant_id == tenant_id)
    )


def role_of(user_id: uuid.UUID, tenant_id: uuid.UUID) -> Role | None:
    membership = find(user_id, tenant_id)
    return None if membership is None else membership.role


def add_member(tenant: Tenant, user: User, role: Role = Role.STAFF) -> Membership:
    if find(user.id, tenant.id) is not None:
        raise Conflict("already a member", email=user.email)
    membership = Membership(tenant=tenant, user=user, role=role)
    db.session.add(membership)
    db.session.commit()
    return membership


def count_owners(tenant_id: uuid.UUID) -> int:
    return db.session.scalar(
        select(func.count())
        .select_from(Membership)
        .where(Membership.tenant_id == tenant_id, Membership.role == Role.OWNER)
    )


def _keep_an_owner(membership: Membership) -> None:
    if membership.role is Role.OWNER and count_owners(membership.tenant_id) == 1:
        raise Conflict("a business needs an owner")


def change_role(user_id: uuid.UUID, tenant_id: uuid.UUID, role: Role) -> Membership:
    """Raises NotFound for who is no member, Conflict where no owner would be left."""
    membership = find(user_id, tenant_id)
    if membership is None:
        raise NotFound("no such member")
    if role is not Role.OWNER:
        _keep_an_owner(membership)
    membership.role = role
    db.session.commit()
    return membership


def remove_member(user_id: uuid.UUID, tenant_id: uuid.UUID) -> None:
    membership = find(user_id, tenant_id)
    if membership is None:
        raise NotFound("no such member")
    _keep_an_owner(membership)
    db.session.delete(membership)
    db.session.commit()


def list_members(tenant_id: uuid.UUID) -> list[Membership]:
    return list(
        db.session.scalars(
            select(Membership)
            .join(Membership.user)
            .where(Membership.tenant_id == tenant_id)
            .order_by(User.email)
        )
    )
