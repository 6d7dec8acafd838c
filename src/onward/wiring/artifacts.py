"""The store that several hosts share, and how its writers take turns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from onward.errors import StorageError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from onward.config.home import Home
    from onward.config.storage import StorageConfig
    from onward.storage import Artifacts

__all__ = ["as_bytes", "open_artifacts", "take_turns"]

TURN_SECONDS = 60.0


def open_artifacts(storage: StorageConfig, home: Home) -> Artifacts | None:
    """Return the store that settings name; None when everything lies in directories of this host."""
    if storage.artifacts is None:
        return None
    from onward.storage import Artifacts, StoreOptions

    key, secret = storage.artifacts_key, storage.artifacts_secret
    options = StoreOptions(
        storage.artifacts,
        endpoint=storage.artifacts_endpoint,
        region=storage.artifacts_region,
        key=None if key is None else key.get_secret_value(),
        secret=None if secret is None else secret.get_secret_value(),
        patience_seconds=storage.artifacts_patience_seconds,
    )
    return Artifacts(options, home.cache_artifacts, as_bytes(storage.artifact_cache_gb))


def as_bytes(gigabytes: float | None) -> int | None:
    """Return a limit of settings in bytes; None limits nothing."""
    return None if gigabytes is None else round(gigabytes * 1e9)


@contextmanager
def take_turns(engine: Engine, home: Home, name: str) -> Iterator[None]:
    """Let one writer at a time into the block: for stores that keep no conditional writes.

    Raises
    ------
    StorageError
        When another one is in there for too long.
    """
    from onward.database import exclusive, writing
    from onward.database.transactions import LONG_TURN_SECONDS

    if engine.dialect.name == "sqlite":  # one host; a job's end may hold the one writer's place
        from onward.storage.file_locks import held_alone

        home.ensure()
        with held_alone(home.root / "artifacts.lock", TURN_SECONDS) as alone:
            if not alone:
                raise StorageError(
                    "Another process is writing to the artifact store",
                    got=f"{name}, still locked after {TURN_SECONDS:g} s",
                    remedy="Wait until the other import has ended, then repeat.",
                )
            yield
        return
    with writing(engine, durable=False) as connection:
        exclusive(connection, f"artifact:{name}", patience_seconds=LONG_TURN_SECONDS)
        yield
