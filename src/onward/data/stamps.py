"""Timestamps as people write them, turned into UTC moments, or refused."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from onward.errors import DataError
from onward.types import BoolArray

__all__ = ["epoch_unit", "floor_jitter", "to_utc"]

_EPOCH_UNITS = (("s", 1e8, 1e11), ("ms", 1e11, 1e14), ("us", 1e14, 1e17), ("ns", 1e17, 1e20))
_OFFSET = re.compile(r"(Z|[+-]\d{2}:?\d{2}|UTC|GMT)\s*$", re.IGNORECASE)


def to_utc(values: Any) -> pd.DatetimeIndex:
    """Return timestamps as a UTC index with unit ns.

    Parameters
    ----------
    values
        Datetimes (naive ones are UTC, aware ones are converted), ISO 8601 text (likewise), or
        numbers since 1970 in s, ms, µs or ns, told apart by their size.

    Raises
    ------
    DataError
        When zones or epoch units are mixed, or a stamp is missing or cannot be read.
    """
    series = pd.Series(values).reset_index(drop=True)
    if isinstance(series.dtype, pd.PeriodDtype):
        series = series.dt.start_time
    if isinstance(series.dtype, pd.DatetimeTZDtype) or np.issubdtype(_numpy_kind(series), np.datetime64):
        index = pd.DatetimeIndex(series)
    elif pd.api.types.is_numeric_dtype(series.dtype) and not pd.api.types.is_bool_dtype(series.dtype):
        index = _from_epoch(series)
    else:
        index = _from_objects(series)
    _check_missing(np.asarray(index.isna(), dtype=bool))
    utc = index.tz_localize("UTC") if index.tz is None else index.tz_convert("UTC")
    try:
        return utc.as_unit("ns")
    except pd.errors.OutOfBoundsDatetime as error:
        raise DataError("Timestamps lie outside 1678 to 2262", got=str(error)) from error


def epoch_unit(numbers: pd.Series) -> str:
    """Return the unit (``s ms us ns``) of numbers since 1970, told by their size (1973 onwards).

    Raises
    ------
    DataError
        When no unit, or not one unit alone, fits all of them.
    """
    low, high = float(numbers.min()), float(numbers.max())
    for unit, floor, ceiling in _EPOCH_UNITS:
        if floor <= low and high < ceiling:
            return unit
    raise DataError(
        "Numeric timestamps are of no unit, or of several units in one column",
        got=f"{low:.0f} to {high:.0f}",
        allowed="Unix time in s, ms, µs or ns, one unit throughout",
        remedy="Convert the column to datetimes before.",
    )


def floor_jitter(times: pd.DatetimeIndex, tolerance: pd.Timedelta) -> pd.DatetimeIndex:
    """Return times with lateness of up to ``tolerance`` after a full minute removed.

    Exchanges stamp ``08:00:00.017``; nobody meant anything but 08:00.
    """
    minute = times.floor("min")
    late = (times - minute).to_numpy() <= tolerance.to_timedelta64()
    return pd.DatetimeIndex(times.where(~late, minute)) if late.any() else times


def _check_missing(missing: BoolArray) -> None:
    if missing.any():
        raise DataError(
            "Some timestamps are missing",
            got=f"{int(missing.sum())} of {len(missing)}, first in row {int(np.argmax(missing))}",
            remedy="Drop those rows; a bar that is not there is a gap, and gaps are fine.",
        )


def _numpy_kind(series: pd.Series) -> np.dtype[Any]:
    return series.dtype if isinstance(series.dtype, np.dtype) else np.dtype(object)


def _from_epoch(series: pd.Series) -> pd.DatetimeIndex:
    _check_missing(np.asarray(series.isna(), dtype=bool))
    if not len(series):
        return pd.DatetimeIndex([], tz="UTC")
    unit = epoch_unit(series)
    # through int64 where possible: float64 cannot hold nanoseconds since 1970
    whole = series.astype(np.int64) if (series % 1 == 0).all() else series
    return pd.DatetimeIndex(pd.to_datetime(whole, unit=unit, utc=True))  # type: ignore[call-overload]


def _from_objects(series: pd.Series) -> pd.DatetimeIndex:
    present = series.dropna()
    zones = {_zone(value) for value in present}
    if len(zones) > 1:
        raise DataError(
            "Time zones are mixed within one column",
            got=", ".join(sorted(z or "no zone" for z in zones)[:4]),
            allowed="one zone throughout; stamps without a zone are UTC",
            remedy="Convert with pd.to_datetime(column, utc=True) once you know what each stamp means.",
        )
    try:
        if present.map(lambda v: isinstance(v, str)).all():
            return pd.DatetimeIndex(pd.to_datetime(series, utc=True, format="ISO8601"))
        return pd.DatetimeIndex(pd.to_datetime(series, utc=True))
    except (ValueError, TypeError) as error:
        raise DataError(
            "Some timestamps cannot be read",
            got=_first_unreadable(present),
            allowed="ISO 8601 text such as 2024-01-31 09:00:00, datetimes, or Unix time",
            remedy="Parse the column first, for example with pd.to_datetime(column, format=...).",
        ) from error


def _zone(value: Any) -> str:
    if isinstance(value, str):
        found = _OFFSET.search(value[10:])
        text = found[1].upper() if found else ""
        return "UTC" if text in ("Z", "UTC", "GMT", "+00:00", "+0000") else text
    zone = getattr(value, "tzinfo", None)
    name = "" if zone is None else str(zone)
    return "UTC" if name in ("UTC", "UTC+00:00", "tzutc()") else name


def _first_unreadable(series: pd.Series) -> str:
    for value in series:
        try:
            pd.Timestamp(value)
        except (ValueError, TypeError):
            return repr(value)
    return repr(series.iloc[0]) if len(series) else "nothing"
