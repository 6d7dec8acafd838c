"""The stage without autofeat: a saved state is all that it needs to transform."""

import copy
import json
import sys

import numpy as np
import pandas as pd
import pytest

from onward.errors import ConfigError, LabelError, NotEnoughDataError, StageError
from onward.features.autofeat import AutoFeatStage
from onward.types import Spans

INPUTS = ["manual__a", "manual__b", "manual__c"]


def state(**parameters):
    made = AutoFeatStage(**parameters).to_json()
    made["input_columns"] = list(INPUTS)
    made["report"]["status"] = "fitted"
    made["features"] = [
        {
            "name": "autofeat__manual__a*manual__b",
            "formula": "x000*x001",
            "inputs": {"x000": "manual__a", "x001": "manual__b"},
            "z_direction": 3.0,
            "z_range": 0.5,
        },
        {
            "name": "autofeat__exp(manual__c)",
            "formula": "exp(x002)",
            "inputs": {"x002": "manual__c"},
            "z_direction": 0.0,
            "z_range": 2.0,
        },
    ]
    return made


def rows(n=6, dtype=np.float32):
    values = np.random.default_rng(0).standard_normal((n, 4)).astype(dtype)
    index = pd.MultiIndex.from_product([["BTC"], pd.date_range("2024-01-01", periods=n, freq="h", tz="UTC")])
    return pd.DataFrame(values, index=index, columns=["other", *INPUTS])


def training(n=300):
    X = rows(n)[INPUTS]
    times = X.index.get_level_values(1)
    y = np.random.default_rng(1).integers(-1, 2, n)
    return X, y, Spans.from_times(times, times + pd.Timedelta("4h"), X.index)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_generated_columns_stand_behind_the_input(dtype):
    X = rows(dtype=dtype)
    given = X.copy()
    table = AutoFeatStage.from_json(state()).transform(X)
    assert list(table.columns) == [*INPUTS, "autofeat__manual__a*manual__b", "autofeat__exp(manual__c)"]
    assert set(table.dtypes) == {np.dtype(dtype)}
    assert table.index.equals(X.index)
    product = X["manual__a"].to_numpy(np.float64) * X["manual__b"].to_numpy(np.float64)
    np.testing.assert_array_equal(table.iloc[:, 3], product.astype(dtype))
    pd.testing.assert_frame_equal(X, given)


def test_generated_columns_can_stand_alone():
    table = AutoFeatStage.from_json(state(generated_only=True)).transform(rows())
    assert list(table.columns) == ["autofeat__manual__a*manual__b", "autofeat__exp(manual__c)"]


def test_unknown_inputs_and_what_the_type_cannot_hold_are_unknown():
    X = rows()
    X.iloc[1, 1] = np.nan
    X.iloc[2, 3] = 100.0  # its exponential is beyond float32
    X.iloc[3, 2] = np.inf
    table = AutoFeatStage.from_json(state()).transform(X)
    assert table.iloc[:, 3].isna().tolist() == [False, True, False, True, False, False]
    assert table.iloc[:, 4].isna().tolist() == [False, False, True, False, False, False]


def test_a_row_ignores_its_batch():
    X, stage = rows(50), AutoFeatStage.from_json(state())
    whole = stage.transform(X)
    for row in (0, 13, 49):
        pd.testing.assert_frame_equal(stage.transform(X.iloc[[row]]), whole.iloc[[row]], check_exact=True)


def test_the_json_round_trip_changes_nothing():
    given = json.loads(json.dumps(state(max_gb=1.5, transformations=["log", "^2"], min_z=None)))
    stage = AutoFeatStage.from_json(copy.deepcopy(given))
    assert stage.to_json() == given
    assert stage.parameters.transformations == ("log", "^2")


def test_a_missing_column_is_named():
    with pytest.raises(StageError, match="1 missing, first 'manual__b'"):
        AutoFeatStage.from_json(state()).transform(rows().drop(columns="manual__b"))


def test_transform_before_fit_is_refused():
    with pytest.raises(StageError, match="not fitted yet"):
        AutoFeatStage().transform(rows())


