"""Where a run comes from: data quality, leak certificate, settings, identities, time spent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onward.data.quality import QualityReport
from onward.evaluation.report import words
from onward.evaluation.report.content import ReportContent
from onward.evaluation.report.tables import Cell, Column, Row, Table, Tone, table
from onward.types import Certificate

__all__ = [
    "CertificateView",
    "QualityView",
    "certificate_view",
    "identities",
    "libraries",
    "quality_view",
    "settings",
    "time_spent",
]


@dataclass(frozen=True)
class QualityView:
    """What the check of the data found."""

    passed: bool
    symbols: Table
    series: Table | None
    problems: Table | None


@dataclass(frozen=True)
class CertificateView:
    """Outcome of the leak audit.

    Attributes
    ----------
    status, symbol, tone
        ``passed``, ``failed`` or ``not run``; as a symbol; tone of its colour.
    sentence
        The outcome in words.
    checks
        Names of the checks that ran.
    findings
        What was found; None when nothing was.
    """

    status: str
    symbol: str
    tone: Tone
    sentence: str
    checks: tuple[str, ...]
    findings: Table | None


STATUS: Mapping[str, tuple[str, Tone, str]] = {
    "passed": ("✓", "good", "No check found a look into the future."),
    "failed": ("✕", "bad", "At least one check found a look into the future: the scores are worthless."),
    "not_run": ("!", "fair", "No check was run, so nothing vouches for the scores."),
}
SEVERITY: Mapping[str, tuple[str, Tone]] = {
    "error": ("✕ error", "bad"),
    "leak": ("✕ leak", "bad"),
    "warning": ("! warning", "fair"),
    "note": ("· note", "quiet"),
}


def quality_view(quality: QualityReport) -> QualityView:
    """Return the data-quality section of a report."""
    return QualityView(quality.passed, _symbols(quality), _series(quality), _problems(quality))


def certificate_view(certificate: Certificate) -> CertificateView:
    """Return the leak-certificate section of a report."""
    symbol, tone, sentence = STATUS[certificate.status]
    if certificate.rows_probed is not None:
        sentence += (
            f" On {words.percent(certificate.rows_probed)} of the rows a look one bar ahead would show."
        )
    rows: list[Row] = [
        [
            Cell(*SEVERITY[finding.severity]),
            words.spoken(finding.check),
            finding.subject,
            finding.row,
            finding.detail,
        ]
        for finding in certificate.findings
    ]
    headings: list[str | Column] = [
        Column("Severity", "short"),
        *(Column(name, "text") for name in ("Check", "Subject", "Row", "What")),
    ]
    return CertificateView(
        status=words.spoken(certificate.status),
        symbol=symbol,
        tone=tone,
        sentence=sentence,
        checks=tuple(words.spoken(check) for check in certificate.checks),
        findings=table("Findings of the audit", headings, rows) if rows else None,
    )


def settings(plan: Mapping[str, Any]) -> tuple[Table, ...]:
    """Return one table a section of the plan, every setting by its dotted name."""
    sections: dict[str, list[list[str]]] = {}
    for name, value in plan.items():
        section = name if isinstance(value, Mapping) else "plan"
        sections.setdefault(section, []).extend(
            [dotted, _written(leaf)] for dotted, leaf in _leaves(name, value)
        )
    return tuple(
        table(f"[{section}]", ("Setting", Column("Value", "text")), rows)
        for section, rows in sections.items()
    )


def identities(content: ReportContent) -> Table:
    """Return what identifies the run, the data and the code."""
    rows = [
        ["Run", content.run_id or "not recorded"],
        ["Plan hash", content.plan_hash],
        ["Data hash", content.data_hash],
        ["Report made at (UTC)", words.moment(content.created_at)],
        ["Onward", content.version],
    ]
    return table("What identifies this run", ("What", Column("Value", "text")), rows)


def libraries(versions: Mapping[str, str]) -> Table | None:
    """Return the versions of what computed something; None when they were not written down."""
    rows = [[name, version] for name, version in versions.items()]
    return table("Versions of libraries", ("Library", Column("Version", "text")), rows) if rows else None


def time_spent(seconds: Mapping[str, float]) -> Table | None:
    """Return the wall-clock time of each part; None when it was not measured."""
    if not seconds:
        return None
    total = sum(seconds.values())
    rows: list[Row] = [
        [words.spoken(name), Cell(words.duration(spent), bar=round(spent / total, 4) if total > 0 else None)]
        for name, spent in seconds.items()
    ]
    rows.append(["all", Cell(words.duration(total), "strong")])
    return table("Time spent", ("Part", "Wall-clock time"), rows, narrow=True)


def _symbols(quality: QualityReport) -> Table:
    rows = [
        [
            one.symbol,
            words.count(one.rows),
            words.moment(one.first),
            words.moment(one.last),
            words.count(one.gaps),
            words.count(one.missing),
            words.span_of_time(one.longest_gap),
            words.count(one.duplicates),
            words.count(one.zero_volume),
            words.count(one.ohlc_violations),
            words.count(one.nan),
            words.count(one.outliers),
        ]
        for one in quality.symbols
    ]
    names = ("Symbol", "Bars", "First (UTC)", "Last (UTC)", "Gaps", "Missing bars", "Longest gap")
    more = ("Duplicates", "Without volume", "High/low faults", "NaN cells", "Outliers")
    return _upright(table("Bars", (*names, *more), rows))


def _series(quality: QualityReport) -> Table | None:
    rows = [
        [
            words.spoken(one.name),
            words.count(one.rows),
            words.moment(one.first),
            words.moment(one.last),
            words.percent(one.covered),
            words.percent(one.stale),
            words.count(one.gaps),
            words.count(one.nan),
            words.count(one.out_of_range),
        ]
        for one in quality.series
    ]
    columns = ("Series", "Prints", "First (UTC)", "Last (UTC)", "Bars covered", "Bars with an old value")
    if not rows:
        return None
    return _upright(table("Side series", (*columns, "Gaps", "NaN cells", "Impossible values"), rows))


def _upright(wide: Table) -> Table:
    """Turn a table of many columns and up to three rows on its side, so that a phone can show it."""
    if len(wide.rows) > 3:
        return wide
    names = [row[0].text for row in wide.rows]
    rows: list[Row] = [
        [column.name, *(row[position] for row in wide.rows)]
        for position, column in enumerate(wide.columns)
        if position > 0
    ]
    return table(wide.caption, (wide.columns[0].name, *names), rows, narrow=True)


def _problems(quality: QualityReport) -> Table | None:
    rows: list[Row] = [
        [Cell(*SEVERITY[one.severity]), one.subject, words.spoken(one.name), words.count(one.count), one.text]
        for one in quality.problems
    ]
    columns = (
        Column("Severity", "short"),
        Column("Subject", "short"),
        Column("Problem", "short"),
        "Rows",
        Column("What", "text"),
    )
    return table("Worth attention", columns, rows) if rows else None


def _leaves(name: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        return [leaf for key, one in value.items() for leaf in _leaves(f"{name}.{key}", one)]
    return [(name, value)]


def _written(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, list | tuple):
        return ", ".join(_written(one) for one in value) or "none"
    if isinstance(value, Mapping):
        return "none"
    return str(value)
