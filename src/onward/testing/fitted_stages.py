"""The contract that every fitted stage keeps; run it on your own with `check_fitted_stage`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import OnwardError
from onward.protocols import FittedStage
from onward.testing.elsewhere import run_elsewhere
from onward.types import INDEX_NAMES, Spans, from_ns

__all__ = ["check_fitted_stage", "example_training_rows"]

HOUR = 3_600_000_000_000
Factory = Callable[[], FittedStage]


def check_fitted_stage(new_stage: Factory) -> None:
    """Hold a stage to the promises of `onward.protocols.FittedStage`.

    Parameters
    ----------
    new_stage
        Returns an unfitted stage, every time the same.

    Raises
    ------
    AssertionError
        Naming the promise that is broken.
    """
    check_protocol(new_stage)
    check_repeats_itself(new_stage)
    check_ignores_batch(new_stage)
    check_round_trip(new_stage)
    check_refuses_bad_input(new_stage)


def example_training_rows(
    n_steps: int = 600, n_symbols: int = 2, seed: int = 0
) -> tuple[pd.DataFrame, npt.NDArray[np.int64], Spans]:
    """Return training rows of a panel with a hole in the middle, as a purged fold leaves them.

    Column ``known`` knows the direction, ``width`` the range class, ``late`` is not known at
    first, ``same`` is constant, ``never`` always NaN; the others are slow noise.
    """
    generator = np.random.default_rng(seed)
    symbols = [f"S{i}" for i in range(n_symbols)]
    times = np.array([t for t in range(n_steps) if not n_steps // 3 <= t < n_steps // 2], dtype=np.int64)
    starts = np.tile(1_577_836_800_000_000_000 + HOUR * times, n_symbols)
    index = pd.MultiIndex.from_product([symbols, from_ns(starts[: len(times)] - HOUR)], names=INDEX_NAMES)
    n_rows = len(starts)
    outcome = np.concatenate([_slow(generator, len(times)) for _ in symbols])
    y = np.where(outcome > 0.6, 1, np.where(outcome < -0.6, -1, 0)).astype(np.int64)
    columns = {
        f"noise_{i}": np.concatenate([_slow(generator, len(times)) for _ in symbols]) for i in range(20)
    }
    columns["known"] = outcome + generator.normal(0, 0.7, n_rows)
    columns["width"] = np.abs(outcome) + generator.normal(0, 0.4, n_rows)
    columns["late"] = np.where(np.tile(times, n_symbols) < 50, np.nan, generator.normal(size=n_rows))
    columns["same"] = np.ones(n_rows)
    columns["never"] = np.full(n_rows, np.nan)
    X = pd.DataFrame(columns, index=index).astype(np.float32)
    return X, y, Spans(index, starts, starts + 12 * HOUR)


def check_protocol(new_stage: Factory) -> None:
    """Hold the shape: the methods of the protocol, fit returning self, input untouched."""
    X, y, spans = example_training_rows()
    before_X, before_y = X.copy(), y.copy()
    stage = new_stage()
    _require(isinstance(stage, FittedStage), "it has fit, transform, to_json, from_json and a name")
    _require(bool(stage.name) and stage.name == stage.name.lower(), "its name is lower case")
    _require(stage.fit(X, y, spans=spans) is stage, "fit returns self")
    out = stage.transform(X)
    pd.testing.assert_frame_equal(X, before_X)
    _require(bool((y == before_y).all()), "fit leaves the labels alone")
    _require(out.index.equals(X.index), "transform keeps the rows")
    _require(out.columns.is_unique and len(out.columns) > 0, "transform gives distinct columns")


def check_repeats_itself(new_stage: Factory) -> None:
    """Hold determinism: same rows and seed, same state, here and in another process."""
    X, y, spans = example_training_rows()
    first = new_stage().fit(X, y, spans=spans, seed=3)
    second = new_stage().fit(X, y, spans=spans, seed=3)
    _require(_state(first) == _state(second), "two fits with one seed are equal")
    again = first.fit(X, y, spans=spans, seed=3)
    _require(_state(again) == _state(second), "a second fit forgets the first")
    _require(_fit_elsewhere(new_stage) == _state(second), "another process fits the same")


def check_ignores_batch(new_stage: Factory) -> None:
    """Hold independence: a row's output ignores the other rows of its batch."""
    X, y, spans = example_training_rows()
    stage = new_stage().fit(X, y, spans=spans)
    whole = stage.transform(X)
    pd.testing.assert_frame_equal(stage.transform(X.iloc[[5]]), whole.iloc[[5]])
    pd.testing.assert_frame_equal(stage.transform(X.iloc[::-3]), whole.iloc[::-3])


def check_round_trip(new_stage: Factory) -> None:
    """Hold the round trip through JSON text: same state, same output."""
    X, y, spans = example_training_rows()
    stage = new_stage().fit(X, y, spans=spans)
    loaded = type(stage).from_json(json.loads(_state(stage)))
    _require(_state(loaded) == _state(stage), "the JSON round trip changes nothing")
    pd.testing.assert_frame_equal(loaded.transform(X), stage.transform(X))


def check_refuses_bad_input(new_stage: Factory) -> None:
    """Hold the doors: unusable input is an `OnwardError`, never a traceback from inside."""
    X, y, spans = example_training_rows()
    fitted = new_stage().fit(X, y, spans=spans)
    few = np.arange(3)
    doors: dict[str, Callable[[], Any]] = {
        "lengths that differ": lambda: new_stage().fit(X.iloc[:-1], y, spans=spans),
        "spans of other rows": lambda: new_stage().fit(X, y, spans=spans.take(few)),
        "no rows": lambda: new_stage().fit(X.iloc[:0], y[:0], spans=spans.take(few[:0])),
        "columns that are missing": lambda: fitted.transform(X[[]]),
        "transform before fit": lambda: new_stage().transform(X),
        "a state of something else": lambda: type(fitted).from_json({"nonsense": 1}),
    }
    for door, knock in doors.items():
        try:
            knock()
        except OnwardError:
            continue
        raise AssertionError(f"broken promise: {door} must raise an OnwardError")


def _slow(generator: np.random.Generator, n: int) -> npt.NDArray[np.float64]:
    shocks = generator.normal(size=n + 11)
    return np.convolve(shocks, np.ones(12) / np.sqrt(12.0), mode="valid")


def _require(holds: bool, promise: str) -> None:
    if not holds:
        raise AssertionError(f"broken promise: {promise}")


def _state(stage: FittedStage) -> str:
    return json.dumps(stage.to_json(), sort_keys=True, allow_nan=False)


def _fit_elsewhere(new_stage: Factory) -> str:
    """Fit the example rows in another process, with the parameters of an unfitted stage."""
    stage = new_stage()
    script = (
        "import json, sys\n"
        "from importlib import import_module\n"
        "from onward.testing.fitted_stages import example_training_rows\n"
        "stage_class = getattr(import_module(sys.argv[1]), sys.argv[2])\n"
        "X, y, spans = example_training_rows()\n"
        "stage = stage_class.from_json(json.loads(sys.argv[3])).fit(X, y, spans=spans, seed=3)\n"
        "print(json.dumps(stage.to_json(), sort_keys=True, allow_nan=False))\n"
    )
    finished = run_elsewhere(script, type(stage).__module__, type(stage).__qualname__, _state(stage))
    _require(finished.returncode == 0, f"it fits in another process: {finished.stderr[-500:]}")
    return finished.stdout.strip()
