"""Selection inside the fold: keep the columns that beat circularly shifted labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import ConfigError, LabelError, NotEnoughDataError, StageError
from onward.features.selection.choice import Choice, Rules, choose
from onward.features.selection.relevance import (
    Relevance,
    label_targets,
    measure_relevance,
    rank_columns,
    shifted_targets,
)
from onward.types import CLASSES, FloatArray, Spans

__all__ = ["ColumnRecord", "ShiftedLabelSelector"]


@dataclass(frozen=True)
class ColumnRecord:
    """What became of one column, and why.

    Attributes
    ----------
    column
        Full column name.
    kept
        Whether the column goes on to the model.
    reason
        One phrase: what it was kept for or why it was dropped.
    z_direction, z_range
        How far its rank correlation with the direction and with the range class stands above
        that of shifted labels; 0 for constant columns.
    known
        Share of training rows in which the column is not NaN.
    """

    column: str
    kept: bool
    reason: str
    z_direction: float
    z_range: float
    known: float


class ShiftedLabelSelector:
    """Keep at most a few dozen columns that know the training labels better than chance.

    Each column's absolute rank correlation with the training labels is compared with the same
    correlation after the labels were shifted circularly in time. The shift keeps the
    autocorrelation of both sides and breaks only their link, so overlapping labels do not make
    noise look relevant as row-wise shuffling does. Two targets are judged apart and share the
    places: the ordered class (down, range, up) and whether a row ends in the range, for which
    volatility columns matter that know nothing about direction.

    Parameters
    ----------
    max_features
        Places in all.
    z
        Threshold in deviations of the shifted labels' absolute correlation.
    n_shifts
        Circular shifts to compare with.
    min_features
        When no column passes, the best ones are kept up to this number so that a model can be
        fitted at all; the ledger says so.
    false_discovery_rate
        Share of wrong columns tolerated among those that pass (Benjamini & Hochberg 1995): of
        250 columns that know nothing some 20 exceed any single threshold of 1.65, and the model
        would have to tell them apart. 1 leaves it at the threshold.
    range_share
        Share of the places that is reserved for the range target; places one target leaves
        free go to the other.
    max_correlation
        A column whose absolute rank correlation with a better one exceeds this is dropped as a
        near duplicate; 1 switches the step off.
    """

    name = "selection"

    def __init__(
        self,
        *,
        max_features: int = 30,
        z: float = 1.65,
        n_shifts: int = 200,
        min_features: int = 5,
        false_discovery_rate: float = 0.1,
        range_share: float = 1 / 3,
        max_correlation: float = 0.95,
    ) -> None:
        _check("max_features", max_features, max_features >= 1, "at least 1")
        _check("z", z, bool(np.isfinite(z)), "a finite number")
        _check("n_shifts", n_shifts, n_shifts >= 20, "at least 20")
        _check(
            "min_features",
            min_features,
            1 <= min_features <= max_features,
            f"1 to max_features ({max_features})",
        )
        _check(
            "false_discovery_rate", false_discovery_rate, 0 < false_discovery_rate <= 1, "above 0, at most 1"
        )
        _check("range_share", range_share, 0 <= range_share <= 1, "0 to 1")
        _check("max_correlation", max_correlation, 0 < max_correlation <= 1, "above 0, at most 1")
        self.max_features = max_features
        self.z = z
        self.n_shifts = n_shifts
        self.min_features = min_features
        self.false_discovery_rate = false_discovery_rate
        self.range_share = range_share
        self.max_correlation = max_correlation
        self.columns_: tuple[str, ...] = ()
        self.ledger_: tuple[ColumnRecord, ...] = ()

    def fit(
        self,
        X: pd.DataFrame,
        y: npt.NDArray[Any],
        *,
        spans: Spans,
        weight: FloatArray | None = None,  # noqa: ARG002 - ranks are not weighted
        seed: int = 0,
    ) -> Self:
        """Choose columns from training rows.

        Parameters
        ----------
        X
            Training rows; NaN means "not known yet" and is left out, column by column.
        y
            Classes -1, 0, 1, shape (n,).
        spans
            Spans of the same rows, in the same order.
        weight
            Not used.
        seed
            Seed of the shifts' jitter.

        Raises
        ------
        StageError
            When the arguments differ in length or no column varies.
        LabelError
            When the labels are not classes or hold one class only.
        NotEnoughDataError
            When the rows are too few for their labels' length.
        """
        classes = _as_classes(y)
        if not len(X) == len(classes) == len(spans):
            raise StageError(
                "features, labels and spans differ in length",
                got=f"{len(X)}, {len(classes)} and {len(spans)} rows",
                allowed="one row each",
                remedy="Pass the training rows of all three.",
            )
        if len(X) == 0:
            raise NotEnoughDataError("there are no training rows to select features from")
        targets = label_targets(classes)
        series, step, shifts = shifted_targets(spans, self.n_shifts, seed)
        ranks = rank_columns(X)
        if not ranks.any():
            raise StageError(
                "every feature column is constant or unknown in the training rows",
                got=f"{X.shape[1]} columns",
                allowed="at least one column that varies",
                remedy="Check the NaN ledger, or train on a longer time range.",
            )
        relevance = measure_relevance(ranks, targets, series, step, shifts)
        names = [str(c) for c in X.columns]
        rules = Rules(
            max_features=self.max_features,
            min_features=self.min_features,
            z=self.z,
            false_discovery_rate=self.false_discovery_rate,
            range_share=self.range_share,
            max_correlation=self.max_correlation,
        )
        self._record(X, names, relevance, choose(ranks, relevance, names, rules))
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the chosen columns, rows as given.

        Raises
        ------
        StageError
            Before ``fit``, or when a chosen column is missing.
        """
        if not self.columns_:
            raise StageError("the selector was not fitted yet", remedy="Call fit first.")
        missing = [c for c in self.columns_ if c not in X.columns]
        if missing:
            raise StageError(
                "chosen columns are missing from the features",
                got=f"{len(missing)} missing, first {missing[0]!r}",
                allowed="every column chosen in fit",
                remedy="Compute the features with the plan the selector was fitted on.",
            )
        return X[list(self.columns_)]

    def to_json(self) -> dict[str, Any]:
        """Return parameters, chosen columns and ledger as plain JSON values."""
        return {
            "parameters": {
                "max_features": self.max_features,
                "z": self.z,
                "n_shifts": self.n_shifts,
                "min_features": self.min_features,
                "false_discovery_rate": self.false_discovery_rate,
                "range_share": self.range_share,
                "max_correlation": self.max_correlation,
            },
            "columns": list(self.columns_),
            "ledger": [asdict(record) for record in self.ledger_],
        }

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Self:
        """Rebuild a fitted selector.

        Raises
        ------
        StageError
            When the state is not what `to_json` gave.
        """
        try:
            selector = cls(**state["parameters"])
            selector.columns_ = tuple(str(c) for c in state["columns"])
            selector.ledger_ = tuple(ColumnRecord(**record) for record in state["ledger"])
        except (KeyError, TypeError) as error:
            raise StageError(
                "this is not the state of a ShiftedLabelSelector",
                got=str(error),
                allowed="what to_json gave",
                remedy="Train again, or take an undamaged copy of the bundle.",
            ) from error
        return selector

    def _record(self, X: pd.DataFrame, names: Sequence[str], relevance: Relevance, choice: Choice) -> None:
        known = 1.0 - X.isna().to_numpy().mean(axis=0)
        # The order of the input keeps the model's column order stable.
        self.columns_ = tuple(names[j] for j in sorted(choice.kept))
        self.ledger_ = tuple(
            ColumnRecord(
                column=name,
                kept=j in choice.kept,
                reason=choice.kept[j] if j in choice.kept else choice.dropped[j],
                z_direction=round(float(relevance.z[j, 0]), 4),
                z_range=round(float(relevance.z[j, 1]), 4),
                known=round(float(known[j]), 6),
            )
            for j, name in enumerate(names)
        )


def _as_classes(y: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    values = np.asarray(y)
    if values.ndim != 1 or not np.isin(values, CLASSES).all():
        raise LabelError(
            "selection needs class labels",
            got=f"{values.dtype} array of shape {values.shape}",
            allowed="one of -1, 0, 1 a row",
            remedy="Use a labeler of kind 'classes', or switch selection off.",
        )
    return values.astype(np.int64)


def _check(parameter: str, value: float, holds: bool, allowed: str) -> None:
    if not holds:
        raise ConfigError(
            f"selection parameter {parameter} is out of range",
            got=value,
            allowed=allowed,
            remedy=f"Set selection.{parameter} accordingly.",
        )
