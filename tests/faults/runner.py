"""Makes a world for one run of a row, lets the fault happen, and judges."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from onward.database import open_database, upgrade
from onward.testing.postgres import PostgresServer
from tests.faults.invariants import violations
from tests.faults.rows import Row
from tests.faults.world import World

__all__ = ["Databases", "run"]


class Databases:
    """Fresh databases with all tables; PostgreSQL is started when the first is asked for."""

    def __init__(self) -> None:
        self._resources = ExitStack()
        self._directory = Path(self._resources.enter_context(tempfile.TemporaryDirectory(prefix="onward-f-")))
        self._server: PostgresServer | None = None

    def __enter__(self) -> Databases:
        return self

    def __exit__(self, *of_the_error: object) -> None:
        self._resources.close()

    @contextmanager
    def fresh(self, kind: str, directory: Path, *, own: bool) -> Iterator[tuple[str, PostgresServer | None]]:
        """Give the address of one, with its server when it is ``own`` to this run."""
        if kind == "sqlite":
            yield self._sqlite(directory), None
        elif own:
            with PostgresServer() as server:
                _upgrade(url := server.create_database())
                yield url, server
        else:
            yield self._postgresql(), None

    def _sqlite(self, directory: Path) -> str:
        template = self._directory / "template.db"
        if not template.exists():
            _upgrade(f"sqlite:///{template}")
        shutil.copy(template, directory / "onward.db")
        return f"sqlite:///{directory}/onward.db"

    def _postgresql(self) -> str:
        if self._server is None:
            self._server = self._resources.enter_context(PostgresServer())
            self._server.execute("CREATE DATABASE faults_template")
            _upgrade(self._server.url("faults_template"))
        return self._server.create_database("faults_template")


def run(row: Row, kind: str, databases: Databases, *, scale: float, seed: int) -> dict[str, Any]:
    """Carry out one run and return what it found: ``violations``, ``figures``, ``seconds``."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="onward-fault-") as name:
        directory = Path(name).resolve()
        own = row.name.startswith("PostgreSQL away")
        with (
            databases.fresh(kind, directory, own=own) as (url, server),
            World(url, directory, scale=scale, seed=seed) as world,
        ):
            world.postgres = server
            try:
                row.run(world)
                found = list(dict.fromkeys(violations(world)))
            except Exception as error:  # whatever it was, this run has not passed
                logs = "\n".join(log.read_text()[-3_000:] for log in sorted(directory.glob("server-*.log")))
                found = [f"{row.name}: {type(error).__name__} {error}\n{logs}"]
                for left in world.servers:
                    if left.alive:
                        left.kill()
            figures = world.figures
    seconds = round(time.monotonic() - began, 2)
    return {
        "row": row.name,
        "database": kind,
        "seed": seed,
        "scale": scale,
        "violations": found,
        "figures": figures,
        "seconds": seconds,
    }


def _upgrade(url: str) -> None:
    engine = open_database(url)
    upgrade(engine)
    engine.dispose()
