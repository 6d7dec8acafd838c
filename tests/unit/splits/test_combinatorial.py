import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from onward.errors import SplitError
from onward.splits import CombinatorialPurgedKFold
from onward.types import Spans

REFERENCES = Path(__file__).parents[2] / "fixtures" / "references"
CV = json.loads((REFERENCES / "cv.json").read_text())
SKFOLIO = json.loads((REFERENCES / "cpcv_skfolio.json").read_text())["cases"]


def spans_of(n, horizon, *, clipped):
    times = pd.date_range("2024-01-01", periods=n + horizon, freq="h", tz="UTC", unit="ns")
    ends = np.arange(n) + horizon
    return Spans.from_times(times[:n], times[np.minimum(ends, n - 1) if clipped else ends])


@pytest.mark.parametrize("case", CV["cpcv"], ids=range(len(CV["cpcv"])))
def test_splits_and_paths_as_published(case):
    splitter = CombinatorialPurgedKFold(case["N"], case["k"], embargo=case["embargo"])
    folds = splitter.folds(spans_of(case["n"], case["label_horizon"], clipped=True))
    size = case["n"] // case["N"]
    assert (len(folds), splitter.n_paths) == (case["n_splits"], case["n_paths"])
    for fold, split in zip(folds, case["splits"], strict=True):
        assert np.unique(fold.test // size).tolist() == split["test_groups"]
        assert fold.train.tolist() == split["train"]
    assert splitter.backtest_paths().tolist() == case["paths_group_to_split"]


@pytest.mark.parametrize("case", SKFOLIO, ids=range(len(SKFOLIO)))
def test_splits_equal_skfolio_for_labels_of_constant_length(case):
    splitter = CombinatorialPurgedKFold(case["n_folds"], case["n_test_folds"], embargo=case["embargo_size"])
    folds = splitter.folds(spans_of(case["n"], case["purged_size"], clipped=False))
    assert splitter.n_paths == case["n_test_paths"]
    for fold, split in zip(folds, case["splits"], strict=True):
        assert fold.test.tolist() == np.concatenate(split["test"]).tolist()
        assert fold.train.tolist() == split["train"]


def test_numbers_of_splits_and_paths_as_published():
    for key, expected in CV["phi"].items():
        splitter = CombinatorialPurgedKFold(*map(int, key.split(",")))
        assert splitter.get_n_splits() == expected["splits"]
        assert splitter.backtest_paths().shape == (expected["paths"], splitter.n_groups)
        assert splitter.n_paths == expected["paths"]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ((1, 1), "n_groups"),
        ((6, 0), "n_test_groups"),
        ((6, 6), "no group is left"),
        ((40, 20), "too many combinations.*got 137,846,528,820 folds"),
        ((1000, 500), "too many combinations.*got about 2.7e299 folds"),
        ((2000, 1000), "too many combinations.*got about 2.0e600 folds"),
        ((6, 1.0), "n_test_groups"),
    ],
)
def test_choices_that_make_no_sense(arguments, what):
    with pytest.raises(SplitError, match=what):
        CombinatorialPurgedKFold(*arguments)
