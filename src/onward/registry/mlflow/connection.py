"""The way to the team's MLflow: its client, made when it is first needed, and what its failures mean."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from onward.errors import ConfigError, StorageError

__all__ = ["URI_VARIABLE", "Connection", "is_absent"]

URI_VARIABLE = "MLFLOW_TRACKING_URI"
MANNERS: Mapping[str, str] = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
"""How MLflow's client behaves in our processes, unless the environment says otherwise: by its own
defaults it goes on asking a server that is away for minutes, writes into the output of commands, and
reports its use to its makers."""
CREDENTIALS = re.compile(r"//[^/\s]*@")
ABSENT = "RESOURCE_DOES_NOT_EXIST"
REFUSED = ("PERMISSION_DENIED", "UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED")


class Connection:
    """An MLflow by its tracking URI. Safe to use from several threads.

    Parameters
    ----------
    uri
        ``https://HOST``, or the address of its database; None takes ``MLFLOW_TRACKING_URI``.
    """

    def __init__(self, uri: str | None = None) -> None:
        self._given = uri
        self._lock = threading.Lock()
        self._client: Any = None

    @property
    def uri(self) -> str:
        """The tracking URI.

        Raises
        ------
        ConfigError
            When neither the settings nor the environment name one.
        """
        found = self._given or os.environ.get(URI_VARIABLE, "")
        if not found:
            raise ConfigError(
                "Models are to be kept in MLflow, and nothing says where it is",
                got="registry.backend = mlflow",
                allowed=f"registry.mlflow_uri, or {URI_VARIABLE} in the environment",
                remedy="Set one to the address of the team's tracking server.",
            )
        return found

    @property
    def shown(self) -> str:
        """The tracking URI without what is secret in it."""
        parts = urlsplit(self.uri)
        if not parts.netloc:
            return self.uri
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}{parts.path}"

    @property
    def client(self) -> Any:
        """MLflow's client.

        Raises
        ------
        ConfigError
            When MLflow is not installed, or nothing says where the team's is.
        StorageError
            When it cannot be reached.
        """
        with self._lock:
            if self._client is None:
                uri = self.uri
                make = _library().MlflowClient
                with self.failures("reach MLflow"):
                    self._client = make(tracking_uri=uri)
            return self._client

    def download(self, source: str, directory: str) -> str:
        """Download artifacts below a directory, and return where they lie there."""
        _library()
        artifacts = import_module("mlflow.artifacts")
        found: str = artifacts.download_artifacts(
            artifact_uri=source, dst_path=directory, tracking_uri=self.uri
        )
        return found

    @contextmanager
    def failures(self, doing: str) -> Iterator[None]:
        """Turn what MLflow and the way to it refuse into `StorageError`; what does not exist is let through.

        Parameters
        ----------
        doing
            What was being done, such as ``read the versions``.
        """
        try:
            yield
        except Exception as error:
            # Recognised by module: importing its exceptions here would load MLflow.
            if not _is_mlflows(error) or is_absent(error):
                raise
            raise self._told(doing, error) from error

    def _told(self, doing: str, error: Exception) -> StorageError:
        code = str(getattr(error, "error_code", ""))
        if code in REFUSED:
            remedy = "Check MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN."
        else:
            remedy = "Check that MLflow runs and answers at this address, then try again."
        # Whatever MLflow's client repeats of its address, passwords stay out of logs and answers.
        lines = CREDENTIALS.sub("//", str(error).strip()).splitlines() or [type(error).__name__]
        return StorageError(
            f"MLflow could not {doing}", got=f"{self.shown}: {_short(lines[0])}", remedy=remedy
        )


def is_absent(error: BaseException) -> bool:
    """Say whether an error of MLflow means that there is no such thing."""
    if getattr(error, "error_code", None) == ABSENT:
        return True
    # An unknown alias is called an invalid parameter.
    return _is_mlflows(error) and "alias" in str(error) and "not found" in str(error)


def _is_mlflows(error: BaseException) -> bool:
    parts = ("mlflow", "requests", "urllib3", "sqlalchemy")
    return isinstance(error, OSError) or any(
        kind.__module__.partition(".")[0] in parts for kind in type(error).__mro__
    )


def _short(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:297]}..."


def _library() -> Any:
    for name, value in MANNERS.items():
        os.environ.setdefault(name, value)
    try:
        return import_module("mlflow")
    except ImportError as error:
        raise ConfigError(
            "A registry in MLflow needs its client, which is not installed",
            got=str(error),
            allowed="an installation of Onward with the extra 'mlflow'",
            remedy='Run pip install "onward[mlflow]", or set registry.backend = "sql".',
        ) from error
