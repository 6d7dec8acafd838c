from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from onward.errors import StageError
from onward.features.manual.market import Funding, Leverage, OpenInterest
from tests.unit.features.side_bars import assert_live_equals_batch, with_series


@pytest.mark.parametrize("family", [Funding(), OpenInterest(), Leverage()], ids=lambda f: f.name)
def test_live_equals_batch(family):
    assert_live_equals_batch(family, with_series())


def test_funding_equals_pandas():
    bars = with_series()
    rate = pd.Series(bars.series["funding_rate"])
    found = Funding().compute(bars)
    window = rate.rolling(72)
    position = (rate - window.min()) / (window.max() - window.min())
    np.testing.assert_array_equal(found["funding_rate"], rate)
    np.testing.assert_allclose(found["funding_change_24"], rate.diff(24), atol=1e-15)
    np.testing.assert_allclose(found["funding_mean_72"], window.mean(), atol=1e-15)
    np.testing.assert_allclose(found["funding_zscore_72"], (rate - window.mean()) / window.std(), rtol=1e-7)
    np.testing.assert_allclose(found["funding_position_72"], position, rtol=1e-9)


def test_funding_that_never_moves_has_no_zscore():
    found = Funding(windows=(72,)).compute(with_series(funding_rate=np.full(900, 1e-4)))
    assert np.isnan(found["funding_zscore_72"]).all()
    assert np.isnan(found["funding_position_72"]).all()
    assert (found["funding_change_8"][8:] == 0.0).all()


def test_open_interest_equals_pandas_and_ignores_its_unit():
    bars = with_series()
    interest, close = pd.Series(bars.series["open_interest"]), pd.Series(bars.close)
    step, move = np.log(interest).diff(), np.log(close).diff()
    found = OpenInterest().compute(bars)
    np.testing.assert_allclose(found["open_interest_change_6"], np.log(interest).diff(6), atol=1e-12)
    impulse = np.log(interest).diff(6) * np.log(close).diff(6)
    np.testing.assert_allclose(found["open_interest_impulse_6"], impulse, atol=1e-12)
    np.testing.assert_allclose(found["open_interest_surge_48"], step / step.rolling(48).std(), rtol=1e-7)
    correlation = step.rolling(48).corr(move)
    np.testing.assert_allclose(found["open_interest_price_correlation_48"], correlation, atol=1e-9)
    turnover = np.log(pd.Series(bars.volume).rolling(24).mean() / interest)
    np.testing.assert_allclose(found["open_interest_turnover_24"], turnover, rtol=1e-9)
    other = replace(bars, series={**bars.series, "open_interest": 1e6 * bars.series["open_interest"]})
    for name, values in OpenInterest().compute(other).items():
        if "turnover" not in name:
            np.testing.assert_allclose(values, found[name], rtol=1e-6, atol=1e-9, err_msg=name)


def test_a_published_zero_is_not_a_value():
    interest = np.exp(np.random.default_rng(0).normal(10.0, 0.1, 900))
    interest[500] = 0.0
    found = OpenInterest().compute(with_series(open_interest=interest))
    assert np.isnan(found["open_interest_change_1"][500:502]).all()
    assert np.isfinite(found["open_interest_change_1"][502:]).all()
    assert np.isfinite(found["open_interest_zscore_168"][668:]).all()


def test_leverage_joins_the_two():
    bars = with_series()
    rate, interest = (pd.Series(bars.series[name]) for name in ("funding_rate", "open_interest"))
    found = Leverage().compute(bars)

    def zscore(values: pd.Series) -> pd.Series:
        return (values - values.rolling(168).mean()) / values.rolling(168).std()

    cost, crowd = zscore(rate), zscore(np.log(interest))
    np.testing.assert_allclose(found["heat_168"], (cost + crowd) / 2, atol=1e-7)
    np.testing.assert_allclose(found["funding_open_interest_168"], cost * crowd, atol=1e-7)
    returns = np.log(pd.Series(bars.close)).diff()
    strain = returns.rolling(24).std() / returns.rolling(168).std()
    np.testing.assert_allclose(found["stress_168"], (cost + crowd) / 2 * strain, atol=1e-7)
    carry = rate.rolling(24).mean() * np.log(interest).diff(24)
    np.testing.assert_allclose(found["carry_24"], carry, atol=1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Funding(windows=(1,)),
        lambda: Funding(change_windows=(0,)),
        lambda: OpenInterest(windows=(24, 24)),
        lambda: Leverage(window=1),
    ],
)
def test_windows_that_make_no_sense_are_refused(make):
    with pytest.raises(StageError, match="window"):
        make()
