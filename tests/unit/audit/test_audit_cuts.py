"""Cuts fall where leaks hide."""

from __future__ import annotations

import numpy as np

from onward.audit.cuts import cut_moments, event_cuts
from onward.audit.table import StageRunner
from onward.testing import markets
from onward.types import to_ns
from tests.fixtures.references.leaks_world import world


def test_there_are_enough_cuts_in_all_the_right_places():
    market = world()
    cuts = cut_moments(market, count=12)
    moments = np.array([cut.moment for cut in cuts])
    assert len(cuts) >= 12
    assert (np.diff(moments) > 0).all()
    assert moments[-1] < market.decision_time_ns[-1]
    assert moments[0] <= market.decision_time_ns[10]
    close = market.bars["close"].to_numpy()
    for row in (close.argmax(), close.argmin()):
        assert market.decision_time_ns[row - 1] in moments
    phases = (moments // 3_600_000_000_000) % 4
    assert len(set(phases)) == 4  # bars of a higher timeframe are cut at every phase
    frame = market.series["fng"].frame
    stamped, available = to_ns(frame["timestamp"]), to_ns(frame["available_at"])
    reading = moments[["fng" in cut.reason for cut in cuts]]
    assert len(reading)
    assert all(((stamped < moment) & (available > moment)).any() for moment in reading)


def test_more_cuts_on_request_and_the_same_ones_by_seed():
    market = markets.random_walk(3_000)
    assert len(cut_moments(market, count=40)) >= 40
    assert cut_moments(market, seed=3) == cut_moments(market, seed=3)
    assert cut_moments(market, seed=3) != cut_moments(market, seed=4)


def test_rare_values_get_a_cut_each():
    market = markets.random_walk(1_000)

    class Flags:
        name, scope, lookback = "flags", "symbol", 1

        def compute(self, given):
            flags = np.zeros((len(given), 3))
            flags[[100, 400], 0] = 1.0
            flags[[400, 700], 1] = -1.0
            flags[:, 2] = np.arange(len(given))
            return given.bars[["open", "high", "low"]] * 0.0 + flags

    full = StageRunner(Flags()).compute(market)
    (cut,) = event_cuts(full)
    assert cut.moment == market.decision_time_ns[400]
