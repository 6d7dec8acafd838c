"""What each family of rolling tsfresh calculators costs a window: the constants of `costs.py`.

``python -m benchmarks._tsfresh_costs`` prints the table that stands there, and then holds estimates
against what sets take.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from onward.features.tsfresh import resolve_parameters, rolling_features
from onward.features.tsfresh.costs import COSTS, LENGTHS, microseconds
from onward.kernels.tsfresh import Chunk, Request, family_of
from onward.kernels.tsfresh.family import Family

ROWS = 300
ROUNDS = 7
HOUR = 3_600_000_000_000


def main() -> None:
    by_family: dict[type[Family], list[Request]] = {}
    for feature in resolve_parameters("comprehensive"):
        family = family_of(feature.calculator, feature.parameters)
        assert family is not None
        mine = by_family.setdefault(family, [])
        mine.append(Request(feature.calculator, feature.parameters, len(mine)))
    print(f"WINDOWS = {tuple(round(windows_cost(length), 2) for length in LENGTHS)}")
    for family, requests in by_family.items():
        shared, each = [], []
        for length in LENGTHS:
            one = family_cost(family, requests[:1], length)
            every = family_cost(family, requests, length) if len(requests) > 1 else one
            share = max(every - one, 0.0) / max(len(requests) - 1, 1)
            each.append(round(share, 3))
            shared.append(round(max(one - share, 0.0), 2))
        print(f'        "{family.__name__}": ({tuple(shared)}, {tuple(each)}),')
    for name in ("minimal", "financial", "efficient") if COSTS else ():
        for length in (12, 24, 48, 96, 200):
            estimate = sum(value or 0.0 for value in microseconds(resolve_parameters(name), length))
            print(f"{name} {length}: estimated {estimate:.1f} us, measured {set_cost(name, length):.1f} us")


def family_cost(family: type[Family], requests: Sequence[Request], length: int) -> float:
    """Return microseconds of a family a window, what other families use as well apart."""
    bound, ready = family(requests, length), sample(length)
    out = np.empty((len(ready.windows), len(requests)))

    def write() -> None:
        chunk = Chunk(ready.windows, ready.hours)
        chunk.__dict__.update(scale=ready.scale, sorted=ready.sorted)
        bound.write(chunk, out)

    return thread_microseconds(write) / len(ready.windows)


def windows_cost(length: int) -> float:
    """Return microseconds of gathering, scaling and sorting a window."""
    values = np.random.default_rng(0).normal(size=ROWS + length - 1)

    def gather() -> None:
        chunk = Chunk(np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(values, length)))
        _ = chunk.scale, chunk.sorted

    return thread_microseconds(gather) / ROWS


def set_cost(name: str, length: int) -> float:
    """Return microseconds a window of a whole set through `rolling_features`, on one thread."""
    values = np.random.default_rng(0).normal(size=3_000 + length - 1)
    times = (np.arange(len(values), dtype=np.int64) * HOUR).astype("datetime64[ns]")

    def compute() -> None:
        rolling_features(values, window=length, parameters=name, times=times, threads=1)

    return thread_microseconds(compute) / 3_000


def sample(length: int) -> Chunk:
    windows = np.random.default_rng(0).normal(size=(ROWS, length))
    return Chunk(windows, np.tile(np.arange(length, dtype=np.float64), (ROWS, 1)))


def thread_microseconds(work: Callable[[], None]) -> float:
    """Return the least CPU time of some rounds, the first (compilation) left out."""
    work()
    best = np.inf
    for _ in range(ROUNDS):
        before = time.thread_time()
        work()
        best = min(best, time.thread_time() - before)
    return best * 1e6


if __name__ == "__main__":
    main()
