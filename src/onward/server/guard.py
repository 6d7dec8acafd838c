"""What every request passes before a route sees it: whose it is, how large, and what the answer wears."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from onward.errors import UserError
from onward.server.hosts import is_address
from onward.server.problems import refused

__all__ = ["LOOPBACK_NAMES", "Guard"]

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""Worn by every answer that does not say something else itself."""
RAW_HEADERS = tuple((name.lower().encode(), value.encode()) for name, value in HEADERS.items())


class Guard:
    """ASGI middleware.

    A page of another site can make a browser send requests here. With a name of its own that it
    points at this machine (DNS rebinding) it could read the answers, hence the check of ``Host``;
    without, it could still post blindly, hence the check of ``Origin`` and ``Sec-Fetch-Site``.

    Parameters
    ----------
    app
        What is guarded.
    hosts
        Names under which this server may be addressed, besides those of the loopback and the address
        that it listens on.
    max_body_bytes
        Largest body that is read, whatever its ``Content-Length`` says.
    larger
        Paths whose bodies have a limit of their own, with the name of its setting.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Iterable[str] = (),
        max_body_bytes: int,
        larger: Mapping[str, tuple[int, str]] | None = None,
    ) -> None:
        self._app = app
        self._hosts = LOOPBACK_NAMES | {host.lower() for host in hosts}
        self._usual = (max_body_bytes, "server.max_body_bytes")
        self._larger = dict(larger or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                named = {name.lower() for name, _ in headers}
                worn = [header for header in RAW_HEADERS if header[0] not in named]
                message = {**message, "headers": [*headers, *worn]}
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            status, error = refusal
            close = {"Connection": "close"} if status == 413 else {}
            answer = refused(status, error, scope["path"], headers=close)
            await answer(scope, receive, dressed)
            return
        await self._app(scope, self._limited(receive, *self._limit_of(scope)), dressed)

    def _refusal(self, scope: Scope) -> tuple[int, UserError] | None:
        headers = Headers(scope=scope)
        host = _name(headers.get("host", ""))
        if host not in self._hosts and not _is_own_address(host, scope):
            return 421, UserError(
                f"this server does not go by the name {ascii(host)[:100]}; "
                "address it as localhost, or add the name to server.allowed_hosts",
                got=f"Host: {ascii(host)[1:100].rstrip(chr(39))}",
                allowed="localhost, its loopback addresses, and the names in server.allowed_hosts",
                remedy="Address it as localhost, or have the name added to server.allowed_hosts.",
            )
        if scope["method"] not in SAFE_METHODS:
            origin = headers.get("origin")
            foreign = origin is not None and origin_host(origin) not in {*self._hosts, host}
            if foreign or headers.get("sec-fetch-site") in ("cross-site", "same-site"):
                return 403, UserError(
                    "the request comes from a page of another site",
                    got=f"Origin: {ascii(origin)[1:100].rstrip(chr(39))}" if origin else "Sec-Fetch-Site",
                    allowed="pages of this server, and programs that are no browser",
                    remedy="Send it from a page of this server, or without a browser.",
                )
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit() and len(length) < 20):
            return 400, UserError(
                "Content-Length is no number",
                got=ascii(length)[1:60].rstrip(chr(39)),
                allowed="a number of bytes",
                remedy="Leave it to the HTTP library.",
            )
        limit, setting = self._limit_of(scope)
        if int(length) > limit:
            return 413, _too_large(limit, setting, int(length))
        return None

    def _limit_of(self, scope: Scope) -> tuple[int, str]:
        return self._larger.get(scope.get("path", ""), self._usual)

    @staticmethod
    def _limited(receive: Receive, limit: int, setting: str) -> Receive:
        taken = 0

        async def limited() -> Message:
            nonlocal taken
            message = await receive()
            if message["type"] == "http.request":
                taken += len(message.get("body", b""))
                if taken > limit:
                    raise TooLargeBody(_too_large(limit, setting, taken))
            return message

        return limited


class TooLargeBody(HTTPException):
    """A body turned out to be too large while it was read."""

    def __init__(self, refusal: UserError) -> None:
        super().__init__(413, refusal.what)
        self.refusal = refusal


def _too_large(limit: int, setting: str, got: int) -> UserError:
    return UserError(
        f"the body is larger than {limit:,} bytes ({setting})",
        got=f"{got:,} bytes or more",
        allowed=f"up to {limit:,} bytes",
        remedy=f"Send less at once, or have {setting} raised.",
    )


def _is_own_address(host: str, scope: Scope) -> bool:
    """Return whether a host is the very address that the request came to; no page can rebind that."""
    server = scope.get("server")
    return server is not None and host == server[0] and is_address(host)


def origin_host(origin: str) -> str:
    """Return the host of an ``Origin`` header (scheme, host, port, nothing else); empty when it is none."""
    try:
        found = urlsplit(origin)
        host, _ = found.hostname, found.port  # a port that is no number is refused here
    except ValueError:
        return ""
    plain = f"{found.scheme}://{found.netloc}" == origin and "@" not in found.netloc
    return host if host is not None and plain and found.scheme in ("http", "https") else ""


def _name(netloc: str) -> str:
    """Return the host of ``host:port``, in lower case; ``[::1]:80`` gives ``::1``."""
    if netloc.startswith("["):
        return netloc[1:].partition("]")[0].lower()
    return netloc.partition(":")[0].lower()
