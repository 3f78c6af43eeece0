"""Errors of the domain and how they become HTTP answers."""

from http import HTTPStatus

from flask import Flask, jsonify


class TithiError(Exception):
    status = HTTPStatus.BAD_REQUEST
    code = "bad_request"

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    def to_dict(self) -> dict[str, object]:
        body: dict[str, object] = {"error": self.code, "message": self.message}
        if self.details:
            body["details"] = self.details
        return body


class ValidationError(TithiError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "validation_error"


class AuthenticationError(TithiError):
    status = HTTPStatus.UNAUTHORIZED
    code = "unauthenticated"


class PermissionDenied(TithiError):
    status = HTTPStatus.FORBIDDEN
    code = "forbidden"


class NotFound(TithiError):
    status = HTTPStatus.NOT_FOUND
    code = "not_found"


class Conflict(TithiError):
    status = HTTPStatus.CONFLICT
    code = "conflict"


def register_error_handlers(app: Flask) -> None:
    @app.errorhandler(TithiError)
    def handle(error: TithiError):
        return jsonify(error.to_dict()), error.status
