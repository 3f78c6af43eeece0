from http import HTTPStatus

from flask import Blueprint, jsonify

from app.blueprints.requests import json_body
from app.middleware.rbac import require_permission
from app.models import Tenant
from app.serializers import membership_json
from app.services import memberships

members = Blueprint("members", __name__)


@members.get("/members")
@require_permission("members:read")
def index(tenant: Tenant):
    return jsonify([membership_json(one) for one in memberships.list_members(tenant.id)])


@members.patch("/members/<uuid:user_id>")
@require_permission("members:write")
def change(tenant: Tenant, user_id):
    role = memberships.parse_role(json_body("role")["role"])
    return jsonify(membership_json(memberships.change_role(user_id, tenant.id, role)))


@members.delete("/members/<uuid:user_id>")
@require_permission("members:write")
def remove(tenant: Tenant, user_id):
    memberships.remove_member(user_id, tenant.id)
    return "", HTTPStatus.NO_CONTENT
