"""The log of a job: the files of its attempts where they lie, else the lines that the database keeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from onward.jobs.values import JobEvent

__all__ = ["JobLog", "Log", "LogFile", "attempt_logs", "event_texts"]

NAME = "log.txt"


class Log(Protocol):
    """Where the lines of a job's log come from."""

    def read(self, events: Sequence[JobEvent], *, whole: bool) -> list[str]:
        """Return the lines that are new; ``events`` are new ones, ``whole``: nothing more will come."""


class JobLog:
    """The log of a job as it lies here; without any file the lines among the events.

    Parameters
    ----------
    directory
        Where the attempts of the job lie, if they do.
    attempt
        Only this one.
    """

    def __init__(self, directory: Path, attempt: int | None) -> None:
        self._directory, self._attempt = directory, attempt
        self._files: dict[Path, LogFile] = {}

    def read(self, events: Sequence[JobEvent], *, whole: bool) -> list[str]:
        """Return the lines that are new."""
        for path in attempt_logs(self._directory, self._attempt):
            self._files.setdefault(path, LogFile(path))
        lines = [line for file in self._files.values() for line in file.read(whole=whole)]
        return lines if self._files else list(event_texts(events, self._attempt))


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
