"""The registry that settings name, and where its bundles lie."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from onward.wiring.artifacts import as_bytes

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from onward.config.home import Home
    from onward.registry import EmbeddedRegistry
    from onward.registry.mlflow import MlflowRegistry
    from onward.registry.placement import BundlePlaces
    from onward.settings import Settings
    from onward.storage import Artifacts

__all__ = ["open_registry"]


def open_registry(
    settings: Settings,
    home: Home,
    engine: Engine,
    *,
    models: Path,
    artifacts: Artifacts | None,
    turns: Callable[[str], AbstractContextManager[None]],
) -> EmbeddedRegistry | MlflowRegistry:
    """Return the registry of published models.

    Parameters
    ----------
    settings, home, engine
        Of the application.
    models
        Directory of the bundles, where they lie on this host.
    artifacts
        The store that several hosts share; bundles lie there, unless settings name a directory.
    turns
        Lets one writer at a time into a block, by name.
    """
    shared = artifacts if settings.registry.directory is None else None
    if settings.registry.backend == "sql":
        from onward.registry import EmbeddedRegistry

        return EmbeddedRegistry(engine, _bundle_places(models, shared))
    from onward.registry.mlflow import Connection, MlflowRegistry, Outbox
    from onward.storage import LocalCopies

    uri = settings.registry.mlflow_uri
    # Not beside the bundles of the other registry: what waits here is deleted when it was delivered.
    waiting = _bundle_places(models / ".outbox", shared, prefix="outbox")
    return MlflowRegistry(
        Connection(None if uri is None else uri.get_secret_value()),
        LocalCopies(home.cache_artifacts, max_bytes=as_bytes(settings.storage.artifact_cache_gb)),
        experiment=settings.registry.mlflow_experiment,
        outbox=Outbox(engine, waiting),
        audit_log=engine,
        turns=turns,
    )


def _bundle_places(directory: Path, shared: Artifacts | None, prefix: str = "models") -> BundlePlaces:
    if shared is not None:
        from onward.registry.remote_placement import RemotePlacement

        return RemotePlacement(shared.store, shared.copies, uploads=shared.patient_store, prefix=prefix)
    from onward.registry.placement import Placement

    return Placement(directory)
