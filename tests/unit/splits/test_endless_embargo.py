"""An embargo longer than time itself leaves nothing after a test block, and never wraps around."""

import pandas as pd
import pytest

from onward.splits import PurgedKFold, WalkForward
from onward.types import Spans

STARTS = pd.date_range("2024-01-01", periods=400, freq="1h", tz="UTC")
SPANS = Spans.from_times(STARTS, STARTS + pd.Timedelta("5h"))


@pytest.mark.parametrize("bars", [500, 2_200_000, 2_600_000, 10**17])
def test_nothing_after_a_block_survives(bars):
    folds = PurgedKFold(4, embargo=bars).folds(SPANS)
    assert len(folds[0].train) == 0
    for fold in folds[1:]:
        assert len(fold.train) > 0
        assert fold.train.max() < fold.test.min()


@pytest.mark.parametrize("bars", [500, 2_200_000, 2_600_000, 10**17])
def test_a_walk_that_waits_for_ever_has_no_training_rows(bars):
    assert all(len(fold.train) == 0 for fold in WalkForward(4, embargo=bars).folds(SPANS))
