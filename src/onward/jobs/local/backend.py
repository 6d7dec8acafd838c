"""`LocalBackend`: attempts forked from a warm process, each below a warden."""

from __future__ import annotations

import array
import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from onward.errors import JobError
from onward.jobs.local.attempt import LocalAttempt
from onward.jobs.local.birthplace import noted_warden, signed_warden
from onward.jobs.local.lines import LineSocket
from onward.jobs.local.orders import is_too_late
from onward.jobs.local.processes import boot_id, find, host_name, members, send_signal
from onward.jobs.protocol import TooLateError
from onward.jobs.values import Job

__all__ = ["LocalBackend"]

LOG_FILE = "log.txt"


class LocalBackend:
    """Attempts in processes of this machine (an `onward.jobs.protocol.JobBackend`).

    Parameters
    ----------
    entries
        Job kind -> ``module:function`` that the worker runs.
    services
        ``module:function`` that makes the worker's services from ``settings``; None = none.
    settings
        Plain JSON for it.
    preload
        Modules that workers need, imported once. Nothing is preloaded where forking a process
        that has imported native libraries is not safe (macOS).
    fence_seconds
        Time without a renewed lease after which workers are suspended.
    spawn_seconds
        Time in which a worker must have been born.
    niceness
        How far workers step back behind this process where processors are scarce.
    orphan_seconds
        How long to wait until what was killed of a dead owner is gone.
    """

    name = "local"

    def __init__(
        self,
        entries: Mapping[str, str],
        *,
        services: str | None = None,
        settings: Mapping[str, Any] | None = None,
        preload: Sequence[str] = (),
        fence_seconds: float = 45.0,
        spawn_seconds: float = 60.0,
        niceness: int = 0,
        orphan_seconds: float = 2.0,
    ) -> None:
        self._entries = dict(entries)
        self._services = services
        self._settings = dict(settings or {})
        self._preload = list(preload) if sys.platform == "linux" else []
        self._fence_seconds = fence_seconds
        self._spawn_seconds = spawn_seconds
        self._niceness = niceness
        self._orphan_seconds = orphan_seconds
        self._lock = threading.Lock()
        self._nursery: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._attempts: dict[tuple[str, int], LocalAttempt] = {}

    def warm(self) -> None:
        """Start the process that workers are forked from, if it is not there; a second or two."""
        with self._lock:
            self._ensure_nursery()

    def start(self, job: Job, directory: Path, *, claimed: float | None = None) -> LocalAttempt:
        """Start a worker for an attempt; it waits for ``begin``.

        The fence counts from the claim on: a server that was suspended between claim and start has
        none started when it wakes.
        """
        marker = f"{job.id}/{job.attempt}"
        shared = directory.parent / "shared"
        shared.mkdir(parents=True, exist_ok=True)
        order = {
            "job": job.id,
            "attempt": job.attempt,
            "entry": self._entries.get(job.kind, f"onward.jobs:{job.kind}"),
            "services": self._services,
            "settings": self._settings,
            "spec": dict(job.request.spec),
            "directory": str(directory / "work"),
            "shared": str(shared),
            "log": str(directory / LOG_FILE),
            "marker": marker,
            "niceness": self._niceness,
            "fence_seconds": self._fence_seconds,
            "renewed": time.monotonic() if claimed is None else claimed,
        }
        attempt = self._bear_in_time(order) or self._bear_in_time(order)
        if attempt is None:
            raise JobError(
                "the worker of the job could not be started",
                got=f"no sign of it within {self._spawn_seconds:g} s, twice",
                remedy="Try again when the machine is less busy, or raise jobs.spawn_seconds.",
            )
        self._attempts[job.id, job.attempt] = attempt
        return attempt

    def beat(self, sent: float, held: Mapping[str, int]) -> None:
        """Keep the fence open for the attempts that are still held."""
        for (job_id, number), attempt in list(self._attempts.items()):
            if held.get(job_id) == number:
                attempt.renewed(sent)
            elif attempt.closed:
                self._attempts.pop((job_id, number), None)

    def end_orphan(self, job: Job, directory: Path) -> bool:
        """End what is left of an attempt of a dead owner; True when nothing is left here.

        Nothing is left when its warden is gone, who goes when nothing is below it: no look at a table
        of processes could prove that. It is found by its sign, so its owner may have had another home.
        """
        identity = job.identity
        if identity is not None and (identity.host, identity.boot_id) != (host_name(), boot_id()):
            return True
        session = None if identity is None else (identity.pid, identity.start_ticks)
        marker = f"{job.id}/{job.attempt}"
        warden = signed_warden(marker) or noted_warden(directory)
        deadline = time.monotonic() + self._orphan_seconds
        while True:
            left = members(root=warden, session=session, marker=marker)
            watched = warden is not None and _is_alive(warden)
            if not left and not watched:
                return True
            for process in left:
                send_signal(process, signal.SIGKILL)
            if time.monotonic() > deadline:
                if warden is not None and not left:
                    send_signal(warden, signal.SIGKILL)  # suspended, or it would have gone
                return False
            time.sleep(0.01)

    def close(self) -> None:
        """End everything that still runs, and the warm process."""
        for attempt in self._attempts.values():
            attempt.close()
        self._attempts.clear()
        with self._lock:
            self._drop_nursery()

    # -- the warm process ---------------------------------------------------------------------

    def _bear_in_time(self, order: Mapping[str, Any]) -> LocalAttempt | None:
        attempt = None if is_too_late(order) else self._bear(order)
        if attempt is None and is_too_late(order):
            raise TooLateError(
                "the worker was not started: the claim is too old",
                got=f"{time.monotonic() - order['renewed']:.1f} s",
                allowed=f"{self._fence_seconds:g} s (jobs.fence_seconds)",
            )
        return attempt

    def _bear(self, order: Mapping[str, Any]) -> LocalAttempt | None:
        """Have a worker born; None when that did not come about, the warm process being to blame."""
        warden, its_warden = socket.socketpair()
        worker, its_worker = socket.socketpair()
        born: LocalAttempt | str | None = None
        try:
            with its_warden, its_worker:
                nursery = self._order(order, [its_warden.fileno(), its_worker.fileno()])
            born = self._born(LineSocket(warden), LineSocket(worker), order["marker"], nursery)
        finally:
            if not isinstance(born, LocalAttempt):
                warden.close()  # its warden, if there is one, ends everything
                worker.close()
            if born is None:
                with self._lock:
                    self._drop_nursery()  # killed, or stuck: the next one is not
        if isinstance(born, str):
            raise JobError(
                "the worker of the job could not be started",
                got=born,
                remedy="Make room on the disk of the home directory, and let this server write there.",
            )
        return born

    def _born(
        self, warden: LineSocket, worker: LineSocket, marker: str, nursery: int
    ) -> LocalAttempt | str | None:
        """Return the attempt, why its warden refused to bear a worker, or None where neither was heard."""
        deadline = time.monotonic() + self._spawn_seconds
        while not warden.ended and (left := deadline - time.monotonic()) > 0:
            for message in warden.receive(left):
                if message["type"] == "unborn":
                    return str(message["why"])
                if message["type"] == "born":
                    return LocalAttempt(
                        warden,
                        worker,
                        (int(message["warden"]), int(message["warden_start"])),
                        (int(message["pid"]), int(message["start"])),
                        marker,
                        nursery,
                    )
        return None

    def _order(self, order: Mapping[str, Any], descriptors: list[int]) -> int:
        """Send an order, and return the number of the process that carries it out."""
        data = json.dumps(order).encode()
        message = len(data).to_bytes(8, "big") + data
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
        with self._lock:
            for last in (False, True):
                line, nursery = self._ensure_nursery()
                try:
                    sent = line.sendmsg([message[:8]], rights)
                    line.sendall(message[sent:])
                except OSError as error:  # somebody killed it; a new one can do the same
                    self._drop_nursery()
                    if last:
                        raise JobError("workers cannot be started", got=str(error)) from error
                else:
                    return nursery
            raise AssertionError

    def _ensure_nursery(self) -> tuple[socket.socket, int]:
        if self._line is not None and self._nursery is not None and self._nursery.poll() is None:
            return self._line, self._nursery.pid
        self._drop_nursery()
        ours, theirs = socket.socketpair()
        with theirs:
            self._nursery = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "onward.jobs.local.nursery",
                    str(theirs.fileno()),
                    json.dumps(self._preload),
                ],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C at the server's terminal is the server's business
            )
        ours.settimeout(self._spawn_seconds)
        try:
            ready = ours.recv(16)
        except OSError:
            ready = b""
        if not ready.startswith(b"ready"):
            ours.close()
            code = self._code_of_nursery()
            self._drop_nursery()
            raise JobError(
                "the process that workers come from did not start",
                got=f"nothing within {self._spawn_seconds:g} s" if code is None else f"it ended with {code}",
                remedy="Try again when the machine is less busy, or raise jobs.spawn_seconds."
                if code is None
                else "See what it wrote to the standard error of this server.",
            )
        self._line = ours  # its time limit stays: a suspended process must not hold the lock for ever
        return ours, self._nursery.pid

    def _code_of_nursery(self) -> str | None:
        """Return how it ended; None while it lives."""
        assert self._nursery is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._nursery.wait(0.5)  # its end of the line closes a moment before
        code = self._nursery.returncode
        if code is None:
            return None
        return f"exit code {code}" if code >= 0 else f"signal {-code}"

    def _drop_nursery(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
        if self._nursery is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._nursery.wait(0.5)
            if self._nursery.poll() is None:
                self._nursery.kill()
                self._nursery.wait()
            self._nursery = None


def _is_alive(process: tuple[int, int]) -> bool:
    found = find(process[0])
    return found is not None and found.start == process[1] and not found.dead
