"""Progress bars with the time left, for terminals."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import (
    BarColumn,
    ProgressColumn,
    Task,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as RichProgress
from rich.text import Text

from onward.cli.pace import Pace
from onward.cli.texts import said, scored
from onward.types import ProgressEvent

__all__ = ["BarProgress", "bars_on"]


def bars_on(console: Console) -> RichProgress:
    """Return the bars of a console, empty."""
    return RichProgress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeLeft(),
        Message(),
        console=console,
        transient=False,
    )


class BarProgress:
    """Draw one bar a stage; scores (of a fold, or a trial) are lines above the bars."""

    def __init__(self, bars: RichProgress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}
        self._paces: dict[str, Pace] = {}

    def __call__(self, event: ProgressEvent) -> None:
        """Take note of an event."""
        total, now = event.total or None, time.monotonic()
        if event.stage not in self._tasks:
            self._paces[event.stage] = Pace(event, now)
            self._tasks[event.stage] = self._bars.add_task(
                event.stage, total=total, message="", pace=self._paces[event.stage]
            )
        self._paces[event.stage].note(event, now)
        self._bars.update(self._tasks[event.stage], completed=event.done, total=total, message=said(event))
        if line := scored(event):
            self._bars.console.print(line, markup=False, highlight=False)


class TimeLeft(ProgressColumn):
    """The time left at the average pace so far."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        """Return hours, minutes and seconds, dashes while nothing is known."""
        pace: Pace | None = task.fields.get("pace")
        left = None if pace is None else pace.left(time.monotonic())
        if task.finished or left is None:
            return Text("0:00:00" if task.finished else "-:--:--", style="progress.remaining")
        minutes, seconds = divmod(round(left), 60)
        hours, minutes = divmod(minutes, 60)
        return Text(f"{hours}:{minutes:02}:{seconds:02}", style="progress.remaining")


class Message(ProgressColumn):
    """What is being done, in what is left of the line."""

    def render(self, task: Task) -> Text:
        """Return one line, cut where the terminal ends."""
        return Text(str(task.fields.get("message", "")), no_wrap=True, overflow="ellipsis")
