"""What a person should know about a training that went through: sentences, no decisions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from onward.config import DataProcessingConfig
from onward.data.timeframe import parse_timerange
from onward.errors import told_bars
from onward.protocols import Splitter
from onward.types import Fold, IntArray, Market, Spans

__all__ = ["data_cautions", "nearby_cautions", "purging_cautions", "symbol_cautions"]

MUCH = 0.2
"""Share of a fold's candidates beyond which purging and embargo are worth a sentence."""


def purging_cautions(spans: Spans, folds: Sequence[Fold], splitter: Splitter) -> tuple[str, ...]:
    """Say so when purging and embargo take more than a fifth of the rows that a fold could learn from.

    The usual cause is a long gap in the data: labels count bars, so those before the gap last as
    long as the gap, and the default embargo is as long as the longest label.

    Parameters
    ----------
    spans
        What was split.
    folds
        What came of it.
    splitter
        Where it came from; one that keeps only a part of the past on purpose (a rolling window)
        is left alone.
    """
    if getattr(splitter, "training_window", None) is not None:
        return ()
    past_only = bool(getattr(splitter, "past_only", False))
    lost = {fold.number: _share_lost(spans, fold, past_only=past_only) for fold in folds}
    most = max(lost, key=lambda number: lost[number], default=None)
    if most is None or lost[most] <= MUCH:
        return ()
    typical, longest = pd.Timedelta(int(np.median(spans.end - spans.start))), pd.Timedelta(spans.longest)
    n_folds = sum(share > MUCH for share in lost.values())
    sentence = (
        f"Purging and embargo take {lost[most]:.0%} of the rows that fold {most} could have learnt from"
        f"{f' (more than {MUCH:.0%} in {n_folds} folds)' if n_folds > 1 else ''}. "
        f"A label usually lasts {_length(typical)}, the longest {_length(longest)}"
    )
    if longest > 2 * typical and getattr(splitter, "embargo", None) is None:
        row = spans.index[int((spans.end - spans.start).argmax())]
        where = " ".join(map(str, row)) if isinstance(row, tuple) else str(row)
        sentence += (
            f" (at {where}, where bars are missing), and by default the embargo is as long as the longest. "
            f"Import the missing bars, or set validation.embargo to {_length(typical)}."
        )
    else:
        sentence += ". Use fewer folds, a shorter horizon, a shorter embargo or more data."
    return (sentence,)


def symbol_cautions(market: Market, spans: Spans) -> tuple[str, ...]:
    """Name symbols of other times than the rest, and those of which no row has a label."""
    return (*_eras(market), *_unlabelled(market, spans))


def _eras(market: Market) -> Iterator[str]:
    """Say so when symbols share no time: folds are cut by time, one learns and another is scored."""
    ends = {symbol: market.open_time_ns[[rows.start, rows.stop - 1]] for symbol, rows in market.rows.items()}
    in_time = sorted(ends, key=lambda symbol: int(ends[symbol][0]))
    for number, symbol in enumerate(in_time[1:], 1):
        last = max(in_time[:number], key=lambda other: int(ends[other][1]))
        if ends[symbol][0] > ends[last][1]:
            told = [
                f"{name} ({pd.Timestamp(ends[name][0]):%Y-%m-%d} to {pd.Timestamp(ends[name][1]):%Y-%m-%d})"
                for name in (last, symbol)
            ]
            yield (
                f"{told[0]} ends before {told[1]} begins. Folds are cut by time across symbols, so that some "
                "learn from the one and are scored on the other. Unless that is the question, name the "
                "symbols to learn from: data.symbols."
            )
            return


def _unlabelled(market: Market, spans: Spans) -> tuple[str, ...]:
    if not isinstance(spans.index, pd.MultiIndex):
        return ()
    labelled = set(spans.index.get_level_values(0).unique())
    absent = [symbol for symbol in market.symbols if symbol not in labelled]
    if not absent:
        return ()
    names, verb = ", ".join(absent), "have" if len(absent) > 1 else "has"
    return (f"{names} {verb} too little history for a single label: nothing was learnt from it.",)


def nearby_cautions(n_nearby: int) -> tuple[str, ...]:
    """Return a caution where skill was looked for before in bars that overlap these.

    Parameters
    ----------
    n_nearby
        Configurations that were looked at on other data with the same symbol, timeframe and time.
    """
    if not n_nearby:
        return ()
    told = (
        "looked at before on other data that overlap these bars (another range, or a newer file of the same "
        "symbol). The correction of p counts looks at exactly these data: keep one range while you try "
        "things, and judge on bars that none of them saw."
    )
    return (f"{n_nearby} configuration{'s were' if n_nearby > 1 else ' was'} {told}",)


def data_cautions(data: DataProcessingConfig, market: Market) -> tuple[str, ...]:
    """Say so when a market is not the one that a plan describes; the market counts."""
    return tuple(_differences(data, market))


def _differences(data: DataProcessingConfig, market: Market) -> Iterator[str]:
    if data.symbols is not None and set(data.symbols) != set(market.symbols):
        yield (
            f"The plan names the symbols {', '.join(data.symbols)}, the market that was given holds "
            f"{', '.join(market.symbols)}: the market counts."
        )
    missing = sorted(set(data.series or ()) - set(market.series))
    if missing:
        yield f"The plan names the series {', '.join(missing)}, which the market that was given lacks."
    more = sorted(set(market.series) - set(data.series)) if data.series is not None else []
    if more:
        asked = f"the series {', '.join(data.series)}" if data.series else "no series"
        yield (
            f"The plan asks for {asked}, the market that was given also holds {', '.join(more)}: "
            "the market counts."
        )
    outside = _outside(data.timerange, market)
    if outside:
        yield (
            f"The plan asks for bars of {data.timerange}, the market that was given has {told_bars(outside)} "
            "outside: the market counts. Cut it with market.between(start, end)."
        )


def _outside(timerange: str | None, market: Market) -> int:
    """Return how many bars open outside a range of time."""
    start, end = parse_timerange(timerange)
    inside = np.ones(len(market), dtype=np.bool_)
    if start is not None:
        inside &= np.asarray(market.open_time >= start)
    if end is not None:
        inside &= np.asarray(market.open_time < end)
    return int(np.count_nonzero(~inside))


def _share_lost(spans: Spans, fold: Fold, *, past_only: bool) -> float:
    candidates = _candidates(spans, fold.test, past_only=past_only)
    return 1.0 - len(fold.train) / candidates if candidates else 0.0


def _candidates(spans: Spans, test: IntArray, *, past_only: bool) -> int:
    if past_only:
        return int(np.count_nonzero(spans.start < spans.start[test].min()))
    return len(spans) - len(test)


def _length(time: pd.Timedelta) -> str:
    hours = time / pd.Timedelta(hours=1)
    if hours < 1:
        return f"{time / pd.Timedelta(minutes=1):.0f}m"
    return f"{hours:.0f}h" if hours < 96 else f"{hours / 24:.0f}d"
