from __future__ import annotations

import json
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from onward.errors import StageError
from onward.features.cache import FeatureCache
from onward.features.manual import Alpha158Stage, ManualFeaturesStage
from onward.features.pipeline import FeaturePipeline, FittedPipeline, nan_ledger
from onward.testing.markets import planted_signal, random_walk
from onward.testing.stages import contract_markets
from onward.types import Spans

HOUR = pd.Timedelta("1h")
CASES = {str(case): case.market for case in contract_markets(1_450)}


class Plain:
    """A stage whose result can be spoilt."""

    scope = "symbol"
    lookback = 2

    def __init__(self, name="plain", change=lambda table: table, columns=("a", "b")):
        self.name, self.change = name, change
        self.names = tuple(f"{name}__{column}" for column in columns)

    def columns(self):
        return self.names

    def compute(self, market):
        close = market.bars["close"]
        table = pd.DataFrame({name: close * (i + 1.0) for i, name in enumerate(self.names)})
        return self.change(table)


class Centre:
    """A fitted stage: subtracts the training mean and drops a column."""

    name = "centre"
    made: ClassVar[list[int]] = []

    def __init__(self, drop=1):
        self.drop = drop

    def fit(self, X, y, *, spans, weight=None, seed=0):
        self.made.append(seed)
        kept = X.iloc[:, self.drop :]
        self.mean_ = {name: float(value) for name, value in kept.mean().items()}
        return self

    def transform(self, X):
        return X[list(self.mean_)] - pd.Series(self.mean_)

    def to_json(self):
        return {"drop": self.drop, "mean": self.mean_}

    @classmethod
    def from_json(cls, state):
        stage = cls(state["drop"])
        stage.mean_ = state["mean"]
        return stage


def rows_of(table):
    times = table.index.get_level_values(1)
    return np.zeros(len(table), dtype=np.int64), Spans.from_times(times, times, table.index)


def test_the_matrix_is_float32_in_plan_order():
    market = random_walk(400)
    stages = [Alpha158Stage(timeframe=HOUR), ManualFeaturesStage(["price"], timeframe=HOUR), Plain()]
    pipeline = FeaturePipeline(stages)
    table = pipeline.compute(market)
    assert tuple(table.columns) == pipeline.columns()
    assert pipeline.columns() == tuple(c for stage in stages for c in stage.columns())
    assert table.index.equals(market.bars.index)
    assert (table.dtypes == np.float32).all()
    assert pipeline.lookback == max(stage.lookback for stage in stages)
    for stage in stages:
        part = stage.compute(market).astype(np.float32)
        pd.testing.assert_frame_equal(table[list(stage.columns())], part, check_exact=True)


@pytest.mark.parametrize("name", CASES)
def test_latest_equals_the_newest_rows_of_the_whole(name):
    market = CASES[name]
    pipeline = FeaturePipeline([ManualFeaturesStage.for_market(market), Alpha158Stage.for_market(market)])
    whole = pipeline.compute(market)
    latest = pipeline.latest(market)
    expected = whole.groupby(level=0).tail(1)
    assert latest.index.equals(expected.index)
    assert len(market) > pipeline.lookback
    scale = np.sqrt(np.nanmean(np.square(whole.to_numpy(np.float64)), axis=0))
    a, b = latest.to_numpy(np.float64), expected.to_numpy(np.float64)
    np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
    # Both were rounded to float32 at the end: at most one step of it apart.
    assert (np.isnan(a) | (np.abs(a - b) <= np.abs(b) * 1.3e-7 + 1e-9 * scale)).all()


