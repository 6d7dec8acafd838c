from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from onward.errors import StageError
from onward.features.manual.volatility import Volatility
from tests.unit.features.manual_bars import assert_promises, cut, frozen, sp500, thin, walk


@pytest.mark.parametrize("make", [walk, thin])
def test_keeps_the_promises_of_a_family(make):
    assert_promises(Volatility(), make(3_000))


def test_average_true_range_equals_talib():
    bars, talib = sp500()
    found = Volatility(atr_windows=(7, 14, 21)).compute(bars)
    for window in (7, 14, 21):
        np.testing.assert_allclose(
            found[f"atr_ratio_{window}"] * bars.close, talib[f"ATR({window})"], rtol=1e-8
        )
    np.testing.assert_allclose(found["atr_ratio_14"] * 100.0, talib["NATR(14)"], rtol=1e-8)
    np.testing.assert_allclose(found["true_range"] * bars.close, talib["TRANGE"], rtol=1e-8)


def test_estimators_equal_their_formulas():
    bars = walk(600)
    found = pd.DataFrame(dict(Volatility(range_windows=(24,)).compute(bars)))
    o, h, low, c = (pd.Series(np.log(getattr(bars, name))) for name in ("open", "high", "low", "close"))
    one = c.diff()

    def mean(values: pd.Series) -> pd.Series:
        return values.rolling(24).mean()

    satchell = mean((h - o) * (h - c) + (low - o) * (low - c))
    weight = 0.34 / (1.34 + 25 / 23)
    gaps, bodies = (o - c.shift()).rolling(24).var(), (c - o).rolling(24).var()
    expected = {
        "realized_volatility_24": one.rolling(24).std(),
        "parkinson_24": np.sqrt(mean((h - low) ** 2) / (4 * np.log(2))),
        "garman_klass_24": np.sqrt(mean(0.5 * (h - low) ** 2 - (2 * np.log(2) - 1) * (c - o) ** 2)),
        "rogers_satchell_24": np.sqrt(satchell),
        "yang_zhang_24": np.sqrt(gaps + weight * bodies + (1 - weight) * satchell),
        "downside_share_24": mean(one.clip(upper=0) ** 2) / mean(one**2),
        "jump_share_24": 1 - np.pi / 2 * mean(one.abs() * one.abs().shift()) / mean(one**2),
        "volatility_ratio_6_24": np.log(one.rolling(6).std() / one.rolling(24).std()),
        "volatility_rank_24_168": one.rolling(24).std(ddof=0).rolling(168).rank(pct=True),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(found[name][200:], values[200:], rtol=1e-7, atol=1e-10, err_msg=name)


def test_estimators_recover_the_volatility_of_a_random_walk():
    found = Volatility(range_windows=(1_000,)).compute(walk(3_000))
    for name in ("realized_volatility_168", "yang_zhang_1000"):
        assert np.nanmean(found[name]) == pytest.approx(0.005, rel=0.1)


def test_regime_is_the_rank_in_thirds():
    found = Volatility(regimes=((24, 168),)).compute(walk(1_500))
    rank, regime = found["volatility_rank_24_168"], found["volatility_regime_24_168"]
    known = ~np.isnan(rank)
    assert set(np.unique(regime[known])) == {-1.0, 0.0, 1.0}
    np.testing.assert_array_equal(regime[known] == 1.0, rank[known] > 2 / 3)
    np.testing.assert_array_equal(regime[known] == -1.0, rank[known] <= 1 / 3)
    assert np.isnan(regime[~known]).all()


def test_ranks_of_repeating_prices_do_not_depend_on_where_history_begins():
    # Windows with the same returns in another order have deviations that differ in the last bit
    # or not at all; a rank that saw rounding would change by ties.
    bars = thin(3_000)
    family = Volatility(regimes=((24, 168),))
    batch = family.compute(bars)["volatility_rank_24_168"]
    for row in range(1_000, 1_400, 7):
        latest = family.compute(cut(bars, row + 1 - 192, row + 1))["volatility_rank_24_168"]
        assert latest[-1] == batch[row]


def test_flat_market_has_no_volatility_and_no_ratio():
    flat = np.full(400, 5.0)
    bars = frozen(replace(walk(400), open=flat, high=flat.copy(), low=flat.copy(), close=flat.copy()))
    found = Volatility().compute(bars)
    for name in ("realized_volatility_24", "parkinson_24", "yang_zhang_24", "atr_ratio_14"):
        assert found[name][-1] == 0.0
    for name in ("volatility_ratio_6_24", "jump_share_24", "downside_share_24"):
        assert np.isnan(found[name]).all()


@pytest.mark.parametrize("options", [{"atr_windows": (0,)}, {"regimes": ((24, 1),)}, {"ratios": ((1, 2),)}])
def test_refuses_windows_that_are_none(options):
    with pytest.raises(StageError, match=next(iter(options))):
        Volatility(**options)
