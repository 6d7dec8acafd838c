"""Where trials are kept while a search is under way: memory, a journal file, a database."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onward.errors import ConfigError, StorageError

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import BaseStorage

__all__ = ["StudyKeeper", "quiet_optuna"]

JOURNAL = "search.journal"
RESULT = "search.json"
LONGEST_LINE = 1 << 22


@dataclass(frozen=True)
class StudyKeeper:
    """Opens the studies of one run, one for each of its searches.

    Attributes
    ----------
    directory
        Where the journal lies; None keeps trials in memory alone.
    url
        Database in which several machines share the studies; overrides the journal.
    prefix
        Tells the studies of this run from those of others in the same database.
    """

    directory: Path | None = None
    url: str | None = field(default=None, repr=False)
    prefix: str = ""

    @property
    def place(self) -> str:
        """Where trials are kept, for people.

        ``memory``, an address without its password, or the name of the journal: it lies beside
        ``search.json``, and stays there when both are moved, or continued on another machine.
        """
        if self.url is not None:
            from sqlalchemy.engine import make_url

            return make_url(self.url).render_as_string(hide_password=True)
        return "memory" if self.directory is None else JOURNAL

    @property
    def shareable(self) -> bool:
        """Whether other processes can work on the same studies."""
        return self.url is not None or self.directory is not None

    def write(self, result: dict[str, Any]) -> None:
        """Write what came of the searches beside their trials: ``search.json``."""
        if self.directory is None:
            return
        from onward.registry.files import atomic_file, storage_errors

        target = self.directory / RESULT
        with storage_errors("write the result of the search", target):
            self.directory.mkdir(parents=True, exist_ok=True)
            with atomic_file(target) as draft:
                draft.write_text(json.dumps(result, indent=1, ensure_ascii=False), encoding="utf-8")

    def open(self, name: str, *, joining: bool = False) -> Study:
        """Return the study of a search, with the trials that it holds from before.

        Parameters
        ----------
        name
            Name of the search.
        joining
            Whether another process is at work on it: the journal is then left as it is.

        Raises
        ------
        StorageError
            When the journal or the database cannot be opened.
        ConfigError
            When the address is none.
        """
        import optuna

        with quiet_optuna():
            storage = self._storage(joining)
            try:
                return optuna.create_study(
                    study_name=f"{self.prefix}{name}",
                    direction="maximize",
                    storage=storage,
                    load_if_exists=True,
                )
            except (OSError, optuna.exceptions.StorageInternalError) as error:
                raise self._refused(error) from error

    def _storage(self, joining: bool) -> BaseStorage | None:
        import optuna
        from sqlalchemy.exc import ArgumentError, SQLAlchemyError

        if self.url is not None:
            try:
                return optuna.storages.RDBStorage(self.url)
            except (ArgumentError, ValueError, ImportError) as error:
                raise ConfigError(
                    "optimization.storage_url is not the address of a database that can be used here",
                    got=str(error).partition("\n")[0],
                    allowed="sqlite:///studies.db, postgresql+psycopg://user:password@host/studies ...",
                    remedy="Correct the address, install its driver, or leave it out: a journal needs none.",
                    settings=("optimization.storage_url",),
                ) from error
            except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
                raise self._refused(error) from error
        if self.directory is None:
            return None
        from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            path = str(self.directory / JOURNAL)
            if not joining:
                _mend(self.directory / JOURNAL)
            # The lock by opening a file works on every file system; the default one needs links.
            return optuna.storages.JournalStorage(JournalFileBackend(path, JournalFileOpenLock(path)))
        except OSError as error:
            raise self._refused(error) from error

    def _refused(self, error: Exception) -> StorageError:
        place = self.place if self.url is not None or self.directory is None else self.directory / JOURNAL
        return StorageError(
            "the trials of a search cannot be kept",
            got=f"{place}: {str(error).partition(chr(10))[0]}",
            allowed="a place that can be written",
            remedy="Free or unlock it, or set optimization.storage_url.",
        )


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Keep Optuna from writing to standard error what progress events say already."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


def _mend(journal: Path) -> None:
    """Take off a journal what a killed process left: its lock, and a last line that is unfinished."""
    journal.with_name(f"{journal.name}.lock").unlink(missing_ok=True)
    if not journal.exists():
        return
    with journal.open("rb+") as handle:
        handle.seek(0, 2)
        size = handle.tell()
        reach = min(size, LONGEST_LINE)
        handle.seek(size - reach)
        tail = handle.read(reach)
        if tail and not tail.endswith(b"\n"):
            handle.truncate(size - reach + tail.rfind(b"\n") + 1)


def finished(study: Any) -> list[Any]:
    """Return the trials that came to a result, in the order of their numbers."""
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))  # type: ignore[no-any-return]
