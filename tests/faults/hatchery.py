"""Forks servers from one process that has imported everything, so that a server costs milliseconds.

A server is a process of its own all the same, in a session of its own: nothing is shared but the
memory of what was imported. `Hatchery` is the owner's side, `hatch` what worlds call.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

__all__ = ["Hatched", "Hatchery", "hatch"]

ROOT = Path(__file__).resolve().parents[2]
LOOK_SECONDS = 0.2


class Hatched:
    """A server as its world holds it; in the manner of `subprocess.Popen`, whoever its parent is."""

    def __init__(self, pid: int, pidfd: int, stdin: IO[str], stdout: IO[str]) -> None:
        self.pid = pid
        self.stdin, self.stdout = stdin, stdout
        self._pidfd = pidfd
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return None while it lives, then 0: how it ended only its parent is told."""
        if self.returncode is None and select.select([self._pidfd], [], [], 0.0)[0]:
            self._ended()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._pidfd], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"server {self.pid}", timeout or 0.0)
            self._ended()
        return 0

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended(self) -> None:
        self.returncode = 0
        os.close(self._pidfd)


class Hatchery:
    """The process that servers are forked from; a context manager.

    Parameters
    ----------
    directory
        Where its socket is.
    """

    def __init__(self, directory: Path) -> None:
        self.address = directory / "hatchery"
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.hatchery", str(self.address)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()


def hatch(address: Path, order: Mapping[str, Any], log: Path) -> Hatched:
    """Have a server forked; its standard error goes to ``log``."""
    stdin, to_stdin = os.pipe()
    from_stdout, stdout = os.pipe()
    stderr = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
            line.connect(str(address))
            socket.send_fds(line, [json.dumps(order).encode()], [stdin, stdout, stderr])
            data, (pidfd,), _, _ = socket.recv_fds(line, 64, 1)
    finally:
        for descriptor in (stdin, stdout, stderr):
            os.close(descriptor)
    return Hatched(int(data), pidfd, os.fdopen(to_stdin, "w"), os.fdopen(from_stdout, "r"))


def main() -> None:
    from tests.faults import server  # what is imported here is imported once

    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(sys.argv[1])
    listener.listen(100)
    parent = os.getppid()
    gc.collect()
    gc.freeze()
    print("ready", flush=True)
    while os.getppid() == parent:
        if select.select([listener], [], [], LOOK_SECONDS)[0]:
            connection, _ = listener.accept()
            with connection:
                _fork(server.serve, listener, connection)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _fork(serve: Any, listener: socket.socket, connection: socket.socket) -> None:
    data, descriptors, _, _ = socket.recv_fds(connection, 1_000_000, 3)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setsid()
            for ignored in (signal.SIGINT, signal.SIGTERM):
                signal.signal(ignored, signal.SIG_DFL)
            for number, descriptor in enumerate(descriptors):
                os.dup2(descriptor, number)
                os.close(descriptor)
            listener.close()
            connection.close()
            serve(json.loads(data))
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    for descriptor in descriptors:
        os.close(descriptor)
    pidfd = os.pidfd_open(pid)  # ours to read: its number cannot be another's yet
    socket.send_fds(connection, [str(pid).encode()], [pidfd])
    os.close(pidfd)


if __name__ == "__main__":
    main()
