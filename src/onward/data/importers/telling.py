"""What an import came to, as JSON says it: the same on the command line, in answers and in reports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onward.data.importers.base import ImportResult
    from onward.data.repositories import UpsertReport

__all__ = ["import_value"]


def import_value(file: str, result: ImportResult, reports: Iterable[UpsertReport] = ()) -> dict[str, Any]:
    """Return what was read from a file, and what of it was stored, as plain JSON.

    Parameters
    ----------
    file
        How the file is called.
    result
        What was read.
    reports
        What a store answered; none when nothing was stored.
    """
    from onward.data.strays import stray_values

    times = result.frame["timestamp"]
    return {
        "file": file,
        "kind": result.kind,
        "symbols": list(result.symbols),
        "timeframe": None if result.timeframe is None else str(result.timeframe),
        "rows": len(result.frame),
        "first": times.min().isoformat(),
        "last": times.max().isoformat(),
        "format": result.recognition.format,
        "evidence": result.recognition.evidence,
        "recognised": str(result.recognition),
        "repairs": [asdict(repair) for repair in result.repairs],
        "strays": stray_values(result.frame),
        "stored": [report.to_dict() for report in reports],
    }
