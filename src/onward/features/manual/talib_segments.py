"""TA-Lib on NaN-free segments.

TA-Lib's averages are recursions: one NaN inside the input turns every later value into NaN. Here
the input is cut at rows where any of the series is unknown, each piece is computed on its own,
and the rows between stay NaN. An indicator therefore starts afresh, warm-up included, after a
hole.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt

from onward.errors import ConfigError, DataError, nearest
from onward.types import FloatArray

__all__ = ["talib_indicator", "talib_indicators"]


def talib_indicators(name: str, *inputs: npt.ArrayLike, **parameters: Any) -> tuple[FloatArray, ...]:
    """Return every output of a TA-Lib function, computed on each NaN-free segment.

    Parameters
    ----------
    name
        TA-Lib's function name: ``"MACD"``, ``"ADX"``.
    inputs
        One-dimensional series of equal length, in TA-Lib's order (high, low, close ...).
    parameters
        TA-Lib's parameters by name, such as ``timeperiod=14``.

    Returns
    -------
    tuple of ndarray
        float64, each shape (n,); NaN in a hole and in the first rows after one, for as long as
        the function needs.

    Raises
    ------
    ConfigError
        When TA-Lib has no such function, or refuses the parameters.
    DataError
        When the inputs differ in length.
    """
    import talib

    function = getattr(talib, name, None) if name.isupper() else None
    if not callable(function):
        close = nearest(name.upper(), cast(Any, talib).get_functions())
        raise ConfigError(
            "TA-Lib has no such function",
            got=name,
            allowed="a function name of TA-Lib in capitals",
            remedy=f"Did you mean {close}?" if close else None,
        )
    series = [np.ascontiguousarray(values, dtype=np.float64) for values in inputs]
    lengths = {len(values) for values in series}
    if len(lengths) != 1:
        raise DataError(
            f"The inputs of {name} differ in length",
            got=", ".join(str(len(values)) for values in series) or "no input",
            allowed="equal lengths",
            remedy="Align them on the same bars first.",
        )
    return _on_segments(function, name, series, parameters)


def talib_indicator(name: str, *inputs: npt.ArrayLike, **parameters: Any) -> FloatArray:
    """Return the first output of a TA-Lib function; see `talib_indicators`."""
    return talib_indicators(name, *inputs, **parameters)[0]


def _on_segments(
    function: Any, name: str, series: list[FloatArray], parameters: dict[str, Any]
) -> tuple[FloatArray, ...]:
    n = len(series[0])
    known = np.ones(n, dtype=bool)
    for values in series:
        known &= np.isfinite(values)
    edges = np.flatnonzero(np.diff(known, prepend=False, append=False)).reshape(-1, 2)
    outputs: list[FloatArray] = []
    # Without a segment one call on nothing still says how many outputs there are.
    for start, stop in edges if len(edges) else ((0, 0),):
        try:
            found = function(*(values[start:stop] for values in series), **parameters)
        except Exception as error:  # TA-Lib raises nothing more specific
            raise _refused(name, parameters, error) from error
        pieces = found if isinstance(found, tuple) else (found,)
        if not outputs:
            if (start, stop) == (0, n):
                return tuple(piece.astype(np.float64, copy=False) for piece in pieces)
            outputs = [np.full(n, np.nan) for _ in pieces]
        for output, piece in zip(outputs, pieces, strict=True):
            output[start:stop] = piece
    return tuple(outputs)


def _refused(name: str, parameters: dict[str, Any], error: Exception) -> ConfigError:
    return ConfigError(
        f"TA-Lib refused to compute {name}",
        got=f"{parameters} ({error})",
        allowed="the parameters that TA-Lib documents for the function",
        remedy="Check the parameters' names and ranges.",
    )
