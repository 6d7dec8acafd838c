"""The contract every labeler is held to. Run it on your own: ``check_labeler(MyLabeler(), market)``."""

from __future__ import annotations

import numpy as np
import pandas as pd

from onward.protocols import Labeler
from onward.types import BoolArray, FloatArray, IntArray, Labels, Market, Spans, from_ns

__all__ = ["check_labeler", "scrambled"]


def check_labeler(labeler: Labeler, market: Market, *, n_cuts: int = 4, seed: int = 0) -> None:
    """Hold a labeler to the promises of `onward.protocols.Labeler`.

    - spans follow the market's order, start at decision times, end no earlier, and inside the data;
    - labels are aligned with them, of the promised kind, with weights of mean 1;
    - fitting returns a labeler, moves no span, changes neither the market nor the labeler it was
      called on, and gives the same result twice;
    - a label is unknown until ``end``: bars after it may do what they like, and cutting them off
      changes nothing but drops the rows that had not ended;
    - it does depend on the bars up to ``end`` (else there would be nothing to predict);
    - borders, where the labeler shows them (``thresholds``), were known at the decision time,
      given what was fitted;
    - so were, for every bar, the primary signal (``signals``) and whether the bar is an event
      (``events``), where the labeler shows them.

    Parameters
    ----------
    labeler
        A labeler as a user builds it; it is fitted here.
    market
        Enough bars for some hundred labels; several symbols test more.
    n_cuts
        Moments at which the future is scrambled and cut off.
    seed
        Seed of the scrambling.

    Raises
    ------
    AssertionError
        With the broken promise and the first row that breaks it.
    """
    _require(
        isinstance(labeler, Labeler), f"{type(labeler).__name__} does not satisfy onward.protocols.Labeler"
    )
    before = market.content_hash
    spans = labeler.spans(market)
    _check_spans(spans, market)
    fitted = _check_fit(labeler, market, spans)
    _check_labels(fitted, fitted.label(market), spans)
    _require(market.content_hash == before, "the market was modified")
    generator = np.random.default_rng(seed)
    for cut in _cuts(spans, n_cuts):
        _check_future_is_irrelevant(fitted, market, cut, generator)
        _check_thresholds(fitted, market, cut, generator)
        _check_bars(fitted, market, cut, generator)
    _check_outcome_matters(fitted, market, spans, generator)


def scrambled(market: Market, rows: BoolArray, generator: np.random.Generator) -> Market:
    """Return the market with the prices of some rows replaced by others, still lawful bars.

    Every bar gets a level of its own, so that returns, paths and barriers all change.
    """
    bars = market.bars.copy()
    factor = np.where(rows, np.exp(generator.normal(0.0, 0.2, len(bars))), 1.0)
    for column in ("open", "high", "low", "close"):
        bars[column] = bars[column].to_numpy() * factor
    return market.replace(bars=bars)


def _cuts(spans: Spans, n_cuts: int) -> IntArray:
    ends = np.unique(spans.end)
    return ends[(np.linspace(0.1, 0.9, n_cuts) * (len(ends) - 1)).astype(np.int64)]


def _check_spans(spans: Spans, market: Market) -> None:
    _require(len(spans) > 0, "no row has a label: give the suite a longer market")
    positions = market.index.get_indexer(spans.index)
    _require(bool((positions >= 0).all()), "spans name rows that the market does not have")
    _require(bool((np.diff(positions) > 0).all()), "spans are not in the market's order, or repeat a row")
    starts = market.decision_time_ns[positions]
    _first(spans, spans.start != starts, "the span does not start at the row's decision time")
    _first(spans, spans.end < spans.start, "the span ends before it starts")
    last = np.empty(len(market), dtype=np.int64)
    for rows in market.rows.values():
        last[rows] = market.decision_time_ns[rows][-1]
    _first(
        spans,
        spans.end > last[positions],
        "the outcome lies beyond the symbol's data, yet the row has a label",
    )


