"""The pure decisions: what a rollback restores, what retention lets go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.errors import RegistryError
from onward.registry.aliases import previous_targets
from onward.registry.retention import expired_versions
from onward.registry.values import AliasEvent, Version
from onward.testing.registry import stage_bundle

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def event(action: Literal["set", "delete", "rollback"], version: int | None) -> AliasEvent:
    return AliasEvent("m", "champion", action, version, None, "", "", NOW)


def history(text: str) -> list[AliasEvent]:
    """``1 2 x r``: set 1, set 2, delete, roll back."""
    events: list[AliasEvent] = []
    for word in text.split():
        if word == "r":
            events.append(event("rollback", previous_targets(events)[0]))
        elif word == "x":
            events.append(event("delete", None))
        else:
            events.append(event("set", int(word)))
    return events


@pytest.mark.parametrize(
    ("past", "expected"),
    [
        ("", ()),
        ("1", ()),
        ("1 2 3", (2, 1)),
        ("1 2 3 r", (1,)),
        ("1 2 3 r r", ()),
        ("1 2 3 r 4", (2, 1)),
        ("1 2 3 r 4 r", (1,)),
        ("1 2 x", (2, 1)),
        ("1 2 x r", (1,)),
        ("1 x 2", (1,)),
        ("1 x 2 r", ()),
        ("1 2 1", (2, 1)),
    ],
)
def test_previous_targets(past: str, expected: tuple[int, ...]) -> None:
    assert previous_targets(history(past)) == expected


@given(st.lists(st.integers(1, 5), min_size=1, max_size=12))
def test_rolling_back_all_the_way_visits_every_target_once(sets: list[int]) -> None:
    events = [event("set", version) for version in sets]
    visited = [sets[-1]]
    while targets := previous_targets(events):
        events.append(event("rollback", targets[0]))
        visited.append(targets[0])
    assert visited == sets[::-1]


def versions(tmp_path: Path, ages_days: list[float]) -> list[Version]:
    manifest = stage_bundle(tmp_path / "bundle")
    return [
        Version("m", number, "0" * 64, tmp_path, manifest, NOW - timedelta(days=age))
        for number, age in enumerate(ages_days, start=1)
    ]


@pytest.mark.parametrize(
    ("max_versions", "max_age_days", "protected", "expected"),
    [
        (2, None, set(), [1, 2, 3]),
        (5, None, set(), []),
        (1, None, {1, 3}, [2, 4]),
        (None, 15, set(), [1, 2, 3]),
        (None, 15, {2}, [1, 3]),
        (None, 0, set(), [1, 2, 3, 4]),
        (4, 35, set(), [1]),
        (3, 35, set(), [1, 2]),
    ],
)
def test_expired(
    tmp_path: Path,
    max_versions: int | None,
    max_age_days: float | None,
    protected: set[int],
    expected: list[int],
) -> None:
    gone = expired_versions(
        versions(tmp_path, [40, 30, 20, 10, 0]),
        protected=protected,
        now=NOW,
        max_versions=max_versions,
        max_age_days=max_age_days,
    )
    assert [version.number for version in gone] == expected


@pytest.mark.parametrize(
    ("max_versions", "max_age_days"), [(None, None), (0, None), (-1, None), (None, -1), (None, float("nan"))]
)
def test_retention_needs_sensible_limits(max_versions: int | None, max_age_days: float | None) -> None:
    with pytest.raises(RegistryError):
        expired_versions([], protected=(), now=NOW, max_versions=max_versions, max_age_days=max_age_days)
