"""The repairs that every import makes knowingly, and reports.

Rules, stated once:

- rows are sorted by symbol and time;
- identical rows of one moment are one row;
- of candles that disagree about one moment the one with the larger volume is kept, then the
  later row: a bar that was exported before its end can only have grown since;
- of side values that disagree the first row is kept: the first print is what was known;
- candles without a complete set of prices are left out: a missing bar is a gap.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from onward.data.importers.base import Kind, Repair
from onward.data.stamps import floor_jitter
from onward.types import OHLCV, BoolArray, IntArray, to_ns

__all__ = ["VALUES", "clean", "groups", "prefer"]

VALUES: dict[Kind, tuple[str, ...]] = {
    "candles": OHLCV,
    "funding": ("funding_rate",),
    "open_interest": ("open_interest",),
    "fear_greed": ("fear_greed",),
}
"""The value columns that a kind must have."""
JITTER = {"candles": pd.Timedelta(1, unit="s")}
SIDE_JITTER = pd.Timedelta(5, unit="s")


def clean(kind: Kind, frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Repair, ...]]:
    """Return rows in order, one a symbol and moment, and what had to be done for that.

    Parameters
    ----------
    kind
        What the rows are; decides which of two disagreeing rows is kept.
    frame
        Columns ``symbol``, ``timestamp`` (UTC) and values.
    """
    repairs: list[Repair] = []
    required = list(VALUES[kind])
    missing = np.asarray(frame[list(OHLCV[:4]) if kind == "candles" else required].isna().any(axis=1))
    if missing.any():
        repairs.append(Repair("incomplete", int(missing.sum()), f"{_rows(missing)} without values left out."))
        frame = frame[~missing]
    times = pd.DatetimeIndex(frame["timestamp"])
    floored = floor_jitter(times, JITTER.get(kind, SIDE_JITTER)) if _by_minutes(times) else times
    late = int((floored != times).sum())
    if late:
        repairs.append(Repair("jitter", late, f"{late} stamps with jitter floored to the minute."))
        frame = frame.assign(timestamp=floored)
    codes = pd.factorize(frame["symbol"], sort=True)[0].astype(np.int64)
    stamps = to_ns(frame["timestamp"])
    repairs += _order_repair(codes, stamps)
    order = np.lexsort((stamps, codes))
    if (order[1:] < order[:-1]).any():
        frame, codes, stamps = frame.iloc[order], codes[order], stamps[order]
    frame, twice = _unique(kind, frame, groups(codes, stamps))
    repairs += twice
    return frame.reset_index(drop=True), tuple(repairs)


def groups(codes: IntArray, stamps: IntArray) -> IntArray:
    """Return the number of each row's group of equal symbol and moment; rows sorted by both."""
    new = (np.diff(codes) != 0) | (np.diff(stamps) != 0)
    return np.concatenate(([0], np.cumsum(new)))[: len(codes)].astype(np.int64)


def prefer(kind: Kind, frame: pd.DataFrame, group: IntArray) -> IntArray:
    """Return for each group of rows about one moment the position of the row to keep.

    Parameters
    ----------
    kind
        ``candles``: largest volume (NaN least), then the later row; otherwise the first row.
    frame
        The rows.
    group
        Ascending group number of each row, shape (n,).
    """
    if kind != "candles":
        return np.flatnonzero(np.diff(group, prepend=-1)).astype(np.int64)
    volume = np.nan_to_num(frame["volume"].to_numpy(np.float64), nan=-1.0)
    order = np.lexsort((np.arange(len(frame)), volume, group))
    last = np.diff(group[order], append=len(frame)) != 0
    return np.asarray(order[last], dtype=np.int64)


def _by_minutes(times: pd.DatetimeIndex) -> bool:
    """Return whether rows are a minute apart or more, so that odd seconds are jitter."""
    steps = np.diff(np.sort(to_ns(times), kind="stable"))
    steps = steps[steps >= 500_000_000]
    return len(steps) == 0 or float(np.median(steps)) >= 59e9


def _order_repair(codes: IntArray, stamps: IntArray) -> list[Repair]:
    same, steps = np.diff(codes) == 0, np.diff(stamps)
    back, ahead = int((same & (steps < 0)).sum()), int((same & (steps > 0)).sum())
    if not back:
        return []
    if back > ahead:
        text = "Rows were newest first"
        text += f" with {ahead} break{'s' * (ahead != 1)} in that order; sorted." if ahead else "; sorted."
    else:
        text = f"Rows went back in time {back} time{'s' * (back != 1)}; sorted."
    return [Repair("sorted", min(back, ahead), text)]


def _unique(kind: Kind, frame: pd.DataFrame, group: IntArray) -> tuple[pd.DataFrame, list[Repair]]:
    if len(group) == 0 or group[-1] == len(group) - 1:
        return frame, []
    position = prefer(kind, frame, group)
    kept = frame.iloc[position]
    dropped = len(frame) - len(kept)
    repairs = [Repair("duplicates", dropped, f"{dropped} duplicate rows left out.")]
    values = frame.drop(columns=["symbol", "timestamp"]).to_numpy(np.float64)
    chosen = values[position][group]
    disagrees = ~((values == chosen) | (np.isnan(values) & np.isnan(chosen))).all(axis=1)
    count = len(np.unique(group[disagrees]))
    if count:
        rule = (
            "the row with the larger volume was kept (an unfinished bar only grows), then the later one"
            if kind == "candles"
            else "the first row was kept (the first print is what was known)"
        )
        first = frame["timestamp"].iloc[int(np.argmax(disagrees))]
        text = f"{count} moment{'s' * (count != 1)} with rows that disagree, first {first}: {rule}."
        repairs.append(Repair("conflicts", count, text))
    return kept, repairs


def _rows(mask: BoolArray) -> str:
    count = int(mask.sum())
    return f"{count} row{'s' * (count != 1)}"
