"""One job on several nodes, seen from a helper: it does what it is given, and hands it over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from onward.jobs.kinds import TaskContext
from onward.tasks.markets import market_of
from onward.tasks.plans import plan_of
from onward.tasks.relay import relayed
from onward.tasks.services import WorkerServices
from onward.tasks.spreading import handover_of
from onward.training.checkpoints import FoldFiles
from onward.training.dataset import Dataset
from onward.training.plan import TrainingPlan
from onward.types import Fold, Market

if TYPE_CHECKING:
    from onward.training.trainer import BaseTrainer

__all__ = ["help_out"]


def help_out(context: TaskContext, services: WorkerServices) -> dict[str, Any]:
    """Fit folds and draw trials of a job until there is nothing left to do."""
    handover = handover_of(context)
    assert handover is not None
    with relayed(context):
        folds: _Folds | None = None
        finished = 0
        while not (told := context.ask("crew.next")).get("end"):
            if "piece" in told:
                folds = folds or _Folds(context, services)
                digest = folds.fit(int(told["piece"]), FoldFiles(handover))
                context.ask("crew.done", piece=int(told["piece"]), digest=digest)
            elif "errand" in told:
                _draw(told["errand"])
            else:
                time.sleep(float(told["wait"]))
                continue
            finished += 1
    return {"finished": finished}


class _Folds:
    """The job's training, of which single folds are fitted: same plan, same data, same seeds."""

    def __init__(self, context: TaskContext, services: WorkerServices) -> None:
        from onward.training.assembly import make_trainer
        from onward.training.dataset import prepare

        plan: TrainingPlan = plan_of(context)
        market: Market = market_of(services.store, plan.data, context.spec)
        self._trainer: BaseTrainer = make_trainer(plan, market, cache=services.cache)
        spans, folds = self._trainer.cut(market)
        self._folds: dict[int, Fold] = {fold.number: fold for fold in folds}
        self._dataset: Dataset = prepare(market, self._trainer.pipeline, spans, None)

    def fit(self, number: int, files: FoldFiles) -> str:
        """Fit a fold, leave it among files, and return its digest."""
        outcome = self._trainer.fit_fold(self._dataset, self._trainer.labeler, self._folds[number])
        return files.hand_over(outcome)


def _draw(told: str) -> None:
    """Draw trials of a search until it has enough."""
    from onward.training.optimization.crew import help_with
    from onward.training.optimization.errand import Errand

    help_with(Errand.from_json(told))
