"""Who is asking, and on behalf of which tenant."""

from flask import current_app, g, request

from app.auth.tokens import Identity, bearer_token, decode_token
from app.errors import AuthenticationError, NotFound, PermissionDenied
from app.models import Tenant
from app.services import tenants


def load_identity() -> None:
    """Run before each request: sets `g.identity`, None for an anonymous one."""
    g.identity = None
    g.tenant = None
    token = bearer_token(request.headers.get("Authorization"))
    if token is not None:
        g.identity = decode_token(
            token,
            secret=current_app.config["SECRET_KEY"],
            issuer=current_app.config["TOKEN_ISSUER"],
        )


def require_identity() -> Identity:
    identity = g.get("identity")
    if identity is None:
        raise AuthenticationError("sign in first")
    return identity


def resolve_tenant(slug: str) -> Tenant:
    """Load the tenant of the path into `g.tenant`.

    Raises:
        NotFound: there is no such tenant.
        PermissionDenied: it is suspended.
    """
    tenant = tenants.find_by_slug(slug)
    if tenant is None:
        raise NotFound("no such business", slug=slug)
    if not tenant.is_active:
        raise PermissionDenied("this business is suspended")
    g.tenant = tenant
    return tenant
