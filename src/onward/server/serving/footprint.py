"""Keeping a process small that does nothing but serve."""

from __future__ import annotations

import ctypes
import os
import sys

__all__ = ["few_arenas", "give_back", "small_libraries"]

M_ARENA_MAX = -8
ARENAS = 2
POOL = "ARROW_DEFAULT_MEMORY_POOL"


def small_libraries() -> None:
    """Make the libraries of models smaller in this process, for good. Imports them: for threads.

    Arrow allocates where all else does: its own allocator is quicker for large tables, and takes
    6 MB before the first. LightGBM comes without scikit-learn (`onward.models.lean_import`).
    """
    if "pyarrow" not in sys.modules:
        # Arrow looks here when it is loaded; later its allocator can be changed, but it is there.
        given = os.environ.get(POOL)
        os.environ[POOL] = "system"
        try:
            import pyarrow as pa

            pa.default_memory_pool()
        finally:
            if given is None:
                del os.environ[POOL]  # not for the processes of jobs
            else:
                os.environ[POOL] = given
    from onward.models.lean_import import spares_scikit_learn

    spares_scikit_learn()


def few_arenas() -> None:
    """Let all threads allocate from two arenas: each more of them keeps what its thread has freed."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(M_ARENA_MAX, ARENAS)


def give_back() -> None:
    """Give memory that was freed back to the system, after something large."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)
