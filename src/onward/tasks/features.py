"""Jobs of kind ``features``: the causal features of every bar as a Parquet file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from onward.jobs.kinds import JobKind, Publication, TaskContext
from onward.jobs.values import Job
from onward.tasks.asking import patient
from onward.tasks.delivering import publish_file
from onward.tasks.markets import MARKET_FIELDS, frozen_source, market_of
from onward.tasks.outputs import checked_output, hashes
from onward.tasks.plans import frozen_plan, plan_of, resolved_plan, search_address
from onward.tasks.relay import relayed
from onward.tasks.services import SupervisorServices, WorkerServices
from onward.tasks.specs import Field, read_spec

__all__ = ["kind", "run"]

NAME = "features"
FILE = "features.parquet"
FIELDS = {
    **MARKET_FIELDS,
    "plan": Field((dict, str)),
    "out": Field(),
    "force": Field((bool,), default=False),
}


def run(context: TaskContext, services: WorkerServices) -> dict[str, Any]:
    """Compute the matrix into the attempt's directory, in the worker."""
    from onward.features.nan_counts import nan_ledger
    from onward.training.stages import make_pipeline

    with relayed(context):
        plan = plan_of(context)
        market = market_of(services.store, plan.data, context.spec)
        matrix = make_pipeline(plan, market, cache=services.cache).compute(market, context.progress)
        ledger = nan_ledger(matrix)
        matrix.reset_index().to_parquet(context.directory / FILE, index=False, compression="zstd")
    return {
        "rows": len(matrix),
        "columns": matrix.shape[1],
        "nan_share": float(ledger["share"].mean()),
        "never_known": ledger.loc[ledger["share"] == 1.0, "column"].tolist(),
        "data_hash": market.content_hash,
        "files": hashes(context.directory, FILE),
    }


def kind(services: SupervisorServices) -> JobKind:
    """Return the kind with its supervisor's side."""
    return JobKind(
        NAME,
        f"{__name__}:run",
        "Compute the features of every bar into a file.",
        prepare=partial(_prepare, services),
        answer=patient(lambda _, question, __: search_address(services.settings, question)),
        publish=partial(_publish, services),
    )


def _prepare(services: SupervisorServices, spec: Mapping[str, Any]) -> Mapping[str, Any]:
    from onward.training.stages import make_pipeline

    given = read_spec(NAME, spec, FIELDS)
    plan = resolved_plan(services.settings, given["plan"])
    out = checked_output(services.outputs, given["out"], suffixes=(".parquet",), force=given["force"])
    source = frozen_source(given)
    make_pipeline(plan, market_of(services.store, plan.data, source))
    return {**given, **source, **frozen_plan(plan), "out": out}


def _publish(
    services: SupervisorServices, job: Job, manifest: Mapping[str, Any], directory: Path
) -> Publication:
    return publish_file(services, job, manifest, directory, FILE)
