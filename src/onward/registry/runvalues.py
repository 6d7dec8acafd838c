"""What is remembered of a run, and what a comparison of runs shows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from onward.errors import OnwardError, RegistryError

__all__ = [
    "Kind",
    "Run",
    "RunComparison",
    "RunRecord",
    "RunVerdict",
    "Status",
    "bars_overlap",
    "compare_runs",
    "lost",
    "told_failure",
]

Kind: TypeAlias = Literal["train", "tune"]
Status: TypeAlias = Literal["running", "succeeded", "failed", "cancelled"]

FAILURE_PARTS = ("error", "what", "got", "allowed", "remedy")
LONGEST_PART = 2000
"""Characters of one part of a failure that are kept: libraries put whole tables into their messages."""


@dataclass(frozen=True)
class RunVerdict:
    """One verdict.

    Attributes
    ----------
    level
        In words.
    p_value
        The corrected p-value that decided it; None when unknown.
    n_looked_at
        Configurations that it was corrected for: those looked at by then, this one included. None
        for runs of earlier versions, which did not keep it. `RunStore.looked_at` counts on.
    """

    level: str
    p_value: float | None
    n_looked_at: int | None = None


@dataclass(frozen=True)
class RunRecord:
    """What a trainer tells the store about a run.

    Attributes
    ----------
    kind
        ``train`` or ``tune``.
    plan, plan_hash
        The resolved plan and its content hash: one configuration.
    data_hash, label_family
        What the trial counter works on (DESIGN 9).
    data
        Description of the data: symbols, timeframe, first and last bar, rows.
    scores
        Pooled out-of-fold scores; NaN is stored as unknown.
    verdicts
        By name: ``direction``, ``range``.
    looked_at
        Whether the outer scores were shown to anybody.
    status
        ``running``, ``succeeded``, ``failed`` or ``cancelled``.
    duration_seconds
        Wall-clock time of the training.
    job_id, model_ref, report_path
        The job that ran it, the version it was published as, its report; if any.
    audit
        How the leak audit ended: ``passed``, ``failed`` or ``not_run``; None while it is not known.
    error
        Why it failed, as `told_failure` tells it; None when it did not, or nobody kept the reason.
    process
        Host, boot, number and start of the process that trains in the foreground; None for jobs and
        for runs of earlier versions. A `RunStore` that can look shows a run whose process is gone as
        failed.
    """

    kind: Kind
    plan: Mapping[str, Any]
    plan_hash: str
    data_hash: str
    label_family: str
    data: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    verdicts: Mapping[str, RunVerdict] = field(default_factory=dict)
    looked_at: bool = False
    status: Status = "succeeded"
    duration_seconds: float | None = None
    job_id: str | None = None
    model_ref: str | None = None
    report_path: str | None = None
    audit: str | None = None
    error: Mapping[str, str] | None = None
    process: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Run:
    """One row of the table ``runs``: a record with its id, its moment, and when it was looked at."""

    id: str
    created_at: datetime
    record: RunRecord
    looked_at_time: datetime | None


@dataclass(frozen=True)
class RunComparison:
    """Runs side by side.

    Attributes
    ----------
    runs
        In the order asked for.
    plan
        Settings that differ, by dotted name, one value a run (None: not in that plan).
    scores, verdicts
        Every score, and the level of every verdict, by name, one value a run.
    same_data
        Whether all used the same data and label family: if not, scores do not compare.
    """

    runs: tuple[Run, ...]
    plan: Mapping[str, tuple[Any, ...]]
    scores: Mapping[str, tuple[Any, ...]]
    verdicts: Mapping[str, tuple[str | None, ...]]
    same_data: bool


def lost(record: RunRecord) -> RunRecord:
    """Return the record of a running run whose program is gone: it failed, and this is why."""
    program = record.process or {}
    resumed = record.kind == "tune"
    error = RegistryError(
        "The program that ran it is gone",
        got=f"process {program.get('pid')} of {program.get('host')}, which was killed or crashed",
        remedy="Go on with its finished trials: onward tune --resume, with the id of this run."
        if resumed
        else "Train again; as a job (--background) a run survives the loss of its worker.",
    )
    return dataclasses.replace(record, status="failed", error=told_failure(error))


def told_failure(failure: BaseException | Mapping[str, Any]) -> dict[str, str]:
    """Return the parts of a failure that a run keeps, of those that there are.

    Parameters
    ----------
    failure
        An exception, or the parts that a job kept of one.

    Returns
    -------
    dict
        ``error`` (name of the class), ``what``, ``got``, ``allowed``, ``remedy``; no traceback.
    """
    parts: Mapping[str, Any]
    if isinstance(failure, OnwardError):
        parts = failure.to_dict()
    elif isinstance(failure, BaseException):
        parts = {"error": type(failure).__name__, "what": str(failure) or type(failure).__name__}
    else:
        parts = failure
    kept = {name: _printable(str(parts[name])) for name in FAILURE_PARTS if parts.get(name)}
    return {
        name: text if len(text) <= LONGEST_PART else text[:LONGEST_PART] + " …" for name, text in kept.items()
    }


def bars_overlap(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two descriptions of data share a symbol, the timeframe and a stretch of time.

    What a description does not tell overlaps nothing.
    """
    if one.get("timeframe") != other.get("timeframe"):
        return False
    if not set(one.get("symbols") or ()) & set(other.get("symbols") or ()):
        return False
    reach = [one.get("first_open"), one.get("last_open"), other.get("first_open"), other.get("last_open")]
    if not all(isinstance(moment, str) for moment in reach):
        return False
    first, last, begins, ends = (datetime.fromisoformat(str(moment)) for moment in reach)
    return first <= ends and begins <= last


def compare_runs(runs: Sequence[Run]) -> RunComparison:
    """Lay runs side by side."""
    plans = [_flat(run.record.plan) for run in runs]
    scores = [_flat(run.record.scores) for run in runs]
    levels = [{name: v.level for name, v in run.record.verdicts.items()} for run in runs]
    plan = _columns(plans)
    return RunComparison(
        runs=tuple(runs),
        plan={name: values for name, values in plan.items() if any(v != values[0] for v in values)},
        scores=_columns(scores),
        verdicts=_columns(levels),
        same_data=len({(run.record.data_hash, run.record.label_family) for run in runs}) <= 1,
    )


def _columns(tables: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Any, ...]]:
    names = dict.fromkeys(name for table in tables for name in table)
    return {name: tuple(table.get(name) for table in tables) for name in names}


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _printable(text: str) -> str:
    """Return text that every database stores: lone surrogates and zero bytes are written out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")
