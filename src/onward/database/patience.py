"""How long PostgreSQL is waited for, so that a database that falls silent holds nobody for ever.

A database that is stopped says so; one whose host, network or process hangs says nothing, and the
driver would wait as long as it is silent. Here every answer has a deadline, and while connecting takes
too long one caller at a time finds out whether it is over: the others are refused at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Connection

__all__ = [
    "ANSWER_SECONDS",
    "CONNECT_SECONDS",
    "NO_ANSWER",
    "Doorman",
    "connector",
    "patient",
]

ANSWER_SECONDS = 10.0
"""For one statement, from being sent to its last row."""
CONNECT_SECONDS = 5
"""For a new connection; libpq takes whole seconds, two at least."""
NO_ANSWER = "NoAnswer"
"""Name of the driver's error that says so."""
AGAIN_SECONDS = 1.0

CONNECTING: dict[str, Any] = {
    "connect_timeout": CONNECT_SECONDS,
    # A host that is gone never closes a connection: the system must ask whether it is still there.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
"""What libpq is told unless the address says something else."""


class Doorman:
    """Lets one caller at a time to a database that did not answer the last one.

    Safe to use from several threads.

    Parameters
    ----------
    timer
        Monotonic seconds.
    """

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._lock = threading.Lock()
        self._silent_since: float | None = None
        self._again = 0.0
        self._trying = False

    @contextmanager
    def passing(self, refusal: Callable[[str], Exception], slow_seconds: float) -> Iterator[None]:
        """Let the caller try, or refuse him at once.

        Parameters
        ----------
        refusal
            Makes the error of a sentence.
        slow_seconds
            A failure that took as long was silence; what refuses at once may be asked at once again.
        """
        began = self._timer()
        with self._lock:
            silent = self._silent_since is not None
            if silent and (self._trying or began < self._again):
                raise refusal(f"no answer for {began - (self._silent_since or began):.0f} s")
            self._trying = self._trying or silent
        try:
            yield
        except BaseException:
            with self._lock:
                now = self._timer()
                if now - began >= slow_seconds:
                    self._silent_since = began if self._silent_since is None else self._silent_since
                    self._again = now + AGAIN_SECONDS
                elif silent:
                    self._silent_since = None
                if silent:
                    self._trying = False
            raise
        with self._lock:
            self._silent_since, self._trying = None, False


def connector(answer_seconds: float) -> Callable[..., Any]:
    """Return what connects to PostgreSQL for one engine: a listener of SQLAlchemy's ``do_connect``.

    Parameters
    ----------
    answer_seconds
        How long each answer is waited for.
    """
    doorman = Doorman()

    def connect(_dialect: Any, _record: Any, arguments: list[Any], parameters: dict[str, Any]) -> Any:
        patient_connection, no_answer = _driver()
        asked = {**CONNECTING, **parameters}
        # A little less than the limit (0: there is none), which the driver counts from a moment later.
        limit = float(asked["connect_timeout"]) or CONNECT_SECONDS
        with doorman.passing(no_answer, 0.9 * limit):
            connection = patient_connection.connect(*arguments, **asked)
        connection.answer_seconds = answer_seconds
        return connection

    return connect


@contextmanager
def patient(connection: Connection, seconds: float) -> Iterator[None]:
    """Wait longer for each answer within the block: for locks that others hold, and for migrations.

    Parameters
    ----------
    connection
        Of whichever database; SQLite has its own patience.
    seconds
        For each statement.
    """
    driver: Any = connection.connection.dbapi_connection
    before = getattr(driver, "answer_seconds", None)
    if before is None:
        yield
        return
    driver.answer_seconds = max(before, seconds)
    try:
        yield
    finally:
        driver.answer_seconds = before


@cache
def _driver() -> tuple[type[Any], type[Exception]]:
    """Return the class of connections and that of the error; the driver is imported where it is used."""
    import psycopg

    class NoAnswer(psycopg.OperationalError):
        """The database did not answer in time."""

    class PatientConnection(psycopg.Connection[Any]):
        """A connection that is given up when an answer does not come."""

        answer_seconds = ANSWER_SECONDS

        def wait(self, gen: Any, *arguments: Any, **named: Any) -> Any:
            """Carry an exchange through, within its time."""
            if named.get("timeout") is not None:  # who listens for news waits for no answer
                return super().wait(gen, *arguments, **named)
            return super().wait(self._in_time(gen), *arguments, **named)

        def _in_time(self, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
            ends = time.monotonic() + self.answer_seconds
            try:
                wanted = next(gen)
                while True:
                    ready = yield wanted
                    if not ready and time.monotonic() >= ends:
                        # What was asked may still happen there; nothing more is heard on this line.
                        self.pgconn.finish()
                        raise NoAnswer(f"no answer within {self.answer_seconds:g} s")
                    wanted = gen.send(ready)
            except StopIteration as done:
                return done.value

    assert NoAnswer.__name__ == NO_ANSWER
    return PatientConnection, NoAnswer
