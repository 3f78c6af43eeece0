"""Access tokens and the requests that carry them."""

import uuid
from datetime import datetime, timedelta, timezone

import jwt
import pytest

from app.auth.tokens import Identity, bearer_token, decode_token, issue_token
from app.errors import AuthenticationError
from app.models import Role
from tests.builders import make_member, make_tenant

SECRET = "a-secret-of-more-than-thirty-two-bytes"
ISSUER = "https://test-project.supabase.co/auth/v1"
WHO = Identity(uuid.UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff"), "kim@example.org")


def token_for(identity=WHO, *, secret=SECRET, issuer=ISSUER, lifetime=timedelta(minutes=5), **values):
    return issue_token(identity, secret=secret, issuer=issuer, lifetime=lifetime, **values)


def claims(**changes):
    now = datetime.now(timezone.utc)
    body = {
        "sub": str(WHO.user_id),
        "email": WHO.email,
        "aud": "authenticated",
        "iss": ISSUER,
        "iat": now,
        "exp": now + timedelta(minutes=5),
    } | changes
    return {name: value for name, value in body.items() if value is not None}


def test_round_trip():
    assert decode_token(token_for(), secret=SECRET, issuer=ISSUER) == WHO


def test_token_holds_standard_claims():
    issued_at = datetime(2026, 5, 4, 12, tzinfo=timezone.utc)
    body = jwt.decode(token_for(issued_at=issued_at), options={"verify_signature": False})
    assert body["iss"] == ISSUER
    assert body["aud"] == "authenticated"
    assert body["iat"] == int(issued_at.timestamp())
    assert body["exp"] - body["iat"] == 300


def test_expired_token():
    token = token_for(issued_at=datetime.now(timezone.utc) - timedelta(hours=1))
    with pytest.raises(AuthenticationError, match="expired"):
        decode_token(token, secret=SECRET, issuer=ISSUER)


def test_token_of_another_secret():
    token = token_for(secret="another-secret-of-more-than-thirty-two-bytes")
    with pytest.raises(AuthenticationError, match="not valid"):
        decode_token(token, secret=SECRET, issuer=ISSUER)


def test_token_of_another_issuer():
    with pytest.raises(AuthenticationError, match="not valid"):
        decode_token(token_for(issuer="https://evil.example"), secret=SECRET, issuer=ISSUER)


@pytest.mark.parametrize("name", ["sub", "exp", "aud"])
def test_incomplete_token(name):
    token = jwt.encode(claims(**{name: None}), SECRET, algorithm="HS256")
    with pytest.raises(AuthenticationError, match="not valid"):
        decode_token(token, secret=SECRET, issuer=ISSUER)


def test_unsigned_token():
    token = jwt.encode(claims(), None, algorithm="none")
    with pytest.raises(AuthenticationError):
        decode_token(token, secret=SECRET, issuer=ISSUER)


def test_subject_must_be_an_id():
    token = jwt.encode(claims(sub="kim"), SECRET, algorithm="HS256")
    with pytest.raises(AuthenticationError, match="names no user"):
        decode_token(token, secret=SECRET, issuer=ISSUER)


def test_address_is_optional():
    token = jwt.encode(claims(email=None), SECRET, algorithm="HS256")
    assert decode_token(token, secret=SECRET, issuer=ISSUER).email == ""


def test_bearer_token():
    assert bearer_token("Bearer abc") == "abc"
    assert bearer_token("bearer  abc ") == "abc"
    assert bearer_token("") is bearer_token(None) is None


@pytest.mark.parametrize("header", ["Basic abc", "Bearer  "])
def test_malformed_header(header):
    with pytest.raises(AuthenticationError, match="Authorization must be"):
        bearer_token(header)


def test_request_without_token(session, client):
    make_tenant(slug="loft")
    response = client.get("/api/loft/bookings")
    assert response.status_code == 401
    assert response.get_json()["message"] == "sign in first"


def test_request_with_token(session, client, sign_in):
    user = make_member(make_tenant(slug="loft"), Role.VIEWER)
    response = client.get("/api/loft/bookings", headers=sign_in(user))
    assert response.status_code == 200
    assert response.get_json() == []


def test_request_with_broken_token(client):
    response = client.get("/health/live", headers={"Authorization": "Bearer broken"})
    assert response.status_code == 401
    assert response.get_json()["error"] == "unauthenticated"


def test_identity_does_not_outlive_its_request(session, client, sign_in):
    user = make_member(make_tenant(slug="loft"), Role.VIEWER)
    assert client.get("/api/loft/bookings", headers=sign_in(user)).status_code == 200
    assert client.get("/api/loft/bookings").status_code == 401
