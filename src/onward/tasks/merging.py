"""Rows of an import on their way into the store: prepared, made visible with the job's end, or undone.

Three things happen, in this order, and a server may die after each of them:

1. What the worker staged is moved below the store, to ``.imports/<job>-<attempt>``, and merged into
   files that no manifest names yet. This is the slow part; nobody's database is locked by it.
2. Within the transaction that ends the job the manifests are swapped: one rename a symbol. Each
   symbol's former manifest is set aside.
3. After the commit the former manifests and the staged rows go.

The job's row is the judge of what is found lying there: it says `succeeded` for this attempt, and
the staged rows are merged once more, which changes nothing where it was done; or it does not, and
every symbol goes back. Nobody else can build upon what is undecided: whoever writes to such a symbol
first goes back himself.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from onward.data.repositories import DataStore, PreparedUpsert, UpsertReport
from onward.data.repositories.files import locked, sync
from onward.data.repositories.part import SeriesPart
from onward.errors import OnwardError, StorageError
from onward.jobs.values import Job

__all__ = ["IMPORTS", "ROWS", "PendingMerge", "mend", "storing"]

IMPORTS = ".imports"
"""Directory of the store in which undecided imports lie."""
ROWS = "rows"
"""Directory of an attempt into which its worker stages rows."""
SIDES = ("funding", "open_interest", "fear_greed")

_log = logging.getLogger(__name__)


class PendingMerge:
    """An import that is prepared; ends with `settle`, `abandon` or `leave`, which never raise."""

    def __init__(self, place: Path, prepared: Sequence[PreparedUpsert], lock: ExitStack) -> None:
        self._place = place
        self._prepared = prepared
        self._lock = lock

    @classmethod
    def prepare(cls, job: Job, staged: Path, store: DataStore) -> PendingMerge:
        """Do everything slow: move the staged rows below the store and merge them into new files.

        Raises
        ------
        OnwardError
            When the rows contradict what is stored, or the disk refuses. Nothing is left then.
        """
        for path in _pending(store.root, job.id):
            _undo(path, store)  # of an attempt before this one
        place = store.root / IMPORTS / f"{job.id}-{job.attempt}"
        prepared: list[PreparedUpsert] = []
        with ExitStack() as undo:
            undo.callback(shutil.rmtree, place, ignore_errors=True)
            lock = undo.enter_context(ExitStack())
            lock.enter_context(locked(place, timeout_seconds=0.0))
            _move(staged, place / ROWS)
            for source, target in _pairs(DataStore(place / ROWS), store):
                for symbol in source.symbols():
                    prepared.append(target.prepare(symbol, source.read(symbol)))
                    undo.callback(prepared[-1].back)
            kept = lock.pop_all()
            undo.pop_all()
        return cls(place, prepared, kept)

    @property
    def reports(self) -> list[UpsertReport]:
        """What becoming visible changes, one report a symbol."""
        return [one.report for one in self._prepared]

    def swap(self) -> None:
        """Make every symbol's rows visible, by a rename each. Again is once."""
        for one in self._prepared:
            one.swap()

    def settle(self) -> None:
        """Keep what is visible: the job has succeeded."""
        self._end(lambda one: one.settle())

    def abandon(self) -> None:
        """Take everything back: the job has not succeeded, and will not in this attempt."""
        self._end(lambda one: one.back())

    def leave(self) -> None:
        """Let go without knowing whether the job has succeeded; `mend` asks its row."""
        for one in self._prepared:
            one.leave()
        self._lock.close()

    def _end(self, step: Callable[[PreparedUpsert], None]) -> None:
        done = True
        for one in self._prepared:
            try:
                step(one)
            except (OnwardError, OSError) as error:
                done = False
                _log.warning("an import is not tidied up: %s", error)
        if done:  # else what lies there says what is still to be done
            shutil.rmtree(self._place, ignore_errors=True)
        self._lock.close()


def mend(store: DataStore, look: Callable[[str], Job | None]) -> None:
    """Decide about every import that a server left behind when it died.

    Parameters
    ----------
    store
        The store.
    look
        Gives a job by its id; None = unknown, perhaps that of another database: it is left alone.

    Raises
    ------
    OnwardError
        When the disk refuses.
    """
    for path in _pending(store.root):
        job_id, _, attempt = path.name.rpartition("-")
        job = look(job_id)
        if job is None:
            continue
        if job.state == "succeeded" and str(job.attempt) == attempt:
            _redo(path, store)
        elif job.finished_at is not None or job.state == "queued" or str(job.attempt) != attempt:
            _undo(path, store)
        # else somebody may still be at work on it, or is about to be found dead


def storing(store: DataStore, part: SeriesPart) -> list[str]:
    """Return the jobs whose import of rows of a series is not decided yet, on this host."""
    return [
        path.name.rpartition("-")[0]
        for path in _pending(store.root)
        if part.symbol in part.repository(DataStore(path / ROWS)).symbols()
    ]


def _redo(place: Path, store: DataStore) -> None:
    with _unattended(place) as free:
        if free:
            for source, target in _pairs(DataStore(place / ROWS), store):
                for symbol in source.symbols():
                    target.upsert(symbol, source.read(symbol))
            shutil.rmtree(place, ignore_errors=True)


def _undo(place: Path, store: DataStore) -> None:
    with _unattended(place) as free:
        if free:
            for source, target in _pairs(DataStore(place / ROWS), store):
                for symbol in source.symbols():
                    target.go_back(symbol)
            shutil.rmtree(place, ignore_errors=True)


@contextlib.contextmanager
def _unattended(place: Path) -> Iterator[bool]:
    """Give whether nobody is at work on an import; nobody begins to while this lasts."""
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(place, timeout_seconds=0.0))
        except StorageError:
            free = False
        else:
            free = True
        yield free


def _pending(root: Path, job_id: str = "*") -> list[Path]:
    return sorted(path for path in (root / IMPORTS).glob(f"{job_id}-*") if path.is_dir())


def _pairs(staged: DataStore, store: DataStore) -> list[tuple[Any, Any]]:
    """Return repositories of staged rows with those they go to, always in the same order."""
    candles = [(staged.candles(length), store.candles(length)) for length in staged.timeframes()]
    return [*candles, *((staged.side(name), store.side(name)) for name in SIDES)]


def _move(source: Path, target: Path) -> None:
    if not source.exists():
        return  # files without a single row
    try:
        source.rename(target)
    except OSError:  # another file system
        shutil.copytree(source, target)
    for directory in (target.parent, target.parent.parent):
        sync(directory)
