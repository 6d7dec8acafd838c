"""What a request shows of who sent it: a key in a header, or the cookie of a session."""

from __future__ import annotations

from starlette.requests import cookie_parser
from starlette.types import Scope

from onward.access.authenticator import Credential
from onward.errors import UnauthenticatedError

__all__ = ["cookie_name", "credential_of", "was_forwarded"]

FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"})
LONGEST = 512


def cookie_name(scope: Scope) -> str:
    """Return the name of the cookie; with TLS one that browsers take from this very host alone."""
    return "__Host-onward_session" if scope.get("scheme") == "https" else "onward_session"


def credential_of(scope: Scope) -> Credential | None:
    """Return what a request shows; None when it shows nothing. A key goes before a cookie.

    Raises
    ------
    UnauthenticatedError
        When the header speaks of another way to log in.
    """
    key = cookie = None
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, text = value.decode("latin-1").partition(" ")
            if scheme.lower() != "bearer" or not text.strip():
                raise UnauthenticatedError(
                    "this way to log in is not known here",
                    got=ascii(scheme)[:50],
                    allowed="Bearer",
                    remedy="Send a key as `Authorization: Bearer KEY` or `X-API-Key: KEY`.",
                )
            return Credential.of("key", text.strip()[:LONGEST])
        if name == b"x-api-key":
            key = value.decode("latin-1").strip()
        elif name == b"cookie":
            cookie = cookie_parser(value.decode("latin-1")).get(cookie_name(scope), cookie)
    if key:
        return Credential.of("key", key[:LONGEST])
    return Credential.of("session", cookie[:LONGEST]) if cookie else None


def was_forwarded(scope: Scope) -> bool:
    """Return whether a proxy passed a request on: it may come from anywhere."""
    return any(name in FORWARDED for name, _ in scope["headers"])
