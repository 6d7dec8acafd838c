"""Log lines of servers and workers: JSON objects, each with the job it is about."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, TextIO

import structlog

__all__ = ["Logger", "job_logger", "tail"]

Logger = structlog.typing.FilteringBoundLogger
TAIL_BYTES = 8_000


def job_logger(stream: TextIO | None = None, **context: Any) -> Logger:
    """Return a logger that writes one JSON object a line, with UTC time, level and what it is about.

    Parameters
    ----------
    stream
        Where to; default is standard error. No global configuration is touched.
    **context
        Bound to every line, such as ``owner`` or ``job_id``.
    """
    logger: Logger = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr if stream is None else stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=str),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(20),
    )
    return logger.bind(**context)


def tail(path: Path, limit: int = TAIL_BYTES) -> str:
    """Return the last whole lines of a file, at most ``limit`` bytes; empty when there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - limit))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return text if size <= limit else text.partition("\n")[2]
