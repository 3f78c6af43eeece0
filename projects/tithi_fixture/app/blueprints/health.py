from http import HTTPStatus

from flask import Blueprint, jsonify

from app.services import health as checks

health = Blueprint("health", __name__)


@health.get("/live")
def live():
    return jsonify(checks.liveness())


@health.get("/ready")
def ready():
    body = checks.readiness()
    status = HTTPStatus.OK if body["status"] == "ready" else HTTPStatus.SERVICE_UNAVAILABLE
    return jsonify(body), status


@health.get("/database")
def database():
    body = checks.database_health()
    status = HTTPStatus.OK if body["status"] == "up" else HTTPStatus.SERVICE_UNAVAILABLE
    return jsonify(body), status
