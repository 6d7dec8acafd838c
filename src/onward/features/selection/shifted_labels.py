"""Selection inside the fold: keep the columns that beat circularly shifted labels."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import ConfigError, StageError
from onward.features.selection.choice import Rules, choose
from onward.features.selection.chosen_columns import ChosenColumns, reading_state
from onward.features.selection.fates import Fates
from onward.features.selection.ledger import ledger_from_json, ledger_to_json
from onward.features.selection.relevance import (
    caution,
    effective_rows,
    label_targets,
    measure_relevance,
    rank_columns,
    shifted_targets,
)
from onward.features.selection.training_table import training_table
from onward.types import FloatArray, Spans

__all__ = ["ShiftedLabelSelector"]


class ShiftedLabelSelector(ChosenColumns):
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
    correlation
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
        correlation: float = 0.95,
    ) -> None:
        super().__init__()
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
        _check("correlation", correlation, 0 < correlation <= 1, "above 0, at most 1")
        self.max_features = max_features
        self.z = z
        self.n_shifts = n_shifts
        self.min_features = min_features
        self.false_discovery_rate = false_discovery_rate
        self.range_share = range_share
        self.correlation = correlation

    def fit(
        self,
        X: pd.DataFrame,
        y: npt.NDArray[Any],
        *,
        spans: Spans,
        weight: FloatArray | None = None,
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
            Not used: ranks are not weighted.
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
        table = training_table(X, y, spans, weight)
        targets = label_targets(table.classes)
        series, step, shifts = shifted_targets(spans, self.n_shifts, seed)
        ranks = rank_columns(X)
        if not ranks.any():
            raise StageError(
                "every feature column is constant or unknown in the training rows",
                got=f"{len(table.names)} columns",
                allowed="at least one column that varies",
                remedy="Check the NaN ledger, or train on a longer time range.",
            )
        effective = effective_rows(spans)
        relevance = measure_relevance(ranks, targets, series, step, shifts, effective)
        fates = Fates(table.names)
        fates.warn(caution(effective))
        rules = Rules(
            max_features=self.max_features,
            min_features=self.min_features,
            z=self.z,
            false_discovery_rate=self.false_discovery_rate,
            range_share=self.range_share,
            correlation=self.correlation,
        )
        everything = range(len(table.names))
        fates.note("known", everything, 1.0 - np.isnan(table.values).mean(axis=0))
        fates.note("z_direction", everything, relevance.z[:, 0])
        fates.note("z_range", everything, relevance.z[:, 1])
        choose(ranks, relevance, rules, fates)
        self.columns_ = fates.kept
        self.ledger_ = fates.ledger()
        return self

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
                "correlation": self.correlation,
            },
            "columns": list(self.columns_),
            "ledger": ledger_to_json(self.ledger_),
        }

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Self:
        """Rebuild a fitted selector.

        Raises
        ------
        StageError
            When the state is not what `to_json` gave.
        """
        with reading_state(cls.__name__):
            selector = cls(**state["parameters"])
            selector.columns_ = tuple(str(column) for column in state["columns"])
            selector.ledger_ = ledger_from_json(state["ledger"])
        return selector


def _check(parameter: str, value: float, holds: bool, allowed: str) -> None:
    if not holds:
        raise ConfigError(
            f"selection parameter {parameter} is out of range",
            got=value,
            allowed=allowed,
            remedy=f"Set selection.{parameter} accordingly.",
        )
