"""How much of the best trial is luck: Sharpe ratios of all trials, and what matters among parameters."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from onward.errors import DataError
from onward.evaluation.backtest import BacktestSettings
from onward.evaluation.overfitting import SearchStatistics, effective_trials, search_statistics
from onward.training.optimization.objective import signal_returns
from onward.training.optimization.records import RECORD, TrialRecord, unpacked_sides
from onward.training.optimization.studies import finished, quiet_optuna
from onward.types import Market

if TYPE_CHECKING:
    from optuna import Study

__all__ = ["parameter_importance", "statistics_of"]

YEAR_NS = 365.25 * 86_400 * 1e9
LEAST_ROWS = 64
LEAST_TRIALS = 4


def statistics_of(
    study: Study, chosen: TrialRecord, market: Market, settings: BacktestSettings
) -> SearchStatistics | None:
    """Return what the trials' backtests say about the one that was chosen.

    Each complete trial is traded on its inner out-of-fold predictions, all on the same bars. Trials
    that were stopped early have no such predictions for every bar, but were tried all the same: they
    count as trials, worth as many independent ones each as the complete trials are.

    Parameters
    ----------
    study
        The final search.
    chosen
        Its best trial.
    market
        The bars.
    settings
        Terms of the backtests.

    Returns
    -------
    None when fewer than two complete trials, or too few bars, can be compared.
    """
    trials = finished(study)
    complete = [n for n, trial in enumerate(trials) if "sides" in trial.user_attrs[RECORD]]
    if len(complete) < 2:
        return None
    try:
        curves = {
            number: signal_returns(
                market, unpacked_sides(trials[number].user_attrs[RECORD]["sides"]), settings
            )
            for number in complete
        }
    except DataError:
        return None
    returns = pd.DataFrame(curves).fillna(0.0)
    if len(returns) < LEAST_ROWS:
        return None
    matrix = returns.to_numpy(np.float64)
    moments = pd.DatetimeIndex(returns.index)
    years = (moments[-1] - moments[0]).value / YEAR_NS
    try:
        return search_statistics(
            matrix,
            periods_per_year=(len(matrix) - 1) / years,
            chosen=complete.index(chosen.number),
            n_trials=effective_trials(matrix) * len(trials) / len(complete),
        )
    except DataError:
        return None


def parameter_importance(study: Study, seed: int) -> dict[str, float]:
    """Return the share of the scores' variation that each parameter accounts for, largest first.

    Functional ANOVA over the complete trials; parameters that some trials had no use for are left
    out. Empty with too few trials, or when all scores are the same.
    """
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances
    from optuna.trial import TrialState

    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(complete) < LEAST_TRIALS or len({trial.value for trial in complete}) < 2:
        return {}
    with quiet_optuna(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=seed))
        except (ValueError, RuntimeError):  # no parameter that all trials share varies
            return {}
    return {path: float(share) for path, share in found.items()}
