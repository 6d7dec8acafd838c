"""What one application keeps between requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, cast

from anyio import CapacityLimiter
from starlette.requests import HTTPConnection

from onward.access.authenticator import Authenticator
from onward.access.limits import RateLimits
from onward.server.coverage import CoverageBook
from onward.server.events.hub import EventHub
from onward.server.metrics import ServerMetrics
from onward.server.readiness import Readiness
from onward.server.services import Provider
from onward.server.serving.job_looks import JobLooks
from onward.server.serving.market_shelf import MarketShelf
from onward.server.serving.shelf import ModelShelf
from onward.server.shown import ShownPaths

if TYPE_CHECKING:
    from onward.config.server import ServerConfig

__all__ = ["ServerState", "state_of"]


@dataclass(frozen=True, eq=False)
class ServerState:
    """What one application keeps between requests.

    Attributes
    ----------
    config
        How much is taken.
    provider
        Services.
    shelf
        Models that are loaded.
    markets
        Stored markets that were built for them.
    coverage
        How far stored series reach.
    shown
        Says paths to clients.
    looks
        Looks at jobs, shared by those who ask at the same time.
    hub
        Followers of events.
    metrics
        Requests, counted.
    readiness
        Whether traffic may come.
    authenticator, limits
        Who asks, and how often.
    knocking
        Where strangers wait who come from an address that guesses keys.
    heavy, predicting
        Threads for work that keeps a processor busy; requests that only look something up have
        threads of their own and never wait for these.
    begun
        Set while the server is open: whoever starts it may open it before its application does.
    """

    config: ServerConfig
    provider: Provider
    shelf: ModelShelf
    markets: MarketShelf
    coverage: CoverageBook
    shown: ShownPaths
    looks: JobLooks
    hub: EventHub
    metrics: ServerMetrics
    readiness: Readiness
    authenticator: Authenticator
    limits: RateLimits
    knocking: CapacityLimiter
    heavy: CapacityLimiter
    predicting: CapacityLimiter
    begun: Event = field(default_factory=Event)


def state_of(connection: HTTPConnection) -> ServerState:
    """Return the state of the application that a request came to."""
    return cast("ServerState", connection.app.state.onward)
