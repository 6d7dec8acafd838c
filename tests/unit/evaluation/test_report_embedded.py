"""What a report says as plain values: everything but the charts' data, in a form that stays short."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from onward.evaluation.report.candles import _positions
from onward.evaluation.report.downsampling import Bars
from onward.evaluation.report.embedded import _plain
from onward.evaluation.report.tables import Cell, Column, table


@dataclass(frozen=True)
class Section:
    summary: str
    figure: float
    parts: tuple[object, ...]
    chart: dict[str, Any] = field(default_factory=lambda: {"heavy": [1.0]})


def test_cells_are_short_and_charts_stay_where_they_are() -> None:
    rows = [["manual__rsi_14", Cell("12.0 %", bar=0.5)], [Cell("all", "strong"), "3"]]
    found = _plain(Section("said", float("nan"), (table("Figures", ("What", Column("Why", "text")), rows),)))
    assert found["summary"] == "said"
    assert found["figure"] is None
    assert "chart" not in found
    (told,) = found["parts"]
    assert told["columns"] == [["What", "text"], ["Why", "text"]]
    assert told["rows"] == [
        ["manual__rsi_14", ["12.0 %", "", 0.5, None]],
        [["all", "strong", None, None], "3"],
    ]
    json.dumps(found, allow_nan=False)


def test_positions_that_are_held_are_told_once() -> None:
    position = np.array([np.nan, np.nan, 0.0, 1.0, 1.0, -0.5, 1.0])
    time = np.arange(7, dtype=np.int64) * 3_600_000_000_000
    flat = np.ones(7)
    told = _positions(Bars(time, flat, flat, flat, flat, position), 6)
    assert told["position"] == [[None, 2], [0.0, 1], [1.0, 2], [-0.5, 1]]
    assert told["time"] == {"start": 0, "runs": [[3600, 5]]}
    assert _positions(Bars(time, flat, flat, flat, flat, position), 0)["position"] == []
