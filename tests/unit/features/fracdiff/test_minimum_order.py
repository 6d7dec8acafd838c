from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from onward.errors import NotEnoughDataError, StageError
from onward.features.fracdiff import minimum_order
from onward.features.fracdiff.unit_root import dickey_fuller, dickey_fuller_critical_value


def walk(n: int = 2_000, seed: int = 0) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).normal(0.0, 0.01, n))


def by_hand(values: np.ndarray, lags: int) -> float:
    """The t statistic from the normal equations, row by row."""
    change = np.diff(values)
    rows = [
        [values[t], 1.0, *(change[t - back] for back in range(1, lags + 1))]
        for t in range(lags, len(values) - 1)
    ]
    x, y = np.array(rows), change[lags:]
    inverse = np.linalg.inv(x.T @ x)
    beta = inverse @ x.T @ y
    residual = y - x @ beta
    variance = residual @ residual / (len(y) - x.shape[1])
    return float(beta[0] / np.sqrt(variance * inverse[0, 0]))


@pytest.mark.parametrize("lags", [0, 1, 5])
def test_the_statistic_is_that_of_the_regression(lags: int) -> None:
    values = walk(300)
    statistic, n_rows = dickey_fuller(values, lags)
    assert n_rows == 300 - 1 - lags
    assert statistic == pytest.approx(by_hand(values, lags), rel=1e-8)
    # The test does not care where zero is, nor about the unit.
    assert dickey_fuller(1e6 + 100.0 * values, lags)[0] == pytest.approx(statistic, rel=1e-5)


def test_critical_values_are_the_published_ones() -> None:
    # Fuller's table for 100 rows and a constant: -3.50, -2.89, -2.58.
    found = [dickey_fuller_critical_value(100, level) for level in (0.01, 0.05, 0.1)]
    assert found == pytest.approx([-3.50, -2.89, -2.58], abs=0.005)
    assert dickey_fuller_critical_value(10**9, 0.05) == pytest.approx(-2.86154, abs=1e-6)


def test_random_walks_are_rejected_as_often_as_the_level_says() -> None:
    generator = np.random.default_rng(5)
    walks = np.cumsum(generator.normal(size=(1_000, 120)), axis=1)
    share = np.mean([dickey_fuller(w)[0] < dickey_fuller_critical_value(118, 0.05) for w in walks])
    assert 0.03 < share < 0.07


def test_the_smallest_order_that_passes_is_found_and_keeps_memory() -> None:
    found = minimum_order(walk(), threshold=1e-3)
    table = found.table
    assert found.order is not None
    assert 0.05 < found.order < 1.0
    assert table.loc[found.order, "passed"]
    assert not table.loc[: found.order - 0.01, "passed"].any()
    assert table["n_rows"].nunique() == 1
    assert table.loc[found.order, "correlation"] > 0.5 > table.loc[1.0, "correlation"]
    assert minimum_order(walk(), orders=[0.01], threshold=1e-3).order is None


def test_unknown_values_in_front_change_nothing() -> None:
    values = walk(400)
    padded = np.concatenate(([np.nan] * 30, values, [np.nan]))
    options: dict[str, Any] = {"orders": [0.4, 0.9], "width": 40}
    assert minimum_order(padded, **options).table.equals(minimum_order(values, **options).table)


def test_a_series_that_does_not_move_passes_no_test() -> None:
    found = minimum_order(np.ones(200), orders=[0.5, 1.0], width=20)
    assert found.order is None
    assert found.table["statistic"].isna().all()


@pytest.mark.parametrize(
    ("values", "options", "error", "message"),
    [
        (walk(300), {}, NotEnoughDataError, "too few rows"),
        ([], {"width": 5}, NotEnoughDataError, "too few rows"),
        (walk(300), {"significance": 0.2}, StageError, "critical value"),
        (walk(300), {"lags": -1}, StageError, "lagged changes"),
        (walk(300), {"lags": 1.0}, StageError, "lagged changes"),
        (walk(300), {"orders": [0.0]}, StageError, "out of range"),
        (walk(300).reshape(3, 100), {"width": 5}, StageError, "not one series"),
        (["a"], {"width": 5}, StageError, "no numbers"),
        ([1.0, np.nan, 2.0] * 50, {"width": 5}, StageError, "between known ones"),
        ([1.0, np.inf, 2.0] * 50, {"width": 5}, StageError, "between known ones"),
    ],
)
def test_bad_input_is_refused(values: Any, options: dict[str, Any], error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        minimum_order(values, **options)
