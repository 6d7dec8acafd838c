"""What can be rolled over: one series or several, with names, an index, times and groups."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from onward.errors import ConfigError, DataError, NotEnoughDataError
from onward.types import FloatArray, IntArray, to_ns

__all__ = ["RollingInput", "read_values", "read_windows"]

DEFAULT_NAME = "value"


@dataclass(frozen=True, eq=False)
class RollingInput:
    """Series of equal length over one index.

    Attributes
    ----------
    names
        Name of each series: the first part of its columns' names.
    series
        float64 values of each series, shape (n,), NaN where unknown.
    index
        Label of each row.
    time
        Moment of each row, ns UTC; None when there are no times.
    group_start
        First row of the group (symbol) that a row belongs to; windows do not cross groups.
    """

    names: tuple[str, ...]
    series: tuple[FloatArray, ...]
    index: pd.Index
    time: IntArray | None
    group_start: IntArray

    def __len__(self) -> int:
        return len(self.index)


def read_values(values: Any, times: Any = None) -> RollingInput:
    """Return values of any accepted form as series over one index.

    Parameters
    ----------
    values
        A Series, a DataFrame (a series a column), a mapping of name to values, a one-dimensional
        array (named ``value``) or a two-dimensional one (columns ``value_0``, ``value_1`` ...).
        An index with several levels is a panel: its outer levels name contiguous groups.
    times
        Moment of each row, UTC or naive-as-UTC; by default the index, when it holds moments.

    Raises
    ------
    DataError
        If values are not numbers, lengths differ, names repeat, groups are scattered or times
        are unknown or go backwards.
    """
    index: pd.Index | None = None
    if isinstance(values, pd.Series):
        index = values.index
        named = {DEFAULT_NAME if values.name is None else str(values.name): values.to_numpy()}
        labels = list(named)
    elif isinstance(values, pd.DataFrame):
        index = values.index
        labels = [str(column) for column in values.columns]
        named = {label: values.iloc[:, i].to_numpy() for i, label in enumerate(labels)}
    elif isinstance(values, Mapping):
        labels = [str(key) for key in values]
        named = {str(key): column for key, column in values.items()}
        index = next((v.index for v in values.values() if isinstance(v, pd.Series)), None)
    else:
        labels, named = from_array(values)
    if not labels or len(set(labels)) != len(labels):
        raise DataError(
            "every series needs a name of its own",
            got=", ".join(labels) or "no series",
            remedy="Rename the columns.",
        )
    series = tuple(as_floats(name, column) for name, column in named.items())
    lengths = {name: len(column) for name, column in zip(named, series, strict=True)}
    if len(set(lengths.values())) != 1:
        raise DataError("the series differ in length", got=lengths, remedy="Align them first.")
    if index is None:
        index = pd.RangeIndex(len(series[0]))
    moments, starts = read_times(times, index), group_starts(index)
    if moments is not None:
        refuse_backwards(moments, starts, own_index=times is None)
    return RollingInput(tuple(labels), series, index, moments, starts)


def from_array(values: Any) -> tuple[list[str], dict[str, Any]]:
    """Return names and series of a plain array."""
    dimensions = np.ndim(values)
    if dimensions == 1:
        return [DEFAULT_NAME], {DEFAULT_NAME: values}
    if dimensions == 2:
        columns = np.asarray(values)
        named = {f"{DEFAULT_NAME}_{i}": columns[:, i] for i in range(columns.shape[1])}
        return list(named), named
    raise DataError(
        "values have the wrong shape",
        got=f"{dimensions} dimensions of type {type(values).__name__}",
        allowed="a Series, a DataFrame, a mapping of series, a 1-D or 2-D array",
        remedy="Give one column a series.",
    )


def as_floats(name: str, column: Any) -> FloatArray:
    """Return a series as float64."""
    try:
        return np.ascontiguousarray(column, dtype=np.float64).reshape(-1)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"the series {name} holds something else than numbers",
            got=str(error),
            allowed="numbers, NaN where unknown",
            remedy="Convert it to float64.",
        ) from error


def read_times(times: Any, index: pd.Index) -> IntArray | None:
    """Return the moment of each row in ns UTC, or None."""
    if times is None:
        innermost = index.get_level_values(-1) if isinstance(index, pd.MultiIndex) else index
        if not isinstance(innermost, pd.DatetimeIndex):
            return None
        moments = innermost
    else:
        try:
            moments = moments_of(times)
        except (TypeError, ValueError) as error:
            raise DataError("times are no moments", got=str(error), remedy="Give UTC timestamps.") from error
    if len(moments) != len(index):
        raise DataError(
            "there is not one time a value",
            got=f"{len(moments)} times, {len(index)} values",
            remedy="Give as many times as values.",
        )
    if moments.hasnans:
        raise DataError("a time is missing", got="NaT", remedy="Drop rows without a time.")
    return to_ns(moments)


def refuse_backwards(moments: IntArray, group_start: IntArray, *, own_index: bool) -> None:
    """Refuse times that decrease within a group: a window would hold the future and call it the past."""
    falls = (np.diff(moments) < 0) & (np.diff(group_start) == 0)
    if not falls.any():
        return
    row = int(np.flatnonzero(falls)[0]) + 1
    before, here = pd.to_datetime(moments[row - 1 : row + 1], utc=True)
    raise DataError(
        "the times go backwards",
        got=f"row {row} at {here}, after {before}",
        allowed="times that rise, within each symbol of a panel",
        remedy="Sort with values.sort_index()." if own_index else "Sort values and times by time.",
    )


def moments_of(times: Any) -> pd.DatetimeIndex:
    """Return moments from timestamps, ISO 8601 text or int64 nanoseconds since 1970."""
    if np.asarray(times).dtype.kind in "iu":
        return pd.DatetimeIndex(np.asarray(times, dtype="datetime64[ns]"))
    return pd.DatetimeIndex(pd.to_datetime(times, utc=True, format="ISO8601"))


def group_starts(index: pd.Index) -> IntArray:
    """Return the first row of each row's group: the rows that share the outer index levels."""
    if not isinstance(index, pd.MultiIndex) or len(index) == 0:
        return np.zeros(len(index), dtype=np.int64)
    outer = pd.MultiIndex.from_arrays([index.get_level_values(i) for i in range(index.nlevels - 1)])
    codes = np.asarray(pd.factorize(outer)[0], dtype=np.int64)
    first = np.flatnonzero(np.diff(codes, prepend=-1))
    if len(first) != len(np.unique(codes)):
        raise DataError(
            "the rows of a symbol are scattered",
            allowed="an index sorted by its outer level",
            remedy="Sort with values.sort_index().",
        )
    return np.repeat(first, np.diff(first, append=len(codes))).astype(np.int64)


