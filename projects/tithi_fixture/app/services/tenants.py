"""Businesses on the platform."""

import re
import unicodedata

from sqlalchemy import func, select

from app.errors import ValidationError
from app.extensions import db
from app.models import Membership, Role, Tenant, TenantStatus, User, WorkingHours

RESERVED_SLUGS = frozenset({"admin", "api", "health", "www"})


def slugify(name: str) -> str:
    """Lower-case ASCII words joined by hyphens.

    Raises:
        ValidationError: nothing is left of the name.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    if not slug:
        raise ValidationError("a name needs letters or digits", name=name)
    return slug


def free_slug(name: str) -> str:
    """A slug for the name that no tenant has: `salon`, `salon-2`, `salon-3`."""
    base = slugify(name)
    candidate, number = base, 1
    while candidate in RESERVED_SLUGS or find_by_slug(candidate) is not None:
        number += 1
        candidate = f"{base}-{number}"
    return candidate


def find_by_slug(slug: str) -> Tenant | None:
    return db.session.scalar(select(Tenant).where(Tenant.slug == slug))


def create_tenant(name: str, owner: User, *, currency: str = "USD") -> Tenant:
    """A new business, its owner a member, open from nine to five on weekdays."""
    tenant = Tenant(slug=free_slug(name), name=name, currency=currency)
    tenant.memberships.append(Membership(user=owner, role=Role.OWNER))
    tenant.working_hours = [
        WorkingHours(weekday=weekday, opens_minute=9 * 60, closes_minute=17 * 60) for weekday in range(5)
    ]
    db.session.add(tenant)
    db.session.commit()
    return tenant


def suspend(tenant: Tenant) -> Tenant:
    tenant.status = TenantStatus.SUSPENDED
    db.session.commit()
    return tenant


def reactivate(tenant: Tenant) -> Tenant:
    tenant.status = TenantStatus.ACTIVE
    db.session.commit()
    return tenant


def count_active() -> int:
    return db.session.scalar(
        select(func.count()).select_from(Tenant).where(Tenant.status == TenantStatus.ACTIVE)
    )
