"""From relevance to a choice: who passes, who is a duplicate, who gets a place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onward.features.selection.fates import Fates
from onward.features.selection.relevance import TARGETS, Relevance
from onward.kernels.whole_numbers import EXACT_ROWS, whole_numbers, whole_units
from onward.types import BoolArray, FloatArray

__all__ = ["Rules", "choose", "discoveries"]


@dataclass(frozen=True)
class Rules:
    """Parameters of a choice; see `ShiftedLabelSelector`."""

    max_features: int
    min_features: int
    z: float
    false_discovery_rate: float
    range_share: float
    correlation: float


def choose(ranks: npt.NDArray[np.float32], relevance: Relevance, rules: Rules, fates: Fates) -> None:
    """Give the places to columns and note what became of each.

    Parameters
    ----------
    ranks
        Centred ranks, shape (n_columns, n_rows); a column that does not vary is all zero.
    relevance
        Of the same columns.
    rules
        Who passes, and how many.
    fates
        Of the same columns; kept and dropped ones are noted here.
    """
    varies = np.asarray((ranks != 0).any(axis=1))
    z = relevance.z
    best = z.max(axis=1)
    clear = varies[:, None] & (z > rules.z)
    found = clear & np.column_stack(
        [discoveries(relevance.p[:, t], varies, rules.false_discovery_rate) for t in range(len(TARGETS))]
    )
    for j in np.flatnonzero(~varies).tolist():
        fates.drop(j, "constant", "constant or unknown in training")
    for j in np.flatnonzero(varies & ~found.any(axis=1)).tolist():
        fates.drop(
            j,
            "relevance",
            f"not told from chance among {len(fates.names)} columns (z {best[j]:.2f})"
            if clear[j].any()
            else f"no better than shifted labels (z {best[j]:.2f}, needed {rules.z:g})",
        )
    passed = _best_first(np.flatnonzero(found.any(axis=1)), best)
    distinct, twins = _without_duplicates(ranks, passed, rules.correlation)
    for j, (twin, likeness) in twins.items():
        fates.drop(j, "correlation", f"correlated with {fates.names[twin]} ({likeness:.3f})", twin)
    kept = _places(distinct, z, found, rules)
    for j in distinct:
        if j in kept:
            fates.keep(j, kept[j])
        else:
            fates.drop(j, "places", f"beyond the {rules.max_features} places (z {best[j]:.2f})")
    if not kept:
        # Nothing was found. A model is still fitted, so that the verdict can say what it is worth.
        distinct, _ = _without_duplicates(ranks, _best_first(np.flatnonzero(varies), best), rules.correlation)
        for j in distinct[: rules.min_features]:
            fates.keep(j, f"fallback: no column passed (z {best[j]:.2f})")


def discoveries(p: FloatArray, tested: BoolArray, rate: float) -> BoolArray:
    """Return which hypotheses to reject so that at most a share ``rate`` of them is rejected wrongly.

    Benjamini & Hochberg (1995). Holds for independent and for positively dependent p-values,
    which is what overlapping windows over the same prices give.

    Parameters
    ----------
    p
        Shape (n,).
    tested
        Hypotheses that count; the others are never rejected, shape (n,).
    rate
        Between 0 and 1; 1 rejects all that are tested.
    """
    rejected = np.zeros(len(p), dtype=np.bool_)
    rows = np.flatnonzero(tested)
    rows = rows[np.argsort(p[rows], kind="stable")]
    below = np.flatnonzero(p[rows] <= rate * np.arange(1, len(rows) + 1) / max(len(rows), 1))
    if len(below):
        rejected[rows[: below[-1] + 1]] = True
    return rejected


def _best_first(columns: npt.NDArray[np.int64], best: FloatArray) -> list[int]:
    return [int(j) for j in columns[np.argsort(-best[columns], kind="stable")]]


def _places(distinct: list[int], z: FloatArray, found: BoolArray, rules: Rules) -> dict[int, str]:
    """Share the places between the targets; what one leaves free goes to the other."""
    reserved = round(rules.max_features * rules.range_share)
    quota = (rules.max_features - reserved, reserved)
    queues = [
        _best_first(np.array([j for j in distinct if found[j, t]], dtype=np.int64), z[:, t]) for t in (0, 1)
    ]
    kept: dict[int, str] = {}
    for t, queue in enumerate(queues):
        for j in queue[: quota[t]]:
            kept.setdefault(j, f"{TARGETS[t]} (z {z[j, t]:.2f})")
    for j in distinct:  # best first: places left free, or saved by columns that serve both targets
        if len(kept) >= rules.max_features:
            break
        t = int(np.where(found[j], z[j], -np.inf).argmax())
        kept.setdefault(j, f"{TARGETS[t]} (z {z[j, t]:.2f})")
    return kept


def _without_duplicates(
    ranks: npt.NDArray[np.float32], order: Sequence[int], correlation: float
) -> tuple[list[int], dict[int, tuple[int, float]]]:
    """Return columns, best first, without twins of a better one; and the twins with that one."""
    if correlation >= 1 or len(order) < 2:
        return list(order), {}
    likeness = _likeness(ranks[order])
    distinct: list[int] = []
    twins: dict[int, tuple[int, float]] = {}
    for i, j in enumerate(order):
        alike = np.flatnonzero(likeness[i, distinct] > correlation)
        if len(alike) == 0:
            distinct.append(i)
        else:
            twin = distinct[int(alike[0])]
            twins[j] = (order[twin], float(likeness[i, twin]))
    return [order[i] for i in distinct], twins


def _likeness(ranks: npt.NDArray[np.float32]) -> FloatArray:
    """Return the absolute rank correlation of all pairs, the same on any number of threads."""
    unit = whole_units(ranks)
    products = np.zeros((len(ranks), len(ranks)))
    for first in range(0, ranks.shape[1], EXACT_ROWS):
        whole = whole_numbers(ranks[:, first : first + EXACT_ROWS], unit)
        products += whole @ whole.T
    return np.asarray(np.abs(products) * unit * unit.T, dtype=np.float64)
