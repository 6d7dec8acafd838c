"""A short-lived child process for engines that we do not trust with our memory."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy.typing as npt

from onward.errors import StageError, StorageError
from onward.features.isolation.channel import Channel
from onward.features.isolation.endings import (
    ended,
    refused_memory,
    storage_refused,
    timed_out,
    too_large,
    what_it_raised,
)
from onward.features.isolation.errors import IsolationError
from onward.features.isolation.exchange import read_arrays, write_arrays
from onward.features.isolation.limits import Answer, Limits
from onward.features.isolation.memory import session_memory_bytes
from onward.features.isolation.surroundings import clean_environment
from onward.protocols import Progress
from onward.types import ProgressEvent

__all__ = ["IsolatedProcess"]

CHILD = Path(__file__).with_name("_child.py")
LOG_TAIL_BYTES = 6_000
SECONDS_TO_LEAVE = 5.0


class IsolatedProcess:
    """A fresh Python interpreter that lives as long as the ``with`` block, and not longer.

    It has its own session, a fixed hash seed (sets of strings come in the same order every time),
    capped threads and a cleaned environment. Several calls may follow each other, so that an
    engine is imported once. Whatever ends the block (an answer, an error, Ctrl-C) kills the
    process with everything it started; should this process be killed, a guardian does. All
    memory of the engine thereby returns to the system.

    Leave the block in the thread that entered it: Linux counts the end of that thread as the
    death of the parent.

    Parameters
    ----------
    limits
        What it may use.
    hash_seed
        ``PYTHONHASHSEED`` of the child, 0 to 4294967295.
    environment
        Further environment variables of the child.
    directory
        Where the private directory for arrays and the log is made; the system's own place for
        temporary files otherwise. It needs room for the arrays that go in and out.

    Examples
    --------
    >>> with IsolatedProcess(limits=Limits(seconds=60)) as child:
    ...     answer = child.call("package.module:function", {"x": x}, {"degree": 2})  # doctest: +SKIP

    where ``function(arrays, values, progress)`` returns ``(arrays, values)``: arrays are mapped
    read-only, values are plain JSON, and ``progress(done, total, message)`` may be called.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        hash_seed: int = 0,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.hash_seed = hash_seed
        self.environment = dict(environment or {})
        self.parent_directory = directory
        self.peak_bytes = 0
        self.pid: int | None = None
        self._directory: Path | None = None
        self._guardian: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self._calls = 0
        self._log = ""

    def __enter__(self) -> Self:
        if os.name != "posix":
            raise StageError(
                "engines in a child process need a POSIX system",
                got=sys.platform,
                allowed="Linux or macOS",
                remedy="Leave such stages out of the plan, or train inside WSL.",
            )
        try:
            self._start()
        except OSError as error:
            self.close()
            raise StorageError(
                "a child process cannot be started",
                got=f"{type(error).__name__}: {error}",
                remedy="Free disk space where temporary files go (TMPDIR), memory or processes.",
            ) from error
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def call(
        self,
        target: str,
        arrays: Mapping[str, npt.ArrayLike] | None = None,
        values: Mapping[str, Any] | None = None,
        *,
        progress: Progress | None = None,
        stage: str = "isolated",
    ) -> Answer:
        """Run ``module:function`` in the child and return what it gave.

        Parameters
        ----------
        target
            ``module:function``, importable with this process's ``sys.path``.
        arrays
            Arrays by name; no Python objects.
        values
            Plain JSON values.
        progress
            Told what the function reports; whatever it raises ends the child.
        stage
            Name of the work in progress events.

        Raises
        ------
        ChildTimeoutError, ChildMemoryError
            When the child went beyond its limits; it was killed.
        ChildKilledError
            When somebody else killed it.
        ChildCrashError
            When the function raised, or the child fell over. After an exception of the function
            the child can be called again.
        OnwardError
            The function's own, as it was raised.
        StorageError
            When arrays cannot be written or read.
        StageError
            When an argument cannot be handed over, or the child has already ended.
        """
        if self._guardian is None:
            raise StageError(
                "this child process has ended",
                allowed="calls inside the with block, before anything ended the child",
                remedy="Start another one.",
            )
        started = time.monotonic()
        self._send(target, arrays or {}, values or {})
        for message in self._messages(started + self.limits.seconds):
            if message["kind"] == "progress" and progress is not None:
                done, total = message["done"], message["total"]
                progress(ProgressEvent(stage, done, total, message["message"]))
            elif message["kind"] == "error":
                raise what_it_raised(message["error"])
            elif message["kind"] == "memory":
                raise refused_memory(self._state(), self.log_tail())
            elif message["kind"] == "answer":
                return self._received(message, time.monotonic() - started)
        raise AssertionError("messages end with an error")

    def log_tail(self) -> str:
        """Return the last that the child wrote to its output, at most 6,000 bytes."""
        if self._directory is None:
            return self._log
        try:
            with (self._directory / "log").open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
                self._log = log.read().decode(errors="replace").strip()
        except OSError:
            pass
        return self._log

    def close(self) -> None:
        """Kill the child with everything it started and remove its directory; twice does no harm."""
        self.log_tail()
        if self._channel is not None:
            self._channel.close()
        guardian, self._guardian = self._guardian, None
        if guardian is not None:
            try:
                guardian.wait(SECONDS_TO_LEAVE)
            except subprocess.TimeoutExpired:
                guardian.kill()
                guardian.wait()
            if guardian.returncode < 0 and self.pid is not None:
                # The guardian itself was killed: the worker died with it, its descendants may not have.
                with contextlib.suppress(OSError):
                    os.killpg(self.pid, signal.SIGKILL)
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    def _start(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="onward-", dir=self.parent_directory))
        self._channel = Channel()
        try:
            with (self._directory / "log").open("wb") as log:
                self._guardian = subprocess.Popen(
                    [
                        *(sys.executable, "-P", "-X", "faulthandler", str(CHILD)),
                        *map(str, (*self._channel.theirs, os.getpid(), self._directory)),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self._directory,
                    env=clean_environment(self.limits.threads, self.hash_seed, self.environment),
                    pass_fds=self._channel.theirs,
                    start_new_session=True,
                )
        finally:
            self._channel.hand_over()
        self._channel.send(
            {
                "path": [str(Path(entry or ".").absolute()) for entry in sys.path],
                "address_space": self.limits.address_space_bytes,
            }
        )
        # The first message is the worker's number; it comes before anything is imported.
        ready = next(self._messages(time.monotonic() + self.limits.seconds))
        self.pid = int(ready["pid"])

    def _send(self, target: str, arrays: Mapping[str, npt.ArrayLike], values: Mapping[str, Any]) -> None:
        assert self._directory is not None
        assert self._channel is not None
        self._calls += 1
        folder = self._directory / str(self._calls)
        request = {"target": target, "values": dict(values), "directory": str(folder), "arrays": list(arrays)}
        try:
            json.dumps(request)
            folder.mkdir()
            write_arrays(folder / "in", arrays)
        except (TypeError, ValueError) as error:
            raise StageError(
                "an argument cannot be handed to a child process",
                got=str(error),
                allowed="arrays of numbers or fixed-width text, and plain JSON values",
                remedy="Convert it first.",
            ) from error
        except OSError as error:
            raise storage_refused("written for", error) from error
        self._channel.send(request)

    def _received(self, message: Mapping[str, Any], seconds: float) -> Answer:
        assert self._directory is not None
        folder = self._directory / str(self._calls)
        try:
            arrays = read_arrays(folder / "out", message["arrays"], mapped=False)
        except OSError as error:
            raise storage_refused("read from", error) from error
        shutil.rmtree(folder, ignore_errors=True)
        return Answer(arrays, message["values"], seconds, self.peak_bytes)

    def _messages(self, deadline: float) -> Iterator[dict[str, Any]]:
        """Yield what the child says, watching over it meanwhile; raises when it ends or must be ended."""
        assert self._channel is not None
        next_sample = 0.0
        while True:
            message = self._channel.received()
            if message is not None:
                yield message
                continue
            now = time.monotonic()
            if now >= next_sample:
                self._check_memory()
                # Where very many processes run a look takes long: spend a twentieth of the time on it.
                looked = time.monotonic()
                next_sample = looked + max(self.limits.sample_seconds, 20 * (looked - now))
            if now >= deadline:
                self.close()
                raise timed_out(self.limits.seconds, self._state(), self._log)
            wait = max(0.0, min(next_sample, deadline) - time.monotonic())
            if not self._channel.listen(wait):
                raise self._ended()

    def _check_memory(self) -> None:
        assert self._guardian is not None
        session = self._guardian.pid
        groups = {session} if self.pid is None else {session, self.pid}
        memory = session_memory_bytes(session, groups)
        self.peak_bytes = max(self.peak_bytes, memory)
        limit = self.limits.memory_bytes
        if limit is not None and memory > limit:
            self.close()
            raise too_large(memory, limit, self._log)

    def _ended(self) -> IsolationError:
        guardian = self._guardian
        assert guardian is not None
        try:
            code = guardian.wait(SECONDS_TO_LEAVE)
        except subprocess.TimeoutExpired:  # the worker closed its side and lives on
            code = 0
        self.close()
        return ended(code, self._state(), self._log)

    def _state(self) -> str:
        return f"{self.peak_bytes / 1e9:.2f} GB of memory at most, call {self._calls}"
