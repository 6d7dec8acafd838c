"""Publishing jobs whose whole result is one file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onward.jobs.kinds import Publication
from onward.jobs.values import Job
from onward.tasks.outputs import Delivery, target_of, written
from onward.tasks.services import SupervisorServices

__all__ = ["publish_file"]


def publish_file(
    services: SupervisorServices, job: Job, manifest: Mapping[str, Any], directory: Path, name: str
) -> Publication:
    """Move the file of an attempt to where the request wants it, visible with the job's end."""
    target = target_of(services.outputs, job, Path(name).suffix)
    delivery = Delivery.prepare(job, manifest, directory, name, target, force=job.request.spec["force"])

    def on_commit(connection: object) -> Mapping[str, Any]:  # noqa: ARG001 - nothing goes into the database
        delivery.commit()
        return {"written": written(services.home.root, target)}

    return Publication(on_commit, delivery.abandon)
