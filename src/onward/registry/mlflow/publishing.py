"""Bringing a bundle into MLflow: one run a version, the artifacts first, then the version in one step."""

from __future__ import annotations

import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from onward.database.moments import to_microseconds
from onward.registry.manifest import Manifest
from onward.registry.mlflow.connection import Connection, is_absent
from onward.registry.mlflow.packaging import ARTIFACTS, BUNDLE, write_frame
from onward.registry.mlflow.tags import DIGEST, JOB, scores_of, tags_of

__all__ = ["Publisher"]

PAGE = 200


@dataclass(frozen=True, eq=False)
class Publisher:
    """Writes runs, artifacts and versions.

    Attributes
    ----------
    connection
        To MLflow.
    experiment
        Name of the experiment that the runs belong to; made when it does not exist.
    """

    connection: Connection
    experiment: str

    def upload(self, staged: Path, name: str, manifest: Manifest, job_id: str | None) -> str:
        """Upload a verified bundle as the artifacts of a new run, and return the run's id.

        The run is told to be running until a version speaks of it: what is interrupted is found.
        """
        client = self.connection.client
        with self.connection.failures("take the bundle"):
            tags = tags_of(manifest) | ({} if job_id is None else {JOB: job_id})
            run = client.create_run(self._experiment(), run_name=f"{name} {manifest.digest[:8]}", tags=tags)
            run_id: str = run.info.run_id
            try:
                with tempfile.TemporaryDirectory(prefix="onward-mlflow-") as scratch:
                    write_frame(Path(scratch), manifest, run_id)
                    client.log_artifacts(run_id, str(staged), f"{ARTIFACTS}/{BUNDLE}")
                    client.log_artifacts(run_id, scratch, ARTIFACTS)
                self._scores(run_id, manifest)
            except BaseException:
                self.discard(run_id)
                raise
        return run_id

    def create(self, run_id: str, name: str, manifest: Manifest, job_id: str | None) -> int:
        """Make a run's artifacts the next version of a model, and return its number."""
        client = self.connection.client
        tags = tags_of(manifest) | ({} if job_id is None else {JOB: job_id})
        with self.connection.failures("create the version"):
            self._model(name)
            source = f"{client.get_run(run_id).info.artifact_uri}/{ARTIFACTS}"
            made = client.create_model_version(name, source, run_id=run_id, tags=tags)
            number = int(made.version)
        with suppress(Exception):  # the version is there; how its run is told to stand harms nobody
            client.set_terminated(run_id)
        return number

    def discard(self, run_id: str) -> None:
        """Delete a run that no version speaks of, as far as MLflow can be reached.

        MLflow hides it; its artifacts go with ``mlflow gc``.
        """
        with suppress(Exception):
            self.connection.client.delete_run(run_id)

    def remove(self, name: str, number: int) -> None:
        """Delete a version, and the run that holds its artifacts when that is one of ours."""
        client = self.connection.client
        with self.connection.failures("delete the version"):
            run_id = client.get_model_version(name, str(number)).run_id
            client.delete_model_version(name, str(number))
        with suppress(Exception):
            spoken_for = client.search_model_versions(f"run_id = '{run_id}'", max_results=1)
            if run_id and not spoken_for and DIGEST in client.get_run(run_id).data.tags:
                client.delete_run(run_id)

    def interrupted(self, before: datetime) -> list[str]:
        """Delete the runs of uploads that were interrupted before a moment, and return their ids."""
        client = self.connection.client
        with self.connection.failures("look for interrupted uploads"):
            experiment = client.get_experiment_by_name(self.experiment)
            if experiment is None:
                return []
            moment = to_microseconds(before) // 1000
            query = f"attributes.status = 'RUNNING' and attributes.start_time <= {moment}"
            runs = client.search_runs([experiment.experiment_id], query, max_results=PAGE)
            left = [run.info.run_id for run in runs if DIGEST in run.data.tags]
            gone = []
            for run_id in left:
                if client.search_model_versions(f"run_id = '{run_id}'", max_results=1):
                    client.set_terminated(run_id)
                else:
                    client.delete_run(run_id)
                    gone.append(run_id)
            return gone

    def _experiment(self) -> str:
        client = self.connection.client
        found = client.get_experiment_by_name(self.experiment)
        if found is None:
            try:
                return str(client.create_experiment(self.experiment))
            except Exception:  # another server was faster
                found = client.get_experiment_by_name(self.experiment)
                if found is None:
                    raise
        return str(found.experiment_id)

    def _model(self, name: str) -> None:
        client = self.connection.client
        try:
            client.get_registered_model(name)
        except Exception as error:
            if not is_absent(error):
                raise
            with suppress(Exception):  # another server was faster, else creating the version tells
                client.create_registered_model(name)

    def _scores(self, run_id: str, manifest: Manifest) -> None:
        from mlflow.entities import Metric, Param

        now = time.time_ns() // 1_000_000
        metrics = [Metric(key, value, now, 0) for key, value in list(scores_of(manifest).items())[:500]]
        facts: dict[str, Any] = {
            "model": manifest.model,
            "timeframe": manifest.timeframe,
            "symbols": ", ".join(manifest.symbols),
        }
        params = [Param(key, str(value)[:500]) for key, value in facts.items()]
        self.connection.client.log_batch(run_id, metrics=metrics, params=params)
