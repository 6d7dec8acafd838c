"""Rolling tsfresh features: warm seconds, time a window against tsfresh itself, memory, first compile.

The peer is `roll_time_series` followed by `extract_features`, in the same run, on fewer windows.
"""

from __future__ import annotations

import importlib.util
import tempfile
import time
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks._clock import best_of, growth
from benchmarks._markets import HOURS, hours, skipped
from benchmarks._process import run_code
from benchmarks._table import NOT_MEASURED, Row
from onward.features.tsfresh import rolling_features
from onward.features.tsfresh.sets import financial

WINDOW = 48
EFFICIENT_WINDOWS = 8_000
WIDE_ROWS = 20_000


def run(quick: bool = False) -> list[Row]:
    absent = skipped("rolling tsfresh features", HOURS)
    if absent:
        return absent
    returns = np.diff(np.log(hours().bars["close"].to_numpy()), prepend=0.0)
    repetitions = 1 if quick else 3
    rows = _speed("financial", returns, repetitions, windows=400 if quick else 2_000)
    rows += _speed("efficient", returns[:EFFICIENT_WINDOWS], repetitions, windows=10 if quick else 60)
    inputs = {rows_: returns[:rows_] for rows_ in (8_000, 16_000, 32_000, 64_000)}
    rows.append(growth(_financial, inputs, repetitions).row("financial set"))
    rows += [_memory(window) for window in ((WINDOW,) if quick else (WINDOW, 500))]
    if not quick:
        rows += [_first_use("financial", "<= 10"), _first_use("efficient", "<= 60")]
    return rows


def _financial(values: npt.NDArray[np.float64]) -> object:
    return rolling_features(values, window=WINDOW, parameters="financial")


def _speed(name: str, values: npt.NDArray[np.float64], repetitions: int, *, windows: int) -> list[Row]:
    """Return our seconds, warm, and the ratio to tsfresh's seconds a window."""

    def compute() -> object:
        return rolling_features(values, window=WINDOW, parameters=name)

    compute()
    seconds, count = best_of(compute, repetitions), len(values) - WINDOW + 1
    bars = f"{name} set, window {WINDOW}, {len(values):,} bars"
    limit, faster, jobs = ("<= 2.5", ">= 150", 2) if name == "financial" else ("", ">= 100", 1)
    ours = Row(bars, seconds, "s", limit, f"{seconds / count * 1e6:.0f} us a window, two threads")
    if importlib.util.find_spec("tsfresh") is None:
        return [ours, Row(f"{name} set by tsfresh", NOT_MEASURED, "x", faster, "tsfresh is not installed")]
    theirs = _peer(name, values[: windows + WINDOW - 1], jobs) / windows
    note = f"{theirs * 1e3:.2f} ms a window with {jobs} job(s), {windows} windows"
    return [ours, Row(f"{name} set: times faster than tsfresh", theirs * count / seconds, "x", faster, note)]


def _peer(name: str, values: npt.NDArray[np.float64], jobs: int) -> float:
    """Return tsfresh's seconds for every window of some values."""
    from tsfresh import extract_features
    from tsfresh.feature_extraction import EfficientFCParameters
    from tsfresh.utilities.dataframe_functions import roll_time_series

    frame = pd.DataFrame({"id": 1, "time": np.arange(len(values)), "value": values})
    sorting: dict[str, Any] = {"column_id": "id", "column_sort": "time", "n_jobs": jobs}
    settings = EfficientFCParameters() if name == "efficient" else financial()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.perf_counter()
        shifts = {"min_timeshift": WINDOW - 1, "max_timeshift": WINDOW - 1}
        rolled = roll_time_series(frame, **sorting, **shifts, disable_progressbar=True)
        extract_features(
            rolled, **sorting, default_fc_parameters=settings, disable_progressbar=True, show_warnings=False
        )
        return time.perf_counter() - start


def _memory(window: int) -> Row:
    """Return what the efficient set takes at its peak beyond its result."""
    code = f"""
import numpy as np, pathlib, resource, sys
from onward.features.tsfresh import rolling_features
unit = 1 if sys.platform == "darwin" else 1024
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
pages = pathlib.Path("/proc/self/statm")
now = lambda: int(pages.read_text().split()[1]) * 4096 / 1e6 if pages.exists() else peak()
x = np.random.default_rng(0).normal(size={WIDE_ROWS})
rolling_features(x[: {window} + 5], window={window}, parameters="efficient")
before = now()
result = rolling_features(x, window={window}, parameters="efficient")
print(peak() - before - result.to_numpy().nbytes / 1e6)
"""
    beyond = float(run_code(code).output)
    note = f"efficient set, {WIDE_ROWS:,} rows, after compiling"
    return Row(f"memory beyond the result, window {window}", beyond, "MB", "<= 300", note)


def _first_use(name: str, limit: str) -> Row:
    """Return the CPU seconds of a fresh process whose kernel cache is empty."""
    code = f"""
import numpy as np
from onward.features.tsfresh import rolling_features
rolling_features(np.sqrt(np.arange(60.0)), window={WINDOW}, parameters="{name}")
"""
    with tempfile.TemporaryDirectory() as cache:
        spent = run_code(code, {"NUMBA_CACHE_DIR": cache}).cpu_seconds
    return Row(f"{name} set compiled anew", spent, "s", limit, "CPU time of a fresh process")


if __name__ == "__main__":
    import sys

    from benchmarks._table import show

    show(run("--quick" in sys.argv))
