"""What libraries log and warn of while a task runs becomes lines of the job's log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from onward.jobs.kinds import TaskContext

__all__ = ["relayed"]

OWN = "onward"


@contextmanager
def relayed(context: TaskContext) -> Iterator[None]:
    """Send records of Onward's loggers, warnings of others and Python's to the supervisor."""
    handler = _ToSupervisor(context)
    root, own = logging.getLogger(), logging.getLogger(OWN)
    level = own.level
    own.setLevel(logging.INFO)
    root.addHandler(handler)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.removeHandler(handler)
        own.setLevel(level)


class _ToSupervisor(logging.Handler):
    def __init__(self, context: TaskContext) -> None:
        super().__init__()
        self._context = context
        self._sending = False

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record, unless sending one is what caused it."""
        known = record.name == OWN or record.name.startswith(f"{OWN}.")
        if self._sending or (record.levelno < logging.WARNING and not known):
            return
        self._sending = True
        try:
            self._context.log(record.getMessage().strip(), level=record.levelname.lower())
        finally:
            self._sending = False
