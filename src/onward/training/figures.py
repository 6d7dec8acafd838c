"""Scores of outer folds as they come, each look counted before the first of them is shown."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from onward.evaluation.metrics import measure
from onward.training.outcomes import FoldOutcome

__all__ = ["CountedFigures", "FoldFigures"]

FoldFigures = Callable[[FoldOutcome], Mapping[str, float]]
"""Returns the scores of a fold that may be shown at once, by name; none where nobody counts looks."""

TOLD = ("direction_auc", "range_auc", "log_loss_skill")
"""Scores that are told of each fold."""


class CountedFigures:
    """Scores of outer folds for whoever watches a run.

    Whoever sees the score of a fold has looked at outer scores. So the look is written down
    before the first one is told: a run that is stopped because its first folds look bad counts
    as a trial like every other.

    Parameters
    ----------
    look
        Notes that outer scores are about to be seen; called once, before the first is told.
    """

    def __init__(self, look: Callable[[], int]) -> None:
        self._look = look
        self._looked = False

    def __call__(self, outcome: FoldOutcome) -> Mapping[str, float]:
        """Return the scores of a fold, those that are defined, after it was noted that they are seen."""
        if not self._looked:
            self._look()
            self._looked = True
        prior = np.tile(outcome.prior, (len(outcome.y), 1))
        scores = vars(measure(outcome.probability, outcome.y, prior))
        return {name: round(scores[name], 6) for name in TOLD if not math.isnan(scores[name])}
