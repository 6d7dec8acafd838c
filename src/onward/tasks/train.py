"""Jobs of kind ``train``: what ``onward train`` does."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from onward.jobs.kinds import JobKind, TaskContext
from onward.tasks import trained
from onward.tasks.asking import patient
from onward.tasks.plans import resolved_plan
from onward.tasks.services import SupervisorServices, WorkerServices
from onward.tasks.specs import read_spec

__all__ = ["kind", "run"]

NAME = "train"


def run(context: TaskContext, services: WorkerServices) -> dict[str, Any]:
    """Train, judge and audit, in the worker."""
    return trained.carry_out(
        context,
        services,
        lambda service, market, plan: service.train(
            market, plan, audit=context.spec["audit"], progress=context.progress
        ),
    )


def kind(services: SupervisorServices) -> JobKind:
    """Return the kind with its supervisor's side."""
    return JobKind(
        NAME,
        f"{__name__}:run",
        "Train on a market what a plan asks for, judge it, audit it, publish it.",
        prepare=partial(_prepare, services),
        answer=patient(partial(trained.answer, services)),
        publish=partial(trained.publish, services),
        ended=partial(trained.ended, services),
    )


def _prepare(services: SupervisorServices, spec: Mapping[str, Any]) -> Mapping[str, Any]:
    given = read_spec(NAME, spec, trained.TRAINING_FIELDS)
    return trained.prepared(services, given, resolved_plan(services.settings, given["plan"]))
