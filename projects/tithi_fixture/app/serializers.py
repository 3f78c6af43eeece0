"""Models as JSON."""

from typing import Any

from app.models import Booking, Customer, Membership, Service, Tenant
from app.services.pricing import format_money


def tenant_json(tenant: Tenant) -> dict[str, Any]:
    return {
        "id": str(tenant.id),
        "slug": tenant.slug,
        "name": tenant.name,
        "currency": tenant.currency,
        "status": tenant.status.value,
    }


def service_json(service: Service) -> dict[str, Any]:
    return {
        "id": str(service.id),
        "name": service.name,
        "duration_minutes": service.duration_minutes,
        "price_cents": service.price_cents,
        "price": format_money(service.price_cents, service.tenant.currency),
        "active": service.active,
    }


def customer_json(customer: Customer, *, private: bool = True) -> dict[str, Any]:
    body: dict[str, Any] = {"id": str(customer.id), "name": customer.name}
    if private:
        body.update(email=customer.email, phone=customer.phone)
    return body


def booking_json(booking: Booking) -> dict[str, Any]:
    return {
        "id": str(booking.id),
        "service": booking.service.name,
        "customer": customer_json(booking.customer, private=False),
        "starts_at": booking.starts_at.isoformat(),
        "ends_at": booking.ends_at.isoformat(),
        "status": booking.status.value,
        "price_cents": booking.price_cents,
        "cancellation_fee_cents": booking.cancellation_fee_cents,
    }


def membership_json(membership: Membership) -> dict[str, Any]:
    return {
        "user_id": str(membership.user_id),
        "email": membership.user.email,
        "name": membership.user.display_name,
        "role": membership.role.value,
    }
