"""Every native feature equals tsfresh's own, on windows of every character."""

from __future__ import annotations

import numpy as np
import pytest

from onward.features.tsfresh import resolve_parameters, rolling_features
from tests.unit.features.tsfresh.tsfresh_windows import HOUR, by_tsfresh, characters, differs, undecided

tsfresh = pytest.importorskip("tsfresh", reason="needs the automl extra")

RARELY_UNDECIDED = {
    "augmented_dickey_fuller",
    "fourier_entropy",
    "fft_coefficient",
    "max_langevin_fixed_point",
}
"""Calculators whose cells may hang on rounding in these windows."""


def native(x, parameters):
    times = np.arange(len(x), dtype=np.int64) * HOUR
    return rolling_features(
        x, window=len(x), parameters=parameters, times=times.astype("datetime64[ns]"), threads=1
    ).to_numpy()[0]


@pytest.mark.parametrize("length", [48, 21, 7])
@pytest.mark.parametrize("character", list(characters(8)))
def test_every_feature_equals_tsfresh(character, length):
    x = characters(length, seed=length)[character]
    parameters = "comprehensive"
    reference = by_tsfresh(x[None], parameters)[0]
    values = native(x, parameters)
    apart = differs(values, reference, np.abs(x).max())
    if apart.any():
        names = np.array([f.calculator for f in resolve_parameters(parameters)])
        assert set(names[apart]) <= RARELY_UNDECIDED, (names[apart], values[apart], reference[apart])
        assert undecided(x, reference, parameters)[apart].all()
        assert np.array_equal(np.isnan(values[apart]), np.isnan(reference[apart]))


@pytest.mark.parametrize("length", [3, 100, 300])
def test_other_lengths_equal_tsfresh(length):
    parameters = "efficient"
    for character in ("walk", "tied"):
        x = characters(length, seed=length)[character]
        reference = by_tsfresh(x[None], parameters)[0]
        apart = differs(native(x, parameters), reference, np.abs(x).max())
        assert not apart.any() or undecided(x, reference, parameters)[apart].all()


def test_real_extraction_gives_the_same_columns_and_values():
    """tsfresh's own rolling and extraction, not its calculators one by one."""
    import warnings

    import pandas as pd
    from tsfresh import extract_features
    from tsfresh.feature_extraction import EfficientFCParameters
    from tsfresh.utilities.dataframe_functions import roll_time_series

    x = np.random.default_rng(11).normal(size=50)
    times = pd.date_range("2024-01-01", periods=50, freq="h")
    frame = pd.DataFrame({"id": 1, "time": times, "close": x})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rolled = roll_time_series(
            frame,
            column_id="id",
            column_sort="time",
            min_timeshift=47,
            max_timeshift=47,
            n_jobs=0,
            disable_progressbar=True,
        )
        theirs = extract_features(
            rolled,
            column_id="id",
            column_sort="time",
            default_fc_parameters=EfficientFCParameters(),
            n_jobs=0,
            disable_progressbar=True,
        )
        ours = rolling_features(
            pd.Series(x, index=times, name="close"), window=48, parameters=EfficientFCParameters()
        )
    untimed = [c for c in ours.columns if "timewise" not in c]
    assert len(untimed) == 777
    assert set(untimed) == set(theirs.columns)
    assert list(ours.index) == [when for _, when in theirs.index]
    reference = theirs[untimed].to_numpy(np.float64)
    assert not differs(ours[untimed].to_numpy(), reference, np.abs(x).max()).any()
