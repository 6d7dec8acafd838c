"""A short-lived child process for engines that we do not trust with our memory."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

import numpy.typing as npt

from onward.errors import OnwardError, StageError, StorageError
from onward.features.isolation.errors import (
    ChildCrashError,
    ChildKilledError,
    ChildMemoryError,
    ChildTimeoutError,
)
from onward.features.isolation.exchange import read_arrays, write_arrays
from onward.features.isolation.limits import Answer, Limits
from onward.features.isolation.memory import session_memory_bytes
from onward.protocols import Progress
from onward.types import ProgressEvent

__all__ = ["IsolatedProcess"]

CHILD = Path(__file__).with_name("_child.py")
LOG_TAIL_BYTES = 6_000
SECONDS_TO_LEAVE = 5.0
FALLEN_OVER = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)

INHERITED = (
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LD_LIBRARY_PATH",
    "LOGNAME",
    "PATH",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPYCACHEPREFIX",
    "TMPDIR",
    "TZ",
    "USER",
)
"""Environment variables that the child sees of ours: nothing secret, nothing that steers an engine."""

THREAD_CAPS = (
    "BLIS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


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
        self._life = self._requests = self._replies = -1
        self._buffer = b""
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
                self._raise_theirs(message["error"])
            elif message["kind"] == "memory":
                raise ChildMemoryError(
                    "a child process was refused memory",
                    got=self._state(),
                    remedy="Give it more, or less to do.",
                    log=self.log_tail(),
                )
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
        for descriptor in (self._life, self._requests, self._replies):
            if descriptor >= 0:
                os.close(descriptor)
        self._life = self._requests = self._replies = -1
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
        theirs: list[int] = []
        try:
            life, self._life = os.pipe()
            theirs.append(life)
            requests, self._requests = os.pipe()
            theirs.append(requests)
            self._replies, replies = os.pipe()
            theirs.append(replies)
            os.set_blocking(self._replies, False)
            with (self._directory / "log").open("wb") as log:
                self._guardian = subprocess.Popen(
                    [
                        *(sys.executable, "-P", "-X", "faulthandler", str(CHILD)),
                        *map(str, (*theirs, os.getpid(), self._directory)),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self._directory,
                    env=self._clean_environment(),
                    pass_fds=theirs,
                    start_new_session=True,
                )
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        self._write(
            {
                "path": [str(Path(entry or ".").absolute()) for entry in sys.path],
                "address_space": self.limits.address_space_bytes,
            }
        )
        # The first message is the worker's number; it comes before anything is imported.
        ready = next(self._messages(time.monotonic() + self.limits.seconds))
        self.pid = int(ready["pid"])

    def _clean_environment(self) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        return {
            **inherited,
            **dict.fromkeys(THREAD_CAPS, str(self.limits.threads)),
            "PYTHONHASHSEED": str(self.hash_seed),
            "PYTHONUNBUFFERED": "1",
            **self.environment,
        }

    def _send(self, target: str, arrays: Mapping[str, npt.ArrayLike], values: Mapping[str, Any]) -> None:
        assert self._directory is not None
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
            raise _storage_error("written for", error) from error
        self._write(request)

    def _write(self, message: Mapping[str, Any]) -> None:
        line = json.dumps(message).encode() + b"\n"
        try:
            while line:
                line = line[os.write(self._requests, line) :]
        except BrokenPipeError:
            pass  # it has ended; reading its messages finds out why

    def _received(self, message: Mapping[str, Any], seconds: float) -> Answer:
        assert self._directory is not None
        folder = self._directory / str(self._calls)
        try:
            arrays = read_arrays(folder / "out", message["arrays"], mapped=False)
        except OSError as error:
            raise _storage_error("read from", error) from error
        shutil.rmtree(folder, ignore_errors=True)
        return Answer(arrays, message["values"], seconds, self.peak_bytes)

    def _messages(self, deadline: float) -> Iterator[dict[str, Any]]:
        """Yield what the child says, watching over it meanwhile; raises when it ends or must be ended."""
        next_sample = 0.0
        while True:
            head, separator, rest = self._buffer.partition(b"\n")
            if separator:
                self._buffer = rest
                yield json.loads(head)
                continue
            now = time.monotonic()
            if now >= next_sample:
                self._check_memory()
                # Where very many processes run a look takes long: spend a twentieth of the time on it.
                looked = time.monotonic()
                next_sample = looked + max(self.limits.sample_seconds, 20 * (looked - now))
            if now >= deadline:
                self.close()
                raise ChildTimeoutError(
                    f"a child process timed out after {self.limits.seconds:g} s and was killed",
                    got=self._state(),
                    allowed=f"{self.limits.seconds:g} s",
                    remedy="Give it more time, or less to do.",
                    log=self._log,
                )
            wait = max(0.0, min(next_sample, deadline) - time.monotonic())
            if select.select([self._replies], [], [], wait)[0]:
                part = os.read(self._replies, 1 << 16)
                if not part:
                    self._raise_ended()
                self._buffer += part

    def _check_memory(self) -> None:
        assert self._guardian is not None
        session = self._guardian.pid
        groups = {session} if self.pid is None else {session, self.pid}
        memory = session_memory_bytes(session, groups)
        self.peak_bytes = max(self.peak_bytes, memory)
        limit = self.limits.memory_bytes
        if limit is not None and memory > limit:
            self.close()
            raise ChildMemoryError(
                "a child process used more memory than it was given and was killed",
                got=f"{memory / 1e9:.2f} GB",
                allowed=f"{limit / 1e9:.2f} GB",
                remedy="Give it more memory, or less to do.",
                log=self._log,
            )

    def _raise_ended(self) -> NoReturn:
        guardian = self._guardian
        assert guardian is not None
        try:
            code = guardian.wait(SECONDS_TO_LEAVE)
        except subprocess.TimeoutExpired:  # the worker closed its side and lives on
            code = 0
        self.close()
        number = -code if code < 0 else code - 128
        if number in FALLEN_OVER:
            raise ChildCrashError(
                f"a child process crashed in native code ({signal.Signals(number).name})",
                got=_last_line(self._log) or self._state(),
                remedy="Look at the log of this error; a library in the child is broken or was fed badly.",
                log=self._log,
            )
        if number in set(signal.Signals):
            raise ChildKilledError(
                f"a child process was killed by the system or by somebody ({signal.Signals(number).name})",
                got=self._state(),
                remedy="Most often memory ran out: close other programs, lower its memory limit so that"
                " it takes less, or give it less to do.",
                log=self._log,
            )
        raise ChildCrashError(
            "a child process ended without an answer",
            got=_last_line(self._log) or f"exit code {code}",
            remedy="Look at the log of this error.",
            log=self._log,
        )

    def _raise_theirs(self, error: Mapping[str, Any]) -> NoReturn:
        ours = getattr(sys.modules[OnwardError.__module__], error["class"], None) if error["ours"] else None
        if ours is not None:
            told = error["ours"]
            raise ours(told["what"], got=told["got"], allowed=told["allowed"], remedy=told["remedy"])
        raise ChildCrashError(
            "a child process raised an exception",
            got=f"{error['class']}: {error['text']}",
            remedy="Look at the log of this error.",
            log=error["traceback"],
        )

    def _state(self) -> str:
        return f"{self.peak_bytes / 1e9:.2f} GB of memory at most, call {self._calls}"


def _last_line(log: str) -> str:
    return log.rpartition("\n")[2][:300]


def _storage_error(done: str, error: OSError) -> StorageError:
    return StorageError(
        f"arrays cannot be {done} a child process",
        got=f"{type(error).__name__}: {error}",
        remedy="Free disk space where temporary files go (TMPDIR).",
    )
