"""What the model of a fold sees: its own columns, of training and of test rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from onward.evaluation.importance_folds import used_columns
from onward.evaluation.thinning import thinned, thinning
from onward.training.outcomes import FoldOutcome, Training
from onward.types import IntArray, Spans

__all__ = ["FoldView", "FoldViews", "evenly_spread"]


@dataclass(frozen=True, eq=False)
class FoldView:
    """One fold as its model sees it.

    Attributes
    ----------
    outcome
        What the fold learnt and predicted.
    train, test
        Columns that the model gets, float32; rows as ``outcome.fold`` has them.
    train_spans, test_spans
        Their spans.
    used
        Columns that count for the model.
    """

    outcome: FoldOutcome
    train: pd.DataFrame
    test: pd.DataFrame
    train_spans: Spans
    test_spans: Spans
    used: tuple[str, ...]

    @property
    def number(self) -> int:
        """Number of the fold, from 0."""
        return self.outcome.fold.number


@dataclass(frozen=True, eq=False)
class FoldViews:
    """Makes the views of a training's folds, one at a time: a matrix is let go before the next.

    Parameters
    ----------
    training
        A finished training. The folds of a search may have features and labels of their own.
    """

    training: Training
    _features: dict[tuple[str, ...], pd.DataFrame] = field(default_factory=dict, repr=False)

    def of(self, outcome: FoldOutcome) -> FoldView:
        """Return the view of a fold."""
        dataset, fold = self.training.dataset, outcome.fold
        predictor = outcome.predictor
        features = self._causal(outcome)
        return FoldView(
            outcome=outcome,
            train=predictor.fitted.transform(features.iloc[dataset.rows[fold.train]]),
            test=predictor.fitted.transform(features.iloc[dataset.rows[fold.test]]),
            train_spans=dataset.spans.take(fold.train),
            test_spans=self._test_spans(outcome),
            used=used_columns(predictor.importance()),
        )

    def columns(self, outcomes: Mapping[int, FoldOutcome], names: list[str], max_rows: int) -> pd.DataFrame:
        """Return columns as the first fold that has them sees them, of rows thinned out evenly.

        Parameters
        ----------
        outcomes
            Folds by number, in the order in which they are asked.
        names
            Columns; those that no fold has are left out.
        max_rows
            About how many rows.
        """
        dataset = self.training.dataset
        rows = dataset.rows[thinned(dataset.spans.start, thinning(dataset.spans.start, max_rows))]
        found: dict[str, pd.Series] = {}
        for outcome in outcomes.values():
            wanted = [c for c in names if c not in found and c in outcome.predictor.fitted.output_columns]
            if wanted:
                seen = outcome.predictor.fitted.transform(self._causal(outcome).iloc[rows])
                found |= {name: seen[name] for name in wanted}
        return pd.DataFrame({name: found[name] for name in names if name in found})

    def _causal(self, outcome: FoldOutcome) -> pd.DataFrame:
        """Return the causal features that a fold was made from: those of the final fit, if they do."""
        dataset, predictor = self.training.dataset, outcome.predictor
        if set(predictor.fitted.input_columns) <= set(dataset.features.columns):
            return dataset.features
        key = predictor.pipeline.columns()
        if key not in self._features:
            self._features[key] = predictor.pipeline.compute(dataset.market)
        return self._features[key]

    def _test_spans(self, outcome: FoldOutcome) -> Spans:
        """Return the spans by which the test rows were labelled; a search's fold chooses its own."""
        spans, test = self.training.dataset.spans.take(outcome.fold.test), outcome.fold.test
        if self.training.paths is not None:  # one averaged prediction a row: no fold's own
            return spans
        scored = self.training.oof.take(self.training.oof.fold == outcome.fold.number).spans
        if len(scored) != len(spans):
            return spans
        place = np.argsort(np.argsort(test, kind="stable"), kind="stable")
        own = scored.take(place)
        return own if np.array_equal(own.start, spans.start) else spans


def evenly_spread(n: int, at_most: int) -> IntArray:
    """Return positions among ``n``, first and last included, evenly spread; all if there is room."""
    if n <= at_most:
        return np.arange(n, dtype=np.int64)
    if at_most == 1:
        return np.array([n - 1], dtype=np.int64)  # the newest says most about what comes next
    return np.unique(np.round(np.linspace(0, n - 1, at_most)).astype(np.int64))
