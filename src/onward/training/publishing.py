"""From a finished training to a bundle on disk: the facts, the files, nothing half-written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

from onward._version import __version__
from onward.data.timeframe import format_timeframe
from onward.features.catalog import stage_origin
from onward.prediction.imported import ImportedStage
from onward.prediction.predictor import Predictor
from onward.protocols import CausalStage, FittedStage, Model
from onward.registry import BundleFacts, FeatureSchema, Manifest, library_versions, write_bundle
from onward.training.model_assembly import model_title
from onward.training.optimization import SearchedTraining
from onward.training.outcomes import Training
from onward.training.plan import TrainingPlan
from onward.types import Certificate, Market

__all__ = ["describe_market", "foreign_packages", "learnt_plan", "stage_bundle"]


def describe_market(market: Market) -> dict[str, Any]:
    """Return what a person wants to know of the data: symbols, timeframe, reach, rows, series."""
    return {
        "symbols": list(market.symbols),
        "timeframe": format_timeframe(market.timeframe),
        "first_open": market.open_time.min().isoformat(),
        "last_open": market.open_time.max().isoformat(),
        "bars": len(market),
        "series": sorted(market.series),
    }


def learnt_plan(plan: TrainingPlan, training: Training) -> TrainingPlan:
    """Return the plan that the final model was fitted by: what was asked for, or what a search chose."""
    if isinstance(training, SearchedTraining) and training.search is not None:
        return training.search.plan(plan)
    return plan


def foreign_packages(predictor: Predictor) -> dict[str, str]:
    """Return the packages outside Onward whose stages or model take part, with their versions.

    A module that belongs to no installed package (a file of the user's) is not listed: its
    address and the hash of its source are in the bundle's pipeline.
    """
    parts: list[CausalStage | FittedStage] = [
        stage.inner if isinstance(stage, ImportedStage) else stage for stage in predictor.pipeline.causal
    ]
    parts += predictor.fitted.stages
    learners = list(_models(predictor.model))
    modules = {type(part).__module__.partition(".")[0] for part in [*parts, *learners]}
    modules |= {
        stage.module.partition(".")[0]
        for stage in predictor.pipeline.causal
        if isinstance(stage, ImportedStage)
    }
    modules.discard("onward")
    if not modules:
        return {}
    owners = packages_distributions()
    names = {name for module in modules for name in owners.get(module, ())}
    packages = {name: version(name) for name in names}
    # The metadata of an editable installation list no module; its entry points are there all the same.
    origins = [origin for part in parts if (origin := stage_origin(part)) is not None]
    packages |= {origin["package"]: origin["version"] for origin in origins}
    return dict(sorted(packages.items()))


def _models(model: Model) -> Iterator[Model]:
    """Yield a model and, of an ensemble, all that it is made of."""
    yield model
    for part in getattr(model, "parts_", ()):
        yield from _models(part)


def stage_bundle(
    directory: Path,
    *,
    name: str,
    plan: TrainingPlan,
    training: Training,
    certificate: Certificate,
    created_at: datetime,
    run_id: str | None,
    report: str | None,
) -> Manifest:
    """Write the bundle of a training into a directory that does not exist yet.

    Parameters
    ----------
    directory
        Where to; must not exist or be empty.
    name
        Name of the model.
    plan, training, certificate
        What was asked for, what came of it, and what the audit said.
    created_at
        UTC.
    run_id
        Row of the table ``runs``, if one was written.
    report
        Self-contained HTML, if there is one.
    """
    market = training.dataset.market
    predictor = training.predictor.acting(training.labeler_state, plan.evaluation.act_above)
    facts = BundleFacts(
        name=name,
        created_at=created_at,
        model=model_title(learnt_plan(plan, training)),
        timeframe=format_timeframe(market.timeframe),
        symbols=market.symbols,
        plan=plan.model_dump(mode="json"),
        plan_hash=plan.content_hash,
        data=describe_market(market),
        data_hash=market.content_hash,
        label_family=plan.label_family,
        code_version=__version__,
        libraries=library_versions(),
        packages=foreign_packages(predictor),
        scores=training.judgement.scores.to_dict(),
        verdicts=training.judgement.verdict.to_dict(),
        certificate=certificate,
        features=FeatureSchema(
            columns=predictor.fitted.output_columns,
            lookback_bars=predictor.narrowed().lookback,
            series=tuple(sorted(market.series)),
        ),
        run_id=run_id,
    )
    return write_bundle(
        directory,
        facts=facts,
        save_model=predictor.model.save,
        pipeline=predictor.state(),
        labels=training.labeler_state,
        report=report,
    )
