"""What a run's report knows that its row does not: chance, and what acting on it would have earned."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onward.registry import RunVerdict

__all__ = ["Evidence", "evidence_of", "figure_of"]

COLUMNS = {
    "Total return": "total_return",
    "A year": "cagr",
    "Volatility": "volatility",
    "Sharpe": "sharpe",
    "Sortino": "sortino",
    "Deepest fall": "max_drawdown",
    "Time invested": "time_invested",
    "Turnover a year": "turnover",
    "Trades": "n_trades",
}
"""Headings of the report's table of strategies, and what they are called here."""
FIGURE = re.compile(r"^([+−-]?[\d,]+(?:\.\d+)?)\s*([%×]?)$")
NOTHING: Mapping[str, float | None] = {}


@dataclass(frozen=True)
class Evidence:
    """What stands behind a run's scores.

    Attributes
    ----------
    verdicts
        By subject, as ``ClassVerdict.to_dict()`` tells them; without a report only level and p.
    n_findings
        Findings of the leak audit; None when nobody knows.
    model, holding
        Figures of the equity after costs, of the model and of buying and holding, by name;
        shares as fractions, None for what is not known; empty without a report.
    """

    verdicts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    n_findings: int | None = None
    model: Mapping[str, float | None] = field(default_factory=dict)
    holding: Mapping[str, float | None] = field(default_factory=dict)


def evidence_of(verdicts: Mapping[str, RunVerdict], page: Mapping[str, Any] | None) -> Evidence:
    """Return what is known of a run.

    Parameters
    ----------
    verdicts
        Of its row.
    page
        What its report says (`onward.dashboard.reports.KeptReport.page`); None without one.
    """
    told: dict[str, Mapping[str, Any]] = {
        subject: {"level": one.level, "corrected_p": one.p_value} for subject, one in verdicts.items()
    }
    if page is None:
        return Evidence(told)
    for card in page.get("cards") or ():
        verdict = card.get("verdict") if isinstance(card, Mapping) else None
        if isinstance(verdict, Mapping) and "subject" in verdict:
            told[str(verdict["subject"])] = verdict
    strategies = _strategies(page)
    return Evidence(
        told,
        _findings(page),
        strategies.get("Model", NOTHING),
        strategies.get("Buy and hold", NOTHING),
    )


def figure_of(text: str) -> float | None:
    """Return the figure that a report writes as text (``−21.9 %``, ``3,584.7 ×``); None for anything else."""
    found = FIGURE.match(text.strip())
    if found is None:
        return None
    value = float(found[1].replace(",", "").replace("−", "-"))
    return value / 100 if found[2] == "%" else value


def _strategies(page: Mapping[str, Any]) -> dict[str, Mapping[str, float | None]]:
    try:
        table = page["equity"]["table"]
        names = [COLUMNS.get(name) for name, _ in table["columns"]]
        rows = [[_text(cell) for cell in row] for row in table["rows"] if row]
    except (KeyError, TypeError, ValueError, IndexError):  # another version of Onward wrote it
        return {}
    figures = (
        {name: figure_of(text) for name, text in zip(names, row, strict=False) if name} for row in rows
    )
    return {row[0]: found for row, found in zip(rows, figures, strict=True)}


def _findings(page: Mapping[str, Any]) -> int | None:
    certificate = page.get("certificate")
    if not isinstance(certificate, Mapping) or certificate.get("status") not in ("passed", "failed"):
        return None
    findings = certificate.get("findings")
    return len(findings.get("rows") or ()) if isinstance(findings, Mapping) else 0


def _text(cell: Any) -> str:
    return str(cell if isinstance(cell, str) else cell[0])
