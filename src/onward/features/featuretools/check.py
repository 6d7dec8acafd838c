"""A sample of rows is held against featuretools itself: our kernels must say what it says."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from onward.errors import StageError
from onward.features.featuretools.cutoffs import calculate, seen_rows
from onward.features.featuretools.definition import Definition
from onward.features.featuretools.evaluate import evaluate_into
from onward.features.featuretools.synthesis import is_installed
from onward.features.isolation import IsolatedProcess, IsolationError, Limits
from onward.types import FloatArray, IntArray, Market

__all__ = ["CheckReport", "check_sample", "compare", "sample_positions"]

_log = logging.getLogger(__name__)

TOLERANCE = 1e-9
"""Largest difference, relative to the value or to the column's root mean square."""

NUDGES = 64.0
"""Further difference allowed, in movements of the value when its inputs move in their last digit.

Where terms cancel, as in the deviation of prices that hardly move or the slope of a constant, the
order of summing decides the digits that are left, and featuretools' order is another than ours.
"""


@dataclass(frozen=True)
class CheckReport:
    """What became of a check against featuretools.

    Attributes
    ----------
    status
        ``passed``, or ``skipped`` with a ``reason``; a check that fails raises.
    rows, definitions
        How much was compared.
    seconds
        CPU time that featuretools took, without start and import.
    reason
        Why it was skipped, or which definitions featuretools itself could not compute.
    """

    status: Literal["passed", "skipped"]
    rows: int = 0
    definitions: int = 0
    seconds: float = 0.0
    reason: str = ""


def sample_positions(n_rows: int, n_wanted: int) -> IntArray:
    """Return positions spread over the rows, the same every time, at all times of day."""
    n = min(n_rows, n_wanted)
    golden = (np.arange(n) * 0.6180339887498949) % 1.0
    spread = ((np.arange(n) + golden) / max(n, 1) * n_rows).astype(np.int64)
    if n:
        spread[-1] = n_rows - 1
    return np.unique(spread)


def check_sample(
    definitions: Sequence[tuple[int, Definition]],
    market: Market,
    values: Mapping[str, FloatArray],
    window_ns: int,
    computed: npt.NDArray[Any],
    n_rows: int,
    limits: Limits,
) -> CheckReport:
    """Compare computed columns with featuretools at a sample of rows.

    Parameters
    ----------
    definitions
        Column number and definition of what kernels computed.
    market, values, window_ns
        What they were computed from.
    computed
        Matrix of shape (rows, columns), float64 or float32.
    n_rows
        Size of the sample.
    limits
        Of the child process.

    Raises
    ------
    StageError
        At the first value that differs, with column, row and both values.
    """
    if not is_installed():
        return _skipped("featuretools is not installed (the extra onward[automl])")
    rows = sample_positions(len(market), n_rows)
    wanted = [definition for _, definition in definitions]
    try:
        with IsolatedProcess(limits=limits, hash_seed=0) as child:
            theirs = calculate(child, market, values, wanted, rows, window_ns)
    except IsolationError as error:
        return _skipped(f"the child process gave no answer: {error}")
    stored = np.asarray(computed)[rows][:, [position for position, _ in definitions]]
    ours = _exact(wanted, market, values, window_ns, rows)
    names = [definition.column for definition in wanted]
    labels = [" ".join(map(str, market.bars.index[row])) for row in rows]
    loose = TOLERANCE if stored.dtype == np.float64 else 1e-6
    compare(names, labels, ours, stored.astype(np.float64), "the stage's matrix", loose, set())
    moved = _exact(wanted, market, _nudged(values), window_ns, rows)
    slack = np.where(np.isfinite(moved - ours), NUDGES * np.abs(moved - ours), np.inf)
    slack[np.isnan(ours) & np.isnan(moved)] = 0.0
    compare(names, labels, ours, theirs.matrix, "featuretools", TOLERANCE, set(theirs.failed), slack)
    odd = "; ".join(f"{names[i]}: {why}" for i, why in theirs.failed.items())
    return CheckReport("passed", len(rows), len(wanted) - len(theirs.failed), theirs.seconds, odd)


def compare(
    names: Sequence[str],
    labels: Sequence[str],
    ours: FloatArray,
    theirs: FloatArray,
    who: str,
    tolerance: float,
    except_columns: set[int],
    slack: float | FloatArray = 0.0,
) -> None:
    """Raise `StageError` where two matrices of shape (rows, columns) differ by more than a tolerance.

    Relative to the value, or to the column's root mean square where terms cancel, and beyond an
    absolute slack (one for all cells, or one each). NaN equals NaN, and anything in a cell of
    infinite slack: whether it is known depends on the last digit of its inputs.
    """
    known = np.isfinite(ours)
    scale = np.sqrt(np.square(np.where(known, ours, 0.0)).sum(axis=0) / np.maximum(known.sum(axis=0), 1))
    with np.errstate(invalid="ignore"):
        wrong = np.abs(ours - theirs) > tolerance * np.maximum(np.abs(theirs), scale) + slack
    wrong |= (np.isnan(ours) != np.isnan(theirs)) & np.isfinite(slack)
    wrong[:, sorted(except_columns)] = False
    if not wrong.any():
        return
    row, column = (int(place[0]) for place in np.nonzero(wrong))
    raise StageError(
        f"a value of the stage 'featuretools' is not what {who} gives",
        got=f"{names[column]} at {labels[row]}: {ours[row, column]!r}, {who} gives {theirs[row, column]!r}"
        f" ({int(wrong.any(axis=0).sum())} columns differ)",
        allowed=f"a relative difference of at most {tolerance:g}",
        remedy="Install the pinned versions of the extra onward[automl] and report this; set"
        " featuretools.check_rows = 0 to go on without the check.",
    )


def _exact(
    definitions: Sequence[Definition],
    market: Market,
    values: Mapping[str, FloatArray],
    window_ns: int,
    rows: IntArray,
) -> FloatArray:
    """Return our float64 values at some rows, computed from nothing but the rows they may see."""
    seen = seen_rows(market, rows, definitions, window_ns)
    part = Market(market.bars.iloc[seen], market.timeframe)
    part.bars.index = part.bars.index.remove_unused_levels()  # type: ignore[attr-defined]
    out = np.full((len(seen), len(definitions)), np.nan)
    evaluate_into(list(enumerate(definitions)), part, {k: v[seen] for k, v in values.items()}, window_ns, out)
    return out[np.searchsorted(seen, rows)]


def _nudged(values: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Return values moved by one unit in the last place, up or down in no pattern, always the same."""
    moved = {}
    for name, column in values.items():
        up = np.random.default_rng(len(column)).random(len(column)) < 0.5
        moved[name] = np.nextafter(column, np.where(up, np.inf, -np.inf))
    return moved


def _skipped(reason: str) -> CheckReport:
    _log.warning("featuretools: values are not compared with featuretools itself: %s", reason)
    return CheckReport("skipped", reason=reason)
