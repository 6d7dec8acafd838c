"""The contract that every calibrator keeps; run it on your own with `check_calibrator`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from onward.errors import OnwardError
from onward.models.calibration import Calibrator
from onward.types import FloatArray

__all__ = ["check_calibrator", "example_forecasts"]

Factory = Callable[[], Calibrator]


def check_calibrator(new_calibrator: Factory) -> None:
    """Hold a calibrator to the promises of `onward.models.calibration.Calibrator`.

    Raises
    ------
    AssertionError
        Naming the promise that is broken.
    """
    check_gives_probabilities(new_calibrator)
    check_repeats_itself(new_calibrator)
    check_ignores_batch(new_calibrator)
    check_keeps_absent_classes(new_calibrator)
    check_weights(new_calibrator)
    check_round_trip(new_calibrator)
    check_does_no_harm(new_calibrator)
    check_refuses_bad_input(new_calibrator)


def example_forecasts(
    n_rows: int = 3_000, sureness: float = 2.5, seed: int = 0
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Return probabilities that are too sure (above 1) or not sure enough, and what happened."""
    generator = np.random.default_rng(seed)
    truth = generator.dirichlet((2.0, 3.0, 2.0), n_rows)
    draw = generator.random(n_rows)[:, None]
    y = (draw > truth.cumsum(axis=1)[:, :2]).sum(axis=1) - 1
    stated = truth**sureness
    return stated / stated.sum(axis=1, keepdims=True), y.astype(np.int64)


def check_gives_probabilities(new_calibrator: Factory) -> None:
    """Hold the shape: three columns, between 0 and 1, rows summing to 1, certainties included."""
    probability, y = example_forecasts()
    corners = np.vstack([np.eye(3), np.full((1, 3), 1 / 3), [[1e-300, 1.0, 0.0], [0.5, 0.5, 0.0]]])
    calibrator = new_calibrator().fit(probability, y)
    for given in (probability, corners):
        _require(_are_probabilities(calibrator.transform(given), len(given)), "probabilities come out")
    _require(calibrator.transform(probability[:0]).shape == (0, 3), "no rows give no rows")


def check_repeats_itself(new_calibrator: Factory) -> None:
    """Hold determinism: the same rows give the same, and stay as they were."""
    probability, y = example_forecasts()
    before = probability.copy()
    first = new_calibrator().fit(probability, y).transform(probability)
    second = new_calibrator().fit(probability, y).transform(probability)
    _require(np.array_equal(first, second), "two fits are bit-equal")
    _require(np.array_equal(probability, before), "the input is left alone")


def check_ignores_batch(new_calibrator: Factory) -> None:
    """Hold independence: a row comes out the same alone and in another order."""
    probability, y = example_forecasts()
    calibrator = new_calibrator().fit(probability, y)
    whole = calibrator.transform(probability)
    _require(np.array_equal(calibrator.transform(probability[[7]]), whole[[7]]), "one row equals the batch")
    _require(np.array_equal(calibrator.transform(probability[::-1]), whole[::-1]), "order does not matter")


def check_keeps_absent_classes(new_calibrator: Factory) -> None:
    """Hold zeros: a class of probability 0 keeps it."""
    probability, y = example_forecasts()
    two = probability.copy()
    two[:, 1] = 0.0
    two /= two.sum(axis=1, keepdims=True)
    seen = y != 0
    corrected = new_calibrator().fit(two[seen], y[seen]).transform(two)
    _require(_are_probabilities(corrected, len(two)), "two classes are calibrated")
    _require(bool((corrected[:, 1] == 0).all()), "a class of probability 0 keeps it")


def check_weights(new_calibrator: Factory) -> None:
    """Hold weights: their scale does not count, and rows of weight zero are as if not there."""
    probability, y = example_forecasts()
    weight = np.random.default_rng(1).uniform(0.5, 1.5, len(y))
    weight[::3] = 0.0
    counts = weight > 0
    zeroed = new_calibrator().fit(probability, y, weight).transform(probability)
    dropped = new_calibrator().fit(probability[counts], y[counts], weight[counts]).transform(probability)
    scaled = new_calibrator().fit(probability, y, 8.0 * weight).transform(probability)
    _require(np.array_equal(zeroed, dropped), "a row of weight zero is as if it were not there")
    _require(np.array_equal(zeroed, scaled), "the scale of the weights does not count")


