"""Several processes on one search: helpers that draw trials from the same study."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from onward.training.optimization.bench import TrainerFactory
from onward.training.optimization.errand import Errand
from onward.training.optimization.search import Search
from onward.training.optimization.studies import StudyKeeper
from onward.types import ProgressEvent

__all__ = ["Together", "help_with", "work_together"]

Together = Callable[
    [Search, TrainerFactory, StudyKeeper, str, float | None], contextlib.AbstractContextManager[None]
]
"""Lets others work on a study for as long as a block lasts, and waits for their last trials."""

PATIENCE_SECONDS = 600.0
"""How long a helper may take to finish its last trial."""


@contextlib.contextmanager
def work_together(
    search: Search,
    make_trainer: TrainerFactory,
    keeper: StudyKeeper,
    name: str,
    seconds: float | None,
) -> Iterator[None]:
    """Let helpers work on a study for as long as the block lasts, and wait for their last trials.

    Helpers are processes of their own, not forks: libraries with threads survive no fork, and
    started by `multiprocessing` they would run the caller's script anew.

    Parameters
    ----------
    search
        What is searched, by the labels of its plan; ``config.processes`` counts this process too.
    make_trainer
        Must be found by name in another process: a function of a module, or a `functools.partial`
        of one that says ``cache`` alone.
    keeper, name
        Where the study is.
    seconds
        Time that is left.

    Raises
    ------
    UserError
        When ``make_trainer`` cannot be found by name.
    """
    with tempfile.TemporaryDirectory(prefix="crew-", dir=keeper.directory) as scratch:
        told = Errand.write(Path(scratch), search, make_trainer, keeper, name, seconds).to_json().encode()
        command = [sys.executable, "-m", "onward.training.optimization.crew"]
        helpers = [
            subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(search.config.processes - 1)
        ]
        try:
            for helper in helpers:
                assert helper.stdin is not None
                with contextlib.suppress(BrokenPipeError), helper.stdin:
                    helper.stdin.write(told)
            yield
            for helper in helpers:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    helper.wait(PATIENCE_SECONDS)
        finally:
            for helper in helpers:
                if helper.poll() is None:
                    helper.kill()
                    helper.wait()


def help_with(errand: Errand) -> None:
    """Draw trials from a study until it has enough."""
    deadline = None if errand.seconds is None else time.monotonic() + errand.seconds
    study = errand.study_keeper().open(errand.name, joining=True)
    errand.search().run(study, _silent, deadline=deadline, joining=True)


def _silent(event: ProgressEvent) -> None:
    """Take no note: the process that leads tells how far the search has come."""


def _main() -> None:
    with contextlib.suppress(KeyboardInterrupt):
        help_with(Errand.from_json(sys.stdin.read()))


if __name__ == "__main__":
    _main()
