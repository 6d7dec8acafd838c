"""Formulas evaluated on whole columns at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from onward.errors import StageError
from onward.features.autofeat.formula import Formula
from onward.types import FloatArray

__all__ = ["evaluate"]

Value: TypeAlias = FloatArray | np.float64

FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "Abs": np.abs,
    "cos": np.cos,
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "sqrt": np.sqrt,
}
OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "**": np.power,
}


def evaluate(formula: Formula, columns: Mapping[str, npt.NDArray[Any]]) -> FloatArray:
    """Return the value of a formula at every row.

    A step outside its domain gives NaN and the row stays NaN: the logarithm or an even root of a
    negative number, the logarithm of zero, a division by zero, a result beyond float64. (autofeat
    itself goes on with infinities there, so ``exp(-1/x)`` at zero is 0 for it and NaN here.) A row
    in which any needed column is NaN or infinite is NaN. A row's value does not depend on the
    other rows.

    Parameters
    ----------
    formula
        From `onward.features.autofeat.formula.parse`.
    columns
        Arrays of equal length, shape (n,), by the names that the formula uses.

    Returns
    -------
    ndarray
        float64, shape (n,).

    Raises
    ------
    StageError
        If a column is missing.
    """
    missing = [name for name in formula.names if name not in columns]
    if missing:
        raise StageError(
            "a formula needs a column that is not there",
            got=f"{missing[0]!r} in {formula.text[:120]!r}",
            allowed=", ".join(map(str, list(columns)[:20])) or "no column was given",
            remedy="Compute the features with the pipeline that the model was trained with.",
        )
    # Contiguous, because NumPy takes other code, with other last digits, for strided columns.
    values = {name: np.ascontiguousarray(columns[name], dtype=np.float64) for name in formula.names}
    stack: list[Any] = []
    with np.errstate(all="ignore"):
        for kind, what in formula.program:
            if kind == "number":
                stack.append(np.float64(what))
            elif kind == "column":
                stack.append(values[str(what)])
            elif kind == "function":
                stack.append(_known(FUNCTIONS[str(what)](stack.pop())))
            elif what == "negative":
                stack.append(np.negative(stack.pop()))
            else:
                right = stack.pop()
                stack.append(_known(OPERATORS[str(what)](stack.pop(), right)))
        result = np.array(stack.pop(), dtype=np.float64)
        for column in values.values():  # NaN ** 0 would be 1
            result[~np.isfinite(column)] = np.nan
    return result


def _known(value: Any) -> Any:
    """Replace infinities by NaN: at once, so that no later step makes a number of them again."""
    if isinstance(value, np.ndarray):
        value[~np.isfinite(value)] = np.nan
        return value
    return value if np.isfinite(value) else np.float64(np.nan)
