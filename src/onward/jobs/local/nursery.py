"""The process that workers are forked from: it has imported what they need, and does nothing else.

Never train here: a process that has run OpenMP cannot be forked. Started by `LocalBackend` with
one socket, through which orders come with the sockets of the worker to be born.
"""

from __future__ import annotations

import array
import contextlib
import importlib
import json
import os
import signal
import socket
import sys
from typing import Any

from onward.jobs.local.control import adopt_orphans, set_name
from onward.jobs.local.deaths import deaths, forget_deaths, quieten
from onward.jobs.local.lines import readable
from onward.jobs.local.orders import is_too_late
from onward.jobs.local.processes import children
from onward.jobs.local.warden import run_warden
from onward.jobs.local.worker import run_worker

__all__ = ["main"]

SOCKETS = 2  # to the warden, to the worker
LOOK_SECONDS = 1.0


def main() -> None:
    """Import what was named, then fork a warden for every order until the server is gone."""
    line = socket.socket(fileno=int(sys.argv[1]))
    set_name("onward-nursery")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    adopt_orphans()
    for name in json.loads(sys.argv[2]):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    wardens: set[int] = set()
    ended = deaths()
    line.sendall(b"ready\n")
    while True:
        _reap(wardens)
        readable([line, ended], LOOK_SECONDS)
        quieten(ended)
        if not readable([line], 0.0):
            continue
        order, sockets = _receive(line)
        if order is None:
            os._exit(0)  # wardens go on until their own lines break
        if not is_too_late(order):  # looked at again here: the server may have been suspended since
            wardens.add(_fork_warden(line, ended, order, *sockets))
        for end in sockets:
            end.close()


def _fork_warden(
    line: socket.socket,
    ended: int,
    order: dict[str, Any],
    to_supervisor: socket.socket,
    worker_end: socket.socket,
) -> int:
    warden = os.fork()
    if warden == 0:
        try:
            forget_deaths()
            os.close(ended)
            line.close()
            run_warden(to_supervisor, order, lambda: run_worker(worker_end, order), worker_end)
        finally:
            os._exit(1)
    return warden


def _receive(line: socket.socket) -> tuple[dict[str, Any] | None, list[socket.socket]]:
    """Return an order and the sockets that came with it; None when the server is gone."""
    room = socket.CMSG_SPACE(SOCKETS * array.array("i").itemsize)
    head, ancillary, _, _ = line.recvmsg(8, room)
    descriptors = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
    sockets = [socket.socket(fileno=number) for number in descriptors]
    if not head:
        return None, sockets
    head += _exactly(line, 8 - len(head))
    order = json.loads(_exactly(line, int.from_bytes(head, "big")))
    return order, sockets


def _exactly(line: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = line.recv(size - len(data))
        if not piece:
            os._exit(0)
        data += piece
    return data


def _reap(wardens: set[int]) -> None:
    """Read the ends of wardens; whoever else became a child lost its warden, and is ended."""
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            wardens.discard(pid)
    with contextlib.suppress(OSError):  # of the look: it is repeated
        for pid in children(os.getpid()) - wardens:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)  # our own child: its number cannot be recycled


if __name__ == "__main__":
    main()
