"""Where rounding decides: what looks unstable and is not, and what tsfresh itself does not decide."""

from __future__ import annotations

import numpy as np
import pytest

from onward.features.tsfresh import extract_rolling
from tests.unit.features.tsfresh.tsfresh_windows import by_tsfresh, differs

tsfresh = pytest.importorskip("tsfresh", reason="needs the automl extra")

REGRESSIONS = {
    "ar_coefficient": [{"coeff": coeff, "k": 10} for coeff in range(11)],
    "augmented_dickey_fuller": [{"attr": attr} for attr in ("teststat", "pvalue", "usedlag")],
}
ENTROPY = {"fourier_entropy": [{"bins": 2}]}
ERRORS = {"linear_trend": [{"attr": "stderr"}, {"attr": "intercept_stderr"}]}
LINES = ("slope", "intercept", "rvalue", "pvalue", "stderr", "intercept_stderr")


def ours(x, parameters):
    return extract_rolling(x, window=len(x), parameters=parameters).features.to_numpy()[0]


def a_unit_away(x, count=40):
    """Return windows whose values are moved by one unit in the last place, some up, some not at all."""
    draw = np.random.default_rng(7)
    return np.stack([np.where(draw.random(len(x)) < 0.5, np.nextafter(x, np.inf), x) for _ in range(count)])


@pytest.mark.parametrize("level", [1e3, 1e6, 1e7, 1e9, 1e12])
def test_regressions_on_a_high_level_drop_the_directions_that_tsfreshs_drop(level):
    """At 1e12 the constant is the level to the last digit: statsmodels takes it for no direction at all."""
    for seed in range(3):
        x = level + np.random.default_rng(seed).normal(size=48)
        assert not differs(ours(x, REGRESSIONS), by_tsfresh(x[None], REGRESSIONS)[0], 1.0).any()


@pytest.mark.parametrize("scale", [1e150, 1e154, 1e160, 1e200, 1e300])
def test_a_line_through_variances_that_overflow_is_undefined(scale):
    parts = {
        "agg_linear_trend": [
            {"attr": attr, "chunk_len": part, "f_agg": how}
            for attr in LINES
            for part in (5, 10)
            for how in ("mean", "var", "max")
        ],
        "linear_trend": [{"attr": attr} for attr in LINES],
    }
    x = np.random.default_rng(0).normal(size=48) * scale
    values, reference = ours(x, parts), by_tsfresh(x[None], parts)[0]
    assert np.isnan(reference).any() == (scale > 1e153)
    assert not differs(values, reference, scale).any()


@pytest.mark.parametrize(
    ("length", "pair"), [(6, (0.3, 0.7)), (8, (1.0, -1.0)), (16, (0.0, 1.0)), (20, (1.0, -1.0))]
)
def test_tsfresh_does_not_decide_the_entropy_of_an_alternating_window(length, pair):
    """Half of the peak's density lies beside it: exactly on the edge of two bins."""
    x = np.resize(pair, length)
    known = {round(float(value), 9) for value in by_tsfresh(a_unit_away(x), ENTROPY)[:, 0]}
    assert len(known) > 1
    assert round(float(ours(x, ENTROPY)[0]), 9) in known


@pytest.mark.parametrize(
    ("slope", "intercept", "length"),
    [(0.1, 3.0, 48), (7 / 3, 1 / 3, 100), (0.1, 100.0, 500), (0.01, 100.0, 500)],
)
def test_tsfresh_does_not_decide_the_error_of_an_exact_line(slope, intercept, length):
    """One less the square of a correlation of 1: what is left is rounding."""
    x = intercept + slope * np.arange(length)
    reference = by_tsfresh(a_unit_away(x), ERRORS)
    assert (reference.max(axis=0) > 1.1 * reference.min(axis=0)).all()
    values = ours(x, ERRORS)
    assert (values >= 0.0).all()
    assert (values < 1e-7 * slope * np.array([1.0, length])).all()
