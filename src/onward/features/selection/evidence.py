"""What speaks for a column: rank relation and information, each against shifted labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onward.features.selection.choice import discoveries
from onward.features.selection.relevance import TARGETS
from onward.types import BoolArray, FloatArray

__all__ = ["KINDS", "Evidence", "speaks_for", "why_dropped", "why_kept"]

KINDS = (*TARGETS, "shape")
"""Kinds of evidence: rank relation with direction, with the range class, and information."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """Figures of every column, one column a kind of `KINDS`; NaN where a kind was not measured.

    Attributes
    ----------
    z
        Distance from shifted labels, in their deviations, shape (n_columns, 3).
    p
        Chance of such a distance, shape (n_columns, 3).
    """

    z: FloatArray
    p: FloatArray


def speaks_for(evidence: Evidence, *, z: float, false_discovery_rate: float) -> BoolArray:
    """Return which kinds of evidence speak for which column, shape (n_columns, 3).

    A kind counts when it exceeds the threshold by itself, and among all columns at the tolerated
    share of wrong ones (Benjamini & Hochberg 1995, each kind apart).
    """
    found = np.zeros(evidence.z.shape, dtype=np.bool_)
    for kind in range(len(KINDS)):
        measured = np.isfinite(evidence.z[:, kind])
        clear = measured & (np.where(measured, evidence.z[:, kind], 0.0) > z)
        p = np.where(measured, evidence.p[:, kind], 1.0)
        found[:, kind] = clear & discoveries(p, measured, false_discovery_rate)
    return found


def why_dropped(z: FloatArray, threshold: float, n_columns: int) -> str:
    """Say why a column's evidence does not count; ``z`` of one column, shape (3,)."""
    said = _figures(z)
    if np.nanmax(z) > threshold:
        return f"not told from chance among {n_columns} columns ({said})"
    return f"no better than shifted labels ({said}, needed {threshold:g})"


def why_kept(z: FloatArray, found: Sequence[bool]) -> str:
    """Say what speaks for a column; ``z`` and ``found`` of one column, shape (3,)."""
    return ", ".join(
        f"{kind} (z {value:.2f})" for kind, value, told in zip(KINDS, z, found, strict=True) if told
    )


def _figures(z: FloatArray) -> str:
    return ", ".join(
        f"z {kind} {value:.2f}" for kind, value in zip(KINDS, z, strict=True) if np.isfinite(value)
    )
