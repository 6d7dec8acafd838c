"""The report of a run lies beside its home, so that ``onward runs report`` finds it later."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from onward.errors import StorageError

if TYPE_CHECKING:
    from onward.training.result import TrainingResult
    from onward.wiring import Application

__all__ = ["keep_report"]


def keep_report(application: Application, result: TrainingResult, copy: Path | None = None) -> Path | None:
    """Write the report to ``runs/<id>/report.html`` and, if asked, to a second file.

    Returns
    -------
    Path or None
        The second file if there is one, else the first; None for a run that was not recorded.
    """
    kept = None
    if result.run_id is not None:
        place = Path("runs") / result.run_id / "report.html"
        kept = application.home.root / place
        kept.parent.mkdir(parents=True, exist_ok=True)
        result.report(kept)
        _share(application, place.as_posix(), kept)
        application.runs.update(result.run_id, report_path=place.as_posix())
    if copy is None:
        return kept
    copy.parent.mkdir(parents=True, exist_ok=True)
    return result.report(copy)


def _share(application: Application, path: str, file: Path) -> None:
    """Let other hosts read a file; the training that it is about does not fail with it."""
    if application.artifacts is None:
        return
    try:
        application.artifacts.files.put(path, file)
    except StorageError as error:
        sys.stderr.write(f"The report can be read on this host alone. {error}\n")
