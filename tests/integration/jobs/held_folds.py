"""Trainings whose folds wait for a sign, so that who fits which does not depend on the machine.

The lead fits nothing before a helper has begun, and but one fold before the helper has begun its
second. A helper hands over its first fold, and stays in the second one as long as there is a file
``hold`` in the home.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from onward.tasks import helping, train
from onward.tasks.spreading import handover_of
from onward.training.trainer import BaseTrainer

PATIENCE = 60.0


def lead(context: Any, services: Any) -> Mapping[str, Any]:
    home = home_of(context)
    if home is not None:
        _before_each_fold(lambda count: _await(home, f"begun-{min(count, 2)}"))
    return train.run(context, services)


def helper(context: Any, services: Any) -> Mapping[str, Any]:
    home = home_of(context)
    assert home is not None

    def hold(count: int) -> None:
        (home / f"begun-{count}").touch()
        if count == 2 and (home / "hold").exists():
            (home / f"held-{os.getpid()}").touch()
            while (home / "hold").exists():
                time.sleep(0.05)

    _before_each_fold(hold)
    return helping.help_out(context, services)


def home_of(context: Any) -> Path | None:
    handover = handover_of(context)
    return None if handover is None else handover.parents[4]


def _await(home: Path, name: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not (home / name).exists() and time.monotonic() < deadline:
        time.sleep(0.05)


def _before_each_fold(wait: Callable[[int], None]) -> None:
    fit = BaseTrainer.fit_fold
    folds = 0

    def fit_fold(self: Any, *arguments: Any) -> Any:
        nonlocal folds
        folds += 1
        wait(folds)
        return fit(self, *arguments)

    BaseTrainer.fit_fold = fit_fold  # type: ignore[method-assign]
