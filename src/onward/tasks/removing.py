"""Removing stored series: told first, then done beside running imports, and told to the audit log.

Rows go as they come, by a rename (`onward.data.repositories.removing`). An import that a server left
undecided is decided first, by its job's row: what `onward.tasks.merging.mend` would put back later
must not bring rows back that somebody removed. While an import that stores rows of the series holds
it, nothing is removed.

The entry in the audit log is written before the rename, in a transaction of its own: a process that
dies in between leaves an entry too many, never a removal that nobody knows of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from onward.data.repositories import DataStore
from onward.data.repositories.part import SeriesPart
from onward.data.repositories.removal import RemovalReport
from onward.errors import DataConflictError, JobNotFoundError, OnwardError, RegistryNotFoundError
from onward.jobs.values import JobState
from onward.naming import stand_ins
from onward.tasks.merging import mend, storing

if TYPE_CHECKING:
    from onward.access.protocol import AccessStore
    from onward.jobs.protocol import JobStore
    from onward.jobs.values import Job
    from onward.registry import ModelRegistry

__all__ = ["DependentModel", "Removal", "SeriesRemover"]

MOST_IMPORTS = 50
AT_WORK: tuple[JobState, ...] = ("queued", "starting", "running", "stopping")


@dataclass(frozen=True)
class DependentModel:
    """A model that was trained on the market that rows are removed of.

    Attributes
    ----------
    name
        Of the model.
    versions
        Those of its versions that were: of the newest one and those that an alias stands for.
    aliases
        What stands for one of them.
    """

    name: str
    versions: tuple[int, ...]
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class Removal:
    """What a removal takes away, and what depends on it.

    Attributes
    ----------
    report
        Rows that go and stay.
    models
        Models in use, and the newest of each name, that were trained on the market: without its rows
        they cannot be asked about it.
    imports
        Ids of imports that wait or run, which may bring rows of it back.
    """

    report: RemovalReport
    models: tuple[DependentModel, ...] = ()
    imports: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        models = [
            {"name": one.name, "versions": list(one.versions), "aliases": list(one.aliases)}
            for one in self.models
        ]
        return {**self.report.to_dict(), "models": models, "imports": list(self.imports)}


class SeriesRemover:
    """Removes stored series. For threads; imports pandas.

    Parameters
    ----------
    store
        Stored market data.
    registry
        Gives published models.
    jobs
        Jobs, which decide about imports.
    access
        Keeps the audit log.
    """

    def __init__(
        self, store: DataStore, registry: Callable[[], ModelRegistry], jobs: JobStore, access: AccessStore
    ) -> None:
        self._store = store
        self._registry = registry
        self._jobs = jobs
        self._access = access

    def look(
        self, kind: str, symbol: str, *, timeframe: str | None = None, timerange: str | None = None
    ) -> Removal:
        """Return what a removal would take away; parameters as of `SeriesPart.of`.

        Raises
        ------
        DataError
            When there is no such series or no row within the range, or it is not named as it must be.
        """
        part = SeriesPart.of(self._store, kind, symbol, timeframe=timeframe, timerange=timerange)
        start, end = part.bounds
        return self._told(part, part.repository(self._store).removal(part.symbol, start=start, end=end))

    def remove(
        self,
        kind: str,
        symbol: str,
        *,
        timeframe: str | None = None,
        timerange: str | None = None,
        seen: str | None = None,
    ) -> Removal:
        """Remove a series or a range of it; parameters as of `SeriesPart.of`.

        Parameters
        ----------
        seen
            ``state`` of a report that somebody looked at: rows go only while it still holds.

        Raises
        ------
        DataError
            As of `look`; `DataConflictError` when the series changed since it was seen, or an import
            stores rows of it at this moment.
        StorageError
            When the disk, the database or another writer refuses. Nothing is removed then.
        """
        part = SeriesPart.of(self._store, kind, symbol, timeframe=timeframe, timerange=timerange)
        mend(self._store, self._job)
        self._refuse_while_stored(part)
        start, end = part.bounds
        repository = part.repository(self._store)
        with repository.prepare_removal(part.symbol, start=start, end=end, seen=seen) as prepared:
            self._refuse_while_stored(part)  # once more: whoever comes from here on waits for our lock
            told = self._told(part, prepared.report)
            detail = {name: value for name, value in prepared.report.to_dict().items() if name != "state"}
            self._access.tell("data.remove", str(part), detail=detail)
            try:
                prepared.swap()
            except OnwardError as error:
                self._access.tell("data.remove", str(part), refused=True, detail={"why": error.what})
                raise
        return Removal(prepared.report, told.models, told.imports)

    def _refuse_while_stored(self, part: SeriesPart) -> None:
        """Refuse while an import holds rows of the series that its job's row may yet make count."""
        for job_id in storing(self._store, part):
            if self._job(job_id) is not None:  # else nobody is left to decide
                raise DataConflictError(
                    "An import of this series is being stored",
                    got=f"{part} by job {job_id}",
                    remedy=f"Wait for its end: `onward jobs watch {job_id}`; nothing was removed.",
                )

    def _job(self, job_id: str) -> Job | None:
        try:
            return self._jobs.get(job_id)
        except JobNotFoundError:
            return None

    def _told(self, part: SeriesPart, report: RemovalReport) -> Removal:
        return Removal(report, tuple(self._models(part)), tuple(self._imports(part)))

    def _models(self, part: SeriesPart) -> Iterator[DependentModel]:
        registry = self._registry()
        for summary in registry.list_models():
            numbers = {number for _, number in summary.aliases} | {summary.latest}
            trained = {n for n in numbers if n is not None and _depends(registry, summary.name, n, part)}
            if trained:
                aliases = tuple(alias for alias, number in summary.aliases if number in trained)
                yield DependentModel(summary.name, tuple(sorted(trained)), aliases)

    def _imports(self, part: SeriesPart) -> Iterator[str]:
        page = self._jobs.find(states=AT_WORK, kinds=("import",), limit=MOST_IMPORTS)
        for job in page.jobs:
            spec = job.request.spec
            named = spec.get("symbol") in (None, part.symbol)
            if named and (not part.timeframe or spec.get("timeframe") in (None, part.timeframe)):
                yield job.id


def _depends(registry: ModelRegistry, name: str, number: int, part: SeriesPart) -> bool:
    """Return whether a version was trained on candles of a series, or on candles that it stands beside."""
    try:
        manifest = registry.resolve(f"models:/{name}/{number}").manifest
    except RegistryNotFoundError:  # deleted since the list was made
        return False
    if part.kind == "candles":
        return part.symbol in manifest.symbols and part.timeframe == manifest.timeframe
    beside = any(part.symbol in stand_ins(symbol) for symbol in manifest.symbols)
    return part.kind in manifest.features.series and beside
