"""Looks at a finished training from outside: what counts, do folds agree, have the rows drifted.

Everything here comes after the scores and reads them only; predictions, verdict and model files
are the same with and without it. What cannot be measured on these data becomes a note.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from onward.config import EvaluationConfig
from onward.evaluation.adversarial import adversarial_validation
from onward.evaluation.backtest import about_price
from onward.evaluation.diagnosis import MAIN_SCORE, Diagnosis, PermutationImportance
from onward.evaluation.drift import feature_drift
from onward.evaluation.importance_clusters import correlation_clusters
from onward.evaluation.importance_folds import FoldRows, importance_of_folds
from onward.evaluation.importance_stability import ImportanceStability, importance_stability
from onward.evaluation.importance_trees import Forest
from onward.evaluation.information import InformationCoefficient, information_coefficient
from onward.evaluation.oof import CLASS_NAMES
from onward.evaluation.realised import realised_return
from onward.evaluation.thinning import thinned, thinning
from onward.features.selection.across_fits import FINAL_FIT
from onward.protocols import Progress
from onward.training.acting import Primary
from onward.training.fold_views import FoldView, FoldViews, evenly_spread
from onward.training.gains import gain_table, ranked_columns
from onward.training.outcomes import FoldOutcome, Training
from onward.training.remarks import Remarks, named_folds
from onward.types import FloatArray, IntArray, ProgressEvent

__all__ = ["diagnose"]

CALENDAR = "temporal"
"""Family of features whose drift is the calendar's."""

DRIFT_ROWS = 20_000
"""Rows of a fold that drift is measured on; moments are thinned out evenly."""

CLUSTER_ROWS = 2_000
CLUSTERED = 100
"""Rows and columns that clusters are found among."""


def diagnose(
    training: Training,
    settings: EvaluationConfig,
    *,
    seed: int = 0,
    n_threads: int = 0,
    primary: Primary | None = None,
    progress: Progress | None = None,
) -> Diagnosis:
    """Return what stands behind the scores of a training.

    Parameters
    ----------
    training
        Finished and judged; nothing of it is changed.
    settings
        What to look at, and how closely.
    seed
        Of displacements and of adversarial models.
    n_threads
        Of adversarial models; 0 means all cores.
    primary
        The signals that predictions are verdicts on, from `onward.training.acting.primary_of`; None when
        the classes are about the price.
    progress
        Told after each fold.
    """
    notes = Remarks()
    gain = gain_table(training)
    information = _information(training, settings, primary, notes)
    agreed = _agreement(gain, "column", "importance") if (gain["importance"] > 0).any() else None
    asked = settings.importance or settings.drift or settings.adversarial
    if not asked or gain.empty:
        return Diagnosis(gain, agreed, information=information, notes=notes.sentences())
    folds = training.folds
    chosen = [folds[i] for i in evenly_spread(len(folds), settings.explained_folds)]
    if len(chosen) < len(folds):
        notes.add(
            f"Of {len(folds)} folds, {len(chosen)} were looked at for importance and drift "
            "(evaluation.explained_folds)."
        )
    look = _Look(training, settings, seed, n_threads, gain, notes)
    look.prepare(chosen)
    for place, outcome in enumerate(chosen):
        if progress is not None:
            progress(ProgressEvent("explanation", place, len(chosen)))
        look.at(outcome)
    if progress is not None:
        progress(ProgressEvent("explanation", len(chosen), len(chosen)))
    return Diagnosis(
        gain=gain,
        stability=agreed,
        folds=tuple(outcome.fold.number for outcome in chosen),
        importance=look.importance(),
        drift=_joined(look.drifts),
        adversarial=pd.DataFrame(look.told),
        information=information,
        notes=notes.sentences(),
    )


