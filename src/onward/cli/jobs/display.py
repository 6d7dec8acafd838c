"""How a job that is watched is shown: a bar in a terminal, lines elsewhere, JSON for programs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from onward.cli.jobs.lines import event_line, work_done
from onward.cli.output import print_note
from onward.jobs.documents import event_document
from onward.jobs.remaining import done_share, time_left

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from onward.jobs.values import Job, JobEvent

__all__ = ["Display", "shown", "write_json_line"]

LINE_SECONDS = 10.0
"""How often a stage that goes on says how far it has come, where there is no bar."""


class Display(Protocol):
    """Shows what is new about a job."""

    def take(self, job: Job, events: Sequence[JobEvent]) -> None:
        """Show events, and how far the job has come."""

    def note(self, text: str) -> None:
        """Show a remark that is no event of the job."""


@contextmanager
def shown(*, as_json: bool) -> Iterator[Display]:
    """Give the display that suits where the output goes.

    Events are lines on standard output; progress and remarks go to standard error.
    """
    if as_json:
        yield JsonLines()
    elif not sys.stderr.isatty():
        yield Lines()
    else:
        with _bar() as bar:
            yield Bar(bar)


class JsonLines:
    """One JSON object a line for every event; remarks go to standard error."""

    def take(self, job: Job, events: Sequence[JobEvent]) -> None:  # noqa: ARG002
        """Write events."""
        for event in events:
            write_json_line(event_document(event))

    def note(self, text: str) -> None:
        """Write a remark."""
        _remark(text)


class Lines:
    """Lines; a stage says how far it has come when it begins and now and then."""

    def __init__(self) -> None:
        self._stage = ""
        self._written = float("-inf")
        self._told = ""

    def take(self, job: Job, events: Sequence[JobEvent]) -> None:
        """Write events, and progress when it is time."""
        _write_lines(events)
        if job.state not in ("running", "stopping"):
            return
        words = work_done(job.progress, time_left(job))
        stage, now = str(job.progress.get("stage", "")), time.monotonic()
        due = stage != self._stage or now - self._written >= LINE_SECONDS
        if words and words != self._told and due:
            self._stage, self._written, self._told = stage, now, words
            _remark(words)

    def note(self, text: str) -> None:
        """Write a remark."""
        _remark(text)


class Bar:
    """A bar with the stage, the share that is done (of the job, else of its stage) and the time left.

    Events appear above it.
    """

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task: TaskID | None = None

    def take(self, job: Job, events: Sequence[JobEvent]) -> None:
        """Write events and move the bar."""
        _write_lines(events)
        progress, share = job.progress, done_share(job.progress)
        if job.state not in ("running", "stopping") or not progress.get("stage"):
            return
        told: dict[str, Any] = {
            "description": str(progress["stage"]),
            "total": progress.get("total") or None if share is None else 1.0,
            "completed": progress.get("done") or 0.0 if share is None else share,
            "words": work_done(progress, time_left(job)).removeprefix(str(progress["stage"])).strip(),
        }
        if self._task is None:
            self._task = self._bar.add_task(**told)
        else:
            self._bar.update(self._task, **told)

    def note(self, text: str) -> None:
        """Write a remark above the bar."""
        self._bar.console.print(text, markup=False, highlight=False)


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[words]}", markup=False),
        console=Console(stderr=True),
        transient=True,
        # Where both are the terminal, lines go above the bar; a pipe gets them untouched.
        redirect_stdout=sys.stdout.isatty(),
    ) as bar:
        yield bar


def write_json_line(value: Mapping[str, Any]) -> None:
    """Write a JSON object as one line, at once."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n")
    sys.stdout.flush()


def _write_lines(events: Sequence[JobEvent]) -> None:
    for event in events:
        line = event_line(event)
        if line is not None:
            print_note(line)
    sys.stdout.flush()


def _remark(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
