"""The command line: a face of the services, with no logic of its own."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the ``onward`` command of this process and exit with its code."""
    try:
        from onward.cli.app import app
        from onward.cli.interrupt import stop_within

        with stop_within(seconds=0.8):
            app(prog_name="onward")
    except KeyboardInterrupt:  # so early that nobody was listening yet: 130, as `stop_within` gives
        raise SystemExit(130) from None
