"""Jobs of kind ``tune``: what ``onward tune`` does. A later attempt goes on from finished trials."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from onward.jobs.kinds import JobKind, TaskContext
from onward.tasks import trained
from onward.tasks.asking import patient
from onward.tasks.plans import resolved_plan
from onward.tasks.services import SupervisorServices, WorkerServices
from onward.tasks.specs import Field, read_spec

__all__ = ["kind", "run"]

NAME = "tune"
FIELDS = {**trained.TRAINING_FIELDS, "trials": Field((int,)), "seconds": Field((int, float))}


def run(context: TaskContext, services: WorkerServices) -> dict[str, Any]:
    """Search, train with the best, judge and audit, in the worker."""
    return trained.carry_out(
        context,
        services,
        lambda service, market, plan: service.tune(
            market, plan, audit=context.spec["audit"], progress=context.progress
        ),
    )


def kind(services: SupervisorServices) -> JobKind:
    """Return the kind with its supervisor's side."""
    return JobKind(
        NAME,
        f"{__name__}:run",
        "Search parameters, nested, train with the best, and judge the whole procedure.",
        prepare=partial(_prepare, services),
        answer=patient(partial(trained.answer, services)),
        publish=partial(trained.publish, services),
        ended=partial(trained.ended, services),
    )


def _prepare(services: SupervisorServices, spec: Mapping[str, Any]) -> Mapping[str, Any]:
    from onward.training.optimization import with_search

    given = read_spec(NAME, spec, FIELDS)
    plan = with_search(
        resolved_plan(services.settings, given["plan"]), trials=given["trials"], seconds=given["seconds"]
    )
    return trained.prepared(services, given, plan)
