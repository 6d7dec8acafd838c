"""What a model needs live: features that no fold keeps are not computed.

A fitted pipeline ends in far fewer columns than its causal stages make. `narrow` walks back from
the columns the model sees to the causal columns behind them, leaves out stages of which none is
wanted, and has the others compute less where they can.

A causal stage can compute less when it offers ``restricted(columns) -> CausalStage``, the same
stage with at least these columns, values unchanged. Stages made of families, such as
`onward.features.manual.ManualFeaturesStage`, are restricted to the families concerned without
doing anything for it.

A fitted stage takes part by saying what its outputs need, ``required_columns(outputs)``. If it
cannot do with these columns as it is, it offers ``restricted(outputs)`` as well. For a fitted
stage that does neither, everything is computed that it was fitted on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import pandas as pd

from onward.errors import StageError
from onward.features.pipeline import FeaturePipeline, FittedPipeline
from onward.protocols import CausalStage, FittedStage

__all__ = [
    "ChoosesColumns",
    "RestrictableFit",
    "RestrictableStage",
    "narrow",
    "narrowed_fit",
    "needed_columns",
    "restricted",
]


@runtime_checkable
class RestrictableStage(Protocol):
    """A causal stage that can compute part of its columns."""

    def restricted(self, columns: Sequence[str]) -> CausalStage:
        """Return a stage of the same name with at least these columns, values unchanged."""


@runtime_checkable
class ChoosesColumns(Protocol):
    """A fitted stage that knows which input columns its outputs are computed from."""

    def required_columns(self, outputs: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Return the inputs behind some outputs; behind all of them by default.

        Given these columns alone, ``transform`` gives at least the outputs, values unchanged; or
        the stage that ``restricted`` returns does.
        """


@runtime_checkable
class RestrictableFit(Protocol):
    """A fitted stage that has to be told when it gets fewer columns than in its fit."""

    def restricted(self, outputs: Sequence[str]) -> FittedStage:
        """Return a fitted stage that gives these outputs from their `required_columns`."""


@runtime_checkable
class _FamilyStage(Protocol):
    def columns_by_family(self) -> Mapping[str, tuple[str, ...]]: ...

    def spec(self) -> dict[str, Any]: ...

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Self: ...


def needed_columns(fitted: FittedPipeline) -> tuple[str, ...]:
    """Return the causal columns behind what the model sees, in the order of the fit.

    Of a fitted stage that does not say what it needs (`ChoosesColumns`), or cannot do with that,
    everything that goes in is needed.
    """
    return narrowed_fit(fitted).input_columns


def narrowed_fit(fitted: FittedPipeline) -> FittedPipeline:
    """Return the fitted stages with the same outputs, from as few input columns as they say.

    Raises
    ------
    StageError
        When a stage says that it needs columns which the fit did not have.
    """
    wanted = tuple(fitted.output_columns)
    stages: list[FittedStage] = []
    for number in reversed(range(len(fitted.stages))):
        stage = fitted.stages[number]
        smaller, needed = _restricted_fit(stage, wanted)
        if needed is None:
            # What it gets must be what it was fitted on: nothing before it changes either.
            stages += reversed(fitted.stages[: number + 1])
            wanted = fitted.input_columns
            break
        stages.append(smaller)
        wanted = needed
    unknown = set(wanted).difference(fitted.input_columns)
    if unknown:
        raise StageError(
            "a fitted stage needs columns that the causal stages do not give",
            got=min(unknown),
            allowed=f"the {len(fitted.input_columns)} columns of the fit",
            remedy="Correct its required_columns().",
        )
    ordered = [column for column in fitted.input_columns if column in set(wanted)]
    return FittedPipeline(ordered, stages[::-1], fitted.output_columns)


def _restricted_fit(
    stage: FittedStage, outputs: tuple[str, ...]
) -> tuple[FittedStage, tuple[str, ...] | None]:
    """Return a stage that gives at least the outputs, and what it needs for them; None for everything."""
    if not isinstance(stage, ChoosesColumns):
        return stage, None
    needed = tuple(stage.required_columns(outputs))
    smaller = stage.restricted(outputs) if isinstance(stage, RestrictableFit) else stage
    # Tried on a row of nothing known: a stage that still asks for columns of its fit gets them all.
    unknown = pd.DataFrame(np.full((1, len(needed)), np.nan, dtype=np.float32), columns=list(needed))
    try:
        given = smaller.transform(unknown).columns
    except (StageError, KeyError):
        return stage, None
    return (smaller, needed) if set(outputs) <= set(given) else (stage, None)


def restricted(stage: CausalStage, columns: Iterable[str]) -> CausalStage:
    """Return a stage that computes at least these columns, and as few others as it can avoid.

    Raises
    ------
    StageError
        When a column is not the stage's, or its own ``restricted`` loses one.
    """
    wanted = set(columns)
    strange = wanted.difference(stage.columns())
    if strange:
        raise StageError(
            f"the stage {stage.name!r} cannot be restricted to columns that it does not have",
            got=min(strange),
            allowed=f"its {len(stage.columns())} columns",
            remedy="Ask for columns of this stage.",
        )
    ordered = [column for column in stage.columns() if column in wanted]
    if isinstance(stage, RestrictableStage):
        smaller = stage.restricted(ordered)
    elif isinstance(stage, _FamilyStage):
        smaller = _fewer_families(stage, wanted)
    else:
        return stage
    lost = wanted.difference(smaller.columns())
    if lost or smaller.name != stage.name:
        raise StageError(
            f"the stage {stage.name!r} loses columns when it is restricted",
            got=min(lost) if lost else f"a stage named {smaller.name!r}",
            allowed="the same stage with at least the columns asked for",
            remedy="Correct its restricted().",
        )
    return smaller


def narrow(pipeline: FeaturePipeline, fitted: FittedPipeline) -> tuple[FeaturePipeline, FittedPipeline]:
    """Return the pair that computes what the model sees, and nothing that it can do without.

    For prediction: the outputs equal those of the original pair, from fewer columns and often
    fewer bars (``lookback`` is that of the stages left).
    """
    smaller = narrowed_fit(fitted)
    wanted = set(smaller.input_columns)
    stages = []
    for stage in pipeline.causal:
        own = wanted.intersection(stage.columns())
        if own:
            stages.append(restricted(stage, own))
    return FeaturePipeline(stages, pipeline.fitted, cache=pipeline.cache, dtype=pipeline.dtype), smaller


def _fewer_families(stage: Any, wanted: set[str]) -> CausalStage:
    families = [name for name, own in stage.columns_by_family().items() if wanted.intersection(own)]
    spec = dict(stage.spec())
    if not families or not {"families", "options"} <= set(spec):
        return stage  # type: ignore[no-any-return]
    options = {name: values for name, values in spec["options"].items() if name in families}
    return type(stage).from_spec({**spec, "families": families, "options": options})  # type: ignore[no-any-return]
