"""Who uses Tithi: tenants, users, and which user may do what for which tenant."""

import enum
import re
import uuid
from typing import TYPE_CHECKING

from sqlalchemy import Enum, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from app.models.types import BaseModel

if TYPE_CHECKING:
    from app.models.business import Booking, Customer, Service, WorkingHours

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class TenantStatus(enum.StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"


class Role(enum.StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    STAFF = "staff"
    VIEWER = "viewer"


class Tenant(BaseModel):
    __tablename__ = "tenants"

    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    currency: Mapped[str] = mapped_column(String(3), default="USD")
    status: Mapped[TenantStatus] = mapped_column(
        Enum(TenantStatus, native_enum=False, length=20), default=TenantStatus.ACTIVE
    )

    memberships: Mapped[list["Membership"]] = relationship(
        back_populates="tenant", cascade="all, delete-orphan"
    )
    services: Mapped[list["Service"]] = relationship(back_populates="tenant", cascade="all, delete-orphan")
    customers: Mapped[list["Customer"]] = relationship(back_populates="tenant", cascade="all, delete-orphan")
    bookings: Mapped[list["Booking"]] = relationship(back_populates="tenant", cascade="all, delete-orphan")
    working_hours: Mapped[list["WorkingHours"]] = relationship(
        back_populates="tenant", cascade="all, delete-orphan"
    )

    @validates("slug")
    def check_slug(self, _key: str, value: str) -> str:
        if not SLUG.fullmatch(value or ""):
            raise ValueError(f"not a slug: {value!r}")
        return value

    @validates("currency")
    def check_currency(self, _key: str, value: str) -> str:
        if len(value) != 3 or not value.isalpha():
            raise ValueError(f"not an ISO 4217 code: {value!r}")
        return value.upper()

    @property
    def is_active(self) -> bool:
        return self.status is TenantStatus.ACTIVE


class User(BaseModel):
    __tablename__ = "users"

    email: Mapped[str] = mapped_column(String(255), unique=True)
    display_name: Mapped[str] = mapped_column(String(200))

    memberships: Mapped[list["Membership"]] = relationship(
        back_populates="user", cascade="all, delete-orphan"
    )

    @validates("email")
    def clean_email(self, _key: str, value: str | None) -> str | None:
        return value.strip().lower() if value else value

    def membership_in(self, tenant_id: uuid.UUID) -> "Membership | None":
        return next((one for one in self.memberships if one.tenant_id == tenant_id), None)


class Membership(BaseModel):
    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("tenant_id", "user_id"),)

    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id"), index=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    role: Mapped[Role] = mapped_column(Enum(Role, native_enum=False, length=20), default=Role.STAFF)

    tenant: Mapped[Tenant] = relationship(back_populates="memberships")
    user: Mapped[User] = relationship(back_populates="memberships")

    @validates("role")
    def check_role(self, _key: str, value: str) -> Role:
        return Role(value)
