"""First digits of a window against Benford's law."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from onward.kernels.jit import kernel
from onward.kernels.tsfresh.chunk import Chunk
from onward.kernels.tsfresh.family import Calculator, Family, Request
from onward.kernels.tsfresh.sums import FloatMatrix, FloatVector, IntVector

__all__ = ["Digits", "first_digit"]

LEAST_EXPONENT, GREATEST_EXPONENT = -324, 308


def digit_bounds() -> tuple[FloatVector, IntVector]:
    """Return the floats nearest to each d * 10**e, ascending, and the first digit of each.

    Among the smallest floats several d * 10**e are one float; it counts once, with the digit that
    its own shortest form begins with.
    """
    exponents = range(LEAST_EXPONENT, GREATEST_EXPONENT + 1)
    found = {float(f"{digit}e{e}"): digit for e in exponents for digit in range(1, 10)}
    bounds = [bound for bound in found if 0.0 < bound < np.inf]
    digits = [int(repr(bound)[0]) if bound < 1e-300 else found[bound] for bound in bounds]
    return np.array(bounds), np.array(digits, dtype=np.int64)


@kernel
def first_digit(value: float, bounds: FloatVector, digits: IntVector) -> int:
    """Return the first digit of a value's shortest decimal form; 0 for zero.

    The shortest form of 0.3 begins with 3 though the number lies below three tenths, so
    the value is compared with the floats nearest to d * 10**e, not divided by a power of ten.
    """
    size = abs(value)
    if size == 0.0:
        return 0
    below_greatest = GREATEST_EXPONENT + 1 - int(np.floor(np.log10(size)))
    place = min(max(len(bounds) - 9 * below_greatest, 0), len(bounds) - 1)
    while place > 0 and bounds[place] > size:
        place -= 1
    while place + 1 < len(bounds) and bounds[place + 1] <= size:
        place += 1
    return int(digits[place])


@kernel
def benford_column(
    windows: FloatMatrix, bounds: FloatVector, digits: IntVector, law: FloatVector, out: FloatVector
) -> None:
    """Write the correlation of each window's first digits with Benford's law."""
    rows, n = windows.shape
    shares = np.empty(9)
    law_mean = law.sum() / 9.0
    for row in range(rows):
        shares[:] = 0.0
        for i in range(n):
            digit = first_digit(windows[row, i], bounds, digits)
            if digit > 0:
                shares[digit - 1] += 1.0
        for d in range(9):
            shares[d] /= n
        mean = shares.sum() / 9.0
        ll = ss = ls = 0.0
        for d in range(9):
            ll += (law[d] - law_mean) ** 2
            ss += (shares[d] - mean) ** 2
            ls += (law[d] - law_mean) * (shares[d] - mean)
        out[row] = min(1.0, max(-1.0, ls / np.sqrt(ll) / np.sqrt(ss))) if ss > 0.0 else np.nan


def unanswerable(parameters: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Encode the default query of tsfresh's similarity count: none, whose count is undefined."""
    return () if parameters.get("query") is None else None


class Digits(Family):
    """The correlation with Benford's law, and the count of a query that nobody asked."""

    CALCULATORS: ClassVar[Mapping[str, Calculator]] = {
        "benford_correlation": Calculator(0),
        "query_similarity_count": Calculator(1, unanswerable),
    }

    def prepare(self, requests: Sequence[Request]) -> None:  # noqa: ARG002
        """Build the tables."""
        self.bounds, self.digits = digit_bounds()
        self.law = np.log10(1.0 + 1.0 / np.arange(1, 10))
        self.undefined: IntVector = self.slots[self.codes == 1]

    def write(self, chunk: Chunk, out: FloatMatrix) -> None:
        """Write the wanted columns of every window."""
        out[:, self.undefined] = np.nan
        if (self.codes == 0).any():
            column = np.empty(len(chunk.windows))
            benford_column(chunk.windows, self.bounds, self.digits, self.law, column)
            out[:, self.slots[self.codes == 0]] = column[:, None]
