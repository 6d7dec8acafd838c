"""The log of a job: the files of its attempts where they lie, else the lines that the database keeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onward.jobs.values import JobEvent

__all__ = ["LogFile", "attempt_logs", "event_texts"]

NAME = "log.txt"


def attempt_logs(directory: Path, attempt: int | None = None) -> list[Path]:
    """Return the log files of a job's attempts, oldest first; of one attempt when it is named."""
    if attempt is not None:
        named = directory / str(attempt) / NAME
        return [named] if named.is_file() else []
    numbers = sorted(int(p.name) for p in directory.glob("*") if p.name.isdigit())
    return [file for number in numbers if (file := directory / str(number) / NAME).is_file()]


def event_texts(events: Sequence[JobEvent], attempt: int | None = None) -> Iterator[str]:
    """Give the log lines among events."""
    for event in events:
        if event.kind == "log" and attempt in (None, event.attempt):
            yield str(event.payload.get("text", ""))


class LogFile:
    """A file that somebody else writes, read line by line as it grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._place = 0
        self._rest = b""

    def read(self, *, whole: bool = False) -> list[str]:
        """Return the lines that are new; with ``whole`` also one that has no end yet."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._place)
                data = file.read()
        except FileNotFoundError:
            return []
        self._place += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if whole and self._rest:
            lines.append(self._rest)
            self._rest = b""
        return [line.decode(errors="replace") for line in lines]
