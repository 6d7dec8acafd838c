"""Third-party engines in a child process that is always ended, with limits, and nothing left behind."""

from onward.features.isolation.errors import (
    ChildCrashError,
    ChildKilledError,
    ChildMemoryError,
    ChildTimeoutError,
    IsolationError,
)
from onward.features.isolation.limits import Answer, Limits
from onward.features.isolation.process import IsolatedProcess

__all__ = [
    "Answer",
    "ChildCrashError",
    "ChildKilledError",
    "ChildMemoryError",
    "ChildTimeoutError",
    "IsolatedProcess",
    "IsolationError",
    "Limits",
]
