"""The one place that chooses implementations: settings in, services out.

Nothing is created by building an `Application`; a database, store or service comes to life when
it is first asked for, so that light verbs stay light.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from onward.config.home import Home
from onward.settings import ResolvedSettings, Settings, load_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from onward.data.repositories import DataStore
    from onward.features.cache import FeatureCache
    from onward.prediction.service import PredictionService
    from onward.registry import EmbeddedRegistry, RunStore
    from onward.training.service import MLTrainingService

__all__ = ["Application", "build_application"]


@dataclass(frozen=True, eq=False)
class Application:
    """The services of one home directory.

    Attributes
    ----------
    resolved
        Settings with their origins.
    """

    resolved: ResolvedSettings

    @property
    def settings(self) -> Settings:
        """The settings that count."""
        return self.resolved.settings

    @property
    def home(self) -> Home:
        """The home directory."""
        return self.resolved.home

    @cached_property
    def engine(self) -> Engine:
        """The database, migrated when it is the embedded one."""
        from onward.database import ensure_current, open_database, upgrade

        engine = open_database(self.resolved.database_url)
        if self.settings.storage.database_url is None:
            self.home.ensure()
            upgrade(engine)
        else:
            ensure_current(engine)
        return engine

    @cached_property
    def repositories(self) -> DataStore:
        """Stored candles and side series."""
        from onward.data.repositories import DataStore

        return DataStore(self.settings.storage.data_directory or self.home.data)

    @cached_property
    def registry(self) -> EmbeddedRegistry:
        """Published models."""
        from onward.registry import EmbeddedRegistry

        return EmbeddedRegistry(self.engine, self.settings.registry.directory or self.home.models)

    @cached_property
    def runs(self) -> RunStore:
        """The table of runs."""
        from onward.registry import RunStore

        return RunStore(self.engine)

    @cached_property
    def feature_cache(self) -> FeatureCache:
        """Causal feature matrices on disk, shared by all who compute them."""
        from onward.features.cache import FeatureCache

        limit = self.settings.storage.feature_cache_gb
        return FeatureCache(self.home.cache_features, max_bytes=None if limit is None else round(limit * 1e9))

    @cached_property
    def training(self) -> MLTrainingService:
        """Training."""
        from functools import partial

        from onward.training.assembly import make_trainer
        from onward.training.auditing import audit_trainer
        from onward.training.conduct import Conductor
        from onward.training.ledger import StoredLedger
        from onward.training.service import MLTrainingService

        conductor = Conductor(
            ledger=StoredLedger(self.runs),
            registry=lambda: self.registry,
            audit=audit_trainer,
            staging=self._staging,
            run_directory=lambda run_id: self.home.runs / run_id,
        )
        make = partial(make_trainer, cache=self.feature_cache)
        return MLTrainingService(make_trainer=make, conductor=conductor)

    @cached_property
    def prediction(self) -> PredictionService:
        """Prediction with published models."""
        from onward.prediction.service import PredictionService

        return PredictionService(
            self.registry, max_staleness_bars=self.settings.prediction.max_staleness_bars
        )

    def close(self) -> None:
        """Let go of the database, if it was opened; it opens again when it is asked for."""
        if "engine" in vars(self):
            self.engine.dispose()

    def _staging(self) -> Path:
        # Beside the models: publishing renames, which must not cross a file system.
        from onward.registry.files import storage_errors

        directory = (self.settings.registry.directory or self.home.models) / ".staging"
        with storage_errors("make a place for the bundle", directory):
            directory.mkdir(parents=True, exist_ok=True)
        return directory


def build_application(resolved: ResolvedSettings | None = None) -> Application:
    """Return the services for settings (by default those of `load_settings`)."""
    return Application(load_settings() if resolved is None else resolved)
