"""tsfresh itself, in a process of its own: ``python -m onward.features.tsfresh.child FD``.

The process reads requests from an inherited connection, imports tsfresh when one of its
calculators is wanted, and answers chunk
by chunk, so its memory is bounded by a chunk and returns to the system when it ends.
"""

from __future__ import annotations

import os
import pickle
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

__all__ = ["compute_chunk", "serve"]

CALCULATORS = "tsfresh.feature_extraction.feature_calculators"


def compute_chunk(
    windows: np.ndarray[Any, np.dtype[np.float64]],
    times: np.ndarray[Any, np.dtype[np.int64]] | None,
    wanted: Sequence[tuple[str, Any, list[dict[str, Any]], list[str]]],
) -> tuple[np.ndarray[Any, np.dtype[np.float64]], dict[str, str]]:
    """Return values of each window, and the first error of each calculator that raised.

    Parameters
    ----------
    windows
        One window a row, shape (rows, length).
    times
        Moments, ns UTC, same shape; None without times.
    wanted
        Calculator, function (None for tsfresh's own), parameter dictionaries, and the names of
        the columns they give, in order.
    """
    import pandas as pd

    functions = [
        given if given is not None else getattr(import_module(CALCULATORS), name)
        for name, given, *_ in wanted
    ]
    width = sum(len(names) for *_, names in wanted)
    out = np.full((len(windows), width), np.nan)
    errors: dict[str, str] = {}
    for row, window in enumerate(windows):
        start = 0
        for function, (calculator, _, parameters, names) in zip(functions, wanted, strict=True):
            x: Any = window.copy()
            if getattr(function, "input", None) == "pd.Series":
                index = None if times is None else pd.DatetimeIndex(times[row].astype("datetime64[ns]"))
                x = pd.Series(x, index=index)
            try:
                if getattr(function, "fctype", "simple") == "combiner":
                    by_key = {f"{calculator}__{key}": value for key, value in function(x, param=parameters)}
                    found = [by_key.get(name, np.nan) for name in names]
                else:
                    found = [function(x, **p) for p in parameters] if parameters else [function(x)]
                out[row, start : start + len(names)] = found
            except ImportError:
                raise
            except Exception as error:  # a calculator may raise anything on a window
                errors.setdefault(calculator, f"{type(error).__name__}: {error}")
            start += len(names)
    return out, errors


def serve(connection: Connection) -> None:
    """Answer chunks until the connection closes. Answers are (kind, payload)."""
    warnings.simplefilter("ignore")
    try:
        wanted = pickle.loads(connection.recv_bytes())  # noqa: S301 - from our own parent alone
        needed = any(function is None for _, function, *_ in wanted)
        connection.send(("ready", import_module("tsfresh").__version__ if needed else ""))
    except Exception as error:  # whatever it is, the parent must hear of it
        connection.send(("failed", f"{type(error).__name__}: {error}"))
        return
    while True:
        try:
            windows, times = connection.recv()
        except EOFError:
            return
        try:
            connection.send(("done", compute_chunk(windows, times, wanted)))
        except Exception as error:  # whatever it is, the parent must hear of it
            connection.send(("failed", f"{type(error).__name__}: {error}"))
            return


if __name__ == "__main__":
    # Threads of BLAS would fight the parent's; libraries that print must not reach its output.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 1)
    serve(Connection(int(sys.argv[1])))
