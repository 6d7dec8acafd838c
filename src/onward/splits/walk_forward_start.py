"""When walk-forward may score for the first time, and which windows teach nothing."""

from __future__ import annotations

import numpy as np

from onward.errors import SplitError
from onward.splits.extent import Extent, told_length
from onward.splits.timeline import Timeline
from onward.types import Spans

__all__ = ["first_scored", "require_useful_window"]

USUAL = 0.95
"""Share of labels that count: bars missing from the data stretch a few labels by days or months."""


def first_scored(
    spans: Spans,
    timeline: Timeline,
    *,
    initial: Extent | None,
    step: Extent | None,
    window: Extent | None,
    embargo: int,
    min_train_rows: int,
) -> int:
    """Return the number of the first decision time that is scored; that of the end when none can be.

    Parameters
    ----------
    spans
        Spans of all rows that are being split.
    timeline
        Their decision times.
    initial
        Length of the block that is never scored. ``None``: one ``step`` of an expanding window, or
        the time until a rolling one is full, and not before ``min_train_rows`` rows may be learnt
        from.
    step, window
        Length of the scored blocks, and of the rolling window (``None``: expanding).
    embargo
        Nanoseconds between a training label's end and the first test decision.
    min_train_rows
        Rows that must have ended before.
    """
    if initial is not None:
        return _moments_in(timeline, initial)
    if window is not None:
        filling = timeline.code < _moments_in(timeline, window)
        known = int(spans.end[filling].max())
        first = int(np.searchsorted(timeline.moments, known + embargo, side="right"))
    else:
        assert step is not None
        first = _moments_in(timeline, step)
    if min_train_rows > len(spans):
        return len(timeline.moments)
    if min_train_rows > 0:
        known = int(np.partition(spans.end, min_train_rows - 1)[min_train_rows - 1])
        first = max(first, int(np.searchsorted(timeline.moments, known + embargo, side="right")))
    return first


def require_useful_window(spans: Spans, window: Extent, asked: object) -> None:
    """Refuse a rolling window that is no longer than labels last: its rows would share one outcome.

    Raises
    ------
    SplitError
        When 19 in 20 labels last as long as the window or longer.
    """
    bar = Timeline.of(spans).bar
    lasts = int(np.quantile(spans.end - spans.start, USUAL, method="lower"))
    if window.in_time(bar) <= lasts:
        raise SplitError(
            "the training window is no longer than a label lasts",
            got=f"window={asked!r} ({told_length(window.in_time(bar))})",
            allowed=f"longer than {told_length(lasts)}",
            remedy="Use a window of many label lengths, or a shorter label horizon.",
            settings=("window",),
        )


def _moments_in(timeline: Timeline, length: Extent) -> int:
    """Return how many decision times from the first on lie within a length."""
    if length.bars is not None:
        return length.bars
    return int(np.searchsorted(timeline.moments, int(timeline.moments[0]) + length.nanoseconds))
