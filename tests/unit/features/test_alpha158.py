from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from onward.errors import StageError
from onward.features.manual.alpha158 import PIECE, Alpha158
from tests.unit.features.manual_bars import REFERENCES, assert_promises, cut, frozen, sp500, thin, walk


@pytest.mark.parametrize("make", [walk, thin])
def test_keeps_the_promises_of_a_family(make):
    # The published 1e-12 in denominators is no ratio, so scale is free only on liquid markets.
    assert_promises(Alpha158(), make(1_000), scale_free=False)


def test_names_are_the_published_ones_in_their_order():
    published = json.loads((REFERENCES / "alpha158_formulas.json").read_text())["features"]
    assert Alpha158().columns() == tuple(feature["name"] for feature in published)
    assert len(Alpha158().columns()) == 158


def test_values_equal_the_published_implementation():
    bars, _ = sp500()
    expected = pd.read_csv(REFERENCES / "alpha158_values.csv")
    found = Alpha158().compute(bars)
    for name in Alpha158().columns():
        np.testing.assert_allclose(found[name][61:], expected[name][61:], rtol=2e-4, atol=2e-5, err_msg=name)


def test_windows_that_are_not_full_are_not_known():
    bars = walk(200)
    found = Alpha158().compute(bars)
    for window in (5, 10, 20, 30, 60):
        assert np.flatnonzero(~np.isnan(found[f"MA{window}"]))[0] == window - 1
        assert np.flatnonzero(~np.isnan(found[f"CORD{window}"]))[0] == window
        assert np.flatnonzero(~np.isnan(found[f"CNTP{window}"]))[0] == window
    assert Alpha158().lookback(bars.timeframe) == 61


def test_a_bar_without_volume_is_no_infinity():
    volume = walk(300).volume.copy()
    volume[100] = 0.0
    found = Alpha158().compute(frozen(replace(walk(300), volume=volume)))
    assert all(not np.isinf(values).any() for values in found.values())
    assert np.isnan(found["CORD5"][101:106]).all()
    assert np.isfinite(found["CORD5"][106:]).all()


def test_price_scale_does_not_matter():
    bars = walk(400)
    dearer = frozen(replace(bars, **{n: getattr(bars, n) * 32.0 for n in ("open", "high", "low", "close")}))
    cheap, dear = Alpha158().compute(bars), Alpha158().compute(dearer)
    for name, values in cheap.items():
        np.testing.assert_allclose(dear[name], values, rtol=1e-8, atol=1e-10, err_msg=name)


def test_refuses_windows_that_are_none():
    with pytest.raises(StageError, match="windows"):
        Alpha158(windows=(5, 5))


def test_long_histories_are_computed_in_pieces_that_do_not_show():
    rows = PIECE + 500
    bars = walk(rows)
    whole = Alpha158().compute(bars)
    around = Alpha158().compute(cut(bars, PIECE - 300, PIECE + 300))
    truncated = Alpha158().compute(cut(bars, 0, PIECE + 10))
    for name, values in whole.items():
        np.testing.assert_allclose(
            around[name][61:], values[PIECE - 239 : PIECE + 300], rtol=1e-9, atol=1e-11, err_msg=name
        )
        np.testing.assert_array_equal(truncated[name], values[: PIECE + 10], err_msg=name)
