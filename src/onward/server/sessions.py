"""Browsers that log in with a key: what pages need to know, and what logging in and out does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from onward.access.authenticator import Credential
from onward.access.protocol import AccessStore
from onward.access.secrets import Secret, csrf_token_of
from onward.access.values import ApiKey, Caller, LoginSession
from onward.database.acting import Actor, acting
from onward.server.authorisation import caller_of
from onward.server.credentials import cookie_name, credential_of
from onward.server.knocking import looked_up
from onward.server.state import state_of

__all__ = ["Login", "csrf_token", "current_session", "log_in", "log_out"]


def current_session(request: Request) -> LoginSession | None:
    """Return the session that a request belongs to; None when it came with a key, or without any."""
    return caller_of(request).session


def csrf_token(request: Request) -> str:
    """Return what forms of a page must carry in ``csrf_token``; empty where nobody had to log in."""
    session = current_session(request)
    return "" if session is None else session.csrf_token


@dataclass(frozen=True)
class Login:
    """A session that has just begun.

    Attributes
    ----------
    caller
        Who logged in.
    secret
        What the cookie holds.
    expires_at
        UTC.
    """

    caller: Caller
    secret: Secret
    expires_at: datetime

    @property
    def csrf_token(self) -> str:
        """What unsafe requests of this session must carry."""
        return csrf_token_of(self.secret.text)

    def attach(self, request: Request, response: Response) -> None:
        """Give the cookie to the browser: scripts cannot read it, other sites cannot send it."""
        response.set_cookie(
            cookie_name(request.scope),
            self.secret.text,
            expires=self.expires_at,
            path="/",
            secure=request.scope["scheme"] == "https",
            httponly=True,
            samesite="strict",
        )


async def log_in(request: Request, key: str) -> Login:
    """Begin a session with a key.

    Raises
    ------
    UnauthenticatedError
        When it is no key, or one that does not work.
    RateLimitError
        When too many wrong ones came from this address.
    StorageError
        When the database is away.
    """
    state = state_of(request)
    address = request.client.host if request.client else ""
    credential = Credential.of("key", key)
    caller = await looked_up(state.authenticator, state.knocking, credential, address)
    state.limits.charge(caller, "run")
    store: AccessStore = await state.provider.get("access")
    lasts = timedelta(hours=state.config.session_hours)

    def begin() -> tuple[Secret, datetime]:
        found: ApiKey | None = store.find_key(key)
        assert found is not None, "it was there a moment ago, and keys are never deleted"
        with acting(Actor(caller.who, caller.name, address)):
            return store.open_session(found, lasts)

    secret, expires_at = await anyio.to_thread.run_sync(begin)
    return Login(caller, secret, expires_at)


async def log_out(request: Request, response: Response) -> None:
    """End the session of a request, if it has one, and take the cookie back."""
    credential = credential_of(request.scope)
    if credential is not None and credential.kind == "session":
        state = state_of(request)
        store: AccessStore = await state.provider.get("access")
        await anyio.to_thread.run_sync(store.close_session, credential.text)
        state.authenticator.forget(credential)
    response.delete_cookie(
        cookie_name(request.scope),
        path="/",
        secure=request.scope["scheme"] == "https",
        httponly=True,
        samesite="strict",
    )