def test_latest_of_an_empty_market_is_empty():
    market = random_walk(10)
    pipeline = FeaturePipeline([Plain()])
    assert len(pipeline.latest(market.between(None, market.open_time[0]))) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.iloc[1:], "other rows"),
        (lambda t: pd.concat([t, t.tail(1)]), "21 rows; allowed: 20 rows"),
        (lambda t: t.iloc[:0], "0 rows"),
        (lambda t: t.reset_index(drop=True), "another index: row 0 is 0, not"),
        (lambda t: t.iloc[::-1], "another index: row 0 is"),
        (lambda t: t.rename(columns={"plain__b": "plain__bb"}), "Did it mean 'plain__bb'"),
        (lambda t: t[["plain__b", "plain__a"]], "another order: plain__b where plain__a should stand"),
        (lambda t: t.drop(columns="plain__a"), "missing: plain__a; not declared: none"),
        (lambda t: t.set_axis(["plain__a", "plain__a"], axis=1), "plain__a more than once"),
        (lambda t: t.set_axis(["plain__a", 7], axis=1), "not declared: 7"),
        (lambda t: t.set_axis(pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")]), axis=1), "other columns"),
        (lambda t: t.assign(plain__c=1.0), "not declared: plain__c"),
        (lambda t: t.assign(plain__b=np.inf), "plain__b at SYNTH/USD 2020-01-01"),
        (lambda t: t.assign(plain__b=1e300), "beyond float32.*plain__b"),
        (lambda t: t.assign(plain__b="x"), "not float64.*plain__b"),
        (lambda t: t.assign(plain__b=t["plain__b"] > 0), "not float64.*bool"),
        (lambda t: t.assign(plain__b=-np.inf), "infinite.*plain__b"),
        (lambda t: t.astype("float32"), "not float64.*plain__a of type float32"),
        (lambda t: t.astype({"plain__b": "int64"}), "plain__b of type int64"),
        (lambda t: t.astype({"plain__b": "Float64"}), "plain__b of type Float64"),
        (lambda t: t.assign(plain__b=None), "plain__b of type object"),
        (lambda t: t["plain__a"], "not give a table; got pandas.*Series"),
        (lambda t: t.to_numpy(), "not give a table; got numpy.ndarray"),
        (lambda t: None, "not give a table; got builtins.NoneType"),
    ],
)
def test_a_stage_that_breaks_its_contract_is_named(change, message):
    with pytest.raises(StageError, match=message):
        FeaturePipeline([Plain(change=change)]).compute(random_walk(20))


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([], "no causal stage"),
        ([Plain(), Plain()], "share a name"),
        ([Plain(columns=("a", "a"))], "names its columns wrongly"),
        ([Plain(columns=())], "no column"),
    ],
)
def test_a_plan_that_cannot_work_is_refused(stages, message):
    with pytest.raises(StageError, match=message):
        FeaturePipeline(stages)


def test_columns_without_the_prefix_are_refused():
    stage = Plain()
    stage.names = ("a",)
    with pytest.raises(StageError, match="begin with 'plain__'"):
        FeaturePipeline([stage])


@pytest.mark.parametrize("column", [7, None, ("plain__a", "x")])
def test_columns_that_are_no_names_are_refused(column):
    stage = Plain()
    stage.names = (column,)
    with pytest.raises(StageError, match="names its columns wrongly"):
        FeaturePipeline([stage])


@pytest.mark.parametrize("lookback", [0, -3, 2.5, None, True, "24"])
def test_a_lookback_that_is_no_number_of_bars_is_refused(lookback):
    stage = Plain()
    stage.lookback = lookback
    with pytest.raises(StageError, match="does not say how many bars it needs; got lookback = "):
        FeaturePipeline([stage])


def test_what_one_stage_breaks_leaves_no_entry_in_the_cache(tmp_path):
    class Broken(ManualFeaturesStage):
        def compute_into(self, market, out, done=None):
            super().compute_into(market, out, done)
            out[3, 0] = np.inf

    Broken.__module__ = ManualFeaturesStage.__module__
    pipeline = FeaturePipeline([Broken(["price"], timeframe=HOUR)], cache=FeatureCache(tmp_path))
    with pytest.raises(StageError, match="infinite"):
        pipeline.compute(random_walk(50))
    assert list(tmp_path.iterdir()) == []


def test_the_causal_part_is_rebuilt_from_its_specification():
    market = planted_signal(300)
    pipeline = FeaturePipeline([ManualFeaturesStage.for_market(market)], dtype=np.float64)
    again = FeaturePipeline.from_spec(json.loads(json.dumps(pipeline.spec())))
    assert again.dtype == np.float64
    pd.testing.assert_frame_equal(again.compute(market), pipeline.compute(market), check_exact=True)
    with pytest.raises(StageError, match="cannot be saved"):
        FeaturePipeline([Plain()]).spec()


