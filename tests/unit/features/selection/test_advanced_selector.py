from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from onward.errors import ConfigError, LabelError, NotEnoughDataError, StageError
from onward.features.selection.advanced import AdvancedFeatureSelector
from onward.features.selection.ledger import STEPS, ledger_frame, representative, steps_summary
from onward.testing.fitted_stages import example_training_rows
from onward.types import Spans

OFF = {
    "constant": False,
    "duplicates": False,
    "correlation": 1.0,
    "relevance": False,
    "mutual_information": False,
    "null_importance": False,
}


def only(**step):
    return AdvancedFeatureSelector(**{**OFF, "max_features": 1_000, **step})


def by_column(selector):
    return {record.column: record for record in selector.ledger_}


@pytest.fixture(scope="module")
def rows():
    return example_training_rows()


def wide_rows(seed: int = 0):
    """The example rows (a panel with a hole) beside twins and relatives from other stages."""
    X, y, spans = example_training_rows(seed=seed)
    generator = np.random.default_rng(seed)
    X = X.add_prefix("manual__")
    known = X["manual__known"]
    X["tsfresh__copy"] = known
    X["tsfresh__flipped"] = -2.0 * known + 1.0
    X["featuretools__monotone"] = np.exp(known / 5.0)
    X["tsfresh__almost"] = known + generator.normal(0, 0.01, len(X))
    X["tsfresh__relative"] = known + generator.normal(0, 0.2, len(X))
    X["tsfresh__width_copy"] = X["manual__width"]
    X["manual__flag"] = (generator.random(len(X)) < 0.003).astype(float)
    return X.astype(np.float32), y, spans


def test_the_ledger_tells_where_each_column_went_and_who_stands_for_it():
    X, y, spans = wide_rows()
    selector = AdvancedFeatureSelector(correlation=0.9).fit(X, y, spans=spans)
    fate = by_column(selector)
    assert list(fate) == list(X.columns)
    assert fate["manual__same"].step == fate["manual__never"].step == "constant"
    assert fate["manual__flag"].step == "constant"
    assert "one value in" in fate["manual__flag"].reason
    for twin, how in (
        ("tsfresh__copy", "equal to"),
        ("tsfresh__flipped", "a falling function of"),
        ("featuretools__monotone", "a rising function of"),
        ("tsfresh__almost", "near duplicate of"),
    ):
        assert (fate[twin].step, fate[twin].represented_by) == ("duplicate", "manual__known")
        assert fate[twin].reason.startswith(how)
    assert fate["tsfresh__width_copy"].represented_by == "manual__width"
    alike = {"manual__known", "tsfresh__relative"}
    (gone,) = (c for c in alike if fate[c].step == "correlation")
    assert fate[gone].represented_by in alike
    assert {"manual__width", *alike} - {gone} <= set(selector.columns_)
    assert all(record.step in (*STEPS, "kept") for record in selector.ledger_)
    assert {r.column for r in selector.ledger_ if r.kept} == set(selector.columns_)
    assert sum(steps_summary(selector.ledger_).values()) == X.shape[1]
    assert ledger_frame(selector.ledger_)["column"].tolist() == list(X.columns)
    assert representative(selector.ledger_, "tsfresh__flipped") in alike
    with pytest.raises(StageError, match="does not hold"):
        representative(selector.ledger_, "elsewhere")


def test_the_cheaper_of_two_twins_stays_and_costs_can_be_told():
    X, y, spans = wide_rows()
    chosen = only(duplicates=True, costs={"manual": 9.0, "tsfresh__copy": 0.5}).fit(X, y, spans=spans)
    fate = by_column(chosen)
    assert fate["manual__known"].represented_by == "tsfresh__copy"
    assert fate["tsfresh__flipped"].represented_by == "tsfresh__copy"
    assert fate["manual__width"].represented_by == "tsfresh__width_copy"


def test_every_step_can_be_switched_off():
    X, y, spans = wide_rows()
    selector = only().fit(X, y, spans=spans)
    # What cannot be ranked leaves in any case; everything else stays.
    assert set(X.columns) - set(selector.columns_) == {"manual__same", "manual__never"}
    assert all("not asked" in r.reason for r in selector.ledger_ if r.kept)
    steps = {
        "constant": only(constant=True),
        "duplicate": only(duplicates=True),
        "correlation": only(correlation=0.9),
        "relevance": only(relevance=True),
        "null_importance": only(null_importance=True, n_null=8),
        "places": only(max_features=7),
    }
    for step, stage in steps.items():
        gone = {r.step for r in stage.fit(X, y, spans=spans).ledger_} - {"kept"}
        assert gone == {"constant", step}
    assert len(steps["places"].columns_) == 7
    pearson = only(correlation=0.9, correlation_method="pearson").fit(X, y, spans=spans)
    assert {"tsfresh__copy", "tsfresh__flipped"} <= {
        r.column for r in pearson.ledger_ if r.step == "correlation"
    }


def test_information_finds_what_matters_at_both_ends():
    X, y, spans = example_training_rows()
    # No rising or falling relation with anything: the sign of the deviation does not count.
    sign = np.where(np.random.default_rng(5).random(len(X)) < 0.5, -1.0, 1.0)
    X["ends"] = (sign * X["width"]).astype(np.float32)
    X = X.drop(columns=["width"])
    blind = only(relevance=True).fit(X, y, spans=spans)
    seeing = only(relevance=True, mutual_information=True).fit(X, y, spans=spans)
    assert "ends" not in blind.columns_
    assert by_column(seeing)["ends"].reason.startswith("shape")
    assert by_column(seeing)["ends"].mutual_information > 0.05


