"""`create_app`: services in, an ASGI application out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import FastAPI

from onward._version import __version__
from onward.access.authenticator import Authenticator
from onward.access.limits import RateLimits
from onward.config.server import ServerConfig
from onward.server.authentication import Authentication
from onward.server.coverage import CoverageBook
from onward.server.documentation import document
from onward.server.events.hub import EventHub
from onward.server.guard import Guard
from onward.server.hosts import is_loopback
from onward.server.lifetime import begin, finish
from onward.server.metrics import Counted, ServerMetrics
from onward.server.problems import refuse_in_one_form
from onward.server.public import PublicPaths
from onward.server.readiness import Readiness
from onward.server.responses import AsciiJson
from onward.server.routes import ROUTERS, health
from onward.server.services import Provider, ServerServices
from onward.server.serving.job_looks import JobLooks
from onward.server.serving.market_shelf import MarketShelf
from onward.server.serving.shelf import ModelShelf
from onward.server.shown import ShownPaths
from onward.server.state import ServerState

__all__ = ["API", "create_app"]

API = "/api/v1"
HEAVY_AT_ONCE = 2
PREDICTIONS_AT_ONCE = 2


def create_app(
    services: ServerServices, config: ServerConfig | None = None, *, uploads: Iterable[str] = ()
) -> FastAPI:
    """Return the HTTP API of some services.

    Nothing is opened before the first request (or the start of the application) needs it.
    Routes ask for what is in `onward.server.dependencies`; ``app.dependency_overrides`` puts
    something else in the place of any of it.

    Parameters
    ----------
    services
        `onward.wiring.Application`, or anything else of that shape.
    config
        How much is taken; default is that of the services' settings.
    uploads
        Further paths that take files in: their bodies may be as large as those of ``/data/import``.

    Returns
    -------
    FastAPI
        An ASGI application. Started (its lifespan), it runs jobs if ``config.run_jobs``; ended, it
        gives them back and closes the services.
    """
    config = services.settings.server if config is None else config
    state = _state(services, config)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:  # noqa: ARG001
        await anyio.to_thread.run_sync(begin, state)
        try:
            yield
        finally:
            state.hub.close()
            await anyio.to_thread.run_sync(finish, state)

    app = FastAPI(
        title="Onward",
        version=__version__,
        description="Train, judge and serve machine-learning models on market data without ever seeing "
        "the future.",
        lifespan=lifespan,
        openapi_url=f"{API}/openapi.json",
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        default_response_class=AsciiJson,
        redirect_slashes=False,
    )
    app.state.onward = state
    for router in ROUTERS:
        app.include_router(router, prefix=API)
    app.include_router(health.router, include_in_schema=False)  # where probes look for it
    refuse_in_one_form(app)
    document(app)
    # The last one is the outermost.
    app.add_middleware(
        Authentication,
        authenticator=state.authenticator,
        knocking=state.knocking,
        public=PublicPaths(app),
    )
    app.add_middleware(Counted, metrics=state.metrics)
    app.add_middleware(
        Guard,
        hosts=config.allowed_hosts,
        max_body_bytes=config.max_body_bytes,
        larger=dict.fromkeys(
            (f"{API}/data/import", *uploads), (config.max_upload_bytes, "server.max_upload_bytes")
        ),
    )
    if config.trusted_proxies:
        from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(config.trusted_proxies))
    return app


def _directories(services: ServerServices, config: ServerConfig) -> list[str]:
    """Return the directories of the server's disk that settings name."""
    settings = services.settings
    own = (settings.storage.data_directory, settings.registry.directory)
    return [*config.data_directories, *(str(one) for one in own if one is not None)]


def _state(services: ServerServices, config: ServerConfig) -> ServerState:
    provider = Provider(services)
    return ServerState(
        config=config,
        provider=provider,
        shelf=ModelShelf(partial(provider.build, "registry"), capacity=config.max_models),
        markets=MarketShelf(),
        coverage=CoverageBook(provider),
        shown=ShownPaths.of(services.home.root, _directories(services, config)),
        looks=JobLooks(),
        hub=EventHub(
            partial(provider.get, "job_store"),
            poll_seconds=config.event_poll_seconds,
            ping_seconds=config.event_ping_seconds,
            max_followers=config.max_event_streams,
        ),
        metrics=ServerMetrics(),
        readiness=Readiness(),
        authenticator=Authenticator(
            partial(provider.build, "access"),
            always=config.authentication == "always" or not is_loopback(config.host),
            failures_per_minute=config.limit_failures_per_minute,
        ),
        limits=RateLimits(
            {
                "read": config.limit_read_per_minute,
                "run": config.limit_run_per_minute,
                "admin": config.limit_admin_per_minute,
                "predictions": config.limit_predictions_per_minute,
            }
        ),
        knocking=CapacityLimiter(1),
        heavy=CapacityLimiter(HEAVY_AT_ONCE),
        predicting=CapacityLimiter(PREDICTIONS_AT_ONCE),
    )
