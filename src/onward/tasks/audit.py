"""Jobs of kind ``audit``: look for ways to see the future, in a stage or in all that a plan does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onward.jobs.kinds import JobKind, Publication, TaskContext
from onward.jobs.values import Job
from onward.registry.plain import plain
from onward.tasks.asking import patient
from onward.tasks.delivering import publish_file
from onward.tasks.markets import MARKET_FIELDS, frozen_source, market_of
from onward.tasks.outputs import checked_output, hashes
from onward.tasks.plans import frozen_plan, plan_of, resolved_plan, search_address
from onward.tasks.relay import relayed
from onward.tasks.services import SupervisorServices, WorkerServices
from onward.tasks.specs import Field, read_spec

if TYPE_CHECKING:
    from onward.protocols import CausalStage
    from onward.training.plan import TrainingPlan
    from onward.types import Market

__all__ = ["kind", "run"]

NAME = "audit"
FILE = "audit.json"
FIELDS = {
    **MARKET_FIELDS,
    "plan": Field((dict, str)),
    "target": Field(),
    "out": Field(),
    "force": Field((bool,), default=False),
}
"""``target``: ``module:name`` of a stage or function, or a stage of the catalogue; without it the
features of the plan and its whole learning path."""


def run(context: TaskContext, services: WorkerServices) -> dict[str, Any]:
    """Audit, in the worker. A leak that was found is a result, not a failure."""
    from onward.audit import audit_stage
    from onward.training.assembly import make_trainer
    from onward.training.auditing import audit_trainer
    from onward.training.optimization import OptimizationCoordinator, asks_for_search

    with relayed(context):
        plan, target = plan_of(context), context.spec["target"]
        market = market_of(services.store, plan.data, context.spec)
        if target is not None:
            report = audit_stage(_stage(target, plan, market), market, progress=context.progress)
        elif asks_for_search(plan):
            searching = OptimizationCoordinator(plan, market, make_trainer=make_trainer)
            report = audit_trainer(searching, market, progress=context.progress)
        else:
            report = audit_trainer(make_trainer(plan, market), market, progress=context.progress)
    told = plain(report.to_dict())
    (context.directory / FILE).write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")
    return {**told, "files": hashes(context.directory, FILE)}


def kind(services: SupervisorServices) -> JobKind:
    """Return the kind with its supervisor's side."""
    return JobKind(
        NAME,
        f"{__name__}:run",
        "Look for ways to see the future, and certify that there are none.",
        prepare=partial(_prepare, services),
        answer=patient(lambda _, question, __: search_address(services.settings, question)),
        publish=partial(_publish, services),
    )


def _prepare(services: SupervisorServices, spec: Mapping[str, Any]) -> Mapping[str, Any]:
    given = read_spec(NAME, spec, FIELDS)
    plan, target = resolved_plan(services.settings, given["plan"]), given["target"]
    out = checked_output(services.outputs, given["out"], suffixes=(".json",), force=given["force"])
    source = frozen_source(given)
    market = market_of(services.store, plan.data, source)
    if target is None:
        services.training().check(market, plan)
    else:
        _stage(target, plan, market)
    return {**given, **source, **frozen_plan(plan), "out": out}


def _publish(
    services: SupervisorServices, job: Job, manifest: Mapping[str, Any], directory: Path
) -> Publication:
    return publish_file(services, job, manifest, directory, FILE)


def _stage(target: str, plan: TrainingPlan, market: Market) -> CausalStage:
    """Return a stage of somebody's own by its address, or one of the catalogue by its name."""
    from onward.audit import load_stage
    from onward.training.stages import make_pipeline

    if ":" in target:
        return load_stage(target)
    stage: CausalStage = make_pipeline(plan.with_overrides({"features.stages": [target]}), market).causal[0]
    return stage
