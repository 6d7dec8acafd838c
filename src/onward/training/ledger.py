"""The trial counter: every run leaves a row, and every look at its outer scores counts."""

from __future__ import annotations

from typing import Protocol

from onward.errors import PlanError
from onward.registry import RunRecord, RunStore, RunVerdict
from onward.registry.runvalues import told_failure
from onward.training.outcomes import Training
from onward.training.plan import TrainingPlan
from onward.training.programs import this_program
from onward.training.publishing import describe_market
from onward.types import Market

__all__ = ["RunLedger", "StoredLedger", "Unrecorded"]


class RunLedger(Protocol):
    """Where runs are written down."""

    def begin(self, plan: TrainingPlan, market: Market) -> str | None:
        """Write a run down before it starts; return its id."""

    def resume(self, run_id: str, plan: TrainingPlan, market: Market) -> str | None:
        """Take up a search that was stopped; return its id."""

    def look(self, run_id: str | None) -> int:
        """Note that the outer scores are about to be seen.

        Returns the number of configurations whose scores were looked at on these data for this
        label family, this one included.
        """

    def nearby(self, run_id: str | None) -> int:
        """Return how many configurations were looked at on other data that overlap those of the run."""

    def finish(self, run_id: str | None, training: Training, seconds: float, audit: str) -> None:
        """Write down what came of it."""

    def fail(self, run_id: str | None, *, cancelled: bool, error: BaseException) -> None:
        """Write down that nothing came of it, and why."""

    def published(self, run_id: str | None, model_ref: str) -> None:
        """Write down the version that the run was published as."""


class StoredLedger:
    """The table ``runs``."""

    def __init__(self, runs: RunStore) -> None:
        self._runs = runs

    def begin(self, plan: TrainingPlan, market: Market) -> str | None:
        """Insert a running row."""
        record = RunRecord(
            kind="tune" if plan.optimization.trials > 0 else "train",
            plan=plan.model_dump(mode="json"),
            plan_hash=plan.content_hash,
            data_hash=market.content_hash,
            label_family=plan.label_family,
            data=describe_market(market),
            status="running",
            process=this_program(),
        )
        return self._runs.record(record).id

    def resume(self, run_id: str, plan: TrainingPlan, market: Market) -> str | None:
        """Open the row of a search again.

        Raises
        ------
        PlanError
            When the run is no search, is finished, or was begun with another plan or other data.
        RegistryError
            When there is no such run.
        """
        run = self._runs.get(run_id)
        begun = run.record
        if begun.kind != "tune":
            raise _not_resumed(
                "is no search", got=f"kind {begun.kind}", remedy="Start a search: onward tune."
            )
        if begun.status == "succeeded":
            raise _not_resumed(
                "is finished, and its outer scores were seen",
                got=run.id,
                remedy=f"See it with `onward runs show {run.id}`, or start another search.",
            )
        if begun.plan_hash != plan.content_hash:
            raise _not_resumed(
                "was begun with another plan",
                got=f"plan {plan.content_hash[:12]}",
                allowed=f"plan {begun.plan_hash[:12]}",
                remedy="Give the plan and the --set options of then, or start another search.",
            )
        if begun.data_hash != market.content_hash:
            raise _not_resumed(
                "was begun with other data",
                got=f"data {market.content_hash[:12]}",
                allowed=f"data {begun.data_hash[:12]}",
                remedy="Give the same bars and series (--data, --timerange), or start another search.",
            )
        joined = begun.status == "running" and begun.process is not None  # who began it is still at work
        self._runs.update(run.id, status="running", process=None if joined else this_program())
        return run.id

    def look(self, run_id: str | None) -> int:
        """Mark the row as looked at and count."""
        assert run_id is not None
        return self._runs.mark_looked_at(run_id)

    def nearby(self, run_id: str | None) -> int:
        """Count what lies beside the row."""
        assert run_id is not None
        return self._runs.looked_at_nearby(run_id)

    def finish(self, run_id: str | None, training: Training, seconds: float, audit: str) -> None:
        """Fill in scores, verdicts, and how the leak audit ended."""
        assert run_id is not None
        verdict = training.judgement.verdict
        self._runs.update(
            run_id,
            status="succeeded",
            scores=training.judgement.scores.to_dict(),
            verdicts={
                one.subject: RunVerdict(one.level, one.corrected_p, one.n_looked_at)
                for one in (verdict.direction, verdict.range)
            },
            duration_seconds=round(seconds, 3),
            audit=audit,
        )

    def fail(self, run_id: str | None, *, cancelled: bool, error: BaseException) -> None:
        """Close the row; of a run that failed it keeps the reason."""
        assert run_id is not None
        if cancelled:
            self._runs.update(run_id, status="cancelled")
        else:
            self._runs.update(run_id, status="failed", error=told_failure(error))

    def published(self, run_id: str | None, model_ref: str) -> None:
        """Fill in the version."""
        assert run_id is not None
        self._runs.update(run_id, model_ref=model_ref)


class Unrecorded:
    """Keeps nothing: for experiments on synthetic markets and for tests. Counts one look."""

    def begin(self, plan: TrainingPlan, market: Market) -> str | None:  # noqa: ARG002
        """Return no id."""
        return None

    def resume(self, run_id: str, plan: TrainingPlan, market: Market) -> str | None:  # noqa: ARG002
        """Refuse: there is nothing to take up."""
        raise _not_resumed("was not written down", got=run_id, remedy="Start another search.")

    def look(self, run_id: str | None) -> int:  # noqa: ARG002
        """Return 1: this configuration."""
        return 1

    def nearby(self, run_id: str | None) -> int:  # noqa: ARG002
        """Return 0: nothing is known of others."""
        return 0

    def finish(self, run_id: str | None, training: Training, seconds: float, audit: str) -> None:
        """Do nothing."""

    def fail(self, run_id: str | None, *, cancelled: bool, error: BaseException) -> None:
        """Do nothing."""

    def published(self, run_id: str | None, model_ref: str) -> None:
        """Do nothing."""


def _not_resumed(what: str, *, got: str, remedy: str, allowed: str | None = None) -> PlanError:
    return PlanError(f"the run to be resumed {what}", got=got, allowed=allowed, remedy=remedy)