def check_round_trip(new_calibrator: Factory) -> None:
    """Hold the round trip through JSON text: no bit changes."""
    probability, y = example_forecasts()
    calibrator = new_calibrator().fit(probability, y)
    text = json.dumps(calibrator.to_json(), allow_nan=False)
    again = type(calibrator).from_json(json.loads(text))
    _require(
        np.array_equal(again.transform(probability), calibrator.transform(probability)), "JSON changes no bit"
    )
    _require(json.dumps(again.to_json(), allow_nan=False) == text, "the state is the same again")


def check_does_no_harm(new_calibrator: Factory) -> None:
    """Hold the purpose: on new rows, log-loss does not rise by more than a hundredth."""
    for sureness in (0.5, 1.0, 2.5):
        probability, y = example_forecasts(sureness=sureness)
        new, happened = example_forecasts(sureness=sureness, seed=1)
        corrected = new_calibrator().fit(probability, y).transform(new)
        _require(_log_loss(corrected, happened) < _log_loss(new, happened) + 0.01, "calibration does no harm")


def check_refuses_bad_input(new_calibrator: Factory) -> None:
    """Hold the doors: unusable input is an `OnwardError`."""
    probability, y = example_forecasts(1_200)
    fitted = new_calibrator().fit(probability, y)
    doors: dict[str, Callable[[], Any]] = {
        "two columns": lambda: new_calibrator().fit(probability[:, :2], y),
        "rows that do not sum to 1": lambda: new_calibrator().fit(probability * 0.9, y),
        "negative probabilities": lambda: new_calibrator().fit(probability - [[0.5, -0.25, -0.25]], y),
        "NaN": lambda: new_calibrator().fit(np.where(probability > 0.5, np.nan, probability), y),
        "text": lambda: new_calibrator().fit(np.full((2, 3), "x"), y[:2]),
        "too few outcomes": lambda: new_calibrator().fit(probability, y[:-1]),
        "unknown classes": lambda: new_calibrator().fit(probability, y + 5),
        "no rows": lambda: new_calibrator().fit(probability[:0], y[:0]),
        "negative weights": lambda: new_calibrator().fit(probability, y, -np.ones(len(y))),
        "weights that are all zero": lambda: new_calibrator().fit(probability, y, np.zeros(len(y))),
        "weights that are NaN": lambda: new_calibrator().fit(probability, y, np.full(len(y), np.nan)),
        "no effective outcomes": lambda: new_calibrator().fit(probability, y, None, 0.0),
        "NaN effective outcomes": lambda: new_calibrator().fit(probability, y, None, float("nan")),
        "NaN in transform": lambda: fitted.transform(np.full((1, 3), np.nan)),
        "transform before fit": lambda: new_calibrator().transform(probability),
        "to_json before fit": lambda: new_calibrator().to_json(),
        "another's state": lambda: type(fitted).from_json({"name": "other"}),
    }
    for door, knock in doors.items():
        try:
            knock()
        except OnwardError:
            continue
        raise AssertionError(f"broken promise: {door} must raise an OnwardError")


def _log_loss(probability: FloatArray, y: npt.NDArray[np.int64]) -> float:
    return float(-np.log(probability[np.arange(len(y)), y + 1]).mean())


def _are_probabilities(values: FloatArray, n_rows: int) -> bool:
    right = values.shape == (n_rows, 3) and values.dtype == np.float64
    inside = bool((values >= 0).all() and (values <= 1).all())
    return right and inside and bool(np.allclose(values.sum(axis=1), 1.0, atol=1e-12))


def _require(holds: bool, promise: str) -> None:
    if not holds:
        raise AssertionError(f"broken promise: {promise}")
