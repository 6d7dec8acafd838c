"""What the server needs from whoever starts it, and how it is handed to requests."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Literal, Protocol

import anyio.to_thread

if TYPE_CHECKING:
    from onward.access.protocol import AccessStore
    from onward.config.home import Home
    from onward.data.repositories import DataStore
    from onward.jobs.manager import BackgroundTaskManager
    from onward.jobs.protocol import JobStore
    from onward.registry import ModelRegistry, RunStore
    from onward.settings import ResolvedSettings, Settings
    from onward.training.service import MLTrainingService

__all__ = ["Provider", "ServerServices", "ServiceName"]

ServiceName = Literal["access", "job_store", "job_manager", "registry", "repositories", "training"]


class ServerServices(Protocol):
    """The services of one home; `onward.wiring.Application` is one, a test may bring its own.

    A property may do its work when it is first asked for; it is asked by one thread at a time.
    """

    @property
    def resolved(self) -> ResolvedSettings:
        """Settings with their origins."""

    @property
    def settings(self) -> Settings:
        """The settings that count."""

    @property
    def home(self) -> Home:
        """The home directory."""

    @property
    def access(self) -> AccessStore:
        """API keys, sessions and the audit log."""

    @property
    def job_store(self) -> JobStore:
        """Jobs, their states and events."""

    @property
    def job_manager(self) -> BackgroundTaskManager:
        """Takes jobs in and, once started, runs them."""

    @property
    def registry(self) -> ModelRegistry:
        """Published models."""

    @property
    def runs(self) -> RunStore:
        """What became of every training; asked where models are published after their job's end."""

    @property
    def repositories(self) -> DataStore:
        """Stored market data."""

    @property
    def training(self) -> MLTrainingService:
        """Training, to check plans with."""

    def close(self) -> None:
        """End what runs, and let go of the database."""


class Provider:
    """Hands services to requests, built once and never on the event loop.

    What could not be built (a database that is away) is tried again by the next request.
    """

    def __init__(self, services: ServerServices) -> None:
        self.services = services
        self._built: dict[str, Any] = {}
        self._building = threading.Lock()

    async def get(self, name: ServiceName) -> Any:
        """Return a service; the first request for it waits in a thread."""
        if name in self._built:
            return self._built[name]
        return await anyio.to_thread.run_sync(self.build, name)

    def built(self, name: ServiceName) -> Any | None:
        """Return a service if there is one already; never waits."""
        return self._built.get(name)

    def build(self, name: ServiceName) -> Any:
        """Return a service, for threads."""
        with self._building:
            if name not in self._built:
                self._built[name] = getattr(self.services, name)
            return self._built[name]
