"""Gathers from a finished training what its report shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from onward._version import __version__
from onward.data.quality import check
from onward.data.timeframe import format_timeframe
from onward.evaluation.backtest import BacktestResult, BacktestSettings
from onward.evaluation.report import ReportContent
from onward.evaluation.report.search import SearchContent, SearchedFold, SearchedTrial
from onward.evaluation.strategies import strategy_backtests
from onward.features.pipeline import nan_ledger
from onward.features.selection.across_fits import FINAL_FIT, ledger_of, ledgers_frame
from onward.prediction.predictor import Predictor
from onward.registry import library_versions
from onward.splits import CombinatorialPurgedKFold
from onward.training.acting import primary_of
from onward.training.assembly import make_splitter
from onward.training.gains import gain_shares
from onward.training.optimization import SearchedTraining, SearchResult
from onward.training.outcomes import Training
from onward.training.paths import backtest_paths, backtests_of_paths
from onward.training.plan import TrainingPlan

if TYPE_CHECKING:
    from onward.training.result import TrainingResult

__all__ = [
    "backtest_terms",
    "importance_table",
    "paths_table",
    "report_content",
    "search_content",
    "selection_table",
    "strategies",
]

CLASS_NAMES = {-1: "down", 0: "range", 1: "up"}


def report_content(result: TrainingResult) -> ReportContent:
    """Return what the report of a training shows."""
    training, plan = result.training, result.plan
    market = training.dataset.market
    primary = primary_of(training, plan)
    return ReportContent(
        title=f"{', '.join(market.symbols)} {format_timeframe(market.timeframe)}",
        created_at=result.finished_at,
        version=__version__,
        market=market,
        oof=training.oof,
        judgement=training.judgement,
        plan=plan.model_dump(mode="json"),
        plan_hash=plan.content_hash,
        data_hash=market.content_hash,
        run_id=result.run_id,
        fee_bps=plan.evaluation.fee_bps,
        slippage_bps=plan.evaluation.slippage_bps,
        importance=importance_table(training),
        selection=selection_table(training),
        nan_ledger=nan_ledger(training.dataset.features),
        labels=_label_counts(training),
        quality=check(market),
        certificate=result.certificate,
        disabled=_disabled(training.predictor),
        seconds=training.seconds,
        libraries=library_versions(),
        warnings=result.warnings,
        search=search_content(result.search),
        learning=training.learning,
        diagnosis=result.diagnosis,
        backtest=backtest_terms(training, plan),
        primary=None if primary is None else primary.signal,
        verdicts=None if primary is None else primary.verdicts,
        paths=None if training.paths is None else paths_table(training, plan),
        n_fits=len(training.folds),
    )


def backtest_terms(training: Training, plan: TrainingPlan) -> BacktestSettings:
    """Return the terms on which the signals of a training are traded.

    Sizes by Kelly go by the horizon that the labels have, the one that was chosen where it was searched.
    """
    search = training.search if isinstance(training, SearchedTraining) else None
    labels = plan.labels if search is None else search.plan(plan).labels
    return BacktestSettings.from_config(plan.evaluation, horizon_bars=labels.horizon_bars)


def strategies(training: Training, plan: TrainingPlan) -> dict[str, BacktestResult]:
    """Return the backtests of the model, of holding and of the naive rules (see `strategy_backtests`)."""
    primary = primary_of(training, plan)
    return strategy_backtests(
        training.dataset.market,
        training.oof,
        backtest_terms(training, plan),
        primary=None if primary is None else primary.signal,
        verdicts=None if primary is None else primary.verdicts,
    )


def paths_table(training: Training, plan: TrainingPlan) -> pd.DataFrame:
    """Return scores and backtest of every path of combinatorial validation; empty for other methods."""
    splitter = make_splitter(plan)
    if training.paths is None or not isinstance(splitter, CombinatorialPurgedKFold):
        return pd.DataFrame().rename_axis("path")
    market, primary = training.dataset.market, primary_of(training, plan)
    earned = backtests_of_paths(
        backtest_paths(splitter, training.dataset.spans, training.folds),
        market,
        backtest_terms(training, plan),
        None if primary is None else primary.signal,
    )
    return training.paths.frame().join(earned)


def search_content(search: SearchResult | None) -> SearchContent | None:
    """Return what the report shows of a search; None when nothing was searched."""
    if search is None:
        return None
    return SearchContent(
        objective=search.objective,
        trials=tuple(
            SearchedTrial(
                number=trial.number,
                state=trial.state,
                score=trial.score,
                deviation=float(np.std(trial.fold_scores)) if trial.fold_scores else float("nan"),
                n_folds=len(trial.fold_scores),
                values=trial.parameters,
            )
            for trial in search.final.trials
        ),
        chosen=search.final.chosen.number,
        folds=tuple(
            SearchedFold(
                title=study.title,
                n_trials=len(study.trials),
                n_pruned=study.count("pruned"),
                inner=study.chosen.score,
                outer=study.outer_score,
                chosen=study.chosen.parameters,
            )
            for study in search.folds
        ),
        importance=search.final.importance,
        statistics=search.statistics,
    )


def importance_table(training: Training) -> pd.DataFrame:
    """Return how much each feature counted, fold by fold; columns as `ReportContent.importance`."""
    folds = pd.DataFrame([gain_shares(outcome.predictor) for outcome in training.folds])
    final = gain_shares(training.predictor)
    names = list(dict.fromkeys([*folds.columns, *final.index]))
    folds = folds.reindex(columns=names)
    table = pd.DataFrame(
        {
            "feature": names,
            "folds": folds.notna().sum(axis=0).to_numpy(),
            "importance": folds.mean(axis=0).to_numpy(),
            "deviation": folds.std(axis=0, ddof=0).to_numpy(),
            "final": final.reindex(names).to_numpy(),
        }
    )
    weight = table["importance"].fillna(0.0) * table["folds"]
    return table.iloc[np.argsort(-weight.to_numpy(), kind="stable")].reset_index(drop=True)


def selection_table(training: Training) -> pd.DataFrame:
    """Return what became of every column in every fold and in the final fit (see `ledgers_frame`)."""
    fits = {outcome.fold.number: ledger_of(outcome.predictor.fitted.stages) for outcome in training.folds}
    return ledgers_frame(fits | {FINAL_FIT: ledger_of(training.predictor.fitted.stages)})


def _label_counts(training: Training) -> pd.DataFrame:
    if training.paths is not None:  # folds share test rows: count each row once, in its group
        oof = training.oof
        parts = {number: oof.y[oof.fold == number] for number in oof.folds}
    else:
        parts = {outcome.fold.number: outcome.y for outcome in training.folds}
    counts = {
        number: {name: int(np.count_nonzero(y == c)) for c, name in CLASS_NAMES.items()}
        for number, y in parts.items()
    }
    return pd.DataFrame.from_dict(counts, orient="index").rename_axis("fold")


def _disabled(predictor: Predictor) -> dict[str, str]:
    reasons: dict[str, str] = {}
    for stage in predictor.pipeline.causal:
        reasons.update(getattr(stage, "disabled", {}))
    return reasons
