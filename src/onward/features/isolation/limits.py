"""What a child process may use, and what it gives back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from onward.errors import ConfigError

__all__ = ["Answer", "Limits"]


@dataclass(frozen=True)
class Limits:
    """What a child process may use.

    Attributes
    ----------
    seconds
        Wall-clock time of one call; also of the start of the child, which takes far less.
    memory_bytes
        Resident memory of the child and all its descendants together; above it they are
        killed. None: no limit. Memory is sampled, so that a child which allocates several
        gigabytes a second passes the limit by what it gets in one sample period.
    threads
        Threads that numerical libraries may start. Keep it constant where results have to be
        reproducible: sums are split among threads.
    address_space_bytes
        Virtual memory (``RLIMIT_AS``): an allocation beyond it fails inside the child at once.
        None: not limited, because libraries reserve far more than they use.
    sample_seconds
        Time between two looks at the memory.
    """

    seconds: float = 600.0
    memory_bytes: int | None = 4_000_000_000
    threads: int = 1
    address_space_bytes: int | None = None
    sample_seconds: float = 0.05

    def __post_init__(self) -> None:
        for name, value, least in (
            ("seconds", self.seconds, 0.0),
            ("memory_bytes", self.memory_bytes, 0.0),
            ("threads", self.threads, 0.0),
            ("address_space_bytes", self.address_space_bytes, 0.0),
            ("sample_seconds", self.sample_seconds, 0.0),
        ):
            if value is not None and not (value > least and math.isfinite(value)):
                raise ConfigError(
                    f"the limit {name} of a child process is out of range",
                    got=value,
                    allowed="a finite number above 0",
                    remedy=f"Set {name} accordingly.",
                )


@dataclass(frozen=True, eq=False)
class Answer:
    """What a call to a child process gave.

    Attributes
    ----------
    arrays
        Arrays by name, in memory.
    results
        Plain JSON values.
    seconds
        Wall-clock time of the call.
    peak_bytes
        Most resident memory seen so far of the child and its descendants.
    """

    arrays: Mapping[str, npt.NDArray[np.generic]] = field(default_factory=dict)
    results: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    peak_bytes: int = 0
