"""Which bar of the market each signal belongs to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from onward.errors import DataError
from onward.types import FloatArray, IntArray, Market, to_ns

__all__ = ["Signals", "aligned"]

PROBABILITIES = ("down", "range", "up")


@dataclass(frozen=True, eq=False)
class Signals:
    """What was said at each bar of a market, NaN where nothing was.

    Attributes
    ----------
    side
        Signal: -1, 0, 1 or a share in between, shape (n_bars,).
    probability
        Probabilities of down, range, up, shape (n_bars, 3); None when none were given.
    """

    side: FloatArray
    probability: FloatArray | None


def aligned(market: Market, signals: pd.Series | pd.DataFrame) -> Signals:
    """Return signals in the order of the market's bars; signals of unknown bars are ignored.

    Parameters
    ----------
    market
        The bars.
    signals
        By (symbol, open time) of the deciding bar. A Series holds sides or target positions. A
        DataFrame holds ``signal``, or ``down range up``, or both (as predictions do); without
        ``signal`` the side is that of the most probable class.

    Raises
    ------
    DataError
        When they are not indexed by bars, a bar has two, columns are missing, values are infinite,
        or probabilities are none.
    """
    if not isinstance(signals, pd.Series | pd.DataFrame):
        raise DataError(
            "Signals must be a pandas Series or DataFrame",
            got=type(signals).__name__,
            remedy="Pass what a model predicts, or one value a bar.",
        )
    rows, places = _places(market, signals.index)
    if isinstance(signals, pd.Series):
        return Signals(_placed(market, rows, places, _numbers(signals, "signal")), None)
    has_probabilities = all(name in signals.columns for name in PROBABILITIES)
    if not has_probabilities and "signal" not in signals.columns:
        raise DataError(
            "The signals have no column to act on",
            got=", ".join(map(str, signals.columns)) or "no column",
            allowed="signal, or down, range and up",
        )
    probability = None
    if has_probabilities:
        columns = [_numbers(signals[name], name) for name in PROBABILITIES]
        probability = np.column_stack([_placed(market, rows, places, column) for column in columns])
        known = probability[~np.isnan(probability).any(axis=1)]
        if len(known) and ((known < 0.0).any() or np.abs(known.sum(axis=1) - 1.0).max() > 1e-3):
            raise DataError(
                "Signals hold values that are no probabilities",
                got=known[(known < 0.0).any(axis=1) | (np.abs(known.sum(axis=1) - 1.0) > 1e-3)][0].tolist(),
                allowed="down, range and up, 0 or more each, 1 together",
            )
    if "signal" in signals.columns:
        side = _placed(market, rows, places, _numbers(signals["signal"], "signal"))
    else:
        assert probability is not None
        said = ~np.isnan(probability).any(axis=1)
        side = np.full(len(market), np.nan)
        side[said] = probability[said].argmax(axis=1) - 1.0
    return Signals(side, probability)


def _numbers(column: pd.Series, name: str) -> FloatArray:
    try:
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise DataError(f"The signals' column {name!r} holds something that is no number") from None
    if np.isinf(values).any():
        raise DataError("A signal is infinite", allowed="a share of equity, or NaN for none")
    return values


def _placed(market: Market, rows: IntArray, places: IntArray, values: FloatArray) -> FloatArray:
    out = np.full(len(market), np.nan)
    out[places] = values[rows]
    return out


def _places(market: Market, index: pd.Index) -> tuple[IntArray, IntArray]:
    """Return positions of signals that belong to a bar, and the rows of those bars."""
    if not isinstance(index, pd.MultiIndex) or index.nlevels != 2:
        raise DataError(
            "Signals are not indexed by bars",
            got=f"an index of {index.nlevels} level(s)",
            allowed="(symbol, open time)",
            remedy="Index the signals like the market's bars.",
        )
    try:
        stamps = to_ns(pd.DatetimeIndex(index.levels[1]))[np.asarray(index.codes[1])]
    except (TypeError, ValueError):
        raise DataError("The signals' second index level holds no times", allowed="open times, UTC") from None
    codes = np.asarray(index.codes[0])
    found: list[IntArray] = []
    at: list[IntArray] = []
    for code, symbol in enumerate(index.levels[0]):
        rows = market.rows.get(str(symbol))
        if rows is None:
            continue
        mine = np.flatnonzero(codes == code)
        times = market.open_time_ns[rows]
        place = np.searchsorted(times, stamps[mine])
        there = place < len(times)
        there[there] = times[place[there]] == stamps[mine][there]
        if np.bincount(place[there], minlength=1).max() > 1:
            raise DataError(
                "A bar has two signals",
                got=f"symbol {symbol}",
                allowed="one signal a bar",
                remedy="Drop the duplicates.",
            )
        found.append(mine[there])
        at.append(rows.start + place[there])
    nothing = np.zeros(0, dtype=np.int64)
    return np.concatenate([nothing, *found]), np.concatenate([nothing, *at])
