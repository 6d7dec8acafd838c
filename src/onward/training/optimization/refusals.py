"""What a search can be refused for before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onward.errors import PlanError, SplitError, UserError
from onward.splits import PurgedKFold, require_training_rows
from onward.training.optimization.bench import TrainerFactory
from onward.training.optimization.inner import inner_splitter
from onward.training.optimization.space import Space
from onward.training.plan import TrainingPlan
from onward.training.trainer import BaseTrainer
from onward.types import Fold, IntArray, Market, Spans

__all__ = ["require_inner_folds", "require_one_question", "require_trainers", "require_trials"]

MOST_KINDS = 24
"""Combinations of switches for which a trainer is made beforehand."""


def require_trials(plan: TrainingPlan) -> None:
    """Refuse a search that has no trials.

    Raises
    ------
    PlanError
        When there are none.
    """
    if plan.optimization.trials == 0:
        raise PlanError(
            "there is a search without trials",
            got="optimization.trials = 0",
            allowed="1 or more",
            remedy="Set optimization.trials, for instance to 40, or take the search out of the plan.",
            settings=("optimization.trials",),
        )


def require_one_question(space: Space) -> None:
    """Refuse labels that vary where predictions of one row by several folds are averaged.

    Raises
    ------
    PlanError
        When a search in combinatorial folds may choose the labels: two folds that test the same row
        would answer different questions about it.
    """
    if space.searches_labels and space.plan.validation.method == "combinatorial":
        raise PlanError(
            "combinatorial folds test a row several times, so they have to ask the same question",
            got="labels in optimization.space, validation.method = combinatorial",
            allowed="fixed labels, or folds that test a row once",
            remedy="Take the labels out of the space, or set validation.method to purged_kfold.",
            settings=("optimization.space", "validation.method"),
        )


def require_trainers(
    space: Space, base: BaseTrainer, make_trainer: TrainerFactory, market: Market
) -> tuple[BaseTrainer, ...]:
    """Return a trainer of each kind that trials may ask for, the plan's own first.

    With labels that vary, each is made for the shortest horizon of the space.

    Raises
    ------
    PlanError
        When one of them cannot be made.
    """
    kinds = [base]
    for plan in space.switched_plans()[:MOST_KINDS]:
        if plan == space.plan:
            continue
        try:
            kinds.append(make_trainer(plan, market))
        except PlanError as error:
            raise PlanError(
                f"optimization.space: a trial that it allows cannot be made: {error.what}",
                got=error.got,
                allowed=error.allowed,
                remedy=error.remedy,
                settings=("optimization.space", *error.settings),
            ) from error
    return tuple(kinds)


def require_inner_folds(
    space: Space,
    kinds: Sequence[BaseTrainer],
    market: Market,
    rows: IntArray,
    folds: Sequence[Fold],
    n_splits: int,
) -> None:
    """Refuse inner folds that cannot be cut, or in which no trial could learn what it is to learn.

    Looks at spans alone: no feature is computed, no outcome is read. When the space varies labels,
    a trial may ask for longer ones than another: such a trial is refused when its turn comes, and
    the search is refused here when no kind of trial, its horizon at the shortest, can be judged.

    Parameters
    ----------
    space
        Says whether labels vary.
    kinds
        A trainer of each kind of trial, from `require_trainers`.
    market
        The bars.
    rows
        Bars of the positions of the outer folds.
    folds
        The outer folds.
    n_splits
        Inner folds of the search.

    Raises
    ------
    SplitError
        When purging leaves an inner fold, or one inside it, without training rows.
    ModelError
        When an inner fold has too few independent outcomes for the calibrator.
    """
    first: UserError | None = None
    for trainer in kinds:
        spans, bars = _labelled(trainer, market)
        try:
            for fold in folds:
                learnt = spans.take(_visible(bars, rows[fold.train], len(market)))
                _require_in_fold(trainer, inner_splitter(space.plan, n_splits), learnt, fold.number)
        except UserError as error:
            if not space.searches_labels:
                raise
            first = first or error
        else:
            if space.searches_labels:
                return
    if first is not None:
        raise first


def _require_in_fold(trainer: BaseTrainer, splitter: PurgedKFold, learnt: Spans, number: int) -> None:
    try:
        inner = splitter.folds(learnt)
        require_training_rows(inner)
        trainer.require_inner_folds(learnt, inner)
    except SplitError as error:
        raise SplitError(
            f"the search inside fold {number}: {error.what}",
            got=error.got,
            allowed=error.allowed,
            remedy="Use more data, a shorter label horizon, fewer folds (validation.n_splits) or fewer "
            "inner folds (optimization.inner_splits, training.inner_folds).",
            settings=(
                "optimization.inner_splits",
                "training.inner_folds",
                "labels.horizon_bars",
                "validation.n_splits",
            ),
        ) from error


def _labelled(trainer: BaseTrainer, market: Market) -> tuple[Spans, IntArray]:
    spans = trainer.labeler.spans(market)
    return spans, np.asarray(market.index.get_indexer(spans.index), dtype=np.int64)


def _visible(bars: IntArray, allowed: IntArray, n_bars: int) -> IntArray:
    seen = np.zeros(n_bars, dtype=np.bool_)
    seen[allowed] = True
    return np.flatnonzero(seen[bars]).astype(np.int64)
