"""What every rolling kernel asks of its input: one array type, so one compiled specialisation."""

from __future__ import annotations

import operator
from typing import SupportsIndex, TypeAlias

import numpy as np
import numpy.typing as npt

from onward.errors import ConfigError, DataError

__all__ = ["FloatArray", "as_series", "as_window"]

FloatArray: TypeAlias = npt.NDArray[np.float64]


def as_series(values: npt.ArrayLike, name: str = "values") -> FloatArray:
    """Return a read-only, C-contiguous float64 view of one-dimensional values.

    Numba compiles a kernel again for every array *type*, and a read-only array is another type
    than a writable one. Everything therefore enters as read-only, which also keeps kernels from
    touching their input.

    Raises
    ------
    DataError
        When the values are not numbers or have not exactly one dimension.
    """
    try:
        array = np.ascontiguousarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{name} are not numbers",
            got=type(values).__name__,
            allowed="a one-dimensional array of numbers, NaN where unknown",
            remedy="Convert them to float64.",
        ) from error
    if np.ndim(values) != 1:
        raise DataError(
            f"{name} must have one dimension",
            got=f"shape {np.shape(values)}",
            allowed="shape (n,)",
            remedy="Pass one column of one symbol at a time.",
        )
    view = array.view()
    view.flags.writeable = False
    return view


def as_window(window: SupportsIndex, smallest: int = 1, name: str = "window") -> int:
    """Return a window length in bars as a plain integer.

    Raises
    ------
    ConfigError
        When it is not an integer or is shorter than ``smallest``.
    """
    try:
        if isinstance(window, bool | np.bool_):
            raise TypeError  # noqa: TRY301
        length = operator.index(window)
    except TypeError:
        length = smallest - 1
    if length < smallest:
        raise ConfigError(
            f"{name} is not a number of bars",
            got=repr(window),
            allowed=f"an integer of at least {smallest}",
            remedy=f"Give {name} as a count of bars.",
        )
    return length
