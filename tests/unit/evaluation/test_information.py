from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from onward.errors import ConfigError, LabelError, ModelError, NotEnoughDataError
from onward.evaluation.information import information_coefficient, information_decay, realised_return
from onward.evaluation.realised import returns_ahead
from onward.kernels.forward.spans import span_log_return, span_log_return_reference
from onward.labels import ThresholdLabeler
from onward.testing.markets import random_walk
from onward.types import INDEX_NAMES, Market, Spans, from_ns

HOUR = 3_600_000_000_000
NAMES = ("A", "B", "C", "D", "E")


def panel_spans(n_moments: int = 40, horizon: int = 3, names: tuple[str, ...] = NAMES) -> Spans:
    times = HOUR * np.arange(1, n_moments + 1, dtype=np.int64)
    index = pd.MultiIndex.from_product([names, from_ns(times - HOUR)], names=INDEX_NAMES)
    start = np.tile(times, len(names))
    return Spans(index, start, start + horizon * HOUR)


def noise(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    prediction = generator.normal(size=n)
    return prediction, 0.3 * prediction + generator.normal(size=n)


def table_of(spans: Spans, x: np.ndarray, y: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"moment": from_ns(spans.start), "x": x, "y": y}).dropna()


@pytest.mark.parametrize("seed", [0, 1])
def test_a_moment_is_scipys_correlation_across_symbols(seed: int) -> None:
    spans = panel_spans()
    x, y = noise(len(spans), seed)
    x, y = x.round(1), y.round(1)  # ties
    generator = np.random.default_rng(seed)
    x[generator.choice(len(x), 20)] = np.nan
    y[generator.choice(len(x), 20)] = np.nan
    found = information_coefficient(x, y, spans)
    table = table_of(spans, x, y)
    assert found.across == "symbols"
    assert found.n_left_out == len(spans) - len(table)
    for moment, rows in table.groupby("moment"):
        row = found.moments.loc[moment]
        assert row["n_rows"] == len(rows)
        if len(rows) < 3:
            assert np.isnan(row["ic"])
            assert np.isnan(row["rank_ic"])
        elif np.ptp(rows["x"]) > 0 and np.ptp(rows["y"]) > 0:
            assert row["ic"] == pytest.approx(stats.pearsonr(rows["x"], rows["y"])[0], abs=1e-12)
            assert row["rank_ic"] == pytest.approx(stats.spearmanr(rows["x"], rows["y"])[0], abs=1e-12)
    assert (found.moments["outcome_time"] - found.moments.index == pd.Timedelta("3h")).all()


def test_the_summary_is_that_of_the_moments() -> None:
    spans = panel_spans(60, horizon=1)
    x, y = noise(len(spans))
    found = information_coefficient(x, y, spans)
    values = found.moments["ic"]
    row = found.summary.loc["ic"]
    assert row["mean"] == pytest.approx(values.mean())
    assert row["deviation"] == pytest.approx(values.std())
    assert row["icir"] == pytest.approx(values.mean() / values.std())
    assert row["share_positive"] == (values > 0).mean()
    # Outcomes of one bar share no return: the plain t test, both ways.
    assert (row["n_moments"], row["effective_n"], found.lags) == (60, pytest.approx(60.0), 0)
    expected = stats.ttest_1samp(values, 0.0).statistic
    assert row["t"] == pytest.approx(expected)
    assert row["t_newey_west"] == pytest.approx(expected)


def test_overlapping_outcomes_are_counted_once() -> None:
    spans = panel_spans(240, horizon=6)
    found = information_coefficient(*noise(len(spans)), spans)
    row = found.summary.loc["rank_ic"]
    assert found.lags == 5
    assert 40.0 <= row["effective_n"] < 43.0
    assert row["t"] == pytest.approx(row["icir"] * np.sqrt(row["effective_n"]))


def test_newey_west_is_the_weighted_sum_of_autocovariances() -> None:
    spans = panel_spans(80, horizon=4)
    found = information_coefficient(*noise(len(spans)), spans, lags=7)
    values = found.moments["ic"].to_numpy()
    n = len(values)
    matrix = np.subtract.outer(np.arange(n), np.arange(n))
    weight = np.clip(1.0 - np.abs(matrix) / 8.0, 0.0, None)
    left = values - values.mean()
    variance = left @ weight @ left / (n * (n - 1))
    assert found.summary.loc["ic", "t_newey_west"] == pytest.approx(values.mean() / np.sqrt(variance))


