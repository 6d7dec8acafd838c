"""What became of a version that a job promised at its end; light, since jobs are shown with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from onward.errors import RegistryError
from onward.jobs.values import Job

if TYPE_CHECKING:
    from onward.registry import RunStore

__all__ = ["is_promised", "published"]


def is_promised(job: Job) -> bool:
    """Return whether the result of a job promises a version and cannot name it."""
    result = job.result or {}
    return bool(result.get("posted")) and result.get("model") is None


def published(job: Job, runs: Callable[[], RunStore]) -> Job:
    """Return a job whose result names the version that was promised, once it is published.

    A job that has ended does not change any more; its run is told of the version when it is there.

    Parameters
    ----------
    job
        Of any kind.
    runs
        Gives the runs; asked only for a job with a promise.
    """
    if not is_promised(job):
        return job
    assert job.result is not None
    try:
        version = runs().get(str(job.result.get("run"))).record.model_ref
    except RegistryError:  # a run of another database
        return job
    if version is None:
        return job
    return replace(job, result={**job.result, "model": version, "alias": job.result["posted"].get("alias")})
