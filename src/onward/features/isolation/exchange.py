"""Arrays on their way between two processes: one ``.npy`` file each, never a pickle."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["read_arrays", "write_arrays"]


def write_arrays(directory: Path, arrays: Mapping[str, npt.ArrayLike]) -> list[str]:
    """Write arrays into a new directory and return their names in order.

    Files are numbered, so that any text can be a name.

    Raises
    ------
    ValueError
        If an array holds Python objects.
    OSError
        If the disk refuses.
    """
    directory.mkdir()
    for number, (name, array) in enumerate(arrays.items()):
        values = np.asarray(array)
        if values.dtype.hasobject:
            raise ValueError(f"the array {name!r} holds Python objects")
        np.save(directory / f"{number}.npy", values, allow_pickle=False)
    return list(arrays)


def read_arrays(directory: Path, names: Iterable[str], *, mapped: bool) -> dict[str, npt.NDArray[Any]]:
    """Read what `write_arrays` wrote.

    Parameters
    ----------
    directory
        Where the arrays are.
    names
        What `write_arrays` returned.
    mapped
        Map the files read-only, which costs no memory of its own. Otherwise read them into
        memory and remove the directory.
    """
    arrays = {}
    for number, name in enumerate(names):
        file = directory / f"{number}.npy"
        array = np.load(file, mmap_mode="r" if mapped else None, allow_pickle=False)
        arrays[name] = array
    if not mapped:
        shutil.rmtree(directory, ignore_errors=True)
    return arrays