@pytest.mark.parametrize("template", [Centre, Centre(1), lambda: Centre(1)], ids=["class", "object", "call"])
def test_fitted_stages_learn_from_the_rows_given(template):
    market = random_walk(100)
    pipeline = FeaturePipeline([Plain(columns=("a", "b", "c"))], [template, template])
    table = pipeline.compute(market)
    train = table.iloc[:40]
    y, spans = rows_of(train)
    Centre.made.clear()
    fitted = pipeline.fit(train, y, spans=spans, seed=5)
    assert Centre.made[0] == 5
    assert len(set(Centre.made)) == 2
    assert fitted.output_columns == ("plain__c",)
    found = fitted.transform(table)
    expected = table["plain__c"] - train["plain__c"].mean()
    np.testing.assert_allclose(found["plain__c"], expected, atol=1e-4)
    assert not hasattr(template, "mean_")


def test_a_row_ignores_its_batch_and_columns_are_matched_by_name():
    market = random_walk(100)
    pipeline = FeaturePipeline([Plain(columns=("a", "b", "c"))], [Centre])
    table = pipeline.compute(market)
    fitted = pipeline.fit(table, *rows_of(table)[:1], spans=rows_of(table)[1])
    whole = fitted.transform(table)
    pd.testing.assert_frame_equal(fitted.transform(table.iloc[[7]]), whole.iloc[[7]], check_exact=True)
    shuffled = table[["plain__c", "plain__a", "plain__b"]].assign(extra=1.0)
    pd.testing.assert_frame_equal(fitted.transform(shuffled), whole, check_exact=True)
    with pytest.raises(StageError, match="1 missing, first 'plain__b'"):
        fitted.transform(table.drop(columns="plain__b"))


def test_the_fitted_part_goes_through_json():
    table = FeaturePipeline([Plain(columns=("a", "b"))]).compute(random_walk(50))
    pipeline = FeaturePipeline([Plain(columns=("a", "b"))], [Centre])
    fitted = pipeline.fit(table, rows_of(table)[0], spans=rows_of(table)[1])
    state = json.loads(json.dumps(fitted.to_json()))
    again = FittedPipeline.from_json(state, {"centre": Centre})
    pd.testing.assert_frame_equal(again.transform(table), fitted.transform(table), check_exact=True)
    assert again.to_json() == fitted.to_json()
    with pytest.raises(StageError, match="no stage of this name"):
        FittedPipeline.from_json(state)


def test_without_fitted_stages_everything_passes_through():
    table = FeaturePipeline([Plain()]).compute(random_walk(50))
    fitted = FeaturePipeline([Plain()]).fit(table, rows_of(table)[0], spans=rows_of(table)[1])
    assert fitted.transform(table) is table


def test_rows_that_do_not_fit_together_are_refused():
    pipeline = FeaturePipeline([Plain()], [Centre])
    table = pipeline.compute(random_walk(50))
    y, spans = rows_of(table)
    with pytest.raises(StageError, match="y of 49"):
        pipeline.fit(table, y[1:], spans=spans)
    with pytest.raises(StageError, match="weight of 3"):
        pipeline.fit(table, y, spans=spans, weight=np.ones(3))
    with pytest.raises(StageError, match="X of 0"):
        pipeline.fit(table.iloc[:0], y[:0], spans=spans.take(np.arange(0)))


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (lambda X: X.iloc[:-1], "other rows"),
        (lambda X: X.iloc[::-1], "other rows"),
        (lambda X: X.iloc[:, :0], "leaves no column"),
        (lambda X: X.to_numpy(), "not give a table; got numpy.ndarray"),
        (lambda X: X.iloc[:, [0, 0]], "gives a column twice; got plain__a"),
    ],
)
def test_a_fitted_stage_that_breaks_its_contract_is_named(transform, message):
    class Wrong(Centre):
        def transform(self, X):
            return transform(X)

    pipeline = FeaturePipeline([Plain()], [Wrong])
    table = pipeline.compute(random_walk(50))
    y, spans = rows_of(table)
    with pytest.raises(StageError, match=message):
        pipeline.fit(table, y, spans=spans)


def test_the_ledger_counts_what_is_not_known():
    market = random_walk(10)
    table = FeaturePipeline([Plain()]).compute(market)
    table.iloc[:4, 0] = np.nan
    table.iloc[:, 1] = np.nan
    ledger = nan_ledger(table)
    assert list(ledger.columns) == ["column", "count", "share", "first_valid"]
    assert list(ledger["column"]) == ["plain__a", "plain__b"]
    assert list(ledger["count"]) == [4, 10]
    assert list(ledger["share"]) == [0.4, 1.0]
    assert ledger["first_valid"][0] == market.open_time[4]
    assert ledger["first_valid"][1] is pd.NaT
    assert list(nan_ledger(table.iloc[:0])["count"]) == [0, 0]
