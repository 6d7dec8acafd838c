"""What a plan will make, said before anything is computed: one line a feature, one a fitted step."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from onward.protocols import CausalStage, FittedStage

__all__ = [
    "DescribedFit",
    "DescribedStage",
    "FeatureInfo",
    "FitInfo",
    "describe",
    "describe_fit",
    "estimated_seconds",
]


@dataclass(frozen=True)
class FeatureInfo:
    """One feature of a stage.

    Attributes
    ----------
    column
        Full column name.
    stage
        Name of its stage.
    family
        Group within the stage; empty when it has none.
    lookback
        Bars that the feature needs, its own row included.
    microseconds
        Estimate of the CPU time a row, all shared work divided among the features that share it;
        None when nobody measured it (stages of other packages).
    """

    column: str
    stage: str
    family: str = ""
    lookback: int = 1
    microseconds: float | None = None


@dataclass(frozen=True)
class FitInfo:
    """One step that is fitted in every fold.

    Attributes
    ----------
    stage
        Name of the fitted stage.
    what
        What it does and within which limits, a phrase for people: ``up to 20 formulas; at most
        300 s and 2 GB``.
    max_columns
        Columns that come out of it at most; None when it does not say.
    seconds
        Estimate of the time of one fit; None when nobody measured it.
    """

    stage: str
    what: str
    max_columns: int | None = None
    seconds: float | None = None


@runtime_checkable
class DescribedStage(Protocol):
    """A causal stage that says more about its features than their names."""

    def describe(self) -> tuple[FeatureInfo, ...]:
        """Return one line a column, in the order of ``columns()``."""


@runtime_checkable
class DescribedFit(Protocol):
    """A fitted stage that says what it is going to do.

    What a fit makes has no name before the fit, so it cannot be listed feature by feature.
    """

    def describe_fit(self, n_columns: int, n_rows: int) -> FitInfo:
        """Return what a fit on so many columns and training rows, at most, does and costs."""


def describe(stage: CausalStage) -> tuple[FeatureInfo, ...]:
    """Return one line a feature of a stage; of a stage that says nothing more, its names."""
    if isinstance(stage, DescribedStage):
        return tuple(stage.describe())
    return tuple(FeatureInfo(column, stage.name, lookback=stage.lookback) for column in stage.columns())


def describe_fit(stage: FittedStage, n_columns: int, n_rows: int) -> FitInfo:
    """Return what a fitted stage is going to do; of one that does not say, its summary line.

    Parameters
    ----------
    stage
        The unfitted stage.
    n_columns, n_rows
        Columns and training rows that it will be given, at most.
    """
    if isinstance(stage, DescribedFit):
        return stage.describe_fit(n_columns, n_rows)
    own = vars(type(stage)).get("__doc__")
    return FitInfo(stage.name, inspect.cleandoc(own).partition("\n")[0].rstrip(".") if own else "")


def estimated_seconds(features: Iterable[FeatureInfo], n_rows: int) -> float | None:
    """Return the CPU time that features of so many rows will take; None when one is unknown."""
    total = 0.0
    for feature in features:
        if feature.microseconds is None:
            return None
        total += feature.microseconds
    return total * n_rows / 1e6
