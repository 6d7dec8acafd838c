"""The environment variables that a child process is given."""

from __future__ import annotations

import os
from collections.abc import Mapping

__all__ = ["clean_environment"]

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


def clean_environment(threads: int, hash_seed: int, more: Mapping[str, str]) -> dict[str, str]:
    """Return a child's environment: little of ours, capped threads, a fixed hash seed, and ``more``."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {
        **inherited,
        **dict.fromkeys(THREAD_CAPS, str(threads)),
        "PYTHONHASHSEED": str(hash_seed),
        "PYTHONUNBUFFERED": "1",
        **more,
    }
