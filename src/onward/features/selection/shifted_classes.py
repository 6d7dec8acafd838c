"""Class labels shifted circularly in time, all symbols equally."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from onward.types import IntArray

__all__ = ["TimeShifts", "shifted_classes"]


@dataclass(frozen=True, eq=False)
class TimeShifts:
    """Where each training row stands in time, and the shifts to compare with.

    Attributes
    ----------
    series, step, shifts
        What `onward.features.selection.relevance.shifted_targets` returns: code of each row's
        symbol, number of its decision time among the distinct ones, shifts in such steps.
    """

    series: IntArray
    step: IntArray
    shifts: IntArray

    def fewer(self, count: int) -> TimeShifts:
        """Return at most ``count`` of the shifts, spread evenly over them."""
        if len(self.shifts) <= count:
            return self
        return replace(
            self, shifts=self.shifts[np.linspace(0, len(self.shifts) - 1, count).round().astype(np.int64)]
        )


def shifted_classes(classes: IntArray, time: TimeShifts) -> npt.NDArray[np.int8]:
    """Return the class that each row meets, first unshifted and then after each shift.

    Parameters
    ----------
    classes
        -1, 0, 1, shape (n_rows,).
    time
        Of the same rows.

    Returns
    -------
    Shape (n_rows, 1 + n_shifts): class + 1, or -1 where a symbol has no row at the shifted moment.
    """
    n_steps = int(time.step.max()) + 1
    grid = np.full((int(time.series.max()) + 1, n_steps), -1, dtype=np.int8)
    grid[time.series, time.step] = classes + 1
    table = np.empty((len(classes), 1 + len(time.shifts)), dtype=np.int8)
    table[:, 0] = classes + 1
    for number, shift in enumerate(time.shifts, start=1):
        table[:, number] = grid[time.series, (time.step - shift) % n_steps]
    return table
