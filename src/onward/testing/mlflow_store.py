"""An MLflow for tests: its tables in a SQLite file, its artifacts in a directory beside it."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

__all__ = ["copy_mlflow", "make_mlflow", "missing"]

FILE, ARTIFACTS = "mlflow.db", "artifacts"


def missing() -> str | None:
    """Return why there can be no MLflow here, None when there can."""
    return None if find_spec("mlflow") else "MLflow is not installed"


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
