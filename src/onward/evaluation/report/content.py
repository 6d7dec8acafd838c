"""What a report is made from: plain frozen values, gathered by whoever has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd

from onward.data.quality import QualityReport
from onward.evaluation.backtest import BacktestSettings
from onward.evaluation.diagnosis import Diagnosis
from onward.evaluation.judgement import Judgement
from onward.evaluation.learning import LearningRecord
from onward.evaluation.oof import OutOfFold
from onward.evaluation.report.search import SearchContent
from onward.types import BoolArray, Certificate, FloatArray, Market

__all__ = ["ReportContent"]


@dataclass(frozen=True, eq=False)
class ReportContent:
    """Everything that a report shows.

    Attributes
    ----------
    title
        Heading, such as ``BTC/USD 1h``.
    created_at
        UTC.
    version
        Version of Onward.
    market
        Bars (for candles, regimes and the equity curve).
    oof, judgement
        Pooled out-of-fold predictions and what they are worth.
    plan
        Every setting of the run by section.
    plan_hash, data_hash, run_id
        Identities.
    fee_bps, slippage_bps
        Costs of the equity curve, basis points of the value traded, each side.
    importance
        One row a feature that a fold or the final fit kept, best first: ``feature``,
        ``folds`` (how many folds kept it), ``importance`` (mean share of the gain over the folds
        that kept it), ``deviation`` (between folds), ``final`` (share in the final fit, NaN when
        it was not kept).
    selection
        What became of each column in each fit: ``fold`` (-1 is the final fit), ``stage``,
        ``column``, ``kept``, ``step`` (``kept``, or where it left), ``reason``,
        ``represented_by`` (empty when nothing stands for it); other columns are not shown. Empty
        when nothing was selected.
    nan_ledger
        ``column count share first_valid`` (see `onward.features.nan_ledger`).
    labels
        Rows of each class by fold: index ``fold``, columns ``down range up``, counts of test rows.
    quality
        Data-quality report.
    certificate
        Outcome of the leak audit.
    disabled
        Feature families that are off, and why.
    seconds
        Wall-clock time of each part.
    libraries
        Versions that computed something.
    search
        The search behind the model; None when nothing was searched.
    learning
        Members of an ensemble and what they were worth inside the training rows; None for a
        single model.
    diagnosis
        What stands behind the scores; None when nobody looked.
    warnings
        What a person should know about this run, in sentences.
    primary
        Of a model of meta-labels: the primary signal of every bar, on which its classes are
        verdicts (1: following it pays); None when they are about the price. Shape (n_bars,). Folds of
        a search may choose signals of their own: each row's is that of the fold that scored it.
    verdicts
        Which rows of ``oof`` are verdicts on it, shape (n_scored,); None for all, where there is a
        primary signal.
    paths
        Of combinatorial validation: scores and backtest of each path (see `paths_view`). Then several
        folds predict each row, and what is told by the rows themselves (scores, labels) is told by
        group of rows, not by fold. None for other methods.
    n_fits
        Folds that were fitted; 0 where it is the number of scored parts.
    backtest
        How signals are traded in the equity section; by default at the next open, in fixed size,
        at the costs above.
    """

    title: str
    created_at: datetime
    version: str
    market: Market
    oof: OutOfFold
    judgement: Judgement
    plan: Mapping[str, Any]
    plan_hash: str
    data_hash: str
    run_id: str | None
    fee_bps: float
    slippage_bps: float
    importance: pd.DataFrame
    selection: pd.DataFrame
    nan_ledger: pd.DataFrame
    labels: pd.DataFrame
    quality: QualityReport
    certificate: Certificate
    disabled: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    search: SearchContent | None = None
    learning: LearningRecord | None = None
    diagnosis: Diagnosis | None = None
    backtest: BacktestSettings | None = None
    primary: FloatArray | None = None
    verdicts: BoolArray | None = None
    paths: pd.DataFrame | None = None
    n_fits: int = 0

    @property
    def part(self) -> str:
        """What ``oof.fold`` numbers: a fold, or a group of rows that several folds tested."""
        return "Fold" if self.paths is None else "Group"

    @property
    def n_folds(self) -> int:
        """Folds that were fitted."""
        return self.n_fits or len(self.judgement.scores.folds)
