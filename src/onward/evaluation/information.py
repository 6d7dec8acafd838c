"""Information coefficient: how far predictions order what comes true, moment by moment.

Of a panel it is the correlation across symbols at one decision time (Grinold 1989; Grinold and
Kahn, *Active Portfolio Management*, 2000, ch. 6): does the model tell which symbol will do better
than the others? What moves all symbols together cancels out. A single symbol has nothing to be
compared with, so its correlations are taken along time, block by block.

Coefficients of neighbouring moments share returns where outcomes overlap. Two t statistics allow
for it: one counts moments by the average uniqueness of their outcomes (López de Prado 2018, 4.4),
the other estimates the long-run variance (Newey and West 1987, *Econometrica* 55).
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from onward.errors import ConfigError, LabelError, ModelError, NotEnoughDataError
from onward.evaluation.realised import realised_return, returns_ahead
from onward.kernels.forward import UNKNOWN_TIME
from onward.kernels.intervals import uniqueness_at
from onward.types import FloatArray, IntArray, Market, Spans, from_ns

__all__ = ["InformationCoefficient", "information_coefficient", "information_decay", "realised_return"]

ROWS_A_BLOCK = 10
"""Fewest rows of which a correlation along time is taken."""


@dataclass(frozen=True, eq=False)
class InformationCoefficient:
    """Correlations of predictions and outcomes, and what they add up to.

    Attributes
    ----------
    across
        ``symbols``: one correlation a decision time; ``time``: one a block of time.
    moments
        One row a decision time (of a block: its first one), index ``decision_time`` (UTC, ascending):
        ``ic`` (Pearson), ``rank_ic`` (Spearman, ties share their mean rank), ``n_rows`` that were
        correlated and ``outcome_time`` (UTC) at which the last outcome was known. NaN where fewer
        symbols than required were known, or one side did not vary.
    summary
        Rows ``ic`` and ``rank_ic``, columns: ``mean``, ``deviation`` (n - 1), ``icir`` = mean /
        deviation, ``t`` = icir x sqrt(effective_n), ``t_newey_west``, ``share_positive``,
        ``n_moments`` that are not NaN, and ``effective_n``: independent ones among them. Figures
        that are not defined are NaN.
    lags
        Autocovariances in ``t_newey_west``.
    n_left_out
        Rows left out because prediction or outcome was NaN.
    """

    across: Literal["symbols", "time"]
    moments: pd.DataFrame
    summary: pd.DataFrame
    lags: int
    n_left_out: int


def information_coefficient(
    prediction: Any,
    outcome: Any,
    spans: Spans,
    *,
    across: Literal["symbols", "time"] | None = None,
    min_symbols: int = 3,
    blocks: int = 10,
    lags: int | None = None,
) -> InformationCoefficient:
    """Return how predictions and realised outcomes correlate, and how sure that is.

    Parameters
    ----------
    prediction
        What was predicted, higher for a higher outcome, such as the probability of up less that
        of down: an array of shape (n,), or a Series with the index of ``spans``. Out-of-fold
        predictions, or the figure says nothing. NaN = left out.
    outcome
        What came true, such as `realised_return`; shape (n,). NaN = left out.
    spans
        Spans of the outcomes: which rows belong to one moment, and which outcomes overlap.
    across
        ``symbols`` compares symbols at each moment, ``time`` takes the correlation along time in
        ``blocks``; None: symbols where there are several.
    min_symbols
        Fewest symbols with a known prediction and outcome for a moment to count, at least 2. With
        two, a correlation is 1 or -1.
    blocks
        Stretches of about equally many rows for correlations along time, at least 2.
    lags
        Autocovariances in ``t_newey_west``; None: as many later moments as an outcome reaches
        into.

    Returns
    -------
    InformationCoefficient
        ``t`` is the one to go by: exact where coefficients are tied by shared returns alone, and
        on the strict side where predictions change faster than outcomes. Newey and West's weights
        fall with the lag, so ``t_newey_west`` is about 1.2 times too large where they are slow.

    Raises
    ------
    ModelError
        When shapes or indices disagree, or values are infinite or no numbers.
    LabelError
        When a span has no length, or a symbol has two rows at one moment.
    ConfigError
        When an option is out of range, or several symbols are to be taken along time.
    NotEnoughDataError
        When no moment has enough symbols, or a block too few rows.
    """
    smallest = _count("min_symbols", min_symbols, 2)
    n_blocks = _count("blocks", blocks, 2)
    n_lags = None if lags is None else _count("lags", lags, 0)
    x = _values("predictions", prediction, spans)
    y = _values("outcomes", outcome, spans)
    symbol = _symbols(spans)
    kind = _across(across, symbol)
    if np.any(spans.end <= spans.start):
        raise LabelError(
            "a span has no length",
            got=f"the span of {spans.index[int(np.flatnonzero(spans.end <= spans.start)[0])]}",
            allowed="outcomes that end after the decision",
        )
    if pd.MultiIndex.from_arrays([symbol, spans.start]).has_duplicates:
        raise LabelError(
            "a symbol has two rows at one moment",
            got=f"{len(spans)} spans",
            allowed="one row a decision time",
        )
    known = np.flatnonzero(~(np.isnan(x) | np.isnan(y)))
    known = known[np.argsort(spans.start[known], kind="stable")]
    code = (
        np.unique(spans.start[known], return_inverse=True)[1]
        if kind == "symbols"
        else _blocks(len(known), n_blocks)
    )
    moments = _moments(x[known], y[known], code, spans.start[known], spans.end[known])
    if kind == "symbols":
        if not (moments["n_rows"] >= smallest).any():
            raise NotEnoughDataError(
                "no moment has enough symbols to compare",
                got=f"at most {moments['n_rows'].max() if len(moments) else 0} with prediction and outcome",
                allowed=f"min_symbols = {smallest} or more",
                remedy="Lower min_symbols, or select one symbol and take it along time.",
            )
        moments.loc[moments["n_rows"] < smallest, ["ic", "rank_ic"]] = np.nan
    start, end = spans.start[known], spans.end[known]
    summary, n_lags = _summary(moments, np.unique(np.concatenate((start, end))), n_lags)
    return InformationCoefficient(kind, _stamped(moments), summary, n_lags, len(x) - len(known))


def information_decay(
    prediction: Any,
    spans: Spans,
    market: Market,
    *,
    horizons_bars: Sequence[int] = (1, 2, 4, 8, 16, 32),
    across: Literal["symbols", "time"] | None = None,
    min_symbols: int = 3,
    blocks: int = 10,
) -> pd.DataFrame:
    """Return how much a prediction still tells about returns over other horizons.

    Parameters
    ----------
    prediction, spans
        As in `information_coefficient`; of the spans only the decision times count.
    market
        Market whose closes give the returns: log return from the decision time's bar to the bar
        ``horizon`` bars later, of the same symbol.
    horizons_bars
        Bars ahead, each at least 1.
    across, min_symbols, blocks
        As in `information_coefficient`.

    Returns
    -------
    DataFrame
        Index ``horizon_bars``; columns ``ic``, ``rank_ic`` (means), ``icir``, ``rank_icir``, ``t``,
        ``rank_t``, ``n_moments``, ``effective_n``. Rows whose return lies beyond the data are left
        out of that horizon.

    Raises
    ------
    ConfigError
        When a horizon is not a positive whole number.
    ModelError, LabelError, NotEnoughDataError
        As in `information_coefficient`; also when decision times are not those of bars.
    """
    horizons = [_count("horizons_bars", horizon, 1) for horizon in horizons_bars]
    score = _values("predictions", prediction, spans)
    kind = _across(across, _symbols(spans))
    rows: list[dict[str, Any]] = []
    for horizon in horizons:
        outcome, end = returns_ahead(market, spans, horizon)
        inside = end != UNKNOWN_TIME
        if not inside.any():
            raise NotEnoughDataError(
                "no return over this horizon lies within the data",
                got=f"{horizon} bars",
                allowed=f"fewer bars than follow the first of the {len(spans)} rows",
                remedy="Leave the horizon out, or give more bars.",
            )
        taken = Spans(spans.index[inside], spans.start[inside], end[inside])
        found = information_coefficient(
            score[inside], outcome[inside], taken, across=kind, min_symbols=min_symbols, blocks=blocks
        ).summary
        ic, rank = found.loc["ic"], found.loc["rank_ic"]
        rows.append(
            {
                "ic": ic["mean"],
                "rank_ic": rank["mean"],
                "icir": ic["icir"],
                "rank_icir": rank["icir"],
                "t": ic["t"],
                "rank_t": rank["t"],
                "n_moments": int(ic["n_moments"]),
                "effective_n": ic["effective_n"],
            }
        )
    return pd.DataFrame(rows, index=pd.Index(horizons, name="horizon_bars"))


def _moments(x: FloatArray, y: FloatArray, code: IntArray, start: IntArray, end: IntArray) -> pd.DataFrame:
    """Return one row a group: its correlations, rows, and the times at which it begins and ends."""
    columns = {"x": x, "y": y, "start": start, "end": end}
    groups = pd.DataFrame(columns).groupby(code, sort=True)
    rank_ic = _correlations(groups["x"].rank().to_numpy(), groups["y"].rank().to_numpy(), code)
    # Ranks tell without rounding whether a side varies; the mean of equal values need not be exact.
    ic = np.where(np.isnan(rank_ic), np.nan, _correlations(x, y, code))
    return pd.DataFrame(
        {
            "ic": ic,
            "rank_ic": rank_ic,
            "n_rows": groups.size().to_numpy(np.int64),
            "start": groups["start"].min().to_numpy(np.int64),
            "end": groups["end"].max().to_numpy(np.int64),
        }
    )


def _correlations(x: FloatArray, y: FloatArray, code: IntArray) -> FloatArray:
    """Return Pearson's correlation of every group; NaN where a side does not vary."""
    count = np.bincount(code)
    x = x - (np.bincount(code, x) / count)[code]
    y = y - (np.bincount(code, y) / count)[code]
    size = np.sqrt(np.bincount(code, x * x)) * np.sqrt(np.bincount(code, y * y))
    out = np.full(len(count), np.nan)
    np.divide(np.bincount(code, x * y), size, out=out, where=size > 0.0)
    clipped: FloatArray = np.clip(out, -1.0, 1.0)
    return clipped


