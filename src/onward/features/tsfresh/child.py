"""What runs in the child process: tsfresh's own functions, or the user's, on a chunk of windows."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Wanted", "compute_chunk", "prepare", "run_chunk"]

CALCULATORS = "tsfresh.feature_extraction.feature_calculators"

Wanted = Sequence[tuple[str, str | None, Sequence[Mapping[str, Any]], Sequence[str]]]
"""Calculator, address of the user's function (None for tsfresh's own), parameter dictionaries, and
the names of the columns they give, in order."""

Arrays = dict[str, npt.NDArray[Any]]


def prepare(
    arrays: Arrays, values: dict[str, Any], progress: Callable[..., None]
) -> tuple[Arrays, dict[str, Any]]:
    """Import what will be needed; return tsfresh's version, empty when nothing of it is.

    Raises
    ------
    ConfigError
        If a library or a user's function is missing.
    """
    del arrays, progress
    warnings.simplefilter("ignore")
    wanted: Wanted = values["wanted"]
    try:
        needed = any(address is None for _, address, *_ in wanted)
        version = import_module("tsfresh").__version__ if needed else ""
        functions(wanted)
    except ImportError as error:
        raise missing(error) from error
    return {}, {"version": version}


def run_chunk(
    arrays: Arrays, values: dict[str, Any], progress: Callable[..., None]
) -> tuple[Arrays, dict[str, Any]]:
    """Compute a chunk: windows and times in, values and what each feature raised out."""
    del progress
    try:
        found, errors = compute_chunk(arrays["windows"], arrays.get("times"), values["wanted"])
    except ImportError as error:
        raise lacking(error) from error
    return {"values": found}, {"errors": errors}


def compute_chunk(
    windows: npt.NDArray[np.float64], times: npt.NDArray[np.int64] | None, wanted: Wanted
) -> tuple[npt.NDArray[np.float64], dict[str, tuple[str, int]]]:
    """Return values of each window, and of each feature that raised its first error and how often.

    Parameters
    ----------
    windows
        One window a row, shape (rows, length).
    times
        Moments, ns UTC, same shape; None without times.
    wanted
        The calculators.
    """
    import pandas as pd

    callables = functions(wanted)
    width = sum(len(names) for *_, names in wanted)
    out = np.full((len(windows), width), np.nan)
    errors: dict[str, tuple[str, int]] = {}
    for row, window in enumerate(windows):
        start = 0
        for function, (calculator, _, parameters, names) in zip(callables, wanted, strict=True):
            x: Any = window
            if getattr(function, "input", None) == "pd.Series":
                index = None if times is None else pd.DatetimeIndex(times[row].astype("datetime64[ns]"))
                x = pd.Series(np.array(window), index=index)
            found = values_of(function, calculator, x, parameters, names, errors)
            out[row, start : start + len(names)] = found
            start += len(names)
    return out, errors


def values_of(
    function: Callable[..., Any],
    calculator: str,
    x: Any,
    parameters: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    errors: dict[str, tuple[str, int]],
) -> list[float]:
    """Return a calculator's values of one window; NaN, and a note in ``errors``, where it raised.

    When several parameter dictionaries are asked for together and that fails, each is asked for by
    itself: one that cannot be computed takes no other with it.
    """
    try:
        return called(function, calculator, x.copy(), parameters, names)
    except ImportError:
        raise
    except Exception as error:  # a calculator may raise anything on a window
        if len(names) > 1:
            each = zip(parameters, names, strict=True)
            return [values_of(function, calculator, x, [p], [name], errors)[0] for p, name in each]
        first, times_raised = errors.get(names[0], (f"{type(error).__name__}: {error}", 0))
        errors[names[0]] = first, times_raised + 1
        return [np.nan]


def called(
    function: Callable[..., Any],
    calculator: str,
    x: Any,
    parameters: Sequence[Mapping[str, Any]],
    names: Sequence[str],
) -> list[float]:
    """Return what a calculator gives for one window, by parameter dictionary."""
    if getattr(function, "fctype", "simple") == "combiner":
        by_key = {f"{calculator}__{key}": value for key, value in function(x, param=parameters)}
        return [float(by_key.get(name, np.nan)) for name in names]
    return [float(function(x, **p)) for p in parameters] if parameters else [float(function(x))]


def functions(wanted: Wanted) -> list[Callable[..., Any]]:
    """Return the functions behind the calculators."""
    from onward.features.tsfresh.functions import load_function

    return [
        load_function(address) if address else getattr(import_module(CALCULATORS), name)
        for name, address, *_ in wanted
    ]


def missing(error: ImportError) -> Exception:
    """Return what to tell of a library that is not there."""
    from onward.errors import ConfigError

    return ConfigError(
        "these features need a library that is not installed",
        got=f"{type(error).__name__}: {error}",
        allowed="features that are native, or an environment with tsfresh",
        remedy='Install it with: pip install "onward[automl]"',
    )


def lacking(error: ImportError) -> Exception:
    """Return what to tell of a library that tsfresh itself can do without."""
    from onward.errors import ConfigError

    return ConfigError(
        "a calculator needs a library of its own that is not installed",
        got=f"{type(error).__name__}: {error}",
        allowed="calculators whose libraries are installed",
        remedy="Leave the calculator out, or install the library that it names; no extra of onward holds it.",
    )