@dataclass(eq=False)
class _Look:
    """Looks at one fold after the other and gathers what it finds."""

    training: Training
    settings: EvaluationConfig
    seed: int
    n_threads: int
    gain: pd.DataFrame
    notes: Remarks
    drifts: list[pd.DataFrame] = field(default_factory=list)
    told: list[dict[str, object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._views = FoldViews(self.training)
        self._ranked = ranked_columns(self.gain)
        described = self.training.predictor.pipeline.describe()
        self._calendar = {feature.column for feature in described if feature.family == CALENDAR}
        self._alone: list[pd.DataFrame] = []
        self._together: list[pd.DataFrame] = []
        self._clusters: dict[str, tuple[str, ...]] = {}
        self._measured = self._ranked[: self.settings.importance_columns]

    def prepare(self, chosen: Sequence[FoldOutcome]) -> None:
        """Find columns that resemble each other; no label is looked at."""
        if not self.settings.importance:
            return
        measured, ranked = len(self._measured), len(self._ranked)
        if measured < ranked:
            first = "with the largest gain" if self.gain["importance"].any() else "that come first"
            self.notes.add(
                f"Permutation importance was measured of {measured} of {ranked} columns, those {first} "
                "(evaluation.importance_columns)."
            )
        by_number = {outcome.fold.number: outcome for outcome in chosen}
        columns = self._views.columns(by_number, self._ranked[:CLUSTERED], CLUSTER_ROWS)
        found = correlation_clusters(columns, above=self.settings.cluster_correlation)
        several = [(name, members) for name, members in found.items() if len(members) > 1]
        weight = self.gain[self.gain["fold"] != FINAL_FIT].groupby("column")["importance"].sum()
        several.sort(key=lambda one: -float(weight.reindex(list(one[1])).sum()))
        self._clusters = dict(several[: self.settings.importance_columns])

    def at(self, outcome: FoldOutcome) -> None:
        """Look at one fold; a part that cannot be measured leaves the others."""
        number = outcome.fold.number
        with self.notes.unless_measured("Importance and drift", number):
            view = self._views.of(outcome)
            if self.settings.importance:
                with self.notes.unless_measured("Permutation importance", number):
                    self._displace(view)
            if self.settings.drift:
                with self.notes.unless_measured("Drift", number):
                    self._compare(view)
            if self.settings.adversarial:
                with self.notes.unless_measured("Adversarial validation", number):
                    self._tell_apart(view)

    def importance(self) -> PermutationImportance | None:
        """Return what was measured; None when nothing was."""
        folds = _joined(self._alone)
        if folds.empty:
            return None
        main = folds[folds["score"] == MAIN_SCORE]
        return PermutationImportance(
            folds=folds,
            clusters=self._clusters,
            cluster_folds=_joined(self._together),
            stability=_agreement(main, "subject", "decrease"),
        )

    def _displace(self, view: FoldView) -> None:
        start = view.test_spans.start
        rows = thinned(start, thinning(start, self.settings.importance_rows))
        fold = FoldRows(
            number=view.number,
            predict=view.outcome.predictor.model.predict_proba,
            X=view.test.iloc[rows],
            y=view.outcome.y[rows],
            spans=view.test_spans.take(rows),
            prior=view.outcome.prior,
            columns=view.used,
            forest=Forest.of(view.outcome.predictor.model),
        )
        options = {"n_repeats": self.settings.importance_repeats, "seed": self.seed}
        alone: Mapping[str, Sequence[str]] = {name: (name,) for name in self._measured}
        self._alone.append(importance_of_folds([fold], groups=alone, **options))
        if self._clusters:
            self._together.append(importance_of_folds([fold], groups=self._clusters, **options))

    def _compare(self, view: FoldView) -> None:
        names = self._seen(view, self._ranked)
        if not names:
            return
        step = thinning(_starts(view), DRIFT_ROWS)
        before, after = (thinned(spans.start, step) for spans in (view.train_spans, view.test_spans))
        table = feature_drift(
            view.train[names].iloc[before],
            view.test[names].iloc[after],
            train_spans=view.train_spans.take(before),
            test_spans=view.test_spans.take(after),
        )
        table["autocorrelation_bars"] *= step
        table.insert(0, "fold", view.number)
        self.drifts.append(table)

    def _tell_apart(self, view: FoldView) -> None:
        names = self._seen(view, [name for name in self._ranked if name not in self._calendar])
        if not names:
            self.notes.add(f"In {named_folds([view.number])} the model sees no column but the calendar's.")
            return
        found = adversarial_validation(
            view.train[names],
            view.test[names],
            train_spans=view.train_spans,
            test_spans=view.test_spans,
            max_rows=self.settings.adversarial_rows,
            n_placebos=self.settings.adversarial_placebos,
            seed=self.seed,
            n_threads=self.n_threads,
        )
        self.told.append({"fold": view.number, **found.to_dict()})

    def _seen(self, view: FoldView, ranked: Sequence[str]) -> list[str]:
        columns = set(view.test.columns)
        return [name for name in ranked if name in columns][: self.settings.drift_columns]


def _agreement(table: pd.DataFrame, column: str, value: str) -> ImportanceStability | None:
    n_folds = table.loc[table["fold"] != FINAL_FIT, "fold"].nunique()
    return importance_stability(table, column=column, value=value) if n_folds > 1 else None


def _information(
    training: Training, settings: EvaluationConfig, primary: Primary | None, notes: Remarks
) -> InformationCoefficient | None:
    oof, market = training.oof, training.dataset.market
    if len(market.symbols) < 2:
        return None
    found: InformationCoefficient | None = None
    with notes.unless_measured("The information coefficient"):
        # A verdict that a short pays speaks of a falling price.
        signal, verdicts = (None, None) if primary is None else (primary.signal, primary.verdicts)
        said = pd.DataFrame(oof.probability, columns=list(CLASS_NAMES), index=oof.spans.index)
        said = about_price(market, said, signal, verdicts=verdicts, act_above=settings.act_above)
        said = said.reindex(oof.spans.index)
        prediction: FloatArray = (said["up"] - said["down"]).to_numpy(np.float64)
        found = information_coefficient(prediction, realised_return(market, oof.spans), oof.spans)
    return found  # noqa: RET504 - a refusal leaves None


def _starts(view: FoldView) -> IntArray:
    return np.concatenate((view.train_spans.start, view.test_spans.start))


def _joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
