"""Every fitted stage of the catalogue keeps the contract; a new one joins by its line in `FITTED`."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from onward.features.catalog import FITTED, fitted_class
from onward.features.fitted_pipeline import FittedPipeline
from onward.features.selection import ShiftedLabelSelector
from onward.features.selection.live_columns import RestrictableFit, narrowed_fit
from onward.testing.fitted_stages import check_fitted_stage, example_training_rows

NEEDS = {"autofeat": "autofeat"}
"""Module that a stage cannot be fitted without, where it comes with an extra."""

SMALL = {
    "advanced_selection": {"n_null": 5, "n_shifts": 50},
    "autofeat": {"max_inputs": 3, "max_rows": 300, "max_candidates": 30, "featsel_runs": 1},
}
"""Parameters that make a fit short."""


def new_stage(name):
    if name in NEEDS:
        pytest.importorskip(NEEDS[name], reason=f"{NEEDS[name]} comes with the extra automl")
    return fitted_class(name)(**SMALL.get(name, {}))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in NEEDS else ()) for name in sorted(FITTED)]
)
def test_every_fitted_stage_of_the_catalog_keeps_the_contract(name):
    new_stage(name)
    check_fitted_stage(lambda: new_stage(name))


@pytest.mark.parametrize("name", sorted(FITTED))
def test_what_a_model_sees_of_a_stage_comes_from_the_columns_that_it_says(name):
    X, y, spans = example_training_rows()
    stage = new_stage(name).fit(X, y, spans=spans)
    outputs = tuple(stage.transform(X).columns)
    selector = ShiftedLabelSelector(max_features=2, min_features=1, z=0.0, false_discovery_rate=1.0)
    selector.fit(stage.transform(X), y, spans=spans)
    for stages, seen in (([stage], outputs), ([stage, selector], selector.columns_)):
        whole = FittedPipeline(tuple(X.columns), stages, seen)
        small = narrowed_fit(whole)
        assert small.output_columns == seen
        few = X[list(small.input_columns)]
        pd.testing.assert_frame_equal(small.transform(few), whole.transform(X), check_exact=True)
    if isinstance(stage, RestrictableFit):
        assert len(small.input_columns) < X.shape[1]


class SeedsItself(ShiftedLabelSelector):
    def fit(self, X, y, *, spans, weight=None, seed=0):
        columns = np.random.default_rng().permutation(X.columns[:6])
        super().fit(X, y, spans=spans, seed=seed)
        self.columns_ = tuple(columns[:3])
        return self


class LooksAtItsBatch(ShiftedLabelSelector):
    def transform(self, X):
        chosen = super().transform(X)
        return chosen - chosen.mean()


class ForgetsItsLedger(ShiftedLabelSelector):
    @classmethod
    def from_json(cls, state):
        return super().from_json({**state, "ledger": []})


@pytest.mark.parametrize("broken", [SeedsItself, LooksAtItsBatch, ForgetsItsLedger])
def test_the_suite_catches_a_broken_stage(broken):
    with pytest.raises(AssertionError):
        check_fitted_stage(broken)
