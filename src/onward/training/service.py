"""`MLTrainingService`: reads a request, picks the trainer, hands over. Nothing else."""

from __future__ import annotations

from collections.abc import Callable

from onward.protocols import Progress
from onward.training.conduct import Conductor
from onward.training.plan import TrainingPlan
from onward.training.result import TrainingResult
from onward.training.trainer import BaseTrainer
from onward.types import Market

__all__ = ["MLTrainingService"]

TrainerFactory = Callable[[TrainingPlan, Market], BaseTrainer]


class MLTrainingService:
    """Facade of training.

    Parameters
    ----------
    make_trainer
        Makes the trainer that a plan asks for.
    conductor
        Carries runs out and keeps their books.
    """

    def __init__(self, *, make_trainer: TrainerFactory, conductor: Conductor) -> None:
        self._make_trainer = make_trainer
        self._conductor = conductor

    def train(
        self,
        market: Market,
        plan: TrainingPlan,
        *,
        audit: bool = True,
        progress: Progress | None = None,
    ) -> TrainingResult:
        """Train on a market what a plan asks for.

        Parameters
        ----------
        market
            Bars and side series; the plan's ``[data]`` section is what they were chosen by and
            is not applied again.
        plan
            What to do.
        audit
            Certify features and learning path; without it the certificate reads ``not_run`` and
            the model can be given no alias.
        progress
            Told how far the work has come.

        Raises
        ------
        OnwardError
            When the plan does not fit the data, before anything is written.
        """
        trainer = self._make_trainer(plan, market)
        return self._conductor.run(trainer, plan, market, audit=audit, progress=progress)
