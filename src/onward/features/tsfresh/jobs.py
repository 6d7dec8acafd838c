"""The work of one call: windows gathered chunk by chunk, written by kernels or by tsfresh."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from onward.features.tsfresh.fallback import CHUNK_ROWS, TsfreshProcess, what_raised
from onward.features.tsfresh.inputs import RollingInput
from onward.features.tsfresh.parameters import Feature
from onward.types import BoolArray, FloatArray, IntArray

__all__ = ["FallbackPart", "Job", "available_threads", "compute_fallback", "compute_native"]

CHUNK_VALUES = 1 << 17
"""Numbers that a chunk of windows, or of results, holds at most: about a megabyte."""
NS_PER_SECOND = 1_000_000_000
SECONDS_PER_HOUR = 3600.0


class Job:
    """All windows of one length over one series.

    Parameters
    ----------
    data
        Where times and groups come from.
    values
        The series.
    length
        Values in a window.
    features
        What is computed.
    matrix
        Where it goes: columns ``first`` and following.
    first
        First column of this job.
    limit
        Largest magnitude that is written; beyond it a cell is NaN.
    """

    def __init__(
        self,
        data: RollingInput,
        values: FloatArray,
        length: int,
        *,
        features: Sequence[Feature],
        matrix: npt.NDArray[Any],
        first: int,
        limit: float = np.inf,
    ) -> None:
        self.data = data
        self.values = values
        self.length = length
        self.features = features
        self.matrix = matrix
        self.first = first
        self.limit = limit
        self._holes = np.concatenate([[0], np.cumsum(~np.isfinite(values))]).astype(np.int64)

    def usable(self, ends: IntArray) -> BoolArray:
        """Return which windows lie within one group and hold finite values only."""
        starts = ends - self.length + 1
        inside = starts >= self.data.group_start[ends]
        known = self._holes[ends + 1] == self._holes[np.maximum(starts, 0)]
        return np.asarray(inside & known, dtype=np.bool_)

    def unknown(self, ends: IntArray) -> int:
        """Count the windows that lie within one group and yet hold something unknown."""
        inside = ends - self.length + 1 >= self.data.group_start[ends]
        return int((inside & ~self.usable(ends)).sum())

    def within_limit(self, values: FloatArray) -> FloatArray:
        """Return values with NaN in the place of those beyond the limit, changed in place."""
        if self.limit < np.inf:
            values[np.abs(values) > self.limit] = np.nan
        return values

    def windows(self, ends: IntArray) -> FloatArray:
        """Return windows by their last rows, one a row."""
        view = sliding_window_view(self.values, self.length)
        return np.ascontiguousarray(view[ends - self.length + 1])

    def times(self, ends: IntArray) -> IntArray | None:
        """Return the moments of each window, ns UTC."""
        if self.data.time is None:
            return None
        return np.ascontiguousarray(sliding_window_view(self.data.time, self.length)[ends - self.length + 1])

    def hours(self, ends: IntArray) -> FloatArray | None:
        """Return the hours since each window's first moment, divided as tsfresh divides."""
        times = self.times(ends)
        if times is None:
            return None
        return np.ascontiguousarray((times - times[:, :1]) / NS_PER_SECOND / SECONDS_PER_HOUR)


class NativePart:
    """The native features of a job, bound to its window length.

    Parameters
    ----------
    job
        The windows.
    """

    def __init__(self, job: Job) -> None:
        from onward.kernels.tsfresh import Request, writers

        self.job = job
        native = [(i, f) for i, f in enumerate(job.features) if f.native]
        self.columns: IntArray = np.array([job.first + i for i, _ in native], dtype=np.int64)
        self.by_time = any(f.by_time for _, f in native)
        requests = [Request(f.calculator, f.parameters, slot) for slot, (_, f) in enumerate(native)]
        self.families = writers(requests, job.length)
        self.adjacent = len(native) == len(job.features)

    def write(self, ends: IntArray, places: IntArray) -> None:
        """Write the features of the windows that end at some rows into some rows of the result."""
        from onward.kernels.tsfresh import Chunk

        job = self.job
        usable = job.usable(ends)
        if not usable.any():
            return
        ends, places = ends[usable], places[usable]
        chunk = Chunk(job.windows(ends), job.hours(ends) if self.by_time else None)
        out = np.empty((len(ends), len(self.columns)))
        # Squares of extreme values overflow: the cell is then infinite or undefined, as in tsfresh.
        with np.errstate(all="ignore"):
            for family in self.families:
                family.write(chunk, out)
        job.within_limit(out)
        if self.adjacent:
            job.matrix[places, job.first : job.first + len(self.columns)] = out
        else:
            job.matrix[np.ix_(places, self.columns)] = out


