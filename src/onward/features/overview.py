"""What a pipeline will make of a market of some length, family by family, before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from onward.features.description import FeatureInfo, FitInfo, estimated_seconds
from onward.features.pipeline import FeaturePipeline

__all__ = ["FamilyInfo", "Overview", "overview"]


@dataclass(frozen=True)
class FamilyInfo:
    """Features that belong together.

    Attributes
    ----------
    stage, family
        Names; ``family`` is empty when the stage has no groups.
    off
        Why it is off; empty when it is on.
    columns
        Full column names.
    lookback
        Bars that its longest column needs; None when it is off.
    seconds
        Estimate of the CPU time for all rows; None when it is off or nobody measured it.
    """

    stage: str
    family: str
    off: str = ""
    columns: tuple[str, ...] = ()
    lookback: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Overview:
    """What a pipeline will make.

    Attributes
    ----------
    rows
        Bars that it is for.
    families
        Groups of features in the order of their stages, those that are off behind those on.
    features
        Every causal column.
    fits
        What is fitted in every fold, in order.
    lookback_bars
        Bars that the longest stage needs, the row itself included.
    seconds
        Estimate of the CPU time of the causal columns whose cost is known.
    n_unknown
        Columns whose cost nobody measured.
    matrix_bytes
        Size of the causal matrix.
    """

    rows: int
    families: tuple[FamilyInfo, ...]
    features: tuple[FeatureInfo, ...]
    fits: tuple[FitInfo, ...]
    lookback_bars: int
    seconds: float
    n_unknown: int
    matrix_bytes: int


def overview(pipeline: FeaturePipeline, n_rows: int) -> Overview:
    """Return what a pipeline will make of so many rows; nothing is computed.

    Raises
    ------
    StageError
        If a stage describes other columns than it declares.
    """
    features = pipeline.describe()
    families: list[FamilyInfo] = []
    for stage in pipeline.causal:
        families += _on(tuple(f for f in features if f.stage == stage.name), n_rows)
        off: Mapping[str, str] = getattr(stage, "disabled", {})
        families += [FamilyInfo(stage.name, family, reason) for family, reason in off.items()]
    known = [feature for feature in features if feature.microseconds is not None]
    return Overview(
        rows=n_rows,
        families=tuple(families),
        features=features,
        fits=pipeline.describe_fits(n_rows),
        lookback_bars=int(pipeline.lookback),
        seconds=estimated_seconds(known, n_rows) or 0.0,
        n_unknown=len(features) - len(known),
        matrix_bytes=n_rows * len(features) * pipeline.dtype.itemsize,
    )


def _on(features: tuple[FeatureInfo, ...], n_rows: int) -> list[FamilyInfo]:
    groups: dict[tuple[str, str], list[FeatureInfo]] = {}
    for feature in features:
        groups.setdefault((feature.stage, feature.family), []).append(feature)
    return [
        FamilyInfo(
            stage=stage,
            family=family,
            columns=tuple(member.column for member in members),
            lookback=max(member.lookback for member in members),
            seconds=estimated_seconds(members, n_rows),
        )
        for (stage, family), members in groups.items()
    ]
