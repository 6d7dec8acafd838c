"""Entries of a feature cache: made, aged, listed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

from onward.features.cache import FeatureCache

__all__ = ["SHAPE", "SIZE", "age", "keys", "put"]

SHAPE = (500, 2)
SIZE = 500 * 2 * 8 + 256  # room that an entry is given: the values and their header


def put(cache: FeatureCache, key: str, value: float = 1.0) -> np.ndarray:
    def fill(matrix: np.ndarray) -> None:
        matrix[:] = value

    return cache.build(key, SHAPE, np.float64, fill)


def age(directory: Path, key: str, seconds: float) -> None:
    """Let an entry look as if it had been used that long ago."""
    (path,) = directory.glob(f"{key}.*.npy")
    moment = time.time() - seconds
    os.utime(path, (moment, moment))


def keys(directory: Path) -> list[str]:
    return sorted(path.name.split(".")[0] for path in directory.glob("*.npy"))
