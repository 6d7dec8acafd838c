"""The contract that every model keeps; run it on your own with `check_model`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import BundleError, OnwardError
from onward.protocols import Model
from onward.types import FloatArray

__all__ = ["check_model", "example_rows"]

Factory = Callable[[], Model]


def check_model(new_model: Factory) -> None:
    """Hold a model to the promises of `onward.protocols.Model`.

    Parameters
    ----------
    new_model
        Returns an unfitted model, every time the same; give it few rounds, so that it is quick.

    Raises
    ------
    AssertionError
        Naming the promise that is broken.
    """
    check_probabilities(new_model)
    check_repeats_itself(new_model)
    check_ignores_batch(new_model)
    check_absent_class(new_model)
    check_gain(new_model)
    check_ignores_threads(new_model)
    check_save_and_load(new_model)
    check_notices_damage(new_model)
    check_is_an_estimator(new_model)
    check_refuses_bad_input(new_model)


def example_rows(n_rows: int = 400, seed: int = 0) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Return features, some of them NaN, and classes that hang on the first of them."""
    generator = np.random.default_rng(seed)
    X = pd.DataFrame(generator.normal(size=(n_rows, 4)).astype(np.float32), columns=list("abcd"))
    y = np.clip(np.round(X["a"].to_numpy() + generator.normal(0, 0.5, n_rows)), -1, 1).astype(np.int64)
    X.iloc[:20, 1] = np.nan
    X["unknown"] = np.float32(np.nan)
    return X, y


def check_probabilities(new_model: Factory) -> None:
    """Hold the shape: three columns, between 0 and 1, rows summing to 1, classes -1, 0, 1."""
    X, y = example_rows()
    model: Any = new_model().fit(X, y)
    probability = model.predict_proba(X)
    _require(probability.shape == (len(X), 3), "predict_proba gives three columns")
    _require(probability.dtype == np.float64, "probabilities are float64")
    _require(bool((probability >= 0).all()), "probabilities are not negative")
    _require(bool(np.allclose(probability.sum(axis=1), 1.0, atol=1e-9)), "probabilities sum to 1")
    _require(list(model.classes_) == [-1, 0, 1], "classes_ is [-1, 0, 1]")


def check_repeats_itself(new_model: Factory) -> None:
    """Hold determinism: the same rows give the same model, and fitting leaves the rows alone."""
    X, y = example_rows()
    before = X.copy()
    first, second = new_model().fit(X, y), new_model().fit(X, y)
    pd.testing.assert_frame_equal(X, before)
    _require(_equal(first.predict_proba(X), second.predict_proba(X)), "two fits are bit-equal")
    again = first.fit(X, y)
    _require(_equal(again.predict_proba(X), second.predict_proba(X)), "a second fit forgets the first")


def check_ignores_batch(new_model: Factory) -> None:
    """Hold independence: a row is predicted the same alone, in part and in another order."""
    X, y = example_rows()
    model = new_model().fit(X, y)
    whole = model.predict_proba(X)
    _require(_equal(model.predict_proba(X.iloc[[7]]), whole[[7]]), "one row alone equals the batch")
    _require(_equal(model.predict_proba(X.iloc[::-1]), whole[::-1]), "order does not matter")
    _require(model.predict_proba(X.iloc[:0]).shape == (0, 3), "no rows give no predictions")


def check_absent_class(new_model: Factory) -> None:
    """Hold the columns: a class that never occurred in training gets exactly 0."""
    X, y = example_rows()
    rows = y != 0
    probability = new_model().fit(X[rows], y[rows]).predict_proba(X)
    _require(bool((probability[:, 1] == 0).all()), "an absent class gets probability 0")
    _require(bool(np.allclose(probability.sum(axis=1), 1.0, atol=1e-9)), "the others still sum to 1")


def check_gain(new_model: Factory) -> None:
    """Hold importance: one finite value a column, not negative, none for columns without content."""
    X, y = example_rows()
    gain = new_model().fit(X, y).gain()
    _require(gain.shape == (X.shape[1],), "gain is one value a column")
    _require(gain.dtype == np.float64, "gain is float64")
    _require(bool(np.isfinite(gain).all() and (gain >= 0).all()), "gain is finite and not negative")
    _require(gain[X.columns.get_loc("unknown")] == 0, "a column of NaN gains nothing")
    _require(gain.argmax() == 0 or not gain.any(), "the column that the classes hang on gains most")


def check_save_and_load(new_model: Factory) -> None:
    """Hold the round trip: bit-equal here and in another process, no pickle on disk."""
    X, y = example_rows()
    model = new_model().fit(X, y)
    expected = model.predict_proba(X)
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "model"
        model.save(directory)
        for path in directory.rglob("*"):
            _require(not path.is_file() or path.read_bytes()[:1] != b"\x80", f"{path.name} is no pickle")
        loaded = type(model).load(directory)
        _require(_equal(loaded.predict_proba(X), expected), "the loaded model is bit-equal")
        _require(_equal(loaded.gain(), model.gain()), "the loaded model has the same gain")
        again = Path(folder) / "again"
        loaded.save(again)
        _require(_contents(again) == _contents(directory), "saving what was loaded gives the same files")
        elsewhere = _predict_elsewhere(type(model), directory)
        _require(_equal(elsewhere, expected), "another process predicts the same")


