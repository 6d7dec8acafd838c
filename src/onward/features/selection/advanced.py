"""`AdvancedFeatureSelector`: one choice over all columns, hand-made and generated, inside the fold."""

from __future__ import annotations

from typing import Any, Self

import numpy.typing as npt
import pandas as pd

from onward.features.description import FitInfo
from onward.features.selection.chosen_columns import ChosenColumns, reading_state
from onward.features.selection.fold_selection import FoldSelection
from onward.features.selection.ledger import ledger_from_json, ledger_to_json
from onward.features.selection.parameters import SelectorParameters
from onward.features.selection.training_table import training_table
from onward.types import FloatArray, Spans

__all__ = ["AdvancedFeatureSelector"]


class AdvancedFeatureSelector(ChosenColumns):
    """Drop what is redundant, then what does not beat chance, over all stages' columns together.

    The steps, each of which can be switched off, from the cheapest to the dearest:

    1. **constant**: unknown, constant or quasi-constant columns leave;
    2. **duplicate**: of columns that are equal, monotone functions of each other (sign-flipped,
       affine, logarithm ...) or in nearly the same order, one stays, whatever stage it is from;
    3. **correlation**: of correlated columns the most stable stays, then the cheapest, hand-made
       before generated;
    4. **relevance**: rank correlation with direction and range class, and mutual information
       with the classes, must beat those of circularly shifted labels;
    5. **null_importance**: so must the gain in a small boosted model of the columns left;
    6. **places**: the best ``max_features`` stay.

    Everything is learnt from the rows that `fit` is given.

    Parameters
    ----------
    **parameters
        Fields of `onward.features.selection.parameters.SelectorParameters`, which documents them.

    Attributes
    ----------
    columns_
        Columns kept, in the order of the input.
    ledger_
        One `LedgerRecord` a column of the input, in that order.

    Raises
    ------
    ConfigError
        When a parameter is unknown or out of range.
    """

    name = "advanced_selection"

    def __init__(self, **parameters: Any) -> None:
        super().__init__()
        self.parameters = SelectorParameters.checked(parameters)

    def describe_fit(self, n_columns: int, n_rows: int) -> FitInfo:  # noqa: ARG002
        """Return how many columns may stay."""
        most = min(self.parameters.max_features, n_columns)
        return FitInfo(self.name, f"keeps up to {most} columns that beat shifted labels, no twins", most)

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
            Training rows; NaN means "not known yet" and is left out, pair by pair.
        y
            Classes -1, 0, 1, shape (n,).
        spans
            Spans of the same rows, in the same order; they carry the times.
        weight
            Weights of the rows in the boosted model; ranks and counts are not weighted.
        seed
            Seed of the shifts and of the boosted model.

        Raises
        ------
        StageError
            When the arguments do not fit together, or no column has anything to tell.
        LabelError
            When the labels are not classes or hold one class only.
        NotEnoughDataError
            When the rows are too few to shift labels of their length.
        """
        fates = FoldSelection(training_table(X, y, spans, weight), self.parameters, seed).run()
        self.columns_ = fates.kept
        self.ledger_ = fates.ledger()
        return self

    def to_json(self) -> dict[str, Any]:
        """Return parameters, chosen columns and ledger as plain JSON values."""
        return {
            "parameters": self.parameters.to_json(),
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

    def __repr__(self) -> str:
        return f"AdvancedFeatureSelector({self.parameters.differences()})"
