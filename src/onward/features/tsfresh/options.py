"""What a stage was asked for: options read, and features written down to be read again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from onward.errors import StageError
from onward.features.tsfresh.functions import address_of, require_calculator
from onward.features.tsfresh.inputs import read_count
from onward.features.tsfresh.parameters import Feature, plain

__all__ = ["addresses", "read_lengths", "read_timeout", "written"]


def written(features: Sequence[Feature]) -> list[list[Any]]:
    """Return features as JSON values: pairs of calculator or address, and parameters or None."""
    out: dict[str, list[dict[str, Any]]] = {}
    for feature in features:
        name, function = feature.calculator, feature.function
        if function is not None:
            name = address_of(function)
            require_calculator(function, name)
        entries = out.setdefault(name, [])
        if feature.parameters:
            entries.append(plain(feature.parameters, name))
    return [[name, entries or None] for name, entries in out.items()]


def addresses(parameters: Sequence[Any]) -> list[str]:
    """Return the addresses among calculators as `written` gives them."""
    return [str(name) for name, _ in parameters if ":" in str(name)]


def read_lengths(windows: Any) -> tuple[int, ...]:
    """Return window lengths: positive whole numbers, each once."""
    lengths = tuple(windows) if isinstance(windows, Sequence | np.ndarray) else (windows,)
    checked = tuple(read_count("tsfresh.windows", length) for length in lengths)
    if not checked or len({*checked}) != len(checked):
        raise StageError(
            "the setting tsfresh.windows names no window, or one twice",
            got=", ".join(map(str, checked)) or "nothing",
            allowed="each length once, bars",
            remedy="Write windows = [24, 96].",
            settings=("windows",),
        )
    return checked


def read_timeout(timeout: Any) -> float:
    """Return a positive number of seconds."""
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0.0 < timeout < np.inf:
        raise StageError(
            "the setting tsfresh.timeout is no time",
            got=repr(timeout),
            allowed="seconds above 0",
            remedy="Write timeout = 300.",
            settings=("timeout",),
        )
    return float(timeout)
