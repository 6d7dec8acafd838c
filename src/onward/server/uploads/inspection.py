"""What the child process does with a sent file: reads it whole, as its job will, and says what it is."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onward.errors import DataError

if TYPE_CHECKING:
    from onward.data.repositories import DataStore

__all__ = ["inspect"]

MOST_FINDINGS = 20


def inspect(
    arrays: Mapping[str, Any],  # noqa: ARG001 - what `IsolatedProcess` calls
    values: Mapping[str, Any],
    progress: Callable[..., None],  # noqa: ARG001
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read and clean a file, store it into a directory that is thrown away, and say what it held.

    With a value ``detail``, for people: also its columns, what a check of its bars finds, and
    whatever storing it is refused for, as something that can be mended beside the file.

    Raises
    ------
    OnwardError
        Whatever an import of the file would be refused for.
    """
    from onward.server.uploads.expansion import check_expansion

    path, detailed = Path(values["path"]), values.get("detail") is not None
    if values.get("most_bytes") is not None:
        check_expansion(path, values["most_bytes"])  # before the libraries that read tables are loaded

    from onward.data.importers import read
    from onward.data.importers.telling import import_value
    from onward.data.repositories import DataStore
    from onward.data.timeframe import format_timeframe

    result = read(path, values["format"])
    told = import_value(path.name, result)
    if detailed:
        length = None if result.timeframe is None else format_timeframe(result.timeframe)
        told |= {"columns": list(result.frame.columns[2:]), "timeframe": length, "still_open": 0}
        told |= {"refused": None, "findings": []}
    with tempfile.TemporaryDirectory(prefix="inspect-", dir=path.parent) as trial:
        store = DataStore(trial)
        try:
            # Symbols that are missing and timeframes that nobody can tell are found by storing.
            reports = store.save(result, symbol=values["symbol"], timeframe=values["timeframe"])
        except DataError as error:
            if not detailed:
                raise
            told["refused"] = error.to_dict()
        else:
            if detailed:
                told |= {**_looked_at(store, result.kind), "still_open": sum(r.still_open for r in reports)}
    return {}, told


def _looked_at(store: DataStore, kind: str) -> dict[str, Any]:
    """Return what a person wants to know before the rows are stored: gaps, odd values, bars that are open."""
    from onward.data.quality import check

    if kind != "candles":
        return {}
    lengths = store.timeframes()  # one, or none when no bar of the file is closed
    if not lengths:
        return {}
    report = check(store.market(timeframe=lengths[0]))
    found = [asdict(problem) for problem in report.problems[:MOST_FINDINGS]]
    return {"findings": found, "timeframe": lengths[0]}
