"""From a plan to the objects that carry it out; nothing is computed here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from onward.audit import load_stage
from onward.features.cache import FeatureCache
from onward.features.catalog import stage_class
from onward.features.manual import FAMILIES, ManualFeaturesStage
from onward.features.pipeline import FeaturePipeline, FittedTemplate
from onward.features.selection import ShiftedLabelSelector
from onward.labels import ThresholdLabeler
from onward.models import model_class
from onward.protocols import CausalStage, Labeler, Model, Splitter
from onward.splits import PurgedKFold, WalkForward
from onward.training.plan import TrainingPlan
from onward.training.single_model import SingleModelTrainer
from onward.training.trainer import BaseTrainer
from onward.types import Market

__all__ = ["make_labeler", "make_model", "make_pipeline", "make_splitter", "make_trainer"]


def make_trainer(plan: TrainingPlan, market: Market, *, cache: FeatureCache | None = None) -> BaseTrainer:
    """Return the trainer that a plan asks for, ready for a market.

    The market decides which feature families are on (its side series, its number of symbols) and
    how long a bar is; none of its values are read.
    """
    return SingleModelTrainer(
        new_model=make_model(plan),
        pipeline=make_pipeline(plan, market, cache=cache),
        labeler=make_labeler(plan),
        splitter=make_splitter(plan),
        seed=plan.training.seed,
        n_shifts=plan.evaluation.n_shifts,
    )


def make_labeler(plan: TrainingPlan) -> Labeler:
    """Return the labeler of a plan."""
    labels = plan.labels
    return ThresholdLabeler(
        horizon_bars=labels.horizon_bars,
        mode=labels.mode,
        threshold=labels.threshold,
        quantile=labels.quantile,
        multiplier=labels.multiplier,
        window_bars=labels.window_bars,
    )


def make_splitter(plan: TrainingPlan) -> Splitter:
    """Return the splitter of a plan."""
    validation = plan.validation
    if validation.method == "walk_forward":
        return WalkForward(validation.n_splits, window=validation.window_bars)
    return PurgedKFold(validation.n_splits, embargo=validation.embargo)


def make_pipeline(
    plan: TrainingPlan, market: Market, *, cache: FeatureCache | None = None
) -> FeaturePipeline:
    """Return the feature pipeline of a plan: causal stages in plan order, then the selector."""
    causal = [_stage(plan, name, market) for name in plan.features.stages]
    return FeaturePipeline(causal, _fitted(plan), cache=cache)


def make_model(plan: TrainingPlan) -> Callable[[int], Model]:
    """Return a function that makes an unfitted model from a seed."""
    chosen = model_class(plan.model.name)
    return partial(_new_model, chosen, plan.model.parameters(), plan.training.n_threads or 0)


def _stage(plan: TrainingPlan, name: str, market: Market) -> CausalStage:
    if ":" in name:
        return load_stage(name)
    if name == "manual":
        manual = plan.features.manual
        wanted = None
        if manual.without:
            wanted = [f for f in (manual.families or FAMILIES) if f not in manual.without]
        return ManualFeaturesStage.for_market(market, wanted or manual.families, manual.options)
    return stage_class(name).for_market(market)


def _fitted(plan: TrainingPlan) -> list[FittedTemplate]:
    selection = plan.selection
    if not selection.enabled:
        return []
    return [
        ShiftedLabelSelector(
            max_features=selection.max_features, z=selection.z_threshold, n_shifts=selection.n_shifts
        )
    ]


def _new_model(chosen: type[Any], parameters: dict[str, Any], n_threads: int, seed: int) -> Model:
    accepted = chosen().get_params(deep=False)
    values = {name: value for name, value in parameters.items() if name in accepted}
    common = {"seed": seed, "n_threads": n_threads}
    model: Model = chosen(**values, **{k: v for k, v in common.items() if k in accepted})
    return model
