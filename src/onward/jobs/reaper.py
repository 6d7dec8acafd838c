"""Taking over the jobs of owners that fell silent; who is silent is decided without wall clocks."""

from __future__ import annotations

from collections.abc import Iterable

from onward.jobs.values import Lease

__all__ = ["SilenceWatch", "look_seconds"]


def look_seconds(wished: float, lease_seconds: float) -> float:
    """Return how long one look at what a dead owner left may take, in seconds.

    A longer one would pass for a suspension of whoever watches, and everybody be watched anew.
    """
    return min(wished, lease_seconds / 4)


class SilenceWatch:
    """Remembers since when the heartbeat of each lease has stood still.

    Time is the monotonic clock of whoever watches, so neither a changed clock nor a slow one
    elsewhere matters. A database that was away proves nothing about anybody, so after each of its
    errors everybody is watched anew (`forget`); and after half that time without a look, since
    whoever watches was suspended then, and perhaps everybody with him.

    Parameters
    ----------
    seconds
        Silence after which a lease is lost.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: dict[Lease, float] = {}
        self._looked = float("-inf")

    def silent(self, leases: Iterable[Lease], now: float) -> list[Lease]:
        """Take in what is held now, and return the leases that stood still for too long.

        Parameters
        ----------
        leases
            All that are held, from ``JobStore.leases``.
        now
            Monotonic seconds.
        """
        if now - self._looked > self._seconds / 2:
            self.forget()
        self._looked = now
        # A lease with another heartbeat number, attempt or owner is another key: seen for the first time.
        self._since = {lease: self._since.get(lease, now) for lease in leases}
        return [lease for lease, since in self._since.items() if now - since >= self._seconds]

    def quiet(self, now: float, seconds: float) -> list[Lease]:
        """Return the leases that stand still for so long, of those that were taken in last."""
        return [lease for lease, since in self._since.items() if now - since >= seconds]

    def due(self, now: float) -> float:
        """Return the seconds until the next lease is lost, unless it is renewed; infinite without any."""
        return min((since + self._seconds - now for since in self._since.values()), default=float("inf"))

    def forget(self) -> None:
        """Begin to watch anew: what was seen proves nothing any more."""
        self._since.clear()
