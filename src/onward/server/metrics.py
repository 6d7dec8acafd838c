"""Requests, counted for Prometheus."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Gauge, Histogram, ProcessCollector, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Counted", "ServerMetrics"]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


class ServerMetrics:
    """Counters of one application, in a registry of their own.

    Attributes
    ----------
    waiting
        Requests whose answers have not begun.
    """

    def __init__(self) -> None:
        self.waiting = 0
        self.registry = CollectorRegistry()
        self._requests = Histogram(
            "onward_http_request_seconds",
            "Time from a request to the beginning of its answer.",
            ["method", "route", "status"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.streams = Gauge(
            "onward_http_event_streams", "Clients that follow events.", registry=self.registry
        )
        self.models = Gauge("onward_models_loaded", "Models that are kept loaded.", registry=self.registry)
        self.database_up = Gauge(
            "onward_database_up", "Whether the database answered just now.", registry=self.registry
        )
        ProcessCollector(registry=self.registry)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        method = method if method in METHODS else "other"  # a client must not invent series
        self._requests.labels(method, route, str(status)).observe(seconds)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)


class Counted:
    """ASGI middleware that counts answers by the pattern of their route."""

    def __init__(self, app: ASGIApp, *, metrics: ServerMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and count its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        self._metrics.waiting += 1  # on the event loop alone
        waits = True

        async def noting(message: Message) -> None:
            nonlocal waits
            if message["type"] == "http.response.start":
                self._metrics.waiting -= waits
                waits = False
                route = getattr(scope.get("route"), "path", "none")
                seconds = time.perf_counter() - began
                self._metrics.answered(scope["method"], route, message["status"], seconds)
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self._metrics.waiting -= waits
