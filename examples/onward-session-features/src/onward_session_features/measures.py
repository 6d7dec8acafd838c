"""What a session tells about a bar: arrays of one symbol in, arrays out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from onward.types import FloatArray, IntArray

__all__ = ["MEASURES", "Session"]


@dataclass(frozen=True, eq=False)
class Session:
    """The bars of one symbol, and where the session of each began.

    Attributes
    ----------
    bars
        float64 columns ``open high low close volume``.
    first
        Row of the first bar of each bar's session.
    """

    bars: pd.DataFrame
    first: IntArray

    def opened(self) -> FloatArray:
        """Open of the session."""
        return self._array("open")[self.first]

    def close(self) -> FloatArray:
        """Close of the bar."""
        return self._array("close")

    def close_before(self) -> FloatArray:
        """Last close before the session; NaN where the data do not reach back so far."""
        return np.where(self.first > 0, self._array("close")[self.first - 1], np.nan)

    def high(self) -> FloatArray:
        """Highest price of the session so far."""
        return self._so_far(self._array("high"), "cummax")

    def low(self) -> FloatArray:
        """Lowest price of the session so far."""
        return self._so_far(self._array("low"), "cummin")

    def vwap(self) -> FloatArray:
        """Volume-weighted typical price (H + L + C) / 3 of the session so far; NaN without volume."""
        typical = (self._array("high") + self._array("low") + self._array("close")) / 3.0
        volume = self._array("volume")
        return _divided(self._so_far(typical * volume, "cumsum"), self._so_far(volume, "cumsum"))

    def _array(self, column: str) -> FloatArray:
        return self.bars[column].to_numpy(np.float64)

    def _so_far(self, values: FloatArray, how: str) -> FloatArray:
        """Accumulate since the session began; one unknown value makes the rest of it unknown."""
        known = pd.DataFrame({"value": values, "unknown": np.isnan(values)}).groupby(self.first, sort=False)
        total = known["value"].agg(how).to_numpy(np.float64)
        return np.where(known["unknown"].cummax().to_numpy(), np.nan, total)


def _gap(session: Session) -> FloatArray:
    return np.log(session.opened() / session.close_before())


def _from_open(session: Session) -> FloatArray:
    return np.log(session.close() / session.opened())


def _from_vwap(session: Session) -> FloatArray:
    return np.log(session.close() / session.vwap())


def _range_position(session: Session) -> FloatArray:
    low = session.low()
    return _divided(session.close() - low, session.high() - low)


def _divided(above: FloatArray, below: FloatArray) -> FloatArray:
    out = np.full(len(above), np.nan)
    np.divide(above, below, out=out, where=below > 0.0)
    return out


MEASURES: Mapping[str, Callable[[Session], FloatArray]] = MappingProxyType(
    {
        "gap": _gap,
        "from_open": _from_open,
        "from_vwap": _from_vwap,
        "range_position": _range_position,
    }
)
"""Measures by name.

``gap``: log of the session's open over the last close before it. ``from_open``, ``from_vwap``: log
of the close over the session's open, over its volume-weighted average price so far.
``range_position``: where the close stands between the session's low (0) and high (1) so far.
"""
