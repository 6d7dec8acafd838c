"""How many jobs a server may take: short ones have places of their own, so none waits behind a training."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Places", "free_places"]


@dataclass(frozen=True)
class Places:
    """Free places.

    Attributes
    ----------
    any
        For jobs of every kind.
    short
        For jobs of short kinds only.
    """

    any: int
    short: int


def free_places(*, concurrency: int, short_places: int, running: int, short_running: int) -> Places:
    """Return what is free.

    Short jobs sit in the places kept for them first; those beyond take places of every kind.

    Parameters
    ----------
    concurrency
        Places for every kind.
    short_places
        Places for short kinds only, beside them.
    running
        Attempts that are held, of any kind.
    short_running
        Those of them whose kind is short.
    """
    beyond = max(0, short_running - short_places)
    taken = running - short_running + beyond
    return Places(max(0, concurrency - taken), max(0, short_places - short_running))
