"""Access tokens in the form that Supabase issues them: HS256, `sub` and `email`."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import jwt

from app.errors import AuthenticationError

ALGORITHM = "HS256"
AUDIENCE = "authenticated"


@dataclass(frozen=True)
class Identity:
    user_id: uuid.UUID
    email: str


def issue_token(
    identity: Identity,
    *,
    secret: str,
    issuer: str,
    lifetime: timedelta,
    issued_at: datetime | None = None,
) -> str:
    issued_at = issued_at or datetime.now(timezone.utc)
    claims = {
        "sub": str(identity.user_id),
        "email": identity.email,
        "aud": AUDIENCE,
        "iss": issuer,
        "iat": issued_at,
        "exp": issued_at + lifetime,
    }
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


def decode_token(token: str, *, secret: str, issuer: str) -> Identity:
    """Check a token and say whose it is.

    Raises:
        AuthenticationError: expired, forged, of another issuer, or incomplete.
    """
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=issuer,
            options={"require": ["sub", "exp", "iat"]},
        )
    except jwt.ExpiredSignatureError:
        raise AuthenticationError("token has expired") from None
    except jwt.PyJWTError as error:
        raise AuthenticationError(f"token is not valid: {error}") from error
    try:
        user_id = uuid.UUID(claims["sub"])
    except ValueError:
        raise AuthenticationError("token names no user") from None
    return Identity(user_id=user_id, email=claims.get("email", ""))


def bearer_token(header: str | None) -> str | None:
    """The token of an Authorization header; None where there is no header.

    Raises:
        AuthenticationError: the header is there, but not `Bearer <token>`.
    """
    if not header:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise AuthenticationError("Authorization must be `Bearer <token>`")
    return token.strip()
