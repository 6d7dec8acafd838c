"""Scores of a run: pooled, fold by fold, and of the naive rules on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from onward.evaluation.metrics import Metrics, measure
from onward.evaluation.oof import OutOfFold

__all__ = ["Scores"]


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of out-of-fold predictions.

    Attributes
    ----------
    pooled
        Scores over all folds' predictions together: the ones that count.
    folds
        Scores of each fold by its number. Shown to see how uneven they are.
    baselines
        Pooled scores of the naive rules on exactly the same rows, by name.
    """

    pooled: Metrics
    folds: Mapping[int, Metrics]
    baselines: Mapping[str, Metrics]

    def __post_init__(self) -> None:
        object.__setattr__(self, "folds", MappingProxyType(dict(self.folds)))
        object.__setattr__(self, "baselines", MappingProxyType(dict(self.baselines)))

    def __reduce__(self) -> tuple[Any, ...]:
        return (Scores, (self.pooled, dict(self.folds), dict(self.baselines)))

    @classmethod
    def of(cls, oof: OutOfFold) -> Scores:
        """Score out-of-fold predictions."""
        rows = {fold: oof.fold == fold for fold in oof.folds}
        return cls(
            pooled=measure(oof.probability, oof.y, oof.prior),
            folds={f: measure(oof.probability[r], oof.y[r], oof.prior[r]) for f, r in rows.items()},
            baselines={name: measure(p, oof.y, oof.prior) for name, p in oof.baselines.items()},
        )

    @property
    def mean_fold_direction_auc(self) -> float:
        """Mean of the folds' direction AUC, folds without both directions left out.

        Never compare it with 0.5: on pure noise it reads 0.52 to 0.55 without any leak.
        """
        values = [m.direction_auc for m in self.folds.values() if not np.isnan(m.direction_auc)]
        return float(np.mean(values)) if values else float("nan")

    def frame(self) -> pd.DataFrame:
        """Return one row each for ``pooled``, the folds and the naive rules; a column a score."""
        rows: dict[str, Metrics] = {"pooled": self.pooled}
        rows |= {f"fold {number}": metrics for number, metrics in self.folds.items()}
        rows |= dict(self.baselines)
        return pd.DataFrame.from_dict({name: vars(m) for name, m in rows.items()}, orient="index")

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        mean = self.mean_fold_direction_auc
        return {
            "pooled": self.pooled.to_dict(),
            "mean_fold_direction_auc": None if np.isnan(mean) else mean,
            "folds": {str(number): metrics.to_dict() for number, metrics in self.folds.items()},
            "baselines": {name: metrics.to_dict() for name, metrics in self.baselines.items()},
        }
