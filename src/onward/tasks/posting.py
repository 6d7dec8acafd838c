"""How the end of a job makes its model known: at once in our own database, or by a promise elsewhere.

What a promise has come to is told by `onward.tasks.promised`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from onward.database.acting import Actor, acting
from onward.errors import OnwardError
from onward.jobs.kinds import JobKind
from onward.jobs.values import Job
from onward.registry import PlacedBundle, PostingRegistry, TransactionalRegistry
from onward.registry.values import Posting

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["announced", "deliver", "delivering_kind"]

_log = logging.getLogger(__name__)

SWEEP_SECONDS = 24 * 3600.0


def announced(
    registry: TransactionalRegistry | PostingRegistry,
    connection: Connection,
    job: Job,
    placed: PlacedBundle,
    warnings: list[str],
) -> dict[str, Any]:
    """Publish a placed bundle inside the terminal transaction of its job, or promise to.

    Returns
    -------
    dict
        Parts of the job's result: ``model`` and ``alias``, None where nobody can know them yet;
        ``posted`` says then what will be published; ``warnings``, with one more when the alias was
        refused because of the audit.
    """
    spec, passed = job.request.spec, placed.manifest.certificate.status == "passed"
    alias = spec["alias"] if passed else None
    told: dict[str, Any] = {}
    if isinstance(registry, TransactionalRegistry):
        version = registry.insert(connection, placed)
        told |= {"model": version.ref, "alias": alias}
        if alias is not None:
            with acting(Actor(f"job:{job.id}", spec["actor"])):
                registry.insert_alias(connection, version, alias, spec["actor"], f"job {job.id}")
        shown = version.ref
    else:
        registry.post(connection, placed, Posting(job.id, alias, spec["actor"]))
        told["posted"] = {"model": placed.name, "alias": alias, "digest": placed.manifest.digest}
        shown = f"this version of {placed.name}"
    if spec["alias"] is not None and not passed:
        status = placed.manifest.certificate.status.replace("_", " ")
        refused = f"The alias {spec['alias']} was not given: the leak audit of {shown} reads {status}."
        told["warnings"] = [*warnings, refused]
    return told


def deliver(registry: object) -> None:
    """Publish what was promised, if the registry works so; what does not come about is tried again later."""
    if isinstance(registry, PostingRegistry):
        try:
            registry.deliver()
        except OnwardError as error:
            _log.warning("models that jobs made are not published yet: %s", error)


def delivering_kind(
    kind: JobKind, registry: Callable[[], TransactionalRegistry | PostingRegistry]
) -> JobKind:
    """Return a kind with which, now and then, promises are kept that a server died before keeping.

    Once a day goes what interrupted publishing left.
    """
    due = time.monotonic() + SWEEP_SECONDS / 24

    def mend(look: Callable[[str], Job | None]) -> None:
        nonlocal due
        kind.mend(look)
        deliver(registry())
        if time.monotonic() >= due:
            due = time.monotonic() + SWEEP_SECONDS
            try:
                registry().sweep_orphans()
            except OnwardError as error:  # a registry that is away keeps nothing else from being mended
                _log.warning("what interrupted publishing left was not swept: %s", error)

    return replace(kind, mend=mend)
