"""The fitted stages of one fold, and what they must keep to."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self, TypeAlias, cast

import pandas as pd

from onward.errors import StageError
from onward.features.catalog import fitted_from_saved, saved_state
from onward.protocols import FittedStage

__all__ = ["FittedPipeline", "FittedTemplate", "fresh", "transformed"]

FittedTemplate: TypeAlias = FittedStage | Callable[[], FittedStage]
"""What a fitted stage is made from: an unfitted one, which is copied, or a class or function."""


class FittedPipeline:
    """The fitted stages of one fold: turns causal columns into what the model sees.

    Parameters
    ----------
    input_columns
        Causal columns that the stages were fitted on.
    stages
        Fitted stages in order.
    output_columns
        Columns that `transform` gives.
    """

    def __init__(
        self, input_columns: Sequence[str], stages: Sequence[FittedStage], output_columns: Sequence[str]
    ) -> None:
        self.input_columns = tuple(input_columns)
        self.stages = tuple(stages)
        self.output_columns = tuple(output_columns)

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the columns that the model sees, rows as given.

        Columns are matched by name: other columns and another order do not matter.

        Raises
        ------
        StageError
            If a column is missing, or a stage breaks its contract.
        """
        missing = [column for column in self.input_columns if column not in X.columns]
        if missing:
            raise StageError(
                "columns that the pipeline was fitted on are missing",
                got=f"{len(missing)} missing, first {missing[0]!r}",
                allowed=f"all {len(self.input_columns)} columns of the fit",
                remedy="Compute the features with the pipeline that the model was trained with.",
            )
        same = len(X.columns) == len(self.input_columns) and tuple(X.columns) == self.input_columns
        table = X if same else X[list(self.input_columns)]
        for stage in self.stages:
            table = transformed(stage, table)
        if tuple(table.columns) != self.output_columns:
            raise StageError(
                "the fitted stages give other columns than when they were fitted",
                got=f"{len(table.columns)} columns",
                allowed=f"the {len(self.output_columns)} columns of the fit",
                remedy="A stage's columns must not depend on the rows it transforms.",
            )
        return table

    def to_json(self) -> dict[str, Any]:
        """Return the fitted state as plain JSON values."""
        return {
            "input_columns": list(self.input_columns),
            "output_columns": list(self.output_columns),
            "stages": [saved_state(stage) for stage in self.stages],
        }

    @classmethod
    def from_json(
        cls, state: Mapping[str, Any], catalog: Mapping[str, type[FittedStage]] | None = None
    ) -> Self:
        """Rebuild fitted stages by name.

        Parameters
        ----------
        state
            What `to_json` returned.
        catalog
            Classes by name that are looked up before the catalogue of installed stages.
        """
        own = catalog or {}
        stages = [
            own[part["stage"]].from_json(part["state"]) if part["stage"] in own else fitted_from_saved(part)
            for part in state["stages"]
        ]
        return cls(state["input_columns"], stages, state["output_columns"])


def fresh(template: FittedTemplate) -> FittedStage:
    """Return an unfitted stage that nobody else holds."""
    if isinstance(template, type) or not hasattr(template, "fit"):
        return cast("Callable[[], FittedStage]", template)()
    return cast("FittedStage", copy.deepcopy(template))


def transformed(stage: FittedStage, X: pd.DataFrame) -> pd.DataFrame:
    """Return what a fitted stage makes of rows; raises `StageError` when it breaks its contract."""
    table = stage.transform(X)
    if not isinstance(table, pd.DataFrame):
        raise StageError(  # the protocol promises it, the user's code may not
            f"the fitted stage {stage.name!r} does not give a table",
            got=f"{type(table).__module__}.{type(table).__qualname__}",
            allowed="a pandas DataFrame with one row for each row of X",
            remedy="Return pd.DataFrame(..., index=X.index).",
        )
    if len(table) != len(X) or not table.index.equals(X.index):
        raise StageError(
            f"the fitted stage {stage.name!r} gives other rows than it was given",
            got=f"{len(table)} rows",
            allowed=f"{len(X)} rows, index unchanged",
            remedy="Return one row for each row of X.",
        )
    if table.shape[1] == 0:
        raise StageError(
            f"the fitted stage {stage.name!r} leaves no column",
            got=f"{X.shape[1]} columns went in",
            allowed="at least one column",
            remedy="Loosen its thresholds.",
        )
    if not table.columns.is_unique:
        raise StageError(
            f"the fitted stage {stage.name!r} gives a column twice",
            got=", ".join(map(str, table.columns[table.columns.duplicated()][:3])),
            allowed="one column a name",
            remedy="Give every column a name of its own.",
        )
    return table
