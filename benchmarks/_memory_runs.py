"""Feature pipelines run again and again in one process: ``python -m benchmarks._memory_runs 30``.

Each run reads bars of a symbol of its own from Parquet, makes the pipeline of a plan, computes,
fits on training rows, transforms and throws everything away. One line of JSON a run says what the
process holds then. Tests and benchmarks run this in a fresh process, so that nothing else counts.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

__all__ = ["EARLY_AND_LATE", "Held", "Rise", "rise"]

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
EARLY_AND_LATE = {6: (slice(2, 4), slice(4, 6)), 30: (slice(2, 7), slice(25, 30))}
"""Runs that are compared, by the number of all: the first two fill pools and compile."""

SHARE_ALLOWED, MEGABYTES_ALLOWED = 0.03, 20.0

SMALL = {
    "features.autofeat.max_rows": 300,
    "features.autofeat.max_inputs": 3,
    "features.autofeat.max_candidates": 40,
    "features.autofeat.featsel_runs": 1,
    "features.autofeat.min_z": None,
    "labels.horizon_bars": 6,
    "labels.window_bars": 24,
    "selection.n_shifts": 20,
    "selection.n_null": 5,
    "training.n_threads": 1,
}


@dataclass(frozen=True)
class Held:
    """What a process holds after a run.

    Attributes
    ----------
    resident_mb
        Resident memory, in 10^6 bytes.
    blocks
        Blocks that Python's own allocator has handed out.
    descriptors, threads
        Open files and running threads.
    processes
        Living processes that were started from here, grandchildren included.
    files
        What lies in the directory of temporary files.
    """

    resident_mb: float
    blocks: int
    descriptors: int
    threads: int
    processes: int
    files: int

    @classmethod
    def now(cls, directory: Path) -> Held:
        """Look at this process, whose children work below a directory of temporary files."""
        return cls(
            resident_mb=int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES / 1e6,
            blocks=sys.getallocatedblocks(),
            descriptors=len(list(Path("/proc/self/fd").iterdir())) - 1,  # without the one that lists
            threads=threading.active_count(),
            processes=sum(_works_below(directory, entry) for entry in Path("/proc").iterdir()),
            files=len(list(directory.iterdir())),
        )


@dataclass(frozen=True)
class Rise:
    """How much more a process holds late than early, in 10^6 bytes."""

    early_mb: float
    late_mb: float

    @property
    def megabytes(self) -> float:
        """The difference."""
        return self.late_mb - self.early_mb

    @property
    def allowed(self) -> float:
        """What it may be: 3 % or 20 MB, the larger of the two."""
        return max(SHARE_ALLOWED * self.early_mb, MEGABYTES_ALLOWED)


def rise(resident_mb: Sequence[float]) -> Rise:
    """Compare the median of late runs with that of early ones."""
    early, late = EARLY_AND_LATE[len(resident_mb)]
    return Rise(statistics.median(resident_mb[early]), statistics.median(resident_mb[late]))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run pipelines and say after each what is held."""
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", type=int)
    parser.add_argument("--stages", default="manual,tsfresh,featuretools")
    parser.add_argument(
        "--autofeat", type=int, nargs="*", default=[], help="runs that autofeat joins; 0: all"
    )
    parser.add_argument("--bars", type=int, default=1_200)
    parser.add_argument("--symbols", type=int, default=0, help="so many different symbols; 0: one a run")
    parser.add_argument("--without-collector", action="store_true", help="what lies in cycles then stays")
    parser.add_argument("--leak-mb", type=int, default=0, help="keep so much of every run, on purpose")
    asked = parser.parse_args(arguments)
    if asked.without_collector:
        gc.disable()
    kept = []
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as scratch:
        tempfile.tempdir = scratch  # children work below it: whoever is left there is left over
        for number in range(1, asked.runs + 1):
            stages = asked.stages.split(",")
            if number in asked.autofeat or 0 in asked.autofeat:
                stages.append("autofeat")
            symbol = f"S{number % asked.symbols if asked.symbols else number}/USD"
            done = _run(Path(home), symbol, stages, asked.bars, seed=number)
            kept.append(b"x" * (asked.leak_mb * 1_000_000))
            print(json.dumps({**asdict(Held.now(Path(scratch))), **done}), flush=True)
        tempfile.tempdir = None


def _run(home: Path, symbol: str, stages: Sequence[str], bars: int, *, seed: int) -> dict[str, Any]:
    """Run a pipeline from the file to the model's matrix; say what it did, engines included."""
    import numpy as np

    import onward
    from onward.features.cache import FeatureCache
    from onward.testing.markets import random_walk
    from onward.training.assembly import make_labeler, make_pipeline

    file = home / "bars.parquet"
    made = random_walk(bars, seed=seed).bars.droplevel(0).rename_axis("timestamp").reset_index()
    made.to_parquet(file)
    market = onward.read_market(file, timeframe="1h", symbol=symbol)
    plan = onward.TrainingPlan().with_overrides({**SMALL, "features.stages": list(stages)})
    # Room for three runs or so: older matrices must go, mapped or not.
    pipeline = make_pipeline(plan, market, cache=FeatureCache(home / "cache", max_bytes=12_000_000))
    table = pipeline.compute(market)
    labels = make_labeler(plan).label(market)
    rows = np.arange(len(labels) * 3 // 4)
    training = table.iloc[table.index.get_indexer(labels.spans.index[rows])]
    fitted = pipeline.fit(training, labels.y[rows], spans=labels.spans.take(rows), seed=seed)
    fitted.transform(table)
    checks = [getattr(stage, "last_check", None) for stage in pipeline.causal]
    reports = [getattr(stage, "report", None) for stage in fitted.stages if stage.name == "autofeat"]
    return {
        "columns": table.shape[1],
        "featuretools": [check.status for check in checks if check is not None],
        "autofeat": [report.status for report in reports if report is not None],
    }


def _works_below(directory: Path, process: Path) -> bool:
    try:
        return process.name.isdigit() and (process / "cwd").readlink().is_relative_to(directory)
    except OSError:  # ended meanwhile, or somebody else's
        return False


if __name__ == "__main__":
    main()
