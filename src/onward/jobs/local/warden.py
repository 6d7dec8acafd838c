"""The process above a worker: it alone outlives everything that the attempt may become.

It adopts whatever loses its parent below it, so nothing that the worker starts can leave: not by
a session of its own, not by a double fork. It runs no foreign code, so nothing can keep it from
its duties:

- the line to the supervisor breaks (the server died, by whatever signal): kill everything below;
- no renewed lease for the time of the fence: suspend everything below, until a lease is renewed;
- the worker ends: tell how, kill what it left behind, and go.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from onward.jobs.local.birthplace import NAME, bear_sign, forget_warden, note_warden
from onward.jobs.local.control import adopt_orphans, set_name
from onward.jobs.local.deaths import deaths, quieten
from onward.jobs.local.gaps import Gaps
from onward.jobs.local.lines import LineSocket, readable
from onward.jobs.local.memory_events import out_of_memory_kills
from onward.jobs.local.processes import find, members, send_signal

__all__ = ["run_warden"]

LOOK_SECONDS = 0.05
FIRST_GAP_SECONDS = 0.002
LONGEST_GAP_SECONDS = 0.5
"""Between two looks at every process of the machine, which cost milliseconds each when it is busy. Ends
are heard of as they come; a look finds what was born meanwhile, and then the gaps begin anew."""
LAST_WORDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_warden(
    line: socket.socket, order: dict[str, Any], start_worker: Callable[[], None], *others: socket.socket
) -> None:
    """Fork the worker, watch over it until nothing of it is left; does not return.

    Parameters
    ----------
    line
        To the supervisor.
    order
        ``log`` (in the attempt's directory), ``marker``, ``fence_seconds``, ``renewed`` (monotonic
        second of the claim).
    start_worker
        What the forked worker does; must not return.
    others
        Sockets that only the worker keeps.
    """
    os.setsid()
    set_name(NAME)
    for number in LAST_WORDS:  # a person who presses Ctrl-C means the server, which ends us properly
        signal.signal(number, signal.SIG_IGN)
    adopting = adopt_orphans()
    kills_before = out_of_memory_kills()
    try:
        note_warden(Path(order["log"]).parent)
    except OSError as error:
        LineSocket(line).send({"type": "unborn", "why": error.strerror or str(error)})
        os._exit(0)
    sign = bear_sign(str(order["marker"]))
    worker = os.fork()
    if worker == 0:
        if sign is not None:
            os.close(sign)
        line.close()
        start_worker()
        os._exit(1)
    for other in others:
        other.close()
    process = find(worker)  # our child: even if it has ended, its entry waits for us
    identity = (worker, 0 if process is None else process.start)
    Warden(LineSocket(line), identity, order, adopting=adopting).watch(kills_before)


class Warden:
    """What the warden knows while it watches."""

    def __init__(
        self, line: LineSocket, worker: tuple[int, int], order: dict[str, Any], *, adopting: bool
    ) -> None:
        self._line = line
        self._worker = worker
        self._directory = Path(order["log"]).parent
        self._marker = str(order["marker"])
        self._fence_seconds = float(order["fence_seconds"])
        self._renewed = float(order["renewed"])
        self._suspended: float | None = None
        self._killing = False
        self._gaps = Gaps(FIRST_GAP_SECONDS, LONGEST_GAP_SECONDS)
        self._known: set[tuple[int, int]] = set()
        self._childless = False
        self._adopting = adopting
        # After the worker was forked, which must hear of none. A pidfd of the worker would stay readable
        # for as long as somebody else keeps us from reading its end (a debugger).
        self._deaths = deaths()
        self._watched: list[LineSocket | int] = [line, self._deaths]
        own = find(os.getpid())
        self._root = None if own is None else (own.pid, own.start)

    def watch(self, kills_before: int | None) -> None:
        """Watch until nothing is left, then end this process.

        Whatever lives below is, by adoption, a child or below one: without children there is
        nothing, which no look into a table of processes that come and go could prove.
        """
        root = self._root or (os.getpid(), 0)
        self._line.send(
            {
                "type": "born",
                "pid": self._worker[0],
                "start": self._worker[1],
                "warden": root[0],
                "warden_start": root[1],
            }
        )
        status: int | None = None
        while True:
            ended = self._reap()
            if ended is not None and status is None:
                status = ended
                kills = out_of_memory_kills()
                starved = kills is not None and kills_before is not None and kills > kills_before
                self._line.send({"type": "ended", "status": status, "starved": starved})
                self._kill()  # what a worker leaves behind has nobody to work for
            if self._line.ended:
                self._kill()
            if self._killing:
                if self._childless and self._adopting:
                    self._go()
                if self._look_again() and self._signal_all(signal.SIGKILL) is False and self._childless:
                    self._go()
            self._fence()
            left = self._gaps.left(time.monotonic()) if self._killing else LOOK_SECONDS
            self._listen(min(left, LOOK_SECONDS))

    def _kill(self) -> None:
        if not self._killing:
            self._killing = True
            self._gaps.restart()

    def _look_again(self) -> bool:
        return self._gaps.take(time.monotonic())

    def _go(self) -> NoReturn:
        forget_warden(self._directory)
        os._exit(0)

    def _listen(self, timeout: float) -> None:
        readable(self._watched, timeout)
        quieten(self._deaths)
        try:
            messages = self._line.receive(0.0)
        except ValueError:
            messages = []
        if self._line.ended and self._line in self._watched:
            self._watched.remove(self._line)
        for message in messages:
            if message["type"] == "renewed":
                self._renewed = max(self._renewed, float(message["sent"]))
            elif message["type"] == "kill":
                self._kill()

    def _fence(self) -> None:
        now = time.monotonic()
        closed = now - self._renewed > self._fence_seconds
        if closed and not self._killing:
            if self._suspended is None:
                self._suspended = now
                self._gaps.restart()
                self._line.send({"type": "suspended"})
            if self._look_again():
                self._signal_all(signal.SIGSTOP)  # again and again: a child may just have been born
        elif self._suspended is not None and not closed and self._signal_all(signal.SIGCONT) is not None:
            self._line.send({"type": "resumed", "seconds": time.monotonic() - self._suspended})
            self._suspended = None

    def _signal_all(self, number: signal.Signals) -> bool | None:
        """Signal everything below; return whether there was anything, None when nobody can say."""
        try:
            found = members(root=self._root, session=self._worker, marker=self._marker)
            for process in found:
                if number != signal.SIGSTOP or process.state != "T":
                    send_signal(process, number)
        except OSError:
            return None  # the machine has no descriptor left: nothing is proven, and it is looked again
        born = {(process.pid, process.start) for process in found} - self._known
        if born:
            self._known |= born
            self._gaps.soon(time.monotonic())
        return bool(found)

    def _reap(self) -> int | None:
        """Read the ends of children; return the worker's status when it is among them."""
        found = None
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                if pid == self._worker[0]:
                    found = status
            return found
        if not self._childless:
            self._childless = True
            self._gaps.restart()  # where nobody is adopted, a look must say that this was all
        return found
