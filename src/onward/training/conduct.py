"""One run from beginning to end: write it down, train, audit, write down what came of it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from onward.audit import AuditReport
from onward.audit.memory import Memory
from onward.errors import OnwardError, UserError
from onward.protocols import Progress
from onward.registry import ModelRegistry, Version
from onward.registry.files import storage_errors
from onward.training.acting import primary_of
from onward.training.assembly import plan_cautions
from onward.training.cautions import nearby_cautions
from onward.training.checkpoints import FoldKeeper
from onward.training.diagnosing import diagnose
from onward.training.figures import CountedFigures
from onward.training.ledger import RunLedger
from onward.training.optimization import OptimizationCoordinator, SearchedTraining, StudyKeeper
from onward.training.optimization.crew import Together
from onward.training.outcomes import Training
from onward.training.plan import TrainingPlan
from onward.training.publishing import stage_bundle
from onward.training.reporting import report_content
from onward.training.result import TrainingResult
from onward.training.seam import Trainer
from onward.training.trainer import BaseTrainer
from onward.types import Certificate, Market

__all__ = ["Auditor", "Conductor"]


class Auditor(Protocol):
    """Audits the features and the learning path of a trainer on a market."""

    def __call__(
        self, trainer: Trainer, market: Market, *, training: Training | None, progress: Progress | None
    ) -> AuditReport:
        """Return what was found; ``training`` is what the trainer made of the market before."""


class Conductor:
    """Carries a training out and keeps its books.

    Parameters
    ----------
    ledger
        Where runs are written down.
    registry
        Where models are published.
    audit
        What certifies a run.
    staging
        Makes sure that the directory exists in which bundles are written before they are
        published, on the same disk as the registry, and returns it.
    run_directory
        Returns where the files of a run lie, by its id: trials of a search, and what came of it.
        Without it a search is kept in memory.
    folds
        Returns what keeps the finished outer folds of a run; without it nothing does. It is given
        plan and market, and what notes a look at the outer scores of the run, to be called before
        one is shown. The folds of a search are not kept: their trials are.
    together
        Lets others than this process's own helpers take part in searches (see
        `onward.training.optimization.crew.work_together`, whose place it takes).
    """

    def __init__(
        self,
        *,
        ledger: RunLedger,
        registry: Callable[[], ModelRegistry],
        audit: Auditor,
        staging: Callable[[], Path],
        run_directory: Callable[[str], Path] | None = None,
        folds: Callable[[TrainingPlan, Market, Callable[[], int]], FoldKeeper] | None = None,
        together: Together | None = None,
    ) -> None:
        self._ledger = ledger
        self._registry = registry
        self._audit = audit
        self._staging = staging
        self._run_directory = run_directory
        self._folds = folds
        self._together = together

    def run(
        self,
        trainer: Trainer,
        plan: TrainingPlan,
        market: Market,
        *,
        audit: bool = True,
        progress: Progress | None = None,
        resume: str | None = None,
    ) -> TrainingResult:
        """Train and audit, and write down what came of it whatever happens.

        An audit that cannot be run on these data (too few bars, say) does not undo the training:
        the certificate then reads ``not_run``, and a warning says why.
        """
        if resume is None:
            run_id = self._ledger.begin(plan, market)
        else:
            run_id = self._ledger.resume(resume, plan, market)
        keeper = None
        if isinstance(trainer, OptimizationCoordinator):
            keeper = self._keeper(trainer, run_id)
            # Without a row there is nothing to count in, and without a listener nobody who looks.
            counted = run_id is not None and progress is not None
            figures = CountedFigures(lambda: self._ledger.look(run_id)) if counted else None
            trainer = trainer.kept_by(keeper, self._together, figures)
        elif isinstance(trainer, BaseTrainer) and self._folds is not None:
            trainer = trainer.keeping(self._folds(plan, market, lambda: self._ledger.look(run_id)))
        started = time.perf_counter()
        memories = [Memory.of(stage) for stage in trainer.pipeline.causal]
        try:
            training = trainer.train(market, looks=lambda: self._ledger.look(run_id), progress=progress)
            if keeper is not None and isinstance(training, SearchedTraining) and training.search is not None:
                keeper.write(training.search.to_dict())
            certificate = Certificate("not_run")
            cautions = (*plan_cautions(plan, market), *nearby_cautions(self._ledger.nearby(run_id)))
            diagnosis = diagnose(
                training,
                plan.evaluation,
                seed=plan.training.seed,
                n_threads=plan.training.n_threads or 0,
                primary=primary_of(training, plan),
                progress=progress,
            )
            if audit:
                # A scaler that a stage fitted once, while training, must not be there already.
                for memory in memories:
                    memory.restore()
                try:
                    found = self._audit(trainer, market, training=training, progress=progress)
                    certificate = found.certificate()
                except UserError as error:
                    cautions += (f"The leak audit could not be run: {error}",)
            self._ledger.finish(run_id, training, time.perf_counter() - started, certificate.status)
        except BaseException as error:
            self._close(run_id, error)
            raise
        return TrainingResult(
            plan=plan,
            training=training,
            diagnosis=diagnosis,
            certificate=certificate,
            run_id=run_id,
            finished_at=datetime.now(UTC),
            warnings=training.warnings + cautions,
            _content=report_content,
            _publish=self._publish,
        )

    def _keeper(self, trainer: OptimizationCoordinator, run_id: str | None) -> StudyKeeper:
        """Return the place where the trials of a run are kept."""
        if run_id is None or self._run_directory is None:
            return trainer.keeper
        directory, url = self._run_directory(run_id), trainer.keeper.url
        # A directory belongs to its run; in a database others have studies of the same names.
        return StudyKeeper(directory, url, "" if url is None else f"{run_id}/")

    def _close(self, run_id: str | None, error: BaseException) -> None:
        """Close the row of a run that came to nothing; what went wrong first stays the error."""
        try:
            self._ledger.fail(run_id, cancelled=isinstance(error, KeyboardInterrupt), error=error)
        except OnwardError as second:
            error.add_note(f"The run {run_id} could not be closed either: {second}")

    def _publish(self, result: TrainingResult, name: str) -> Version:
        staging = self._staging()
        with (
            storage_errors("stage the bundle", staging),
            tempfile.TemporaryDirectory(prefix="bundle-", dir=staging) as scratch,
        ):
            staged = Path(scratch) / "bundle"
            stage_bundle(
                staged,
                name=name,
                plan=result.plan,
                training=result.training,
                certificate=result.certificate,
                created_at=result.finished_at,
                run_id=result.run_id,
                report=result.report_html(),
            )
            version = self._registry().publish(staged, name)
        self._ledger.published(result.run_id, version.ref)
        return version
