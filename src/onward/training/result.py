"""What a training gives its caller: predictions, scores, verdict, report, and a way to keep it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import pandas as pd

from onward.evaluation.diagnosis import Diagnosis
from onward.evaluation.learning import LearningRecord
from onward.evaluation.scores import Scores
from onward.evaluation.verdict import Verdict
from onward.prediction.predictor import Predictor
from onward.registry import Version
from onward.splits import RetrainingSchedule
from onward.training.optimization import SearchedTraining, SearchResult
from onward.training.outcomes import Training
from onward.training.plan import TrainingPlan
from onward.types import Certificate

if TYPE_CHECKING:
    from onward.evaluation.backtest import BacktestResult
    from onward.evaluation.importance_stability import ImportanceStability
    from onward.evaluation.information import InformationCoefficient
    from onward.evaluation.report import ReportContent

__all__ = ["TrainingResult"]


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """A judged training.

    Attributes
    ----------
    plan
        What was asked for.
    training
        Folds, predictions and the final fit in full.
    diagnosis
        What stands behind the scores: importance on test rows, agreement of the folds, drift,
        information coefficient. Neither scores nor verdict follow from it.
    certificate
        Outcome of the leak audit of the features and the learning path.
    run_id
        Row of the table ``runs``; None when the run was not recorded.
    finished_at
        Moment at which it was finished, UTC.
    warnings
        What a person should know, in sentences: rows lost to purging, symbols without a label,
        settings that were ignored, an audit that could not be run.
    """

    plan: TrainingPlan
    training: Training
    diagnosis: Diagnosis
    certificate: Certificate
    run_id: str | None
    finished_at: datetime
    warnings: tuple[str, ...]
    _content: Callable[[TrainingResult], ReportContent]
    _publish: Callable[[TrainingResult, str], Version]

    @property
    def oof(self) -> pd.DataFrame:
        """Pooled out-of-fold predictions, one row a scored bar (see `OutOfFold.frame`).

        Of combinatorial validation the mean over the folds that tested a row; ``fold`` is then the
        number of the row's group, as it is in ``scores.folds``.
        """
        return self.training.oof.frame()

    @property
    def scores(self) -> Scores:
        """Pooled and per-fold scores, those of the naive rules beside them."""
        return self.training.judgement.scores

    @property
    def verdict(self) -> Verdict:
        """Whether there is skill in direction, and in the range class."""
        return self.training.judgement.verdict

    @property
    def predictor(self) -> Predictor:
        """The model fitted on all labelled rows, with its features, and what its classes mean."""
        return self.training.predictor.acting(self.training.labeler_state, self.plan.evaluation.act_above)

    @property
    def learning(self) -> LearningRecord | None:
        """Members of the final fit's ensemble with their scores inside the training rows; calibration.

        None for a single model as it is. Its ``frame()`` is a table.
        """
        return self.training.learning

    @property
    def search(self) -> SearchResult | None:
        """Trials and choices of the search, ``leaderboard()`` a table; None when nothing was searched."""
        return self.training.search if isinstance(self.training, SearchedTraining) else None

    @property
    def paths(self) -> pd.DataFrame:
        """Backtest paths of combinatorial validation; empty for other methods.

        Returns
        -------
        DataFrame
            One row a path: its scores, and ``sharpe`` (a year), ``total_return`` and ``max_drawdown``
            of trading it on the terms of ``[evaluation]``, after costs.
        """
        from onward.training.reporting import paths_table

        return paths_table(self.training, self.plan)

    @cached_property
    def backtests(self) -> Mapping[str, BacktestResult]:
        """What acting on the out-of-fold predictions would have earned, beside what needs no model.

        On the terms of ``[evaluation]``, after costs: ``model``, ``model_before_costs``,
        ``buy_and_hold`` and the naive rules (``momentum``, ``mean_reversion``); of meta-labels also
        ``primary_signal``. ``["model"].statistics`` has the figures, ``.frame`` the curves.
        """
        from onward.training.reporting import strategies

        return MappingProxyType(strategies(self.training, self.plan))

    @property
    def schedule(self) -> RetrainingSchedule | None:
        """When each model of a walk-forward run was fitted, on what, and what it scored; else None."""
        if self.plan.validation.method != "walk_forward":
            return None
        return RetrainingSchedule.of(self.training.dataset.spans, [o.fold for o in self.training.folds])

    @property
    def selection(self) -> pd.DataFrame:
        """What became of every column, fit by fit: why it was kept or dropped, and who stands for it.

        Returns
        -------
        DataFrame
            One row a fit and column: ``fold`` (0-based; -1 is the final fit on all rows), ``stage``,
            ``column``, ``kept``, ``step`` (``kept``, or where it left), ``reason``,
            ``represented_by`` and the figures of `onward.features.selection.LedgerRecord`. Empty
            when selection was switched off.
        """
        from onward.training.reporting import selection_table

        return selection_table(self.training)

    @property
    def importance(self) -> pd.DataFrame:
        """What scores on test rows lose when a column is displaced, most important first.

        Returns
        -------
        DataFrame
            One row a column and score (`onward.evaluation.importance_folds.importance_summary`);
            empty when it was not measured. Clusters and single folds: ``diagnosis.importance``;
            the share of the model's gain: ``diagnosis.gain``.
        """
        from onward.evaluation.importance_folds import importance_summary

        found = self.diagnosis.importance
        return importance_summary(pd.DataFrame()) if found is None else found.summary

    @property
    def stability(self) -> ImportanceStability | None:
        """How far folds agree on what counts, by the share of the gain; None when it cannot be told."""
        return self.diagnosis.stability

    @property
    def drift(self) -> pd.DataFrame:
        """How test rows differ from training rows, one row a column, the most drifted first.

        Single folds: ``diagnosis.drift``. Empty when it was not measured.
        """
        return self.diagnosis.drift_summary

    @property
    def adversarial(self) -> pd.DataFrame:
        """How well test rows can be told from training rows, one row a fold; empty when not measured."""
        return self.diagnosis.adversarial

    @property
    def information(self) -> InformationCoefficient | None:
        """Information coefficient and rank IC across the symbols of a panel; None for one symbol."""
        return self.diagnosis.information

    def report_html(self) -> str:
        """Return the report as one self-contained HTML page."""
        from onward.evaluation.report import render

        return render(self._content(self))

    def report(self, path: str | Path) -> Path:
        """Write the report to a file, whole or not at all, and return its path.

        Raises
        ------
        StorageError
            When the directory does not exist, or the disk refuses.
        """
        from onward.registry.files import atomic_file, storage_errors

        target = Path(path)
        html = self.report_html()
        with storage_errors("write the report", target), atomic_file(target) as draft:
            draft.write_text(html, encoding="utf-8")
        return target

    def save(self, name: str) -> Version:
        """Publish the model as a new version under a name, and return that version.

        The version has no alias yet; only one whose audit passed may be given one. Saving the
        same result again gives the version that it already is.

        Raises
        ------
        RegistryError
            When the name is not allowed.
        StageError
            When a feature stage can neither be written down nor be found again.
        StorageError
            When the disk or the database refuses; nothing is left half-written.
        """
        return self._publish(self, name)