def check_ignores_threads(new_model: Factory) -> None:
    """Hold the thread cap's innocence: the same files, byte for byte, on one thread and on three."""
    X, y = example_rows(4_000)
    models: list[Any] = [new_model(), new_model()]
    if "n_threads" not in models[0].get_params():
        return
    with tempfile.TemporaryDirectory() as folder:
        for model, n_threads in zip(models, (1, 3), strict=True):
            model.set_params(n_threads=n_threads).fit(X, y).save(Path(folder) / str(n_threads))
        same = _contents(Path(folder) / "1") == _contents(Path(folder) / "3")
    _require(same, "the saved files do not depend on the number of threads")


def check_notices_damage(new_model: Factory) -> None:
    """Hold integrity: one flipped bit in any file, or a missing file, is a `BundleError`."""
    X, y = example_rows(120)
    model = new_model().fit(X, y)
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "model"
        model.save(directory)
        for path in sorted(p for p in directory.rglob("*") if p.is_file()):
            content = path.read_bytes()
            for at in {0, len(content) // 3, len(content) // 2, len(content) - 1}:
                damaged = bytearray(content)
                damaged[at] ^= 0x01
                path.write_bytes(bytes(damaged))
                _require(_refuses(lambda: type(model).load(directory)), f"byte {at} of {path.name}")
            path.unlink()
            _require(_refuses(lambda: type(model).load(directory)), f"{path.name} missing")
            path.write_bytes(content)
        type(model).load(directory)


def check_is_an_estimator(new_model: Factory) -> None:
    """Hold scikit-learn's grammar: clone, get_params, set_params, predict, score."""
    from sklearn.base import clone, is_classifier

    X, y = example_rows()
    model: Any = new_model()
    copy = clone(model)
    _require(copy.get_params() == model.get_params(), "clone keeps the parameters")
    _require(copy.set_params(**model.get_params()) is copy, "set_params returns the model")
    _require(is_classifier(model), "scikit-learn takes it for a classifier")
    copy.fit(X, y)
    _require(_equal(copy.predict(X), copy.predict_proba(X).argmax(axis=1) - 1), "predict is the argmax")
    _require(0.0 <= copy.score(X, y) <= 1.0, "score is an accuracy")


def check_refuses_bad_input(new_model: Factory) -> None:
    """Hold the doors: unusable input is an `OnwardError`, never a traceback from inside."""
    X, y = example_rows()
    infinite = X.copy()
    infinite.iloc[3, 0] = np.inf
    fitted = new_model().fit(X, y)
    doors: dict[str, Callable[[], Any]] = {
        "lengths that differ": lambda: new_model().fit(X, y[:-1]),
        "no rows": lambda: new_model().fit(X.iloc[:0], y[:0]),
        "unknown classes": lambda: new_model().fit(X, y + 5),
        "labels that are NaN": lambda: new_model().fit(X, np.where(y == 1, np.nan, y)),
        "infinite features": lambda: new_model().fit(infinite, y),
        "text features": lambda: new_model().fit(X.assign(a="x"), y),
        "no features": lambda: new_model().fit(X[[]], y),
        "negative weights": lambda: new_model().fit(X, y, -np.ones(len(y))),
        "other columns": lambda: fitted.predict_proba(X.rename(columns={"b": "z"})),
        "columns in another order": lambda: fitted.predict_proba(X[["b", "a", "c", "d", "unknown"]]),
        "too few columns": lambda: fitted.predict_proba(X[["a"]]),
        "predicting before fitting": lambda: new_model().predict_proba(X),
        "gain before fitting": lambda: new_model().gain(),
        "saving before fitting": lambda: new_model().save(Path(tempfile.gettempdir()) / "never"),
    }
    for door, knock in doors.items():
        try:
            knock()
        except OnwardError:
            continue
        raise AssertionError(f"broken promise: {door} must raise an OnwardError")


def _require(holds: bool, promise: str) -> None:
    if not holds:
        raise AssertionError(f"broken promise: {promise}")


def _equal(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> bool:
    return bool(np.array_equal(left, right))


def _refuses(load: Callable[[], Any]) -> bool:
    try:
        load()
    except BundleError:
        return True
    return False


def _contents(directory: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(directory)): p.read_bytes() for p in sorted(directory.rglob("*")) if p.is_file()
    }


def _predict_elsewhere(model: type[Model], directory: Path) -> FloatArray:
    """Load and predict the example rows in a fresh process."""
    script = (
        "import sys, json\n"
        "from importlib import import_module\n"
        "from pathlib import Path\n"
        "from onward.testing.models import example_rows\n"
        "model = getattr(import_module(sys.argv[1]), sys.argv[2]).load(Path(sys.argv[3]))\n"
        "print(json.dumps(model.predict_proba(example_rows()[0]).tolist()))\n"
    )
    command = [sys.executable, "-c", script, model.__module__, model.__qualname__, str(directory)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    _require(finished.returncode == 0, f"it loads in another process: {finished.stderr[-500:]}")
    return np.array(json.loads(finished.stdout), dtype=np.float64)
