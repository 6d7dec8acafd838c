"""From a plan to the objects that carry it out; nothing is computed here.

Whatever a plan asks for that cannot be is refused here, before any work is done.
"""

from __future__ import annotations

from typing import Any

from onward.data.timeframe import format_timeframe, parse_timeframe
from onward.errors import PlanError
from onward.features.cache import FeatureCache
from onward.labels import labeler_from_settings
from onward.protocols import Labeler, Splitter
from onward.splits import CombinatorialPurgedKFold, PurgedKFold, WalkForward
from onward.training.cautions import data_cautions
from onward.training.ensemble_trainer import EnsembleTrainer
from onward.training.idle_settings import idle_settings
from onward.training.model_assembly import make_ensemble, make_model, unused_settings
from onward.training.plan import TrainingPlan
from onward.training.settings_errors import naming_setting, section_values
from onward.training.single_model import SingleModelTrainer
from onward.training.stages import make_pipeline, make_selector, unused_stage_options
from onward.training.trainer import BaseTrainer
from onward.types import Market

__all__ = [
    "make_labeler",
    "make_model",
    "make_pipeline",
    "make_selector",
    "make_splitter",
    "make_trainer",
    "plan_cautions",
]


def make_trainer(plan: TrainingPlan, market: Market, *, cache: FeatureCache | None = None) -> BaseTrainer:
    """Return the trainer that a plan asks for, ready for a market.

    The market decides which feature families are on (its side series, its number of symbols) and
    how long a bar is; none of its values are read.

    Parameters
    ----------
    plan
        What to do.
    market
        What to do it on.
    cache
        Where causal feature matrices are kept.

    Raises
    ------
    PlanError
        When the plan names something that does not exist, or does not fit the market; the
        message says which setting to change.
    """
    _check_timeframe(plan, market)
    shared: dict[str, Any] = {
        "pipeline": make_pipeline(plan, market, cache=cache),
        "labeler": make_labeler(plan),
        "splitter": make_splitter(plan),
        "seed": plan.training.seed,
        "n_shifts": plan.evaluation.n_shifts,
        "weights": plan.labels.weights,
        "time_decay": plan.labels.time_decay,
        "calibration": plan.training.calibration,
        "inner": PurgedKFold(plan.training.inner_folds, embargo=plan.validation.embargo),
    }
    if plan.ensemble.method == "none":
        return SingleModelTrainer(new_model=make_model(plan), **shared)
    return EnsembleTrainer(new_model=make_ensemble(plan), out_of_bag=plan.ensemble.out_of_bag, **shared)


def make_labeler(plan: TrainingPlan) -> Labeler:
    """Return the labeler of a plan, unfitted."""
    values = section_values(plan.labels, without=("method",))
    with naming_setting("labels"):
        return labeler_from_settings(plan.labels.method, values)


def make_splitter(plan: TrainingPlan) -> Splitter:
    """Return the splitter of a plan."""
    validation = plan.validation
    with naming_setting("validation"):
        if validation.method == "walk_forward":
            return WalkForward(
                None if validation.step is not None else validation.n_splits,
                step=validation.step,
                initial=validation.initial,
                window=validation.rolling_window,
                min_train_rows=validation.min_train_rows,
            )
        if validation.method == "combinatorial":
            return CombinatorialPurgedKFold(
                validation.n_groups, validation.n_test_groups, embargo=validation.embargo
            )
        return PurgedKFold(validation.n_splits, embargo=validation.embargo)


def plan_cautions(plan: TrainingPlan, market: Market) -> tuple[str, ...]:
    """Return what a person should know about a plan and a market: what is ignored, what differs."""
    unused = (*idle_settings(plan, market), *unused_settings(plan), *unused_stage_options(plan))
    return (*unused, *data_cautions(plan.data, market))


def _check_timeframe(plan: TrainingPlan, market: Market) -> None:
    wanted = plan.data.timeframe
    if wanted is not None and parse_timeframe(wanted) != market.timeframe:
        raise PlanError(
            "the bars are of another timeframe than the plan's",
            got=format_timeframe(market.timeframe),
            allowed=f"data.timeframe = {wanted}",
            remedy="Give the bars that the plan is for, or change data.timeframe.",
            settings=("data.timeframe",),
        )
