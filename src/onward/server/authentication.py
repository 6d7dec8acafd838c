"""Who sends a request, found out before anything of it is read."""

from __future__ import annotations

from functools import partial

import anyio
import anyio.to_thread
from anyio import CapacityLimiter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from onward.access.authenticator import Authenticator
from onward.access.values import LOCAL, NOBODY, Caller
from onward.database.acting import Actor, acting
from onward.errors import OnwardError, StorageError, UnauthenticatedError
from onward.server.authorisation import CALLER, HOW_TO_SHOW, STILL
from onward.server.credentials import credential_of, was_forwarded
from onward.server.hosts import is_loopback
from onward.server.knocking import looked_up
from onward.server.public import PublicPaths

__all__ = ["Authentication"]

PUBLIC_SECONDS = 1.0
"""How long what is open to everybody, or enduring, waits for a database that is to say who asks."""


class Authentication:
    """ASGI middleware: notes in the request who sent it, or refuses what comes from nobody.

    Nobody gets as far as the routes that are open to everybody and no further; what is wrong with
    a key does not matter there. For everything else the body of a request is not even read before
    its sender is known.

    Parameters
    ----------
    app
        What is behind.
    authenticator
        Knows the keys.
    knocking
        Where those wait who come from an address that guesses; see `onward.server.knocking`.
    public
        Paths that are open to everybody.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        authenticator: Authenticator,
        knocking: CapacityLimiter,
        public: PublicPaths,
    ) -> None:
        self._app = app
        self._authenticator = authenticator
        self._knocking = knocking
        self._public = public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its sender, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        address = str(client[0]) if client else ""
        open_to_all = scope["path"] in self._public
        who = self._acquaintance if self._public.enduring(scope["path"]) else self._caller
        try:
            caller = await (self._stranger if open_to_all else who)(scope, address)
        except OnwardError as error:
            if not open_to_all:
                # As if a route had refused: whoever shows errors in a way of his own shows these too.
                refuse = scope["app"].exception_handlers[OnwardError]
                answer: Response = await refuse(Request(scope, receive), error)
                await answer(scope, receive, send)
                return
            caller = NOBODY
        scope[CALLER] = caller
        scope[STILL] = partial(self._caller, scope, address)
        with acting(Actor(caller.who, caller.name, address)):
            await self._app(scope, receive, send)

    async def _stranger(self, scope: Scope, address: str) -> Caller:
        """Return who asks for what is open to everybody: nobody, if that takes long to find out."""
        if self._public.anonymous(scope["path"]):
            return NOBODY
        with anyio.move_on_after(PUBLIC_SECONDS):
            return await self._caller(scope, address)
        return NOBODY

    async def _acquaintance(self, scope: Scope, address: str) -> Caller:
        """Return who asks for what endures: while the database is away, who that was before."""
        before = self._before(scope, address)
        if before is None:
            return await self._caller(scope, address)
        try:
            with anyio.fail_after(PUBLIC_SECONDS):
                return await self._caller(scope, address)
        except (StorageError, TimeoutError):
            return before

    def _before(self, scope: Scope, address: str) -> Caller | None:
        credential = credential_of(scope)
        if credential is not None:
            return self._authenticator.last_known(credential)
        near = is_loopback(address) and not was_forwarded(scope)
        return LOCAL if near and self._authenticator.needed_no_key() else None

    async def _caller(self, scope: Scope, address: str) -> Caller:
        credential = credential_of(scope)
        if credential is None or credential.kind == "session":
            if await self._needs_no_key(scope, address):
                return LOCAL
            if credential is None:
                raise UnauthenticatedError("a key is needed", remedy=HOW_TO_SHOW)
        caller = self._authenticator.remembered(credential)
        if caller is None:
            caller = await looked_up(self._authenticator, self._knocking, credential, address)
        return caller

    async def _needs_no_key(self, scope: Scope, address: str) -> bool:
        # Behind a proxy on this machine everybody seems to be on this machine.
        if not is_loopback(address) or was_forwarded(scope):
            return False
        needed = self._authenticator.needs_keys()
        if needed is None:
            needed = await anyio.to_thread.run_sync(self._authenticator.look_for_keys, abandon_on_cancel=True)
        return not needed
