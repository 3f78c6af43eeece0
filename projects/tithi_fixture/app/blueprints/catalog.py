"""What anybody may see, and what admins may change, of a tenant's services."""

from datetime import date
from http import HTTPStatus

from flask import Blueprint, current_app, jsonify, request
from sqlalchemy import select

from app.blueprints.requests import json_body
from app.errors import NotFound, ValidationError
from app.extensions import db
from app.middleware.identity import resolve_tenant
from app.middleware.rbac import require_permission
from app.models import Service, Tenant
from app.serializers import service_json, tenant_json
from app.services import availability

catalog = Blueprint("catalog", __name__)


def find_service(tenant: Tenant, service_id) -> Service:
    service = db.session.get(Service, service_id)
    if service is None or service.tenant_id != tenant.id:
        raise NotFound("no such service")
    return service


@catalog.get("")
def show(slug: str):
    return jsonify(tenant_json(resolve_tenant(slug)))


@catalog.get("/services")
def index(slug: str):
    tenant = resolve_tenant(slug)
    offered = db.session.scalars(
        select(Service).where(Service.tenant_id == tenant.id, Service.active).order_by(Service.name)
    )
    return jsonify([service_json(service) for service in offered])


@catalog.post("/services")
@require_permission("services:write")
def create(tenant: Tenant):
    body = json_body("name", "duration_minutes", "price_cents")
    if body["duration_minutes"] <= 0 or body["price_cents"] < 0:
        raise ValidationError("a service takes time and has a price")
    service = Service(
        tenant_id=tenant.id,
        name=body["name"],
        duration_minutes=body["duration_minutes"],
        buffer_minutes=body.get("buffer_minutes", 0),
        price_cents=body["price_cents"],
    )
    db.session.add(service)
    db.session.commit()
    return jsonify(service_json(service)), HTTPStatus.CREATED


@catalog.get("/services/<uuid:service_id>/slots")
def slots(slug: str, service_id):
    service = find_service(resolve_tenant(slug), service_id)
    try:
        day = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        raise ValidationError("day is written YYYY-MM-DD") from None
    starts = availability.available_slots(service, day, step_minutes=current_app.config["SLOT_MINUTES"])
    return jsonify([start.isoformat() for start in starts])
