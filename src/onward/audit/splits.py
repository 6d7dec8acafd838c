"""Checks on the rows themselves: labels that overlap, rows that are on both sides.

The arithmetic is written anew here on purpose: the auditor shares no code with the splitters.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from onward.audit.report import Ledger
from onward.audit.world import PipelineWorld, Split
from onward.types import BoolArray, Finding, IntArray, Spans, from_ns

__all__ = ["check_duplicates", "check_overlap", "check_splits", "first_overlap", "row_name"]


def check_overlap(spans: Spans, outer: Sequence[Split], inner: Sequence[Split], ledger: Ledger) -> None:
    """Find training labels that share an instant with a test label, in outer and inner splits."""
    check_splits(spans, "fold", outer, ledger)
    check_splits(spans, "inner split", inner, ledger)


def check_splits(spans: Spans, kind: str, splits: Sequence[Split], ledger: Ledger) -> None:
    """Find training labels that share an instant with a test label, in splits of one kind."""
    for number, (train, test) in enumerate(splits):
        ledger.runs += 1
        overlapping = first_overlap(spans, train, test)
        if overlapping is None:
            continue
        n_rows, learner, tested = overlapping
        detail = (
            f"{n_rows} training labels overlap test labels; the first spans {_span(spans, learner)} "
            f"and a test label spans {_span(spans, tested)}"
        )
        subject = f"{kind} {number}"
        ledger.add(Finding("interval_overlap", "leak", subject, row_name(spans, learner), detail))


def first_overlap(spans: Spans, train: IntArray, test: IntArray) -> tuple[int, int, int] | None:
    """Return (overlapping training rows, the first of them, a test row that it overlaps), or None.

    Spans are closed: two that touch in one instant overlap.
    """
    if len(train) == 0 or len(test) == 0:
        return None
    order = np.argsort(spans.start[test], kind="stable")
    starts, ends = spans.start[test][order], spans.end[test][order]
    latest_end = np.maximum.accumulate(ends)
    begun = np.searchsorted(starts, spans.end[train], side="right")  # tests that begin before it ends
    hit: BoolArray = (begun > 0) & (latest_end[np.maximum(begun - 1, 0)] >= spans.start[train])
    if not hit.any():
        return None
    learner = int(train[np.flatnonzero(hit)[0]])
    touching = (starts <= spans.end[learner]) & (ends >= spans.start[learner])
    return int(hit.sum()), learner, int(test[order[np.flatnonzero(touching)[0]]])


def check_duplicates(
    world: PipelineWorld, outer: Sequence[Split], inner: Sequence[Split], ledger: Ledger
) -> None:
    """Find rows, or copies of rows, that are learnt from and tested on.

    Equal features with the same non-zero forward return are a copy and a leak; equal features
    alone may be a coarse feature set and are a warning.
    """
    groups = _groups_of_equal_rows(world.X)
    for kind, splits in (("fold", outer), ("inner split", inner)):
        for number, (train, test) in enumerate(splits):
            ledger.runs += 1
            subject = f"{kind} {number}"
            both = np.intersect1d(train, test)
            if len(both):
                detail = f"{len(both)} rows are trained on and tested on"
                row = row_name(world.spans, int(both[0]))
                ledger.add(Finding("duplicates", "leak", subject, row, detail))
            elif kind == "fold" and groups is not None:
                _copies(world, groups, (train, test), subject, ledger)


def row_name(spans: Spans, row: int) -> str:
    """Return the label of a row as text: symbol and open time where the index has both."""
    label = spans.index[row]
    parts = label if isinstance(label, tuple) else (label,)
    return " ".join(part.isoformat() if hasattr(part, "isoformat") else str(part) for part in parts)


def _copies(world: PipelineWorld, groups: IntArray, split: Split, subject: str, ledger: Ledger) -> None:
    train, test = split
    train, test = train[groups[train] >= 0], test[groups[test] >= 0]
    shared = test[np.isin(groups[test], groups[train])]
    if len(shared) == 0:
        return
    by_group: dict[int, list[int]] = {}
    for row in train[np.isin(groups[train], groups[shared])]:
        by_group.setdefault(int(groups[row]), []).append(int(row))
    for row in shared:
        outcome = world.outcome[row]
        for twin in by_group[int(groups[row])]:
            if outcome != 0.0 and outcome == world.outcome[twin]:
                detail = (
                    f"test row and training row {row_name(world.spans, twin)} have the same features and "
                    f"the same forward return {outcome:.6g}; {len(shared)} test rows have equal features"
                )
                ledger.add(Finding("duplicates", "leak", subject, row_name(world.spans, int(row)), detail))
                return
    detail = f"{len(shared)} test rows have the same feature values as a training row"
    ledger.add(Finding("duplicates", "warning", subject, row_name(world.spans, int(shared[0])), detail))


def _groups_of_equal_rows(features: object) -> IntArray | None:
    """Return a number by row that equal rows share; -1 for rows without any value or twin."""
    values: npt.NDArray[np.float64] = np.ascontiguousarray(np.asarray(features, dtype=np.float64))
    if values.ndim != 2 or values.shape[1] == 0:
        return None
    values = np.where(np.isnan(values), np.nan, values + 0.0)  # one NaN, no negative zero
    rows = values.view(np.dtype((np.void, values.dtype.itemsize * values.shape[1]))).ravel()
    _, number, counts = np.unique(rows, return_inverse=True, return_counts=True)
    numbers: IntArray = number.astype(np.int64)
    numbers[(counts[number] == 1) | np.isnan(values).all(axis=1)] = -1
    return numbers


def _span(spans: Spans, row: int) -> str:
    times = from_ns(np.array([spans.start[row], spans.end[row]]))
    return f"[{times[0]:%Y-%m-%d %H:%M}, {times[1]:%Y-%m-%d %H:%M}]"
