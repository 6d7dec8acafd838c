"""Which versions retention no longer keeps: a pure decision."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from onward.errors import RegistryError
from onward.registry.values import Version

__all__ = ["expired_versions"]


def expired_versions(
    versions: Sequence[Version],
    *,
    protected: Iterable[int],
    now: datetime,
    max_versions: int | None,
    max_age_days: float | None,
) -> tuple[Version, ...]:
    """Return the versions that may go, oldest first.

    Parameters
    ----------
    versions
        All versions of one model.
    protected
        Numbers that stay whatever their age: targets of aliases, and what a rollback of each
        alias would restore.
    now
        UTC.
    max_versions
        Versions to keep, the newest ones; protected ones count among them.
    max_age_days
        Days since publishing after which a version goes.

    Raises
    ------
    RegistryError
        When neither limit is given, or one is out of range.
    """
    if max_versions is None and max_age_days is None:
        raise RegistryError(
            "Nothing says what to keep",
            allowed="max_versions, max_age_days or both",
            remedy="Give at least one limit.",
        )
    if max_versions is not None and max_versions < 1:
        raise RegistryError("max_versions is out of range", got=max_versions, allowed="1 or more")
    if max_age_days is not None and not (math.isfinite(max_age_days) and max_age_days >= 0):
        raise RegistryError("max_age_days is out of range", got=max_age_days, allowed="0 or more")
    newest_first = sorted(versions, key=lambda version: version.number, reverse=True)
    beyond = set() if max_versions is None else {v.number for v in newest_first[max_versions:]}
    if max_age_days is not None:
        oldest = now - timedelta(days=min(max_age_days, 36_500))
        beyond |= {v.number for v in newest_first if v.published_at < oldest}
    kept = set(protected)
    return tuple(v for v in reversed(newest_first) if v.number in beyond and v.number not in kept)