def _summary(moments: pd.DataFrame, instants: IntArray, lags: int | None) -> tuple[pd.DataFrame, int]:
    counted = moments[moments["ic"].notna()]
    n = len(counted)
    # A return begins after its decision time: outcomes that follow each other share none of it.
    after, end = counted["start"].to_numpy() + 1, counted["end"].to_numpy()
    effective = float(uniqueness_at(after, end, instants).sum()) if n else 0.0
    if lags is None:
        reached = np.searchsorted(after, end, side="right") - np.arange(1, n + 1)
        lags = int(reached.max()) if n else 0
    lags = min(lags, max(n - 1, 0))
    rows = {name: _row(counted[name].to_numpy(np.float64), effective, lags) for name in ("ic", "rank_ic")}
    return pd.DataFrame.from_dict(rows, orient="index"), lags


def _row(values: FloatArray, effective: float, lags: int) -> dict[str, float]:
    n = len(values)
    mean = float(values.mean()) if n else np.nan
    deviation = float(values.std(ddof=1)) if n > 1 else np.nan
    varies = deviation > 1e-12
    error = _standard_error(values, lags) if varies else np.nan
    icir = mean / deviation if varies else np.nan
    return {
        "mean": mean,
        "deviation": deviation,
        "icir": icir,
        "t": icir * np.sqrt(effective),
        "t_newey_west": mean / error if error > 0.0 else np.nan,
        "share_positive": float((values > 0.0).mean()) if n else np.nan,
        "n_moments": n,
        "effective_n": effective,
    }


