"""Definitions to values, for all rows at once, by kernels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from onward.features.featuretools.columns import TIME
from onward.features.featuretools.definition import Definition, Expression
from onward.features.featuretools.parents import PARENTS, Windows, windows
from onward.kernels import prefix
from onward.types import FloatArray, IntArray, Market, from_ns

__all__ = ["Evaluator", "evaluate_into"]

SECOND = 1e9

KERNELS: Mapping[str, tuple[Callable[..., FloatArray], tuple[str, ...]]] = {
    "moments": (prefix.prefix_moments, prefix.MOMENTS),
    "extremes": (prefix.prefix_extremes, prefix.EXTREMES),
    "order": (prefix.prefix_order, prefix.ORDER),
    "runs": (prefix.prefix_runs, prefix.RUNS),
}
FOUND_IN = {name: kernel for kernel, (_, names) in KERNELS.items() for name in names}

BINARY: Mapping[str, Callable[[FloatArray, FloatArray], Any]] = {
    "add_numeric": np.add,
    "subtract_numeric": np.subtract,
    "multiply_numeric": np.multiply,
    "divide_numeric": np.divide,
    "greater_than": np.greater,
    "less_than": np.less,
}
UNARY: Mapping[str, Callable[[FloatArray], FloatArray]] = {
    "absolute": np.abs,
    "negate": np.negative,
    "square_root": np.sqrt,
    "natural_logarithm": np.log,
    "sine": np.sin,
    "cosine": np.cos,
}


def evaluate_into(
    definitions: Sequence[tuple[int, Definition]],
    market: Market,
    values: Mapping[str, FloatArray],
    window_ns: int,
    out: npt.NDArray[Any],
    done: Callable[[int, str], None] | None = None,
) -> None:
    """Write definitions into columns of a matrix; an infinity becomes NaN.

    Parameters
    ----------
    definitions
        Column number and definition. Neighbours that use the same columns share what they have in
        common; it is forgotten when other columns follow.
    market, values
        Bars, and the columns of `onward.features.featuretools.columns.base_values`.
    window_ns
        Training window.
    out
        Shape (rows, columns).
    done
        Told how many definitions are finished, and of which columns they were.
    """
    evaluator = Evaluator(market, values, window_ns)
    before: tuple[str, ...] | None = None
    for number, (position, definition) in enumerate(definitions):
        columns = definition.expression.columns
        if columns != before:
            evaluator.forget()
            if done is not None and before is not None:
                done(number, ", ".join(before) or "time")
        before = columns
        found = evaluator.value(definition.expression)
        out[:, position] = np.where(np.isfinite(found), found, np.nan)
    if done is not None and before is not None:
        done(len(definitions), ", ".join(before) or "time")


@dataclass
class Evaluator:
    """Values of expressions on one market, each computed once until it is forgotten."""

    market: Market
    columns: Mapping[str, FloatArray]
    window_ns: int
    _windows: dict[str, Windows] = field(default_factory=dict)
    _kept: dict[Expression, FloatArray] = field(default_factory=dict)
    _statistics: dict[tuple[str, str, Expression | None], FloatArray] = field(default_factory=dict)

    def forget(self) -> None:
        """Let go of everything but the windows."""
        self._kept.clear()
        self._statistics.clear()

    def value(self, expression: Expression) -> FloatArray:
        """Return one value a row of the market; flags are 1.0 and 0.0."""
        if expression.kind == "column":
            return self.columns[expression.name]
        found = self._kept.get(expression)
        if found is None:
            with np.errstate(all="ignore"):  # what has no value becomes NaN when it is written
                found = self._compute(expression)
            self._kept[expression] = found
        return found

    def _compute(self, expression: Expression) -> FloatArray:
        if expression.kind == "transform":
            return self._transform(expression)
        windows = self._rows(expression.parent)
        of = next((item for item in expression.inputs if item.name != TIME), None)
        if expression.kind == "grouped":
            # A rank is the row's own: among rows of one moment it needs the whole moment.
            if windows.order is not None:
                return _ranks(self.value(expression.inputs[0]), windows)
            return self._statistic("order", "percentile", expression.parent, of)
        return windows.restore(self._aggregate(expression.name, expression.parent, of))

    def _aggregate(self, name: str, parent: str, of: Expression | None) -> FloatArray:
        def statistic(kernel: str, wanted: str) -> FloatArray:
            return self._statistic(kernel, wanted, parent, of)

        windows = self._rows(parent)
        if of is None:
            return self._clock(name, windows)
        if name in FOUND_IN and name != "count":
            return statistic(FOUND_IN[name], name)
        if name == "std":
            return np.sqrt(statistic("moments", "variance"))
        if name == "max_min_delta":
            return _filled(statistic("extremes", "max") - statistic("extremes", "min"))
        if name in ("first", "last"):
            values: FloatArray = windows.arrange(self.value(of))
            return values[windows.start] if name == "first" else values
        if name == "trend":
            return statistic("trend", "trend")
        if name in ("num_true", "any"):
            true = statistic("moments", "sum")
            return true if name == "num_true" else np.asarray(true > 0.0, dtype=np.float64)
        if name == "all":
            same = statistic("moments", "sum") == statistic("moments", "count")
            return np.asarray(same, dtype=np.float64)
        if name == "percent_true":
            return statistic("moments", "sum") / _rows_seen(windows)
        rows = {
            "time_since_last_max": ("extremes", "row_of_max"),
            "time_since_last_min": ("extremes", "row_of_min"),
            "time_since_last_true": ("runs", "row_of_last_positive"),
        }[name]
        return self._since(windows, statistic(*rows))

    def _clock(self, name: str, windows: Windows) -> FloatArray:
        if name == "count":
            return _rows_seen(windows)
        times: IntArray = windows.arrange(self.market.decision_time_ns)
        passed: FloatArray = (times - times[windows.start]) / SECOND
        if name == "time_since_last":
            return np.zeros(len(times))
        if name == "avg_time_between":
            return passed / np.where(_rows_seen(windows) > 1, _rows_seen(windows) - 1, np.nan)
        return passed  # time_since_first and first_last_time_delta: the last bar is the row itself

    def _since(self, windows: Windows, rows: FloatArray) -> FloatArray:
        known = ~np.isnan(rows)
        times = windows.arrange(self.market.decision_time_ns)
        out = np.zeros(len(times))  # featuretools fills in 0 where nothing was found
        out[known] = (times[known] - times[rows[known].astype(np.int64)]) / SECOND
        return out

    def _transform(self, expression: Expression) -> FloatArray:
        name = expression.name
        if name in BINARY:
            first, second = (self.value(item) for item in expression.inputs)
            return np.asarray(BINARY[name](first, second), dtype=np.float64)
        if name in UNARY:
            return UNARY[name](self.value(expression.inputs[0]))
        if name == "not":
            return 1.0 - self.value(expression.inputs[0])
        clock = from_ns(self.market.decision_time_ns)
        if name == "is_weekend":
            return np.asarray(clock.weekday > 4, dtype=np.float64)
        source = clock.isocalendar()["week"] if name == "week" else getattr(clock, name)
        return np.asarray(source, dtype=np.float64)

    def _statistic(self, kernel: str, wanted: str, parent: str, of: Expression | None) -> FloatArray:
        assert of is not None
        key = (kernel, parent, of)
        found = self._statistics.get(key)
        windows = self._rows(parent)
        if found is None:
            values = windows.arrange(np.ascontiguousarray(self.value(of), dtype=np.float64))
            if kernel == "trend":
                times: IntArray = windows.arrange(self.market.decision_time_ns)
                found = prefix.prefix_trend(values, windows.start, times)
            else:
                found = KERNELS[kernel][0](values, windows.start)
            self._statistics[key] = found
        names = prefix.TREND if kernel == "trend" else KERNELS[kernel][1]
        out: FloatArray = found[names.index(wanted)]
        return out

    def _rows(self, parent: str) -> Windows:
        if parent not in self._windows:
            self._windows[parent] = windows(self.market, PARENTS[parent], self.window_ns)
        return self._windows[parent]


def _rows_seen(windows: Windows) -> FloatArray:
    return (np.arange(len(windows.start)) - windows.start + 1).astype(np.float64)


def _filled(values: FloatArray) -> FloatArray:
    """Return values with 0 for NaN: featuretools' default of a primitive."""
    return np.where(np.isnan(values), 0.0, values)


def _ranks(values: FloatArray, windows: Windows) -> FloatArray:
    """Return the share of a moment's known values up to each row's own, ties averaged."""
    assert windows.order is not None
    group = windows.start
    own = values[windows.order]
    order = np.lexsort((own, group))
    known = ~np.isnan(own[order])
    out = np.full(len(values), np.nan)
    sorted_group, sorted_own = group[order][known], own[order][known]
    if not len(sorted_own):
        return out
    fresh = np.diff(sorted_group, prepend=-1) != 0
    ties = fresh | (np.diff(sorted_own, prepend=np.nan) != 0)
    places = np.arange(len(sorted_own))
    first = places[fresh][np.cumsum(fresh) - 1]
    size = np.bincount(np.cumsum(fresh) - 1)[np.cumsum(fresh) - 1]
    tie = np.cumsum(ties) - 1
    start = places[ties]
    middle = start[tie] + (np.bincount(tie)[tie] - 1) / 2.0
    out[windows.order[order[known]]] = (middle - first + 1.0) / size
    return out
