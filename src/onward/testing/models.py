"""The contract that every model keeps; run it on your own with `check_model`."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import BundleError, OnwardError
from onward.protocols import Model
from onward.testing.elsewhere import run_elsewhere
from onward.types import FloatArray

__all__ = ["check_model", "example_rows"]

Factory = Callable[[], Model]

TASKS = Path("/proc/self/task")


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
    check_one_class(new_model)
    check_empty_columns(new_model)
    check_weights(new_model)
    check_ignores_precision(new_model)
    check_prepared_rows(new_model)
    check_gain(new_model)
    check_ignores_threads(new_model)
    check_honours_thread_cap(new_model)
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


def check_one_class(new_model: Factory) -> None:
    """Hold honesty: rows of one class are refused, or predicted as that class with certainty."""
    X, y = example_rows(120)
    try:
        model = new_model().fit(X, np.zeros_like(y))
    except OnwardError:
        return
    _require(_equal(model.predict_proba(X)[:, 1], np.ones(len(X))), "the only class is certain")


def check_empty_columns(new_model: Factory) -> None:
    """Hold robustness: columns that said nothing in training say nothing later, whatever comes."""
    X, y = example_rows()
    X = X.assign(constant=np.float32(1.0))
    model = new_model().fit(X, y)
    gain = model.gain()
    for name in ("unknown", "constant"):
        _require(gain[X.columns.get_loc(name)] == 0, f"a column that is {name} gains nothing")
    known, missing = X.copy(), X.copy()
    known["unknown"], missing[list(X.columns)] = np.float32(3.0), np.float32(np.nan)
    _require(_equal(model.predict_proba(known), model.predict_proba(X)), "what was never known stays ignored")
    _require(_are_probabilities(model.predict_proba(missing)), "rows of nothing but NaN are predicted")


def check_weights(new_model: Factory) -> None:
    """Hold weights: they count, and a row of weight zero is as if it were not there."""
    X, y = example_rows()
    plain = new_model().fit(X, y).predict_proba(X)
    heavier = new_model().fit(X, y, np.where(y == 0, 4.0, 1.0)).predict_proba(X)
    _require(heavier[:, 1].mean() > plain[:, 1].mean(), "a heavier class becomes more probable")
    weight = np.random.default_rng(1).uniform(0.5, 1.5, len(y))
    weight[::3] = 0.0
    counts = weight > 0
    zeroed = new_model().fit(X, y, weight).predict_proba(X)
    dropped = new_model().fit(X[counts], y[counts], weight[counts]).predict_proba(X)
    _require(_equal(zeroed, dropped), "a row of weight zero is as if it were not there")
    without = new_model().fit(X, y, np.where(y == 1, 0.0, 1.0)).predict_proba(X)
    _require(bool((without[:, 2] == 0).all()), "a class of weight zero is absent")


def check_ignores_precision(new_model: Factory) -> None:
    """Hold the cast: float64 and float32 columns give the same model and the same predictions."""
    X, y = example_rows()
    wide = X.astype(np.float64) * (1.0 + 1e-12)
    narrow_model, wide_model = new_model().fit(X, y), new_model().fit(wide, y)
    expected = narrow_model.predict_proba(X)
    _require(_equal(narrow_model.predict_proba(wide), expected), "float64 rows are predicted the same")
    _require(_equal(wide_model.predict_proba(X), expected), "float64 rows give the same model")


def check_prepared_rows(new_model: Factory) -> None:
    """Hold `prepare`, where there is one: fits that share prepared rows equal fits that do not."""
    from sklearn.base import clone

    model: Any = new_model()
    if not hasattr(model, "prepare"):
        return
    X, y = example_rows()
    weight = np.random.default_rng(2).uniform(0.5, 1.5, len(y))
    for weights in (None, weight):
        expected = new_model().fit(X, y, weights).predict_proba(X)
        prepared = model.prepare(X, y, weights)
        other: Any = new_model()
        for name, value in {"seed": 5, "class_weight": "balanced", "balance_directions": False}.items():
            if name in other.get_params():
                other.set_params(**{name: value})
        for once in (model, other, clone(model)):
            once.fit_prepared(prepared)
        _require(_equal(model.predict_proba(X), expected), "prepared rows give the same model")
        again: Any = new_model()
        again.fit_prepared(prepared)
        _require(_equal(again.predict_proba(X), expected), "prepared rows can be used again")


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
    one, three = (model.predict_proba(X) for model in models)
    _require(_equal(one, three), "predictions do not depend on the number of threads")


def check_honours_thread_cap(new_model: Factory) -> None:
    """Hold the cap: with ``n_threads=1`` one thread does the work (seen on Linux only)."""
    model: Any = new_model()
    if "n_threads" not in model.get_params() or not TASKS.is_dir():
        return
    X, y = example_rows(4_000)
    model.set_params(n_threads=1).fit(X.iloc[:200], y[:200]).predict_proba(X.iloc[:1])  # imports done
    before = _thread_seconds()
    used: dict[str, float] = {}
    done = threading.Event()

    def watch() -> None:
        me = str(threading.get_native_id())
        while True:
            last = done.wait(0.002)
            used.update({task: t for task, t in _thread_seconds().items() if task != me})
            if last:
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        model.fit(X, y).predict_proba(X)
    finally:
        done.set()
        watcher.join()
    worked = sorted((t - before.get(task, 0.0) for task, t in used.items()), reverse=True)
    _require(len(worked) < 2 or worked[1] < 0.1 * worked[0] + 0.005, "n_threads=1 means one thread")


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
        "weights that are all zero": lambda: new_model().fit(X, y, np.zeros(len(y))),
        "weights that are NaN": lambda: new_model().fit(X, y, np.full(len(y), np.nan)),
        "too few weights": lambda: new_model().fit(X, y, np.ones(len(y) - 1)),
        "numbers beyond float32": lambda: new_model().fit(X.astype(np.float64).assign(a=1e300), y),
        "infinite features in prediction": lambda: fitted.predict_proba(infinite),
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


def _thread_seconds() -> dict[str, float]:
    """Return how long each thread of this process has run so far."""
    seconds = {}
    for task in TASKS.iterdir():
        try:
            seconds[task.name] = int((task / "schedstat").read_text().split()[0]) / 1e9
        except (OSError, IndexError, ValueError):  # it ended in between
            continue
    return seconds


def _are_probabilities(values: FloatArray) -> bool:
    return bool((values >= 0).all() and np.allclose(values.sum(axis=1), 1.0, atol=1e-9))


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
    """Load, predict and fit again in another process, which must be silent and leave no files."""
    script = (
        "import sys, json\n"
        "from importlib import import_module\n"
        "from pathlib import Path\n"
        "from onward.testing.models import example_rows\n"
        "model = getattr(import_module(sys.argv[1]), sys.argv[2]).load(Path(sys.argv[3]))\n"
        "X, y = example_rows()\n"
        "print(json.dumps(model.predict_proba(X).tolist()))\n"
        "model.fit(X[y != 0], y[y != 0])\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        where = (model.__module__, model.__qualname__, str(directory.resolve()))
        finished = run_elsewhere(script, *where, folder=folder)
        _require(finished.returncode == 0, f"it loads in another process: {finished.stderr[-500:]}")
        _require(not any(Path(folder).iterdir()), "training leaves no files in the working directory")
    _require(not finished.stderr and finished.stdout.count("\n") == 1, "training prints nothing")
    return np.array(json.loads(finished.stdout), dtype=np.float64)
