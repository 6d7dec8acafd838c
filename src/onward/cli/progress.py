"""Progress on standard error: a bar with the time left in a terminal, a line a stage elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from onward.protocols import Progress
    from onward.types import ProgressEvent

__all__ = ["BarProgress", "LineProgress", "shown_progress"]


@contextmanager
def shown_progress(*, plain: bool) -> Iterator[Progress]:
    """Give a `Progress` that draws bars, or writes a line a stage when plain or not in a terminal."""
    if plain or not sys.stderr.isatty():
        lines = LineProgress()
        yield lines
        lines.close()
        return
    from rich import progress as widgets
    from rich.console import Console

    with widgets.Progress(
        widgets.TextColumn("{task.description}"),
        widgets.BarColumn(bar_width=30),
        widgets.TaskProgressColumn(),
        widgets.TimeElapsedColumn(),
        widgets.TextColumn("left"),
        widgets.TimeRemainingColumn(),
        widgets.TextColumn("{task.fields[message]}"),
        console=Console(stderr=True),
        transient=False,
    ) as bars:
        yield BarProgress(bars)


class BarProgress:
    """Draw one bar a stage."""

    def __init__(self, bars: RichProgress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, event: ProgressEvent) -> None:
        """Take note of an event."""
        total = event.total or None
        if event.stage not in self._tasks:
            self._tasks[event.stage] = self._bars.add_task(event.stage, total=total, message="")
        self._bars.update(self._tasks[event.stage], completed=event.done, total=total, message=_said(event))


class LineProgress:
    """Write one line when a stage ends, with its duration."""

    def __init__(self) -> None:
        self._last: ProgressEvent | None = None
        self._started = 0.0

    def __call__(self, event: ProgressEvent) -> None:
        """Take note of an event."""
        if self._last is None or self._last.stage != event.stage:
            self.close()
            self._started = time.monotonic()
        self._last = event
        if event.total and event.done >= event.total:
            self.close()

    def close(self) -> None:
        """Write the line of the stage at work, if any."""
        if self._last is None:
            return
        event, self._last = self._last, None
        of = f"/{event.total:g}" if event.total else ""
        said = _said(event)
        line = f"{event.stage}: {event.done:g}{of} in {time.monotonic() - self._started:.1f} s"
        sys.stderr.write(line + (f" ({said})" if said else "") + "\n")


def _said(event: ProgressEvent) -> str:
    return " ".join(filter(None, (event.message, _figures(event.values))))


def _figures(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in values.items())
