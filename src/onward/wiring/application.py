"""The services of a home, each made when it is first asked for."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from onward.config.home import Home
from onward.settings import ResolvedSettings, Settings, load_settings
from onward.wiring.artifacts import as_bytes, open_artifacts, take_turns
from onward.wiring.backends import open_backend
from onward.wiring.registries import open_registry

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from onward.access.store import SqlAccessStore
    from onward.data.repositories import DataStore
    from onward.features.cache import FeatureCache
    from onward.jobs.desk import JobDesk
    from onward.jobs.kinds import JobKind
    from onward.jobs.manager import BackgroundTaskManager
    from onward.jobs.presence import Presence
    from onward.jobs.protocol import JobStore
    from onward.prediction.service import PredictionService
    from onward.registry import EmbeddedRegistry, RunStore
    from onward.registry.mlflow import MlflowRegistry
    from onward.storage import Artifacts
    from onward.tasks.removing import SeriesRemover
    from onward.tasks.services import WorkerServices
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

        engine = open_database(
            self.resolved.database_url, idle_seconds=self.settings.storage.database_idle_seconds
        )
        if self.settings.storage.database_url is None:
            self.home.ensure()
            upgrade(engine)
        else:
            ensure_current(engine)
        return engine

    @cached_property
    def access(self) -> SqlAccessStore:
        """API keys, sessions and the audit log."""
        from onward.access.store import SqlAccessStore

        return SqlAccessStore(self.engine)

    @cached_property
    def repositories(self) -> DataStore:
        """Stored candles and side series."""
        if self.artifacts is not None and self._shares_data:
            from onward.data.repositories.remote import RemoteDataStore
            from onward.data.repositories.shelf import Shelf

            artifacts = self.artifacts
            return RemoteDataStore(
                Shelf(artifacts.store, artifacts.copies, self.home.data, turns=self._take_turns)
            )
        from onward.data.repositories import DataStore

        return DataStore(self._data_directory)

    @cached_property
    def remover(self) -> SeriesRemover:
        """Removes stored series."""
        from onward.tasks.removing import SeriesRemover

        return SeriesRemover(self.repositories, lambda: self.registry, self.job_store, self.access)

    @cached_property
    def artifacts(self) -> Artifacts | None:
        """The store that several hosts share; None when everything lies in directories of this one."""
        return open_artifacts(self.settings.storage, self.home)

    @cached_property
    def registry(self) -> EmbeddedRegistry | MlflowRegistry:
        """Published models."""
        return open_registry(
            self.settings,
            self.home,
            self.engine,
            models=self._models,
            artifacts=self.artifacts,
            turns=self._take_turns,
        )

    def kept_file(self, stored: str) -> Path:
        """Return where a file lies that a run or job wrote, fetched from the store where it is not here.

        ``stored`` is as rows and results name it: relative to the home, or absolute. Where there is no
        such file anywhere, the path is that of this host.
        """
        path = self.home.root / stored
        if self.artifacts is None or Path(stored).is_absolute() or path.is_file():
            return path
        from onward.storage import MissingObjectError

        try:
            return self.artifacts.files.fetch(stored)
        except MissingObjectError:
            return path

    def sweep_artifacts(self, *, older_than_hours: float = 24.0) -> None:
        """Remove what interrupted uploads left in the store; nothing without one."""
        if self.artifacts is not None:
            if self.settings.registry.backend == "sql":
                self.registry.sweep_orphans(older_than_hours=older_than_hours)
            self.artifacts.files.sweep(older_than_hours=older_than_hours)

    @cached_property
    def runs(self) -> RunStore:
        """The table of runs."""
        from onward.registry import RunStore
        from onward.training.programs import is_gone

        return RunStore(self.engine, gone=is_gone)

    @cached_property
    def feature_cache(self) -> FeatureCache:
        """Causal feature matrices on disk, shared by all who compute them."""
        return self._for_workers().cache

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

    @cached_property
    def job_store(self) -> JobStore:
        """Jobs, their states and events."""
        from datetime import timedelta

        from onward.jobs.store import SqlJobStore

        jobs = self.settings.jobs
        keep = timedelta(days=jobs.retention_days)
        return SqlJobStore(
            self.engine, keep=keep, poll_seconds=jobs.poll_seconds, retry_seconds=jobs.retry_seconds
        )

    @cached_property
    def job_kinds(self) -> tuple[JobKind, ...]:
        """What jobs can do."""
        from onward.tasks.catalog import job_kinds
        from onward.tasks.services import SupervisorServices

        kinds = job_kinds(
            lambda: SupervisorServices(
                settings=self.settings,
                home=self.home,
                store=self.repositories,
                runs=self.runs,
                registry=self.registry,
                training=lambda: self.training,
                prediction=lambda: self.prediction,
            ),
            data=self._data_directory,
        )
        if self.settings.registry.backend == "mlflow":
            from onward.tasks.posting import delivering_kind

            kinds = (delivering_kind(kinds[0], lambda: self.registry), *kinds[1:])
        if self.artifacts is None:
            return kinds
        from onward.tasks.sharing import HOUR, shared_kind, swept_kind
        from onward.tasks.uploaded import needed_uploads

        files, uploads = self.artifacts.files, self.artifacts.uploads
        first, *others = (shared_kind(kind, self.home.root, lambda: files) for kind in kinds)
        first = swept_kind(first, lambda: uploads.sweep(partial(needed_uploads, self.job_store)), HOUR)
        return (swept_kind(first, self.sweep_artifacts), *others)

    @cached_property
    def job_desk(self) -> JobDesk:
        """Takes jobs in and stops them, for whoever runs none: no backend is loaded, nothing is logged."""
        from onward.jobs.desk import JobDesk

        self.home.ensure()
        return JobDesk(self.job_store, self.job_kinds, self.settings.jobs, self.home.jobs)

    @cached_property
    def job_manager(self) -> BackgroundTaskManager:
        """Takes jobs in and stops them; once started (``job_manager.start()``) it also runs them.

        Whoever started it closes it: used as a context manager, or with `close` of the application.
        """
        from onward.jobs.manager import BackgroundTaskManager

        self.home.ensure()
        self.runs.close_ended()  # of a server that died before it could
        jobs, services = self.settings.jobs, self._for_workers()
        backends = [open_backend(name, jobs, self.job_kinds, services) for name in jobs.backends]
        return BackgroundTaskManager(
            self.job_store,
            backends,
            self.job_kinds,
            jobs,
            self.home.jobs,
            presence=self.job_presence(jobs.backends),
        )

    def job_presence(self, backends: Sequence[str]) -> Presence:
        """Return by what those who run jobs on some backends are known on this host."""
        from onward.jobs.presence import Presence

        return Presence(self.home.jobs, str(self.resolved.database_url), backends)

    def close(self) -> None:
        """End jobs that run here, and let go of the database; both come back when asked for."""
        manager = vars(self).pop("job_manager", None)
        if manager is not None:
            manager.close()
        if "engine" in vars(self):
            self.engine.dispose()

    @property
    def _models(self) -> Path:
        return self.settings.registry.directory or self.home.models

    @property
    def _data_directory(self) -> Path:
        return self.settings.storage.data_directory or self.home.data

    def _for_workers(self) -> WorkerServices:
        from onward.tasks.services import WorkerServices

        return WorkerServices(
            self._data_directory.absolute(),
            self.home.cache_features,
            as_bytes(self.settings.storage.feature_cache_gb),
            self.artifacts,
            shared_data=self._shares_data,
        )

    @property
    def _shares_data(self) -> bool:
        return self.artifacts is not None and self.settings.storage.data_directory is None

    def _take_turns(self, name: str) -> AbstractContextManager[None]:
        return take_turns(self.engine, self.home, name)

    def _staging(self) -> Path:
        # Beside the models: publishing renames, which must not cross a file system.
        from onward.registry.files import storage_errors

        directory = self._models / ".staging"
        with storage_errors("make a place for the bundle", directory):
            directory.mkdir(parents=True, exist_ok=True)
        return directory


def build_application(resolved: ResolvedSettings | None = None) -> Application:
    """Return the services for settings (by default those of `load_settings`).

    Raises
    ------
    StorageError
        When the home is a file, or would lie below one.
    """
    resolved = load_settings() if resolved is None else resolved
    resolved.home.checked()
    return Application(resolved)
