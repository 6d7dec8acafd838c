"""Which builds were compared with featuretools in this process, so that none is compared twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from onward.types import Market

__all__ = ["ComparedBuilds"]


class ComparedBuilds:
    """Bars that were compared, by stage, symbols and first bar.

    Parameters
    ----------
    limit
        Builds that are remembered, the newest: a server that trains for months on a moving range
        meets a new first bar every time.
    """

    def __init__(self, limit: int = 1_000) -> None:
        self.limit = limit
        self._n_rows: dict[str, int] = {}

    def __len__(self) -> int:
        """Return how many builds are remembered."""
        return len(self._n_rows)

    def covers(self, spec: Mapping[str, Any], market: Market) -> bool:
        """Return whether the stage of a specification was compared on as many bars from the same first."""
        return len(market) <= self._n_rows.get(_key(spec, market), 0)

    def note(self, spec: Mapping[str, Any], market: Market) -> None:
        """Remember a comparison; the oldest is forgotten when there are too many."""
        self._n_rows[_key(spec, market)] = len(market)
        for oldest in list(self._n_rows)[: -self.limit]:
            self._n_rows.pop(oldest, None)


def _key(spec: Mapping[str, Any], market: Market) -> str:
    first = int(market.open_time_ns.min())
    text = json.dumps([dict(spec), first, market.symbols], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
