"""The contract every splitter is held to. Run it on your own: ``check_splitter(MySplitter(3), spans)``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from onward.errors import SplitError
from onward.protocols import Splitter
from onward.splits import BaseSplitter
from onward.types import BoolArray, Fold, IntArray, Spans

__all__ = ["brute_force_training_rows", "check_folds", "check_splitter"]


def check_splitter(splitter: BaseSplitter, spans: Spans, *, nested: bool = True) -> None:
    """Hold a splitter to the promises of `onward.protocols.Splitter`.

    - folds equal a brute-force comparison of every candidate with every test row (`check_folds`);
    - all rows of one decision time fall on one side; every tested row is tested equally often,
      and rows that are never tested come before all that are;
    - `split` finds spans by index, by position, in another order and for a subset of the rows;
    - the same holds inside: folds of an outer fold's training rows, holes and all.

    Parameters
    ----------
    splitter
        A splitter as a user builds it; no ``spans`` needed.
    spans
        At most about a thousand; brute force is quadratic.
    nested
        Whether to look inside the training rows of the outer folds too.

    Raises
    ------
    AssertionError
        With the broken promise and the fold that breaks it.
    """
    _require(
        isinstance(splitter, Splitter),
        f"{type(splitter).__name__} does not satisfy onward.protocols.Splitter",
    )
    folds = splitter.folds(spans)
    _require([fold.number for fold in folds] == list(range(len(folds))), "folds are not numbered 0, 1, 2 ...")
    known = replace(splitter, spans=spans)
    _require(known.get_n_splits(spans.start) == len(folds), "get_n_splits differs from the number of folds")
    _check_coverage(folds, spans)
    check_folds(splitter, folds, spans)
    _check_split(known, folds, spans)
    if not nested:
        return
    for outer in (folds[0], folds[len(folds) // 2], folds[-1]):
        inside = spans.take(outer.train)
        try:
            inner = splitter.folds(inside)
        except SplitError:
            continue  # purging may leave fewer decision times than blocks, above all early on
        _check_coverage(inner, inside)
        check_folds(splitter, inner, inside)
        frame = pd.DataFrame({"x": np.zeros(len(outer.train))}, index=inside.index)
        _require_equal(list(known.split(frame)), inner, "split of an outer fold's training rows")


def check_folds(splitter: BaseSplitter, folds: Sequence[Fold], spans: Spans) -> None:
    """Compare folds with the definition, row by row.

    Raises
    ------
    AssertionError
        When a fold has a training row too many or too few, or test rows that were not cut so.
    """
    embargo = splitter.embargo_length(spans)
    for fold, blocks in zip(folds, splitter.test_blocks(spans), strict=True):
        _require(fold.train.dtype == np.int64 and fold.test.dtype == np.int64, "positions are not int64")
        test = np.sort(np.concatenate(list(blocks)))
        _require(np.array_equal(fold.test, test), f"fold {fold.number} does not test its test blocks")
        _require(bool((np.diff(fold.train) > 0).all()), f"training rows of fold {fold.number} are not sorted")
        candidate = _candidates(splitter, spans, blocks, embargo)
        expected = brute_force_training_rows(spans, blocks, candidate, embargo)
        extra = np.setdiff1d(fold.train, expected)
        lost = np.setdiff1d(expected, fold.train)
        _require(
            len(extra) == 0, f"fold {fold.number} trains on {len(extra)} rows it must not, first {extra[:1]}"
        )
        _require(len(lost) == 0, f"fold {fold.number} leaves out {len(lost)} innocent rows, first {lost[:1]}")


def brute_force_training_rows(
    spans: Spans, test_blocks: Sequence[IntArray], candidates: IntArray, embargo: int
) -> IntArray:
    """Return the training rows as the rule is worded, one candidate and one test row at a time.

    Shares no code with `onward.splits.folds`; quadratic.
    """
    start, end = spans.start.tolist(), spans.end.tolist()
    blocks = [block.tolist() for block in test_blocks]
    edges = [(max(start[j] for j in block), max(end[j] for j in block)) for block in blocks]
    kept = []
    for i in candidates.tolist():
        overlap = any(start[i] <= end[j] and start[j] <= end[i] for block in blocks for j in block)
        embargoed = any(last < start[i] <= label_end + embargo for last, label_end in edges)
        if not overlap and not embargoed:
            kept.append(i)
    return np.array(kept, dtype=np.int64)


def _candidates(splitter: BaseSplitter, spans: Spans, blocks: Sequence[IntArray], embargo: int) -> IntArray:
    tested = set(np.concatenate(list(blocks)).tolist())
    rows = [i for i in range(len(spans)) if i not in tested]
    if splitter.past_only:
        first = min(int(spans.start[i]) for i in tested)
        rows = [i for i in rows if int(spans.end[i]) + embargo < first]
        window = splitter.training_window
        moments = sorted({int(spans.start[i]) for i in rows})
        if window is not None and moments:
            if window.bars is not None:
                oldest = moments[-window.bars :][0]
                rows = [i for i in rows if int(spans.start[i]) >= oldest]
            else:
                rows = [i for i in rows if int(spans.start[i]) > moments[-1] - window.nanoseconds]
    return np.array(rows, dtype=np.int64)


def _check_coverage(folds: Sequence[Fold], spans: Spans) -> None:
    times_tested = np.zeros(len(spans), dtype=np.int64)
    first_tested = []
    for fold in folds:
        times_tested[fold.test] += 1
        first_tested.append(spans.start[fold.test].min())
        inside = np.zeros(len(spans), dtype=np.bool_)
        inside[fold.test] = True
        _require(
            not np.isin(spans.start[~inside], spans.start[inside]).any(),
            f"fold {fold.number} tests a moment of some symbols and not of others",
        )
    _require(first_tested == sorted(first_tested), "folds are not in the order of time")
    tested: BoolArray = times_tested > 0
    _require(len(np.unique(times_tested[tested])) == 1, "some rows are tested more often than others")
    if not tested.all():
        _require(
            bool(spans.start[~tested].max() < spans.start[tested].min()),
            "a row is never tested though an earlier one is",
        )


def _check_split(known: BaseSplitter, folds: Sequence[Fold], spans: Spans) -> None:
    frame = pd.DataFrame({"x": np.arange(len(spans), dtype=np.float64)}, index=spans.index)
    _require_equal(list(known.split(frame)), folds, "split by index")
    _require_equal(list(known.split(frame.to_numpy())), folds, "split by position")
    order = np.random.default_rng(0).permutation(len(spans))
    for (train, test), fold in zip(known.split(frame.iloc[order]), folds, strict=True):
        same = np.array_equal(np.sort(order[train]), fold.train) and np.array_equal(
            np.sort(order[test]), fold.test
        )
        _require(same, f"fold {fold.number} depends on the order of the rows")


def _require_equal(pairs: Sequence[tuple[IntArray, IntArray]], folds: Sequence[Fold], what: str) -> None:
    _require(len(pairs) == len(folds), f"{what} gives {len(pairs)} folds, folds() gives {len(folds)}")
    for (train, test), fold in zip(pairs, folds, strict=True):
        same = np.array_equal(train, fold.train) and np.array_equal(test, fold.test)
        _require(same, f"{what} differs from folds() in fold {fold.number}")


def _require(condition: bool, promise: str) -> None:
    if not condition:
        raise AssertionError(promise)
