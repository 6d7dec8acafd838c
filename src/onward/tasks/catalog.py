"""Every kind of job, and what workers have imported before the first one is born."""

from __future__ import annotations

from onward.jobs.kinds import JobKind
from onward.tasks import audit, features, importing, predict, train, tune
from onward.tasks.services import SupervisorServices

__all__ = ["CATALOG", "PRELOAD", "job_kinds"]

CATALOG = (train, tune, features, importing, predict, audit)
"""Modules with a function ``kind(services)``."""

PRELOAD = (
    "numpy",
    "pandas",
    "pyarrow.parquet",
    "scipy.stats",
    "sklearn.linear_model",
    "sklearn.ensemble",
    "lightgbm",
    "optuna",
    "onward.wiring",
    "onward.tasks.catalog",
    "onward.training.assembly",
    "onward.training.auditing",
    "onward.training.conduct",
    "onward.training.service",
    "onward.data.importers",
    "onward.evaluation.report",
    "onward.prediction.service",
    "onward.audit",
)
"""Imported once in the process that workers are forked from. Imports only: a process in which an
OpenMP region ran, or in which a pool of threads lives, cannot be forked."""


def job_kinds(services: SupervisorServices) -> tuple[JobKind, ...]:
    """Return every kind, its supervisor's side at work with these services."""
    return tuple(module.kind(services) for module in CATALOG)
