"""What the child process does with a sent file: reads it whole, as its job will, and says what it is."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["inspect"]


def inspect(
    arrays: Mapping[str, Any],  # noqa: ARG001 - what `IsolatedProcess` calls
    values: Mapping[str, Any],
    progress: Callable[..., None],  # noqa: ARG001
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read and clean a file, store it into a directory that is thrown away, and say what it held.

    Raises
    ------
    OnwardError
        Whatever an import of the file would be refused for.
    """
    from onward.data.importers import read
    from onward.data.importers.telling import import_value
    from onward.data.repositories import DataStore

    path = Path(values["path"])
    result = read(path, values["format"])
    with tempfile.TemporaryDirectory(prefix="inspect-", dir=path.parent) as trial:
        # Symbols that are missing and timeframes that nobody can tell are found by storing.
        DataStore(trial).save(result, symbol=values["symbol"], timeframe=values["timeframe"])
    return {}, import_value(path.name, result)
