import json

import numpy as np
import pytest
from scipy.stats import linregress

from onward.errors import LabelError, NotEnoughDataError
from onward.labels import TrendScanningLabeler, labeler_from_json
from onward.testing.markets import random_walk

HOUR = 3_600_000_000_000


@pytest.fixture(scope="module")
def panel():
    return random_walk(300, symbols=("A", "B"), seed=9)


def test_classes_follow_the_clearest_line_ahead(panel):
    labeler = TrendScanningLabeler(horizon_bars=8, shortest_bars=3, min_t_value=4.0)
    labels, t_values = labeler.label(panel), labeler.t_values(panel)
    close = panel.bars["close"].to_numpy()[panel.rows["A"]]
    for row in range(0, 292, 17):
        fits = [linregress(np.arange(k + 1), close[row : row + k + 1]) for k in range(3, 9)]
        expected = max((fit.slope / fit.stderr for fit in fits), key=abs)
        assert t_values[row] == pytest.approx(expected, rel=1e-8)
        assert labels.y[row] == (0 if abs(expected) < 4.0 else np.sign(expected))
    assert set(labels.y.tolist()) == {-1, 0, 1}


def test_every_span_waits_for_the_longest_window(panel):
    labels = TrendScanningLabeler(horizon_bars=8, shortest_bars=3).label(panel)
    assert set(((labels.spans.end - labels.spans.start) // HOUR).tolist()) == {8}
    assert len(labels) == 2 * (300 - 8)


def test_a_nan_within_the_longest_window_takes_the_label(panel):
    bars = panel.bars.copy()
    bars.iloc[50, bars.columns.get_loc("close")] = np.nan
    holed = panel.replace(bars=bars)
    labeler = TrendScanningLabeler(horizon_bars=8, shortest_bars=3)
    missing = np.setdiff1d(
        panel.index.get_indexer(labeler.spans(panel).index),
        panel.index.get_indexer(labeler.spans(holed).index),
    )
    assert missing.tolist() == list(range(42, 51))


def test_symbols_do_not_mix(panel):
    labeler = TrendScanningLabeler(horizon_bars=8, shortest_bars=3)
    alone = labeler.label(panel.select(["B"]))
    assert labeler.label(panel).y[292:].tolist() == alone.y.tolist()


def test_default_classes_of_a_random_walk_are_balanced():
    y = TrendScanningLabeler().label(random_walk(6_000, seed=1)).y
    assert [abs(float(np.mean(y == c)) - 1 / 3) < 0.05 for c in (-1, 0, 1)] == [True] * 3


def test_it_survives_json_and_fitting(panel):
    labeler = TrendScanningLabeler(horizon_bars=9, shortest_bars=4, step_bars=2, min_t_value=0)
    assert labeler_from_json(json.loads(json.dumps(labeler.to_json()))) == labeler
    assert labeler.fit(panel, np.arange(5)) is labeler
    with pytest.raises(LabelError, match="cannot be fitted on these rows"):
        labeler.fit(panel, np.array([-1]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"horizon_bars": 1}, "horizon_bars"),
        ({"shortest_bars": 1}, "shortest_bars"),
        ({"step_bars": 0}, "step_bars"),
        ({"min_t_value": -1.0}, "min_t_value is out of range"),
        ({"horizon_bars": 5}, "shortest window is longer than the longest"),
    ],
)
def test_what_cannot_be_is_refused(changes, message):
    with pytest.raises(LabelError, match=message):
        TrendScanningLabeler(**changes)


def test_a_horizon_longer_than_the_data_is_refused():
    with pytest.raises(NotEnoughDataError, match="at least 25 bars"):
        TrendScanningLabeler().spans(random_walk(24))
