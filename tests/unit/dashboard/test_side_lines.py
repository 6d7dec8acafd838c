"""The line of a side series beside candles ends where the series does."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from onward.dashboard.series import _known
from onward.data.repositories import DataStore
from onward.testing.markets import random_walk

N_BARS = 300


def test_a_line_ends_three_usual_steps_after_the_last_value(tmp_path: Path) -> None:
    """Funding comes every eight hours: a day after its last print nobody knows it any more."""
    store = DataStore(tmp_path)
    bars = random_walk(N_BARS).bars.droplevel("symbol").reset_index(names="timestamp")
    store.candles("1h").upsert("BTC/USD", bars)
    stamps = bars["timestamp"].dt.floor("8h").drop_duplicates().iloc[1:12]
    rates = stamps.to_frame().assign(funding_rate=1e-4)
    store.funding.upsert("BTC/USD:USD", rates)
    for shown in (bars, bars.iloc[150:]):  # a chart that looks at a part of them says the same
        drawn = _known(store, "BTC/USD", "1h", shown, ("funding",))["funding"]
        closes = shown["timestamp"] + np.timedelta64(1, "h")
        there = (closes >= stamps.iloc[0]) & (closes <= stamps.iloc[-1] + np.timedelta64(24, "h"))
        assert np.isfinite(drawn).tolist() == there.tolist()
