"""The trial counter: every run leaves a row, and every look at its outer scores counts."""

from __future__ import annotations

from typing import Protocol

from onward.registry import RunRecord, RunStore, RunVerdict
from onward.training.plan import TrainingPlan
from onward.training.publishing import describe_market
from onward.training.trainer import Training
from onward.types import Market

__all__ = ["RunLedger", "StoredLedger", "Unrecorded"]


class RunLedger(Protocol):
    """Where runs are written down."""

    def begin(self, plan: TrainingPlan, market: Market) -> str | None:
        """Write a run down before it starts; return its id."""

    def look(self, run_id: str | None) -> int:
        """Note that the outer scores are about to be seen.

        Returns the number of configurations whose scores were looked at on these data for this
        label family, this one included.
        """

    def finish(self, run_id: str | None, training: Training, seconds: float) -> None:
        """Write down what came of it."""

    def fail(self, run_id: str | None, *, cancelled: bool) -> None:
        """Write down that nothing came of it."""

    def published(self, run_id: str | None, model_ref: str) -> None:
        """Write down the version that the run was published as."""


class StoredLedger:
    """The table ``runs``."""

    def __init__(self, runs: RunStore) -> None:
        self._runs = runs

    def begin(self, plan: TrainingPlan, market: Market) -> str | None:
        """Insert a running row."""
        record = RunRecord(
            kind="train",
            plan=plan.model_dump(mode="json"),
            plan_hash=plan.content_hash,
            data_hash=market.content_hash,
            label_family=plan.label_family,
            data=describe_market(market),
            status="running",
        )
        return self._runs.record(record).id

    def look(self, run_id: str | None) -> int:
        """Mark the row as looked at and count."""
        assert run_id is not None
        return self._runs.mark_looked_at(run_id)

    def finish(self, run_id: str | None, training: Training, seconds: float) -> None:
        """Fill in scores and verdicts."""
        assert run_id is not None
        verdict = training.judgement.verdict
        self._runs.update(
            run_id,
            status="succeeded",
            scores=training.judgement.scores.to_dict(),
            verdicts={
                "direction": RunVerdict(verdict.direction.level, verdict.direction.corrected_p),
                "range": RunVerdict(verdict.range.level, verdict.range.corrected_p),
            },
            duration_seconds=round(seconds, 3),
        )

    def fail(self, run_id: str | None, *, cancelled: bool) -> None:
        """Close the row."""
        assert run_id is not None
        self._runs.update(run_id, status="cancelled" if cancelled else "failed")

    def published(self, run_id: str | None, model_ref: str) -> None:
        """Fill in the version."""
        assert run_id is not None
        self._runs.update(run_id, model_ref=model_ref)


class Unrecorded:
    """Keeps nothing: for experiments on synthetic markets and for tests. Counts one look."""

    def begin(self, plan: TrainingPlan, market: Market) -> str | None:  # noqa: ARG002
        """Return no id."""
        return None

    def look(self, run_id: str | None) -> int:  # noqa: ARG002
        """Return 1: this configuration."""
        return 1

    def finish(self, run_id: str | None, training: Training, seconds: float) -> None:
        """Do nothing."""

    def fail(self, run_id: str | None, *, cancelled: bool) -> None:
        """Do nothing."""

    def published(self, run_id: str | None, model_ref: str) -> None:
        """Do nothing."""
