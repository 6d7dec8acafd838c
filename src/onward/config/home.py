"""The directory that holds everything Onward keeps: ``ONWARD_HOME``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from onward.errors import StorageError

__all__ = ["ENVIRONMENT_VARIABLE", "Home"]

ENVIRONMENT_VARIABLE = "ONWARD_HOME"


@dataclass(frozen=True)
class Home:
    """Where each kind of state lives. Nothing is created before `ensure`.

    Attributes
    ----------
    root
        Absolute path; ``~`` is expanded and a relative path is taken from the working directory.
    """

    root: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", _absolute(self.root))

    @classmethod
    def default(cls, environment: Mapping[str, str] | None = None) -> Home:
        """Return the home named by ``ONWARD_HOME``, else the platform's data directory.

        An empty ``ONWARD_HOME`` counts as not set: shells leave empty variables behind.
        """
        named = (os.environ if environment is None else environment).get(ENVIRONMENT_VARIABLE, "").strip()
        if named:
            return cls(Path(named))
        import platformdirs

        return cls(platformdirs.user_data_path("onward", appauthor=False))

    @property
    def database(self) -> Path:
        """File of the embedded database."""
        return self.root / "onward.db"

    @property
    def database_url(self) -> str:
        """SQLAlchemy address of the embedded database."""
        # SQLAlchemy knows how to quote its own addresses; a home may hold ``?``, ``#`` or ``%``.
        from sqlalchemy import URL

        url = URL.create("sqlite", database=str(self.database))
        return url.render_as_string(hide_password=False)

    @property
    def data(self) -> Path:
        """Parquet repositories of market data."""
        return self.root / "data"

    @property
    def models(self) -> Path:
        """Bundles of published model versions."""
        return self.root / "models"

    @property
    def runs(self) -> Path:
        """One directory a training run: report, out-of-fold predictions."""
        return self.root / "runs"

    @property
    def jobs(self) -> Path:
        """Working directories of jobs: ``<id>/<attempt>/``."""
        return self.root / "jobs"

    @property
    def cache_features(self) -> Path:
        """Feature matrices by content hash; may be deleted at any time."""
        return self.root / "cache" / "features"

    @property
    def cache_artifacts(self) -> Path:
        """Copies of what lies in an artifact store; may be deleted at any time."""
        return self.root / "cache" / "artifacts"

    @property
    def cache_numba(self) -> Path:
        """Compiled kernels; may be deleted at any time."""
        return self.root / "cache" / "numba"

    @property
    def logs(self) -> Path:
        """Log files."""
        return self.root / "logs"

    @property
    def directories(self) -> tuple[Path, ...]:
        """Every directory that `ensure` creates, the root first."""
        return (
            self.root,
            self.data,
            self.models,
            self.runs,
            self.jobs,
            self.cache_features,
            self.cache_numba,
            self.logs,
        )

    def checked(self) -> Home:
        """Return self, without creating anything.

        Raises
        ------
        StorageError
            When a file stands where the home, or a directory above it, would be.
        """
        places = (self.root, *self.root.parents)
        # Not `Path.exists`, which raises where nobody may look.
        there = next((place for place in places if os.path.exists(place)), self.root.parent)  # noqa: PTH110
        if not os.path.isdir(there):  # noqa: PTH112
            raise StorageError(
                "The home directory is no directory",
                got=str(self.root) if there == self.root else f"{self.root}, and {there} is a file",
                allowed="a directory, or a place where one can be made",
                remedy=f"Name another one with --home (in Python home=) or {ENVIRONMENT_VARIABLE}.",
            )
        return self

    def ensure(self) -> Home:
        """Create the directories that are missing and return self.

        Raises
        ------
        StorageError
            When a directory cannot be created, or a file stands in its place.
        """
        for directory in self.directories:
            try:
                directory.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StorageError(
                    "The home directory cannot be created",
                    got=f"{directory} ({error.strerror or error})",
                    allowed="a directory that you may write to",
                    remedy=f"Name another one with --home or {ENVIRONMENT_VARIABLE}.",
                ) from error
        return self


def _absolute(path: Path) -> Path:
    try:
        return Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100 - keeps symbolic links as named
    except RuntimeError as error:
        raise StorageError(
            "The home directory is of an unknown user",
            got=str(path),
            remedy=f"Write the whole path in --home or {ENVIRONMENT_VARIABLE}.",
        ) from error
