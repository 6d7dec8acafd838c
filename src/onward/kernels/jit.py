"""The one way in which kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

__all__ = ["kernel", "parallel_kernel"]

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile a function on first call and keep the machine code on disk.

    The undecorated function stays reachable as ``function.py_func``. IEEE semantics are kept
    (no ``fastmath``): NaN carries meaning here.
    """
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def parallel_kernel(function: F) -> F:
    """Compile like `kernel`, with ``numba.prange`` loops spread over threads."""
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy", parallel=True)(function))
