"""What jobs of the fault tests run: the tasks of the contract, and one that talks for a while."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from onward.jobs.kinds import TaskContext
from onward.testing import job_backends
from onward.types import ProgressEvent

__all__ = ["ENTRIES", "talk"]

ENTRIES: Mapping[str, str] = {**job_backends.ENTRIES, "talk": "tests.faults.tasks:talk"}


def talk(context: TaskContext, services: object) -> Mapping[str, Any]:
    """Tell of ``lines`` steps, spread over ``seconds``."""
    lines = int(context.spec["lines"])
    for number in range(lines):
        context.progress(ProgressEvent("talk", number + 1, lines, "", {"n": float(number)}))
        time.sleep(float(context.spec["seconds"]) / lines)
    return {}
