"""When to look again at what takes its time: at once, soon, and then less and less often."""

from __future__ import annotations

__all__ = ["Gaps"]


class Gaps:
    """Decides when the next look is due: the first at once, then after gaps that double.

    Parameters
    ----------
    first, longest
        Seconds of the first gap, and which none exceeds.
    """

    def __init__(self, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self.restart()

    def restart(self) -> None:
        """Begin anew, with a look at once."""
        self._gap = self._first
        self._due = float("-inf")

    def soon(self, now: float) -> None:
        """Let gaps begin anew from this second on: what was seen has changed."""
        self._due = now + self._first
        self._gap = 2.0 * self._first

    def take(self, now: float) -> bool:
        """Return whether a look is due at this second, and if so count it as made."""
        if now < self._due:
            return False
        self._due = now + self._gap
        self._gap = min(2.0 * self._gap, self._longest)
        return True

    def left(self, now: float) -> float:
        """Return the seconds until the next look."""
        return max(0.0, self._due - now)
