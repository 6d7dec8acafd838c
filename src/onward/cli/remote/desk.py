"""Handing jobs in at a server, in the shape of a `JobDesk`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from onward.errors import UserError

if TYPE_CHECKING:
    from onward.client import OnwardClient
    from onward.jobs.values import Submission

__all__ = ["RemoteDesk"]

KINDS: Mapping[str, str] = {"train": "training", "tune": "tuning", "features": "feature", "import": "import"}
"""Kind of a job -> the kind that its address names."""


class RemoteDesk:
    """Takes jobs to a server."""

    def __init__(self, client: OnwardClient) -> None:
        self._client = client

    def submit(
        self,
        kind: str,
        spec: Mapping[str, Any],
        *,
        idempotency_key: str | None = None,
        run_after: datetime | None = None,
        **conditions: Any,
    ) -> Submission:
        """Submit a job; as `JobDesk.submit`.

        Raises
        ------
        UserError
            When servers take no jobs of this kind.
        """
        if kind not in KINDS:
            raise UserError(
                "servers take no jobs of this kind",
                got=kind,
                allowed=", ".join(KINDS),
                remedy="Submit it on the server's machine, without --server.",
            )
        given = {name: value for name, value in conditions.items() if value is not None}
        if run_after is not None:
            given["run_after"] = run_after.isoformat()
        return self._client.submit(KINDS[kind], {**spec, **given}, key=idempotency_key)

    def retry(
        self,
        job_id: str,
        *,
        fresh: bool = False,
        run_after: datetime | None = None,
        idempotency_key: str | None = None,
        **limits: Any,
    ) -> Submission:
        """Submit the request of an ended job again; as `JobDesk.retry`."""
        return self._client.retry(job_id, fresh=fresh, run_after=run_after, key=idempotency_key, **limits)