def test_when_nothing_passes_the_best_are_kept_and_the_ledger_says_so():
    X, y, spans = example_training_rows(n_symbols=1)
    noise = X[[c for c in X.columns if c.startswith("noise")]]
    selector = AdvancedFeatureSelector(min_features=3, z=15.0).fit(noise, y, spans=spans)
    assert len(selector.columns_) == 3
    assert all(by_column(selector)[c].reason.startswith("fallback") for c in selector.columns_)


def test_places_are_limited_and_shared_with_the_range_class():
    X, y, spans = example_training_rows()
    generator = np.random.default_rng(0)
    for i in range(8):
        X[f"direction_{i}"] = (X["known"] + generator.normal(0, 1, len(X))).astype(np.float32)
    selector = AdvancedFeatureSelector(max_features=4, min_features=2, null_importance=False)
    selector.fit(X, y, spans=spans)
    assert len(selector.columns_) == 4
    assert "width" in selector.columns_
    assert steps_summary(selector.ledger_)["places"] > 0


def test_only_the_training_rows_count_and_their_order_in_the_frame_does_not_matter_to_names():
    X, y, spans = wide_rows()
    whole = AdvancedFeatureSelector(n_null=8).fit(X, y, spans=spans)
    shuffled = X[list(reversed(X.columns))]
    turned = AdvancedFeatureSelector(n_null=8, null_importance=False).fit(shuffled, y, spans=spans)
    straight = AdvancedFeatureSelector(n_null=8, null_importance=False).fit(X, y, spans=spans)
    assert set(turned.columns_) == set(straight.columns_)
    assert list(whole.columns_) == [c for c in X.columns if c in set(whole.columns_)]


def test_layout_and_type_of_the_frame_do_not_matter():
    X, y, spans = wide_rows()
    one = AdvancedFeatureSelector(n_null=8).fit(X, y, spans=spans)
    fortran = pd.DataFrame(np.asfortranarray(X.to_numpy()), index=X.index, columns=X.columns, copy=False)
    double = X.astype(np.float64)
    for other in (fortran, double):
        assert AdvancedFeatureSelector(n_null=8).fit(other, y, spans=spans).to_json() == one.to_json()


def test_the_input_is_left_alone(rows):
    X, y, spans = rows
    before = X.copy()
    AdvancedFeatureSelector(n_null=8).fit(X, y, spans=spans)
    pd.testing.assert_frame_equal(X, before, check_exact=True)


def test_a_bundle_carries_parameters_and_ledger(rows):
    X, y, spans = rows
    selector = AdvancedFeatureSelector(n_null=8, costs={"manual": 2.0}, n_threads=1).fit(X, y, spans=spans)
    state = json.loads(json.dumps(selector.to_json(), allow_nan=False))
    again = AdvancedFeatureSelector.from_json(state)
    assert again.ledger_ == selector.ledger_
    assert again.parameters.costs == {"manual": 2.0}
    assert "n_threads" not in state["parameters"]
    assert repr(selector) == "AdvancedFeatureSelector(costs={'manual': 2.0}, n_null=8, n_threads=1)"
    assert again.required_columns(("known", "elsewhere")) == ("known",)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"corelation": 0.9}, "correlation"),
        ({"correlation": 0.0}, "above 0"),
        ({"correlation": "high"}, "above 0"),
        ({"correlation_method": "kendall"}, "spearman or pearson"),
        ({"max_features": 0}, "1 or more"),
        ({"max_features": 2.5}, "1 or more"),
        ({"min_features": 31}, "up to 30"),
        ({"quasi_constant": 1.5}, "quasi_constant"),
        ({"null_share": 1.0}, "below 1"),
        ({"n_bins": 65}, "up to 64"),
        ({"n_shifts": 5}, "20 or more"),
        ({"z": float("nan")}, "finite"),
        ({"relevance": "yes"}, "true or false"),
        ({"costs": {"manual": -1}}, "costs"),
    ],
)
def test_wrong_parameters_are_refused(parameters, said):
    with pytest.raises(ConfigError, match=said):
        AdvancedFeatureSelector(**parameters)


def test_wrong_rows_are_refused(rows):
    X, y, spans = rows
    selector = AdvancedFeatureSelector()
    with pytest.raises(LabelError, match="class labels"):
        selector.fit(X, y * 0.5, spans=spans)
    with pytest.raises(LabelError, match="one class"):
        selector.fit(X, np.ones(len(y), dtype=int), spans=spans)
    with pytest.raises(StageError, match="weights"):
        selector.fit(X, y, spans=spans, weight=np.ones(3))
    with pytest.raises(StageError, match="twice"):
        selector.fit(pd.concat([X, X], axis=1), y, spans=spans)
    with pytest.raises(StageError, match="not numeric"):
        selector.fit(X.assign(known="a"), y, spans=spans)
    with pytest.raises(StageError, match="constant or unknown"):
        selector.fit(X[["same", "never"]], y, spans=spans)
    long = Spans(spans.index, spans.start, spans.start + 10**18)
    with pytest.raises(NotEnoughDataError):
        selector.fit(X, y, spans=long)
    assert only().fit(X, y, spans=long).columns_  # nothing is shifted: nothing is missing
    with pytest.raises(StageError, match="not fitted"):
        selector.transform(X)
