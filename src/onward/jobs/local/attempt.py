"""One attempt at work on this machine, as its supervisor sees it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onward.errors import JobError
from onward.jobs.local.lines import LineSocket, readable
from onward.jobs.local.processes import (
    Process,
    boot_id,
    children,
    find,
    find_name,
    host_name,
    members,
    memory_bytes,
    send_signal,
)
from onward.jobs.messages import answer_message, error_message
from onward.jobs.values import WorkerIdentity

__all__ = ["LocalAttempt", "LocalEnding", "strays"]


@dataclass(frozen=True)
class LocalEnding:
    """How a worker ended (an `onward.jobs.protocol.Ending`)."""

    exit_code: int | None
    signal: int | None
    out_of_memory: bool = False


class LocalAttempt:
    """A warden with a worker below it.

    Parameters
    ----------
    warden, worker
        Lines to both.
    warden_process
        Number and start of the warden.
    worker_process
        Number and start of the worker, which leads a session of its own.
    marker
        In the environment of whatever the worker executes.
    nursery
        Number of the process that wardens are forked from: it inherits what a killed one leaves.
    """

    def __init__(
        self,
        warden: LineSocket,
        worker: LineSocket,
        warden_process: tuple[int, int],
        worker_process: tuple[int, int],
        marker: str,
        nursery: int | None = None,
    ) -> None:
        self._warden = warden
        self._worker = worker
        self._warden_process = warden_process
        self._worker_process = worker_process
        self._marker = marker
        self._nursery = nursery
        self._ending: LocalEnding | None = None
        self._of_fence: list[Mapping[str, Any]] = []
        self._said_farewell = False
        self._killed = False
        self._called, self._calling = os.pipe()
        for end in (self._called, self._calling):
            os.set_blocking(end, False)
        self._hanging_up = threading.Lock()
        self.closed = False

    @property
    def identity(self) -> WorkerIdentity:
        """Which process it is."""
        pid, start = self._worker_process
        return WorkerIdentity(host_name(), boot_id(), pid, start, session=pid)

    def begin(self) -> None:
        """Let it start."""
        self._worker.post({"type": "begin"})

    def renewed(self, sent: float) -> None:
        """Tell the warden that the lease was renewed by a request sent at this monotonic second."""
        self._warden.post({"type": "renewed", "sent": sent}, supersedes=True)

    def receive(self, timeout: float) -> Sequence[Mapping[str, Any]]:
        """Return the worker's messages and its warden's of the fence, after at most ``timeout`` seconds."""
        open_lines = [line for line in (self._worker, self._warden) if not line.ended]
        readable([*open_lines, self._called], timeout)
        with contextlib.suppress(BlockingIOError):
            os.read(self._called, 64)
        self._hear_warden()
        self._worker.post()  # the rest of a long answer
        told, self._of_fence = self._of_fence, []
        try:
            return [*told, *self._worker.receive(0.0)]
        except ValueError as error:
            self.kill()
            wrong = JobError("The worker sent what is no message", got=str(error))
            return [*told, error_message(wrong, "")]

    def wake(self) -> None:
        """Let ``receive`` return at once; from any thread."""
        with self._hanging_up, contextlib.suppress(BlockingIOError):
            if not self.closed:
                os.write(self._calling, b".")

    def answer(self, question: int, value: Any) -> None:
        """Answer a question of the worker's."""
        self._worker.post(answer_message(question, value))

    def stop(self) -> None:
        """Ask it to end."""
        with contextlib.suppress(
            OSError
        ):  # cannot look whom it would meet: after the grace, the warden kills
            send_signal(self._worker_process, signal.SIGTERM)

    def kill(self) -> None:
        """Kill everything that belongs to it."""
        self._killed = True
        self._warden.post({"type": "kill"})
        with contextlib.suppress(OSError):  # cannot look just now: the warden does
            for process in self._members():
                send_signal(process, signal.SIGKILL)

    def gone(self) -> bool:
        """Return whether no process of it is left.

        While the warden lives there is something, or it is about to go: one look at it is cheap,
        and leaves the machine to those who are ending. The proof is a look at every process, once
        the warden is no more.
        """
        self._hear_warden()
        warden = find(self._warden_process[0])
        if warden is not None and warden.start == self._warden_process[1] and not warden.dead:
            if self._killed and warden.state == "T" and not self._members():
                send_signal(self._warden_process, signal.SIGKILL)  # suspended, and nothing left to guard
            return False
        if self._members():
            return False
        return self._said_farewell or self._nursery is None or not strays(self._nursery)

    def memory_bytes(self) -> int:
        """Return what its processes hold in memory, shared pages divided among them; 0 if nobody can look."""
        try:
            return memory_bytes(self._members())
        except OSError:
            return 0

    def ending(self) -> LocalEnding | None:
        """Return how the worker ended; None while it lives."""
        self._hear_warden()
        if self._ending is None and self._warden.ended:
            # The warden was killed; the worker dies with it, and nobody read how.
            self._ending = LocalEnding(None, int(signal.SIGKILL))
        return self._ending

    def close(self) -> None:
        """Free what it held here; what is left is killed."""
        with contextlib.suppress(OSError):  # cannot look just now: its warden ends with its line
            if not self.gone():
                self.kill()
        self._warden.close()
        self._worker.close()
        with self._hanging_up:
            if not self.closed:
                self.closed = True
                os.close(self._called)
                os.close(self._calling)

    def _members(self) -> list[Process]:
        return members(root=self._warden_process, session=self._worker_process, marker=self._marker)

    def _hear_warden(self) -> None:
        for message in self._warden.receive(0.0):
            if message["type"] in ("suspended", "resumed"):
                self._of_fence.append(message)
            elif message["type"] == "ended":
                self._said_farewell = True  # it goes when nothing is left, unless it is killed now
                code = os.waitstatus_to_exitcode(int(message["status"]))
                starved = bool(message["starved"]) and code == -signal.SIGKILL and not self._killed
                self._ending = LocalEnding(
                    exit_code=code if code >= 0 else None,
                    signal=-code if code < 0 else None,
                    out_of_memory=starved,
                )


def strays(nursery: int) -> bool:
    """Return whether a nursery still has children that are no wardens: it is about to end them."""
    named = (find_name(pid) for pid in children(nursery))
    return any(name not in (None, "onward-warden", "onward-nursery") for name in named)
