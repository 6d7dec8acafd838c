"""Series by name, and side values as known at each bar: one module for every stage that has series."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from onward.errors import SeriesError, StageError
from onward.features.fracdiff.stage import FracDiffStage
from onward.features.side_series import side_values
from onward.features.tsfresh.stage import TSFreshStage
from onward.testing.markets import random_walk
from onward.types import Market, SideSeries

WALK = random_walk(30)


def with_rates(*names: str) -> Market:
    times = WALK.decision_time[10:20:5]
    frame = pd.DataFrame({"symbol": "", "timestamp": times, "available_at": times, "rate": [1.0, 2.0]})
    return WALK.replace(series={name: SideSeries(name, frame) for name in names})


def test_side_values_are_those_known_at_each_bar() -> None:
    known = side_values(with_rates("funding"), ["rate", "absent"])
    expected = np.repeat([np.nan, 1.0, 2.0], [10, 5, 15])
    np.testing.assert_array_equal(known["rate"], expected)
    assert np.isnan(known["absent"]).all()


def test_a_value_column_of_two_series_is_refused() -> None:
    with pytest.raises(SeriesError, match="'rate' in 'first' and 'second'"):
        side_values(with_rates("first", "second"), ["rate"])
    assert side_values(with_rates("first", "second"), []) == {}


@pytest.mark.parametrize(
    ("stage", "name", "close"), [(TSFreshStage, "rang", "range"), (FracDiffStage, "log_clos", "log_close")]
)
def test_every_stage_refuses_alike(stage: type, name: str, close: str) -> None:
    with pytest.raises(StageError, match=rf"the setting {stage.name}.columns .* Did you mean '{close}'"):
        stage([name])
    with pytest.raises(StageError, match="no series, or one twice"):
        stage([close, close])
