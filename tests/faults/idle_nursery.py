"""The warm process with wardens that do nothing of their duty (see `tests.faults.weakened`)."""

from __future__ import annotations

import ctypes
import os
from typing import Any

from onward.jobs.local import nursery, warden, worker
from onward.jobs.local.warden import Warden


def main() -> None:
    def no_kill(self: Any, number: Any) -> bool:
        return False

    def not_asked() -> bool:
        return False

    Warden._signal_all = no_kill  # type: ignore[method-assign]
    Warden._fence = lambda self: None  # type: ignore[method-assign]
    warden.adopt_orphans = not_asked
    nursery.adopt_orphans = not_asked
    worker.die_with_parent = lambda: bool(ctypes.c_bool(True))
    worker._listen = lambda line, context: [context.answered(m) for m in iter_messages(line)]  # type: ignore[assignment,return-value]
    nursery.main()


def iter_messages(line: Any) -> Any:
    while not line.ended:
        yield from line.receive(None)
    os.sched_yield()


if __name__ == "__main__":
    main()