def test_hostile_states_are_refused():
    hostile = state()
    hostile["features"][0]["formula"] = "__import__('os').system('true')"
    with pytest.raises(StageError, match="a formula is not understood"):
        AutoFeatStage.from_json(hostile)
    hostile = state()
    hostile["features"][0]["formula"] = "x000*x009"
    with pytest.raises(StageError, match="needs 'x009'"):
        AutoFeatStage.from_json(hostile)
    hostile = state()
    hostile["features"][0]["inputs"]["x000"] = "absent"
    with pytest.raises(StageError, match="over 'absent', which is no input column"):
        AutoFeatStage.from_json(hostile)
    for broken in ({}, {**state(), "features": [{}]}, {**state(), "report": {}}, {**state(), "features": 3}):
        with pytest.raises(StageError, match="not the state of an AutoFeatStage"):
            AutoFeatStage.from_json(broken)


def test_without_autofeat_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "autofeat", None)
    X, y, spans = training()
    with pytest.raises(StageError, match=r'autofeat is not installed.*pip install "onward\[automl\]"'):
        AutoFeatStage().fit(X, y, spans=spans)


@pytest.mark.parametrize("generated_only", [False, True])
def test_a_failure_can_be_skipped_and_is_reported(monkeypatch, generated_only):
    monkeypatch.setitem(sys.modules, "autofeat", None)
    X, y, spans = training()
    stage = AutoFeatStage(on_failure="skip", generated_only=generated_only).fit(X, y, spans=spans)
    assert stage.report.status == "skipped"
    assert "autofeat is not installed" in stage.report.reason
    pd.testing.assert_frame_equal(stage.transform(X), X)
    again = AutoFeatStage.from_json(json.loads(json.dumps(stage.to_json())))
    assert again.report == stage.report
    pd.testing.assert_frame_equal(again.transform(X), X)


def test_mistakes_are_not_skipped():
    X, y, spans = training()
    stage = AutoFeatStage(on_failure="skip")
    with pytest.raises(StageError, match="differs in length"):
        stage.fit(X, y[:-1], spans=spans)
    with pytest.raises(LabelError, match="needs class labels"):
        stage.fit(X, y * 0.5, spans=spans)
    with pytest.raises(StageError, match="a column name occurs twice; got 'manual__a'"):
        stage.fit(X.set_axis(["manual__a", "manual__a", "manual__c"], axis=1), y, spans=spans)


def test_one_class_and_too_few_rows():
    pytest.importorskip("autofeat", reason="autofeat is an extra")
    X, y, spans = training()
    with pytest.raises(LabelError, match="one class only"):
        AutoFeatStage().fit(X, np.ones_like(y), spans=spans)
    late = np.where(np.arange(len(y)) < 150, y, 1)
    with pytest.raises(NotEnoughDataError, match="a part of the training rows holds one class only"):
        AutoFeatStage().fit(X, late, spans=spans)
    X, y, spans = training(20)
    with pytest.raises(NotEnoughDataError, match="too few"):
        AutoFeatStage().fit(X, y, spans=spans)
    assert AutoFeatStage(on_failure="skip").fit(X, y, spans=spans).report.status == "skipped"


@pytest.mark.parametrize(
    ("parameter", "wrong"),
    [
        ("feateng_steps", 0),
        ("feateng_steps", 6),
        ("feateng_steps", 2.0),
        ("feateng_steps", True),
        ("featsel_runs", 0),
        ("max_inputs", 1),
        ("max_inputs", 1000),
        ("max_rows", 10),
        ("max_candidates", 3),
        ("max_candidates", "all"),
        ("max_generated", 1),
        ("max_formulas", 0),
        ("min_z", float("nan")),
        ("confirm_share", 0),
        ("confirm_share", 0.9),
        ("max_correlation", 0),
        ("max_correlation", 1.1),
        ("n_shifts", 5),
        ("max_gb", 0),
        ("max_gb", float("inf")),
        ("timeout_seconds", -1),
        ("threads", 0),
        ("generated_only", "yes"),
        ("on_failure", "ignore"),
        ("transformations", ()),
        ("transformations", ("log", "log")),
    ],
)
def test_parameters_are_checked(parameter, wrong):
    with pytest.raises(ConfigError, match=f"autofeat parameter {parameter} is out of range"):
        AutoFeatStage(**{parameter: wrong})


def test_an_unknown_transformation_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match=r"got 'exp\+'; allowed: 1/, exp.*Did you mean 'exp-?'\?"):
        AutoFeatStage(transformations=("exp+",))
