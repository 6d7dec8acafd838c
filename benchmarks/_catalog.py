"""Every benchmark by name, in the order in which the table shows them."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping

from benchmarks._table import Row

__all__ = ["CATALOG", "ON_REQUEST", "load"]

CATALOG: Mapping[str, str] = {
    "startup": "onward --help, import onward",
    "demo": "onward demo right after installation, and once more",
    "first_use": "every kernel compiled anew: features, labels, selection, training",
    "manual": "all manual features on 70,006 hourly bars, and how their cost grows",
    "alpha158": "the 158 published formulas, beside Qlib in the same run",
    "default_preset": "the causal stages of the default plan: time and memory",
    "minutes": "features, labels and folds of 776,160 one-minute bars: time and memory",
    "harness": "training through SingleModelTrainer against the same fits called directly",
    "walk_forward": "53 retrains of 63 features over their bare fits: loop, command, memory (long)",
    "backtest": "a million bars through the backtest, and the search for overfitting",
    "job_store": "jobs in SQLite and PostgreSQL: submits, claims, reads, heartbeats",
    "serving": "a real server: start, memory, predictions, job status, 500 followers (long)",
    "first_views": "first view of every page of a fresh server: 200 models, 5,000 jobs (long)",
    "ray_cluster": "jobs on a Ray cluster of two nodes, beside local processes: start, stop, loss (long)",
    "families": "each family of manual features by itself",
    "null_band": "whether the null band is as wide as noise, and what is found (long)",
    "null_band_short": "how often short walks pass for skill, and whether long signals do (long)",
    "memory": "pipelines again and again, rolling features beside tsfresh's own way, the default plan (long)",
    "tsfresh_rolling": "rolling tsfresh features, beside tsfresh in the same run (long)",
    "featuretools": "its definitions by running aggregates, beside cutoff times in the same run (long)",
    "tuning": "trials a minute, beside Optuna and cross_val_score in the same run (long)",
    "autofeat": "autofeat on a fold of real bars: seconds, memory, prediction (long)",
    "selection_power": "what a selector is worth to the verdict: signals found, noise believed (long)",
    "survivors": "which stage's features survive selection on real bars, with its picture (long)",
    "results": "what is found on real data: twelve runs and their page, docs/results.md (long)",
    "selector": "the full selector on 2,000 columns: seconds, memory, power and false finds (long)",
}
"""Name of the module, and what it measures."""

ON_REQUEST = frozenset(
    {
        "autofeat",
        "featuretools",
        "first_views",
        "memory",
        "null_band",
        "null_band_short",
        "ray_cluster",
        "results",
        "selection_power",
        "selector",
        "serving",
        "survivors",
        "tsfresh_rolling",
        "tuning",
        "walk_forward",
    }
)
"""Benchmarks that take minutes: they run when they are named."""


def load(name: str) -> Callable[[bool], list[Row]]:
    """Return the function that runs a benchmark; its argument asks for fewer repetitions.

    A module whose ``run`` takes no argument measures the same either way.
    """
    run = importlib.import_module(f"benchmarks.{name}").run
    return run if inspect.signature(run).parameters else lambda _: run()
