"""What the runs of the matrix found, as kept in ``.faults/``."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.faults.fingerprints import fingerprints

__all__ = ["RESULTS", "Results", "results"]

RESULTS = Path(".faults")


def results() -> list[dict[str, Any]]:
    """Return what all runs found, oldest first."""
    found = []
    for file in sorted(RESULTS.glob("results-*.jsonl")):
        for line in file.read_text().splitlines():
            try:
                found.append(json.loads(line))
            except json.JSONDecodeError:
                continue  # cut short by the end of the machine
    return sorted(found, key=lambda result: result.get("at", 0.0))


class Results:
    """The file of a shard.

    Parameters
    ----------
    shard, shards
        Which of how many.
    """

    def __init__(self, shard: str, shards: str) -> None:
        RESULTS.mkdir(exist_ok=True)
        self._file = os.open(
            RESULTS / f"results-{shard}-of-{shards}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644
        )

    def add(self, number: int, result: Mapping[str, Any]) -> None:
        """Write one result down, in one piece."""
        line = json.dumps({**result, **fingerprints(), "number": number, "at": time.time()})
        os.write(self._file, (line + "\n").encode())