def test_t_is_honest_about_overlap_and_a_plain_t_is_not() -> None:
    """Slow predictions of a panel without skill: |t| > 2 about as often as chance has it."""
    horizon, n_moments, names = 12, 360, tuple("ABCDEF")
    spans = panel_spans(n_moments, horizon, names)
    generator = np.random.default_rng(3)
    honest, plain = [], []
    for _ in range(80):
        steps = generator.normal(size=(len(names), n_moments + horizon))
        outcome = np.stack([np.convolve(row, np.ones(horizon), "valid")[1:] for row in steps])
        slow = generator.normal(size=(len(names), n_moments // 90)).repeat(90, axis=1)
        row = information_coefficient(slow.ravel(), outcome.ravel(), spans).summary.loc["ic"]
        honest.append(row["t"])
        plain.append(row["icir"] * np.sqrt(n_moments))
    assert np.mean(np.abs(honest) > 2.0) < 0.12
    assert np.mean(np.abs(plain) > 2.0) > 0.4


@settings(max_examples=15)
@given(st.floats(0.01, 100.0), st.floats(-50.0, 50.0), st.integers(0, 5))
def test_scale_and_level_do_not_matter(scale: float, level: float, seed: int) -> None:
    spans = panel_spans(12)
    x, y = noise(len(spans), seed)
    first = information_coefficient(x, y, spans).moments
    second = information_coefficient(scale * x + level, y, spans).moments
    np.testing.assert_allclose(first["ic"], second["ic"], atol=1e-9)
    turned = information_coefficient(-x, np.exp(y), spans).moments
    np.testing.assert_allclose(first["rank_ic"], -turned["rank_ic"], atol=1e-12)


def test_a_moment_without_variation_has_no_coefficient() -> None:
    spans = panel_spans(5)
    x, y = noise(len(spans))
    x[spans.start == spans.start[2]] = 0.1
    y[spans.start == spans.start[3]] = 0.3
    found = information_coefficient(x, y, spans)
    assert found.moments["ic"].isna().tolist() == [False, False, True, True, False]
    assert found.moments["rank_ic"].isna().equals(found.moments["ic"].isna())
    assert found.summary.loc["ic", "n_moments"] == 3
    flat = information_coefficient(np.ones(len(spans)), y, spans).summary
    assert np.isnan(flat.loc["ic", "t"])
    assert flat.loc["ic", "effective_n"] == 0.0


def test_a_perfect_prediction_has_one_everywhere_and_no_ratio() -> None:
    spans = panel_spans(5)
    x, _ = noise(len(spans))
    summary = information_coefficient(x, x, spans).summary
    assert summary["mean"].tolist() == pytest.approx([1.0, 1.0])
    assert summary[["icir", "t", "t_newey_west"]].isna().all(axis=None)


def test_one_symbol_is_taken_along_time_in_blocks() -> None:
    spans = panel_spans(200, names=("A",))
    x, y = noise(200)
    x[17] = np.nan
    found = information_coefficient(x, y, spans, blocks=4)
    table = table_of(spans, x, y).reset_index(drop=True)
    edges = [0, 50, 100, 150, 199]
    assert found.across == "time"
    for block in range(4):
        rows = table.iloc[edges[block] : edges[block + 1]]
        row = found.moments.iloc[block]
        assert found.moments.index[block] == rows["moment"].iloc[0]
        assert row["ic"] == pytest.approx(rows["x"].corr(rows["y"]))
        assert row["rank_ic"] == pytest.approx(rows["x"].corr(rows["y"], method="spearman"))
    assert 3.8 < found.summary.loc["ic", "effective_n"] <= 4.0


def test_spans_without_a_symbol_are_one_symbol_and_a_series_is_matched_by_index() -> None:
    spans = panel_spans(60, names=("A",))
    times = Spans(from_ns(spans.start), spans.start, spans.end)
    x, y = noise(60)
    expected = information_coefficient(x, y, spans, blocks=3).summary
    found = information_coefficient(pd.Series(x, times.index), list(y), times, blocks=3).summary
    pd.testing.assert_frame_equal(found, expected)


def test_realised_returns_are_those_from_close_to_close() -> None:
    market = random_walk(80, symbols=("A", "B"))
    labels = ThresholdLabeler(horizon_bars=6, window_bars=20).spans(market)
    found = pd.Series(realised_return(market, labels), labels.index)
    close = np.log(market.bars["close"]).groupby(level=0)
    expected = close.shift(-6) - np.log(market.bars["close"])
    np.testing.assert_allclose(found, expected.loc[labels.index], atol=1e-14)


@settings(max_examples=40)
@given(st.lists(st.sampled_from([1.0, 2.0, 0.0, -1.0, np.nan, np.inf]), min_size=1, max_size=9))
def test_the_return_over_a_span_equals_its_definition(price: list[float]) -> None:
    values = np.array(price)
    first, last = (grid.ravel() for grid in np.meshgrid(np.arange(len(price)), np.arange(len(price))))
    np.testing.assert_array_equal(
        span_log_return(values, first, last), span_log_return_reference(values, first, last)
    )


def market_with_a_panel(n_bars: int = 400) -> Market:
    return random_walk(n_bars, symbols=NAMES, seed=4)


def test_decay_falls_once_the_horizon_exceeds_what_was_known() -> None:
    market = market_with_a_panel()
    spans = panel_like(market)
    known, _ = returns_ahead(market, spans, 4)
    table = information_decay(known, spans, market, horizons_bars=(1, 4, 16, 64))
    assert table.index.tolist() == [1, 4, 16, 64]
    assert table.loc[4, "ic"] == pytest.approx(1.0)
    assert table["rank_ic"].to_list()[1:] == sorted(table["rank_ic"].to_list()[1:], reverse=True)
    assert table.loc[64, "ic"] < 0.5
    assert table["n_moments"].tolist() == [396, 396, 384, 336]
    assert table.loc[16, "effective_n"] == pytest.approx(384 / 16, abs=3)


def test_decay_at_one_horizon_is_the_coefficient_of_its_returns() -> None:
    market = market_with_a_panel(60)
    spans = panel_like(market)
    x, _ = noise(len(spans))
    table = information_decay(x, spans, market, horizons_bars=[5])
    labelled = spans.start + 5 * HOUR <= market.decision_time_ns.max()
    ahead = Spans(spans.index[labelled], spans.start[labelled], spans.start[labelled] + 5 * HOUR)
    expected = information_coefficient(x[labelled], realised_return(market, ahead), ahead).summary
    assert table.loc[5, ["ic", "icir", "t"]].tolist() == pytest.approx(
        expected.loc["ic", ["mean", "icir", "t"]].tolist()
    )
    assert table.loc[5, "rank_t"] == pytest.approx(expected.loc["rank_ic", "t"])


def panel_like(market: Market) -> Spans:
    start = market.decision_time_ns
    return Spans(market.index, start, start + HOUR)


PANEL = panel_spans(40)
ONE = panel_spans(60, names=("A",))


@pytest.mark.parametrize(
    ("spans", "changes", "error", "message"),
    [
        (PANEL, {"prediction": np.ones(3)}, ModelError, "predictions and spans disagree"),
        (PANEL, {"outcome": np.ones((200, 1))}, ModelError, "outcomes and spans disagree"),
        (PANEL, {"prediction": np.full(200, np.inf)}, ModelError, "infinite"),
        (PANEL, {"prediction": ["up"] * 200}, ModelError, "no numbers"),
        (PANEL, {"prediction": pd.Series(np.ones(200))}, ModelError, "not indexed like"),
        (PANEL, {"min_symbols": 6}, NotEnoughDataError, "enough symbols"),
        (PANEL, {"min_symbols": 1}, ConfigError, "min_symbols"),
        (PANEL, {"prediction": np.full(200, np.nan)}, NotEnoughDataError, "enough symbols"),
        (PANEL, {"across": "time"}, ConfigError, "one symbol"),
        (PANEL, {"across": "venues"}, ConfigError, "neither"),
        (PANEL, {"lags": -1}, ConfigError, "lags"),
        (PANEL, {"lags": True}, ConfigError, "lags"),
        (ONE, {"blocks": 1}, ConfigError, "blocks"),
        (ONE, {"blocks": 7}, NotEnoughDataError, "too few rows"),
        (ONE, {"across": "symbols"}, NotEnoughDataError, "enough symbols"),
        (Spans(ONE.index, ONE.start, ONE.start), {}, LabelError, "no length"),
        (Spans(ONE.index, ONE.start // 2 // HOUR * HOUR, ONE.end), {}, LabelError, "two rows"),
    ],
)
def test_bad_input_is_refused(spans: Spans, changes: dict[str, Any], error: type, message: str) -> None:
    x, y = noise(len(spans))
    given_: dict[str, Any] = {"prediction": x, "outcome": y, "spans": spans} | changes
    with pytest.raises(error, match=message):
        information_coefficient(**given_)


def test_spans_of_another_market_are_refused() -> None:
    market = random_walk(50, symbols=NAMES)
    own = panel_like(market)
    with pytest.raises(LabelError, match="start and end at bars"):
        realised_return(market, Spans(own.index, own.start + 1, own.end))
    with pytest.raises(LabelError, match="start and end at bars"):
        realised_return(market, own)  # the last bar's outcome lies beyond the data
    with pytest.raises(LabelError, match="does not have"):
        realised_return(market.select(["B"]), own)
    with pytest.raises(ConfigError, match="horizons_bars"):
        information_decay(np.ones(len(own)), own, market, horizons_bars=[0])
    with pytest.raises(NotEnoughDataError, match="within the data; got 50 bars"):
        information_decay(np.ones(len(own)), own, market, horizons_bars=[50])
