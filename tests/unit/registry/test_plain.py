"""Plain JSON out of what Python code holds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.errors import RegistryError
from onward.registry.plain import canonical, plain


class Side(Enum):
    UP = 1


@dataclass(frozen=True)
class Point:
    x: float
    side: Side


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("aß\n☃"),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON)
def test_plain_values_stay_and_survive_the_round_trip(value: Any) -> None:
    assert plain(value) == value
    content = canonical(value)
    assert json.loads(content) == value
    assert canonical(json.loads(content)) == content


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), None),
        (float("-inf"), None),
        (np.float32(0.5), 0.5),
        (np.float64("nan"), None),
        (np.int8(3), 3),
        (np.bool_(True), True),
        (np.array([[1, 2]]), [[1, 2]]),
        ((1, (2,)), [1, [2]]),
        ({3, 1}, [1, 3]),
        ({1: "a", Side.UP: "b"}, {"1": "b"}),
        (Side.UP, 1),
        (Point(float("nan"), Side.UP), {"x": None, "side": 1}),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00+00:00"),
        (Path("a") / "b", "a/b"),
    ],
)
def test_known_values(value: object, expected: object) -> None:
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)


@pytest.mark.parametrize("value", [object(), len, {"a": [b"bytes"]}, "\ud800", {"\ud800": 1}])
def test_refused_values(value: object) -> None:
    with pytest.raises(RegistryError):
        plain(value)
