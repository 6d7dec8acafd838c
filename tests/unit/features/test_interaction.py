from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from onward.errors import StageError
from onward.features.manual.interaction import Interaction
from onward.features.manual.technical_oscillators import Oscillators
from onward.features.manual.technical_trend import Trend
from tests.unit.features.manual_bars import assert_promises, thin, walk


@pytest.mark.parametrize("make", [walk, thin])
def test_keeps_the_promises_of_a_family(make):
    assert_promises(Interaction(), make(), scale_free=make is walk)


def test_products_are_those_of_their_ingredients():
    bars = walk(600)
    close, volume = pd.Series(bars.close), pd.Series(bars.volume)
    returns = np.log(close).diff()
    short, long = returns.rolling(24).std(), returns.rolling(120).std()
    momentum = np.log(close).diff(24) / (short * np.sqrt(24))
    low, high = pd.Series(bars.low).rolling(120).min(), pd.Series(bars.high).rolling(120).max()
    found = Interaction().compute(bars)
    expected = {
        "momentum_x_volume": momentum * np.log(volume.rolling(24).mean() / volume.rolling(120).mean()),
        "momentum_x_volatility": momentum * np.log(short / long),
        "momentum_x_position": momentum * (2 * (close - low) / (high - low) - 1),
        "rsi_x_adx": (Oscillators().compute(bars)["rsi_14"] / 50 - 1) * Trend().compute(bars)["adx_14"] / 100,
        "shock_x_volume": returns / long * (volume - volume.rolling(120).mean()) / volume.rolling(120).std(),
    }
    assert tuple(expected) == Interaction().columns()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-7, atol=1e-10, err_msg=name)


def test_the_short_window_must_be_shorter():
    with pytest.raises(StageError, match="not shorter"):
        Interaction(short_window=50, long_window=50)
