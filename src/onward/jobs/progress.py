"""From a worker's messages to events: at most one progress row in a while; stages, scores and logs whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from onward.jobs.course import Course, Walk
from onward.jobs.forecast import Forecast, foretold
from onward.jobs.messages import LONGEST_TEXT

__all__ = ["EventBuffer"]

LONGEST_STAGE = 200
MOST_DONE = 0.99
"""Share of a job that is not over yet, however long it takes."""
MOST_LINES = 200
"""Log lines kept between two writes; the log file has them all."""

Event = tuple[str, Mapping[str, Any]]


class EventBuffer:
    """Collects what a worker tells until it is time to write it down.

    Parameters
    ----------
    interval
        Shortest time between two writes, seconds.
    recall
        Gives the course of an earlier job that did the same, empty without one; asked once, when
        progress is first to be written.

    Not for several threads.
    """

    def __init__(self, interval: float, recall: Callable[[], Course] = tuple) -> None:
        self._interval = interval
        self._recall = recall
        self._before: Course | None = None
        self._walk = Walk()
        self._began: float | None = None
        self._share: float | None = None
        self._written = float("-inf")
        self._progress: Mapping[str, Any] | None = None
        self._stages: list[Event] = []
        self._scores: list[Event] = []
        self._logs: list[Event] = []
        self._dropped = 0

    def add(self, message: Mapping[str, Any], now: float) -> None:
        """Take in a ``progress`` or ``log`` message; ``now`` in monotonic seconds."""
        if message["type"] == "log":
            self._add_log(message)
            return
        stage, fraction = str(message.get("stage", ""))[:LONGEST_STAGE], fraction_of(message)
        self._began = now if self._began is None else self._began
        if self._walk.is_new(stage, fraction):
            self._walk.begin(stage, now)
            self._stages.append(("stage", {"stage": stage}))
        self._walk.mark(fraction, now)
        values = message.get("values") or {}
        elapsed = self._walk.seconds(now)
        self._progress = progress_payload(message, elapsed=elapsed, entered_at=self._walk.entered_at)
        if values:
            score = {"stage": stage, "message": str(message.get("message", ""))[:LONGEST_TEXT]}
            self._scores.append(("score", {**score, "values": dict(values)}))

    def due(self, now: float) -> bool:
        """Return whether there is something to write, and enough time has passed."""
        waiting = self._progress is not None or self._scores or self._logs
        return bool(waiting) and now - self._written >= self._interval

    def take(self, now: float) -> list[Event]:
        """Return what there is to write, stages and scores before the newest progress, and start anew."""
        events = [*self._logs]
        if self._dropped:
            events.append(("log", {"level": "warning", "text": f"{self._dropped} lines were left out here"}))
        events += self._stages
        events += self._scores
        if self._progress is not None:
            events.append(("progress", {**self._progress, **self._of_job(now)}))
        self._progress, self._dropped = None, 0
        self._stages, self._scores, self._logs = [], [], []
        self._written = now
        return events

    def put_back(self, events: list[Event]) -> None:
        """Keep events that could not be written for the next time; only the last progress counts."""
        progress = [payload for kind, payload in events if kind == "progress"]
        if self._progress is None and progress:
            self._progress = progress[-1]
        self._stages = [event for event in events if event[0] == "stage"] + self._stages
        self._scores = [event for event in events if event[0] == "score"] + self._scores
        self._logs = ([event for event in events if event[0] == "log"] + self._logs)[-MOST_LINES:]

    def _of_job(self, now: float) -> dict[str, Any]:
        """Return what is known of the whole job: what is left, and the share that is done."""
        found = self._foretold(now)
        if found is not None and self._began is not None:
            gone = max(0.0, now - self._began)
            share = min(MOST_DONE, gone / (gone + found.seconds)) if gone + found.seconds > 0 else 0.0
            self._share = max(self._share or 0.0, round(share, 4))
        return {
            "job_eta_seconds": None if found is None else round(found.seconds, 1),
            "job_paced": found is not None and found.paced,
            "job_fraction": self._share,
        }

    def _foretold(self, now: float) -> Forecast | None:
        if self._before is None:
            self._before = self._recall()
        return foretold(self._before, self._walk.until(now)) if self._before else None

    def _add_log(self, message: Mapping[str, Any]) -> None:
        if len(self._logs) >= MOST_LINES:
            self._dropped += 1
            return
        text = str(message.get("text", ""))[:LONGEST_TEXT]
        self._logs.append(("log", {"level": str(message.get("level", "info")), "text": text}))


def fraction_of(message: Mapping[str, Any]) -> float | None:
    """Return how far a progress message says that its stage is, 0 to 1; None when it does not."""
    done, total = float(message.get("done", 0.0)), float(message.get("total", 0.0))
    return round(min(1.0, done / total), 4) if total > 0 else None


def progress_payload(
    message: Mapping[str, Any], *, elapsed: float, entered_at: float = 0.0
) -> dict[str, Any]:
    """Return the payload of a progress event.

    Parameters
    ----------
    message
        From the worker.
    elapsed
        Seconds since its stage began. What is left of the stage is taken to go on at that pace.
    entered_at
        How far the stage was when it began: what an earlier attempt did says nothing of the pace.
    """
    fraction = fraction_of(message)
    gained = 0.0 if fraction is None else fraction - entered_at
    eta = elapsed * (1.0 - fraction) / gained if fraction and gained > 0 and elapsed > 0 else None
    return {
        "stage": str(message.get("stage", ""))[:LONGEST_STAGE],
        "done": float(message.get("done", 0.0)),
        "total": float(message.get("total", 0.0)),
        "fraction": fraction,
        "eta_seconds": None if eta is None else round(eta, 1),
        "message": str(message.get("message", ""))[:LONGEST_TEXT],
    }
