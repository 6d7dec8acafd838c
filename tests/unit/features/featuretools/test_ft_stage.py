"""The stage on whole markets; the contract suite of tests/contracts runs on it as well."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from onward.errors import ConfigError, StageError
from onward.features.description import describe, estimated_seconds
from onward.features.featuretools import FeaturetoolsStage
from onward.features.featuretools.check import compare, sample_positions
from onward.testing.markets import random_walk
from onward.testing.stages import contract_markets

WALK = random_walk(24 * 30, seed=3)
STAGE = FeaturetoolsStage.for_market(WALK)
TABLE = STAGE.compute(WALK)


def column(name: str) -> np.ndarray:
    return TABLE[f"featuretools__{name}"].to_numpy()


def test_values_are_what_their_names_say() -> None:
    close = WALK.bars["close"]
    returns = np.log(close.droplevel(0)).diff()
    opened = WALK.open_time
    for row in (1, 5, 100, 333, 719):
        day = returns[(opened <= opened[row]) & (opened >= opened[row].floor("D"))]
        assert column("days.mean.log_return")[row] == pytest.approx(day.mean(), rel=1e-11)
        assert column("days.std.log_return")[row] == pytest.approx(day.std(), rel=1e-10, nan_ok=True)
        assert column("days.count")[row] == row % 24 + 1
        highest = np.log(close.droplevel(0))[day.index].max()
        assert column("log_price.minus.days.max.log_price")[row] == np.log(close.iloc[row]) - highest
        rank = returns[day.index].rank(pct=True).iloc[-1]
        assert column("days.percentile.log_return")[row] == pytest.approx(rank)


def test_the_default_set_is_of_a_useful_size_and_stationary() -> None:
    assert 100 <= len(STAGE.columns()) <= 200
    dearer = WALK.bars.assign(**{c: WALK.bars[c] * 1_000.0 for c in WALK.bars.columns})
    other = STAGE.compute(WALK.replace(bars=dearer))
    np.testing.assert_allclose(other.to_numpy(), TABLE.to_numpy(), rtol=1e-6, atol=1e-7)


def test_unknown_values_are_left_out_as_featuretools_does() -> None:
    bars = WALK.bars.copy()
    bars.iloc[100] = np.nan
    table = STAGE.compute(WALK.replace(bars=bars))
    assert np.isfinite(table["featuretools__days.mean.log_return"].iloc[102])
    assert table["featuretools__days.count"].iloc[102] == 7.0
    assert np.isnan(table["featuretools__log_price.minus.days.max.log_price"].iloc[100])


def test_lookback_follows_from_the_parents_and_the_window() -> None:
    assert STAGE.lookback == 169
    one_day = FeaturetoolsStage.for_market(WALK, parents=["day"], columns=["log_volume"])
    assert one_day.lookback == 24
    cut = FeaturetoolsStage.for_market(WALK, training_window="10h30min", columns=["log_volume"])
    assert cut.lookback == 11
    by_column = {info.column: info.lookback for info in STAGE.describe()}
    assert by_column["featuretools__sessions.mean.log_return"] == 9
    assert by_column["featuretools__sessions.mean.log_range"] == 8


def test_restricted_stages_give_the_same_bits() -> None:
    names = [c for c in STAGE.columns() if "sessions" in c and "weeks" not in c][::3]
    part = STAGE.restricted(names)
    assert part.columns() == tuple(names)
    assert part.lookback < STAGE.lookback
    pd.testing.assert_frame_equal(part.compute(WALK), TABLE[names], check_exact=True)
    with pytest.raises(StageError, match="cannot be restricted"):
        STAGE.restricted(["featuretools__no"])
    with pytest.raises(StageError, match="cannot be restricted"):
        STAGE.restricted([])


def test_the_specification_is_all_that_is_needed() -> None:
    spec = json.loads(json.dumps(STAGE.spec()))
    rebuilt = FeaturetoolsStage.from_spec(spec)
    assert rebuilt.spec() == STAGE.spec()
    pd.testing.assert_frame_equal(rebuilt.compute(WALK), TABLE, check_exact=True)
    for wrong in ({**spec, "more": 1}, {k: v for k, v in spec.items() if k != "definitions"}):
        with pytest.raises(StageError, match="not complete"):
            FeaturetoolsStage.from_spec(wrong)
    with pytest.raises(StageError, match="unique names"):
        FeaturetoolsStage.from_spec({**spec, "definitions": []})
    with pytest.raises(StageError, match="unique names"):
        FeaturetoolsStage.from_spec({**spec, "definitions": spec["definitions"][:1] * 2})


def test_a_description_says_parents_and_cost() -> None:
    lines = describe(STAGE)
    assert tuple(line.column for line in lines) == STAGE.columns()
    assert {line.family for line in lines} >= {"session", "day", "week", "day+week"}
    seconds = estimated_seconds(lines, 55_351)
    assert seconds is not None
    assert 0.05 < seconds < 3.0


def test_symbols_are_compared_only_in_panels() -> None:
    panel = list(contract_markets(60))[2].market
    stage = FeaturetoolsStage.for_market(panel, columns=["log_return"])
    assert stage.scope == "cross_section"
    assert FeaturetoolsStage.for_market(panel, parents=["day"]).scope == "symbol"
    assert STAGE.scope == "symbol"
    table = stage.compute(panel)
    name = "featuretools__moments.percentile.log_return"
    returns = np.log(panel.bars["close"]).groupby(level=0).diff()
    wanted = returns.groupby(level=1).rank(pct=True)
    np.testing.assert_allclose(table[name].to_numpy(), wanted.to_numpy(), rtol=1e-12)
    spread = returns.groupby(level=1).transform("std")
    found = table["featuretools__moments.std.log_return"].to_numpy()
    np.testing.assert_allclose(found, spread.to_numpy(), rtol=1e-9, atol=1e-15)


def test_parents_of_a_single_bar_are_left_out_unless_asked_for() -> None:
    day = 24 * 3_600_000_000_000
    daily = random_walk(50, timeframe=day)
    stage = FeaturetoolsStage.for_market(daily)
    assert {parent for d in stage.definitions for parent in d.expression.parents} == {"week"}
    assert stage.lookback == 8
    asked = FeaturetoolsStage.for_market(daily, parents=["day"])
    assert asked.lookback == 2
    with pytest.raises(ConfigError, match="at least one of"):
        FeaturetoolsStage.for_market(random_walk(50, timeframe=30 * day), training_window="60d")


def test_short_and_empty_markets_are_computed_as_far_as_they_go() -> None:
    assert STAGE.compute(WALK.last(0)).shape == (0, len(STAGE.columns()))
    one = STAGE.compute(WALK.last(1))
    assert one["featuretools__days.count"].tolist() == [1.0]
    assert np.isnan(one["featuretools__days.std.log_return"]).all()


def test_progress_is_told() -> None:
    told: list[tuple[int, str]] = []
    out = np.empty((len(WALK), len(STAGE.columns())))
    STAGE.compute_into(WALK, out, lambda done, what: told.append((done, what)))
    assert told[-1][0] == len(STAGE.columns())
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert {what for _, what in told} >= {"time", "log_return", "log_price"}


def test_live_sized_markets_are_not_compared_and_start_no_child() -> None:
    STAGE.compute(WALK)
    assert STAGE.last_check is None


def test_featuretools_is_not_imported() -> None:
    script = (
        "import sys\n"
        "from onward.features.featuretools import FeaturetoolsStage\n"
        "from onward.testing.markets import random_walk\n"
        "market = random_walk(100)\n"
        "FeaturetoolsStage.for_market(market).compute(market)\n"
        "assert not {'featuretools', 'woodwork', 'sklearn'} & set(sys.modules), 'imported'\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


def test_sampled_rows_are_spread_and_the_same_every_time() -> None:
    rows = sample_positions(50_000, 12)
    assert np.array_equal(rows, sample_positions(50_000, 12))
    assert len(rows) == 12
    assert rows[-1] == 49_999
    assert len(set(rows % 24)) >= 8
    assert np.diff(rows).min() > 50_000 / 12 / 3
    assert sample_positions(3, 12).tolist() == [0, 1, 2]


@pytest.mark.parametrize("theirs", [1.0 + 1e-6, np.nan])
def test_a_difference_from_featuretools_is_named(theirs: float) -> None:
    ours = np.array([[1.0, 2.0], [1.0, np.nan]])
    other = np.array([[1.0, 2.0], [theirs, np.nan]])
    with pytest.raises(StageError) as caught:
        compare(["a", "b"], ["BTC 1", "BTC 2"], ours, other, "featuretools", 1e-9, set())
    assert "a at BTC 2: np.float64(1.0)" in str(caught.value) or "a at BTC 2: 1.0" in str(caught.value)
    compare(["a", "b"], ["BTC 1", "BTC 2"], ours, other, "featuretools", 1e-9, {0})
    compare(["a", "b"], ["BTC 1", "BTC 2"], ours, ours + 1e-12, "featuretools", 1e-9, set())


def test_what_rounding_leaves_of_zero_is_zero() -> None:
    ours, other = np.array([[0.0], [0.0]]), np.array([[0.0], [-2e-38]])
    with pytest.raises(StageError):
        compare(["a"], ["BTC 1", "BTC 2"], ours, other, "featuretools", 1e-9, set())
    compare(["a"], ["BTC 1", "BTC 2"], ours, other, "featuretools", 1e-9, set(), np.full((2, 1), 1e-36))
