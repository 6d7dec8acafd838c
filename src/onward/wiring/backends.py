"""Where attempts of jobs run, and what their workers are given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onward.config.jobs import JobConfig
    from onward.jobs.kinds import JobKind
    from onward.jobs.protocol import JobBackend
    from onward.tasks.services import WorkerServices

__all__ = ["open_backend", "worker_services"]


def open_backend(
    name: str, jobs: JobConfig, kinds: Iterable[JobKind], services: WorkerServices
) -> JobBackend:
    """Return a backend by its name, which runs these kinds of jobs with these services."""
    from onward.tasks.catalog import HELPERS, PRELOAD

    entries = {kind.name: kind.entry for kind in kinds}
    common: dict[str, Any] = {
        "services": f"{__name__}:{worker_services.__name__}",
        "settings": services.to_json(),
        "preload": PRELOAD,
        "fence_seconds": jobs.fence_seconds,
        "spawn_seconds": jobs.spawn_seconds,
    }
    if name == "ray":
        from onward.jobs.ray import RayBackend
        from onward.jobs.ray.times import Times

        return RayBackend(
            entries,
            helpers=jobs.ray_helpers,
            helping=HELPERS,
            address=jobs.ray_address,
            namespace=jobs.ray_namespace,
            cpus=jobs.ray_cpus,
            times=Times.of(jobs),
            **common,
        )
    from onward.jobs.local import LocalBackend
    from onward.jobs.reaper import look_seconds

    orphan_seconds = look_seconds(jobs.orphan_seconds, jobs.lease_seconds)
    return LocalBackend(entries, niceness=jobs.niceness, orphan_seconds=orphan_seconds, **common)


def worker_services(settings: Mapping[str, Any]) -> WorkerServices:
    """Return what a worker may use: no database, and nothing but what its supervisor wrote down."""
    from onward.tasks.services import WorkerServices

    return WorkerServices.from_json(settings)
