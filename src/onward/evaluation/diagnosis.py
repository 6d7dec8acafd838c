"""What stands behind the scores of a run: what counts, do folds agree, have the rows drifted.

Nothing here is evidence of skill; the verdict is. It says where skill comes from, if there is any,
and why it may not last.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from onward.evaluation.drift_summary import drift_summary
from onward.evaluation.importance_folds import importance_summary
from onward.evaluation.importance_stability import ImportanceStability
from onward.evaluation.information import InformationCoefficient

__all__ = ["MAIN_SCORE", "Diagnosis", "PermutationImportance"]

MAIN_SCORE = "log_loss_skill"
"""Score by which columns are put in order: it sees both questions, direction and range."""


@dataclass(frozen=True, eq=False)
class PermutationImportance:
    """What scores on test rows lose when columns are displaced in time.

    Attributes
    ----------
    folds
        One row a fold, column and score (see `onward.evaluation.importance_folds`).
    clusters
        Columns that resemble each other and were displaced together, by the name of their centre;
        columns that resemble no other one are left out.
    cluster_folds
        As ``folds``, for the clusters; empty when there are none.
    stability
        How far folds agree on the decrease of the main score; None with fewer than two folds.
    """

    folds: pd.DataFrame
    clusters: Mapping[str, tuple[str, ...]]
    cluster_folds: pd.DataFrame
    stability: ImportanceStability | None = None

    @property
    def summary(self) -> pd.DataFrame:
        """Mean over the folds, one row a column and score, most important first."""
        return self._summary.copy()

    @property
    def cluster_summary(self) -> pd.DataFrame:
        """The same of the clusters."""
        return self._cluster_summary.copy()

    @cached_property
    def _summary(self) -> pd.DataFrame:
        return importance_summary(self.folds)

    @cached_property
    def _cluster_summary(self) -> pd.DataFrame:
        return importance_summary(self.cluster_folds)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, NaN as None."""
        return {
            "columns": _records(self.summary),
            "clusters": {name: list(members) for name, members in self.clusters.items()},
            "cluster_scores": _records(self.cluster_summary),
            "stability": None if self.stability is None else self.stability.to_dict(),
        }


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What stands behind the scores of a run.

    Attributes
    ----------
    gain
        One row a fit and column that its model sees: ``fold`` (-1 is the final fit on all rows),
        ``column``, ``importance`` (share of the model's gain; 0 where it has no such notion).
    stability
        How far folds agree on the gain; None with fewer than two folds, or without gain.
    folds
        Folds that permutation importance, drift and adversarial validation looked at.
    importance
        Permutation importance; None when it was switched off or could not be measured.
    drift
        One row a fold and column (see `onward.evaluation.drift.feature_drift`); empty likewise.
    adversarial
        One row a fold (see `onward.evaluation.adversarial`); empty likewise.
    information
        Information coefficient and rank IC across the symbols of a panel; None for one symbol.
    notes
        What could not be measured and why, and what was left out, in sentences.
    """

    gain: pd.DataFrame
    stability: ImportanceStability | None = None
    folds: tuple[int, ...] = ()
    importance: PermutationImportance | None = None
    drift: pd.DataFrame = field(default_factory=pd.DataFrame)
    adversarial: pd.DataFrame = field(default_factory=pd.DataFrame)
    information: InformationCoefficient | None = None
    notes: tuple[str, ...] = ()

    @property
    def drift_summary(self) -> pd.DataFrame:
        """Drift over the folds, one row a column, the most drifted first."""
        return self._drift_summary.copy()

    @cached_property
    def _drift_summary(self) -> pd.DataFrame:
        return drift_summary(self.drift)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, NaN as None."""
        return {
            "folds": list(self.folds),
            "gain": _records(self.gain),
            "stability": None if self.stability is None else self.stability.to_dict(),
            "importance": None if self.importance is None else self.importance.to_dict(),
            "drift": {"columns": _records(self.drift_summary), "folds": _records(self.drift)},
            "adversarial": _records(self.adversarial),
            "information": None if self.information is None else _information(self.information),
            "notes": list(self.notes),
        }


def _information(found: InformationCoefficient) -> dict[str, Any]:
    rows = {str(name): _plain(row.to_dict()) for name, row in found.summary.iterrows()}
    return {"across": found.across, "lags": found.lags, "n_left_out": found.n_left_out, **rows}


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [_plain(row) for row in frame.to_dict("records")]


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    plain = value.item() if hasattr(value, "item") else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain
