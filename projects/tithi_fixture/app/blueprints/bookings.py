"""Customers book without an account; members of the tenant do the rest."""

from http import HTTPStatus

from flask import Blueprint, jsonify, request

from app.blueprints.catalog import find_service
from app.blueprints.requests import json_body, parse_start, parse_uuid
from app.errors import ValidationError
from app.middleware.identity import resolve_tenant
from app.middleware.rbac import require_permission
from app.models import BookingStatus, Tenant
from app.serializers import booking_json
from app.services import bookings as life
from app.services import customers

bookings = Blueprint("bookings", __name__)
ACTIONS = {
    "confirm": life.confirm,
    "complete": life.complete,
    "no-show": life.mark_no_show,
}


@bookings.post("/bookings")
def create(slug: str):
    tenant = resolve_tenant(slug)
    body = json_body("service_id", "starts_at", "email", "name")
    service = find_service(tenant, parse_uuid(body["service_id"], "service_id"))
    starts_at = parse_start(body["starts_at"])
    customer = customers.find_or_create(tenant.id, body["email"], body["name"], body.get("phone"))
    booking = life.create_booking(service, customer, starts_at, people=body.get("people", 1))
    return jsonify(booking_json(booking)), HTTPStatus.CREATED


@bookings.get("/bookings")
@require_permission("bookings:read")
def index(tenant: Tenant):
    wanted = request.args.get("status")
    try:
        status = BookingStatus(wanted) if wanted else None
    except ValueError:
        raise ValidationError("no such status", status=wanted) from None
    return jsonify([booking_json(booking) for booking in life.list_bookings(tenant.id, status)])


@bookings.get("/bookings/<uuid:booking_id>")
@require_permission("bookings:read")
def show(tenant: Tenant, booking_id):
    return jsonify(booking_json(life.get_booking(tenant.id, booking_id)))


@bookings.post("/bookings/<uuid:booking_id>/<any(confirm, complete, 'no-show'):action>")
@require_permission("bookings:write")
def act(tenant: Tenant, booking_id, action: str):
    return jsonify(booking_json(ACTIONS[action](life.get_booking(tenant.id, booking_id))))


@bookings.post("/bookings/<uuid:booking_id>/cancel")
@require_permission("bookings:write")
def cancel(tenant: Tenant, booking_id):
    reason = (request.get_json(silent=True) or {}).get("reason")
    return jsonify(booking_json(life.cancel(life.get_booking(tenant.id, booking_id), reason)))


@bookings.post("/bookings/<uuid:booking_id>/reschedule")
@require_permission("bookings:write")
def reschedule(tenant: Tenant, booking_id):
    starts_at = parse_start(json_body("starts_at")["starts_at"])
    return jsonify(booking_json(life.reschedule(life.get_booking(tenant.id, booking_id), starts_at)))