def _check_fit(labeler: Labeler, market: Market, spans: Spans) -> Labeler:
    rows = np.arange(len(spans) // 2, dtype=np.int64)
    fitted = labeler.fit(market, rows)
    _require(isinstance(fitted, Labeler), "fit does not return a labeler")
    for which, other in (("the fitted labeler", fitted), ("the labeler that fit was called on", labeler)):
        _require(_same_spans(other.spans(market), spans), f"fitting moved the spans of {which}")
    elsewhere = labeler.fit(market, np.arange(len(spans) // 2, len(spans), dtype=np.int64))
    _require(_same_spans(elsewhere.spans(market), spans), "spans depend on the rows that were fitted on")
    again = labeler.fit(market, rows).label(market)
    _require(
        np.array_equal(again.y, fitted.label(market).y), "fitting twice on the same rows gives other labels"
    )
    return fitted


def _check_labels(labeler: Labeler, labels: Labels, spans: Spans) -> None:
    _require(_same_spans(labels.spans, spans), "label() has other spans than spans()")
    _require(
        labels.y.shape == (len(spans),) and labels.weight.shape == (len(spans),), "labels are not aligned"
    )
    _require(labels.kind == labeler.kind, f"kind is {labels.kind!r}, promised was {labeler.kind!r}")
    if labels.kind == "classes":
        _require(labels.y.dtype == np.int64, f"classes are {labels.y.dtype}, not int64")
        _first(spans, ~np.isin(labels.y, (-1, 0, 1)), "the class is none of -1, 0, 1")
    else:
        _require(labels.y.dtype == np.float64, f"targets are {labels.y.dtype}, not float64")
        _first(spans, ~np.isfinite(labels.y), "the target is not finite")
    _first(
        spans, ~(np.isfinite(labels.weight) & (labels.weight >= 0.0)), "the weight is negative or not finite"
    )
    _require(abs(float(labels.weight.mean()) - 1.0) < 1e-9, "the weights do not have mean 1")


def _check_future_is_irrelevant(
    labeler: Labeler, market: Market, cut: int, generator: np.random.Generator
) -> None:
    """Compare labels that had ended by ``cut`` with worlds that go on otherwise, or not at all."""
    truth = labeler.label(market)
    known = truth.spans.end <= cut
    worlds = {
        "scrambling": scrambled(market, market.decision_time_ns > cut, generator),
        "cutting off": market.known_at(from_ns(np.array([cut], dtype=np.int64))[0]),
    }
    for what, world in worlds.items():
        other = labeler.label(world)
        if what == "cutting off":
            _first(
                other.spans,
                other.spans.end > cut,
                "the outcome lies beyond the data, yet the row has a label",
            )
        place = other.spans.index.get_indexer(truth.spans.index[known])
        _first(truth.spans.take(known), place < 0, f"the row loses its label by {what} bars after its end")
        moved = (other.y[place] != truth.y[known]) | (other.spans.end[place] != truth.spans.end[known])
        _first(truth.spans.take(known), moved, f"the label changes by {what} bars after its end")


def _check_thresholds(labeler: Labeler, market: Market, cut: int, generator: np.random.Generator) -> None:
    thresholds = getattr(labeler, "thresholds", None)
    if thresholds is None:
        return
    spans = labeler.spans(market)
    world = scrambled(market, market.decision_time_ns > cut, generator)
    place = pd.Index(labeler.spans(world).index).get_indexer(spans.index)
    decided = (spans.start <= cut) & (place >= 0)
    before: FloatArray = thresholds(market)[decided]
    after: FloatArray = thresholds(world)[place[decided]]
    _first(spans.take(decided), before != after, "the border changes with bars after the decision")


def _check_bars(labeler: Labeler, market: Market, cut: int, generator: np.random.Generator) -> None:
    """Compare what a labeler says of every bar with a world whose later bars are others."""
    decided = market.decision_time_ns <= cut
    for name in ("signals", "events"):
        shown = getattr(labeler, name, None)
        if shown is None:
            continue
        world = scrambled(market, ~decided, generator)
        before = np.asarray(shown(market), dtype=np.float64)
        after = np.asarray(shown(world), dtype=np.float64)
        _require(before.shape == (len(market),), f"{name}() does not give one value a bar")
        changed = np.flatnonzero(decided & ~((before == after) | (np.isnan(before) & np.isnan(after))))
        if len(changed):
            raise AssertionError(
                f"{name}() changes with bars after the decision: {len(changed)} rows, "
                f"the first {market.index[int(changed[0])]}"
            )


def _check_outcome_matters(
    labeler: Labeler, market: Market, spans: Spans, generator: np.random.Generator
) -> None:
    """Scramble the bars between decision and outcome; a label that never moves is no outcome."""
    truth = labeler.label(market)
    for cut in _cuts(spans, 20):
        other = labeler.label(scrambled(market, market.decision_time_ns > cut, generator))
        unfolding = (spans.start <= cut) & (spans.end > cut)
        place = other.spans.index.get_indexer(spans.index[unfolding])
        if (other.y[place[place >= 0]] != truth.y[unfolding][place >= 0]).any():
            return
    raise AssertionError("no label depends on the bars between its start and its end")


def _same_spans(one: Spans, other: Spans) -> bool:
    return (
        one.index.equals(other.index)
        and np.array_equal(one.start, other.start)
        and np.array_equal(one.end, other.end)
    )


def _first(spans: Spans, broken: BoolArray, promise: str) -> None:
    rows = np.flatnonzero(broken)
    if len(rows):
        raise AssertionError(f"{promise}: {len(rows)} rows, the first {spans.index[int(rows[0])]}")


def _require(condition: bool, promise: str) -> None:
    if not condition:
        raise AssertionError(promise)
