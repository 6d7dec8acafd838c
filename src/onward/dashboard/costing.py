"""Looks up the earlier job by which the time of a whole new one is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from onward.dashboard.views.run_cost import Precedent
from onward.jobs.precedents import alike
from onward.jobs.values import JobRequest
from onward.tasks.likeness import likeness

if TYPE_CHECKING:
    from onward.jobs.protocol import JobStore
    from onward.registry.runs import RunStore

__all__ = ["earlier"]


def earlier(store: JobStore, runs: RunStore, kind: str, spec: Mapping[str, Any]) -> Precedent | None:
    """Return the newest job that succeeded and is most like a request; None without any.

    Asks the database twice, whatever it holds.

    Parameters
    ----------
    store, runs
        Of this home.
    kind
        ``train`` or ``tune``.
    spec
        Of the request, as far as it says what is to be done: ``plan``, ``plan_hash``, ``data``,
        ``series`` and ``audit``.
    """
    found = alike(store, JobRequest(kind=kind, spec=spec), likeness)
    if found is None or found.started_at is None or found.finished_at is None:
        return None
    trained = runs.of_job(found.id)
    bars = trained[-1].record.data.get("bars") if trained else None
    return Precedent(
        id=found.id,
        seconds=(found.finished_at - found.started_at).total_seconds(),
        rows=bars if isinstance(bars, int) else None,
        same=found.request.spec.get("plan_hash") == spec["plan_hash"],
    )
