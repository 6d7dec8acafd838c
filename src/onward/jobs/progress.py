"""From a worker's messages to events: at most one progress row in a while; stages, scores and logs whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["EventBuffer"]

LONGEST_TEXT = 4_000
LONGEST_STAGE = 200
MOST_LINES = 200
"""Log lines kept between two writes; the log file has them all."""

Event = tuple[str, Mapping[str, Any]]


class EventBuffer:
    """Collects what a worker tells until it is time to write it down.

    Parameters
    ----------
    interval
        Shortest time between two writes, seconds.

    Not for several threads.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._written = float("-inf")
        self._stage = ""
        self._stage_began = 0.0
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
        stage = str(message.get("stage", ""))
        if stage != self._stage:
            self._stage, self._stage_began = stage, now
            self._stages.append(("stage", {"stage": stage[:LONGEST_STAGE]}))
        values = message.get("values") or {}
        self._progress = progress_payload(message, elapsed=now - self._stage_began)
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
            events.append(("progress", self._progress))
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

    def _add_log(self, message: Mapping[str, Any]) -> None:
        if len(self._logs) >= MOST_LINES:
            self._dropped += 1
            return
        text = str(message.get("text", ""))[:LONGEST_TEXT]
        self._logs.append(("log", {"level": str(message.get("level", "info")), "text": text}))


def progress_payload(message: Mapping[str, Any], *, elapsed: float) -> dict[str, Any]:
    """Return the payload of a progress event.

    Parameters
    ----------
    message
        From the worker.
    elapsed
        Seconds since its stage began. What is left of the stage is taken to go on at that pace.
    """
    done, total = float(message.get("done", 0.0)), float(message.get("total", 0.0))
    fraction = min(1.0, done / total) if total > 0 else None
    eta = elapsed * (1.0 - fraction) / fraction if fraction and elapsed > 0 else None
    return {
        "stage": str(message.get("stage", ""))[:LONGEST_STAGE],
        "done": done,
        "total": total,
        "fraction": None if fraction is None else round(fraction, 4),
        "eta_seconds": None if eta is None else round(eta, 1),
        "message": str(message.get("message", ""))[:LONGEST_TEXT],
    }
