"""What jobs that train have in common: their worker's work, and publishing what came of it."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from onward.errors import JobError, OnwardError, UserError
from onward.jobs.kinds import Publication, TaskContext
from onward.jobs.values import Job
from onward.naming.names import check_alias, check_name
from onward.registry.files import atomic_file
from onward.registry.plain import plain
from onward.registry.runvalues import told_failure
from onward.tasks.folds import checkpoint_key
from onward.tasks.ledger import JobLedger, run_changes, write_books
from onward.tasks.markets import MARKET_FIELDS, frozen_source, market_of, told_market
from onward.tasks.outputs import Delivery, checked_output, hashes, refusals, written
from onward.tasks.plans import frozen_plan, plan_of, search_address, with_market
from onward.tasks.posting import announced, deliver
from onward.tasks.relay import relayed
from onward.tasks.services import SupervisorServices, WorkerServices
from onward.tasks.specs import Field
from onward.tasks.spreading import kept_folds, sharing_of
from onward.training.plan import TrainingPlan

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from onward.training.result import TrainingResult
    from onward.training.service import MLTrainingService
    from onward.types import Market

__all__ = ["TRAINING_FIELDS", "answer", "carry_out", "ended", "prepared", "publish"]

_log = logging.getLogger(__name__)

REPORT, BUNDLE, SEARCH = "report.html", "bundle", "search"
JOURNAL = ("search.journal", "search.json")

TRAINING_FIELDS: Mapping[str, Field] = {
    **MARKET_FIELDS,
    "plan": Field((dict, str)),
    "audit": Field((bool,), default=True),
    "save": Field(),
    "alias": Field(),
    "actor": Field(default=""),
    "report": Field(),
    "force": Field((bool,), default=False),
}
"""What a request for a training may say: ``save`` publishes under a name, ``alias`` names the
published version if its audit passed, ``report`` is a second place for the report."""

Train = Callable[["MLTrainingService", "Market", TrainingPlan], "TrainingResult"]


# -- at submit --------------------------------------------------------------------------------


def prepared(services: SupervisorServices, given: Mapping[str, Any], plan: TrainingPlan) -> dict[str, Any]:
    """Return a complete request, after everything that can be refused was, and say what it learns from.

    Raises
    ------
    OnwardError
        As the same training would on the command line, before it computes a feature.
    """
    if given["alias"] is not None and given["save"] is None:
        raise UserError(
            "only a published model can have an alias",
            got=f"alias {given['alias']}",
            allowed="an alias together with the name of a model",
            remedy="Say under which name the model is to be saved.",
        )
    if given["save"] is not None:
        check_name(given["save"])
    if given["alias"] is not None:
        check_alias(given["alias"])
    report = checked_output(services.outputs, given["report"], suffixes=(".html",), force=given["force"])
    source = frozen_source(given)
    market = market_of(services.store, plan.data, source)
    services.training().check(market, plan)
    frozen = frozen_plan(with_market(plan, market, source))
    return {**given, **source, **frozen, "market": told_market(market), "report": report}


# -- in the worker ----------------------------------------------------------------------------


def carry_out(context: TaskContext, services: WorkerServices, train: Train) -> dict[str, Any]:
    """Train as a request says, write model and report into the attempt, and return the manifest."""
    with relayed(context):
        plan, ledger = plan_of(context), JobLedger(context)
        market = market_of(services.store, plan.data, context.spec)
        search = _search_directory(context.shared, plan.content_hash, market.content_hash)
        result = train(_service(context, services, ledger, search), market, plan)
        files = _leave(context, result, search)
    found = result.search
    return {
        **ledger.found,
        "plan_hash": plan.content_hash,
        "data_hash": market.content_hash,
        "certificate": plain(result.certificate),
        "warnings": list(result.warnings),
        "search": None if found is None else {"chosen": plain(found.chosen), "n_trials": found.n_trials},
        "files": files,
    }


def _search_directory(shared: Path, plan_hash: str, data_hash: str) -> Path:
    """Return where the trials of a search are kept for attempts with the same plan and data."""
    return shared / SEARCH / checkpoint_key(plan_hash, data_hash)


def _service(
    context: TaskContext, services: WorkerServices, ledger: JobLedger, search: Path
) -> MLTrainingService:
    from onward.training.assembly import make_trainer
    from onward.training.auditing import audit_trainer
    from onward.training.conduct import Conductor
    from onward.training.service import MLTrainingService

    conductor = Conductor(
        ledger=ledger,
        registry=_no_registry,
        audit=audit_trainer,
        staging=lambda: context.directory,
        run_directory=lambda _: search,
        folds=partial(kept_folds, context, lambda plan, market: _outer_folds(services, plan, market)),
        together=sharing_of(context),
    )
    return MLTrainingService(make_trainer=partial(make_trainer, cache=services.cache), conductor=conductor)


def _outer_folds(services: WorkerServices, plan: TrainingPlan, market: Market) -> list[int]:
    from onward.training.assembly import make_trainer

    _, folds = make_trainer(plan, market, cache=services.cache).cut(market)
    return [fold.number for fold in folds]


def _no_registry() -> NoReturn:
    raise JobError("a worker publishes nothing itself")


def _leave(context: TaskContext, result: TrainingResult, search: Path) -> dict[str, str]:
    """Write what is to be published, every byte on the disk, and return the hashes of loose files."""
    from onward.training.publishing import stage_bundle

    report, names = result.report_html(), [REPORT]
    with atomic_file(context.directory / REPORT) as draft:
        draft.write_text(report, encoding="utf-8", newline="\n")
    for name in JOURNAL:
        if (search / name).is_file():
            shutil.copyfile(search / name, context.directory / name)
            names.append(name)
    name = context.spec["save"]
    if name is not None:
        stage_bundle(
            context.directory / BUNDLE,
            name=name,
            plan=result.plan,
            training=result.training,
            certificate=result.certificate,
            created_at=result.finished_at,
            run_id=result.run_id,
            report=report,
        )
    return hashes(context.directory, *names)


# -- in the supervisor ------------------------------------------------------------------------


def answer(services: SupervisorServices, job: Job, question: str, arguments: Mapping[str, Any]) -> Any:
    """Answer what the worker asks about its run and its search."""
    address = search_address(services.settings, question)
    return address if address is not None else write_books(services.runs, job, question, arguments)


def publish(
    services: SupervisorServices, job: Job, manifest: Mapping[str, Any], directory: Path
) -> Publication:
    """Verify and place what the worker left; run, version and alias appear with the job's end."""
    spec, run_id = job.request.spec, str(manifest["run"])
    home = services.home.runs / run_id
    with ExitStack() as undo:
        deliveries = []
        if spec["report"] is not None:
            deliveries.append(_second_report(services, job, manifest, directory))
            undo.callback(deliveries[-1].abandon)
        for name in manifest["files"]:
            deliveries.append(Delivery.prepare(job, manifest, directory, name, home / name))
            undo.callback(deliveries[-1].abandon)
        with refusals("place the model", directory):
            # A bundle that no version comes to speak of is swept after a day.
            placed = (
                None if spec["save"] is None else services.registry.place(directory / BUNDLE, spec["save"])
            )
        prepared = undo.pop_all()

    def on_commit(connection: Connection) -> dict[str, Any]:
        told: dict[str, Any] = {
            "model": None,
            "alias": None,
            "report": written(services.home.root, home / REPORT),
        }
        changes = run_changes(manifest) | {"report_path": told["report"]}
        if placed is not None:
            with refusals("publish the model", placed.directory):
                told |= announced(services.registry, connection, job, placed, manifest["warnings"])
            if told["model"] is not None:
                changes["model_ref"] = told["model"]
        services.runs.change(connection, run_id, changes)
        for delivery in deliveries:
            delivery.commit()
        return told

    def settled() -> None:  # no attempt is to come that could go on from here
        shutil.rmtree(services.home.jobs / job.id / "shared", ignore_errors=True)
        if placed is not None:
            deliver(services.registry)

    return Publication(on_commit, prepared.close, settled)


