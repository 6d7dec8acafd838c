"""Requests to a server, repeated where that is safe, refusals raised as errors."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from onward._version import __version__
from onward.client.problems import error_of, retry_after
from onward.errors import OnwardError, StorageError, UnauthenticatedError, UserError

__all__ = ["Connection", "ServerAwayError"]

API = "/api/v1"
ATTEMPTS = 4
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
AGAIN = frozenset({429, 502, 503, 504})
SAFE = frozenset({"GET", "PUT", "DELETE"})
HOW_TO_GIVE_A_KEY = (
    "Give one: ONWARD_API_KEY or --api-key on the command line, OnwardClient(url, api_key=...) in Python; "
    "`onward keys create NAME` on the server makes one."
)


class ServerAwayError(StorageError):
    """The server does not answer."""


class Connection:
    """A pool of connections to one server.

    Parameters
    ----------
    url
        Where the server is: ``http://127.0.0.1:8321``.
    api_key
        Sent with every request, never shown.
    timeout
        Seconds to wait for an answer, and for the connection.
    transport
        Something else that carries requests; for tests and proxies.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        timeout: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = _checked(url)
        self._timeout = timeout
        headers = {"User-Agent": f"onward/{__version__}", "Accept": "application/json"}
        if api_key is not None:
            if not (api_key.isascii() and api_key.isprintable() and api_key.strip()):
                raise UserError(
                    "the API key is none",
                    got="empty text, or characters that no key has",
                    remedy="Copy it again; `onward keys create NAME` makes one.",
                )
            headers["Authorization"] = f"Bearer {api_key.strip()}"
        self._http = httpx.Client(
            base_url=self.url + API, headers=headers, timeout=timeout, transport=transport
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def request(
        self, method: str, path: str, *, again: bool | None = None, **arguments: Any
    ) -> httpx.Response:
        """Send a request and return its answer.

        Parameters
        ----------
        method, path
            What is asked; the path without ``/api/v1``.
        again
            Whether sending it twice is the same as once, so that it may be repeated when the
            connection breaks or the server is busy; default: for GET, PUT and DELETE.
        **arguments
            As `httpx.Client.request` takes them.

        Raises
        ------
        OnwardError
            What the server refused, as it would have been raised there.
        ServerAwayError
            When it does not answer.
        """
        again = method in SAFE if again is None else again
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            try:
                response = self._http.request(method, path, **arguments)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:  # nothing was sent
                if last:
                    raise self.away(error) from error
                pause = None
            except httpx.HTTPError as error:
                if last or not again:
                    raise self.away(error) from error
                pause = None
            else:
                if response.is_success or response.status_code == 304:
                    return response
                pause = retry_after(response)
                # A limit of minutes is told, not slept through.
                too_long = pause is not None and pause > LONGEST_PAUSE_SECONDS
                if last or not again or too_long or response.status_code not in AGAIN:
                    raise self._refusal(response)
            time.sleep(backoff(attempt) if pause is None else pause)
        raise AssertionError("the last attempt returns or raises")

    def json(self, method: str, path: str, **arguments: Any) -> Any:
        """Send a request and return the JSON of its answer."""
        return self.request(method, path, **arguments).json()

    @contextmanager
    def stream(self, path: str, *, headers: Mapping[str, str], silence: float) -> Iterator[httpx.Response]:
        """Give an answer that is read while it comes; ``silence``: seconds without a byte.

        Raises
        ------
        OnwardError
            What the server refused.
        httpx.HTTPError
            When the connection breaks.
        """
        timeout = httpx.Timeout(self._timeout, read=silence)
        with self._http.stream("GET", path, headers=dict(headers), timeout=timeout) as response:
            if not response.is_success:
                response.read()
                raise self._refusal(response)
            yield response

    def _refusal(self, response: httpx.Response) -> OnwardError:
        """Return what the server refused; how a key is given, where none was."""
        error = error_of(response)
        if isinstance(error, UnauthenticatedError) and "Authorization" not in self._http.headers:
            error = type(error)(error.what, got=error.got, allowed=error.allowed, remedy=HOW_TO_GIVE_A_KEY)
        return error

    def away(self, error: Exception) -> ServerAwayError:
        """Return the error of a server that does not answer."""
        return ServerAwayError(
            "the server does not answer",
            got=f"{self.url}: {str(error) or type(error).__name__}",
            remedy="Check the address, and that `onward serve` runs there.",
        )


def backoff(attempt: int) -> float:
    """Return the seconds to wait after an attempt, counted from 1: doubled each time, scattered."""
    pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** (attempt - 1))
    return pause * random.uniform(0.5, 1.0)  # noqa: S311 - scatters clients, hides nothing


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) > 0
    except ValueError:
        fine = False
    if not fine or parts.username or parts.query or parts.fragment:
        raise UserError(
            "this is no address of a server",
            got=url if "@" not in url else "an address with a name or password in it",
            allowed="http://HOST:PORT or https://HOST[:PORT]",
            remedy="Write for instance http://127.0.0.1:8321.",
        )
    return url.rstrip("/").removesuffix(API)
