"""Primary signals: who says long or short, so that a second model can say whether to follow.

A signal is 1 (long), -1 (short), 0 (stay out) or NaN (not known yet) for every bar, known at the
bar's decision time. It is one of

- a rule of this module, by name;
- ``series:NAME`` or ``series:NAME.COLUMN``: a side series of the market, joined to the bars by
  the time at which each value became available;
- a function that takes a market, itself or as ``module:function``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from onward.addresses import load_address
from onward.errors import LabelError, about_setting, nearest
from onward.labels.horizon import by_symbol
from onward.types import FloatArray, Market

__all__ = [
    "RULES",
    "Signal",
    "breakout",
    "mean_reversion",
    "momentum",
    "rule_lookback",
    "signal_address",
    "signal_function",
    "signal_values",
]

Signal: TypeAlias = str | Callable[[Market], Any]
STRETCHED = 1.0
"""Deviations from the trailing mean beyond which `mean_reversion` speaks."""


def momentum(market: Market, window_bars: int) -> FloatArray:
    """Return the direction of the last ``window_bars`` bars: 1, -1, or 0 when the price stands."""
    return by_symbol(market, lambda close: np.sign(close - _earlier(close, window_bars)))


def mean_reversion(market: Market, window_bars: int) -> FloatArray:
    """Return the way back to the mean of the last ``window_bars`` closes, 0 within one deviation."""
    from onward.kernels.rolling import rolling_zscore

    def signal(close: FloatArray) -> FloatArray:
        stretch = rolling_zscore(close, max(2, window_bars))
        return np.where(np.isnan(stretch), np.nan, -np.sign(stretch) * (np.abs(stretch) > STRETCHED))

    return by_symbol(market, signal)


def breakout(market: Market, window_bars: int) -> FloatArray:
    """Return 1 above the highest, -1 below the lowest of the ``window_bars`` closes before, else 0."""
    from onward.kernels.rolling import rolling_max, rolling_min

    def signal(close: FloatArray) -> FloatArray:
        top = _earlier(rolling_max(close, window_bars), 1)
        bottom = _earlier(rolling_min(close, window_bars), 1)
        known = np.isfinite(close) & np.isfinite(top)
        return np.where(known, (close > top) * 1.0 - (close < bottom), np.nan)

    return by_symbol(market, signal)


RULES: Mapping[str, Callable[[Market, int], FloatArray]] = MappingProxyType(
    {"momentum": momentum, "mean_reversion": mean_reversion, "breakout": breakout}
)
"""Rules by name."""


def signal_values(signal: Signal, market: Market, window_bars: int) -> FloatArray:
    """Return a signal's value for every bar: 1, -1, 0, NaN where it is not known yet.

    Parameters
    ----------
    signal
        See this module. A function's result is an array or Series of the market's length; that it
        knows nothing of the future is its author's promise; every audit tests it.
    market
        Bars and side series.
    window_bars
        Bars that a rule of this module looks back.

    Raises
    ------
    LabelError
        When there is no such rule, series or function, or its values are no signal.
    SeriesError
        When the market has no such side series.
    """
    values = signal_function(signal, window_bars)(market)
    return _checked(values, market, signal_address(signal))


def signal_function(signal: Signal, window_bars: int) -> Callable[[Market], Any]:
    """Return the function of a market behind a signal; nobody has checked what it returns.

    An audit wants it bare: on side values that it made up, an honest signal may well say 3.7.

    Parameters
    ----------
    signal
        See this module.
    window_bars
        Bars that a rule of this module looks back.

    Raises
    ------
    LabelError
        When there is no such rule or function.
    """
    if callable(signal):
        return signal
    if signal in RULES:
        return partial(_ruled, rule=RULES[signal], window_bars=window_bars)
    if signal.startswith("series:"):
        return partial(_from_series, signal=signal)
    if ":" in signal:
        return _imported(signal)
    close = nearest(signal, RULES)
    raise LabelError(
        "a primary signal of this name is not known",
        got=repr(signal),
        allowed=", ".join(RULES) + ", series:NAME, series:NAME.COLUMN, module:function",
        remedy=f"Did you mean {close!r}?" if close else "Name a rule, a side series or a function.",
        settings=("signal",),
    )


def rule_lookback(signal: Signal, window_bars: int) -> int:
    """Return the bars that a rule of this module needs, the bar itself included; 1 for other signals."""
    return window_bars + 1 if isinstance(signal, str) and signal in RULES else 1


def signal_address(signal: Signal) -> str:
    """Return the text by which a signal is found again; a local function is found by nobody."""
    if isinstance(signal, str):
        return signal
    name = getattr(signal, "__qualname__", type(signal).__qualname__)
    return f"{getattr(signal, '__module__', type(signal).__module__)}:{name}"


def _ruled(market: Market, rule: Callable[[Market, int], FloatArray], window_bars: int) -> FloatArray:
    return rule(market, window_bars)


def _from_series(market: Market, signal: str) -> FloatArray:
    from onward.data.availability import as_of

    name, _, column = signal.removeprefix("series:").partition(".")
    with about_setting("signal"):
        frame = as_of(market, name)
    if not column and len(frame.columns) == 1:
        column = str(frame.columns[0])
    if column not in frame.columns:
        close = nearest(column, list(frame.columns))
        raise LabelError(
            f"the side series {name!r} has no such column of signals",
            got=repr(column) if column else "no column, though the series has several",
            allowed=", ".join(f"series:{name}.{known}" for known in frame.columns),
            remedy=f"Did you mean 'series:{name}.{close}'?" if close else "Name one of its columns.",
            settings=("signal",),
        )
    return frame[column].to_numpy(np.float64)


def _imported(address: str) -> Callable[[Market], Any]:
    found = load_address(address, "a primary signal", LabelError)
    if not callable(found):
        raise LabelError(
            "a primary signal is not a function",
            got=f"{address}, a {type(found).__name__}",
            allowed="a function that takes a market",
            remedy="Name the function itself.",
            settings=("signal",),
        )
    function: Callable[[Market], Any] = found
    return function


def _checked(values: Any, market: Market, where: str) -> FloatArray:
    if isinstance(values, pd.Series) and not values.index.equals(market.index):
        raise _refused(where, f"a Series with another index ({len(values)} rows)")
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise _refused(where, f"{type(values).__name__}: {error}") from error
    if array.shape != (len(market),):
        raise _refused(where, f"shape {array.shape}")
    strange = array[~(np.isnan(array) | np.isin(array, (-1.0, 0.0, 1.0)))]
    if len(strange):
        raise _refused(where, f"{len(strange)} other values, the first {strange[0]:g}")
    return array


def _refused(where: str, got: str) -> LabelError:
    return LabelError(
        f"{where} gives no primary signal",
        got=got,
        allowed="one value a bar: 1 (long), -1 (short), 0 (stay out), NaN (not known yet)",
        remedy="Return np.sign(...) of what the rule computes, an array as long as the market.",
        settings=("signal",),
    )


def _earlier(values: FloatArray, bars: int) -> FloatArray:
    out = np.full(len(values), np.nan)
    out[bars:] = values[:-bars] if bars < len(values) else np.nan
    return out
