"""What no kernel computes goes through tsfresh in a process of its own, and says so."""

from __future__ import annotations

import importlib.util
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from onward.errors import ConfigError
from onward.features.isolation import ChildKilledError, ChildTimeoutError
from onward.features.pipeline import FeaturePipeline
from onward.features.tsfresh import FallbackWarning, Feature, extract_rolling, fallback, rolling_features
from onward.features.tsfresh.fallback import TsfreshProcess
from onward.features.tsfresh.functions import address_of, load_function
from onward.features.tsfresh.stage import TSFreshStage
from onward.testing.markets import random_walk
from tests.unit.features.tsfresh.tsfresh_calculators import (
    by_index,
    combined,
    deadly,
    picky,
    scaled,
    sleepy,
    spread,
    spread_over,
)

HAS_TSFRESH = importlib.util.find_spec("tsfresh") is not None
with_tsfresh = pytest.mark.skipif(not HAS_TSFRESH, reason="needs the automl extra")


HERE = "tests.unit.features.tsfresh.tsfresh_calculators"


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
    assert report.raised == {"picky": 1}
    assert features.iloc[:, 1].between(0.0, 1.0).all()

    calculators = pytest.importorskip("tsfresh.feature_extraction.feature_calculators")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = calculators.augmented_dickey_fuller(windows[2], [{"attr": "pvalue", "autolag": "t-stat"}])
    assert features.iloc[2, 1] == dict(expected)['attr_"pvalue"__autolag_"t-stat"']


def test_the_plain_call_warns():
    with pytest.warns(FallbackWarning, match="spread"):
        rolling_features(np.arange(6.0), window=5, parameters={spread: None})


def test_the_warning_names_what_raised_and_how_often():
    values = pd.DataFrame({"a": [3.0, 3.0, 0.0, 0.0], "b": [3.0, 0.0, 0.0, 0.0]})
    with pytest.warns(FallbackWarning) as caught:
        features = rolling_features(values, window=2, parameters={picky: None, spread: None})
    assert "picky raised ValueError: too large for me in 3 windows; its cells are NaN" in str(
        caught[0].message
    )
    assert "spread raised" not in str(caught[0].message)
    assert features["a__picky"].isna().tolist() == [True, True, False]
    assert features["b__picky"].isna().tolist() == [True, False, False]


@pytest.mark.parametrize(
    "asked", [{scaled: [{"by": 2.0}, {"by": 0.0}]}, {combined: [{"by": 2.0}, {"by": 0.0}]}]
)
def test_one_dictionary_that_raises_takes_no_other_with_it(asked):
    result = extract_rolling(np.arange(4.0), window=3, parameters=asked)
    name = next(iter(asked)).__name__
    assert result.features[f"value__{name}__by_2.0"].tolist() == [1.0, 1.5]
    assert result.features[f"value__{name}__by_0.0"].isna().all()
    assert result.report.errors == {f"{name}__by_0.0": "ZeroDivisionError: float division by zero"}
    assert result.report.raised == {f"{name}__by_0.0": 2}


def test_in_a_pipeline_what_raised_is_said_too():
    """Columns of NaN that nobody explained look like data that are missing."""
    walk = random_walk(30)
    stage = TSFreshStage(["close"], windows=[5, 4], parameters={f"{HERE}:scaled": [{"by": 0.0}, {"by": 2.0}]})
    with pytest.warns(FallbackWarning) as caught:
        table = FeaturePipeline([stage]).compute(walk)
    assert str(caught[0].message) == (
        "the stage 'tsfresh': scaled__by_0.0 raised ZeroDivisionError: float division by zero in 53 windows; "
        "its cells are NaN"
    )
    assert len(caught) == 1
    assert table["tsfresh__close__5__scaled__by_2.0"].notna().sum() == 26
    assert table["tsfresh__close__5__scaled__by_0.0"].isna().all()


def test_a_calculator_may_be_named_by_its_address():
    frame = rolling_features_quietly([1.0, 2.0, 5.0], {f"{HERE}:spread": None})
    assert frame["value__spread"].tolist() == [4.0]


def rolling_features_quietly(values, parameters):
    return extract_rolling(values, window=3, parameters=parameters).features


def test_a_calculator_that_hangs_is_ended():
    before = time.monotonic()
    with pytest.raises(ChildTimeoutError, match="did not finish a chunk in time"):
        rolling_features(np.arange(6.0), window=5, parameters={sleepy: None}, timeout=0.5)
    assert time.monotonic() - before < 50.0


def test_a_killed_process_is_reported():
    with pytest.raises(ChildKilledError, match="SIGKILL"):
        rolling_features(np.arange(6.0), window=5, parameters={deadly: None})


@with_tsfresh
def test_a_library_that_is_missing_is_named():
    wanted = {"matrix_profile": [{"feature": "min", "threshold": 0.98}]}
    with pytest.raises(ConfigError, match="matrixprofile") as refusal:
        rolling_features(np.arange(30.0), window=25, parameters=wanted)
    assert "not installed" in refusal.value.what
    assert "automl" not in str(refusal.value)
    assert "Leave the calculator out" in str(refusal.value.remedy)


@pytest.mark.skipif(HAS_TSFRESH, reason="tsfresh is installed")
def test_without_tsfresh_the_remedy_is_named():
    wanted = {"augmented_dickey_fuller": [{"attr": "pvalue", "autolag": "t-stat"}]}
    with pytest.raises(ConfigError, match=r"onward\[automl\]"):
        rolling_features(np.arange(30.0), window=25, parameters=wanted)


def holding(x):
    def inner(y):
        return 0.0

    return inner


@pytest.mark.parametrize("function", [lambda x: 0.0, holding(None), np.ptp.__call__])
def test_a_function_that_cannot_be_imported_is_refused_before_a_process_starts(function):
    with pytest.raises(ConfigError, match="module of its own"):
        TsfreshProcess([Feature("mine", "mine", function=function)], timeout=1.0)


def test_functions_of_the_running_script_are_refused(monkeypatch):
    monkeypatch.setattr(spread, "__module__", "__main__")
    with pytest.raises(ConfigError, match="none of a script"):
        address_of(spread)


def test_addresses_lead_back_to_functions():
    assert load_function(address_of(spread)) is spread
    assert load_function("builtins:len") is len


@pytest.mark.parametrize("address", ["nowhere:f", f"{HERE}:absent", f"{HERE}:NO_FUNCTION", ":f", "math:"])
def test_addresses_that_lead_nowhere_are_answered(address):
    with pytest.raises(ConfigError, match="address"):
        rolling_features(np.arange(6.0), window=5, parameters={address: None})


def test_parameters_that_cannot_be_written_down_are_refused():
    feature = Feature("spread", "spread", {"by": object()}, function=spread)
    with pytest.raises(ConfigError, match="plain values"):
        TsfreshProcess([feature], timeout=1.0)


def test_nothing_is_unpickled():
    package = Path(fallback.__file__).parent
    assert not [path.name for path in package.glob("*.py") if "pickle" in path.read_text(encoding="utf-8")]


def test_nothing_starts_when_there_is_no_window_to_compute():
    result = extract_rolling([np.nan] * 6, window=5, parameters="minimal")
    assert result.features.isna().all().all()
    assert result.report.unknown_windows == 2
