"""Backtest paths of combinatorial validation: one history, scored several times over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.evaluation.metrics import Metrics

__all__ = ["PathScores"]


@dataclass(frozen=True, eq=False)
class PathScores:
    """Scores of the backtest paths: each is a full out-of-fold series over all labelled rows.

    Paths ask how much the score of a history depends on which part was learnt from. They are made
    of the same rows and of models that share most of their training rows, so they are far from
    independent: their spread is no standard error, and no mean over them is surer than one path by
    the square root of their number (López de Prado, *Advances in Financial Machine Learning*, Wiley
    2018, 12.4-12.5).

    Attributes
    ----------
    paths
        Scores of each path, in the order of `CombinatorialPurgedKFold.backtest_paths`.
    sides
        Most probable class (-1, 0, 1) of each labelled row on each path, int8, shape
        (n_paths, n_rows).
    n_folds
        Trainings behind them.
    """

    paths: tuple[Metrics, ...]
    sides: npt.NDArray[np.int8]
    n_folds: int

    def __len__(self) -> int:
        return len(self.paths)

    def frame(self) -> pd.DataFrame:
        """Return one row a path, a column a score."""
        return pd.DataFrame([vars(m) for m in self.paths]).rename_axis("path")

    @property
    def sentences(self) -> tuple[str, ...]:
        """How the paths differ, in words; nothing to say of a single one."""
        return tuple(self._sentences())

    def _sentences(self) -> Iterator[str]:
        if len(self.paths) < 2:
            return
        yield (
            f"Over {len(self.paths)} backtest paths from {self.n_folds} folds the up/down AUC lies "
            f"between {self._range('direction_auc', '.3f')}, the AUC of the range class between "
            f"{self._range('range_auc', '.3f')}, the log-loss skill between "
            f"{self._range('log_loss_skill', '+.4f')}. Paths share rows and most of their training: their "
            "spread says how much the score depends on what was learnt from, it is no standard error."
        )

    def _range(self, name: str, form: str) -> str:
        values = np.array([getattr(m, name) for m in self.paths], dtype=np.float64)
        known = values[~np.isnan(values)]
        if len(known) == 0:
            return "values that are not defined"
        return f"{known.min():{form}} and {known.max():{form}}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"n_folds": self.n_folds, "paths": [metrics.to_dict() for metrics in self.paths]}
