"""Every kind of job, and what workers have imported before the first one is born."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from onward.jobs.kinds import JobKind
from onward.tasks.likeness import likeness

if TYPE_CHECKING:
    from pathlib import Path

    from onward.tasks.services import SupervisorServices

__all__ = ["CATALOG", "HELPERS", "PRELOAD", "job_kinds"]

CATALOG: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "train": (
            "onward.tasks.train",
            "Train on a market what a plan asks for, judge it, audit it, publish it.",
        ),
        "tune": (
            "onward.tasks.tune",
            "Search parameters, nested, train with the best, and judge the whole procedure.",
        ),
        "features": ("onward.tasks.features", "Compute the features of every bar into a file."),
        "import": ("onward.tasks.importing", "Import files of market data into the store."),
        "predict": ("onward.tasks.predict", "Predict many bars with a published model into a file."),
        "audit": ("onward.tasks.audit", "Look for ways to see the future, and certify that there are none."),
    }
)
"""Kind -> a module with functions ``run`` and ``kind(services)``, and what it does in a sentence.

Modules are imported when a job of theirs is first submitted, answered or published: a server that
waits holds no training library."""

SHORT = frozenset({"import", "predict"})
"""Kinds whose jobs are soon over."""

HELPERS: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(("train", "tune"), "onward.tasks.helping:help_out")
)
"""Kinds whose work several processes can share -> what those run that help."""

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
    *(module for module, _ in CATALOG.values()),
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


def job_kinds(services: Callable[[], SupervisorServices], data: Path | None = None) -> tuple[JobKind, ...]:
    """Return every kind, its supervisor's side at work with these services once it is needed.

    ``data``: directory of stored market data, where an import of a server that died is found.
    """

    def pending() -> bool:
        return data is not None and any((data / ".imports").glob("*"))

    return tuple(
        _deferred(name, module, summary, services, pending if name == "import" else _nothing)
        for name, (module, summary) in CATALOG.items()
    )


def _nothing() -> bool:
    return False


def _deferred(
    name: str,
    module: str,
    summary: str,
    services: Callable[[], SupervisorServices],
    left_behind: Callable[[], bool],
) -> JobKind:
    @cache
    def real() -> JobKind:
        kind: JobKind = importlib.import_module(module).kind(services())
        return kind

    return JobKind(
        name,
        f"{module}:run",
        summary,
        prepare=lambda spec: real().prepare(spec),
        answer=lambda job, question, arguments: real().answer(job, question, arguments),
        publish=lambda job, result, directory: real().publish(job, result, directory),
        ended=lambda job: real().ended(job),
        mend=lambda look: real().mend(look) if left_behind() else None,
        short=name in SHORT,
        likeness=likeness,
    )
