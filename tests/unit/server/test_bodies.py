"""What clients send is taken as it is meant, or refused where it stands."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from onward.server.bodies.jobs import RetryJob, TrainingJob
from onward.server.bodies.models import AliasBody
from onward.server.bodies.predictions import PredictionBody

BAR: list[Any] = [1767225600000, 88000.0, 88420.5, 87910.0, 88300.0, 412.5]


@pytest.mark.parametrize("value", [True, "3", 3.5])
@pytest.mark.parametrize("body", [TrainingJob, RetryJob])
def test_a_number_of_attempts_is_a_whole_number(body: Any, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        body(max_attempts=value)
    assert caught.value.errors()[0]["loc"] == ("max_attempts",)
    assert body(max_attempts=3).max_attempts == 3


def test_true_is_no_version_and_no_price() -> None:
    with pytest.raises(ValidationError):
        AliasBody(version=True)
    with pytest.raises(ValidationError):
        PredictionBody(bars=[{"symbol": "A", "rows": [[*BAR[:4], True, 1.0]]}])
    (bars,) = PredictionBody(bars=[{"symbol": "A", "rows": [[*BAR[:4], 88300, None]]}]).bars or ()
    assert bars.rows[0][4] == 88300.0
