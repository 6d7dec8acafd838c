"""What no kernel computes goes through tsfresh in a process of its own, and says so."""

from __future__ import annotations

import importlib.util
import os
import signal
import time
import warnings

import numpy as np
import pandas as pd
import pytest

from onward.errors import ConfigError, StageError
from onward.features.tsfresh import FallbackWarning, Feature, extract_rolling, rolling_features
from onward.features.tsfresh.fallback import TsfreshProcess, exit_reason

HAS_TSFRESH = importlib.util.find_spec("tsfresh") is not None
with_tsfresh = pytest.mark.skipif(not HAS_TSFRESH, reason="needs the automl extra")


def spread(x):
    return float(np.max(x) - np.min(x))


def spread_over(x, by):
    return spread(x) / by


def by_index(x):
    return float((x.index[-1] - x.index[0]).total_seconds())


by_index.input = "pd.Series"
by_index.index_type = pd.DatetimeIndex


def picky(x):
    if x[0] > 2.0:
        raise ValueError("too large for me")
    return 1.0


def sleepy(x):
    time.sleep(60.0)
    return 0.0


def deadly(x):
    os.kill(os.getpid(), signal.SIGKILL)


@with_tsfresh
def test_other_features_are_computed_by_tsfresh_and_announced():
    x = np.random.default_rng(1).normal(size=40)
    wanted = {
        "mean": None,
        "augmented_dickey_fuller": [{"attr": "pvalue", "autolag": "t-stat"}],
        "change_quantiles": [
            {"ql": 0.1, "qh": 0.9, "isabs": True, "f_agg": "ptp"},
            {"ql": 0.1, "qh": 0.9, "isabs": True, "f_agg": "mean"},
        ],
        spread: None,
        spread_over: [{"by": 2.0}, {"by": 4.0}],
        by_index: None,
        picky: None,
    }
    times = pd.date_range("2024-01-01", periods=40, freq="h", tz="UTC")
    x[5] = 3.0
    result = extract_rolling(pd.Series(x, index=times), window=30, parameters=wanted, stride=5)
    report, features = result.report, result.features
    assert report.native == ("mean", 'change_quantiles__f_agg_"mean"__isabs_True__qh_0.9__ql_0.1')
    assert report.tsfresh == "0.21.2"
    assert len(report.fallback) == 7
    assert list(features.columns)[-5:] == [
        "value__spread",
        "value__spread_over__by_2.0",
        "value__spread_over__by_4.0",
        "value__by_index",
        "value__picky",
    ]
    windows = [x[start : start + 30] for start in (0, 5, 10)]
    np.testing.assert_allclose(features["value__spread"], [np.ptp(w) for w in windows])
    np.testing.assert_allclose(features["value__spread_over__by_4.0"], [np.ptp(w) / 4.0 for w in windows])
    assert (features["value__by_index"] == 29 * 3600.0).all()
    assert features["value__picky"].isna().tolist() == [False, True, False]
    assert report.errors == {"picky": "ValueError: too large for me"}
    assert features.iloc[:, 1].between(0.0, 1.0).all()

    calculators = pytest.importorskip("tsfresh.feature_extraction.feature_calculators")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = calculators.augmented_dickey_fuller(windows[2], [{"attr": "pvalue", "autolag": "t-stat"}])
    assert features.iloc[2, 1] == dict(expected)['attr_"pvalue"__autolag_"t-stat"']


def test_the_plain_call_warns():
    with pytest.warns(FallbackWarning, match="spread"):
        rolling_features(np.arange(6.0), window=5, parameters={spread: None})


def test_a_calculator_that_hangs_is_ended():
    before = time.monotonic()
    with pytest.raises(StageError, match="did not finish a chunk in time"):
        rolling_features(np.arange(6.0), window=5, parameters={sleepy: None}, timeout=0.5)
    assert time.monotonic() - before < 50.0


def test_a_killed_process_is_reported():
    with pytest.raises(StageError, match="killed by signal 9"):
        rolling_features(np.arange(6.0), window=5, parameters={deadly: None})


@with_tsfresh
def test_a_library_that_is_missing_is_named():
    wanted = {"matrix_profile": [{"feature": "min", "threshold": 0.98}]}
    with pytest.raises(ConfigError, match="not installed"):
        rolling_features(np.arange(30.0), window=25, parameters=wanted)


@pytest.mark.skipif(HAS_TSFRESH, reason="tsfresh is installed")
def test_without_tsfresh_the_remedy_is_named():
    wanted = {"augmented_dickey_fuller": [{"attr": "pvalue", "autolag": "t-stat"}]}
    with pytest.raises(ConfigError, match=r"onward\[automl\]"):
        rolling_features(np.arange(30.0), window=25, parameters=wanted)


def test_a_function_that_cannot_travel_is_refused_before_a_process_starts():
    lock = __import__("threading").Lock()

    def holding(x):
        with lock:
            return 0.0

    process = TsfreshProcess([Feature("holding", "holding", function=holding)], timeout=1.0)
    with pytest.raises(ConfigError, match="module of its own"):
        process.__enter__()


def test_nothing_starts_when_there_is_no_window_to_compute():
    result = extract_rolling([np.nan] * 6, window=5, parameters="minimal")
    assert result.features.isna().all().all()
    assert result.report.unknown_windows == 2


def test_exits_are_put_in_words():
    assert exit_reason(-9) == "killed by signal 9"
    assert exit_reason(3) == "exit code 3"
    assert exit_reason(None) == "no exit code"
