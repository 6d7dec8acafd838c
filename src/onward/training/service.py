"""`MLTrainingService`: reads a request, picks the trainer, hands over. Nothing else."""

from __future__ import annotations

from collections.abc import Callable

from onward.errors import UserError
from onward.protocols import Progress
from onward.training.conduct import Conductor
from onward.training.cutting import to_blame
from onward.training.optimization import OptimizationCoordinator, asks_for_search, with_search
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
        trainer = self._trainer(plan, market)
        trainer.cut(market)  # what cannot begin is no failed run
        return self._conductor.run(trainer, plan, market, audit=audit, progress=progress)

    def check(self, market: Market, plan: TrainingPlan) -> None:
        """Refuse what `train` would refuse before it computes a feature; nothing is written.

        Raises
        ------
        OnwardError
            When the plan does not fit the data; its first setting is the one to change.
        """

        def cut(wanted: TrainingPlan) -> object:
            return self._trainer(wanted, market).cut(market)

        trainer = self._trainer(plan, market)  # a plan that contradicts itself says where
        try:
            trainer.cut(market)
        except UserError as error:
            error.settings = to_blame(error.settings, plan, cut)
            raise

    def tune(
        self,
        market: Market,
        plan: TrainingPlan,
        *,
        resume: str | None = None,
        audit: bool = True,
        progress: Progress | None = None,
    ) -> TrainingResult:
        """Search parameters and train with the best; a plan without trials gets the default number.

        Parameters
        ----------
        market, plan, audit, progress
            As for `train`.
        resume
            Run that was stopped: its trials are kept, and it goes on from there.

        Raises
        ------
        OnwardError
            When plan, space and data do not fit, or the run was begun with others.
        """
        searched = with_search(plan)
        trainer = self._coordinator(searched, market)
        trainer.cut(market)
        return self._conductor.run(trainer, searched, market, audit=audit, progress=progress, resume=resume)

    def _trainer(self, plan: TrainingPlan, market: Market) -> OptimizationCoordinator | BaseTrainer:
        return self._coordinator(plan, market) if asks_for_search(plan) else self._make_trainer(plan, market)

    def _coordinator(self, plan: TrainingPlan, market: Market) -> OptimizationCoordinator:
        return OptimizationCoordinator(plan, market, make_trainer=self._make_trainer)
