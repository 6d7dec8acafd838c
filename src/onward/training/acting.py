"""What the folds of a training said about the price: of meta-labels, through their primary signals.

A search may choose the primary signal, or whether there is one: then each fold's verdicts are on its
own choice, and its rows are traded by that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from onward.labels import primary_signal
from onward.training.assembly import make_labeler
from onward.training.optimization import SearchedTraining
from onward.training.optimization.space import plan_of_trial
from onward.training.outcomes import Training
from onward.training.plan import TrainingPlan
from onward.types import BoolArray, FloatArray

__all__ = ["Primary", "primary_of"]


@dataclass(frozen=True, eq=False)
class Primary:
    """Primary signals that out-of-fold predictions are verdicts on.

    Attributes
    ----------
    signal
        Of every bar: 1, -1, 0 or NaN, shape (n_bars,). Where a fold scored a row, that fold's own
        (NaN when its classes are about the price); elsewhere that of the final model.
    verdicts
        Whether each row of the pooled predictions is a verdict on it, shape (n_scored,).
    """

    signal: FloatArray
    verdicts: BoolArray


def primary_of(training: Training, plan: TrainingPlan) -> Primary | None:
    """Return the primary signals behind a training's predictions; None when all are about the price.

    Parameters
    ----------
    training
        A finished training.
    plan
        What was asked for, its search included.
    """
    market, oof = training.dataset.market, training.oof
    final = primary_signal(training.labeler_state, market)
    chosen = _choices(training)
    if not chosen:
        return None if final is None else Primary(final, np.ones(len(oof), dtype=np.bool_))
    signal = np.full(len(market), np.nan) if final is None else final.copy()
    verdicts = np.zeros(len(oof), dtype=np.bool_)
    bars = np.asarray(market.index.get_indexer(oof.spans.index), dtype=np.int64)
    made: dict[str, FloatArray | None] = {}
    for number, values in chosen.items():
        own_plan = plan_of_trial(plan, values)
        key = own_plan.labels.model_dump_json()
        if key not in made:
            made[key] = primary_signal(make_labeler(own_plan).to_json(), market)
        own, rows = made[key], oof.fold == number
        signal[bars[rows]] = np.nan if own is None else own[bars[rows]]
        verdicts[rows] = own is not None
    return Primary(signal, verdicts) if verdicts.any() or final is not None else None


def _choices(training: Training) -> Mapping[int, Mapping[str, Any]]:
    """Return what each outer fold chose, by its number; empty when labels did not vary."""
    search = training.search if isinstance(training, SearchedTraining) else None
    if search is None or not any(str(one["path"]).startswith("labels.") for one in search.space):
        return {}
    return {
        outcome.fold.number: study.chosen.parameters
        for outcome, study in zip(training.folds, search.folds, strict=True)
    }
