"""Columns with nothing to tell: unknown, constant, or one value almost everywhere."""

from __future__ import annotations

from onward.features.selection.steps import Departure, Departures
from onward.types import IntArray

__all__ = ["without_information"]


def without_information(
    n_rows: int, n_known: IntArray, n_most_frequent: IntArray, *, quasi_constant: float, min_known: float
) -> Departures:
    """Return the columns that cannot inform a model.

    Parameters
    ----------
    n_rows
        Training rows.
    n_known, n_most_frequent
        Known values of each column, and how often the most frequent of them occurs.
    quasi_constant
        A column leaves when one value makes up at least this share of its known rows; 1 lets
        only true constants go.
    min_known
        A column leaves when it is known in less than this share of the rows.
    """
    gone: dict[int, Departure] = {}
    for j, (known, most) in enumerate(zip(n_known.tolist(), n_most_frequent.tolist(), strict=True)):
        if known == 0:
            gone[j] = Departure("unknown in every training row")
        elif most == known:
            gone[j] = Departure("constant in the training rows")
        elif known < min_known * n_rows:
            gone[j] = Departure(f"known in {known / n_rows:.1%} of the training rows, needed {min_known:.1%}")
        elif quasi_constant < 1 and most >= quasi_constant * known:
            gone[j] = Departure(f"one value in {most / known:.2%} of its known rows")
    return gone