def read_windows(window: int | Sequence[int], data: RollingInput) -> tuple[tuple[int, ...], bool]:
    """Return the window lengths, and whether several were named (then columns carry them).

    Raises
    ------
    ConfigError
        If a window is no positive whole number, or occurs twice.
    NotEnoughDataError
        If a window is longer than every group of rows.
    """
    several = not isinstance(window, int | np.integer) and isinstance(window, Sequence | np.ndarray)
    lengths = tuple(window) if several else (window,)  # type: ignore[arg-type]
    checked = tuple(read_count("window", length) for length in lengths)
    if not checked or len(set(checked)) != len(checked):
        raise ConfigError(
            "the windows are empty or repeat", got=repr(window), remedy="Name each window once."
        )
    groups = np.bincount(data.group_start) if len(data) else np.zeros(1, dtype=np.int64)
    longest = int(groups.max())
    if max(checked) > longest:
        raise NotEnoughDataError(
            "the window is longer than the series",
            got=f"a window of {max(checked)} values, a series of {longest}",
            allowed=f"windows of 1 to {longest} values",
            remedy="Shorten the window or give more history.",
        )
    return checked, several


def read_count(name: str, value: Any) -> int:
    """Return a positive whole number."""
    try:
        count = operator.index(value)
    except TypeError:
        count = 0
    if isinstance(value, bool) or count < 1:
        raise ConfigError(
            f"{name} is no positive whole number",
            got=repr(value),
            allowed="1, 2, 3 ...",
            remedy=f"{name} counts values.",
            settings=(name.rpartition(".")[2],),
        )
    return count
