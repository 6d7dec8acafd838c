"""A server as the verbs see it: the same services as those of a home, as far as they reach over a network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from onward.cli.remote.data import RemoteData, RemoteRemover
from onward.cli.remote.desk import RemoteDesk
from onward.cli.remote.jobs import RemoteJobs
from onward.cli.remote.models import RemoteModels
from onward.client import OnwardClient
from onward.config.home import Home
from onward.errors import UserError

__all__ = ["RemoteApplication"]


@dataclass(frozen=True, eq=False)
class RemoteApplication:
    """The services of a server, in the shape of `onward.wiring.Application`.

    Attributes
    ----------
    client
        Talks to the server.
    asked
        The plan that was asked for: a preset, values by dotted name, or None for the server's own.
    """

    client: OnwardClient
    asked: str | dict[str, Any] | None

    @cached_property
    def settings(self) -> Any:
        """What verbs read from settings: the plan as it was asked for, and limits left to the server."""
        return SimpleNamespace(
            plan=SimpleNamespace(model_dump=lambda mode: self.asked),  # noqa: ARG005 - as pydantic's
            registry=SimpleNamespace(max_versions=None, max_age_days=None),
        )

    @cached_property
    def home(self) -> Home:
        """The home directory on the server's machine; nothing is opened there."""
        return Home(Path(self.client.settings(changed=True)["home"]))

    @cached_property
    def job_store(self) -> RemoteJobs:
        """Jobs, their states and events."""
        return RemoteJobs(self.client)

    @cached_property
    def job_desk(self) -> RemoteDesk:
        """Takes jobs in."""
        return RemoteDesk(self.client)

    @property
    def job_kinds(self) -> tuple[()]:
        """None: the server tidies up after its own jobs."""
        return ()

    @cached_property
    def registry(self) -> RemoteModels:
        """Published models."""
        return RemoteModels(self.client)

    @cached_property
    def repositories(self) -> RemoteData:
        """Stored market data."""
        return RemoteData(self.client)

    @cached_property
    def remover(self) -> RemoteRemover:
        """Removes stored series."""
        return RemoteRemover(self.client)

    def __getattr__(self, name: str) -> Any:
        raise UserError(
            "this does not go over the network",
            got=f"{name} of {self.client.url}",
            remedy="Run it on the server's machine, without --server.",
        )
