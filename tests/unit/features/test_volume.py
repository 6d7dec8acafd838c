from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from onward.errors import StageError
from onward.features.manual.volume import Volume
from tests.unit.features.manual_bars import assert_promises, frozen, sp500, thin, walk


@pytest.mark.parametrize("make", [walk, thin])
def test_keeps_the_promises_of_a_family(make):
    assert_promises(Volume(), make())


def test_windowed_differences_equal_talib_accumulators():
    bars, talib = sp500()
    found = Volume(flow_windows=(24,)).compute(bars)
    traded = pd.Series(bars.volume).rolling(24).sum()
    for column, name in (("obv_change_24", "OBV"), ("accumulation_change_24", "AD")):
        change = talib[name].diff(24) / traded
        np.testing.assert_allclose(found[column][24:], change[24:], rtol=1e-8, atol=1e-9, err_msg=name)


def test_formulas_equal_pandas():
    bars = walk(600)
    found = pd.DataFrame(dict(Volume().compute(bars)))
    close, volume = pd.Series(bars.close), pd.Series(bars.volume)
    typical = pd.Series((bars.high + bars.low + bars.close) / 3.0)
    one = np.log(close).diff()

    def total(values: pd.Series, window: int = 24) -> pd.Series:
        return values.rolling(window).sum()

    def slope(part: np.ndarray) -> float:
        return float(np.polyfit(np.arange(len(part)), part, 1)[0])

    illiquidity = {w: total(one.abs(), w) / total(typical * volume, w) for w in (24, 168)}
    expected = {
        "volume_ratio_20": volume / volume.rolling(20).mean(),
        "volume_spike_20": volume / volume.rolling(20).median().shift(),
        "volume_zscore_20": (volume - volume.rolling(20).mean()) / volume.rolling(20).std(),
        "volume_rank_20": volume.rolling(20).rank(pct=True),
        "volume_trend_24": volume.rolling(24).apply(slope, raw=True) * 24 / volume.rolling(24).mean(),
        "volume_dispersion_24": volume.rolling(24).std() / volume.rolling(24).mean(),
        "volume_cross_5_20": volume.rolling(5).mean() / volume.rolling(20).mean() - 1,
        "illiquidity_ratio_24_168": np.log(illiquidity[24] / illiquidity[168]),
        "vwap_deviation_24": close / (total(typical * volume) / total(volume)) - 1,
        "price_volume_trend_24": total(close.pct_change() * volume) / total(volume),
        "up_volume_share_24": total(volume.where(one > 0, 0.0)) / total(volume),
        "volume_return_correlation_24": volume.rolling(24).corr(one),
        "volume_move_correlation_24": volume.rolling(24).corr(one.abs()),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(found[name][200:], values[200:], rtol=1e-7, atol=1e-10, err_msg=name)


def test_bars_without_volume_are_not_known_rather_than_infinite():
    volume = np.zeros(400)
    found = Volume().compute(frozen(replace(walk(400), volume=volume)))
    for name, values in found.items():
        assert not np.isinf(values).any(), name
    assert np.isnan(found["vwap_deviation_24"]).all()
    volume = walk(400).volume.copy()
    volume[200] = 0.0
    found = Volume().compute(frozen(replace(walk(400), volume=volume)))
    assert found["volume_ratio_20"][200] == 0.0
    assert np.isfinite(found["obv_change_24"][200:]).all()


def test_flows_are_bounded():
    found = Volume().compute(walk(1_000))
    for name in ("obv_change_24", "accumulation_change_72", "up_volume_share_24"):
        assert np.nanmax(np.abs(found[name])) <= 1.0


@pytest.mark.parametrize("options", [{"windows": (1,)}, {"crosses": ((5, 0),)}, {"flow_windows": (24, 24)}])
def test_refuses_windows_that_are_none(options):
    with pytest.raises(StageError, match=next(iter(options))):
        Volume(**options)
