"""What can become of a child process.

::

    StageError
    └── IsolationError          the child gave no answer
        ├── ChildTimeoutError   it ran out of time and was killed by us
        ├── ChildMemoryError    it ran out of memory: killed by us, or refused by the system
        ├── ChildKilledError    somebody else killed it, mostly the system when memory ran out
        └── ChildCrashError     it raised, or fell over in native code
"""

from __future__ import annotations

from onward.errors import StageError

__all__ = [
    "ChildCrashError",
    "ChildKilledError",
    "ChildMemoryError",
    "ChildTimeoutError",
    "IsolationError",
]


class IsolationError(StageError):
    """A child process gave no answer.

    Parameters
    ----------
    what, got, allowed, remedy
        As of every `onward.errors.OnwardError`.
    log
        Last lines that the child wrote, its traceback among them.
    """

    def __init__(
        self,
        what: str,
        *,
        got: object = None,
        allowed: str | None = None,
        remedy: str | None = None,
        log: str = "",
    ) -> None:
        super().__init__(what, got=got, allowed=allowed, remedy=remedy)
        self.log = log


class ChildTimeoutError(IsolationError):
    """The child took longer than it was given and was killed."""


class ChildMemoryError(IsolationError):
    """The child and its descendants held more memory than they were given."""


class ChildKilledError(IsolationError):
    """The child was killed by somebody else: the system when memory ran out, or a person."""


class ChildCrashError(IsolationError):
    """The child raised an exception, fell over in native code, or left without an answer."""
