"""Predictions of folds that test a row more than once: backtest paths, and their average.

Combinatorial folds predict every row several times. Path by path they are scored; the verdict is on
one prediction a row, the mean over all folds that tested it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from onward.evaluation.backtest import BacktestSettings, about_price, backtest
from onward.evaluation.metrics import measure
from onward.evaluation.oof import CLASS_NAMES, OutOfFold
from onward.evaluation.paths import PathScores
from onward.protocols import Splitter
from onward.splits import CombinatorialPurgedKFold
from onward.training.outcomes import FoldOutcome, pool
from onward.types import FloatArray, Market, Spans

__all__ = ["backtest_paths", "backtests_of_paths", "pool_by_splitter"]

TIES = np.array([0, -1, 1], dtype=np.int64)
"""Order of preference among outcomes that equally many folds saw: thresholds fitted to different
rows differ by a neighbouring class, so that a tie always has the range on one side."""


def pool_by_splitter(
    splitter: Splitter, spans: Spans, outcomes: Sequence[FoldOutcome]
) -> tuple[OutOfFold, PathScores | None]:
    """Put the folds' predictions together: one a row, and the scores of backtest paths if there are any.

    Parameters
    ----------
    splitter
        What cut the folds.
    spans
        What it cut.
    outcomes
        All folds, in order.

    Returns
    -------
    Predictions of the scored rows. Of combinatorial folds: the mean probabilities over the folds that
    tested a row, the mean of their priors and naive rules, and the outcome as most of their labelers
    saw it; ``fold`` is the number of the group, because no single fold made the prediction. They count
    as fully mutual: of any two groups each is learnt from in most predictions of the other.
    """
    if not isinstance(splitter, CombinatorialPurgedKFold):
        return pool(spans, outcomes), None
    names = outcomes[0].baselines
    total = {name: np.zeros((len(spans), 3)) for name in ("", "prior", *names)}
    votes = np.zeros((len(spans), 3))
    metrics, sides = [], np.empty((splitter.n_paths, len(spans)), dtype=np.int8)
    for number, path in enumerate(backtest_paths(splitter, spans, outcomes)):
        metrics.append(measure(path.probability, path.y, path.prior))
        sides[number] = path.probability.argmax(axis=1) - 1
        total[""] += path.probability
        total["prior"] += path.prior
        for name in names:
            total[name] += path.baselines[name]
        votes += path.y[:, None] == TIES
    mean: dict[str, FloatArray] = {name: added / splitter.n_paths for name, added in total.items()}
    oof = OutOfFold(
        spans=spans,
        fold=splitter.groups(spans),
        y=TIES[votes.argmax(axis=1)],
        probability=mean[""],
        prior=mean["prior"],
        baselines={name: mean[name] for name in names},
        mutual=1.0,
    )
    return oof, PathScores(tuple(metrics), sides, len(outcomes))


def backtest_paths(
    splitter: CombinatorialPurgedKFold, spans: Spans, outcomes: Sequence[FoldOutcome]
) -> Iterator[OutOfFold]:
    """Yield the out-of-fold predictions of each backtest path, all rows in order.

    ``fold`` is the fold that predicted each row. Made one at a time: 10 groups tested 5 at a time have
    126 paths.
    """
    groups, n = splitter.groups(spans), len(spans)
    for path in splitter.backtest_paths():
        fold, y = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
        probability, prior = np.empty((n, 3)), np.empty((n, 3))
        baselines = {name: np.empty((n, 3)) for name in outcomes[0].baselines}
        for group, number in enumerate(path):
            outcome = outcomes[number]
            part = groups[outcome.fold.test] == group
            rows = outcome.fold.test[part]
            fold[rows], y[rows], prior[rows] = number, outcome.y[part], outcome.prior
            probability[rows] = outcome.probability[part]
            for name, said in outcome.baselines.items():
                baselines[name][rows] = said[part]
        yield OutOfFold(spans, fold, y, probability, prior, baselines)


def backtests_of_paths(
    paths: Iterable[OutOfFold], market: Market, settings: BacktestSettings, primary: FloatArray | None = None
) -> pd.DataFrame:
    """Trade what was said about the price on each path.

    Parameters
    ----------
    paths
        From `backtest_paths`.
    market
        The bars.
    settings
        Terms of the backtest.
    primary
        Of meta-labels: the primary signal of every bar, see `onward.evaluation.backtest.followed`.

    Returns
    -------
    DataFrame
        One row a path: ``sharpe`` a year, ``total_return`` and ``max_drawdown``, all after costs.
    """
    rows = []
    for path in paths:
        said = pd.DataFrame(path.probability, columns=list(CLASS_NAMES), index=path.spans.index)
        traded = about_price(market, said, primary, act_above=settings.act_above)
        found = backtest(market, traded, settings).statistics.performance
        rows.append(
            {
                "sharpe": found.sharpe,
                "total_return": found.total_return,
                "max_drawdown": found.max_drawdown,
            }
        )
    return pd.DataFrame(rows).rename_axis("path")
