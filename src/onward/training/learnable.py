"""Whether there is anything to learn in every fold, told from labels alone, before features are computed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from onward.errors import LabelError, SplitError
from onward.labels import require_classes
from onward.protocols import Splitter
from onward.splits import BaseSplitter
from onward.splits.timeline import Timeline
from onward.training.weighing import Weighing
from onward.types import FloatArray, Fold, IntArray, Market, Spans

if TYPE_CHECKING:
    from onward.training.trainer import BaseTrainer

__all__ = ["require_learnable", "require_room_for_labels"]


def require_learnable(trainer: BaseTrainer, market: Market, spans: Spans, folds: Sequence[Fold]) -> None:
    """Refuse folds from which nothing can be learnt, or on which nothing can be scored.

    Features of years of bars may take an hour; that the first fold holds one class only shows in a
    second. Labels are made as each fold will make them, with thresholds fitted to its training rows.

    Parameters
    ----------
    trainer
        Says how labels, weights and inner folds are made.
    market
        The bars.
    spans
        Spans of the labelled rows.
    folds
        The outer folds.

    Raises
    ------
    LabelError
        When the training rows of a fold or of an inner fold, or those of them that weigh anything, hold
        one class only, or all weigh nothing.
    SplitError
        When labels last longer than the blocks on which they are scored.
    """
    require_room_for_labels(trainer.splitter, spans)
    told, labels = None, None
    for fold in folds:
        labeler = trainer.labeler.fit(market, fold.train)
        fitted = labeler.to_json()
        if labels is None or fitted != told:  # most labelers fit nothing: one labelling serves all folds
            told, labels = fitted, labeler.label(market)
        y = labels.y[fold.train]
        where = f"the training rows of fold {fold.number}"
        require_classes(y, where=where)
        own = np.asarray(labels.weight[fold.train], dtype=np.float64)
        weighing = Weighing(market, spans.take(fold.train), own, trainer.weights, trainer.time_decay)
        _require_weighed_classes(y, weighing.weights(), where)
        if trainer.uses_inner or trainer.calibration != "none":
            _require_classes_inside(trainer.inner, spans.take(fold.train), y, where)


def require_room_for_labels(splitter: Splitter, spans: Spans) -> None:
    """Refuse labels that usually last longer than a test block.

    Such a block holds less than one independent outcome, and purging takes more than it leaves on both
    sides of it. Walk-forward is left alone: whoever trains anew every day may well look a week ahead.

    Raises
    ------
    SplitError
        When half of the labels or more last longer than the shortest block.
    """
    if not isinstance(splitter, BaseSplitter) or splitter.past_only:
        return
    bar = Timeline.of(spans).bar
    shortest = min(_durations(splitter, spans)) + bar
    usual = int(np.median(spans.end - spans.start))
    if usual > shortest:
        raise SplitError(
            "labels last longer than the blocks on which they are scored",
            got=f"labels of {_length(usual)}, a test block of {_length(shortest)}",
            allowed="labels that are shorter than a block",
            remedy="Shorten labels.horizon_bars, cut fewer folds (validation.n_splits, validation.n_groups), "
            "or use more data.",
            settings=("validation.n_groups", "validation.n_splits", "labels.horizon_bars"),
        )


def _require_classes_inside(inner: Splitter, spans: Spans, y: IntArray, where: str) -> None:
    for fold in inner.folds(spans):
        try:
            require_classes(y[fold.train], where=f"inner fold {fold.number} of {where}")
        except LabelError as error:
            raise LabelError(
                error.what,
                got=error.got,
                allowed=error.allowed,
                remedy="Use a longer time range, other labels, or raise training.inner_folds so that each "
                "inner fold learns from more rows.",
                settings=("training.inner_folds", *error.settings),
            ) from error


def _require_weighed_classes(y: IntArray, weight: FloatArray, where: str) -> None:
    counted = y[weight > 0.0]
    if len(counted) == len(y):
        return
    try:
        require_classes(counted, where=f"{where} that weigh anything")
    except LabelError as error:
        raise LabelError(
            error.what,
            got=f"{error.got}; {len(y) - len(counted)} of {len(y)} rows weigh nothing",
            allowed=error.allowed,
            remedy="Use a weaker labels.time_decay or another scheme (labels.weights).",
            settings=("labels.time_decay", "labels.weights"),
        ) from error


def _durations(splitter: BaseSplitter, spans: Spans) -> Iterator[int]:
    for blocks in splitter.test_blocks(spans):
        for block in blocks:
            yield int(spans.start[block].max() - spans.start[block].min())


def _length(nanoseconds: int) -> str:
    return str(pd.Timedelta(nanoseconds, unit="ns")).replace(" 00:00:00", "")
