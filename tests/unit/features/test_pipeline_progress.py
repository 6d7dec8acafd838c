"""The bar of the causal computation keeps its pace, whatever the stages cost."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from onward.features.cache import FeatureCache
from onward.features.description import FeatureInfo
from onward.features.manual import Alpha158Stage, ManualFeaturesStage
from onward.features.pipeline import FeaturePipeline
from onward.features.work_progress import READING_MICROSECONDS, UNKNOWN_MICROSECONDS, WorkProgress
from onward.testing.markets import random_walk

HOUR = pd.Timedelta("1h")


class Costly:
    """A stage of two columns that says what they cost."""

    scope = "symbol"
    lookback = 3

    def __init__(self, name, microseconds):
        self.name, self.microseconds = name, microseconds

    def columns(self):
        return (f"{self.name}__a", f"{self.name}__b")

    def describe(self):
        return tuple(FeatureInfo(c, self.name, "some", 3, self.microseconds) for c in self.columns())

    def compute_into(self, market, out, done=None):
        for number in range(2):
            out[:, number] = 1.0
            if done is not None:
                done(number + 1, self.columns()[number])

    def compute(self, market):
        return pd.DataFrame(1.0, index=market.bars.index, columns=list(self.columns()))


class Silent:
    name, scope, lookback = "silent", "symbol", 2

    def columns(self):
        return ("silent__x",)

    def compute(self, market):
        return pd.DataFrame({"silent__x": 0.0}, index=market.bars.index)


def events_of(pipeline, market):
    events = []
    pipeline.compute(market, events.append)
    return events


def test_progress_rises_from_nothing_to_all():
    pipeline = FeaturePipeline([ManualFeaturesStage(timeframe=HOUR), Silent()])
    events = events_of(pipeline, random_walk(100))
    done = [event.done for event in events]
    assert done == sorted(done)
    assert done[0] == 0.0
    assert done[-1] == events[-1].total > 0
    assert {event.stage for event in events} == {"features"}
    assert len({event.total for event in events}) == 1
    n = len(pipeline.columns())
    assert events[0].message == f"0 of {n} columns"
    assert events[1].message == f"manual: price, 29 of {n} columns"
    assert events[-1].message == f"silent, {n} of {n} columns"


def test_the_end_is_told_once():
    pipeline = FeaturePipeline([ManualFeaturesStage(timeframe=HOUR), Alpha158Stage(timeframe=HOUR)])
    ends = [event for event in events_of(pipeline, random_walk(100)) if event.done == event.total]
    assert [event.message.split(",")[0] for event in ends] == ["alpha158"]


def test_work_counts_and_not_columns():
    market = random_walk(1_000)
    events = events_of(FeaturePipeline([Costly("cheap", 1.0), Costly("dear", 100.0)]), market)
    shares = [round(event.done / event.total, 4) for event in events]
    assert shares == [0.0, 0.005, 0.0099, 0.505, 1.0]
    assert events[-1].total == pytest.approx(2 * (1.0 + 100.0) * 1_000 / 1e6)
    assert events[3].message == "dear__a, 3 of 4 columns"


def test_a_cost_that_nobody_knows_is_guessed_for_the_bar():
    events = events_of(FeaturePipeline([Silent()]), random_walk(500))
    assert events[-1].total == pytest.approx(UNKNOWN_MICROSECONDS * 500 / 1e6)


def test_what_the_cache_holds_is_next_to_nothing(tmp_path):
    market = random_walk(2_000)
    cache = FeatureCache(tmp_path)
    alpha = Alpha158Stage(timeframe=HOUR)
    FeaturePipeline([alpha], cache=cache).compute(market)
    events = events_of(FeaturePipeline([alpha, Costly("dear", 100.0)], cache=cache), market)
    reading = 158 * READING_MICROSECONDS * 2_000 / 1e6
    assert [event.message for event in events[1:2]] == ["alpha158: from the cache, 158 of 160 columns"]
    assert events[1].done == pytest.approx(reading)
    assert {round(event.total, 9) for event in events} == {round(reading + 2 * 100.0 * 2_000 / 1e6, 9)}
    assert events[-1].done == events[-1].total


def test_a_damaged_entry_counts_as_work_again(tmp_path):
    market = random_walk(500)
    cache = FeatureCache(tmp_path)
    stages = [ManualFeaturesStage(["returns"], timeframe=HOUR), Alpha158Stage(timeframe=HOUR)]
    pipeline = FeaturePipeline(stages, cache=cache)
    whole = pipeline.compute(market)
    for path in tmp_path.glob("*.npy"):
        path.write_bytes(path.read_bytes()[:-1])
    events = events_of(pipeline, market)
    assert events[0].total < events[-1].total == events[-1].done
    work = sum(feature.microseconds for feature in pipeline.describe()) * 500 / 1e6
    assert events[-1].total == pytest.approx(work)
    pd.testing.assert_frame_equal(pipeline.compute(market), whole, check_exact=True)


def test_an_empty_market_has_no_progress_to_divide_by():
    market = random_walk(10)
    events = events_of(FeaturePipeline([Silent()]), market.between(None, market.open_time[0]))
    assert events[-1].done == events[-1].total > 0


def test_a_stage_that_counts_wrongly_does_not_upset_the_bar():
    events = []
    work = WorkProgress(events.append, {"dear": Costly("dear", 1.0).describe()}, 10)
    done = work.computing("dear")
    done(99, "x")
    done(-5, "y")
    work.finish("dear", computed=True)
    assert [event.done / event.total for event in events] == [0.0, 1.0]


def test_nobody_listening_costs_nothing():
    work = WorkProgress(None, {"dear": ()}, 10)
    work.computing("dear")(1, "x")
    work.finish("dear", computed=True)
    table = FeaturePipeline([Silent()]).compute(random_walk(5))
    assert np.isfinite(table.to_numpy()).all()
