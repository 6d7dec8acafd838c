"""What the pages of reports show: runs in a list, and one run's report with the verdict first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from onward.dashboard.views.report_plots import Calibration, Histogram, calibration, histogram

if TYPE_CHECKING:
    from onward.dashboard.reports import KeptReport
    from onward.registry import Run, RunVerdict

__all__ = ["SECTIONS", "ReportView", "RunLine", "VerdictLine", "cut", "report_view", "run_line"]

SHOWN_FINDINGS = 5
SECTIONS = (
    "verdict",
    "candles",
    "equity",
    "chance",
    "scores",
    "calibration",
    "features",
    "importance",
    "drift",
    "ensemble",
    "search",
    "labels",
    "quality",
    "certificate",
    "settings",
)
OPTIONAL = frozenset({"importance", "drift", "ensemble", "search"})


@dataclass(frozen=True)
class VerdictLine:
    """A verdict at a glance: its level, None where there was none, and the p value that decided it."""

    level: str | None
    p: float | None


@dataclass(frozen=True)
class RunLine:
    """A run in one line.

    Attributes
    ----------
    learner
        What learnt: name of the model or of the ensemble.
    certificate
        Outcome of the leak audit; None when nobody wrote it down.
    model, number
        The version that it was published as, if it was.
    failure
        What went wrong, one sentence, where its row kept it.
    """

    id: str
    created_at: datetime
    status: str
    kind: str
    symbols: tuple[str, ...]
    timeframe: str
    first: str
    last: str
    learner: str
    direction: VerdictLine
    range: VerdictLine
    certificate: str | None
    model: str | None
    number: int | None
    job_id: str | None
    failure: str | None


@dataclass(frozen=True)
class ReportView:
    """A report with what the templates cannot work out.

    Attributes
    ----------
    run
        The run.
    page
        Everything that the report says.
    sections
        Those that it has, in order.
    findings, more_findings
        The first few findings of the audit, and the others; None when there are none.
    chance
        Pictures of the null bands by subject.
    calibration
        Its picture; None when no bin holds enough rows.
    equity
        Data of the equity chart.
    can_log
        Whether the equity chart has a log scale: every value of every curve is above zero.
    symbols
        Those whose candles are kept.
    """

    run: RunLine
    page: Mapping[str, Any]
    sections: tuple[str, ...]
    findings: Mapping[str, Any] | None
    more_findings: Mapping[str, Any] | None
    chance: Mapping[str, Histogram | None]
    calibration: Calibration | None
    equity: Mapping[str, Any]
    can_log: bool
    symbols: tuple[str, ...]


def run_line(run: Run, certificate: str | None = None) -> RunLine:
    """Return a run in one line.

    Parameters
    ----------
    run
        From the table of runs.
    certificate
        Status of its leak certificate, which its row does not know.
    """
    record = run.record
    data = record.data
    name, number = _published(record.model_ref)
    return RunLine(
        id=run.id,
        created_at=run.created_at,
        status=record.status,
        kind=record.kind,
        symbols=tuple(map(str, data.get("symbols") or ())),
        timeframe=str(data.get("timeframe") or ""),
        first=str(data.get("first_open") or "")[:10],
        last=str(data.get("last_open") or "")[:10],
        learner=_learner(record.plan),
        direction=_verdict(record.verdicts.get("direction")),
        range=_verdict(record.verdicts.get("range")),
        certificate=certificate,
        model=name,
        number=number,
        job_id=record.job_id,
        failure=(record.error or {}).get("what"),
    )


def report_view(run: RunLine, kept: KeptReport) -> ReportView:
    """Return what the page of a report shows."""
    page, charts = kept.page, kept.charts
    shown, more = cut(page["certificate"]["findings"], SHOWN_FINDINGS)
    return ReportView(
        run=run,
        page=page,
        sections=tuple(name for name in SECTIONS if name not in OPTIONAL or page[name]),
        findings=shown,
        more_findings=more,
        chance={key: histogram(chart) for key, chart in charts["chance"].items()},
        calibration=calibration(charts["calibration"]),
        equity=charts["equity"],
        can_log=all(
            value is None or value > 0 for curve in charts["equity"]["curves"] for value in curve["equity"]
        ),
        symbols=tuple(one["symbol"] for one in charts["candles"]),
    )


def cut(
    table: Mapping[str, Any] | None, n_rows: int
) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """Return the first rows of a table and, when there are more, the others."""
    if table is None or len(table["rows"]) <= n_rows:
        return table, None
    rows: Sequence[Any] = table["rows"]
    return {**table, "rows": rows[:n_rows]}, {**table, "rows": rows[n_rows:]}


def _verdict(found: RunVerdict | None) -> VerdictLine:
    return VerdictLine(None, None) if found is None else VerdictLine(found.level, found.p_value)


def _learner(plan: Mapping[str, Any]) -> str:
    ensemble, model = plan.get("ensemble"), plan.get("model")
    method = ensemble.get("method") if isinstance(ensemble, Mapping) else None
    if method and method != "none":
        return str(method)
    return str(model.get("name") or "") if isinstance(model, Mapping) else ""


def _published(reference: str | None) -> tuple[str | None, int | None]:
    """Return name and number of ``models:/NAME/NUMBER``."""
    if not reference:
        return None, None
    name, _, number = reference.removeprefix("models:/").rpartition("/")
    return (name, int(number)) if name and number.isdecimal() else (None, None)
