"""Spreading independent work over threads: for code that lets go of the interpreter lock."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

__all__ = ["for_each_part", "usable_cores"]


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def for_each_part(work: Callable[[int, int], None], n_items: int, n_threads: int, at_least: int = 1) -> None:
    """Call ``work(first, last)`` on contiguous parts of ``range(n_items)``, all of them covered once.

    The parts must not depend on each other, so that the result does not depend on their number.

    Parameters
    ----------
    work
        Called with the bounds of a part; what it raises is passed on.
    n_items
        Items in all.
    n_threads
        Most threads; 0 means as many as there are cores.
    at_least
        Fewest items worth a thread of their own.
    """
    threads = min(n_threads or usable_cores(), max(1, n_items // max(at_least, 1)))
    if threads <= 1:
        if n_items:
            work(0, n_items)
        return
    edges = [n_items * part // threads for part in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(work, a, b) for a, b in pairwise(edges)]:
            future.result()
