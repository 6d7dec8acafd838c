"""The way out for what no kernel computes: tsfresh in a child process, chunked and timed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, cast

import numpy as np

from onward.features.isolation import ChildTimeoutError, IsolatedProcess, Limits
from onward.features.tsfresh.functions import address_of
from onward.features.tsfresh.parameters import Feature, plain
from onward.types import FloatArray, IntArray

__all__ = ["CHUNK_ROWS", "FallbackWarning", "TsfreshProcess", "shortened", "what_raised"]

CHUNK_ROWS = 128
"""Windows in one request: bounds the child's memory and the age of a time-out."""
START_SECONDS = 120.0
"""Importing tsfresh takes 5 to 9 s on a quiet machine."""
MODULE = "onward.features.tsfresh.child"


class FallbackWarning(UserWarning):
    """Features without a kernel: tsfresh computed them in a child process, slowly, or raised on some."""


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
        If tsfresh is not installed, a user's function has no address, or a parameter is nothing
        that JSON knows; before anything is started.
    StageError
        If the process is killed, hangs or fails: one of `onward.features.isolation`'s errors.
    """

    def __init__(self, features: Sequence[Feature], timeout: float) -> None:
        self.limits = Limits(seconds=timeout)
        self.version = ""
        self.errors: dict[str, str] = {}
        self.raised: dict[str, int] = {}
        order = {feature.name: place for place, feature in enumerate(features)}
        grouped: dict[str, list[Feature]] = {}
        for feature in features:
            grouped.setdefault(feature.calculator, []).append(feature)
        self._order: IntArray = np.array(
            [order[f.name] for mine in grouped.values() for f in mine], dtype=np.int64
        )
        self._wanted = [
            [
                name,
                None if mine[0].function is None else address_of(mine[0].function),
                [plain(f.parameters, name) for f in mine if f.parameters],
                [f.name for f in mine],
            ]
            for name, mine in grouped.items()
        ]
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        start = replace(self.limits, seconds=max(START_SECONDS, self.limits.seconds))
        self._process = self._opened.enter_context(IsolatedProcess(limits=start))
        try:
            ready = self._call("prepare", {}, "did not start")
        except BaseException:
            self._opened.close()
            raise
        self.version = str(ready.results["version"])
        self._process.limits = self.limits
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._opened.close()

    def compute(self, windows: FloatArray, times: IntArray | None) -> FloatArray:
        """Return the features of a chunk of windows, shape (rows, features).

        Cells of a feature that raised are NaN; `errors` keeps its first message, `raised` counts.
        """
        arrays: dict[str, Any] = {"windows": windows} | ({} if times is None else {"times": times})
        answer = self._call("run_chunk", arrays, "did not finish a chunk")
        for name, (text, count) in answer.results["errors"].items():
            self.errors.setdefault(name, text)
            self.raised[name] = self.raised.get(name, 0) + count
        values = cast("FloatArray", answer.arrays["values"])
        out: FloatArray = np.empty_like(values)
        out[:, self._order] = values
        return out

    def _call(self, function: str, arrays: dict[str, Any], complaint: str) -> Any:
        try:
            return self._process.call(f"{MODULE}:{function}", arrays, {"wanted": self._wanted})
        except ChildTimeoutError as error:
            raise ChildTimeoutError(
                f"tsfresh {complaint} in time and was killed",
                got=error.got,
                allowed=f"{self._process.limits.seconds:g} s for at most {CHUNK_ROWS} windows",
                remedy="Raise the timeout, shorten the window, or drop the features that are not native.",
                log=error.log,
            ) from error


def what_raised(errors: Mapping[str, str], raised: Mapping[str, int]) -> list[str]:
    """Return a sentence a feature that raised: calculator and parameters by its name, error, windows."""
    windows = {name: "1 window" if raised[name] == 1 else f"{raised[name]:,} windows" for name in errors}
    return [f"{name} raised {text} in {windows[name]}; its cells are NaN" for name, text in errors.items()]


def shortened(names: Sequence[str]) -> str:
    """Return the first three of some names, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
