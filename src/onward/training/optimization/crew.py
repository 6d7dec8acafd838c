"""Several processes on one search: helpers that draw trials from the same study."""

from __future__ import annotations

import contextlib
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from onward.config.optimization import OptimizationConfig
from onward.protocols import Labeler
from onward.training.optimization.bench import Bench, TrainerFactory
from onward.training.optimization.search import Search
from onward.training.optimization.space import Space
from onward.training.optimization.studies import StudyKeeper
from onward.types import BoolArray, Market, ProgressEvent

__all__ = ["Errand", "help_with", "work_together"]

PATIENCE_SECONDS = 600.0
"""How long a helper may take to finish its last trial."""


@dataclass(frozen=True, eq=False)
class Errand:
    """All that a helper needs to know; goes to a process of our own through its standard input."""

    make_trainer: TrainerFactory
    market: Market
    space: Space
    labeler: Labeler
    config: OptimizationConfig
    allowed: BoolArray
    seed: int
    keeper: StudyKeeper
    name: str
    seconds: float | None


@contextlib.contextmanager
def work_together(
    search: Search,
    make_trainer: TrainerFactory,
    keeper: StudyKeeper,
    name: str,
    seconds: float | None,
) -> Iterator[None]:
    """Let helpers work on a study for as long as the block lasts, and wait for their last trials.

    Parameters
    ----------
    search
        What is searched; ``config.processes`` counts this process too.
    make_trainer
        Must be found by name in another process: a function of a module, or a `functools.partial`
        of one.
    keeper, name
        Where the study is.
    seconds
        Time that is left.
    """
    errand = Errand(
        make_trainer=make_trainer,
        market=search.bench.market,
        space=search.bench.space,
        labeler=search.bench.labeler,
        config=search.config,
        allowed=search.allowed,
        seed=search.seed,
        keeper=keeper,
        name=name,
        seconds=seconds,
    )
    told = pickle.dumps(errand)
    command = [sys.executable, "-m", "onward.training.optimization.crew"]
    helpers = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(search.config.processes - 1)]
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
    bench = Bench(
        errand.space,
        errand.make_trainer,
        errand.market,
        errand.labeler,
        processes=errand.config.processes,
    )
    search = Search("helper", errand.config, bench, errand.allowed, errand.seed)
    deadline = None if errand.seconds is None else time.monotonic() + errand.seconds
    search.run(errand.keeper.open(errand.name, joining=True), _silent, deadline=deadline, joining=True)


def _silent(event: ProgressEvent) -> None:
    """Take no note: the process that leads tells how far the search has come."""


def _main() -> None:
    errand: Any = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by the process that started this one
    with contextlib.suppress(KeyboardInterrupt):
        help_with(errand)


if __name__ == "__main__":
    # Not the classes of __main__: pickle knows them by the name of this module.
    from onward.training.optimization.crew import _main as main

    main()
