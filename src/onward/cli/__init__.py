"""The command line: a face of the services, with no logic of its own."""

from __future__ import annotations

import gc

__all__ = ["main"]

# The interpreter's own threshold, 700 objects, was made for small programs: while libraries are
# imported the collector runs hundreds of times and finds nothing, half a second of a training.
ALLOCATIONS_BEFORE_COLLECTION = 20_000


def main() -> None:
    """Run the ``onward`` command of this process and exit with its code."""
    gc.set_threshold(ALLOCATIONS_BEFORE_COLLECTION, 20, 100)
    try:
        from onward.cli.app import app
        from onward.cli.interrupt import stop_within

        with stop_within(seconds=0.8):
            app(prog_name="onward")
    except KeyboardInterrupt:  # so early that nobody was listening yet: 130, as `stop_within` gives
        raise SystemExit(130) from None
    finally:
        gc.freeze()  # else the interpreter looks for garbage among all it is about to drop: 0.7 s of CPU
