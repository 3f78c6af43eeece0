"""What a tenant sells, to whom, and when."""

import enum
import uuid
from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, Enum, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.core import Tenant
from app.models.types import BaseModel, UtcDateTime


class BookingStatus(enum.StrEnum):
    PENDING = "pending"
    CONFIRMED = "confirmed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"

    @property
    def is_final(self) -> bool:
        return self in (BookingStatus.COMPLETED, BookingStatus.CANCELLED, BookingStatus.NO_SHOW)

    @property
    def blocks_calendar(self) -> bool:
        return self in (BookingStatus.PENDING, BookingStatus.CONFIRMED)


class Service(BaseModel):
    __tablename__ = "services"
    __table_args__ = (
        CheckConstraint("duration_minutes > 0", name="duration_positive"),
        CheckConstraint("price_cents >= 0", name="price_not_negative"),
        UniqueConstraint("tenant_id", "name"),
    )

    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    duration_minutes: Mapped[int] = mapped_column(default=30)
    buffer_minutes: Mapped[int] = mapped_column(default=0)
    price_cents: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)

    tenant: Mapped[Tenant] = relationship(back_populates="services")
    bookings: Mapped[list["Booking"]] = relationship(back_populates="service")

    @property
    def blocked_for(self) -> timedelta:
        """How long one booking keeps the calendar busy."""
        return timedelta(minutes=self.duration_minutes + self.buffer_minutes)


class Customer(BaseModel):
    __tablename__ = "customers"
    __table_args__ = (UniqueConstraint("tenant_id", "email"),)

    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id"), index=True)
    email: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(200))
    phone: Mapped[str | None] = mapped_column(String(40))

    tenant: Mapped[Tenant] = relationship(back_populates="customers")
    bookings: Mapped[list["Booking"]] = relationship(back_populates="customer")


class Booking(BaseModel):
    __tablename__ = "bookings"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        Index("ix_bookings_tenant_starts", "tenant_id", "starts_at"),
    )

    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id"))
    service_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("services.id"), index=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"), index=True)
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[BookingStatus] = mapped_column(
        Enum(BookingStatus, native_enum=False, length=20), default=BookingStatus.PENDING
    )
    price_cents: Mapped[int]
    cancellation_fee_cents: Mapped[int] = mapped_column(default=0)
    cancelled_reason: Mapped[str | None] = mapped_column(String(500))

    tenant: Mapped[Tenant] = relationship(back_populates="bookings")
    service: Mapped[Service] = relationship(back_populates="bookings")
    customer: Mapped[Customer] = relationship(back_populates="bookings")


class WorkingHours(BaseModel):
    """Opening times of one weekday, in minutes since midnight UTC; Monday is 0."""

    __tablename__ = "working_hours"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday_exists"),
        CheckConstraint("closes_minute > opens_minute", name="closes_after_opening"),
        UniqueConstraint("tenant_id", "weekday", "opens_minute"),
    )

    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id"), index=True)
    weekday: Mapped[int]
    opens_minute: Mapped[int]
    closes_minute: Mapped[int]

    tenant: Mapped[Tenant] = relationship(back_populates="working_hours")
