from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from onward.errors import StageError
from onward.features.manual.sentiment import Sentiment
from tests.unit.features.side_bars import assert_live_equals_batch, with_series


def test_live_equals_batch():
    assert_live_equals_batch(Sentiment(), with_series())


def test_classes_are_those_of_the_publisher():
    mood = np.array([5.0, 25.0, 26.0, 46.0, 47.0, 54.0, 55.0, 75.0, 76.0, 95.0, np.nan])
    found = Sentiment().compute(with_series(len(mood), fear_greed=mood))
    expected = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, np.nan]
    np.testing.assert_array_equal(found["fear_greed_class"], expected)
    np.testing.assert_array_equal(found["fear_greed"], mood)


def test_the_duration_of_an_extreme_is_counted_back_without_a_break():
    mood = np.full(40, 50.0)
    mood[10:30] = 12.0
    mood[20] = 30.0
    mood[35:] = 80.0
    found = Sentiment(windows=(8,)).compute(with_series(40, fear_greed=mood))
    fear = found["extreme_fear_duration_8"]
    assert list(fear[9:20] * 8) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8]
    assert list(fear[20:23] * 8) == [0, 1, 2]
    assert list(found["extreme_greed_duration_8"][34:40] * 8) == [0, 1, 2, 3, 4, 5]


def test_changes_and_divergence_equal_pandas():
    bars = with_series()
    mood, close = pd.Series(bars.series["fear_greed"]), pd.Series(bars.close)
    found = Sentiment().compute(bars)

    def position(values: pd.Series) -> pd.Series:
        low, high = values.rolling(336).min(), values.rolling(336).max()
        return (values - low) / (high - low)

    np.testing.assert_allclose(found["fear_greed_change_24"], mood.diff(24))
    np.testing.assert_allclose(found["fear_greed_gap_336"], mood - mood.rolling(336).mean(), atol=1e-9)
    np.testing.assert_allclose(
        found["sentiment_divergence_336"], position(mood) - position(close), atol=1e-12
    )


def test_windows_that_make_no_sense_are_refused():
    with pytest.raises(StageError, match="change_windows"):
        Sentiment(change_windows=(-1,))
