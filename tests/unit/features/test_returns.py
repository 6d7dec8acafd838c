from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from onward.errors import StageError
from onward.features.manual.returns import Returns
from tests.unit.features.manual_bars import assert_promises, frozen, sp500, thin, walk


@pytest.mark.parametrize("make", [walk, thin])
def test_keeps_the_promises_of_a_family(make):
    assert_promises(Returns(), make())


def test_returns_equal_talib():
    bars, talib = sp500()
    found = Returns(windows=(10,)).compute(bars)
    np.testing.assert_allclose(np.expm1(found["return_10"]), talib["ROCP(10)"], rtol=1e-8, atol=1e-12)


def test_columns_follow_from_the_parameters():
    columns = Returns().columns()
    assert {"return_1", "return_24", "momentum_24", "drawdown_168", "up_streak_10"} <= set(columns)
    assert "return_7" in Returns(windows=(7,)).columns()
    assert Returns(windows=(500,)).lookback(1) == 501


def test_formulas_equal_pandas():
    bars = walk(400)
    family = Returns(windows=(5,), momentum_windows=(24,), shape_windows=(30,), drawdown_windows=(40,))
    found = pd.DataFrame(dict(family.compute(bars)))
    log = pd.Series(np.log(bars.close))
    one = log.diff()
    expected = {
        "return_5": log.diff(5),
        "return_1_lag_2": one.shift(2),
        "momentum_24": log.diff(24) / (one.rolling(24).std() * np.sqrt(24)),
        "acceleration_6": log.diff(6) - log.diff(6).shift(6),
        "up_share_30": (one > 0).astype(float).where(one.notna()).rolling(30).mean(),
        "gain_share_30": one.clip(lower=0).rolling(30).sum() / one.abs().rolling(30).sum(),
        "return_zscore_30": (one - one.rolling(30).mean()) / one.rolling(30).std(),
        "return_rank_30": one.rolling(30).rank(pct=True),
        "return_autocorrelation_30": one.rolling(30).corr(one.shift(1)),
        "drawdown_40": np.exp(log - log.rolling(40).max()) - 1.0,
        "runup_40": np.exp(log - log.rolling(40).min()) - 1.0,
    }
    for name, values in expected.items():
        np.testing.assert_allclose(found[name][80:], values[80:], rtol=1e-8, atol=1e-11, err_msg=name)


def test_trend_of_a_steady_climb_is_a_straight_line():
    generator = np.random.default_rng(3)
    close = np.exp(0.001 * np.arange(400) + generator.normal(0.0, 1e-6, 400))
    bars = frozen(replace(walk(400), open=close, high=close.copy(), low=close.copy(), close=close.copy()))
    found = Returns().compute(bars)
    np.testing.assert_allclose(found["trend_rsquared_24"][30:], 1.0, atol=1e-4)
    assert (found["up_streak_10"][30:] == 10.0).all()
    assert (found["down_streak_10"][30:] == 0.0).all()
    assert (found["drawdown_72"][100:] == 0.0).all()


@pytest.mark.parametrize("option", ["windows", "lags", "shape_windows", "momentum_windows"])
def test_refuses_windows_that_are_none(option):
    with pytest.raises(StageError, match=option):
        Returns(**{option: (0,)})


def test_refuses_a_streak_without_bars():
    with pytest.raises(StageError, match="streak_bars"):
        Returns(streak_bars=0)
