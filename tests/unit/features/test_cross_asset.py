from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from onward.errors import StageError
from onward.features.manual.cross_asset import CrossAsset
from onward.features.manual.family import Bars
from tests.unit.features.manual_bars import HOUR, cut, walk

NAMES = ("A", "B", "C", "D")


def panel(n_bars: int = 300) -> dict[str, Bars]:
    """A: whole; B: listed late; C: with a hole; D: ends early."""
    whole = {name: walk(n_bars, seed) for seed, name in enumerate(NAMES)}
    keep = np.ones(n_bars, dtype=bool)
    keep[150:153] = False
    arrays = ("open", "high", "low", "close", "volume", "open_time")
    whole["B"] = cut(whole["B"], 40, n_bars)
    whole["C"] = replace(whole["C"], **{name: getattr(whole["C"], name)[keep] for name in arrays})
    whole["D"] = cut(whole["D"], 0, n_bars - 20)
    return whole


def closes(bars: dict[str, Bars]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(b.close, b.open_time) for name, b in bars.items()}).sort_index()


def on(bars: dict[str, Bars], name: str, values: pd.DataFrame) -> np.ndarray:
    return values[name].reindex(bars[name].open_time).to_numpy()


def test_values_equal_pandas_on_common_moments():
    bars = panel()
    family = CrossAsset(return_windows=(6,), beta_windows=(48,), lead="A")
    found = family.compute(bars)
    logs = np.log(closes(bars))
    move, step = logs.diff(6), logs.diff()

    def others(values: pd.DataFrame, name: str) -> pd.Series:
        return values.drop(columns=name).mean(axis=1).where(values[name].notna())

    for name in NAMES:
        rest = pd.DataFrame({name: others(step, name)})
        window = step[[name]].rolling(48)
        expected = {
            "relative_return_6": move[[name]] - pd.DataFrame({name: others(move, name)}),
            "panel_beta_48": window.cov(rest, pairwise=False) / rest.rolling(48).var(),
            "panel_correlation_48": window.corr(rest, pairwise=False),
            "panel_dispersion_6": pd.DataFrame({name: move.std(axis=1)}),
            "panel_volatility_ratio_48": window.std().div(step.rolling(48).std().mean(axis=1), axis=0),
            "lead_return_6": pd.DataFrame({name: move["A"]}),
        }
        for column, values in expected.items():
            np.testing.assert_allclose(
                found[name][column], on(bars, name, values), rtol=1e-6, atol=1e-10, err_msg=f"{name} {column}"
            )
    beta = step["B"].rolling(48).cov(step["A"]) / step["A"].rolling(48).var()
    np.testing.assert_allclose(found["B"]["lead_beta_48"], on(bars, "B", beta.to_frame("B")), rtol=1e-6)
    assert np.isnan(found["A"]["lead_beta_48"]).all()


def test_the_rank_is_the_share_of_others_below():
    bars = panel()
    found = CrossAsset(return_windows=(1,)).compute(bars)
    move = np.log(closes(bars)).diff()
    rank = (move.rank(axis=1) - 1).div(move.notna().sum(axis=1) - 1, axis=0)
    for name in NAMES:
        np.testing.assert_allclose(found[name]["return_rank_panel_1"], on(bars, name, rank), atol=1e-12)


def test_the_volume_rank_compares_each_volume_with_its_own_mean():
    bars = panel()
    family = CrossAsset(return_windows=(), beta_windows=(), volume_windows=(24,))
    assert family.columns() == ("volume_rank_panel_24",)
    assert family.lookback(HOUR) == 25
    found = family.compute(bars)
    volume = pd.DataFrame({name: pd.Series(b.volume, b.open_time) for name, b in bars.items()}).sort_index()
    surprise = volume / volume.rolling(24).mean()
    rank = (surprise.rank(axis=1) - 1).div(surprise.notna().sum(axis=1) - 1, axis=0)
    for name in NAMES:
        np.testing.assert_allclose(found[name]["volume_rank_panel_24"], on(bars, name, rank), atol=1e-12)
    with pytest.raises(StageError, match="volume_windows"):
        CrossAsset(volume_windows=(1,))


def test_a_symbol_has_no_return_across_its_own_pause():
    bars = panel()
    found = CrossAsset(return_windows=(1,)).compute(bars)["C"]["relative_return_1"]
    assert np.isnan(found[150])
    assert np.isfinite(found[151:]).all()


def test_a_weekend_that_all_share_is_no_gap():
    bars = {name: walk(120, seed) for seed, name in enumerate("XY")}
    shift = np.where(np.arange(120) >= 60, 48 * HOUR, 0)
    later = {name: replace(b, open_time=b.open_time + shift) for name, b in bars.items()}
    family = CrossAsset(return_windows=(1,), beta_windows=(20,))
    there, here = family.compute(later), family.compute(bars)
    for name in "XY":
        for column, values in there[name].items():
            np.testing.assert_array_equal(values, here[name][column])


def test_a_symbol_that_stands_alone_has_nothing_to_compare_with():
    found = CrossAsset().compute({"A": walk(200)})["A"]
    assert all(np.isnan(values).all() for values in found.values())


def test_live_equals_batch_from_exactly_the_lookback():
    bars = panel()
    family = CrossAsset(lead="A", volume_windows=(24,))
    batch = family.compute(bars)
    lookback = family.lookback(HOUR)
    start = bars["A"].open_time[-lookback]
    recent = {
        name: cut(b, int(np.searchsorted(b.open_time, start)), len(b))
        for name, b in bars.items()
        if b.open_time[-1] >= start
    }
    live = family.compute(recent)
    for name in ("A", "B", "C"):
        for column, values in live[name].items():
            expected = batch[name][column][-1]
            np.testing.assert_allclose(values[-1], expected, rtol=1e-9, atol=1e-13, err_msg=column)


def test_a_lead_that_is_not_there_is_named():
    with pytest.raises(StageError, match="Did you mean 'BTC/USDT'"):
        CrossAsset(lead="BTC/USD").compute({"BTC/USDT": walk(10), "ETH/USDT": walk(10)})
