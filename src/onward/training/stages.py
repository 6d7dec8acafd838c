"""From the feature sections of a plan to its pipeline.

Causal parts run first, over the history; fitted parts follow in plan order, inside the fold; the
selector is always last.
"""

from __future__ import annotations

import logging
from typing import Any

from onward.audit import load_stage
from onward.config.base import Section
from onward.errors import OnwardError, PlanError, told_bars
from onward.features.cache import FeatureCache
from onward.features.catalog import CATALOG, TwoPartStage, make_fitted, make_stage, stage_kind
from onward.features.declarations import attributed, require_declared, require_possible_lookback
from onward.features.manual import ManualFeaturesStage
from onward.features.manual.catalog import expand
from onward.features.pipeline import FeaturePipeline, FittedTemplate
from onward.features.selection.advanced import AdvancedFeatureSelector
from onward.prediction.imported import ImportedStage, import_stage
from onward.protocols import CausalStage
from onward.training.plan import TrainingPlan
from onward.training.settings_errors import naming_setting, section_values
from onward.types import Market

__all__ = ["make_pipeline", "make_selector", "unused_stage_options"]

_log = logging.getLogger(__name__)

ELSEWHERE = {
    "selection": "The selection is always last: set selection.enabled instead.",
    "advanced_selection": "The selection is always last: set selection.enabled instead.",
    "tsfresh_relevance": "It comes with tsfresh: set features.tsfresh.relevance instead.",
}
"""Fitted stages that a plan does not name among its stages, and what to do instead."""


def make_pipeline(
    plan: TrainingPlan, market: Market, *, cache: FeatureCache | None = None
) -> FeaturePipeline:
    """Return the feature pipeline of a plan.

    Raises
    ------
    PlanError
        When a stage or family does not exist, cannot be made for the market, refuses an option,
        or nothing is left.
    """
    causal: list[CausalStage] = []
    fitted: list[FittedTemplate] = []
    _check_options(plan)
    with naming_setting("features.stages"):
        for name in plan.features.stages:
            part = _stage(plan, name, market)
            if not hasattr(part, "compute"):
                fitted.append(part)
                continue
            causal.append(part)
            learnt = part.fitted_part() if isinstance(part, TwoPartStage) else None
            if learnt is not None:
                fitted.append(learnt)
        selector = make_selector(plan)
        if selector is not None:
            fitted.append(selector)
        pipeline = FeaturePipeline(causal, fitted, cache=cache)
        for stage in causal:
            require_possible_lookback(stage, market)
    _warn_of_short_market(pipeline, market)
    return pipeline


def make_selector(plan: TrainingPlan) -> AdvancedFeatureSelector | None:
    """Return the unfitted selector of a plan; None when selection is switched off."""
    selection = plan.selection
    if not selection.enabled:
        return None
    values = section_values(selection, without=("enabled",))
    values["min_features"] = min(selection.min_features, selection.max_features)
    with naming_setting("selection"):
        return AdvancedFeatureSelector(**values, n_threads=plan.training.n_threads or 0)


def unused_stage_options(plan: TrainingPlan) -> tuple[str, ...]:
    """Return sentences about options that were changed of stages that do not take part.

    No error: who leaves a stage out for one run (``--set features.stages=manual``) keeps its options
    for the next.
    """
    sentences: list[str] = []
    for name in type(plan.features).model_fields:
        section = getattr(plan.features, name)
        if not isinstance(section, Section) or name in plan.features.stages:
            continue
        changed = [
            f"features.{name}.{option}"
            for option, field in type(section).model_fields.items()
            if getattr(section, option) != field.get_default(call_default_factory=True)
        ]
        if changed:
            taking_part = ", ".join(plan.features.stages)
            sentences.append(
                f"The stage {name!r} does not take part (features.stages: {taking_part}), so the plan "
                f"sets {', '.join(changed)} for nothing. Name it in features.stages, or remove its options."
            )
    return tuple(sentences)


def _stage(plan: TrainingPlan, name: str, market: Market) -> Any:
    """Return the causal stage, or the unfitted fitted stage, that a name of a plan stands for."""
    if ":" in name:
        return _imported(name)
    if name in ELSEWHERE:
        raise PlanError(
            "features.stages names a step that has a place of its own",
            got=name,
            remedy=ELSEWHERE[name],
            settings=("features.stages",),
        )
    kind = stage_kind(name)
    if name == "manual":
        return _manual_stage(plan, market)
    section = getattr(plan.features, name, None) if name in type(plan.features).model_fields else None
    options = plan.features.options.get(name, {}) if section is None else section_values(section)
    with naming_setting(f"features.{name}" if section is not None else f"features.options.{name}"):
        return make_stage(name, market, options) if kind == "causal" else make_fitted(name, options)


def _warn_of_short_market(pipeline: FeaturePipeline, market: Market) -> None:
    longest = max((rows.stop - rows.start for rows in market.rows.values()), default=0)
    short = [stage for stage in pipeline.causal if stage.lookback > longest]
    if short:
        _log.warning(
            "the longest symbol has %s, less than the lookback of %s: no row is computed from as "
            "much history as a live prediction reads",
            told_bars(longest),
            ", ".join(f"{stage.name} ({stage.lookback:,})" for stage in short),
        )


def _imported(address: str) -> ImportedStage:
    """Return the stage of an address, what it declares looked at before it is put to use."""
    try:
        stage = import_stage(address)
    except OnwardError:
        raise
    except Exception:  # it declares what cannot even be read: say which
        with attributed(address, "what it declares"):
            require_declared(load_stage(address))
            raise
    require_declared(stage.inner)
    return stage


def _check_options(plan: TrainingPlan) -> None:
    own = set(type(plan.features).model_fields)
    for name in plan.features.options:
        if name in own:
            raise PlanError(
                f"the stage {name!r} has a section of its own",
                got=f"[features.options.{name}]",
                allowed=f"[features.{name}]",
                remedy="Move the options there.",
                settings=("features.options",),
            )
        if name not in plan.features.stages:
            raise PlanError(
                "there are options for a stage that does not take part",
                got=f"features.options.{name}",
                allowed=", ".join(plan.features.stages),
                remedy="Name the stage in features.stages, or remove its options.",
                settings=("features.options", "features.stages"),
            )
        if name in CATALOG and plan.features.options[name]:
            raise PlanError(
                f"the stage {name!r} has no options",
                got=f"features.options.{name}",
                remedy="Remove them.",
                settings=("features.options",),
            )


def _manual_stage(plan: TrainingPlan, market: Market) -> CausalStage:
    manual = plan.features.manual
    with naming_setting("features.manual.families"):
        wanted = expand(manual.families)
    with naming_setting("features.manual.without"):
        unwanted = expand(manual.without)
    families = [family for family in wanted if family not in unwanted]
    if not families:
        raise PlanError(
            "features.manual.without switches off every family that is on",
            got=", ".join(manual.without) or "no family",
            allowed="at least one family that stays",
            remedy="Take one off the list, or leave manual out of features.stages.",
            settings=("features.manual.without", "features.manual.families"),
        )
    with naming_setting("features.manual"):
        return ManualFeaturesStage.for_market(market, families, manual.options)
