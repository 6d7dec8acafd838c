"""The worker: runs one task in a session of its own, without a way to the database."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import socket
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from onward.errors import JobError
from onward.jobs.local.control import die_with_parent, set_name
from onward.jobs.local.lines import LineSocket
from onward.jobs.local.niceness import step_back
from onward.jobs.local.processes import MARKER
from onward.jobs.messages import error_message
from onward.jobs.task import WorkerContext, run_task

__all__ = ["run_worker"]


def run_worker(end: socket.socket, order: dict[str, Any]) -> None:
    """Wait until the identity is written down, run the task, say what came of it; does not return.

    Parameters
    ----------
    end
        To the supervisor.
    order
        ``job``, ``attempt``, ``entry``, ``services``, ``settings``, ``spec``, ``directory``,
        ``shared``, ``log``, ``marker``, ``niceness``.
    """
    parent = os.getppid()
    os.setsid()
    die_with_parent()
    if os.getppid() != parent:  # it died before it could be said that we die with it
        os._exit(1)
    line = LineSocket(end)
    try:
        code = _work(line, order)
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException as error:
        line.send(error_message(error, traceback.format_exc()))
        code = 1
    os._exit(code)  # threads of libraries must not hold up the end


def _work(line: LineSocket, order: dict[str, Any]) -> int:
    """Return the exit code; what is raised here is told by nobody else."""
    set_name("onward-worker")
    _own_streams(Path(order["log"]))
    os.environ[MARKER] = str(order["marker"])
    faulthandler.enable()
    _end_on_sigterm()  # before any thread is started: they inherit the blocked mask
    step_back(int(order["niceness"]))
    if not _released(line):
        return 0
    context = WorkerContext(line, order)
    threading.Thread(target=_listen, args=(line, context), name="supervisor", daemon=True).start()
    return run_task(context, order)


def _own_streams(log: Path) -> None:
    """Read from nothing, write into the log of the attempt; also on the level of C."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(nothing)
    os.close(file)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False, errors="replace")
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False, errors="replace")


def _end_on_sigterm() -> None:
    """End at once on SIGTERM, also while native code is at work.

    A Python handler would wait for the interpreter: half a second to 2.5 seconds in a booster. A
    thread that waits for the blocked signal needs milliseconds. Children inherit the blocked
    mask, so it takes the whole session with it by SIGKILL.
    """
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)  # the warden ignores them
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def wait() -> None:
        signal.sigwait({signal.SIGTERM})
        with contextlib.suppress(OSError):
            os.write(2, b"told to stop\n")
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=wait, name="sigterm", daemon=True).start()


def _released(line: LineSocket) -> bool:
    while not line.ended:
        if any(message["type"] == "begin" for message in line.receive(None)):
            return True
    return False


def _listen(line: LineSocket, context: WorkerContext) -> None:
    """Hand answers over; when the supervisor is gone, so are we.

    So are we when it cannot be understood: whoever waits for an answer would do so for ever.
    """
    try:
        while not line.ended:
            for message in line.receive(None):
                context.answered(message)
    except BaseException as error:
        traceback.print_exc()
        context.send(_error(error))
    finally:
        os.killpg(os.getpgrp(), signal.SIGKILL)


def _error(error: BaseException) -> dict[str, Any]:
    told = traceback.format_exc()
    if isinstance(error, ValueError | KeyError):
        error = JobError("The supervisor sent what is no message", got=str(error))
    return error_message(error, told)
