"""The dashboard of a tenant, for admins and owners."""

from flask import Blueprint, jsonify, request

from app.middleware.rbac import require_permission, require_role
from app.models import Role, Tenant
from app.serializers import customer_json, tenant_json
from app.services import customers, dashboard

admin = Blueprint("admin", __name__)


@admin.get("/admin/dashboard")
@require_permission("dashboard:read")
def overview(tenant: Tenant):
    return jsonify(dashboard.summary(tenant.id) | {"tenant": tenant_json(tenant)})


@admin.get("/admin/revenue")
@require_role(Role.ADMIN)
def revenue(tenant: Tenant):
    period = dashboard.Period.parse(request.args.get("from", ""), request.args.get("to", ""))
    by_service = dashboard.revenue(tenant.id, period)
    return jsonify({"by_service": by_service, "total_cents": sum(by_service.values())})


@admin.get("/admin/customers")
@require_permission("customers:read")
def find_customers(tenant: Tenant):
    found = customers.search(tenant.id, request.args.get("q", ""))
    return jsonify([customer_json(customer) for customer in found])
