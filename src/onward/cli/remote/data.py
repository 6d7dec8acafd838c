"""Market data of a server: what is stored there, and files that are sent there."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onward.client import StoredSeries
from onward.errors import StorageError

if TYPE_CHECKING:
    from onward.client import OnwardClient
    from onward.jobs.values import Job

__all__ = ["RemoteData", "RemoteRemover", "sent"]


@dataclass(frozen=True)
class RemoteCoverage(StoredSeries):
    """What is stored, in the shape of `onward.data.repositories.Coverage`."""

    told: Any = None

    def to_dict(self) -> Any:
        """Return it as the server said it."""
        return self.told


class RemoteData:
    """What is stored on a server."""

    def __init__(self, client: OnwardClient) -> None:
        self._client = client

    def coverage(self) -> list[RemoteCoverage]:
        """Return how far everything stored reaches."""
        return [RemoteCoverage.of({**told, "told": told}) for told in self._client.coverage()]


@dataclass(frozen=True)
class RemoteRemoval:
    """What a removal takes away, in the shape of `onward.tasks.removing.Removal`."""

    told: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return it as the server said it."""
        return self.told


class RemoteRemover:
    """Removes what is stored on a server, in the shape of `onward.tasks.removing.SeriesRemover`."""

    def __init__(self, client: OnwardClient) -> None:
        self._client = client

    def look(self, kind: str, symbol: str, **part: str | None) -> RemoteRemoval:
        """Return what a removal would take away."""
        return RemoteRemoval(self._client.removal(symbol, part, kind=kind, dry_run=True))

    def remove(self, kind: str, symbol: str, **part: str | None) -> RemoteRemoval:
        """Remove a series or a range of it."""
        return RemoteRemoval(self._client.removal(symbol, part, kind=kind))


def sent(
    client: OnwardClient,
    file: Path,
    *,
    symbol: str | None,
    timeframe: str | None,
    format_: str | None,
    dry_run: bool,
) -> dict[str, Any]:
    """Send a file and wait until it is stored; return what a local import says.

    Raises
    ------
    OnwardError
        As a local import would; `StorageError` when the server's job fails otherwise.
    """
    reply = client.import_data(
        file, symbol=symbol, timeframe=timeframe, format=format_, dry_run=dry_run, wait=not dry_run
    )
    stored: Any = []
    if reply.job is not None:
        for _ in client.watch(reply.job.id, after=0) if reply.job.finished_at is None else ():
            pass
        stored = _outcome(client.job(reply.job.id))["stored"]
    read = asdict(reply.read)
    return {
        **read,
        "file": str(file),
        "symbols": list(read["symbols"]),
        "first": reply.read.first.isoformat(),
        "last": reply.read.last.isoformat(),
        "repairs": list(read["repairs"]),
        "strays": list(read["strays"]),
        "stored": stored,
    }


def _outcome(job: Job) -> Any:
    from onward.cli.jobs.outcome import problem_of

    if job.state == "failed":
        raise problem_of(job)
    if job.state != "succeeded":
        raise StorageError(
            "the file was not stored",
            got=f"job {job.id} is {job.state}",
            remedy=f"Try it again: onward jobs retry {job.id}",
        )
    return job.result
