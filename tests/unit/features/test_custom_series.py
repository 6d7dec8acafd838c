from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from onward.errors import StageError
from onward.features.manual.custom_series import CustomSeries, plain_name
from onward.features.manual.stage import ManualFeaturesStage
from onward.testing.markets import planted_signal
from tests.unit.features.side_bars import assert_live_equals_batch, with_series


def test_live_equals_batch():
    level = np.random.default_rng(0).normal(size=900).cumsum()
    assert_live_equals_batch(CustomSeries(("hash rate",)), with_series(**{"hash rate": level}))


def test_level_change_and_zscore_equal_pandas():
    level = np.random.default_rng(0).normal(size=900).cumsum()
    level[100] = np.nan
    found = CustomSeries(("x",)).compute(with_series(x=level))
    series = pd.Series(level)
    np.testing.assert_array_equal(found["x"], level)
    np.testing.assert_allclose(found["x_change_24"], series.diff(24), atol=1e-12)
    zscore = (series - series.rolling(168).mean()) / series.rolling(168).std()
    np.testing.assert_allclose(found["x_zscore_168"], zscore, rtol=1e-7)


def test_the_driver_of_the_planted_market_is_a_feature():
    market = planted_signal(300)
    table = ManualFeaturesStage.for_market(market, ["custom_series"]).compute(market)
    np.testing.assert_array_equal(table["manual__driver"], market.series["driver"].frame["driver"])


@pytest.mark.parametrize(
    ("value", "name"), [("driver", "driver"), ("dev. activity (7d)", "dev_activity_7d"), ("金利", "value")]
)
def test_names_are_plain(value, name):
    assert plain_name(value) == name


def test_two_values_of_one_plain_name_are_refused():
    with pytest.raises(StageError, match="the same column"):
        ManualFeaturesStage(["custom_series"], series=["a b", "a_b"], timeframe=pd.Timedelta("1h"))


def test_windows_that_make_no_sense_are_refused():
    with pytest.raises(StageError, match="zscore_windows"):
        CustomSeries(("x",), zscore_windows=(1,))
