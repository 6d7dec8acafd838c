"""The log of a job: the files of its attempts where they lie, else the lines that the database keeps."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path

from onward.jobs.protocol import JobStore

__all__ = ["log_text"]

NAME = "log.txt"
READ_BYTES = 4 * 2**20
"""Of one file, from its end: a job may have written gigabytes."""
EVENTS = 1000


def log_text(store: JobStore, job_id: str, directory: Path, *, attempt: int | None, tail: int) -> str:
    """Return the newest lines of a job's log.

    Parameters
    ----------
    store
        Asked when no file is here.
    job_id
        The whole id.
    directory
        Of the job; holds one directory an attempt.
    attempt
        Which one; None takes all.
    tail
        Lines at most.
    """
    files = _files(directory, attempt)
    lines = (line for file in files for line in _end_of(file)) if files else _told(store, job_id, attempt)
    return "".join(f"{line}\n" for line in deque(lines, maxlen=tail))


def _files(directory: Path, attempt: int | None) -> list[Path]:
    numbers = (
        sorted(int(path.name) for path in directory.glob("*") if path.name.isdecimal())
        if attempt is None
        else [attempt]
    )
    return [file for number in numbers if (file := directory / str(number) / NAME).is_file()]


def _end_of(file: Path) -> list[str]:
    with file.open("rb") as opened:
        size = opened.seek(0, 2)
        opened.seek(max(0, size - READ_BYTES))
        lines = opened.read(READ_BYTES).decode(errors="replace").splitlines()
    return lines[1:] if size > READ_BYTES else lines


def _told(store: JobStore, job_id: str, attempt: int | None) -> Iterator[str]:
    after = 0
    while events := store.events(job_id, after=after, limit=EVENTS, kinds=("log",)):
        after = events[-1].seq
        for event in events:
            if attempt in (None, event.attempt):
                yield str(event.payload.get("text", "")).encode(errors="replace").decode()
