"""Outer folds that ask different questions, put together without letting the questions score.

When labels vary, one fold may have chosen 12-bar labels with six rows in ten inside the range, and
another 48-bar labels with three. Each fold's model knows how frequent its classes are, so the pooled
probabilities of the first are higher for the range, and so are its outcomes: the pooled AUC rises
above one half without a single row being told from its neighbours, and outcomes shifted by less than
a fold show it only in part. Ranking predictions inside each fold takes away what the questions know,
and nothing else.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from onward.evaluation.judgement import Judgement, judge
from onward.evaluation.metrics import Metrics, direction_auc, direction_score, range_auc
from onward.evaluation.null import null_band
from onward.evaluation.oof import OutOfFold
from onward.evaluation.scores import Scores
from onward.evaluation.verdict import Verdict
from onward.types import FloatArray, IntArray

__all__ = ["judge_apart", "ranked_inside_folds"]


def judge_apart(
    oof: OutOfFold, *, lookback: int, n_shifts: int, seed: int, looked_at: int, mixed: bool
) -> Judgement:
    """Score and judge pooled predictions of folds that may have asked different questions.

    Parameters
    ----------
    oof
        Pooled out-of-fold predictions.
    lookback, n_shifts, seed, looked_at
        As for `onward.evaluation.judge`.
    mixed
        Whether folds were labelled differently. Then the AUCs, those of the naive rules included,
        and both null bands come from ranks inside the folds; other scores (log-loss skill against
        each fold's own prior, accuracy) do not compare rows of different folds and stay as they
        are.
    """
    if not mixed:
        return judge(oof, lookback=lookback, n_shifts=n_shifts, seed=seed, looked_at=looked_at)
    ranked = replace(
        oof,
        probability=ranked_inside_folds(oof.probability, oof.fold),
        baselines={name: ranked_inside_folds(p, oof.fold) for name, p in oof.baselines.items()},
    )
    bands = null_band(ranked, lookback=lookback, n_shifts=n_shifts, seed=seed)
    raw = Scores.of(oof)
    scores = Scores(
        pooled=_with_areas(raw.pooled, ranked.probability, oof.y),
        folds=raw.folds,
        baselines={n: _with_areas(m, ranked.baselines[n], oof.y) for n, m in raw.baselines.items()},
    )
    return Judgement(scores, bands, Verdict.of(bands, looked_at))


def ranked_inside_folds(probability: FloatArray, fold: IntArray) -> FloatArray:
    """Return probabilities that keep the order inside each fold, and nothing of its level.

    ``p_range`` becomes a third of its rank (0 to 1) in the fold, ``p_up - p_down`` a third of its
    centred rank (-1 to 1): both AUCs within a fold are what they were.

    Parameters
    ----------
    probability
        Shape (n, 3): down, range, up.
    fold
        Number of the fold of each row, shape (n,).
    """
    direction = direction_score(probability)
    centred, level = np.empty(len(fold)), np.empty(len(fold))
    for number in np.unique(fold):
        rows = fold == number
        centred[rows] = 2.0 * _share(direction[rows]) - 1.0
        level[rows] = _share(probability[rows, 1])
    inside = level / 3.0
    up = (1.0 - inside + centred / 3.0) / 2.0
    return np.column_stack([1.0 - inside - up, inside, up])


def _share(values: FloatArray) -> FloatArray:
    from scipy.stats import rankdata

    ranks: FloatArray = (rankdata(values) - 0.5) / len(values)
    return ranks


def _with_areas(metrics: Metrics, probability: FloatArray, y: IntArray) -> Metrics:
    return replace(metrics, direction_auc=direction_auc(probability, y), range_auc=range_auc(probability, y))
