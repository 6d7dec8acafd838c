"""Who gets one of the places in the model."""

from __future__ import annotations

import numpy as np

from onward.types import BoolArray, FloatArray

__all__ = ["share_places"]


def share_places(score: FloatArray, found: BoolArray, max_features: int, range_share: float) -> list[int]:
    """Return the columns that get a place, best first.

    Direction and range are learnt by the same model and want different columns, so a share of
    the places is reserved for columns that know the range class. What one kind leaves free goes
    to the best of the rest.

    Parameters
    ----------
    score
        Strength of each kind of evidence, shape (n_columns, 3); see
        `onward.features.selection.evidence`.
    found
        Whether it counts, same shape; columns without any get no place.
    max_features
        Places in all.
    range_share
        Share reserved for the range class.
    """
    ranked = np.where(found & np.isfinite(score), score, -np.inf)
    reserved = round(max_features * range_share)
    taken: dict[int, None] = {}
    for kind, places in ((0, max_features - reserved), (1, reserved)):
        for j in _best_first(ranked[:, kind])[:places]:
            taken.setdefault(j)
    for j in _best_first(ranked.max(axis=1)):
        if len(taken) >= max_features:
            break
        taken.setdefault(j)
    return list(taken)


def _best_first(score: FloatArray) -> list[int]:
    order = np.argsort(-score, kind="stable")
    return [int(j) for j in order if score[j] > -np.inf]
