"""Kept reports, read back: what a run's report file says, without computing any of it again.

`onward.evaluation.report` decides what a report says and writes it down twice in one file: as a page,
and as plain values (`onward.evaluation.report.embedded`). The values are read here, so that a page
in the reader's language says the same. Nothing of the libraries that made them is imported.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from onward.errors import OnwardError

if TYPE_CHECKING:
    from onward.registry import ModelRegistry, Run

__all__ = ["KeptReport", "Missing", "ReportBook", "read_report"]

Missing: TypeAlias = Literal["none", "gone", "old"]
"""No report was made; its file is not there any more; it is of another version of Onward."""

FORMAT = 1
CONTENT, DATA = "content", "data"
KEPT = 6
"""Reports that are kept: readers scroll through the candles of one, or lay a few side by side."""


class Places(Protocol):
    """Where files lie; the services of a site are one."""

    def kept_file(self, stored: str) -> Path:
        """Return where a file lies that a run left."""


@dataclass(frozen=True, eq=False)
class KeptReport:
    """A report that was written down.

    Attributes
    ----------
    path
        Its file.
    page
        Everything it says, as `onward.evaluation.report.embedded.embedded_page` gave it.
    """

    path: Path
    page: Mapping[str, Any]
    _data: str

    @cached_property
    def charts(self) -> Mapping[str, Any]:
        """Data of its charts."""
        found: dict[str, Any] = json.loads(self._data)
        return found


class ReportBook:
    """Finds and reads the reports of runs. Safe to use from several threads.

    Parameters
    ----------
    places
        Knows where a file lies that a run left, by the path that its row names.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._lock = threading.Lock()
        self._known: OrderedDict[object, KeptReport] = OrderedDict()

    def file(self, run: Run, registry: ModelRegistry) -> Path | None:
        """Return the file of a run's report, else the one in the bundle that it was published as."""
        stored = run.record.report_path
        if stored:
            path = self._places.kept_file(stored)
            if path.is_file():
                return path
        if run.record.model_ref is None:
            return None
        try:
            path = registry.open(run.record.model_ref) / "report.html"
        except OnwardError:
            return None  # the version was deleted as well
        return path if path.is_file() else None

    def look(self, run: Run, registry: ModelRegistry) -> KeptReport | Missing:
        """Return what a run's report says, or why that cannot be told."""
        path = self.file(run, registry)
        if path is None:
            return "gone" if run.record.report_path or run.record.model_ref else "none"
        try:
            return self._read(path) or "old"
        except OSError:
            return "gone"

    def _read(self, path: Path) -> KeptReport | None:
        facts = path.stat()
        stamp = (str(path), facts.st_mtime_ns, facts.st_size)
        with self._lock:
            known = self._known.get(stamp)
            if known is not None:
                self._known.move_to_end(stamp)
                return known
        found = read_report(path)
        if found is not None:
            with self._lock:
                self._known[stamp] = found
                while len(self._known) > KEPT:
                    self._known.popitem(last=False)
        return found


def read_report(path: Path) -> KeptReport | None:
    """Return what a report file says; None when it does not say it in a form that is known here.

    Raises
    ------
    OSError
        When the file cannot be read.
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        page = json.loads(_element(text, CONTENT))
        data = _element(text, DATA)
    except ValueError:
        return None
    if not isinstance(page, dict) or page.get("format") != FORMAT:
        return None
    return KeptReport(path, page, data)


def _element(text: str, name: str) -> str:
    """Return what stands in an element; its JSON holds no ``<`` (see `embedded_json`)."""
    opening = f'<script type="application/json" id="{name}">'
    begin = text.index(opening) + len(opening)
    return text[begin : text.index("</script>", begin)]
