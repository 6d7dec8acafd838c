from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from onward.errors import LabelError, NotEnoughDataError, StageError
from onward.features.autofeat import AutoFeatStage
from onward.features.selection import AdvancedFeatureSelector, ShiftedLabelSelector
from onward.features.training_rows import checked_classes
from onward.features.tsfresh.relevance import TSFreshRelevance
from onward.types import Spans


def rows(n=30):
    start = np.arange(n, dtype=np.int64)
    X = pd.DataFrame({"tsfresh__a": np.arange(n, dtype=np.float32), "tsfresh__b": np.ones(n, np.float32)})
    return {"X": X, "y": start % 3 - 1, "spans": Spans(X.index, start, start + 1)}


def changed(**change):
    return {**rows(), **change}


BAD = [
    (changed(y=np.zeros(29)), StageError, "differs in length; got 30 rows, 29 labels, 30 spans"),
    (changed(y=np.float64(1)), StageError, "0 labels"),
    (changed(weight=np.ones(3)), StageError, "3 weights"),
    (changed(y=np.linspace(-1, 1, 30)), LabelError, "the test needs class labels.*or do without it"),
    (changed(y=np.zeros((30, 2))), LabelError, r"shape \(30, 2\)"),
    (rows(0), NotEnoughDataError, "no training rows to fit the test on"),
    (changed(X=pd.DataFrame(index=range(30))), StageError, "no columns to fit the test on"),
    (changed(X=rows()["X"].set_axis(["b", "b"], axis=1)), StageError, "a column name occurs twice; got 'b'"),
]


@pytest.mark.parametrize(("given", "error", "said"), BAD)
def test_rows_that_do_not_fit_together_are_refused(given, error, said):
    with pytest.raises(error, match=said):
        checked_classes(**given, stage="the test", otherwise="do without it")


def test_classes_come_back_as_whole_numbers():
    given = changed(y=rows()["y"].astype(np.float64), weight=np.ones(30))
    classes = checked_classes(**given, stage="the test", otherwise="do without it")
    assert classes.dtype == np.int64
    np.testing.assert_array_equal(classes, given["y"])


@pytest.mark.parametrize(
    "stage", [AdvancedFeatureSelector, AutoFeatStage, ShiftedLabelSelector, TSFreshRelevance]
)
@pytest.mark.parametrize(("given", "error"), [case[:2] for case in BAD if "weight" not in case[0]])
def test_every_stage_that_is_fitted_on_labels_refuses_them(stage, given, error):
    with pytest.raises(error):
        stage().fit(given["X"], given["y"], spans=given["spans"])
