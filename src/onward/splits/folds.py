"""The only author of training rows.

Whoever needs rows to train on (outer folds, inner folds, calibration, stacking, search) gets them
from here: a splitter says what is tested, this module says what may be learnt from. A training
label that shares one instant with a test label has seen part of its outcome, so it goes; so do
rows right after a test block, whose features look back into it.

Rules (AFML chapter 7, made exact): spans are closed, so spans that touch overlap. A candidate row
is removed when its span shares an instant with *any* test span (the longest reaching one decides,
not the last one), or when its decision time lies after a test block's last decision time and not
after that block's maximum label end + embargo.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from onward.errors import SplitError
from onward.kernels.intervals import overlaps_any
from onward.splits.extent import Extent
from onward.splits.timeline import Timeline
from onward.types import Fold, IntArray, Spans

__all__ = ["cut_folds", "ended_before", "final_rows", "outside", "require_training_rows", "training_rows"]

NEVER = 2**63 - 1
"""Latest moment that an int64 of nanoseconds holds: an embargo reaching beyond it ends there."""


def training_rows(
    spans: Spans, test_blocks: Sequence[IntArray], candidates: IntArray, embargo: int
) -> IntArray:
    """Return the candidates that have seen nothing of any test label.

    Parameters
    ----------
    spans
        Spans of all rows that are being split; they need not be sorted nor without holes.
    test_blocks
        Positions of the test rows, one array a block; a block is contiguous in decision time
        among ``spans``, all symbols of a moment included.
    candidates
        Positions from which to choose; none of them a test row.
    embargo
        Nanoseconds after a block's maximum label end during which no training row may decide.

    Returns
    -------
    Sorted positions, int64; empty when nothing is left.
    """
    if len(candidates) == 0 or len(test_blocks) == 0:
        return np.sort(candidates)
    test = np.concatenate(list(test_blocks))
    start, end = spans.start[candidates], spans.end[candidates]
    drop = overlaps_any(start, end, spans.start[test], spans.end[test])
    for block in test_blocks:
        over = min(int(spans.end[block].max()) + embargo, NEVER)
        drop |= (start > spans.start[block].max()) & (start <= over)
    return np.sort(candidates[~drop])


def outside(spans: Spans, test_blocks: Sequence[IntArray]) -> IntArray:
    """Return the rows outside the test blocks: candidates of the k-fold schemes."""
    keep = np.ones(len(spans), dtype=np.bool_)
    for block in test_blocks:
        keep[block] = False
    return np.flatnonzero(keep).astype(np.int64)


def ended_before(
    spans: Spans, test_blocks: Sequence[IntArray], embargo: int, window: Extent | None = None
) -> IntArray:
    """Return the rows whose label ended before the first test decision: candidates of walk-forward.

    Parameters
    ----------
    spans
        Spans of all rows that are being split.
    test_blocks
        Positions of the test rows.
    embargo
        Nanoseconds that must lie between a label's end and the first test decision; with 0 the
        end must still be earlier.
    window
        Keep only the newest candidates: those of the last so many decision times (bars), or those
        that decided less than so long before the newest one (time). ``None`` keeps all.
    """
    first = min(int(spans.start[block].min()) for block in test_blocks)
    rows = np.flatnonzero(spans.end < max(first - embargo, -NEVER)).astype(np.int64)
    return _newest(spans, rows, window)


def final_rows(spans: Spans, window: Extent | None = None) -> IntArray:
    """Return the rows of the fit that is kept: those that the next fold's training would take.

    Parameters
    ----------
    spans
        Spans of all labelled rows: their outcomes are known by the end of the data.
    window
        Rolling window of the splitter that judged the fits, see `ended_before`: a model that was
        judged as learnt from the last 90 days is learnt from the last 90 days. ``None`` keeps all.
    """
    return _newest(spans, np.arange(len(spans), dtype=np.int64), window)


def _newest(spans: Spans, rows: IntArray, window: Extent | None) -> IntArray:
    if window is None or len(rows) == 0:
        return rows
    start = spans.start[rows]
    if window.bars is None:
        newest = start > start.max() - window.nanoseconds
    else:
        moments = np.unique(start)
        newest = start >= moments[max(0, len(moments) - window.bars)]
    return np.compress(newest, rows)


def cut_folds(
    spans: Spans,
    blocks_of_folds: Iterable[Sequence[IntArray]],
    *,
    embargo: int,
    past_only: bool = False,
    window: Extent | None = None,
) -> Iterator[Fold]:
    """Yield the fold that belongs to each set of test blocks.

    Parameters
    ----------
    spans
        Spans of all rows that are being split.
    blocks_of_folds
        For each fold its test blocks.
    embargo
        Nanoseconds, see `training_rows` and `ended_before`.
    past_only
        Whether candidates must have ended before the first test decision (walk-forward) rather
        than lie anywhere outside the blocks (k-fold).
    window
        See `ended_before`; only with ``past_only``.

    Raises
    ------
    SplitError
        When a test block is empty, reaches outside the spans, shares a row with another block, or
        leaves out rows of a moment that it covers.
    """
    timeline = Timeline.of(spans)
    for number, blocks in enumerate(blocks_of_folds):
        _require_blocks(timeline, blocks, number)
        if past_only:
            candidates = ended_before(spans, blocks, embargo, window)
        else:
            candidates = outside(spans, blocks)
        train = training_rows(spans, blocks, candidates, embargo)
        yield Fold(number, train, np.sort(np.concatenate(list(blocks))))


def require_training_rows(folds: Iterable[Fold], *, at_least: int = 1) -> None:
    """Refuse folds that leave too little to learn from.

    A fold without training rows is a right answer to a hard question, so splitters give it; a
    trainer cannot go on from there.

    Raises
    ------
    SplitError
        When a fold has fewer than ``at_least`` training rows.
    """
    for fold in folds:
        if len(fold.train) < at_least:
            raise SplitError(
                f"purging leaves fold {fold.number} too few training rows",
                got=f"{len(fold.train)} training rows for {len(fold.test)} test rows",
                allowed=f"at least {at_least}",
                remedy="Use more data, a shorter label horizon, a smaller embargo or fewer folds.",
                settings=("embargo", "n_test_groups", "n_groups", "n_splits"),
            )


def _require_blocks(timeline: Timeline, blocks: Sequence[IntArray], number: int) -> None:
    if len(blocks) == 0 or any(len(block) == 0 for block in blocks):
        raise SplitError(
            f"fold {number} tests nothing",
            got=f"{len(blocks)} test blocks of sizes {[len(block) for block in blocks]}",
            allowed="at least one test block, none empty",
            remedy="Yield at least one row in every test block.",
        )
    used = np.zeros(len(timeline), dtype=np.bool_)
    for block in blocks:
        if block.min() < 0 or block.max() >= len(timeline):
            raise SplitError(
                f"a test block of fold {number} reaches outside the spans",
                got=f"positions {block.min()} to {block.max()}",
                allowed=f"0 to {len(timeline) - 1}",
                remedy="Yield positions into the spans that test_blocks was given.",
            )
        codes = timeline.code[block]
        whole = timeline.rows_between(int(codes.min()), int(codes.max()) + 1)
        if len(block) != len(whole) or used[block].any() or not np.array_equal(np.sort(block), whole):
            raise SplitError(
                f"a test block of fold {number} has holes, or shares rows with another block",
                got=f"{len(block)} positions between decision times that {len(whole)} rows have",
                allowed="every row, of every symbol, between a first and a last decision time",
                remedy="Cut blocks by decision time, for instance with onward.splits.timeline.",
            )
        used[block] = True
