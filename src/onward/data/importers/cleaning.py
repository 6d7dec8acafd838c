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

__all__ = ["VALUES", "clean", "prefer"]

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
    frame, order = _sorted(frame)
    repairs += order
    frame, twice = _unique(kind, frame)
    repairs += twice
    return frame.reset_index(drop=True), tuple(repairs)


def prefer(kind: Kind, frame: pd.DataFrame) -> IntArray:
    """Return for each group of equal (symbol, timestamp) the position of the row to keep.

    Parameters
    ----------
    kind
        ``candles``: largest volume, then the later row; otherwise the first row.
    frame
        Sorted stably by symbol and timestamp.
    """
    first = ~frame.duplicated(["symbol", "timestamp"]).to_numpy()
    group = np.cumsum(first) - 1
    position = np.arange(len(frame))
    if kind != "candles":
        return np.flatnonzero(first).astype(np.int64)
    volume = np.nan_to_num(frame["volume"].to_numpy(np.float64), nan=-1.0)
    order = np.lexsort((position, volume, group))
    last = np.append(np.diff(group[order]) != 0, True)
    return np.asarray(order[last], dtype=np.int64)


def _by_minutes(times: pd.DatetimeIndex) -> bool:
    """Return whether rows are a minute apart or more, so that odd seconds are jitter."""
    seconds = np.unique(to_ns(times) // 1_000_000_000)
    return len(seconds) < 2 or float(np.median(np.diff(seconds))) >= 59.0


def _sorted(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Repair]]:
    stamps = to_ns(frame["timestamp"])
    codes = pd.factorize(frame["symbol"])[0]
    same = np.diff(codes) == 0
    steps = np.diff(stamps)
    back, ahead = int((same & (steps < 0)).sum()), int((same & (steps > 0)).sum())
    if back == 0 and (np.diff(codes) >= 0).all():
        return frame.sort_values(["symbol", "timestamp"], kind="stable"), []
    if back > ahead:
        text = "Rows were newest first"
        text += f" with {ahead} break{'s' * (ahead != 1)} in that order; sorted." if ahead else "; sorted."
    else:
        text = f"Rows went back in time {back} time{'s' * (back != 1)}; sorted."
    return (
        frame.sort_values(["symbol", "timestamp"], kind="stable"),
        [Repair("sorted", min(back, ahead), text)] if back else [],
    )


def _unique(kind: Kind, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Repair]]:
    twice = frame.duplicated(["symbol", "timestamp"], keep=False).to_numpy()
    if not twice.any():
        return frame, []
    kept = frame.iloc[prefer(kind, frame)]
    dropped = len(frame) - len(kept)
    among = frame[twice]
    distinct = among.drop_duplicates()
    disagree = distinct[distinct.duplicated(["symbol", "timestamp"], keep=False)]
    conflicts = disagree.drop_duplicates(["symbol", "timestamp"])
    repairs = [Repair("duplicates", dropped, f"{dropped} duplicate rows left out.")]
    if len(conflicts):
        rule = (
            "the row with the larger volume was kept (an unfinished bar only grows), then the later one"
            if kind == "candles"
            else "the first row was kept (the first print is what was known)"
        )
        first = conflicts["timestamp"].iloc[0]
        plural = "s" * (len(conflicts) != 1)
        repairs.append(
            Repair(
                "conflicts",
                len(conflicts),
                f"{len(conflicts)} moment{plural} with rows that disagree, first {first}: {rule}.",
            )
        )
    return kept, repairs


def _rows(mask: BoolArray) -> str:
    count = int(mask.sum())
    return f"{count} row{'s' * (count != 1)}"