def _second_report(
    services: SupervisorServices, job: Job, manifest: Mapping[str, Any], directory: Path
) -> Delivery:
    name, spec = f"copy-{REPORT}", job.request.spec
    with refusals("copy the report", directory):
        shutil.copyfile(directory / REPORT, directory / name)
    copied = {"files": {name: manifest["files"][REPORT]}}
    target = services.outputs / spec["report"]
    return Delivery.prepare(job, copied, directory, name, target, force=spec["force"])


def ended(services: SupervisorServices, job: Job) -> None:
    """Close the run of a job that came to nothing; its trials stay, for ``onward tune --resume``.

    The reason goes into the run's row: jobs are pruned, runs are not.

    Of a job that failed everything that it had finished stays, for a job that tries it again.
    """
    shared = services.home.jobs / job.id / "shared"
    try:
        # What an earlier attempt saw other data for was closed then, for another reason.
        running = {run.id for run in services.runs.of_job(job.id) if run.record.status == "running"}
        services.runs.close_ended()
        for run in services.runs.of_job(job.id):
            if job.error and run.record.status == "failed" and run.id in running:
                services.runs.update(run.id, error=told_failure(job.error))
            kept = _search_directory(shared, run.record.plan_hash, run.record.data_hash)
            _keep_trials(kept, services.home.runs / run.id)
        if job.state != "failed":
            shutil.rmtree(shared, ignore_errors=True)
    except (OnwardError, OSError) as error:  # the next job that ends closes this run as well
        _log.warning("the run of job %s was not tidied up: %s", job.id, error)


def _keep_trials(kept: Path, home: Path) -> None:
    for name in JOURNAL:
        if (kept / name).is_file():
            home.mkdir(parents=True, exist_ok=True)
            with atomic_file(home / name) as draft:
                shutil.copyfile(kept / name, draft)
