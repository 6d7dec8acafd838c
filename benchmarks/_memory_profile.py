"""One way of computing rolling features, watched: ``python _memory_profile.py WAY VALUES WINDOW [FILE]``.

WAY is ``tsfresh`` (its own ``roll_time_series`` and ``extract_features``, in this process) or
``onward`` (``rolling_features``); VALUES a ``.npy`` file. Prints ``ready`` when everything is
imported and compiled, computes three times and discards each result, prints a line of JSON and
waits for a line of input, so that somebody outside can watch its memory. With FILE the work is
recorded by memray, which the interpreter must have then.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

CALLS = 3

Values = npt.NDArray[np.float64]


def by_tsfresh(window: int) -> Callable[[Values], object]:
    import pandas as pd
    from tsfresh import extract_features
    from tsfresh.utilities.dataframe_functions import roll_time_series

    from onward.features.tsfresh.sets import financial

    def compute(values: Values) -> object:
        frame = pd.DataFrame({"id": 1, "time": np.arange(len(values)), "value": values})
        common: dict[str, Any] = {"column_id": "id", "column_sort": "time", "n_jobs": 0}
        shifts = {"min_timeshift": window - 1, "max_timeshift": window - 1}
        rolled = roll_time_series(frame, **common, **shifts, disable_progressbar=True)
        return extract_features(
            rolled,
            **common,
            default_fc_parameters=financial(),
            disable_progressbar=True,
            show_warnings=False,
        )

    return compute


def by_onward(window: int) -> Callable[[Values], object]:
    from onward.features.tsfresh import rolling_features

    return lambda values: rolling_features(values, window=window, parameters="financial")


def status_mb(name: str) -> float:
    """Return a figure of this process in 10^6 bytes."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(name))


def forget_peak() -> None:
    """Let the peak (``VmHWM``) count from now on."""
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


@contextlib.contextmanager
def recorded(file: str | None) -> Iterator[None]:
    """Have memray record what is allocated in the block."""
    if file is None:
        yield
        return
    import memray

    with memray.Tracker(file):
        yield


def told_by_memray(file: str) -> dict[str, float]:
    """Return what a record says: figures in 10^6 bytes and allocations, for all calls together."""
    import memray
    from memray._memray import compute_statistics

    statistics = compute_statistics(file)
    with memray.FileReader(file) as reader:
        kept = sum(record.size for record in reader.get_leaked_allocation_records(merge_threads=True))
    return {
        "allocations": statistics.total_num_allocations,
        "allocated_mb": statistics.total_memory_allocated / 1e6,
        "highest_mb": statistics.peak_memory_allocated / 1e6,
        "kept_mb": kept / 1e6,
    }


def main() -> None:
    """Compute three times."""
    way, window = sys.argv[1], int(sys.argv[3])
    file = sys.argv[4] if len(sys.argv) > 4 else None
    values = np.load(sys.argv[2])
    warnings.simplefilter("ignore")
    compute = {"tsfresh": by_tsfresh, "onward": by_onward}[way](window)
    compute(values[: window + 5])
    forget_peak()
    told: dict[str, Any] = {"before_mb": status_mb("VmRSS"), "seconds": []}
    print("ready", flush=True)
    with recorded(file):
        for _ in range(CALLS):
            start = time.perf_counter()
            result = compute(values)
            told["result_mb"] = result.to_numpy().nbytes / 1e6  # type: ignore[attr-defined]
            del result
            told["seconds"].append(time.perf_counter() - start)
    told |= {"last_mb": status_mb("VmRSS"), "peak_mb": status_mb("VmHWM")}
    if file is not None:
        told["memray"] = told_by_memray(file)
    print(json.dumps(told), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main()
