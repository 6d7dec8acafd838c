"""What an attempt is put under that is to end, step by step."""

from __future__ import annotations

import pytest

from onward.jobs.enforcement import Pressure, next_step

TOLD, KILLED = Pressure(told=10.0), Pressure(told=10.0, killed=15.0)


@pytest.mark.parametrize(
    ("pressure", "now", "step"),
    [
        (Pressure(), 1e9, None),
        (TOLD, 14.9, None),
        (TOLD, 15.0, "kill"),
        (KILLED, 24.9, None),
        (KILLED, 25.0, "alarm"),
        (Pressure(told=10.0, killed=10.0), 20.0, "alarm"),
        (Pressure(told=10.0, killed=15.0, alarmed=True), 1e9, None),
    ],
    ids=["untold", "in grace", "after grace", "killed", "unkillable", "killed at once", "alarmed"],
)
def test_an_attempt_is_told_killed_and_reported_in_this_order(
    pressure: Pressure, now: float, step: str | None
) -> None:
    assert next_step(pressure, now, grace_seconds=5.0, unkillable_seconds=10.0) == step
