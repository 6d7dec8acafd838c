"""`rolling_features`: tsfresh's calculators on rolling windows, at the speed of compiled code."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import ConfigError, nearest
from onward.features.tsfresh.fallback import FallbackWarning, shortened, what_raised
from onward.features.tsfresh.inputs import RollingInput, read_count, read_values, read_windows
from onward.features.tsfresh.jobs import Job, available_threads, compute_fallback, compute_native
from onward.features.tsfresh.parameters import resolve_parameters
from onward.features.tsfresh.reach import chosen_undefined, undefined_features, undefined_sentence
from onward.types import IntArray

__all__ = [
    "FallbackWarning",
    "RollingReport",
    "RollingResult",
    "UndefinedWarning",
    "column_names",
    "extract_rolling",
    "rolling_features",
]

Alignment = Literal["windows", "full"]


class UndefinedWarning(UserWarning):
    """Parameters that reach beyond the window: the feature is NaN in every row, as in tsfresh."""


@dataclass(frozen=True)
class RollingReport:
    """How a call went.

    Attributes
    ----------
    rows, columns
        Shape of the result.
    native
        Features that kernels computed.
    fallback
        Features that tsfresh computed in a child process.
    skipped
        Features left out because they need times and there were none, as in tsfresh.
    errors
        By feature (its name holds calculator and parameters): message of the first window on which
        it raised in the fallback; its cells are NaN.
    raised
        In how many windows each of those raised, over all series and lengths.
    undefined
        By window length: features whose parameters reach beyond it, NaN in every row.
    unknown_windows
        Windows that hold a NaN or an infinity: every feature of them is NaN.
    native_seconds, fallback_seconds
        Where the time went.
    tsfresh
        Version that computed the fallback features; empty when there were none.
    """

    rows: int
    columns: int
    native: tuple[str, ...]
    fallback: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict)
    raised: Mapping[str, int] = field(default_factory=dict)
    undefined: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    unknown_windows: int = 0
    native_seconds: float = 0.0
    fallback_seconds: float = 0.0
    tsfresh: str = ""


@dataclass(frozen=True, eq=False)
class RollingResult:
    """Features and how they came about.

    Attributes
    ----------
    features
        One row a window (or a row of the input), one column a feature.
    report
        How the call went.
    """

    features: pd.DataFrame
    report: RollingReport


def rolling_features(
    values: Any,
    *,
    window: int | Sequence[int],
    stride: int = 1,
    parameters: str | Mapping[Any, Any] = "financial",
    times: Any = None,
    align: Alignment = "windows",
    dtype: npt.DTypeLike = np.float64,
    threads: int | None = None,
    timeout: float = 300.0,
) -> pd.DataFrame:
    """Return tsfresh features of every rolling window.

    Each window's values depend on that window alone: they are equal, to the last bit, wherever
    the window stands and whatever else is computed in the call.

    Parameters
    ----------
    values
        A Series, a DataFrame (a series a column), a mapping of name to values, or a 1-D or 2-D
        array. An index with several levels is a panel: windows do not cross its outer levels.
    window
        Values in a window; several lengths may be given.
    stride
        Rows from one window's end to the next one's.
    parameters
        ``minimal``, ``financial``, ``efficient``, ``comprehensive``, or a dictionary in the form of
        tsfresh's ``default_fc_parameters`` (tsfresh's own settings objects included).
    times
        Moment of each row (UTC, or naive taken as UTC), for calculators that read the clock; by
        default the index when it holds moments. Without times those calculators are left out.
    align
        ``windows``: one row a window, labelled by the window's last row; rows before the first
        full window are absent. ``full``: one row an input row, NaN where no window ends. With
        several lengths the rows are those of the shortest, and longer windows are NaN until full.
    dtype
        Type of the result; float64 is computed in any case.
    threads
        Threads that compute; by default one a core (Numba's ``NUMBA_NUM_THREADS``).
    timeout
        Seconds that tsfresh may take for 128 windows of the features that are not native.

    Returns
    -------
    DataFrame
        Columns named as tsfresh names them, ``close__quantile__q_0.1``; when ``window`` is a
        sequence the length follows the series, ``close__48__quantile__q_0.1``. A window with a
        NaN or an infinity gives NaN in every column.

    Raises
    ------
    ConfigError
        If a set, calculator, parameter or option is unknown, or tsfresh is needed and missing.
    DataError
        If values or times cannot be read; `NotEnoughDataError` if a window is longer than the
        series.
    StageError
        If the child process of the fallback is killed or takes too long.

    Warns
    -----
    FallbackWarning
        If some features have no kernel; it also names the features that raised, and in how
        many windows. `extract_rolling` returns the same in a report.
    UndefinedWarning
        If parameters reach beyond the window; of a whole named set nothing is said.

    Examples
    --------
    >>> rolling_features([1.0, 2.0, 4.0], window=2, parameters={"maximum": None, "mean": None})
       value__maximum  value__mean
    1             2.0          1.5
    2             4.0          3.0
    """
    result = extract_rolling(
        values,
        window=window,
        stride=stride,
        parameters=parameters,
        times=times,
        align=align,
        dtype=dtype,
        threads=threads,
        timeout=timeout,
    )
    features = resolve_parameters(parameters)
    for length in result.report.undefined:
        chosen = chosen_undefined(features, length)
        if chosen:
            warnings.warn(undefined_sentence(chosen, length), UndefinedWarning, stacklevel=2)
    if result.report.fallback:
        warnings.warn(fallback_message(result.report), FallbackWarning, stacklevel=2)
    return result.features


def fallback_message(report: RollingReport) -> str:
    """Return what a user has to know of a call that went through tsfresh."""
    told = f"no kernel computes {shortened(report.fallback)}; tsfresh did, in a child process, "
    seconds = f"in {report.fallback_seconds:.0f} s"
    return ". ".join([told + seconds, *what_raised(report.errors, report.raised)])


def column_names(
    series: Sequence[str],
    *,
    window: int | Sequence[int],
    parameters: str | Mapping[Any, Any] = "financial",
    times: bool = True,
) -> list[str]:
    """Return the columns that `rolling_features` will give, without computing anything.

    Parameters
    ----------
    series
        Names of the series.
    window, parameters
        As for `rolling_features`.
    times
        Whether there will be times.
    """
    features = [f for f in resolve_parameters(parameters) if times or not f.by_time]
    if isinstance(window, int | np.integer):
        return [f"{name}__{feature.name}" for name in series for feature in features]
    return [
        f"{name}__{length}__{feature.name}" for name in series for length in window for feature in features
    ]


def extract_rolling(
    values: Any,
    *,
    window: int | Sequence[int],
    stride: int = 1,
    parameters: str | Mapping[Any, Any] = "financial",
    times: Any = None,
    align: Alignment = "windows",
    dtype: npt.DTypeLike = np.float64,
    threads: int | None = None,
    timeout: float = 300.0,
) -> RollingResult:
    """Return the features of `rolling_features` together with a report of how they came about.

    Takes the same arguments and raises the same errors, but warns of nothing.
    """
    data = read_values(values, times)
    lengths, several = read_windows(window, data)
    stride = read_count("stride", stride)
    target = read_dtype(dtype)
    check_choice("align", align, ("windows", "full"))
    workers = available_threads() if threads is None else read_count("threads", threads)
    wanted = resolve_parameters(parameters)
    features = [f for f in wanted if data.time is not None or not f.by_time]
    skipped = tuple(f.name for f in wanted if data.time is None and f.by_time)
    if not features:
        raise ConfigError(
            "every feature asked for needs the time of each value",
            got=", ".join(skipped[:3]),
            remedy="Give times=, or values with a DatetimeIndex.",
        )

    ends = window_ends(data, min(lengths), stride)
    rows = ends if align == "windows" else np.arange(len(data), dtype=np.int64)
    width = len(features)
    matrix = np.full((len(rows), width * len(lengths) * len(data.names)), np.nan, dtype=target)
    places = np.arange(len(ends)) if align == "windows" else ends
    jobs = [
        Job(
            data,
            series,
            length,
            features=features,
            matrix=matrix,
            first=width * (place * len(lengths) + slot),
        )
        for place, series in enumerate(data.series)
        for slot, length in enumerate(lengths)
    ]
    started = time.perf_counter()
    unknown = compute_native(jobs, ends, places, workers)
    native_done = time.perf_counter()
    errors, raised, version = compute_fallback(jobs, ends, places, timeout)
    ended = time.perf_counter()

    names = [
        f"{name}__{length}__{f.name}" if several else f"{name}__{f.name}"
        for name in data.names
        for length in lengths
        for f in features
    ]
    frame = pd.DataFrame(matrix, index=data.index[rows], columns=names, copy=False)
    native = tuple(f.name for f in features if f.native)
    fallback = tuple(f.name for f in features if not f.native)
    report = RollingReport(
        rows=len(frame),
        columns=len(names),
        native=native,
        fallback=fallback,
        skipped=skipped,
        errors=errors,
        raised=raised,
        undefined={
            length: tuple(f.name for f in beyond)
            for length in lengths
            if (beyond := undefined_features(features, length))
        },
        unknown_windows=unknown,
        native_seconds=native_done - started,
        fallback_seconds=ended - native_done if fallback else 0.0,
        tsfresh=version,
    )
    return RollingResult(frame, report)


def window_ends(data: RollingInput, shortest: int, stride: int) -> IntArray:
    """Return the last row of every window of the shortest length, group by group."""
    position = np.arange(len(data), dtype=np.int64) - data.group_start - (shortest - 1)
    return np.flatnonzero((position >= 0) & (position % stride == 0)).astype(np.int64)


def read_dtype(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """Return a floating type."""
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = np.dtype(object)
    if found not in (np.dtype(np.float64), np.dtype(np.float32)):
        raise ConfigError("dtype is no float", got=repr(dtype), allowed="float64, float32")
    return found


def check_choice(name: str, value: Any, allowed: Sequence[str]) -> None:
    """Refuse an option that is none of the allowed ones."""
    if value not in allowed:
        close = nearest(str(value), allowed)
        raise ConfigError(
            f"{name} is unknown",
            got=repr(value),
            allowed=", ".join(allowed),
            remedy=f"Did you mean {close!r}?" if close else None,
        )
