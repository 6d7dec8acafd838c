"""An MLflow for tests: its tables in a SQLite file, its artifacts in a directory beside it.

Alone it is asked as a file; with a `MlflowServer` in front of it as teams have it, over HTTP.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["MlflowServer", "copy_mlflow", "make_mlflow", "missing", "missing_server"]

FILE, ARTIFACTS = "mlflow.db", "artifacts"
START_SECONDS = 90.0


def missing() -> str | None:
    """Return why there can be no MLflow here, None when there can."""
    return None if find_spec("mlflow") else "MLflow is not installed"


def missing_server() -> str | None:
    """Return why no tracking server can be run here, None when one can."""
    absent = [name for name in ("mlflow", "flask", "flask_cors") if find_spec(name) is None]
    return f"a tracking server needs {', '.join(absent)}" if absent else None


def make_mlflow(directory: Path) -> Path:
    """Make the tables of an empty MLflow, once, to be copied: that takes seconds."""
    from onward.registry.mlflow import Connection

    file = directory / FILE
    Connection(f"sqlite:///{file}").client.search_registered_models(max_results=1)
    return file


def copy_mlflow(template: Path, directory: Path, experiment: str = "onward") -> str:
    """Copy an empty MLflow and return its tracking URI."""
    from onward.registry.mlflow import Connection

    directory.mkdir(parents=True, exist_ok=True)
    shutil.copy(template, directory / FILE)
    uri = f"sqlite:///{directory / FILE}"
    Connection(uri).client.create_experiment(experiment, artifact_location=f"file://{directory / ARTIFACTS}")
    return uri


class MlflowServer:
    """``mlflow server`` in a process of its own, which also keeps the artifacts; a context manager.

    Parameters
    ----------
    directory
        What `copy_mlflow` filled, or an empty one.

    Attributes
    ----------
    uri
        Where it listens.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = int(free.getsockname()[1])
        self.uri = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.stop()

    def start(self) -> None:
        """Start, and return when it answers.

        Raises
        ------
        RuntimeError
            When it does not; the message is the end of its log.
        """
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self._port)]
        command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{self._directory / FILE}"]
        command += ["--artifacts-destination", f"file://{self._directory / ARTIFACTS}"]
        quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self._directory,
                env={**os.environ, **quiet},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # it starts processes of its own, which are to end with it
            )
        ends = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > ends:
                self.stop()
                said = self._log.read_text(errors="replace").strip()[-2000:]
                raise RuntimeError(f"MLflow did not start: {said}")
            time.sleep(0.1)

    def stop(self) -> None:
        """End it, and what it started."""
        if self._process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, number)
                self._process.wait(10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        self._process = None

    @property
    def _log(self) -> Path:
        return self._directory / "server.log"

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=5) as answer:  # noqa: S310 - ours
                return bool(answer.status == 200)
        except OSError:
            return False