def _standard_error(values: FloatArray, lags: int) -> float:
    """Return Newey and West's standard error of a mean; without lags the usual one (n - 1)."""
    n = len(values)
    left = values - values.mean()
    long_run = float(left @ left) / n
    for lag in range(1, lags + 1):
        long_run += 2.0 * (1.0 - lag / (lags + 1.0)) * float(left[lag:] @ left[:-lag]) / n
    return float(np.sqrt(max(long_run, 0.0) / (n - 1)))


def _stamped(moments: pd.DataFrame) -> pd.DataFrame:
    out = moments[["ic", "rank_ic", "n_rows"]].copy()
    out["outcome_time"] = from_ns(moments["end"].to_numpy(np.int64))
    out.index = from_ns(moments["start"].to_numpy(np.int64)).rename("decision_time")
    return out


def _blocks(n_rows: int, n_blocks: int) -> IntArray:
    if n_rows < n_blocks * ROWS_A_BLOCK:
        raise NotEnoughDataError(
            "there are too few rows for so many blocks",
            got=f"{n_rows} rows with prediction and outcome, {n_blocks} blocks",
            allowed=f"{ROWS_A_BLOCK} rows a block or more",
            remedy="Lower blocks, or give more rows.",
        )
    return np.arange(n_rows, dtype=np.int64) * n_blocks // n_rows


def _across(across: Any, symbol: IntArray) -> Literal["symbols", "time"]:
    several = len(np.unique(symbol)) > 1
    if across not in (None, "symbols", "time"):
        raise ConfigError(
            "across is neither symbols nor time", got=repr(across), allowed="symbols, time, None"
        )
    if across == "time" and several:
        raise ConfigError(
            "correlations along time are taken of one symbol",
            got=f"{len(np.unique(symbol))} symbols",
            remedy="Take the rows of one symbol at a time, or across='symbols'.",
        )
    if across == "symbols" or (across is None and several):
        return "symbols"
    return "time"


def _symbols(spans: Spans) -> IntArray:
    if not isinstance(spans.index, pd.MultiIndex):
        return np.zeros(len(spans), dtype=np.int64)
    return np.asarray(spans.index.codes[0], dtype=np.int64)


def _values(what: str, given: Any, spans: Spans) -> FloatArray:
    if isinstance(given, pd.Series) and not given.index.equals(spans.index):
        raise ModelError(
            f"{what} are not indexed like the spans",
            got=f"{len(given)} rows for {len(spans)} spans",
            allowed="the same index in the same order",
            remedy="Reindex them by spans.index, or give an array.",
        )
    try:
        values = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"{what} are no numbers", got=type(given).__name__, allowed="one number a row"
        ) from error
    if values.shape != (len(spans),):
        raise ModelError(
            f"{what} and spans disagree in number", got=values.shape, allowed=f"shape ({len(spans)},)"
        )
    if np.isinf(values).any():
        raise ModelError(
            f"{what} hold infinite values",
            got=int(np.isinf(values).sum()),
            allowed="numbers, or NaN = left out",
        )
    return values


def _count(name: str, value: Any, least: int) -> int:
    try:
        count = -1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        count = -1
    if count < least:
        raise ConfigError(
            f"{name} is out of range", got=repr(value), allowed=f"a whole number from {least} on"
        )
    return count
