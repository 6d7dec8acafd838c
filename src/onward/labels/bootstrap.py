"""Samples with replacement of labels that overlap: what bagging draws from.

Drawn one by one with equal chances, overlapping labels come up again and again as near copies of
each other, and the rows that a sample leaves out are no test of it. Two remedies, both of which
see the spans in hand alone:

- `sequential_bootstrap` makes a label less likely the more of it the earlier draws have told
  (López de Prado, *Advances in Financial Machine Learning*, Wiley 2018, 4.5);
- `block_bootstrap` draws runs of neighbours together (Politis & Romano 1992, circular blocks).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onward.errors import LabelError
from onward.labels.arguments import as_count, as_positions
from onward.labels.weights import average_uniqueness, require_order, spans_by_symbol, symbol_bars
from onward.types import FloatArray, IntArray, Market, Spans

__all__ = ["block_bootstrap", "draw_probabilities", "sequential_bootstrap"]


def sequential_bootstrap(
    spans: Spans, size: int | None = None, seed: int = 0, *, market: Market | None = None
) -> IntArray:
    """Draw labels in proportion to their average uniqueness among those drawn so far.

    Each draw changes the chances of the labels it overlaps (AFML 4.5.2). Labels of different
    symbols share no instant. The cost is O(size x overlaps x log n), not O(size x n x instants).

    Parameters
    ----------
    spans
        Spans of the training rows.
    size
        Number of draws, by default as many as there are spans.
    seed
        Seed of the draws.
    market
        Market whose bars are the instants; without it they are evenly spaced, as in
        `average_uniqueness`.

    Returns
    -------
    Positions into ``spans``, shape (size,), with repetitions, in the order of drawing.

    Raises
    ------
    LabelError
        When there are no spans, one ends before it starts, or covers no bar of ``market``.
    """
    from onward.kernels.bootstrap import sequential_draws

    layout = _Layout.of(spans, market)
    draws = len(spans) if size is None else as_count("size", size, 1)
    order = np.argsort(layout.first, kind="stable")
    first, last = layout.first[order], layout.last[order]
    uniform = np.random.default_rng(seed).random(draws)
    return order[sequential_draws(first, last, np.maximum.accumulate(last), layout.weight, uniform)]


def draw_probabilities(
    spans: Spans, drawn: npt.ArrayLike = (), *, market: Market | None = None
) -> FloatArray:
    """Return the chance of each label to be drawn next, given the positions drawn so far.

    This is the definition that `sequential_bootstrap` follows (AFML 4.5.3).

    Returns
    -------
    Shape (n,), sum 1.
    """
    from onward.kernels.bootstrap import uniqueness_after

    layout = _Layout.of(spans, market)
    given = np.asarray(drawn)
    before = as_positions(given, len(spans)) if given.size else np.empty(0, dtype=np.int64)
    unique = uniqueness_after(layout.first, layout.last, layout.weight, before)
    return np.asarray(unique / unique.sum(), dtype=np.float64)


def block_bootstrap(
    spans: Spans,
    size: int | None = None,
    seed: int = 0,
    *,
    block: int | None = None,
    market: Market | None = None,
) -> IntArray:
    """Draw runs of neighbouring labels, all symbols of a moment together, each as likely.

    Blocks of as many moments as share an instant keep near copies together: either all of them
    are in the sample or (mostly) none. Blocks that reach the end go on at the beginning.

    Parameters
    ----------
    spans
        Spans of the training rows.
    size
        Number of draws, by default as many as there are spans; the last block is cut to fit.
    seed
        Seed of the draws.
    block
        Decision times in a block; by default one over the mean average uniqueness, rounded up:
        the number of labels that share an instant.
    market
        As in `sequential_bootstrap`; used for the default of ``block`` only.

    Returns
    -------
    Positions into ``spans``, shape (size,), with repetitions.

    Raises
    ------
    LabelError
        When there are no spans, or one of them ends before it starts.
    """
    _require_some(spans)
    require_order(spans)
    draws = len(spans) if size is None else as_count("size", size, 1)
    if block is None:
        length = int(np.ceil(1.0 / float(average_uniqueness(spans, market).mean()) - 1e-9))
    else:
        length = as_count("block", block, 1)
    order = np.argsort(spans.start, kind="stable")
    moments, begin = np.unique(spans.start[order], return_index=True)
    length = min(length, len(moments))
    edge = np.append(begin, len(spans))
    generator = np.random.default_rng(seed)
    parts: list[IntArray] = []
    have = 0
    while have < draws:
        chosen = (int(generator.integers(len(moments))) + np.arange(length)) % len(moments)
        part = np.concatenate([order[edge[moment] : edge[moment + 1]] for moment in chosen])
        parts.append(part)
        have += len(part)
    return np.concatenate(parts)[:draws].astype(np.int64)


@dataclass(frozen=True, eq=False)
class _Layout:
    """Spans as runs of cells: each cell stands for ``weight`` instants with the same labels."""

    first: IntArray
    last: IntArray
    weight: FloatArray

    @classmethod
    def of(cls, spans: Spans, market: Market | None) -> _Layout:
        _require_some(spans)
        require_order(spans)
        first = np.empty(len(spans), dtype=np.int64)
        last = np.empty(len(spans), dtype=np.int64)
        weights: list[FloatArray] = []
        cells = 0
        for symbol, rows in spans_by_symbol(spans):
            start, end = spans.start[rows], spans.end[rows]
            if market is None:
                a, b, weight = _even_cells(start, end)
            else:
                instants = market.decision_time_ns[symbol_bars(market, symbol)]
                a = np.searchsorted(instants, start, side="left")
                b = np.searchsorted(instants, end, side="right") - 1
                weight = np.ones(len(instants))
                _require_bars(spans, rows[b < a])
            first[rows], last[rows] = a + cells, b + cells
            weights.append(weight)
            cells += len(weight)
        return cls(first, last, np.concatenate(weights))


def _even_cells(start: IntArray, end: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Return runs over the edges and what lies between them, as far as anything does.

    Concurrency changes at starts and ends only, so the instants between two neighbouring edges
    make one cell; memory does not depend on how fine the instants are.
    """
    edges = np.unique(np.concatenate((start, end)))
    distance = np.diff(edges)
    step = int(np.gcd.reduce(distance)) if len(distance) else 1
    weight = np.ones(2 * len(edges) - 1)
    weight[1::2] = distance // step - 1
    kept = weight > 0.0
    place = np.cumsum(kept) - 1
    first, last = np.searchsorted(edges, start), np.searchsorted(edges, end)
    return place[2 * first], place[2 * last], weight[kept]


def _require_some(spans: Spans) -> None:
    if len(spans) == 0:
        raise LabelError(
            "there are no labels to draw from",
            got="0 spans",
            allowed="at least one span",
            remedy="Pass the spans of the training rows.",
        )


def _require_bars(spans: Spans, rows: IntArray) -> None:
    if len(rows):
        raise LabelError(
            "a span covers no bar of the market",
            got=f"{len(rows)} spans, the first that of {spans.index[int(rows[0])]}",
            allowed="spans that start and end at decision times of the market's bars",
            remedy="Make the spans from the same market.",
        )
