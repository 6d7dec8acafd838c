"""The way out for what no kernel computes: tsfresh in a child process, chunked and timed."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from multiprocessing import Pipe
from types import TracebackType
from typing import Any, Self

import numpy as np

from onward.errors import ConfigError, StageError
from onward.features.tsfresh.parameters import Feature
from onward.types import FloatArray, IntArray

__all__ = ["CHUNK_ROWS", "TsfreshProcess"]

CHUNK_ROWS = 128
"""Windows in one request: bounds the child's memory and the age of a time-out."""
START_SECONDS = 120.0
"""Importing tsfresh takes 5 to 9 s on a quiet machine."""


class TsfreshProcess:
    """A child process that computes features by tsfresh's own functions.

    A context manager: leaving it ends the process, and with it all memory that tsfresh took.

    Parameters
    ----------
    features
        The features, none of them native.
    timeout
        Seconds that one chunk of at most `CHUNK_ROWS` windows may take.

    Raises
    ------
    ConfigError
        If tsfresh is not installed, or a user's function cannot be sent to another process.
    StageError
        If the process is killed, hangs or fails.
    """

    def __init__(self, features: Sequence[Feature], timeout: float) -> None:
        self.timeout = timeout
        self.version = ""
        self.errors: dict[str, str] = {}
        order = {feature.name: place for place, feature in enumerate(features)}
        grouped: dict[str, list[Feature]] = {}
        for feature in features:
            grouped.setdefault(feature.calculator, []).append(feature)
        self._order: IntArray = np.array(
            [order[f.name] for mine in grouped.values() for f in mine], dtype=np.int64
        )
        self._wanted = [
            (
                name,
                mine[0].function,
                [dict(f.parameters) for f in mine if f.parameters],
                [f.name for f in mine],
            )
            for name, mine in grouped.items()
        ]

    def __enter__(self) -> Self:
        # Packed before anything is started: what cannot be sent must leave no process behind.
        packed = packed_request(self._wanted)
        ours, theirs = Pipe()
        self._connection = ours
        command = [sys.executable, "-m", "onward.features.tsfresh.child", str(theirs.fileno())]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        self._process = subprocess.Popen(
            command,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        theirs.close()
        try:
            ours.send_bytes(packed)
            self.version = str(self._answer(START_SECONDS, "did not start"))
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()

    def compute(self, windows: FloatArray, times: IntArray | None) -> FloatArray:
        """Return the features of a chunk of windows, shape (rows, features).

        Cells of a calculator that raised are NaN; `errors` keeps its first message.
        """
        try:
            self._connection.send((windows, times))
        except OSError as error:
            raise self._lost("ended before a chunk was sent") from error
        values, errors = self._answer(self.timeout, "did not finish a chunk")
        self.errors |= {name: text for name, text in errors.items() if name not in self.errors}
        out: FloatArray = np.empty_like(values)
        out[:, self._order] = values
        return out

    def _answer(self, seconds: float, complaint: str) -> Any:
        if not self._connection.poll(seconds):
            self._end()
            raise StageError(
                f"tsfresh {complaint} in time",
                got=f"{seconds:g} s for at most {CHUNK_ROWS} windows",
                remedy="Raise timeout=, shorten the window, or drop the features that are not native.",
            )
        try:
            kind, payload = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._lost("ended without an answer") from error
        if kind != "failed":
            return payload
        self._end()
        if str(payload).startswith(("ModuleNotFoundError", "ImportError")):
            raise ConfigError(
                "these features need a library that is not installed",
                got=str(payload),
                allowed="features that are native, or an environment with tsfresh",
                remedy='Install it with: pip install "onward[automl]"',
            )
        raise StageError("tsfresh failed in its process", got=str(payload), remedy="Drop these features.")

    def _lost(self, how: str) -> StageError:
        self._end()
        return StageError(
            f"the process of tsfresh {how}",
            got=exit_reason(self._process.returncode),
            remedy="When memory ran out, use shorter windows or fewer of the features that are not native.",
        )

    def _end(self) -> None:
        self._connection.close()
        if self._process.poll() is None:
            try:
                self._process.wait(0.5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def packed_request(
    wanted: list[tuple[str, Callable[..., Any] | None, list[dict[str, Any]], list[str]]],
) -> bytes:
    """Return a request as bytes; functions of a script travel by value when cloudpickle is there."""
    try:
        try:
            return bytes(import_module("cloudpickle").dumps(wanted))
        except ImportError:
            return pickle.dumps(wanted)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ConfigError(
            "a calculator cannot be sent to another process",
            got=str(error),
            allowed="functions of an importable module",
            remedy="Move the function into a module of its own.",
        ) from error


def exit_reason(code: int | None) -> str:
    """Return how a process ended, in words."""
    if code is None:
        return "no exit code"
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"
