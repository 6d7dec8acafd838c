"""What a plan will make, said before anything is computed: one line a feature."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from onward.protocols import CausalStage

__all__ = ["DescribedStage", "FeatureInfo", "describe", "estimated_seconds"]


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


@runtime_checkable
class DescribedStage(Protocol):
    """A causal stage that says more about its features than their names."""

    def describe(self) -> tuple[FeatureInfo, ...]:
        """Return one line a column, in the order of ``columns()``."""


def describe(stage: CausalStage) -> tuple[FeatureInfo, ...]:
    """Return one line a feature of a stage; of a stage that says nothing more, its names."""
    if isinstance(stage, DescribedStage):
        return stage.describe()
    return tuple(FeatureInfo(column, stage.name, lookback=stage.lookback) for column in stage.columns())


def estimated_seconds(features: Iterable[FeatureInfo], n_rows: int) -> float | None:
    """Return the CPU time that features of so many rows will take; None when one is unknown."""
    total = 0.0
    for feature in features:
        if feature.microseconds is None:
            return None
        total += feature.microseconds
    return total * n_rows / 1e6
