"""What the two sides of a job work with: the worker without a database, the supervisor with one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onward.config.home import Home

if TYPE_CHECKING:
    from onward.data.repositories import DataStore
    from onward.features.cache import FeatureCache
    from onward.prediction.service import PredictionService
    from onward.registry import PostingRegistry, RunStore, TransactionalRegistry
    from onward.settings import Settings
    from onward.storage import Artifacts
    from onward.training.service import MLTrainingService

__all__ = ["SupervisorServices", "WorkerServices"]


@dataclass(frozen=True)
class WorkerServices:
    """What a worker may use. There is no database among it, and no settings.

    Attributes
    ----------
    data_directory
        Stored market data.
    cache_directory, cache_bytes
        Feature matrices on disk, and how much room they may take; None = no limit.
    artifacts
        The store that several hosts share, if there is one.
    shared_data
        Whether market data lie in it, and not in the directory.
    """

    data_directory: Path
    cache_directory: Path
    cache_bytes: int | None = None
    artifacts: Artifacts | None = None
    shared_data: bool = False

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> WorkerServices:
        """Rebuild what `to_json` gave."""
        artifacts = told.get("artifacts")
        return cls(
            Path(told["data_directory"]),
            Path(told["cache_directory"]),
            told["cache_bytes"],
            None if artifacts is None else _artifacts(artifacts),
            bool(told.get("shared_data")),
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "data_directory": str(self.data_directory),
            "cache_directory": str(self.cache_directory),
            "cache_bytes": self.cache_bytes,
            "artifacts": None if self.artifacts is None else self.artifacts.to_json(),
            "shared_data": self.shared_data,
        }

    @cached_property
    def store(self) -> DataStore:
        """Stored candles and side series."""
        if self.artifacts is not None and self.shared_data:
            from onward.data.repositories.remote import RemoteDataStore
            from onward.data.repositories.shelf import Shelf

            artifacts = self.artifacts  # nothing is written here, so no turns are taken
            return RemoteDataStore(Shelf(artifacts.store, artifacts.copies, self.data_directory))
        from onward.data.repositories import DataStore

        return DataStore(self.data_directory)

    @cached_property
    def cache(self) -> FeatureCache:
        """Feature matrices on disk."""
        from onward.features.cache import FeatureCache

        shared = None
        if self.artifacts is not None:
            from onward.features.cache_shared import SharedMatrices

            shared = SharedMatrices(self.artifacts.hasty_store, max_bytes=self.cache_bytes)
        return FeatureCache(self.cache_directory, max_bytes=self.cache_bytes, shared=shared)


def _artifacts(told: Mapping[str, Any]) -> Artifacts:
    from onward.storage import Artifacts

    return Artifacts.from_json(told)


@dataclass(frozen=True, eq=False)
class SupervisorServices:
    """What checks requests, answers workers and publishes what they made.

    Attributes
    ----------
    settings
        Of this server; they fill in what a request leaves open.
    home
        Where reports and outputs go.
    store
        Stored market data.
    runs
        Table in the database of the jobs.
    registry
        There too, or elsewhere.
    training
        Makes trainers, to check plans with.
    prediction
        Loads models, to check markets with.
    """

    settings: Settings
    home: Home
    store: DataStore
    runs: RunStore
    registry: TransactionalRegistry | PostingRegistry
    training: Callable[[], MLTrainingService]
    prediction: Callable[[], PredictionService]

    @property
    def outputs(self) -> Path:
        """Where files go that were asked for by a relative name, or by none."""
        return self.home.root / "outputs"
