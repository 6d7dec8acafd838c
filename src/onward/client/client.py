"""`OnwardClient`: every call of the HTTP API as a method."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from onward.client.connection import Connection
from onward.client.data import DataCalls
from onward.client.jobs import JobCalls
from onward.client.models import ModelCalls

if TYPE_CHECKING:
    import httpx

__all__ = ["OnwardClient"]


class OnwardClient(JobCalls, ModelCalls, DataCalls):
    """A client of one server. May be used by several threads.

    Answers are frozen values; refusals are raised as the `OnwardError` that the server meant,
    with what, got, allowed and remedy. A call that is the same when it is sent twice is repeated
    when the connection breaks or the server is busy; any other only if nothing was sent.

    Parameters
    ----------
    url
        Where the server is: ``http://127.0.0.1:8321``.
    api_key
        An API key, if the server needs one.
    timeout
        Seconds to wait for an answer.
    transport
        Something else that carries requests; for tests and proxies.

    Examples
    --------
    >>> from onward.client import OnwardClient
    >>> with OnwardClient("http://127.0.0.1:8321") as client:  # doctest: +SKIP
    ...     job = client.submit_training("fast", save="btc-1h").job
    ...     for event in client.watch(job.id):
    ...         print(event.kind, event.payload)
    ...     client.result(job.id)["model"]
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        timeout: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._connection = Connection(url, api_key=api_key, timeout=timeout, transport=transport)

    @property
    def url(self) -> str:
        """Where the server is."""
        return self._connection.url

    def __repr__(self) -> str:
        return f"OnwardClient({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()
