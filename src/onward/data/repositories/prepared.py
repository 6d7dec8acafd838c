"""A write in two steps: everything slow first, then one rename that makes it visible, or none."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from onward.data.repositories import files
from onward.data.repositories.base import UpsertReport

__all__ = ["PreparedUpsert"]


class PreparedUpsert:
    """Rows that are merged and written, but not visible yet; nobody else writes meanwhile.

    Ends with exactly one of `settle`, `back` and `leave`.

    Parameters
    ----------
    directory
        Of the symbol.
    report
        What becoming visible changes.
    lock
        Holds the directory's lock.
    draft
        The manifest to come; None when nothing changes.
    """

    def __init__(self, directory: Path, report: UpsertReport, lock: ExitStack, draft: Path | None) -> None:
        self.report = report
        self._directory = directory
        self._lock = lock
        self._draft = draft
        self._swapped = False

    def swap(self) -> None:
        """Make the rows visible: one rename. Again is once."""
        if self._draft is not None and not self._swapped:
            with files.storage_errors("making rows visible", self._directory):
                self._draft.replace(self._directory / files.MANIFEST)
            self._swapped = True

    def settle(self) -> None:
        """Keep what is visible, on the disk for good, and let others write."""
        with self._lock:
            if self._draft is not None:
                with files.storage_errors("making rows visible", self._directory):
                    files.decide(self._directory)
                    files.sweep(self._directory)

    def back(self) -> None:
        """Take it back, also when it was visible, and let others write."""
        with self._lock:
            if self._draft is not None:
                with files.storage_errors("taking rows back", self._directory):
                    files.go_back(self._directory)
                    files.sweep(self._directory)

    def leave(self) -> None:
        """Let others write without a decision: whoever writes next goes back first."""
        self._lock.close()
