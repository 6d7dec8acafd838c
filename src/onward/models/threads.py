"""How many threads a piece of work is worth, and how to keep a library to them."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from typing import Any

from onward.models.libraries import import_library

__all__ = ["CELLS_A_THREAD", "limited", "threads_for"]

CELLS_A_THREAD = 500_000
"""Cells (rows x columns) that are worth a thread. A boosting round of a smaller matrix takes less
time than its threads need to meet: beside a busy neighbour two threads on 16,000 x 24 cells were
measured ten times slower than one, and on an idle machine they save a tenth of a second."""


def threads_for(n_cells: int, n_threads: int) -> int:
    """Return the number of threads to use.

    Parameters
    ----------
    n_cells
        Rows x columns of the matrix.
    n_threads
        Most threads allowed; 0 means as many as there are cores.
    """
    return min(1 + n_cells // CELLS_A_THREAD, n_threads or os.cpu_count() or 1)


def limited(kind: str, n_threads: int) -> AbstractContextManager[Any]:
    """Return a context in which the thread pools of a kind (``openmp``, ``blas``) have this size.

    For libraries that take no number of threads as an argument.
    """
    context: AbstractContextManager[Any] = import_library("threadpoolctl").threadpool_limits(
        n_threads, user_api=kind
    )
    return context
