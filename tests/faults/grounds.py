"""What all worlds of a runner share: a directory, an auditor, a hatchery, and servers of databases."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from onward.database import open_database, upgrade
from onward.testing.postgres import PostgresServer
from tests.faults.hatchery import Hatchery

__all__ = ["Grounds"]

AUDITOR = Path(__file__).with_name("auditor.py")
TEMPLATE = "faults_template"


class Grounds:
    """Where worlds are made; a context manager.

    Parameters
    ----------
    servers
        PostgreSQL servers that worlds share; each takes about 120 connections. Started when the
        first world needs one.
    """

    def __init__(self, servers: int = 1) -> None:
        self.servers = servers
        self._resources = ExitStack()
        self._servers: list[PostgresServer] = []

    def __enter__(self) -> Self:
        name = self._resources.enter_context(tempfile.TemporaryDirectory(prefix="onward-faults-"))
        self.directory = Path(name).resolve()
        self.worlds = self.directory / "worlds"
        self.worlds.mkdir()
        (self.directory / "stalls.jsonl").touch()
        auditor = subprocess.Popen([sys.executable, "-S", "-E", str(AUDITOR), str(self.directory)])
        self._resources.callback(auditor.wait)
        self._resources.callback(auditor.kill)
        self.hatchery = self._resources.enter_context(Hatchery(self.directory)).address
        _in_a_child(lambda: _upgrade(f"sqlite:///{self.directory}/template.db"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._resources.close()

    def start_postgres(self) -> None:
        """Start the shared servers, if they do not run; before any world is forked."""
        while len(self._servers) < self.servers:
            server = self._resources.enter_context(PostgresServer())
            server.execute(f"CREATE DATABASE {TEMPLATE}")
            _in_a_child(lambda server=server: _upgrade(server.url(TEMPLATE)))  # type: ignore[misc]
            self._servers.append(server)

    @contextmanager
    def database(
        self, kind: str, directory: Path, *, own: bool, number: int = 0
    ) -> Iterator[tuple[str, PostgresServer | None]]:
        """Give the address of a fresh database with all tables, with its server when it is ``own``."""
        if kind == "sqlite":
            shutil.copy(self.directory / "template.db", directory / "onward.db")
            yield f"sqlite:///{directory}/onward.db", None
        elif own:
            with PostgresServer() as server:
                _upgrade(url := server.create_database())
                yield url, server
        else:
            if not self._servers:
                self.start_postgres()
            server = self._servers[number % len(self._servers)]
            url = server.create_database(TEMPLATE)
            yield url, None
            server.execute(f"DROP DATABASE {url.partition('@/')[2].partition('?')[0]} WITH (FORCE)")


def _in_a_child(work: Callable[[], None]) -> None:
    """Do it in a fork, so that this process stays without threads and connections: worlds are forked too."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0


def _upgrade(url: str) -> None:
    engine = open_database(url)
    upgrade(engine)
    engine.dispose()
