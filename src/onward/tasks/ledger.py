"""The books of a run that is a job: the worker asks, the supervisor writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onward.errors import JobError, PlanError
from onward.jobs.kinds import TaskContext
from onward.jobs.values import Job
from onward.registry import RunRecord, RunStore, RunVerdict
from onward.registry.plain import plain
from onward.tasks.asking import ask
from onward.training.outcomes import Training
from onward.training.plan import TrainingPlan
from onward.training.publishing import describe_market
from onward.types import Market

__all__ = ["JobLedger", "run_changes", "write_books"]

BEGIN, LOOK, NEARBY = "run.begin", "run.look", "run.nearby"


class JobLedger:
    """A `onward.training.ledger.RunLedger` without a database.

    What came of the run goes into the manifest, and from there into the table ``runs`` in the
    transaction that ends the job; a run that comes to nothing is closed by the supervisor.

    Parameters
    ----------
    context
        Of the worker.

    Attributes
    ----------
    found
        What the manifest says of the finished run.
    """

    def __init__(self, context: TaskContext) -> None:
        self._context = context
        self.found: dict[str, Any] = {}

    def begin(self, plan: TrainingPlan, market: Market) -> str | None:
        """Let a row be written, or that of an earlier attempt be taken up again."""
        run_id: str = ask(
            self._context,
            BEGIN,
            kind="tune" if plan.optimization.trials > 0 else "train",
            plan=plan.model_dump(mode="json"),
            plan_hash=plan.content_hash,
            data_hash=market.content_hash,
            label_family=plan.label_family,
            data=plain(describe_market(market)),
        )
        return run_id

    def resume(self, run_id: str, plan: TrainingPlan, market: Market) -> str | None:  # noqa: ARG002
        """Refuse: a job goes on with its own run, without being told."""
        raise PlanError(
            "a job cannot take up the run of another", got=run_id, remedy="Use `onward tune --resume`."
        )

    def look(self, run_id: str | None) -> int:
        """Let the look be written down, and return the count that follows."""
        return int(ask(self._context, LOOK, run=run_id))

    def nearby(self, run_id: str | None) -> int:
        """Let the looks at data that overlap these be counted."""
        return int(ask(self._context, NEARBY, run=run_id))

    def finish(self, run_id: str | None, training: Training, seconds: float, audit: str) -> None:  # noqa: ARG002
        """Note what goes into the manifest, where the whole certificate stands beside it."""
        judgement = training.judgement
        self.found = {
            "run": run_id,
            "seconds": round(seconds, 3),
            "scores": plain(judgement.scores.to_dict()),
            "verdict": plain(judgement.verdict.to_dict()),
        }

    def fail(self, run_id: str | None, *, cancelled: bool, error: BaseException) -> None:
        """Do nothing: the supervisor sees how the job ends, also when nobody is left to say so."""

    def published(self, run_id: str | None, model_ref: str) -> None:
        """Do nothing: published is what the supervisor publishes."""


def write_books(runs: RunStore, job: Job, question: str, arguments: Mapping[str, Any]) -> Any:
    """Answer a worker's `JobLedger`.

    Raises
    ------
    JobError
        When the question is none, or about a run of another job.
    """
    if question == BEGIN:
        return runs.take_up(RunRecord(**arguments, status="running", job_id=job.id)).id
    if question in (LOOK, NEARBY):
        run = runs.get(str(arguments["run"]))
        if run.record.job_id != job.id:
            raise JobError("the run belongs to another job", got=run.id)
        return runs.mark_looked_at(run.id) if question == LOOK else runs.looked_at_nearby(run.id)
    raise JobError("nobody answers this question", got=question)


def run_changes(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a finished job changes in its run's row."""
    verdict = manifest["verdict"]
    return {
        "status": "succeeded",
        "scores": manifest["scores"],
        "duration_seconds": manifest["seconds"],
        "audit": manifest["certificate"]["status"],
        "verdicts": {
            name: RunVerdict(one["level"], one["corrected_p"], one.get("n_looked_at"))
            for name in ("direction", "range")
            for one in (verdict[name],)
        },
    }
