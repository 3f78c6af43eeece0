"""Customers of one tenant."""

import re
import uuid

from sqlalchemy import select

from app.errors import NotFound, ValidationError
from app.extensions import db
from app.models import Customer

ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def normalize_email(email: str) -> str:
    """Raises ValidationError for what is no address."""
    cleaned = email.strip().lower()
    if not ADDRESS.fullmatch(cleaned):
        raise ValidationError("not an e-mail address", email=email)
    return cleaned


def find_or_create(tenant_id: uuid.UUID, email: str, name: str, phone: str | None = None) -> Customer:
    """The tenant's customer of that address; a new one where there is none."""
    email = normalize_email(email)
    customer = db.session.scalar(
        select(Customer).where(Customer.tenant_id == tenant_id, Customer.email == email)
    )
    if customer is None:
        customer = Customer(tenant_id=tenant_id, email=email, name=name.strip(), phone=phone)
        db.session.add(customer)
        db.session.commit()
    return customer


def get_customer(tenant_id: uuid.UUID, customer_id: uuid.UUID) -> Customer:
    customer = db.session.get(Customer, customer_id)
    if customer is None or customer.tenant_id != tenant_id:
        raise NotFound("no such customer")
    return customer


def search(tenant_id: uuid.UUID, text: str) -> list[Customer]:
    """Customers whose name or address holds `text`, whatever its case."""
    query = (
        select(Customer)
        .where(
            Customer.tenant_id == tenant_id,
            Customer.name.icontains(text, autoescape=True) | Customer.email.icontains(text, autoescape=True),
        )
        .order_by(Customer.name)
    )
    return list(db.session.scalars(query))