def compute_native(jobs: Sequence[Job], ends: IntArray, places: IntArray, workers: int) -> int:
    """Let the kernels write every native feature; return the number of windows with unknown values."""
    tasks: list[Callable[[], None]] = []
    for job in jobs:
        if job.length > len(job.data):
            continue  # no window is full; tables as long as the window need not be made
        part = NativePart(job)
        if len(part.columns):
            width = max(job.length, len(part.columns))
            tasks.extend(partial(part.write, ends[rows], places[rows]) for rows in chunks(len(ends), width))
    run(tasks, workers)
    return sum(job.unknown(ends) for job in jobs)


class FallbackPart:
    """The features that no kernel computes, for one job after another in one process.

    A context manager; a process is started only when there are such features.

    Parameters
    ----------
    features
        All features of the jobs.
    timeout
        Seconds for a chunk.
    """

    def __init__(self, features: Sequence[Feature], timeout: float) -> None:
        self.places = [place for place, feature in enumerate(features) if not feature.native]
        rest = [features[place] for place in self.places]
        self.by_time = any(feature.by_time for feature in rest)
        self.process = TsfreshProcess(rest, timeout) if rest else None

    def __enter__(self) -> Self:
        if self.process is not None:
            self.process.__enter__()
        return self

    def __exit__(self, *reason: Any) -> None:
        if self.process is not None:
            self.process.__exit__(*reason)

    def complaints(self) -> list[str]:
        """Return a sentence a feature that raised so far."""
        return [] if self.process is None else what_raised(self.process.errors, self.process.raised)

    def write(self, job: Job, ends: IntArray, places: IntArray) -> None:
        """Let tsfresh write its features of a job, chunk by chunk."""
        if self.process is None:
            return
        usable = job.usable(ends)
        columns = np.array([job.first + i for i in self.places], dtype=np.int64)
        here, rows = ends[usable], places[usable]
        for start in range(0, len(here), CHUNK_ROWS):
            part = slice(start, start + CHUNK_ROWS)
            times = job.times(here[part]) if self.by_time else None
            values = job.within_limit(self.process.compute(job.windows(here[part]), times))
            job.matrix[np.ix_(rows[part], columns)] = values


def compute_fallback(
    jobs: Sequence[Job], ends: IntArray, places: IntArray, timeout: float
) -> tuple[dict[str, str], dict[str, int], str]:
    """Let tsfresh write the rest; return its complaints, in how many windows, and its version."""
    if not len(ends):
        return {}, {}, ""
    with FallbackPart(jobs[0].features, timeout) as part:
        for job in jobs:
            part.write(job, ends, places)
        process = part.process
        return ({}, {}, "") if process is None else (process.errors, process.raised, process.version)


def run(tasks: Sequence[Callable[[], None]], workers: int) -> None:
    """Run tasks on some threads; the first alone, so that kernels are compiled once."""
    if not tasks:
        return
    tasks[0]()
    if workers == 1:
        for task in tasks[1:]:
            task()
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="onward-rolling") as pool:
        for future in [pool.submit(task) for task in tasks[1:]]:
            future.result()


def chunks(count: int, width: int) -> Iterator[slice]:
    """Yield slices of rows that together hold about `CHUNK_VALUES` numbers each."""
    rows = min(2048, max(16, CHUNK_VALUES // width))
    for start in range(0, count, rows):
        yield slice(start, start + rows)


def available_threads() -> int:
    """Return how many threads Numba would use: the cores that this process may run on."""
    import numba

    settings: Any = numba.config
    return max(1, min(int(settings.NUMBA_NUM_THREADS), os.cpu_count() or 1))
